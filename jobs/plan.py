"""Plan: every engine says what is due and what it would do; what the rules allow becomes queued cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from domain import cards, executions, ledger, settings
from domain.cards import Card, Proposal
from domain.db import FenceLost
from engines.contract import Engine, Plan
from jobs import judge
from jobs.hour import Cycle, Stopped

BATCH = 200
"""How many cards are judged in one transaction."""


def plan(cycle: Cycle) -> Counter[str]:
    """Gather, propose and judge; how many cards of each kind."""
    counts: Counter[str] = Counter()
    with cycle.transaction() as tx:
        engines = cycle.working_engines(tx)
    plans = [each for engine in engines if (each := _ask(cycle, engine)) is not None]
    proposals = [proposal for each in plans for proposal in each.proposals]
    new = propose(cycle, proposals)
    with cycle.transaction() as tx:
        counts["obligations"] = ledger.open_lines(
            tx, cycle.run.id, [_line(due) for each in plans for due in each.obligations]
        )
    cycle.house.fault("plan.accounted")
    counts["planned"] = len(new)
    counts += triage(cycle, new)
    return counts


def propose(cycle: Cycle, proposals: Sequence[Proposal]) -> list[Card]:
    """Make cards of proposals, in batches; the new ones, most urgent first."""
    new: list[Card] = []
    ranked = sorted(proposals, key=lambda proposal: -proposal.priority)
    for start in range(0, len(ranked), BATCH):
        new += _made(cycle, ranked[start : start + BATCH])
        cycle.house.fault("plan.proposed")
    return sorted(new, key=lambda card: (-card.priority, card.id))


def _made(cycle: Cycle, batch: Sequence[Proposal]) -> list[Card]:
    """The new cards of a batch; one that fails is made proposal by proposal, so that one stops no other."""
    try:
        with cycle.transaction() as tx:
            return cards.propose(tx, batch, reconsider_hours=settings.of(tx).reconsider_hours)
    except FenceLost:
        raise
    except Exception as error:  # noqa: BLE001 - recorded on the run
        if len(batch) > 1:
            return [card for each in batch for card in _made(cycle, [each])]
        cycle.note(f"propose {batch[0].dedupe_key}", error)
        return []


def triage(cycle: Cycle, some: Sequence[Card]) -> Counter[str]:
    """Judge cards in batches; a batch that fails is judged card by card, so that one card stops no other."""
    counts: Counter[str] = Counter()
    for start in range(0, len(some), BATCH):
        cycle.breathe()
        batch = some[start : start + BATCH]
        try:
            counts += _triage(cycle, batch)
        except (FenceLost, Stopped):
            raise
        except Exception as error:  # noqa: BLE001 - recorded on the run
            if len(batch) == 1:
                setback(cycle, batch[0], error)
                counts["failed"] += 1
            else:
                for card in batch:
                    counts += triage(cycle, [card])
        cycle.house.fault("plan.judged")
    return counts


def setback(cycle: Cycle, card: Card, error: Exception) -> None:
    """One card went wrong inside the house: it rests, longer each time, and is given up after five tries."""
    cycle.note(f"card {card.id}", error)
    with cycle.transaction() as tx:
        executions.set_back(
            tx, card, f"{type(error).__name__} in {card.type}", holder=cycle.house.holder, fence=cycle.held.fence
        )


def _triage(cycle: Cycle, batch: Sequence[Card]) -> Counter[str]:
    with cycle.transaction() as tx:
        decided = judge.triage(cycle.house, tx, cycle.engines, batch, settings.of(tx))
    said = {"block": "blocked", "defer": "deferred", "hold": "held", "allow": "allowed", "expire": "expired"}
    return Counter({said.get(decision, decision): n for decision, n in decided.items()})


def _ask(cycle: Cycle, engine: Engine) -> Plan | None:
    """An engine's plan, or None when it failed: the others go on without it."""
    try:
        with cycle.transaction() as tx:
            return engine.plan(cycle.context(tx))
    except FenceLost:
        raise
    except Exception as error:  # noqa: BLE001 - recorded on the run
        cycle.note(f"{engine.name}.plan", error)
        return None


def _line(due: object) -> ledger.Due:
    from engines.contract import Obligation

    assert isinstance(due, Obligation)
    return ledger.Due(due.kind, due.subject_type, due.subject_id, due.due_at, due.dedupe_key, due.disposition, due.rule,
                      due.reason, due.until)  # fmt: skip
