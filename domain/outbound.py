"""Mail on its way out: the frozen bytes of each card's message and what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain import addresses, rollup
from domain.cards import Card
from domain.db import Row, Tx, json_list
from domain.ports import OutboundMail


def content_hash(mail: OutboundMail) -> bytes:
    """SHA-256 over everything that a recipient or the provider would see."""
    return _hash(_told(mail))


def _hash(told: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).digest()


@dataclass(frozen=True, slots=True)
class Frozen:
    """A card's message as it goes out now, or as it would have gone out."""

    card: Card
    mail: OutboundMail
    mode: str
    thread_id: UUID | None


def record_each(tx: Tx, some: Sequence[Frozen], *, state: Literal["reserved", "held"], provider: str) -> None:
    """Freeze the messages of several cards."""
    tried = tx.now if state == "reserved" else None
    if not some:
        return
    told = [(each, _told(each.mail)) for each in some]
    messages = [
        {"card_id": str(each.card.id), "key": each.mail.idempotency_key, "message_id": each.mail.message_id,
         "mode": each.mode, "thread_id": _id(each.thread_id), "client_id": _id(each.card.client_id),
         "contact_id": _id(each.card.contact_id), "sender": each.mail.sender, "recipients": _recipients(each.mail),
         "mail": mail, "hash": _hash(mail).hex()}
        for each, mail in told
    ]  # fmt: skip
    tx.run(
        """INSERT INTO outbound_messages (tenant_id, card_id, idempotency_key, rfc_message_id, state, mode, provider,
               thread_id, client_id, contact_id, sender, recipients, mail, content_hash, reserved_at, first_try_at,
               last_try_at, tries)
           SELECT :t, m.card_id, m.key, m.message_id, :state, m.mode, :provider, m.thread_id, m.client_id,
               m.contact_id, m.sender, m.recipients, m.mail, decode(m.hash, 'hex'), :now, :tried, :tried, :tries
           FROM jsonb_to_recordset(:messages) AS m (card_id uuid, key text, message_id text, mode text,
               thread_id uuid, client_id uuid, contact_id uuid, sender text, recipients text[], mail jsonb,
               hash text)""",
        t=tx.tenant_id, state=state, provider=provider, now=tx.now, tried=tried, tries=0 if tried is None else 1,
        messages=json_list(messages),
    )  # fmt: skip


def _id(each: UUID | None) -> str | None:
    return None if each is None else str(each)


def _recipients(mail: OutboundMail) -> list[str]:
    return [addresses.normalise(address) for address in (*mail.to, *mail.cc, *mail.bcc)]


def frozen(tx: Tx, card_id: UUID) -> tuple[OutboundMail, Row] | None:
    """A card's message exactly as it was reserved, with its row; None when it has none (any more)."""
    row = tx.row("SELECT * FROM outbound_messages WHERE tenant_id = :t AND card_id = :c", t=tx.tenant_id, c=card_id)
    return (_mail(card_id, row), row) if row and row["recipients"] else None


def lock(tx: Tx, card_ids: Sequence[UUID]) -> None:
    """Hold these messages until the commit, taken in one order, so that two who hold several never wait in a circle."""
    tx.run("SELECT 1 FROM outbound_messages WHERE tenant_id = :t AND card_id = ANY(:ids) ORDER BY card_id FOR UPDATE",
           t=tx.tenant_id, ids=list(card_ids))  # fmt: skip


