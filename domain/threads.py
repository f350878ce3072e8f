"""Conversations: which messages belong together, whichever mailbox or provider each of them came through."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.db import Row, Tx
from domain.incoming import BY_MACHINES

LONGEST_KEY = 500
"""Longer Message-IDs are known by their hash: an index entry has its limits, and hostile mail knows none."""


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation as it stands."""

    id: UUID
    subject: str
    client_id: UUID | None
    contact_id: UUID | None
    engine: str | None
    last_inbound_at: datetime | None
    last_outbound_at: datetime | None
    person_wrote_at: datetime | None


@dataclass(slots=True)
class News:
    """What a batch of messages brings to one conversation."""

    id: UUID
    subject: str = ""
    client_id: UUID | None = None
    contact_id: UUID | None = None
    inbound_at: datetime | None = None
    person_wrote_at: datetime | None = None
    is_new: bool = False


COLUMNS = ", ".join(Thread.__slots__)


@dataclass(frozen=True, slots=True)
class Opening:
    """The conversation that a mail of ours begins."""

    subject: str = ""
    client_id: UUID | None = None
    contact_id: UUID | None = None
    engine: str | None = None


def open_each(tx: Tx, openings: Sequence[Opening]) -> list[UUID]:
    """Begin conversations, in one statement; their ids in the same order."""
    ids = [tx.clock.uuid() for _ in openings]
    if ids:
        tx.run(
            """INSERT INTO mail_threads (tenant_id, id, subject, client_id, contact_id, engine, created_at)
               SELECT :t, w.*, :now FROM unnest(CAST(:ids AS uuid[]), CAST(:subjects AS text[]),
                   CAST(:clients AS uuid[]), CAST(:contacts AS uuid[]), CAST(:engines AS text[])) AS w""",
            t=tx.tenant_id, now=tx.now, ids=ids, subjects=[each.subject for each in openings],
            clients=[each.client_id for each in openings], contacts=[each.contact_id for each in openings],
            engines=[each.engine for each in openings],
        )  # fmt: skip
    return ids


