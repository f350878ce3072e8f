"""Act: cards whose time has come are judged once more and carried out, one by one, through the one door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from domain import cards
from domain.cards import Card
from domain.db import FenceLost
from jobs import plan
from jobs.execute import execute
from jobs.hour import Cycle

BATCH = 200


def act(cycle: Cycle) -> Counter[str]:
    """Carry out what is due, most urgent first; how many cards came to each end. Raises Stopped."""
    counts: Counter[str] = Counter()
    seen: set[UUID] = set()
    while fresh := _due(cycle, seen):
        seen.update(card.id for card in fresh)
        counts += plan.triage(cycle, [card for card in fresh if card.state != "queued"])
        for card in _queued(cycle, fresh):
            cycle.breathe()
            counts[_carry_out(cycle, card)] += 1
    del counts["allowed"]
    counts["executed"] = counts.pop("done", 0)
    return counts


def _due(cycle: Cycle, seen: set[UUID]) -> list[Card]:
    with cycle.transaction() as tx:
        cycle.working_engines(tx)
        return [card for card in cards.due(tx, limit=BATCH) if card.id not in seen]


def _queued(cycle: Cycle, fresh: Sequence[Card]) -> list[Card]:
    with cycle.transaction() as tx:
        queued = cards.in_state(tx, [card.id for card in fresh], "queued")
    return sorted(queued, key=lambda card: (-card.priority, card.id))


def _carry_out(cycle: Cycle, card: Card) -> str:
    try:
        return execute(cycle.work, card.id)
    except FenceLost:
        raise
    except Exception as error:  # noqa: BLE001 - recorded on the run
        plan.setback(cycle, card, error)
        return "failed"
