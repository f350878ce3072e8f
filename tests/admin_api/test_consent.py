"""Connecting Gmail by consent: what a browser brings back connects the mailbox once, and only if all of it is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from domain import audit, consents, mailboxes, retention
from domain.db import Database
from providers.deadlines import Deadline
from providers.gmail_consent import GoogleAuthorization
from providers.wire import Wire
from simulator.emulators.faults import refuse
from simulator.emulators.gmail import GmailEmulator
from tests.admin_api.desk import Desk, assert_problem, open_desk

ANA = "ana@acme.example"
CALLBACK = "http://127.0.0.1:8321/oauth/gmail/callback"


@dataclass
class Place:
    """The desk with Google beside it, and a browser."""

    desk: Desk
    gmail: GmailEmulator

    def ask(self, address: str = ANA, who: str = "acme.admin") -> str:
        """Where Google's page for a new consent is."""
        answer = self.desk.post("/v1/mailboxes/gmail/consent", {"address": address}, who)
        assert answer.status_code == 200, answer.text
        url = answer.json()["authorization_url"]
        assert isinstance(url, str)
        return url

    def browse(self, page: str) -> dict[str, str]:
        """Consent on Google's page; the query with which the browser is sent back."""
        answer = Wire().request("GET", page, headers={}, deadline=Deadline(10))
        back = urlsplit(answer.headers["Location"])
        assert back._replace(query="").geturl() == CALLBACK
        return {name: values[0] for name, values in parse_qs(back.query).items()}

    def back(self, **query: str) -> Any:
        """What our page answers."""
        return self.desk.client.get("/oauth/gmail/callback", params=query)

    def box(self, tenant: str = "acme") -> mailboxes.MailboxRow:
        """The tenant's one mailbox."""
        with self.desk.inside(tenant) as tx:
            [row] = mailboxes.listed(tx)
        return row


@pytest.fixture
def place(clone: Database) -> Iterator[Place]:
    """A desk whose Google is the emulator, with an account for Ana and one for Bo."""
    with open_desk(clone) as desk, GmailEmulator(clock=clone.clock, client=("client", "client secret")) as gmail:
        gmail.account(ANA)
        gmail.account("bo@acme.example")
        desk.house = replace(desk.house, google=GoogleAuthorization(
            "client", "client secret", authorization_url=gmail.authorization_url, token_url=gmail.token_url,
            api_url=gmail.url,
        ))  # fmt: skip
        desk.app.state.house = desk.house
        yield Place(desk, gmail)


def assert_refused(answer: Any, told: str) -> None:
    """A page that says what to do, and can neither run nor load anything."""
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert told in answer.text


def test_a_consent_connects_the_mailbox_and_its_grant_works(place: Place) -> None:
    answer = place.back(**place.browse(place.ask()))
    assert answer.status_code == 200
    assert f"Acme may now read the mail of {ANA}" in answer.text
    row = place.box()
    assert (row.address, row.status) == (ANA, "connected")
    with place.desk.inside() as tx:
        grant = mailboxes.grant_of(tx, place.desk.house.vault, row.id)
        lines = [(line.action, line.actor.partition(" ")[0]) for line in reversed(audit.read(tx))]
    account = place.gmail.account(ANA)
    assert grant == mailboxes.Grant(account.refresh_token, "client", "client secret")
    assert lines[-2:] == [("mailbox.ask_consent", "admin"), ("mailbox.connect", "admin")]


def test_reading_is_all_that_is_asked_for(place: Place) -> None:
    asked = parse_qs(urlsplit(place.ask("Ana@Acme.example")).query)
    assert asked["scope"] == ["https://www.googleapis.com/auth/gmail.readonly"]
    assert (asked["access_type"], asked["prompt"], asked["code_challenge_method"]) == (
        ["offline"],
        ["consent"],
        ["S256"],
    )
    assert (asked["login_hint"], asked["redirect_uri"]) == ([ANA], [CALLBACK])
    assert "client_secret" not in asked
    assert "code_verifier" not in asked
    assert place.box().status == "not_configured"


def test_a_state_is_good_once(place: Place) -> None:
    back = place.browse(place.ask())
    assert place.back(**back).status_code == 200
    assert_refused(place.back(**back), "not open")
    assert place.box().status == "connected"
    assert (
        sum("/token" in seen.path and b"authorization_code" in seen.body for seen in place.gmail.witness.requests) == 1
    )


def test_a_state_is_good_for_ten_minutes(place: Place) -> None:
    back = place.browse(place.ask())
    place.desk.house.clock.advance(minutes=10)  # type: ignore[attr-defined]
    assert_refused(place.back(**back), "has expired")
    assert place.box().status == "not_configured"


