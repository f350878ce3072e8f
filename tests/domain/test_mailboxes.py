"""Mailboxes: grants are sealed and rotated, states have a cause and a mend, cursors move by compare-and-set."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain import audit, mailboxes
from domain.db import Database, Tx
from domain.mailboxes import Grant, InvalidMailbox, NoGrant, UnknownMailbox
from domain.vault import SecretUnreadable
from tests import build
from tests.hand_clock import HandClock

GRANT = Grant("refresh-me", "client", "hush")


@pytest.fixture
def acme(clone: Database) -> UUID:
    """A tenant."""
    return build.acme(clone)


def schedule(tx: Tx) -> dict[str, object]:
    row = tx.row("SELECT sync_enabled, gmail_due_at FROM tenant_schedule WHERE tenant_id = :t", t=tx.tenant_id)
    assert row is not None
    return dict(row)


def test_a_mailbox_without_a_grant_says_what_is_missing(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        row = mailboxes.configure_gmail(tx, build.VAULT, "Ana@Acme.example")
        assert (row.status, row.address) == ("not_configured", "ana@acme.example")
        assert "set-token" in row.mend
        assert schedule(tx) == {"sync_enabled": False, "gmail_due_at": None}
        with pytest.raises(NoGrant):
            mailboxes.grant_of(tx, build.VAULT, row.id)


def test_a_grant_is_sealed_and_the_mailbox_polled_at_once(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        row = mailboxes.configure_gmail(tx, build.VAULT, "ana@acme.example", GRANT)
        assert row.status == "connected"
        assert schedule(tx) == {"sync_enabled": True, "gmail_due_at": tx.now}
        assert mailboxes.grant_of(tx, build.VAULT, row.id) == GRANT
        sealed = tx.value("SELECT token_ciphertext FROM mailboxes WHERE tenant_id = :t", t=acme)
        assert b"refresh-me" not in bytes(sealed)
        assert "refresh-me" not in repr(GRANT)
        assert "refresh-me" not in str([line.detail for line in audit.read(tx)])


def test_a_grant_copied_to_another_tenant_does_not_open(clone: Database, acme: UUID) -> None:
    globex = build.globex(clone)
    with clone.tenant(acme, actor="test") as tx:
        row = mailboxes.configure_gmail(tx, build.VAULT, "ana@acme.example", GRANT)
        sealed = tx.row("SELECT token_ciphertext, token_key_id FROM mailboxes WHERE tenant_id = :t", t=acme)
    assert sealed is not None
    with clone.tenant(globex, actor="test") as tx:
        stolen = mailboxes.configure_gmail(tx, build.VAULT, "gus@globex.example")
        tx.run("UPDATE mailboxes SET id = :id, token_ciphertext = :c, token_key_id = :k WHERE tenant_id = :t",
               id=row.id, c=sealed["token_ciphertext"], k=sealed["token_key_id"], t=globex)  # fmt: skip
        assert stolen.status == "not_configured"
        with pytest.raises(SecretUnreadable):
            mailboxes.grant_of(tx, build.VAULT, row.id)


def test_rotating_a_grant_keeps_the_cursor_and_is_in_the_audit_log(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        row = mailboxes.configure_gmail(tx, build.VAULT, "ana@acme.example", GRANT)
        mailboxes.advance(tx, row.id, frm=None, to="42")
        rotated = mailboxes.set_token(tx, build.VAULT, row.id, Grant("another", "client"))
        assert (rotated.id, rotated.cursor) == (row.id, "42")
        assert mailboxes.grant_of(tx, build.VAULT, row.id).refresh_token == "another"
        assert [line.action for line in audit.read(tx)][:2] == ["mailbox.rotate", "mailbox.connect"]


def test_a_revoked_mailbox_forgets_its_grant_and_is_asked_no_more(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        row = mailboxes.configure_gmail(tx, build.VAULT, "ana@acme.example", GRANT)
        gone = mailboxes.revoke(tx, row.id)
        assert (gone.status, gone.status_cause) == ("revoked", "disconnected by a person")
        assert mailboxes.due(tx) == []
        assert schedule(tx) == {"sync_enabled": False, "gmail_due_at": None}
        with pytest.raises(NoGrant):
            mailboxes.grant_of(tx, build.VAULT, row.id)


def test_configuring_twice_is_one_mailbox(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        first = mailboxes.configure_folder(tx, "/mail/takeout", "ana@acme.example")
        assert mailboxes.configure_folder(tx, "/mail/takeout", "ANA@acme.example").id == first.id
        assert len(mailboxes.listed(tx)) == 1


def test_each_failure_makes_the_rest_longer_up_to_an_hour(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme, actor="test") as tx:
        row = mailboxes.configure_gmail(tx, build.VAULT, "ana@acme.example", GRANT)
        rests = []
        for _ in range(9):
            until = mailboxes.failed(tx, mailboxes.get(tx, row.id), "no answer")
            rests.append((until - tx.now).total_seconds())
        assert rests[:3] == [60, 120, 240]
        assert rests[-1] == 3600
        assert mailboxes.due(tx) == []
        asked_for = mailboxes.failed(tx, mailboxes.get(tx, row.id), "quota", rest_seconds=7200)
        assert asked_for == tx.now + timedelta(hours=2)
        mailboxes.succeeded(tx, mailboxes.get(tx, row.id), started_at=tx.now)
        assert [each.failures for each in mailboxes.due(tx)] == [0]


def test_a_cursor_that_somebody_else_moved_is_left_alone(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        row = mailboxes.configure_gmail(tx, build.VAULT, "ana@acme.example", GRANT)
        assert mailboxes.advance(tx, row.id, frm=None, to="9007199254740993")
        assert not mailboxes.advance(tx, row.id, frm=None, to="7")
        assert mailboxes.get(tx, row.id).cursor == "9007199254740993"


@pytest.mark.parametrize(("address", "grant"), [("nobody", GRANT), ("ana@acme.example", Grant(" ", "client"))])
def test_what_is_missing_is_named(clone: Database, acme: UUID, address: str, grant: Grant) -> None:
    with clone.tenant(acme, actor="test") as tx, pytest.raises(InvalidMailbox, match=r"address|refresh_token"):
        mailboxes.configure_gmail(tx, build.VAULT, address, grant)


def test_another_tenants_mailbox_is_unknown(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        row = mailboxes.configure_gmail(tx, build.VAULT, "ana@acme.example", GRANT)
    with clone.tenant(build.globex(clone), actor="test") as tx, pytest.raises(UnknownMailbox):
        mailboxes.get(tx, row.id)
