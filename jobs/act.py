"""Act: cards whose time has come are judged once more and carried out, a few at a time, through the one door."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from domain import cards, schedule, settings
from domain.cards import Card
from domain.db import FenceLost
from domain.switches import OUTWARD
from jobs import plan
from jobs.execute import execute
from jobs.hour import Cycle

BATCH = 200
AT_ONCE = 32
"""How many mails are on their way at once: a stop waits for the slowest of them, and no longer."""
FLIP = timedelta(minutes=1)
"""How long a switch may take to be flipped."""


def act(cycle: Cycle) -> Counter[str]:
    """Carry out what is due, most urgent first; how many cards came to each end. Raises Stopped."""
    counts: Counter[str] = Counter()
    if cycle.outstanding is not None and "actions" not in cycle.outstanding:
        return counts
    cycle.outstanding = None
    seen: set[UUID] = set()
    while True:
        fresh, per_second = _due(cycle, seen)
        if not fresh:
            break
        seen.update(card.id for card in fresh)
        counts += plan.triage(cycle, [card for card in fresh if card.state != "queued"])
        counts += _carry_out_all(cycle, _queued(cycle, fresh), per_second)
    if counts["queued"]:
        # a switch was being flipped at that moment: they need not wait an hour for it
        with cycle.transaction() as tx:
            schedule.bring_forward(tx, tx.now + FLIP, extra=True)
    del counts["allowed"]
    counts["executed"] = counts.pop("done", 0)
    return counts


def side_by_side(some: Sequence[Card], most: int) -> Iterator[list[Card]]:
    """Batches of at most `most` mails, most urgent first; of mails about one account each batch has the first alone.

    A mail is judged by what the account heard before, so none may go out beside another. Other actions go one by one.
    """
    waiting = list(some)
    while waiting:
        batch, heard, left = [waiting[0]], _whom(waiting[0]), list[Card]()
        for card in waiting[1:]:
            fits = len(batch) < most and card.type in OUTWARD and batch[0].type in OUTWARD
            (batch if fits and not _whom(card) & heard else left).append(card)
            heard |= _whom(card)
        yield batch
        waiting = left


def _whom(card: Card) -> set[UUID]:
    """The account and the person that hear a card's mail."""
    return {each for each in (card.client_id, card.contact_id) if each is not None} or {card.id}


def _due(cycle: Cycle, seen: set[UUID]) -> tuple[list[Card], float]:
    """What is due and was not seen before, and how many mails a second the tenant's provider takes."""
    with cycle.transaction() as tx:
        cycle.working_engines(tx)
        fresh = [card for card in cards.due(tx, limit=BATCH) if card.id not in seen]
        return fresh, settings.of(tx).sends_per_second if fresh else 0.0


def _queued(cycle: Cycle, fresh: Sequence[Card]) -> list[Card]:
    with cycle.transaction() as tx:
        queued = cards.in_state(tx, [card.id for card in fresh], "queued")
    return sorted((card for card in fresh if card.id in queued), key=lambda card: (-card.priority, card.id))


def _carry_out_all(cycle: Cycle, queued: Sequence[Card], per_second: float) -> Counter[str]:
    counts: Counter[str] = Counter()
    clock = cycle.house.clock
    next_at = clock.monotonic()
    for batch in side_by_side(queued, min(AT_ONCE, max(1, int(per_second)))):
        # at the provider's own pace, and outside of the gate: nobody waits for us meanwhile
        if (early := next_at - clock.monotonic()) > 0:
            clock.wait(early, cycle.house.leaving)
        cycle.breathe()
        next_at = clock.monotonic() + len(batch) / per_second
        counts += _carry_out(cycle, batch)
    return counts


def _carry_out(cycle: Cycle, batch: Sequence[Card]) -> Counter[str]:
    """Execute a batch; one on which the house stumbles is taken card by card, so that one card stops no other."""
    try:
        return Counter(execute(cycle.work, [card.id for card in batch]).values())
    except FenceLost:
        raise
    except Exception as error:  # noqa: BLE001 - recorded on the run
        if len(batch) > 1:
            cycle.note("act", error)
            counts: Counter[str] = Counter()
            for card in batch:
                cycle.breathe()
                counts += _carry_out(cycle, [card])
            return counts
        with cycle.transaction() as tx:
            plan.setback(cycle, tx, batch[0], error)
        return Counter(["failed"])