def test_a_new_consent_closes_the_one_before(place: Place) -> None:
    first, second = place.browse(place.ask()), place.browse(place.ask())
    assert_refused(place.back(**first), "replaced")
    assert place.back(**second).status_code == 200


def test_disconnecting_closes_an_open_consent(place: Place) -> None:
    back = place.browse(place.ask())
    assert place.desk.post(f"/v1/mailboxes/{place.box().id}/revoke", {}).status_code == 200
    assert_refused(place.back(**back), "not open")
    assert place.box().status == "revoked"


@pytest.mark.parametrize("state", ["", "x", "é", "0" * 32, "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")])
def test_a_made_up_state_opens_nothing(place: Place, state: str) -> None:
    assert_refused(place.back(state=state, code="4/x"), "not one of ours")
    assert_refused(place.back(code="4/x"), "not one of ours")


def test_a_forged_state_opens_nothing_and_closes_nothing(place: Place) -> None:
    back = place.browse(place.ask())
    tenant, mailbox, secret = back["state"].split(".")
    for forged in (f"{tenant}.{mailbox}.{'A' * 43}", f"{tenant}.{'0' * 32}.{secret}", f"{'0' * 32}.{mailbox}.{secret}"):
        assert_refused(place.back(state=forged, code=back["code"]), "not one of ours")
    assert place.back(**back).status_code == 200


def test_one_tenants_state_opens_nothing_at_another(place: Place) -> None:
    place.ask(who="globex.admin")
    back = place.browse(place.ask())
    theirs, ours = place.desk.tenants["globex"].hex, place.desk.tenants["acme"].hex
    assert back["state"].startswith(ours)
    for mailbox in (place.box().id.hex, place.box("globex").id.hex):
        state = f"{theirs}.{mailbox}.{back['state'].split('.')[2]}"
        assert_refused(place.back(state=state, code=back["code"]), "not one of ours")
    assert place.box("globex").status == "not_configured"
    assert place.back(**back).status_code == 200
    assert (place.box().status, place.box("globex").status) == ("connected", "not_configured")


def test_a_code_for_another_verifier_is_refused_by_google(place: Place) -> None:
    stolen = place.browse(place.ask())["code"]
    mine = place.browse(place.ask("bo@acme.example", who="globex.admin"))
    assert_refused(place.back(state=mine["state"], code=stolen), "no longer takes this code")
    assert place.box("globex").status == "not_configured"


def test_a_consent_to_another_mailbox_is_refused(place: Place) -> None:
    place.gmail.consents.chooses = "bo@acme.example"
    answer = place.back(**place.browse(place.ask()))
    assert_refused(answer, f"another mailbox than {ANA}")
    assert "bo@" not in answer.text
    assert place.box().status == "not_configured"


def test_an_unticked_scope_is_refused_with_its_mend(place: Place) -> None:
    place.gmail.consents.unticks = True
    assert_refused(place.back(**place.browse(place.ask())), "leave the tick")
    place.gmail.consents.unticks = False
    assert place.back(**place.browse(place.ask())).status_code == 200


def test_a_grant_that_would_not_last_is_refused(place: Place) -> None:
    place.gmail.consents.keeps_refresh_token = False
    assert_refused(place.back(**place.browse(place.ask())), "no refresh token")


def test_a_denial_is_told_and_leaves_the_mailbox_as_it_was(place: Place) -> None:
    place.back(**place.browse(place.ask()))
    place.gmail.consents.denies = True
    assert_refused(place.back(**place.browse(place.ask())), "denied at Google")
    assert place.box().status == "connected"
    with place.desk.inside() as tx:
        assert audit.read(tx)[0].action == "mailbox.refuse_consent"


def test_what_an_error_says_is_not_repeated_as_markup(place: Place) -> None:
    state = place.browse(place.ask())["state"]
    answer = place.back(state=state, error="<script>alert(1)</script>")
    assert_refused(answer, "Google sent no code")
    assert "<script" not in answer.text


def test_a_name_is_not_repeated_as_markup(place: Place) -> None:
    named = place.desk.ask("PATCH", "/v1/tenant", json={"name": "<script>alert(1)</script>"})
    assert named.status_code == 200
    answer = place.back(**place.browse(place.ask()))
    assert answer.status_code == 200
    assert "&lt;script&gt;" in answer.text
    assert "<script" not in answer.text


def test_google_being_away_is_told_and_nothing_is_connected(place: Place) -> None:
    back = place.browse(place.ask())
    place.gmail.break_next(refuse(503, "server_error"))
    answer = place.back(**back)
    assert (answer.status_code, place.box().status) == (503, "not_configured")
    assert "begin again" in answer.text
    assert place.back(**place.browse(place.ask())).status_code == 200


