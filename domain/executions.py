"""Execution: a card is locked, reserved for one try, settled by compare-and-set, or set back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import cards
from domain.cards import Card, IllegalMove
from domain.db import Tx


def unsettled(tx: Tx) -> list[Card]:
    """Cards left executing past their deadline, and uncertain ones whose next look is due."""
    rows = tx.rows(
        f"""SELECT {cards.COLUMNS} FROM kanban_cards WHERE tenant_id = :tenant
              AND (state = 'executing' AND executing_until < hourhand.db_now()
                   OR state = 'uncertain' AND resolve_after <= :now) ORDER BY id""",
        tenant=tx.tenant_id, now=tx.now,
    )  # fmt: skip
    return [cards.load(row) for row in rows]


def lock(tx: Tx, card_id: UUID, *, states: Sequence[str]) -> Card | None:
    """The card, locked until this transaction ends, if it is in one of `states`; else None."""
    row = tx.row(
        f"""SELECT {cards.COLUMNS} FROM kanban_cards
            WHERE tenant_id = :t AND id = :id AND state = ANY(:states) FOR UPDATE""",
        t=tx.tenant_id, id=card_id, states=list(states),
    )  # fmt: skip
    return cards.load(row) if row else None


def reserve(
    tx: Tx, card: Card, *, owner: str, fence: int, lease_seconds: float, idempotency_key: str | None
) -> Card:  # fmt: skip
    """Take a card for one execution of at most `lease_seconds`.

    With a key it holds a reservation: from here on it is resolved, never restarted. Raises IllegalMove.
    """
    return cards.move_one(
        tx, card.id, "executing", frm=("queued", "uncertain"), owner=owner, fence=fence, key=idempotency_key,
        lease=timedelta(seconds=lease_seconds),
        extra="owner = :owner, fence = :fence, attempts = attempts + 1, resolve_after = NULL, "
        "executing_until = hourhand.db_now() + CAST(:lease AS interval), "
        "idempotency_key = coalesce(CAST(:key AS text), idempotency_key), "
        "reserved_at = CASE WHEN CAST(:key AS text) IS NULL THEN reserved_at ELSE coalesce(reserved_at, :now) END",
    )  # fmt: skip


def settle(
    tx: Tx, card: Card, to: str, *, reason: str | None = None, rule: str | None = None,
    provider_id: str | None = None, outcome: Mapping[str, Any] | None = None, resolve_after: datetime | None = None,
    not_before: datetime | None = None, released: bool = False,
) -> Card:  # fmt: skip
    """Finish an execution by compare-and-set on its owner and attempt. Raises IllegalMove when somebody else has.

    `released` gives the reservation back: only where the provider certainly did nothing.
    """
    still = tx.value(
        """SELECT 1 FROM kanban_cards WHERE tenant_id = :t AND id = :id AND state = 'executing' AND owner = :owner
           AND attempts = :attempts FOR UPDATE""",
        t=tx.tenant_id, id=card.id, owner=card.owner, attempts=card.attempts,
    )  # fmt: skip
    if still is None:
        raise IllegalMove(f"card {card.id} was settled by somebody else")
    return cards.move_one(
        tx, card.id, to, frm=("executing",), reason=reason, rule=rule, not_before=not_before, provider_id=provider_id,
        outcome=dict(outcome or {}), resolve_after=resolve_after, kept=not released,
        extra="provider_id = coalesce(CAST(:provider_id AS text), provider_id), outcome = outcome || :outcome, "
        "resolve_after = :resolve_after, owner = NULL, executing_until = NULL, "
        "reserved_at = CASE WHEN :kept THEN reserved_at END, "
        "idempotency_key = CASE WHEN :kept THEN idempotency_key END",
    )  # fmt: skip


def look_again(tx: Tx, card_id: UUID, *, why: str, at: datetime | None) -> None:
    """Leave a card uncertain, with what is known of it and when to ask again; None: only a person or a webhook will."""
    tx.run(
        """UPDATE kanban_cards SET reason = :why, resolve_after = :at
           WHERE tenant_id = :t AND id = :id AND state = 'uncertain'""",
        why=why, at=at, t=tx.tenant_id, id=card_id,
    )  # fmt: skip


def set_back(tx: Tx, card: Card, why: str, *, holder: str, fence: int, tries: int = 5) -> None:
    """A card on which the house itself stumbled rests, longer each time; after `tries` it has failed for good."""
    attempts = tx.value(
        """UPDATE kanban_cards SET attempts = attempts + 1 WHERE tenant_id = :t AND id = :id
           AND state IN ('proposed', 'queued', 'deferred') RETURNING attempts""",
        t=tx.tenant_id, id=card.id,
    )  # fmt: skip
    if attempts is None:
        return
    if attempts < tries:
        cards.move(tx, [card.id], "deferred", frm=("proposed", "queued", "deferred"), reason=why, rule="house.error",
             not_before=tx.now + timedelta(minutes=5 * 2**attempts))  # fmt: skip
        return
    cards.move(tx, [card.id], "queued")
    locked = cards.move_one(tx, card.id, "executing", frm=("queued",), owner=holder, fence=fence,
                      extra="owner = :owner, fence = :fence, executing_until = hourhand.db_now()")  # fmt: skip
    settle(tx, locked, "failed", reason=f"given up after {attempts} tries: {why}", rule="house.error")