def get(tx: Tx, thread_id: UUID) -> Thread | None:
    """One conversation of the tenant, or None."""
    row = tx.row(f"SELECT {COLUMNS} FROM mail_threads WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=thread_id)
    return Thread(**{name: row[name] for name in Thread.__slots__}) if row else None


def key(message_id: str) -> str:
    """The name under which a Message-ID is remembered."""
    if len(message_id) <= LONGEST_KEY:
        return message_id
    return f"sha256:{hashlib.sha256(message_id.encode(errors='surrogatepass')).hexdigest()}"


def provider_key(provider: str, mailbox_id: UUID, provider_thread_id: str) -> str:
    """The name under which one mailbox's own idea of a conversation is remembered."""
    return key(f"{provider}:{mailbox_id}:{provider_thread_id}")


def add_keys(tx: Tx, keys: Iterable[tuple[str, UUID]]) -> None:
    """Let answers to a message find its conversation: (key, thread) pairs, the key as `key` or `provider_key` makes it.

    A key that names another conversation stays there.
    """
    fresh = dict(reversed(list(keys)))
    if fresh:
        tx.run(
            """INSERT INTO thread_keys (tenant_id, key, thread_id)
               SELECT :t, k.key, k.thread_id FROM unnest(CAST(:keys AS text[]), CAST(:threads AS uuid[]))
                    AS k (key, thread_id)
               ON CONFLICT DO NOTHING""",
            t=tx.tenant_id, keys=list(fresh), threads=list(fresh.values()),
        )  # fmt: skip


def by_keys(tx: Tx, keys: Iterable[str]) -> Mapping[str, Thread]:
    """The conversation that each key names; unknown ones are left out. One query."""
    asked = list(set(keys))
    if not asked:
        return {}
    rows = tx.rows(
        f"""SELECT k.key, {", ".join(f"h.{name}" for name in Thread.__slots__)}
            FROM thread_keys k JOIN mail_threads h ON h.tenant_id = k.tenant_id AND h.id = k.thread_id
            WHERE k.tenant_id = :t AND k.key = ANY(:keys)""",
        t=tx.tenant_id, keys=asked,
    )  # fmt: skip
    return {row["key"]: Thread(**{name: row[name] for name in Thread.__slots__}) for row in rows}


def said(tx: Tx, thread_ids: Sequence[UUID]) -> Mapping[UUID, list[Row]]:
    """The messages of each thread, ours and theirs, oldest first.

    Held ones never existed for anybody else; what a machine wrote is left out, because nothing may answer it.
    """
    if not thread_ids:
        return {}
    rows = tx.rows(
        """SELECT thread_id, rfc_message_id, subject, at FROM (
               SELECT thread_id, rfc_message_id, mail ->> 'subject' AS subject, reserved_at AS at FROM outbound_messages
               WHERE tenant_id = :t AND thread_id = ANY(:ids) AND state IN ('accepted', 'delivered')
               UNION ALL
               SELECT thread_id, rfc_message_id, subject, received_at FROM gmail_messages
               WHERE tenant_id = :t AND thread_id = ANY(:ids) AND rfc_message_id IS NOT NULL
                 AND class <> ALL(:machines)) AS said
           ORDER BY thread_id, at, rfc_message_id""",
        t=tx.tenant_id, ids=list(thread_ids), machines=sorted(BY_MACHINES),
    )  # fmt: skip
    threads: dict[UUID, list[Row]] = {}
    for row in rows:
        threads.setdefault(row["thread_id"], []).append(row)
    return threads


def take_in(tx: Tx, news: Sequence[News]) -> None:
    """Store what a batch brought: new conversations in one statement, changes of known ones in another."""
    _store(tx, [each for each in news if each.is_new])
    known = [each for each in news if not each.is_new]
    if known:
        tx.run(
            """UPDATE mail_threads h SET client_id = coalesce(h.client_id, n.client_id),
                   contact_id = coalesce(h.contact_id, n.contact_id),
                   last_inbound_at = greatest(h.last_inbound_at, n.inbound_at),
                   person_wrote_at = greatest(h.person_wrote_at, n.person_wrote_at)
               FROM unnest(CAST(:ids AS uuid[]), CAST(:clients AS uuid[]), CAST(:contacts AS uuid[]),
                   CAST(:inbound AS timestamptz[]), CAST(:persons AS timestamptz[]))
                   AS n (id, client_id, contact_id, inbound_at, person_wrote_at)
               WHERE h.tenant_id = :t AND h.id = n.id""",
            t=tx.tenant_id, **_columns(known),
        )  # fmt: skip


def _store(tx: Tx, fresh: Sequence[News]) -> None:
    if fresh:
        tx.run(
            """INSERT INTO mail_threads (tenant_id, id, subject, client_id, contact_id, last_inbound_at,
                   person_wrote_at, created_at)
               SELECT :t, n.id, n.subject, n.client_id, n.contact_id, n.inbound_at, n.person_wrote_at, :now
               FROM unnest(CAST(:ids AS uuid[]), CAST(:subjects AS text[]), CAST(:clients AS uuid[]),
                   CAST(:contacts AS uuid[]), CAST(:inbound AS timestamptz[]), CAST(:persons AS timestamptz[]))
                   AS n (id, subject, client_id, contact_id, inbound_at, person_wrote_at)""",
            t=tx.tenant_id, now=tx.now, subjects=[each.subject for each in fresh], **_columns(fresh),
        )  # fmt: skip


def _columns(news: Sequence[News]) -> dict[str, object]:
    return {
        "ids": [each.id for each in news],
        "clients": [each.client_id for each in news],
        "contacts": [each.contact_id for each in news],
        "inbound": [each.inbound_at for each in news],
        "persons": [each.person_wrote_at for each in news],
    }