def test_a_client_that_google_refuses_is_told_with_its_mend(place: Place) -> None:
    back = place.browse(place.ask())
    place.gmail.break_next(refuse(401, "invalid_client"))
    assert_refused(place.back(**back), "GOOGLE_CLIENT_ID")


def test_consenting_again_rotates_the_grant(place: Place) -> None:
    place.back(**place.browse(place.ask()))
    place.gmail.account(ANA).refresh_token = "1//another"
    place.back(**place.browse(place.ask()))
    with place.desk.inside() as tx:
        assert mailboxes.grant_of(tx, place.desk.house.vault, place.box().id).refresh_token == "1//another"
        assert audit.read(tx)[0].action == "mailbox.rotate"


def test_disconnecting_ends_the_grant_at_google_too(place: Place) -> None:
    place.back(**place.browse(place.ask()))
    shown = place.desk.post(f"/v1/mailboxes/{place.box().id}/revoke", {"reason": "moving"}).json()
    assert (shown["status"], shown["status_cause"]) == ("revoked", "moving")
    assert place.gmail.account(ANA).revoked


def test_disconnecting_works_without_google_and_says_what_is_left_to_do(place: Place) -> None:
    place.back(**place.browse(place.ask()))
    place.gmail.break_next(refuse(503, "server_error"))
    shown = place.desk.post(f"/v1/mailboxes/{place.box().id}/revoke", {"reason": "moving"}).json()
    assert shown["status"] == "revoked"
    assert "https://myaccount.google.com/connections" in shown["status_cause"]
    with place.desk.inside() as tx, pytest.raises(mailboxes.NoGrant):
        mailboxes.grant_of(tx, place.desk.house.vault, place.box().id)


def test_without_a_client_the_way_out_is_told(desk: Desk) -> None:
    told = assert_problem(desk.post("/v1/mailboxes/gmail/consent", {"address": ANA}), 409)
    assert "GOOGLE_CLIENT_ID" in told["detail"]
    assert desk.get("/v1/mailboxes")["items"] == []


def test_a_repeated_request_does_not_tell_the_address_again(place: Place) -> None:
    body = {"address": ANA}
    first = place.desk.post("/v1/mailboxes/gmail/consent", body, key="k1").json()
    again = place.desk.post("/v1/mailboxes/gmail/consent", body, key="k1").json()
    assert again == {**first, "authorization_url": None}
    assert place.back(**place.browse(first["authorization_url"])).status_code == 200


def test_no_secret_of_a_consent_is_stored_in_clear_or_logged(
    place: Place, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    page = place.ask()
    with place.desk.inside() as tx:
        row = tx.row("SELECT to_jsonb(c)::text AS whole FROM mailbox_consents c WHERE tenant_id = :t", t=tx.tenant_id)
    back = place.browse(page)
    assert row is not None
    place.back(**back)
    verifier = next(parse_qs(seen.body.decode())["code_verifier"][0]
                    for seen in place.gmail.witness.requests if b"code_verifier" in seen.body)  # fmt: skip
    secrets = (back["code"], back["state"].split(".")[2], verifier, place.gmail.account(ANA).refresh_token)
    with place.desk.inside() as tx:
        kept = tx.rows("SELECT to_jsonb(e)::text AS line FROM warehouse_events e WHERE tenant_id = :t", t=tx.tenant_id)
        told = " ".join([*(str(line) for line in audit.read(tx)), *(each["line"] for each in kept)])
    said = capfd.readouterr()
    for secret in secrets:
        assert secret not in told + said.out + said.err + caplog.text
        assert not any(secret in seen.path for seen in place.gmail.witness.requests if "/auth?" not in seen.path)
    assert verifier not in page
    for secret in (secrets[1], verifier):  # what is stored as bytes reads as hexadecimal
        assert secret not in row["whole"]
        assert secret.encode().hex() not in row["whole"]


def test_an_expired_consent_is_swept_away(place: Place) -> None:
    place.ask()
    place.desk.house.clock.advance(minutes=11)  # type: ignore[attr-defined]
    with place.desk.inside() as tx:
        assert retention.sweep(tx)["mailbox_consents"] == 1


def test_what_a_consent_holds_is_not_shown_by_its_records(place: Place) -> None:
    with place.desk.inside() as tx:
        begun = consents.begin(tx, place.desk.house.vault, ANA, redirect_uri=CALLBACK)
    taken = consents.take(place.desk.database, place.desk.house.vault, begun.state)
    assert begun.state not in repr(begun)
    assert taken.verifier not in repr(taken)
