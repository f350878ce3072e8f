"""Approval: a card waits for a person, is shown, edited, approved, refused or put off; bound to what was seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import cards, schedule
from domain.cards import Card, IllegalMove
from domain.db import Tx


def wait_for_approval(tx: Tx, card_id: UUID, *, seen: bytes, rule: str, reason: str, expires_at: datetime) -> Card:
    """Put a card before a person; the approval will count only for content whose hash is `seen`."""
    return cards.move_one(
        tx, card_id, "awaiting_approval", rule=rule, reason=reason, seen=seen, expires=expires_at,
        extra="approval_hash = :seen, approval_expires_at = :expires, approved_by = NULL, approved_at = NULL",
    )  # fmt: skip


def allow_until(tx: Tx, card_id: UUID, moment: datetime) -> None:
    """Let a card's latest time be no earlier than `moment`."""
    tx.run("UPDATE kanban_cards SET latest_at = greatest(latest_at, :moment) WHERE tenant_id = :t AND id = :id",
           moment=moment, t=tx.tenant_id, id=card_id)  # fmt: skip


def show_again(tx: Tx, card_id: UUID, *, seen: bytes) -> None:
    """Bind a waiting card's approval to what it says now."""
    tx.run(
        """UPDATE kanban_cards SET approval_hash = :seen
           WHERE tenant_id = :t AND id = :id AND state = 'awaiting_approval'""",
        seen=seen, t=tx.tenant_id, id=card_id,
    )  # fmt: skip


def approve(tx: Tx, card_id: UUID, *, by: str) -> Card:
    """Approve what is shown on the card; it goes out at the next cycle if it is still the same then."""
    card = cards.move_one(tx, card_id, "queued", frm=("awaiting_approval",), by=by,
                    extra="approved_by = :by, approved_at = :now")  # fmt: skip
    schedule.bring_forward(tx, tx.now, extra=True)
    return card


def reject(tx: Tx, card_id: UUID, *, by: str, reason: str) -> Card:
    """Refuse a card; its intention is not proposed again for a day."""
    return cards.move_one(
        tx, card_id, "rejected", frm=("awaiting_approval",), reason=f"{by}: {reason}", rule="approval"
    )


def snooze(tx: Tx, card_id: UUID, *, until: datetime) -> Card:
    """Leave a card waiting for approval, unseen before `until`. Raises IllegalMove."""
    row = tx.row(
        f"""UPDATE kanban_cards SET not_before = :until, latest_at = greatest(latest_at, :until + interval '24 hours'),
                  approval_expires_at = greatest(approval_expires_at, :until + interval '24 hours')
           WHERE tenant_id = :t AND id = :id AND state = 'awaiting_approval' RETURNING {cards.COLUMNS}""",
        until=until, t=tx.tenant_id, id=card_id,
    )  # fmt: skip
    if row is None:
        raise IllegalMove(f"card {card_id} is not waiting for approval")
    return cards.load(row)


def edit(tx: Tx, card_id: UUID, *, payload: Mapping[str, Any]) -> None:
    """Change what a waiting card would say; any approval it had is void. Raises IllegalMove."""
    touched = tx.run(
        """UPDATE kanban_cards SET payload = payload || :payload, approval_hash = NULL, approved_by = NULL,
                  approved_at = NULL
           WHERE tenant_id = :t AND id = :id AND state IN ('proposed', 'queued', 'deferred', 'awaiting_approval')""",
        payload=dict(payload), t=tx.tenant_id, id=card_id,
    )  # fmt: skip
    if not touched:
        raise IllegalMove(f"card {card_id} can no longer be edited")
