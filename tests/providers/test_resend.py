"""Resend through its real SDK against the emulator: what each outcome lets the caller do next."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.ports import MaybeHappened, NeverWill, NothingHappened, ProviderError
from providers.resend import ResendSender
from providers.resend_calls import NO_KEY
from simulator.emulators.faults import Fault, fail, refuse, throttle
from simulator.emulators.loopback import Told
from simulator.emulators.resend import ResendEmulator
from tests.hand_clock import HandClock
from tests.providers.haste import AMPLE, SHORT, seconds_for, within
from tests.providers.outbound import a_mail
from tests.providers.strange_server import STRANGE_ANSWERS, StrangeServer


@pytest.fixture
def acme(resend: ResendEmulator) -> ResendSender:
    return ResendSender("re_acme", resend.url)


def test_a_mail_arrives_whole_under_its_own_key(resend: ResendEmulator, acme: ResendSender, clock: HandClock) -> None:
    mail = a_mail(clock, cc=("cy@client.example",), bcc=("di@client.example",))
    accepted = acme.send(mail, deadline_seconds=AMPLE)
    (sent,) = resend.sent("re_acme")
    (post,) = resend.witness.posts("re_acme")
    assert post.key == mail.idempotency_key
    assert sent["id"] == accepted.provider_id
    assert (sent["from"], sent["to"], sent["cc"], sent["bcc"]) == (
        mail.sender,
        list(mail.to),
        list(mail.cc),
        list(mail.bcc),
    )
    assert (sent["subject"], sent["text"], sent["html"]) == (mail.subject, mail.text, mail.html)
    assert sent["reply_to"] == [mail.reply_to]
    assert {tag["name"]: tag["value"] for tag in sent["tags"]} == mail.tags
    own = {"Message-ID": mail.message_id, "X-Hourhand-Card": str(mail.card_id)}
    assert sent["headers"] == {**mail.headers, **own}


def test_the_same_key_and_mail_go_out_once(resend: ResendEmulator, acme: ResendSender, clock: HandClock) -> None:
    mail = a_mail(clock)
    first = acme.send(mail, deadline_seconds=AMPLE)
    again = acme.send(replace(mail, headers=dict(reversed(list(mail.headers.items())))), deadline_seconds=AMPLE)
    assert first == again
    posts = resend.witness.posts("re_acme")
    assert [post.acted for post in posts] == [True, False]
    assert posts[0].body == posts[1].body, "headers in another order must give the same bytes"


def test_the_same_key_for_other_bytes_is_refused_for_good(acme: ResendSender, clock: HandClock) -> None:
    mail = a_mail(clock)
    acme.send(mail, deadline_seconds=AMPLE)
    with pytest.raises(NeverWill, match="already used for other bytes"):
        acme.send(replace(mail, text="Something else"), deadline_seconds=AMPLE)


def test_a_key_is_forgotten_after_a_day(resend: ResendEmulator, acme: ResendSender, clock: HandClock) -> None:
    mail = a_mail(clock)
    acme.send(mail, deadline_seconds=AMPLE)
    clock.advance(hours=24)
    acme.send(mail, deadline_seconds=AMPLE)
    assert len(resend.sent("re_acme")) == 2


@pytest.mark.parametrize("length", [0, 257])
def test_a_key_that_resend_would_not_take_is_never_sent(
    length: int, resend: ResendEmulator, acme: ResendSender, clock: HandClock
) -> None:
    with pytest.raises(NeverWill, match=str(length)):
        acme.send(a_mail(clock, idempotency_key="k" * length), deadline_seconds=AMPLE)
    assert resend.witness.posts() == []


@pytest.mark.parametrize(
    ("fault", "meaning", "went_out"),
    [
        (throttle(7), NothingHappened, 0),
        (throttle(3600, error="daily_quota_exceeded"), NothingHappened, 0),
        (refuse(400), NeverWill, 0),
        (refuse(401, "missing_api_key"), NeverWill, 0),
        (refuse(403, "invalid_api_key"), NeverWill, 0),
        (refuse(404, "not_found"), NeverWill, 0),
        (refuse(422, "missing_required_field"), NeverWill, 0),
        (refuse(308, "moved"), NeverWill, 0),
        (refuse(408, "timeout"), MaybeHappened, 0),
        (refuse(409, "concurrent_idempotent_requests"), MaybeHappened, 0),
        (refuse(409, "invalid_idempotent_request"), NeverWill, 0),
        (fail(500), MaybeHappened, 0),
        (fail(503, acts=True), MaybeHappened, 1),
        (Fault("reset"), MaybeHappened, 0),
        (Fault("reset", acts=True), MaybeHappened, 1),
        (Fault("close"), MaybeHappened, 0),
        (Fault("close", acts=True), MaybeHappened, 1),
        (Fault("hang"), MaybeHappened, 0),
        (Fault("hang", acts=True), MaybeHappened, 1),
        (Fault("truncate"), MaybeHappened, 1),
        (Fault("drip"), MaybeHappened, 1),
        (Fault("slow", seconds=5), MaybeHappened, 1),
        (Fault("answer", acts=True, status=200), MaybeHappened, 1),
    ],
    ids=lambda value: f"{value.kind}-{value.status}-{value.error}" if isinstance(value, Fault) else None,
)
def test_each_fault_says_what_the_caller_may_do(
    fault: Fault,
    meaning: type[ProviderError],
    went_out: int,
    resend: ResendEmulator,
    acme: ResendSender,
    clock: HandClock,
) -> None:
    resend.break_next(fault)
    with within(seconds_for(fault)), pytest.raises(meaning) as raised:
        acme.send(a_mail(clock), deadline_seconds=seconds_for(fault))
    assert type(raised.value).mro()[1] in (meaning, ProviderError)
    assert len(resend.sent("re_acme")) == went_out
    assert len(resend.witness.posts()) == 1, "an unknown outcome must not be tried again by itself"


def test_retry_after_reaches_the_caller(resend: ResendEmulator, acme: ResendSender, clock: HandClock) -> None:
    resend.break_next(throttle(7))
    with pytest.raises(NothingHappened) as raised:
        acme.send(a_mail(clock), deadline_seconds=AMPLE)
    assert raised.value.retry_after_seconds == 7


def test_a_server_that_is_not_there_did_nothing(clock: HandClock) -> None:
    with pytest.raises(NothingHappened):
        ResendSender("re_acme", "http://127.0.0.1:1").send(a_mail(clock), deadline_seconds=SHORT)


@pytest.mark.parametrize("told", STRANGE_ANSWERS, ids=lambda told: told.body.decode("latin-1"))
def test_an_answer_that_is_not_resends_leaves_the_outcome_open(told: Told, clock: HandClock) -> None:
    with StrangeServer(told, clock=clock) as server:
        sender = ResendSender("re_acme", server.url)
        with pytest.raises(MaybeHappened):
            sender.send(a_mail(clock), deadline_seconds=AMPLE)
        with pytest.raises(NothingHappened):
            sender.find(a_mail(clock), deadline_seconds=AMPLE)


def test_two_tenants_threads_never_swap_keys(resend: ResendEmulator, clock: HandClock) -> None:
    import resend as sdk

    tenants = ("acme", "globex")
    begin = threading.Barrier(8)

    def send_many(tenant: str) -> None:
        sender = ResendSender(f"re_{tenant}", resend.url)
        begin.wait()
        for _ in range(40):
            sender.send(a_mail(clock, tenant), deadline_seconds=10)

    threads = [threading.Thread(target=send_many, args=(tenants[number % 2],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for tenant in tenants:
        sent = resend.sent(f"re_{tenant}")
        assert len(sent) == 160
        assert {mail["from"] for mail in sent} == {f"Ana Díaz <ana@{tenant}.example>"}
    assert sdk.api_key == NO_KEY


def test_the_sdk_alone_can_send_nothing(acme: ResendSender, resend: ResendEmulator, clock: HandClock) -> None:
    import resend as sdk

    acme.send(a_mail(clock), deadline_seconds=AMPLE)
    with pytest.raises(sdk.exceptions.ResendError, match="without a Call"):
        sdk.Emails.send({"from": "a@b.c", "to": "d@e.f", "subject": "s", "text": "t"})
    assert len(resend.witness.posts()) == 1


def test_the_key_is_in_no_error_and_no_repr(resend: ResendEmulator, clock: HandClock) -> None:
    with pytest.raises(NeverWill) as raised:
        ResendSender("re_secret", resend.url).send(a_mail(clock), deadline_seconds=AMPLE)
    assert "re_secret" not in f"{raised.value!r} {raised.value.__cause__!r}"


def test_connections_are_kept_alive(resend: ResendEmulator, acme: ResendSender, clock: HandClock) -> None:
    for _ in range(5):
        acme.send(a_mail(clock), deadline_seconds=AMPLE)
    assert resend.connections == 1


def test_a_kept_connection_that_died_costs_no_mail(
    resend: ResendEmulator, acme: ResendSender, clock: HandClock
) -> None:
    acme.send(a_mail(clock), deadline_seconds=AMPLE)
    resend.hang_up()
    acme.send(a_mail(clock), deadline_seconds=AMPLE)
    assert len(resend.sent("re_acme")) == 2


def test_a_mail_that_was_taken_is_found_by_its_card(
    resend: ResendEmulator, acme: ResendSender, clock: HandClock
) -> None:
    lost = a_mail(clock)
    resend.break_next(Fault("hang", acts=True))
    with pytest.raises(MaybeHappened):
        acme.send(lost, deadline_seconds=SHORT)
    for _ in range(3):
        acme.send(a_mail(clock), deadline_seconds=AMPLE)  # the same recipient and subject, other cards
    found = acme.find(lost, deadline_seconds=AMPLE)
    (taken, *_) = resend.sent("re_acme")
    assert found is not None
    assert (found.provider_id, found.state, found.message_id) == (taken["id"], "accepted", taken["message_id"])
    assert found.at == clock.now()


def test_a_mail_that_never_arrived_is_surely_absent(
    resend: ResendEmulator, acme: ResendSender, clock: HandClock
) -> None:
    lost = a_mail(clock)
    acme.send(a_mail(clock), deadline_seconds=AMPLE)
    assert acme.find(lost, deadline_seconds=AMPLE) is None


def test_the_search_pages_back_to_the_first_try_and_no_further(
    resend: ResendEmulator, acme: ResendSender, clock: HandClock
) -> None:
    for _ in range(120):
        acme.send(a_mail(clock, subject="older"), deadline_seconds=AMPLE)
    clock.advance(hours=2)
    lost = a_mail(clock)
    acme.send(lost, deadline_seconds=AMPLE)
    for _ in range(130):
        acme.send(a_mail(clock, subject="newer"), deadline_seconds=AMPLE)
    resend.witness.clear()
    assert acme.find(lost, deadline_seconds=AMPLE) is not None
    assert acme.find(a_mail(clock, subject="never sent"), deadline_seconds=AMPLE) is None
    listings = [seen.path for seen in resend.witness.requests if seen.path.startswith("/emails?")]
    assert len(listings) == 4, "two pages each"


def test_a_listing_that_may_have_forgotten_proves_nothing(acme: ResendSender, clock: HandClock) -> None:
    lost = a_mail(clock)
    clock.advance(hours=25)
    with pytest.raises(NothingHappened, match="reach back"):
        acme.find(lost, deadline_seconds=AMPLE)
    assert acme.find(lost, deadline_seconds=5, since=clock.now() - timedelta(hours=2)) is None


@pytest.mark.parametrize(
    "fault",
    [throttle(2), fail(500), refuse(401, "restricted_api_key"), Fault("hang"), Fault("reset"), Fault("truncate")],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_search_that_fails_did_nothing(
    fault: Fault, resend: ResendEmulator, acme: ResendSender, clock: HandClock
) -> None:
    lost = a_mail(clock)
    resend.break_next(fault)
    with pytest.raises(NothingHappened):
        acme.find(lost, deadline_seconds=seconds_for(fault))


def test_a_key_that_may_only_send_says_so_when_searching(
    resend: ResendEmulator, acme: ResendSender, clock: HandClock
) -> None:
    resend.accounts["re_acme"].may_list = False
    with pytest.raises(NothingHappened, match="restricted"):
        acme.find(a_mail(clock), deadline_seconds=AMPLE)


@pytest.mark.parametrize(
    ("event", "state"),
    [("delivered", "delivered"), ("opened", "delivered"), ("bounced", "bounced"), ("failed", "failed")],
)
def test_details_tell_the_state_and_the_real_message_id(
    event: str, state: str, resend: ResendEmulator, acme: ResendSender, clock: HandClock
) -> None:
    mail = a_mail(clock)
    accepted = acme.send(mail, deadline_seconds=AMPLE)
    resend.hook("re_acme", accepted.provider_id, event)
    found = acme.details(accepted.provider_id, deadline_seconds=AMPLE)
    assert found.state == state
    assert found.message_id is not None
    assert found.message_id != mail.message_id, "Resend sends through SES, which puts in its own"
