"""Google's token and revocation endpoints in bad weather: a code is sent once, and every failure says what is left."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from domain.ports import NeverWill, NothingHappened
from providers.deadlines import Deadline
from providers.gmail_consent import GoogleAuthorization
from providers.wire import Wire
from simulator.emulators.faults import Fault, refuse, throttle
from simulator.emulators.gmail import GmailAccount, GmailEmulator
from simulator.emulators.loopback import Loopback, Told
from tests.hand_clock import HandClock
from tests.providers.haste import seconds_for
from tests.providers.strange_server import STRANGE_ANSWERS, StrangeServer

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""The example of RFC 7636, appendix B."""

BACK = "http://127.0.0.1:8321/oauth/gmail/callback"
WEATHER = [
    Fault("hang"), Fault("hang", acts=True), Fault("drip", seconds=0.05), Fault("reset"), Fault("reset", acts=True),
    Fault("close", acts=True), Fault("truncate"), Fault("answer", status=500, acts=True), throttle(),
]  # fmt: skip


def google(emulator: Loopback, *, seconds: float = 10.0) -> GoogleAuthorization:
    """Google as we see it, on an emulator."""
    return GoogleAuthorization(
        "client", "client secret", authorization_url=f"{emulator.url}/o/oauth2/v2/auth",
        token_url=f"{emulator.url}/token", api_url=emulator.url, call_seconds=seconds,
    )  # fmt: skip


def a_code(gmail: GmailEmulator, account: GmailAccount) -> str:
    """What Google's page gives for a consent."""
    page = google(gmail).page("state", CHALLENGE, redirect_uri=BACK, address=account.address)
    answer = Wire().request("GET", page, headers={}, deadline=Deadline(10))
    return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]


def posts(emulator: Loopback, path: str) -> int:
    """How many requests arrived there."""
    return sum(seen.path == path for seen in emulator.witness.requests)


def test_a_code_becomes_a_grant_that_was_seen_to_work(gmail: GmailEmulator, account: GmailAccount) -> None:
    granted = google(gmail).redeem(a_code(gmail, account), VERIFIER, redirect_uri=BACK)
    assert (granted.address, granted.refresh_token) == (account.address, account.refresh_token)
    assert account.refresh_token not in repr(granted)
    assert posts(gmail, "/gmail/v1/users/me/profile?alt=json") == 1


def test_a_code_is_good_for_its_own_verifier_and_address_alone(gmail: GmailEmulator, account: GmailAccount) -> None:
    with pytest.raises(NeverWill, match="invalid_grant"):
        google(gmail).redeem(a_code(gmail, account), CHALLENGE, redirect_uri=BACK)
    with pytest.raises(NeverWill, match="redirect_uri_mismatch"):
        google(gmail).redeem(a_code(gmail, account), VERIFIER, redirect_uri="http://127.0.0.1:1/")


@pytest.mark.parametrize("fault", WEATHER, ids=lambda fault: f"{fault.kind}-{fault.acts}")
def test_a_code_is_never_sent_twice(gmail: GmailEmulator, account: GmailAccount, fault: Fault) -> None:
    code = a_code(gmail, account)
    gmail.break_next(fault)
    with pytest.raises(NothingHappened):
        google(gmail, seconds=seconds_for(fault)).redeem(code, VERIFIER, redirect_uri=BACK)
    assert posts(gmail, "/token") == 1


@pytest.mark.parametrize("fault", WEATHER, ids=lambda fault: f"{fault.kind}-{fault.acts}")
def test_a_revocation_that_did_not_come_through_is_told(
    gmail: GmailEmulator, account: GmailAccount, fault: Fault
) -> None:
    gmail.break_next(fault)
    with pytest.raises(NothingHappened):
        google(gmail, seconds=seconds_for(fault)).revoke(account.refresh_token)


def test_a_grant_that_had_ended_already_is_as_good_as_revoked(gmail: GmailEmulator, account: GmailAccount) -> None:
    google(gmail).revoke(account.refresh_token)
    assert account.revoked
    google(gmail).revoke(account.refresh_token)
    gmail.break_next(refuse(403, "forbidden"))
    with pytest.raises(NeverWill, match="403"):
        google(gmail).revoke(account.refresh_token)


@pytest.mark.parametrize("told", STRANGE_ANSWERS, ids=lambda told: told.body[:8].decode("latin-1"))
def test_what_is_no_grant_is_not_taken_for_one(clock: HandClock, told: Told) -> None:
    with StrangeServer(told, clock=clock) as strange, pytest.raises(NothingHappened, match="no grant"):
        google(strange).redeem("4/code", VERIFIER, redirect_uri=BACK)
