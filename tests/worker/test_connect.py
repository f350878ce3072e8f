"""Connecting Gmail from the command line: a real browser process goes by Google's page back to us."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.clock import SystemClock
from simulator.emulators.faults import refuse
from simulator.emulators.gmail import GmailEmulator
from tests.worker.line import Line, Spoken
from worker import loopback

ANA = "ana@acme.example"
BROWSER = f"{sys.executable} {Path(__file__).parent / 'browser.py'} %s"


@pytest.fixture
def gmail(hh: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[GmailEmulator]:
    """Google on loopback, an account for Ana, a client of our own, a browser, and a tenant."""
    with GmailEmulator(clock=SystemClock(), client=("client", "client secret")) as emulator:
        emulator.account(ANA)
        for name, value in {
            "GMAIL_API_URL": emulator.url, "GOOGLE_TOKEN_URL": emulator.token_url, "GOOGLE_CLIENT_ID": "client",
            "GOOGLE_CLIENT_SECRET": "client secret", "GOOGLE_AUTHORIZATION_URL": emulator.authorization_url,
            "BROWSER": BROWSER,
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        hh("tenant", "add", "acme", "--name", "Acme")
        yield emulator


def test_a_mailbox_is_connected_rotated_and_ended_by_commands(hh: Line, gmail: GmailEmulator) -> None:
    tried = hh("gmail", "connect", "--address", ANA, "--dry-run")
    assert (tried["address"], tried["status"], tried["done"]) == (ANA, "not_configured", False)
    assert hh("gmail", "status") == []
    assert hh("gmail", "connect", "--address", "Ana@Acme.example", "--open")["status"] == "connected"
    assert hh("gmail", "connect", "--address", ANA, "--open")["status"] == "connected"
    [row] = hh("gmail", "status")
    assert (row["status"], row["mend"]) == ("connected", "")
    assert hh("gmail", "revoke", "--address", ANA, "--dry-run")["status"] == "revoked"
    assert not gmail.account(ANA).revoked
    assert hh("gmail", "revoke", "--address", ANA, "--reason", "moving")["status_cause"] == "moving"
    assert gmail.account(ANA).revoked
    [row] = hh("gmail", "status")
    assert "hourhand gmail connect" in row["mend"]


def test_the_address_of_the_page_is_told_beside_the_answer_and_holds_no_secret(hh: Line, gmail: GmailEmulator) -> None:
    code, said, told = hh.plain("gmail", "connect", "--address", ANA, "--open", "--json")
    assert (code, json.loads(said)["status"]) == (0, "connected")
    assert json.loads(told)["authorization_url"].startswith(gmail.authorization_url)
    code, said, told = hh.plain("gmail", "connect", "--address", ANA, "--open")
    assert (code, said) == (0, f"acme: {ANA} is connected\n")
    page = urlsplit(next(line for line in told.splitlines() if line.startswith("http")))
    asked = parse_qs(page.query)
    assert urlsplit(asked["redirect_uri"][0]).hostname == "127.0.0.1"
    sent = next(parse_qs(seen.body.decode()) for seen in gmail.witness.requests if b"code_verifier" in seen.body)
    for secret in (sent["code"][0], sent["code_verifier"][0], gmail.account(ANA).refresh_token, "client secret"):
        assert secret not in told + said
        assert all(secret not in value for values in asked.values() for value in values)


def test_what_went_wrong_is_one_sentence_with_its_mend(hh: Line, gmail: GmailEmulator) -> None:
    gmail.consents.denies = True
    with pytest.raises(Spoken, match="denied at Google"):
        hh("gmail", "connect", "--address", ANA, "--open")
    gmail.consents.denies, gmail.consents.unticks = False, True
    with pytest.raises(Spoken, match="leave the tick"):
        hh("gmail", "connect", "--address", ANA, "--open")
    gmail.consents.unticks, gmail.consents.chooses = False, "bo@acme.example"
    gmail.account("bo@acme.example")
    with pytest.raises(Spoken, match=f"another mailbox than {ANA}"):
        hh("gmail", "connect", "--address", ANA, "--open")
    [row] = hh("gmail", "status")
    assert row["status"] == "not_configured"


def test_a_command_that_nobody_answers_ends_in_time(hh: Line, gmail: GmailEmulator) -> None:
    with pytest.raises(Spoken, match="nobody consented within 1 seconds"):
        hh("gmail", "connect", "--address", ANA, "--seconds", "1")


def test_google_being_away_at_the_end_is_told_and_the_grant_is_forgotten(hh: Line, gmail: GmailEmulator) -> None:
    hh("gmail", "connect", "--address", ANA, "--open")
    gmail.break_next(refuse(503, "server_error"))
    assert "myaccount.google.com" in hh("gmail", "revoke", "--address", ANA)["status_cause"]


def test_without_a_client_the_way_out_is_told(hh: Line, gmail: GmailEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    assert any("/oauth/gmail/callback" in check["told"] for check in hh("doctor"))
    monkeypatch.delenv("GOOGLE_CLIENT_ID")
    with pytest.raises(Spoken, match="GOOGLE_CLIENT_ID is not set"):
        hh("gmail", "connect", "--address", ANA)
    assert any("GOOGLE_CLIENT_ID is not set" in check["told"] for check in hh("doctor"))


def test_only_who_knows_the_state_is_heard() -> None:
    with loopback.listening(0) as back:
        assert knock(back.url + "?state=&code=early") == 400
        back.expect("the-state")
        for forged in ("", "?code=x", "?state=&code=x", "?state=another&code=x", "?state=%ff&code=x", "favicon.ico"):
            assert knock(back.url + forged) == 400
        assert back.wait(0) is None
        assert knock(back.url + "?state=the-state&code=mine") == 200
        assert knock(back.url + "?state=the-state&code=again") == 200
        assert back.wait(60) == {"state": "the-state", "code": "mine", "error": ""}


def test_a_port_in_use_is_told() -> None:
    with loopback.listening(0) as back:
        taken = urlsplit(back.url).port
        assert taken is not None
        with pytest.raises(loopback.PortTaken, match="--port"), loopback.listening(taken):
            pass


def knock(address: str) -> int:
    """The status of a GET."""
    try:
        with urllib.request.urlopen(address, timeout=60) as page:
            return int(page.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code
