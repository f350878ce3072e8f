"""The inbox: messages taken in with their bytes, files, conversations and links, once however often they come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import blobs, clocks, contacts, events, known, links, mailboxes, quarantine, settings, storable, threads
from domain.db import Row, Tx
from domain.incoming import BY_MACHINES, FLAGS_OF_MACHINES, Incoming
from domain.links import Linked
from domain.mailboxes import MailboxRow
from domain.vault import Vault
from domain.vouching import Word

DISCOVERED = "discovered"
"""Why the clock of somebody whom only the mail made known stands still: nobody decided yet to write to them."""


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message, without its bytes."""

    id: UUID
    mailbox_id: UUID
    gmail_message_id: str
    thread_id: UUID | None
    rfc_message_id: str | None
    in_reply_to: str | None
    direction: str
    labels: Sequence[str]
    from_address: str | None
    from_name: str | None
    recipients: dict[str, Any]
    subject: str | None
    snippet: str | None
    sent_at: datetime | None
    received_at: datetime
    cls: str
    flags: Sequence[str]
    reading: dict[str, Any]
    client_id: UUID | None
    contact_id: UUID | None
    word_of: Word | None
    reply_to_card_id: UUID | None
    links: Sequence[dict[str, str]]
    raw_size: int
    quarantined: str | None
    stored_at: datetime

    @property
    def by_person(self) -> bool:
        """Somebody wrote it, and no machine."""
        return self.cls not in BY_MACHINES and FLAGS_OF_MACHINES.isdisjoint(self.flags)


_FIELDS = tuple(name for name in Message.__slots__ if name != "cls")
COLUMNS = ", ".join((*_FIELDS, "class AS cls"))

_STORED = (
    "id uuid, gmail_message_id text, thread_id uuid, rfc_message_id text, in_reply_to text, direction text, "
    "labels text[], from_address text, from_name text, recipients jsonb, subject text, snippet text, "
    "sent_at timestamptz, received_at timestamptz, class text, flags text[], reading jsonb, client_id uuid, "
    "contact_id uuid, word_of text, reply_to_card_id uuid, links jsonb, raw_size bigint, quarantined text"
)
_NAMES = ", ".join(column.strip().split(" ")[0] for column in _STORED.split(","))


def receive(tx: Tx, vault: Vault, mailbox_id: UUID, batch: Sequence[Incoming]) -> list[Linked]:
    """Take in a batch: blobs, messages, files, conversations and links; what was new, oldest first.

    Other readers of the mailbox wait until this transaction ends, so that no message is ever new twice.
    """
    mailbox = mailboxes.hold(tx, mailbox_id)
    stored = stored_ids(tx, mailbox_id, [one.provider_message_id for one in batch])
    fresh = {one.provider_message_id: one for one in batch if one.provider_message_id not in stored}
    if not fresh:
        return []
    in_order = sorted(fresh.values(), key=lambda one: (one.received_at, one.provider_message_id))
    beforehand = known.gather(tx, mailbox, in_order)
    ceiling = settings.readable(tx).sender_ceiling_per_hour
    linked = [links.link(tx, mailbox, beforehand, one, ceiling=ceiling) for one in in_order]
    _discover(tx, vault, linked)
    threads.take_in(tx, list({each.thread.id: each.thread for each in linked}.values()))
    threads.add_keys(tx, beforehand.fresh_keys)
    _adopt(tx, linked)
    kept = _store(tx, mailbox, linked)
    taken = [each for each in linked if each.id in kept]
    quarantine.taken_in(tx, "message", [source(mailbox_id, each.incoming.provider_message_id) for each in taken])
    return taken


def stored_ids(tx: Tx, mailbox_id: UUID, asked: Sequence[str] | None = None) -> frozenset[str]:
    """Which provider ids of a mailbox are stored; of `asked`, or all of them."""
    rows = tx.rows(
        """SELECT gmail_message_id FROM gmail_messages WHERE tenant_id = :t AND mailbox_id = :mailbox
           AND (CAST(:asked AS text[]) IS NULL OR gmail_message_id = ANY(:asked))""",
        t=tx.tenant_id, mailbox=mailbox_id, asked=list(asked) if asked is not None else None,
    )  # fmt: skip
    return frozenset(row["gmail_message_id"] for row in rows)


