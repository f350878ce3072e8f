"""IMAP mailboxes through the API: tried, connected without showing the password, moved elsewhere, refused by name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain import mailboxes
from domain.db import Database
from domain.imap_accounts import ImapAccount
from providers.imap_calls import try_out
from tests import build
from tests.admin_api.desk import Desk, assert_problem, open_desk
from tests.providers.dovecot import PASSWORDS, Dovecot

ANA = "ana@acme.example"
GIVEN = {"address": "Ana@Acme.example", "host": "mail.acme.example", "password": "very secret", "untried": True}


def test_only_a_password_that_opens_the_mailbox_is_kept(clone: Database, dovecot: Dovecot) -> None:
    given = {"address": ANA, "host": "127.0.0.1", "port": dovecot.plain, "security": "plain"}
    with open_desk(clone, imap=lambda account: try_out(account, seconds=10.0)) as desk:

        def tried(password: str, key: str, **more: object) -> Any:
            return desk.post("/v1/mailboxes/imap", {**given, "password": password, **more}, key=key)

        refused = assert_problem(tried("not it", "a"), 422)
        assert ("user and password" in refused["detail"], "not it" in str(refused)) == (True, False)
        assert desk.get("/v1/mailboxes")["items"] == [], "what can't log in is not kept"
        kept = tried("not it", "b", untried=True).json()
        assert (kept["status"], "nobody has logged in" in kept["status_cause"]) == ("connected", True)
        right = tried(PASSWORDS[ANA], "c")
        assert (right.json()["status"], right.json()["status_cause"]) == ("connected", None)
        dovecot.vanish()
        assert tried(PASSWORDS[ANA], "c").json() == right.json(), "a repetition is answered, not tried again"
        away = assert_problem(tried("another", "d"), 409)
        assert "Nothing was kept" in away["detail"]
        with desk.inside() as tx:
            assert mailboxes.account_of(tx, desk.house.vault, UUID(right.json()["id"])).password == PASSWORDS[ANA]


def test_a_mailbox_is_connected_and_its_password_is_never_shown(desk: Desk) -> None:
    made = desk.post("/v1/mailboxes/imap", GIVEN)
    assert (made.json()["provider"], made.json()["status"]) == ("imap", "connected")
    assert desk.post("/v1/mailboxes/poll", who="acme.operator").json() == {"enqueued": True}
    assert desk.post("/v1/mailboxes/poll", who="globex.operator").json() == {"enqueued": False}
    path = f"/v1/mailboxes/{made.json()['id']}"
    assert desk.post("/v1/mailboxes/imap", {**GIVEN, "host": "new.acme.example"}).json()["id"] == made.json()["id"]
    assert_problem(desk.ask("PUT", f"{path}/grant", json={"refresh_token": "t", "client_id": "c"}), 422)
    revoked = desk.post(f"{path}/revoke", {"reason": "she left"}).json()
    assert (revoked["status"], "connect-imap" in revoked["mend"]) == ("revoked", True)
    told = desk.ask("GET", "/v1/mailboxes").text + desk.ask("GET", "/v1/audit").text + made.text
    assert "very secret" not in told


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"security": "plain"}, "security"),
        ({"host": "mail/../x"}, "host"),
        ({"user": "ana\r\nA1 LOGOUT"}, "user"),
        ({"port": 70_000}, "port"),
        ({"address": "nobody"}, "address"),
    ],
)
def test_what_can_be_no_account_is_refused_by_name(desk: Desk, wrong: dict[str, object], field: str) -> None:
    refused = desk.post("/v1/mailboxes/imap", {**GIVEN, **wrong})
    assert_problem(refused, 422)
    assert field in refused.text


def test_another_server_is_read_from_its_beginning_and_another_password_is_not(clone: Database) -> None:
    acme, globex = build.acme(clone), build.globex(clone)
    account = ImapAccount("mail.acme.example", "ana", "one")
    with clone.tenant(acme, actor="test") as tx:
        row = mailboxes.configure_imap(tx, build.VAULT, "ana@acme.example", account)
        mailboxes.advance(tx, row.id, frm=None, to="far")
        again = ImapAccount("mail.acme.example", "ana", "two")
        assert mailboxes.configure_imap(tx, build.VAULT, "ana@acme.example", again).cursor == "far"
        assert mailboxes.account_of(tx, build.VAULT, row.id).password == "two"
        with pytest.raises(mailboxes.NoGrant):
            mailboxes.grant_of(tx, build.VAULT, row.id)
        moved = ImapAccount("new.acme.example", "ana", "two")
        assert mailboxes.configure_imap(tx, build.VAULT, "ana@acme.example", moved).cursor is None
        assert len(mailboxes.listed(tx)) == 1
    with clone.tenant(globex, actor="test") as tx, pytest.raises(mailboxes.UnknownMailbox):
        mailboxes.account_of(tx, build.VAULT, row.id)
