"""What is known beforehand about everything that a batch of mail names, in a constant number of queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from domain import addresses, contacts, settings, threads
from domain.contacts import Contact
from domain.db import Row, Tx
from domain.incoming import Incoming
from domain.mailboxes import MailboxRow
from domain.threads import News, Thread


@dataclass(frozen=True, slots=True)
class ByPeople:
    """A mail that a person of the tenant wrote: to which addresses, and to which account."""

    to: frozenset[str]
    client_id: UUID | None


@dataclass(frozen=True, slots=True)
class Known:
    """People, accounts, conversations and mails of ours, by the names under which messages speak of them."""

    cards: Mapping[str, Row]
    """Our own mails, by the Message-IDs that the batch answers, reports on or is."""
    threads: dict[str, Thread | News]
    contacts: Mapping[str, Contact]
    clients: Mapping[str, UUID]
    """Accounts by the domain from which their people write."""
    own_addresses: frozenset[str]
    own_domains: frozenset[str]
    copies: frozenset[tuple[str, str | None]]
    """(Message-ID, writer) of what another mailbox of the tenant has brought already."""
    by_people: dict[str, ByPeople]
    """What the tenant's own people wrote, by the Message-IDs that the batch answers or reports on."""
    heard: Counter[str]
    """How many messages each writer sent within the last hour."""
    fresh_keys: list[tuple[str, UUID]] = field(default_factory=list)
    """The names that the batch adds to conversations."""


def gather(tx: Tx, mailbox: MailboxRow, batch: Sequence[Incoming]) -> Known:
    """Read what linking needs, however large the batch: nine queries."""
    ids = {each for one in batch for each in (*one.answered_ids, one.message_id) if each}
    own = _own_addresses(tx)
    own_domains = frozenset(filter(None, map(addresses.company_domain, own)))
    named = {address for one in batch for address in _named(one)}
    domains = {domain for address in named if (domain := addresses.company_domain(address))} - own_domains
    keys = {threads.key(each) for each in ids} | {provider_key(mailbox, one) for one in batch}
    cards = _own_mails(tx, ids)
    return Known(
        cards=cards,
        threads=dict(threads.by_keys(tx, keys)),
        contacts=contacts.by_addresses(tx, named - own),
        clients=_clients(tx, domains),
        own_addresses=own,
        own_domains=own_domains,
        copies=_copies(tx, mailbox, batch),
        by_people=_by_people(tx, {each for one in batch for each in one.answered_ids} - cards.keys()),
        heard=_heard(tx, {one.from_address for one in batch if one.from_address} - own),
    )


def _own_addresses(tx: Tx) -> frozenset[str]:
    """Everybody who writes for the tenant: its sender, its mailboxes, its users."""
    chosen = settings.readable(tx)
    told = [chosen.sender_address, chosen.reply_to]
    told += [row["address"] or "" for row in tx.rows(
        """SELECT address FROM mailboxes WHERE tenant_id = :t
           UNION SELECT email FROM users WHERE tenant_id = :t""",
        t=tx.tenant_id,
    )]  # fmt: skip
    return frozenset(addresses.known(told))


def _own_mails(tx: Tx, ids: set[str]) -> dict[str, Row]:
    """The mails that really went out, or may have, under both names: ours and the one that the provider gave."""
    if not ids:
        return {}
    rows = tx.rows(
        """SELECT card_id, rfc_message_id, carried_message_id, thread_id, client_id, contact_id, recipients, state,
                  (SELECT k.type FROM kanban_cards k WHERE k.tenant_id = :t AND k.id = card_id) AS card_type,
                  (SELECT c.name FROM contacts c WHERE c.tenant_id = :t AND c.id = contact_id) AS contact_name
           FROM outbound_messages WHERE tenant_id = :t AND state <> 'held'
             AND (rfc_message_id = ANY(:ids) OR carried_message_id = ANY(:ids))""",
        t=tx.tenant_id, ids=list(ids),
    )  # fmt: skip
    return {name: row for row in rows for name in (row["rfc_message_id"], row["carried_message_id"]) if name}


def _clients(tx: Tx, domains: set[str]) -> dict[str, UUID]:
    """Accounts by domain, also by the domain above: people write from mail.example.com, too."""
    asked = {parent for domain in domains for parent in _parents(domain)}
    if not asked:
        return {}
    rows = tx.rows(
        """SELECT DISTINCT ON (domain) domain, id FROM clients WHERE tenant_id = :t AND domain = ANY(:domains)
           ORDER BY domain, id""",
        t=tx.tenant_id, domains=[domain for domain in asked if domain not in addresses.FREE_MAIL],
    )  # fmt: skip
    found = {row["domain"]: row["id"] for row in rows}
    return {domain: found[parent] for domain in domains for parent in _parents(domain)[::-1] if parent in found}


def _parents(domain: str) -> list[str]:
    labels = domain.split(".")
    return [".".join(labels[at:]) for at in range(len(labels) - 1)]


def _copies(tx: Tx, mailbox: MailboxRow, batch: Sequence[Incoming]) -> frozenset[tuple[str, str | None]]:
    rows = tx.rows(
        """SELECT rfc_message_id, from_address FROM gmail_messages
           WHERE tenant_id = :t AND rfc_message_id = ANY(:ids) AND mailbox_id <> :mailbox""",
        t=tx.tenant_id, ids=[one.message_id for one in batch if one.message_id], mailbox=mailbox.id,
    )  # fmt: skip
    return frozenset((row["rfc_message_id"], row["from_address"]) for row in rows)


def _by_people(tx: Tx, ids: set[str]) -> dict[str, ByPeople]:
    if not ids:
        return {}
    rows = tx.rows(
        """SELECT rfc_message_id, recipients, client_id FROM gmail_messages
           WHERE tenant_id = :t AND rfc_message_id = ANY(:ids) AND direction = 'out'""",
        t=tx.tenant_id, ids=list(ids),
    )  # fmt: skip
    return {
        row["rfc_message_id"]: ByPeople(frozenset((*row["recipients"]["to"], *row["recipients"]["cc"])),
                                        row["client_id"])
        for row in rows
    }  # fmt: skip


def _heard(tx: Tx, writers: set[str]) -> Counter[str]:
    rows = tx.rows(
        """SELECT from_address, count(*) AS heard FROM gmail_messages
           WHERE tenant_id = :t AND from_address = ANY(:writers) AND received_at > :since GROUP BY from_address""",
        t=tx.tenant_id, writers=list(writers), since=tx.now - timedelta(hours=1),
    )  # fmt: skip
    return Counter({row["from_address"]: row["heard"] for row in rows})


def _named(one: Incoming) -> set[str]:
    told = {*one.to, *one.cc, *one.reply_to, *(address for _, address in one.people)}
    return told | ({one.from_address} if one.from_address else set())


def provider_key(mailbox: MailboxRow, one: Incoming) -> str:
    """The name of the conversation in which its mailbox keeps a message."""
    return threads.provider_key(mailbox.provider, mailbox.id, one.provider_thread_id)