def threads_of(tx: Tx, card_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The conversation of each card's message, by card; cards without either are left out."""
    if not card_ids:
        return {}
    rows = tx.rows(
        """SELECT card_id, thread_id FROM outbound_messages
           WHERE tenant_id = :t AND card_id = ANY(:ids) AND thread_id IS NOT NULL""",
        t=tx.tenant_id, ids=list(card_ids),
    )  # fmt: skip
    return {row["card_id"]: row["thread_id"] for row in rows}


def tried_again(tx: Tx, card_id: UUID) -> None:
    """Note one more try of the same bytes under the same key."""
    tx.run(
        "UPDATE outbound_messages SET tries = tries + 1, last_try_at = :now WHERE tenant_id = :t AND card_id = :c",
        now=tx.now, t=tx.tenant_id, c=card_id,
    )  # fmt: skip


def accepted(tx: Tx, card_id: UUID, *, provider_id: str | None, at: datetime | None = None) -> None:
    """The provider took one card's message, as `accepted_each` says."""
    accepted_each(tx, {card_id: provider_id}, at=at)


def accepted_each(tx: Tx, provider_ids: Mapping[UUID, str | None], *, at: datetime | None = None) -> None:
    """The provider took them. Later news (delivered, bounced) is not overwritten when it came first."""
    tx.run(
        """WITH taken AS (
               UPDATE outbound_messages o SET provider_id = coalesce(w.provider_id, o.provider_id),
                   accepted_at = coalesce(accepted_at, :at),
                   state = CASE WHEN state IN ('reserved', 'uncertain') THEN 'accepted' ELSE state END
               FROM unnest(CAST(:ids AS uuid[]), CAST(:provider_ids AS text[])) AS w (card_id, provider_id)
               WHERE o.tenant_id = :t AND o.card_id = w.card_id RETURNING o.thread_id)
           UPDATE mail_threads SET last_outbound_at = :now
           WHERE tenant_id = :t AND id IN (SELECT thread_id FROM taken)""",
        ids=list(provider_ids), provider_ids=list(provider_ids.values()), at=at or tx.now, now=tx.now, t=tx.tenant_id,
    )  # fmt: skip


def ended(tx: Tx, card_id: UUID, state: Literal["failed", "uncertain"]) -> None:
    """The provider refused it for good, or nobody knows."""
    tx.run(
        """UPDATE outbound_messages SET state = :state
           WHERE tenant_id = :t AND card_id = :c AND state IN ('reserved', 'uncertain')""",
        state=state, t=tx.tenant_id, c=card_id,
    )  # fmt: skip


def release(tx: Tx, card_id: UUID) -> None:
    """Forget a reservation: the provider certainly did nothing."""
    tx.run("DELETE FROM outbound_messages WHERE tenant_id = :t AND card_id = :c AND state = 'reserved'",
           t=tx.tenant_id, c=card_id)  # fmt: skip


def blank(tx: Tx, contact_id: UUID, mark: str) -> int:
    """Take every word and address out of a contact's messages; that they were sent, and when, stays. How many."""
    nobody: list[str] = []
    told: dict[str, Any] = {"to": nobody, "cc": nobody, "bcc": nobody, "reply_to": None}
    told |= {"subject": mark, "text": mark, "html": None, "headers": {}}
    return tx.run(
        """UPDATE outbound_messages SET mail = mail || :told, recipients = '{}'
           WHERE tenant_id = :t AND contact_id = :contact""",
        told=told, t=tx.tenant_id, contact=contact_id,
    )  # fmt: skip


def failure(tx: Tx, *, provider: str, kind: str, detail: str, card_id: UUID | None) -> None:
    """Note that a provider failed, for alerts and for people."""
    rollup.add(tx, provider_failures=1)
    tx.run(
        """INSERT INTO email_provider_failures (tenant_id, id, provider, kind, detail, card_id, at)
           VALUES (:t, :id, :provider, :kind, :detail, :card, :now)""",
        t=tx.tenant_id, id=tx.clock.uuid(), provider=provider, kind=kind, detail=detail[:500], card=card_id, now=tx.now,
    )  # fmt: skip


def _told(mail: OutboundMail) -> dict[str, Any]:
    return {
        **{name: getattr(mail, name) for name in _CONTENT}, "to": list(mail.to), "cc": list(mail.cc),
        "bcc": list(mail.bcc), "headers": dict(mail.headers), "tags": dict(mail.tags),
    }  # fmt: skip


_CONTENT = tuple(each.name for each in fields(OutboundMail) if each.name not in ("card_id", "idempotency_key"))


def _mail(card_id: UUID, row: Row) -> OutboundMail:
    told = row["mail"]
    return OutboundMail(
        card_id=card_id, idempotency_key=row["idempotency_key"], message_id=told["message_id"], sender=told["sender"],
        to=tuple(told["to"]), cc=tuple(told["cc"]), bcc=tuple(told["bcc"]), subject=told["subject"], text=told["text"],
        html=told["html"], reply_to=told["reply_to"], headers=told["headers"], tags=told["tags"],
    )  # fmt: skip
