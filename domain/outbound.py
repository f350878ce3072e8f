"""Mail on its way out: the frozen bytes of each card's message and what became of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain import addresses
from domain.cards import Card
from domain.db import Row, Tx
from domain.ports import OutboundMail


def content_hash(mail: OutboundMail) -> bytes:
    """SHA-256 over everything that a recipient or the provider would see."""
    return hashlib.sha256(json.dumps(_told(mail), sort_keys=True, ensure_ascii=False).encode()).digest()


def record(
    tx: Tx, card: Card, mail: OutboundMail, *, state: Literal["reserved", "held"], mode: str, provider: str,
    thread_id: UUID | None,
) -> None:  # fmt: skip
    """Freeze a card's message, as it goes out now or as it would have gone out."""
    recipients = [addresses.normalise(address) for address in (*mail.to, *mail.cc, *mail.bcc)]
    tx.run(
        """INSERT INTO outbound_messages (tenant_id, card_id, idempotency_key, rfc_message_id, state, mode, provider,
               thread_id, client_id, contact_id, sender, recipients, mail, content_hash, reserved_at, first_try_at,
               last_try_at, tries)
           VALUES (:t, :card, :key, :message_id, :state, :mode, :provider, :thread, :client, :contact, :sender,
               :recipients, :mail, :hash, :now, :tried, :tried, :tries)""",
        t=tx.tenant_id, card=card.id, key=mail.idempotency_key, message_id=mail.message_id, state=state, mode=mode,
        provider=provider, thread=thread_id, client=card.client_id, contact=card.contact_id, sender=mail.sender,
        recipients=recipients, mail=_told(mail), hash=content_hash(mail), now=tx.now,
        tried=tx.now if state == "reserved" else None, tries=1 if state == "reserved" else 0,
    )  # fmt: skip


def frozen(tx: Tx, card_id: UUID) -> tuple[OutboundMail, Row] | None:
    """A card's message exactly as it was reserved, with its row; None when it has none."""
    row = tx.row("SELECT * FROM outbound_messages WHERE tenant_id = :t AND card_id = :c", t=tx.tenant_id, c=card_id)
    return (_mail(card_id, row), row) if row else None


def tried_again(tx: Tx, card_id: UUID) -> None:
    """Note one more try of the same bytes under the same key."""
    tx.run(
        "UPDATE outbound_messages SET tries = tries + 1, last_try_at = :now WHERE tenant_id = :t AND card_id = :c",
        now=tx.now, t=tx.tenant_id, c=card_id,
    )  # fmt: skip


def accepted(tx: Tx, card_id: UUID, *, provider_id: str | None, at: datetime | None = None) -> None:
    """The provider took it. Later news (delivered, bounced) is not overwritten when it came first."""
    tx.run(
        """UPDATE outbound_messages SET provider_id = coalesce(CAST(:provider_id AS text), provider_id),
                  accepted_at = coalesce(accepted_at, :at),
                  state = CASE WHEN state IN ('reserved', 'uncertain') THEN 'accepted' ELSE state END
           WHERE tenant_id = :t AND card_id = :c""",
        provider_id=provider_id, at=at or tx.now, t=tx.tenant_id, c=card_id,
    )  # fmt: skip
    tx.run(
        """UPDATE mail_threads h SET last_outbound_at = :now FROM outbound_messages o
           WHERE o.tenant_id = :t AND o.card_id = :c AND h.tenant_id = :t AND h.id = o.thread_id""",
        now=tx.now, t=tx.tenant_id, c=card_id,
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


def failure(tx: Tx, *, provider: str, kind: str, detail: str, card_id: UUID | None) -> None:
    """Note that a provider failed, for alerts and for people."""
    tx.run(
        """INSERT INTO email_provider_failures (tenant_id, id, provider, kind, detail, card_id, at)
           VALUES (:t, :id, :provider, :kind, :detail, :card, :now)""",
        t=tx.tenant_id, id=tx.clock.uuid(), provider=provider, kind=kind, detail=detail[:500], card=card_id, now=tx.now,
    )  # fmt: skip


def _told(mail: OutboundMail) -> dict[str, Any]:
    told = asdict(mail)
    del told["card_id"], told["idempotency_key"]
    return {
        **told, "to": list(mail.to), "cc": list(mail.cc), "bcc": list(mail.bcc),
        "headers": dict(mail.headers), "tags": dict(mail.tags),
    }  # fmt: skip


def _mail(card_id: UUID, row: Row) -> OutboundMail:
    told = row["mail"]
    return OutboundMail(
        card_id=card_id, idempotency_key=row["idempotency_key"], message_id=told["message_id"], sender=told["sender"],
        to=tuple(told["to"]), cc=tuple(told["cc"]), bcc=tuple(told["bcc"]), subject=told["subject"], text=told["text"],
        html=told["html"], reply_to=told["reply_to"], headers=told["headers"], tags=told["tags"],
    )  # fmt: skip
