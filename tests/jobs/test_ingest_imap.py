"""Mail of two tenants taken in from one real IMAP server, compared hourly, and read anew where UIDs changed."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import mailboxes, quarantine
from domain.db import Database
from domain.house import House
from domain.imap_accounts import ImapAccount
from jobs import ingest, reconcile_mailbox
from providers.imap import ImapMailbox
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs.letters import letter
from tests.providers.dovecot import PASSWORDS, Dovecot
from tests.providers.strange_imap import HEALTHY, StrangeImap

USERS = dict(zip(("acme", "globex"), PASSWORDS, strict=True))


class Connected:
    """Two tenants, each with its own mailbox on that server."""

    def __init__(self, house: House, hands: houses.TestHands, dovecot: Dovecot, tls: ssl.SSLContext) -> None:
        self.house, self.dovecot = house, dovecot
        self.tenants = {"acme": build.acme(house.database), "globex": build.globex(house.database)}
        for slug, tenant_id in self.tenants.items():
            account = dovecot.account(USERS[slug])
            with house.database.tenant(tenant_id, actor="test") as tx:
                row = mailboxes.configure_imap(tx, house.vault, USERS[slug], account)
                kept = mailboxes.account_of(tx, house.vault, row.id)
            hands.mailboxes[row.id] = ImapMailbox(kept, address=row.address, clock=house.clock, tls=tls)

    def arrives(self, slug: str, number: int, folder: str = "INBOX") -> None:
        """A letter comes in."""
        with self.dovecot.program(USERS[slug]) as client:
            raw = letter(number=number, to=USERS[slug])
            assert client.append(folder, "", '"02-Mar-2026 08:00:00 +0000"', raw)[0] == "OK"

    def run(self, slug: str) -> int:
        """One poll of a tenant; how many messages it took in."""
        return int(ingest.run(self.house, self.tenants[slug])["messages"])

    def value(self, slug: str, sql: str) -> object:
        """One value of a tenant's."""
        with self.house.database.tenant(self.tenants[slug]) as tx:
            return tx.value(sql, t=tx.tenant_id)

    def row(self, slug: str) -> mailboxes.MailboxRow:
        """A tenant's mailbox."""
        with self.house.database.tenant(self.tenants[slug]) as tx:
            (row,) = mailboxes.listed(tx)
        return row


@pytest.fixture
def connected(clone: Database, dovecot: Dovecot, certificate: Path) -> Iterator[Connected]:
    """Both tenants, connected."""
    tls = ssl.create_default_context(cafile=str(certificate))
    hands = houses.TestHands()
    with houses.house(clone, hands=hands) as house:
        yield Connected(house, hands, dovecot, tls)


def test_each_tenant_takes_in_its_own_mail_once(connected: Connected) -> None:
    connected.arrives("acme", 1)
    connected.arrives("acme", 2, "Sent")
    connected.arrives("globex", 3)
    assert [connected.run(slug) for slug in ("acme", "globex", "acme", "globex")] == [2, 1, 0, 0]
    directions = "SELECT string_agg(direction, ' ' ORDER BY direction) FROM gmail_messages WHERE tenant_id = :t"
    assert connected.value("acme", directions) == "in out"
    assert connected.value("globex", directions) == "in"


def test_a_folder_made_anew_costs_a_full_sync_and_doubles_nothing(connected: Connected) -> None:
    with connected.dovecot.program(USERS["acme"]) as client:
        client.create("Orders")
        connected.arrives("acme", 1, "Orders")
        assert connected.run("acme") == 1
        client.delete("Orders")
        client.create("Orders")
    connected.arrives("acme", 1, "Orders")
    connected.arrives("acme", 2, "Orders")
    counts = ingest.run(connected.house, connected.tenants["acme"])
    assert (counts["full_syncs"], counts["messages"]) == (1, 1)
    assert connected.value("acme", "SELECT count(*) FROM gmail_messages WHERE tenant_id = :t") == 2


def test_the_hourly_comparison_fetches_what_was_missed(connected: Connected, clock: HandClock) -> None:
    connected.arrives("acme", 1)
    connected.arrives("acme", 2)
    clock.advance(hours=1)
    assert connected.run("acme") == 2
    with connected.house.database.tenant(connected.tenants["acme"], actor="test") as tx:
        tx.run("DELETE FROM gmail_messages WHERE tenant_id = :t AND rfc_message_id LIKE '%2@%'", t=tx.tenant_id)
    assert connected.run("acme") == 0
    counts = reconcile_mailbox.run(connected.house, connected.tenants["acme"])
    assert (counts["missed"], counts["messages"]) == (1, 1)
    assert reconcile_mailbox.run(connected.house, connected.tenants["acme"])["missed"] == 0


def test_a_server_that_is_gone_leaves_the_mailbox_resting_where_it_stood(connected: Connected) -> None:
    connected.arrives("acme", 1)
    connected.run("acme")
    before = connected.row("acme")
    connected.dovecot.vanish()
    assert connected.run("acme") == 0
    after = connected.row("acme")
    assert (after.status, after.failures, after.cursor) == ("connected", 1, before.cursor)
    assert after.back_off_until is not None


def test_what_a_server_could_not_give_is_taken_in_once_it_can(clone: Database, clock: HandClock) -> None:
    acme, hands = build.acme(clone), houses.TestHands()
    with StrangeImap(HEAD=b"%s NO [SERVERBUG] corrupt\r\n") as server, houses.house(clone, hands=hands) as house:
        account = ImapAccount("127.0.0.1", "ana", "secret", "plain", server.port)
        with clone.tenant(acme, actor="test") as tx:
            row = mailboxes.configure_imap(tx, house.vault, USERS["acme"], account)
        hands.mailboxes[row.id] = ImapMailbox(account, address=row.address, clock=clock)
        assert ingest.run(house, acme)["quarantined"] == 1
        server.answers["HEAD"] = HEALTHY["HEAD"]
        assert ingest.run(house, acme)["messages"] == 1
        with clone.tenant(acme) as tx:
            assert quarantine.waiting(tx, "message", f"{row.id}/") == []
        assert ingest.run(house, acme)["messages"] == 0
