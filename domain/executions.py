"""Execution: a card is locked, reserved for one try, settled by compare-and-set, or set back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import cards, quarantine
from domain.cards import Card, IllegalMove, Step
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
    return next(iter(lock_each(tx, [card_id], states=states)), None)


def lock_each(tx: Tx, card_ids: Sequence[UUID], *, states: Sequence[str]) -> list[Card]:
    """Those of the cards that are in one of `states`, in the order asked for, locked until this transaction ends."""
    rows = tx.rows(
        f"""SELECT {cards.COLUMNS} FROM kanban_cards
            WHERE tenant_id = :t AND id = ANY(:ids) AND state = ANY(:states) ORDER BY id FOR UPDATE""",
        t=tx.tenant_id, ids=list(card_ids), states=list(states),
    )  # fmt: skip
    found = {row["id"]: cards.load(row) for row in rows}
    return [found[each] for each in card_ids if each in found]


def reserve(
    tx: Tx, card: Card, *, owner: str, fence: int, lease_seconds: float, idempotency_key: str | None
) -> Card:  # fmt: skip
    """Take one card for one execution, as `reserve_each` does."""
    return reserve_each(tx, {card.id: idempotency_key}, owner=owner, fence=fence, lease_seconds=lease_seconds)[card.id]


def reserve_each(
    tx: Tx, keys: Mapping[UUID, str | None], *, owner: str, fence: int, lease_seconds: float
) -> dict[UUID, Card]:  # fmt: skip
    """Take cards for one execution each, of at most `lease_seconds`; each is given with its idempotency key.

    With a key a card holds a reservation: from here on it is resolved, never restarted. Raises IllegalMove.
    """
    taken = cards.move_each(
        tx, [Step(card_id, mark=key) for card_id, key in keys.items()], "executing", frm=("queued", "uncertain"),
        owner=owner, fence=fence, lease=timedelta(seconds=lease_seconds),
        extra="owner = :owner, fence = :fence, attempts = attempts + 1, resolve_after = NULL, "
        "executing_until = hourhand.db_now() + CAST(:lease AS interval), "
        "idempotency_key = coalesce(w.mark, idempotency_key), "
        "reserved_at = CASE WHEN w.mark IS NULL THEN reserved_at ELSE coalesce(reserved_at, :now) END",
    )  # fmt: skip
    if len(taken) < len(keys):
        raise IllegalMove(f"{len(keys) - len(taken)} of {len(keys)} cards can't be taken for execution")
    return {card.id: card for card in taken}


def settle(
    tx: Tx, card: Card, to: str, *, reason: str | None = None, rule: str | None = None,
    provider_id: str | None = None, outcome: Mapping[str, Any] | None = None, resolve_after: datetime | None = None,
    not_before: datetime | None = None, released: bool = False,
) -> Card:  # fmt: skip
    """Finish an execution by compare-and-set on its owner and attempt. Raises IllegalMove when somebody else has.

    `released` gives the reservation back: only where the provider certainly did nothing.
    """
    if not _still_ours(tx, [card]):
        raise IllegalMove(f"card {card.id} was settled by somebody else")
    return cards.move_one(
        tx, card.id, to, frm=("executing",), reason=reason, rule=rule, not_before=not_before, provider_id=provider_id,
        outcome=dict(outcome or {}), resolve_after=resolve_after, kept=not released,
        extra="provider_id = coalesce(CAST(:provider_id AS text), provider_id), outcome = outcome || :outcome, "
        "resolve_after = :resolve_after, owner = NULL, executing_until = NULL, "
        "reserved_at = CASE WHEN :kept THEN reserved_at END, "
        "idempotency_key = CASE WHEN :kept THEN idempotency_key END",
    )  # fmt: skip


def finish_each(tx: Tx, done: Sequence[tuple[Card, str | None]], *, outcome: Mapping[str, Any]) -> list[Card]:
    """Settle executions that succeeded, each with the provider's id for it; those that nobody else has settled."""
    ours = _still_ours(tx, [card for card, _ in done])
    return cards.move_each(
        tx, [Step(card.id, mark=provider_id) for card, provider_id in done if card.id in ours], "done",
        frm=("executing",), outcome=dict(outcome),
        extra="provider_id = coalesce(w.mark, provider_id), outcome = outcome || :outcome, resolve_after = NULL, "
        "owner = NULL, executing_until = NULL",
    )  # fmt: skip


def _still_ours(tx: Tx, claimed: Sequence[Card]) -> set[UUID]:
    """Which of the cards still stand as they were claimed; locked, so that this stays so."""
    rows = tx.rows(
        """SELECT c.id FROM kanban_cards c
           JOIN unnest(CAST(:ids AS uuid[]), CAST(:owners AS text[]), CAST(:attempts AS int[]))
                AS w (id, owner, attempts) ON w.id = c.id AND w.owner = c.owner AND w.attempts = c.attempts
           WHERE c.tenant_id = :t AND c.state = 'executing' ORDER BY c.id FOR UPDATE OF c""",
        t=tx.tenant_id, ids=[card.id for card in claimed], owners=[card.owner for card in claimed],
        attempts=[card.attempts for card in claimed],
    )  # fmt: skip
    return {row["id"] for row in rows}


def look_again(tx: Tx, card_id: UUID, *, why: str, at: datetime | None) -> None:
    """Leave a card uncertain, with what is known of it and when to ask again; None: only a person or a webhook will."""
    tx.run(
        """UPDATE kanban_cards SET reason = :why, resolve_after = :at
           WHERE tenant_id = :t AND id = :id AND state = 'uncertain'""",
        why=why, at=at, t=tx.tenant_id, id=card_id,
    )  # fmt: skip


STUMBLED = "house.error"
"""What a card rests or fails by on which the house itself stumbled."""


def set_back(tx: Tx, card: Card, why: str, *, holder: str, fence: int) -> None:
    """A card on which the house itself stumbled rests, longer each time; after five tries it has failed for good."""
    attempts = tx.value(
        """UPDATE kanban_cards SET attempts = attempts + 1 WHERE tenant_id = :t AND id = :id
           AND state IN ('proposed', 'queued', 'deferred') RETURNING attempts""",
        t=tx.tenant_id, id=card.id,
    )  # fmt: skip
    if attempts is None:
        return
    if attempts < quarantine.TRIES:
        cards.move(tx, [card.id], "deferred", frm=("proposed", "queued", "deferred"), reason=why, rule=STUMBLED,
             not_before=tx.now + timedelta(minutes=5 * 2**attempts))  # fmt: skip
        return
    cards.move(tx, [card.id], "queued")
    locked = cards.move_one(tx, card.id, "executing", frm=("queued",), owner=holder, fence=fence,
                      extra="owner = :owner, fence = :fence, executing_until = hourhand.db_now()")  # fmt: skip
    settle(tx, locked, "failed", reason=f"given up after {attempts} tries: {why}", rule=STUMBLED)