def source(mailbox_id: UUID, provider_message_id: str) -> str:
    """What names a message in quarantine."""
    return f"{mailbox_id}/{provider_message_id}"


def get(tx: Tx, message_id: UUID) -> Message | None:
    """One message, or None."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM gmail_messages WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=message_id
    )
    return _load(row) if row else None


def several(tx: Tx, message_ids: Sequence[UUID]) -> list[Message]:
    """Some messages, oldest first."""
    rows = tx.rows(
        f"SELECT {COLUMNS} FROM gmail_messages WHERE tenant_id = :t AND id = ANY(:ids) ORDER BY received_at, id",
        t=tx.tenant_id, ids=list(message_ids),
    )  # fmt: skip
    return [_load(row) for row in rows]


def reread(tx: Tx, message_id: UUID, *, cls: str, flags: Sequence[str], model: dict[str, Any]) -> None:
    """Keep what a model read of a message beside what rules did, and the class and flags that follow from both."""
    changed = tx.run(
        """UPDATE gmail_messages SET class = :class, flags = :flags,
                  reading = reading || jsonb_build_object('model', CAST(:model AS jsonb))
           WHERE tenant_id = :t AND id = :id AND reading -> 'model' IS NULL""",
        flags=list(flags), model=storable.value(model), t=tx.tenant_id, id=message_id, **{"class": cls},
    )  # fmt: skip
    if changed:
        events.record(tx, "mail.reread", "message", message_id, read_as=cls)


def listed(
    tx: Tx, *, thread_id: UUID | None = None, contact_id: UUID | None = None,
    before: tuple[datetime, UUID] | None = None, limit: int = 100,
) -> Sequence[Message]:  # fmt: skip
    """The tenant's messages, newest first, those behind `before` (received_at, id); of one conversation or contact."""
    at, tie = before or (None, None)
    wanted: dict[str, Any] = {"thread_id = :thread_id": thread_id, "contact_id = :contact_id": contact_id}
    wanted |= {"(received_at, id) < (:at, :tie)": before}
    narrowed = "".join(f" AND {condition}" for condition, value in wanted.items() if value is not None)
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM gmail_messages WHERE tenant_id = :t{narrowed}
            ORDER BY received_at DESC, id DESC LIMIT :limit""",
        t=tx.tenant_id, limit=limit, thread_id=thread_id, contact_id=contact_id, at=at, tie=tie,
    )  # fmt: skip
    return [_load(row) for row in rows]


def raw(tx: Tx, message_id: UUID) -> bytes | None:
    """The exact bytes of a message, or None."""
    digest = tx.value(
        "SELECT raw_sha256 FROM gmail_messages WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=message_id
    )
    return blobs.get(tx, bytes(digest)) if digest is not None else None


def _discover(tx: Tx, vault: Vault, linked: Sequence[Linked]) -> None:
    """Unknown people at known accounts become contacts; their clocks stand still until somebody decides otherwise."""
    made: dict[str, UUID] = {}
    born: list[UUID] = []
    for each in linked:
        for name, address, client_id in each.strangers:
            if address not in made:
                try:
                    found = contacts.upsert(tx, vault, client_id=client_id, email=address, name=name or None,
                                            source="mail", confidence=0.7, message_id=each.id)  # fmt: skip
                except contacts.InvalidContact:
                    # nobody can be written to there, so there is nobody to know
                    continue
                made[address] = found.id
                born += [found.id] if found.created else []
        writer = made.get(each.incoming.from_address or "")
        if writer is not None and each.direction == "in" and each.contact_id is None:
            each.contact_id = writer
            each.thread.contact_id = each.thread.contact_id or writer
            each.because("contact", writer, "an unknown address at a known account: a colleague or an alias")
    clocks.exempt(tx, born, DISCOVERED)


def _adopt(tx: Tx, linked: Sequence[Linked]) -> None:
    """Our mails that had no conversation yet belong to the one that their first answer began."""
    orphans = {row["card_id"]: each.thread.id for each in linked for row in each.tied.values() if not row["thread_id"]}
    if orphans:
        tx.run(
            """UPDATE outbound_messages o SET thread_id = a.thread_id
               FROM unnest(CAST(:cards AS uuid[]), CAST(:threads AS uuid[])) AS a (card_id, thread_id)
               WHERE o.tenant_id = :t AND o.card_id = a.card_id AND o.thread_id IS NULL""",
            t=tx.tenant_id, cards=list(orphans), threads=list(orphans.values()),
        )  # fmt: skip


def _store(tx: Tx, mailbox: MailboxRow, linked: Sequence[Linked]) -> frozenset[UUID]:
    """Write the rows of a batch, one statement for each table; the ids of the messages that were new."""
    contents = [each.incoming.raw for each in linked]
    files = [(each, at, file) for each in linked for at, file in enumerate(each.incoming.attachments)]
    digests = blobs.put_all(tx, [*contents, *(file.content for _, _, file in files)])
    rows = [_row(each) for each in linked]
    kept = tx.rows(
        f"""INSERT INTO gmail_messages (tenant_id, mailbox_id, stored_at, {_NAMES}, raw_sha256)
            SELECT :t, :mailbox, :now, {", ".join(f"m.{name.strip()}" for name in _NAMES.split(","))}, d.digest
            FROM ROWS FROM (jsonb_to_recordset(CAST(:rows AS jsonb)) AS ({_STORED}),
                            unnest(CAST(:digests AS bytea[]))) AS m ({_NAMES}, digest), LATERAL (SELECT m.digest) AS d
            ON CONFLICT DO NOTHING RETURNING id""",
        t=tx.tenant_id, mailbox=mailbox.id, now=tx.now, rows=json.dumps(rows), digests=digests[: len(rows)],
    )  # fmt: skip
    ids = frozenset(row["id"] for row in kept)
    told = [(*file, digest) for file, digest in zip(files, digests[len(rows) :], strict=True)]
    attached = [line for line in told if line[0].id in ids]
    if attached:
        tx.run(
            """INSERT INTO attachments (tenant_id, id, message_id, position, filename, content_type, size, sha256)
               SELECT :t, a.* FROM unnest(CAST(:ids AS uuid[]), CAST(:messages AS uuid[]), CAST(:positions AS int[]),
                   CAST(:names AS text[]), CAST(:types AS text[]), CAST(:sizes AS bigint[]), CAST(:digests AS bytea[]))
                   AS a""",
            t=tx.tenant_id, ids=[tx.clock.uuid() for _ in attached], messages=[each.id for each, _, _, _ in attached],
            positions=[at for _, at, _, _ in attached], names=[file.filename for _, _, file, _ in attached],
            types=[file.content_type for _, _, file, _ in attached],
            sizes=[len(file.content) for _, _, file, _ in attached], digests=[digest for _, _, _, digest in attached],
        )  # fmt: skip
    return ids


def _row(each: Linked) -> dict[str, Any]:
    one = each.incoming
    return {
        "id": str(each.id), "gmail_message_id": one.provider_message_id, "thread_id": str(each.thread.id),
        "rfc_message_id": one.message_id, "in_reply_to": one.in_reply_to, "direction": each.direction,
        "labels": list(one.labels), "from_address": one.from_address, "from_name": one.from_name or None,
        "recipients": {"to": one.to, "cc": one.cc}, "subject": one.subject, "snippet": one.snippet,
        "sent_at": one.sent_at.isoformat() if one.sent_at else None, "received_at": one.received_at.isoformat(),
        "class": each.cls, "flags": sorted(each.flags), "reading": dict(one.reading),
        "client_id": str(each.client_id) if each.client_id else None,
        "contact_id": str(each.contact_id) if each.contact_id else None,
        "word_of": each.word_of if each.direction == "in" else None,
        "reply_to_card_id": str(each.card["card_id"]) if each.card and each.direction == "in" else None,
        "links": each.reasons, "raw_size": len(one.raw), "quarantined": one.quarantined,
    }  # fmt: skip


def _load(row: Row) -> Message:
    return Message(**{name: row[name] for name in Message.__slots__})
