"""Gmail in bad weather: grants that end, every fault of every call, quotas, and another address."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.ports import (
    NeverWill,
    NothingHappened,
    ProviderError,
    QuotaExceeded,
    TokenExpired,
    TokenRevoked,
)
from providers.gmail import GmailMailbox
from providers.gmail_calls import GmailCalls
from simulator.emulators.faults import Fault, fail, refuse, throttle
from simulator.emulators.gmail import GmailAccount, GmailEmulator
from tests.hand_clock import HandClock
from tests.providers.gmail_boxes import a_grant, a_mailbox, a_raw, ids, paths
from tests.providers.haste import seconds_for, within
from tests.providers.strange_server import STRANGE_ANSWERS, StrangeServer

EVERY_TRY = 99


# ---- grants


def test_one_refresh_serves_all_threads(gmail: GmailEmulator, account: GmailAccount, box: GmailMailbox) -> None:
    for number in range(40):
        account.deliver(a_raw(number))
    list(box.changes(None))
    assert len(paths(gmail, "/token")) == 1


def test_a_revoked_grant_says_so(account: GmailAccount, box: GmailMailbox) -> None:
    account.revoked = True
    with pytest.raises(TokenRevoked, match="invalid_grant"):
        list(box.changes(None))


def test_a_grant_revoked_in_mid_sync_says_so(account: GmailAccount, box: GmailMailbox) -> None:
    box.address()
    account.tokens.clear()
    account.revoked = True
    with pytest.raises(TokenRevoked):
        box.address()


def test_an_access_token_that_ran_out_is_renewed_in_silence(account: GmailAccount, box: GmailMailbox) -> None:
    box.address()
    account.tokens.clear()
    assert box.address() == "ana@acme.example"


@pytest.mark.parametrize(
    "fault",
    [
        fail(500),
        fail(503),
        throttle(1),
        Fault("hang"),
        Fault("reset"),
        Fault("truncate"),
        Fault("drip"),
        refuse(400, "server_error"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_token_endpoint_in_trouble_is_for_now(
    fault: Fault, gmail: GmailEmulator, account: GmailAccount, box: GmailMailbox
) -> None:
    gmail.break_next(replace(fault, path="/token", times=EVERY_TRY))
    hasty = a_mailbox(gmail, account, call_seconds=seconds_for(fault))
    with within(seconds_for(fault)), pytest.raises(TokenExpired):
        hasty.address()
    gmail.faults.clear()
    assert box.address() == "ana@acme.example"


def test_a_wrong_client_is_our_mistake_and_not_the_tenants(clock: HandClock) -> None:
    with GmailEmulator(clock=clock, client=("right", "right")) as gmail:
        account = gmail.account("ana@acme.example")
        with pytest.raises(NeverWill, match="GOOGLE_CLIENT_ID") as raised:
            a_mailbox(gmail, account).address()
        assert not isinstance(raised.value, TokenRevoked)


def test_a_token_is_in_no_error(gmail: GmailEmulator, account: GmailAccount, box: GmailMailbox) -> None:
    account.revoked = True
    with pytest.raises(TokenRevoked) as raised:
        box.address()
    assert account.refresh_token not in f"{raised.value!r} {raised.value.__cause__!r}"


# ---- weather

CALLS = {"profile": "/profile", "list": "/messages?", "get": "format=raw", "history": "/history?"}
WEATHER: list[tuple[Fault, type[Exception]]] = [
    (fail(500), NothingHappened),
    (fail(503), NothingHappened),
    (throttle(0), QuotaExceeded),
    (refuse(403, "userRateLimitExceeded"), QuotaExceeded),
    (refuse(403, "rateLimitExceeded"), QuotaExceeded),
    (refuse(403, "dailyLimitExceeded"), QuotaExceeded),
    (refuse(403, "insufficientPermissions"), NeverWill),
    (refuse(403, "accessNotConfigured"), NeverWill),
    (refuse(401, "authError"), TokenExpired),
    (Fault("hang"), NothingHappened),
    (Fault("close"), NothingHappened),
    (Fault("reset"), NothingHappened),
    (Fault("truncate"), NothingHappened),
    (Fault("drip"), NothingHappened),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("fault", "meaning"), WEATHER, ids=lambda v: getattr(v, "error", None) and f"{v.kind}-{v.status}-{v.error}"
)
def test_each_fault_of_each_call_is_told_in_time(
    call: str,
    fault: Fault,
    meaning: type[ProviderError],
    gmail: GmailEmulator,
    account: GmailAccount,
    box: GmailMailbox,
) -> None:
    cursor = account.history_id if call == "history" else None
    account.deliver(a_raw(1))
    broken = Fault(
        fault.kind, status=fault.status, error=fault.error, headers=fault.headers, path=CALLS[call], times=EVERY_TRY
    )
    gmail.break_next(broken)
    hasty = a_mailbox(gmail, account, call_seconds=seconds_for(fault))
    with within(seconds_for(fault)), pytest.raises(meaning):
        list(hasty.changes(cursor))
    gmail.faults.clear()
    assert len(ids(list(box.changes(cursor)))) == 1, "nothing may be lost by a failed sync"


@pytest.mark.parametrize(
    "fault",
    [fail(500), throttle(0), refuse(403, "userRateLimitExceeded"), Fault("reset"), Fault("truncate")],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_passing_fault_is_overcome_within_the_call(fault: Fault, gmail: GmailEmulator, box: GmailMailbox) -> None:
    gmail.break_next(replace(fault, path="/profile", times=2))
    assert box.address() == "ana@acme.example"


def test_a_long_retry_after_goes_back_to_the_caller_at_once(gmail: GmailEmulator, box: GmailMailbox) -> None:
    gmail.break_next(replace(throttle(300), path="/profile"))
    with pytest.raises(QuotaExceeded) as raised:
        box.address()
    assert raised.value.retry_after_seconds == 300
    assert len(paths(gmail, "/profile")) == 1


def test_a_mailbox_bigger_than_its_quota_gets_on_piece_by_piece(
    gmail: GmailEmulator, account: GmailAccount, clock: HandClock
) -> None:
    delivered = [account.deliver(a_raw(number)) for number in range(30)]
    account.quota_per_minute = 250
    box = a_mailbox(gmail, account, page_size=5)
    stored: list[str] = []
    for _ in range(5):
        try:
            for page in box.changes(None, known=stored):
                stored += ids([page])
                cursor = page.next_cursor
        except QuotaExceeded:
            clock.advance(minutes=1)
    assert sorted(stored) == sorted(delivered)
    assert cursor == account.history_id


@pytest.mark.parametrize("told", STRANGE_ANSWERS, ids=lambda told: told.body.decode("latin-1"))
def test_an_answer_that_is_not_gmails_is_no_crash(
    told: object, clock: HandClock, gmail: GmailEmulator, account: GmailAccount
) -> None:
    with StrangeServer(told, clock=clock) as server:  # type: ignore[arg-type]
        grant = a_grant(gmail, account)
        box = GmailMailbox(GmailCalls(grant, api_url=server.url, pause_seconds=0.001))
        for cursor in (None, "5"):
            with pytest.raises(ProviderError):
                list(box.changes(cursor))


# ---- another address


def test_batch_and_upload_are_redirected_too(gmail: GmailEmulator, account: GmailAccount) -> None:
    from googleapiclient.http import MediaInMemoryUpload

    grant = a_grant(gmail, account)
    service = GmailCalls(grant, api_url=gmail.url).service()
    messages = service.users().messages()
    raw = b"Subject: put in\r\n\r\nhi"
    upload = MediaInMemoryUpload(raw, "message/rfc822")
    put_in = messages.insert(userId="me", body={"labelIds": ["INBOX"]}, media_body=upload).execute()
    assert account.messages[put_in["id"]].raw.replace(b"\r\n", b"\n") == raw.replace(b"\r\n", b"\n")
    answers: dict[str, object] = {}
    batch = service.new_batch_http_request(lambda name, answer, error: answers.update({name: answer or error}))
    batch.add(messages.get(userId="me", id=put_in["id"], format="minimal"), request_id="there")
    batch.add(messages.get(userId="me", id="nowhere"), request_id="gone")
    batch.execute()
    assert isinstance(answers["there"], dict)
    assert "404" in str(answers["gone"])
    assert {path.split("/")[1] for path in paths(gmail, "")} == {"token", "upload", "batch"}


def test_the_sdk_is_imported_only_when_a_mailbox_is_read() -> None:
    import subprocess
    import sys

    code = (
        "import sys, providers.gmail, providers.resend, providers.smtp, providers.resend_webhooks; "
        "sys.exit(bool({'googleapiclient', 'google.auth', 'resend', 'svix', 'httplib2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
