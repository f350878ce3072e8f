"""Plan: every engine says what is due and what it would do; what the rules allow becomes queued cards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from domain import cards, executions, ledger, rests, runs, settings, shadows
from domain.cards import Card, Proposal
from domain.db import Tx
from domain.rests import Cause, Group, Rest
from engines.contract import Engine, Obligation, Plan
from jobs import judge
from jobs.arbitrate import arbitrate
from jobs.hour import Cycle

BATCH = 200
"""How many cards are judged in one transaction."""


def plan(cycle: Cycle) -> Counter[str]:
    """Gather, propose and judge; how many cards of each kind. One commit, unless there are very many."""
    counts, left = cycle.together(lambda tx: _plan(cycle, tx))
    cycle.house.fault("plan.judged")
    return counts + triage(cycle, left)


def _plan(cycle: Cycle, tx: Tx) -> tuple[Counter[str], list[Card]]:
    """How many of each kind, and the new cards beyond the first `BATCH`, which are not judged yet."""
    awake = cycle.working_engines(tx)
    asked = [engine for engine in cycle.present(tx) if engine in awake]
    context = cycle.context(tx)
    if asked and runs.mode_changed(tx):
        # before any engine plans: what this wakes rests no more, and none may count it among what does
        shadows.forget(tx)
    cycle.ask(tx, [engine for engine in cycle.ripe(tx) if engine in asked], "ripen",
              lambda engine: engine.ripen(context))  # fmt: skip
    rests.wake(tx)
    said = cycle.ask(tx, asked, "plan", lambda engine: engine.plan(context))
    plans = dict(arbitrate(cycle.house.brakes, tx, said))
    new = propose(cycle, tx, [proposal for each in plans.values() for proposal in each.proposals])
    cycle.house.fault("plan.proposed")
    lines = _account(cycle, tx, plans)
    cycle.house.fault("plan.accounted")
    # planned again after a crash, there may be no more to tell
    obligations = lines or (ledger.count(tx, cycle.run.id) if cycle.run.resumed else 0)
    counts = Counter(obligations=obligations, planned=len(new))
    # a model is asked with no transaction open, and what it writes is judged with its card
    at_once = [] if cycle.models else new[:BATCH]
    counts += _triage(cycle, tx, at_once)
    # a quiet hour needs no transaction to act in, nor one to react
    if len(new) == len(at_once):
        cycle.look(tx)
    else:
        cycle.outstanding = None
    return counts, new[len(at_once) :]


def propose(cycle: Cycle, tx: Tx, proposals: Sequence[Proposal]) -> list[Card]:
    """Make cards of proposals, in batches; the new ones, most urgent first."""
    new: list[Card] = []
    ranked = sorted(proposals, key=lambda proposal: -proposal.priority)
    for start in range(0, len(ranked), BATCH):
        new += _made(cycle, tx, ranked[start : start + BATCH])
    return sorted(new, key=lambda card: (-card.priority, card.id))


def _made(cycle: Cycle, tx: Tx, batch: Sequence[Proposal]) -> list[Card]:
    """The new cards of a batch; one that fails is made proposal by proposal, so that one stops no other."""
    try:
        with tx.savepoint():
            return cards.propose(tx, batch, reconsider_hours=settings.of(tx).reconsider_hours)
    except Exception as error:  # noqa: BLE001 - recorded on the run
        if len(batch) > 1:
            return [card for each in batch for card in _made(cycle, tx, [each])]
        cycle.note(f"propose {batch[0].dedupe_key}", error, within=tx)
        return []


def triage(cycle: Cycle, some: Sequence[Card]) -> Counter[str]:
    """Judge cards in batches, each in a transaction of its own; how many came to each decision."""
    counts: Counter[str] = Counter()
    for start in range(0, len(some), BATCH):
        cycle.breathe()
        batch = _drafted(cycle, some[start : start + BATCH])
        with cycle.transaction() as tx:
            counts += _triage(cycle, tx, batch)
        cycle.house.fault("plan.judged")
    return counts


def _drafted(cycle: Cycle, some: Sequence[Card]) -> Sequence[Card]:
    """The cards with the words that a model wrote for them, where one writes."""
    if not cycle.models:
        return some
    # what models need is loaded only where there are any
    from jobs.draft import draft

    return draft(cycle, some)


def _triage(cycle: Cycle, tx: Tx, batch: Sequence[Card]) -> Counter[str]:
    """Judge a batch; one that fails is judged card by card, so that one card stops no other."""
    if not batch:
        return Counter()
    try:
        with tx.savepoint():
            decided = judge.triage(cycle.house, tx, cycle.engines, batch, settings.of(tx))
            return Counter({SAID.get(decision, decision): n for decision, n in decided.items()})
    except Exception as error:  # noqa: BLE001 - recorded on the run
        if len(batch) > 1:
            return sum((_triage(cycle, tx, [card]) for card in batch), Counter())
        setback(cycle, tx, batch[0], error)
        return Counter(["failed"])


SAID = {"block": "blocked", "defer": "deferred", "hold": "held", "allow": "allowed", "expire": "expired",
        "renew": "renewed"}  # fmt: skip
"""How the run counts each decision."""


def setback(cycle: Cycle, tx: Tx, card: Card, error: Exception) -> None:
    """One card went wrong inside the house: it rests, longer each time, and is given up after five tries."""
    cycle.note(f"card {card.id}", error, within=tx)
    executions.set_back(
        tx, card, f"{type(error).__name__} in {card.type}", holder=cycle.house.holder, fence=cycle.held.fence
    )


def _account(cycle: Cycle, tx: Tx, plans: Mapping[Engine, Plan]) -> int:
    """Tell of everything that is due, of all engines at once; how much the run's lines count now.

    Where that can't be written down, each engine's is by itself, so that one voids no other's.
    """
    try:
        with tx.savepoint():
            return _written_down(cycle, tx, list(plans.values()))
    except Exception:  # noqa: BLE001 - which of them it was shows when they are taken one by one
        lines = cycle.ask(tx, list(plans), "ledger", lambda engine: _written_down(cycle, tx, [plans[engine]]))
        return max((count for _, count in lines), default=0)


def _written_down(cycle: Cycle, tx: Tx, plans: Sequence[Plan]) -> int:
    """Lay to rest what can't be done, and write a line for each thing that is due; how much all lines count now."""
    dues = [due for plan in plans for due in plan.obligations]
    rests.lay(tx, _at_rest(dues))
    lines = [*map(_line, dues), *(_of_many(group) for plan in plans for group in plan.resting)]
    return ledger.open_lines(tx, cycle.run.id, lines)


def _line(due: Obligation) -> ledger.Due:
    return ledger.Due(due.kind, due.subject_type, due.subject_id, due.due_at, due.dedupe_key, due.disposition, due.rule,
                      due.reason, due.until)  # fmt: skip


def _of_many(group: Group) -> ledger.Due:
    # only what was put off has its chance when it is looked at again
    until = group.until if group.disposition == "deferred" else None
    return ledger.Due(group.kind, group.subject_type, group.name, group.since, None, group.disposition, group.rule,
                      group.reason, until, count=group.resting, of_many=True)  # fmt: skip


def _at_rest(dues: Sequence[Obligation]) -> dict[str, list[Rest]]:
    """The records of which nothing that is due can be done, by their kinds."""
    of_one: dict[tuple[str, str], list[Obligation]] = {}
    for due in dues:
        of_one.setdefault((due.subject_type, due.subject_id), []).append(due)
    found: dict[str, list[Rest]] = {}
    for (subject_type, _), some in of_one.items():
        rest = _rest(some)
        if rest is not None:
            found.setdefault(subject_type, []).append(rest)
    return found


def _rest(some: Sequence[Obligation]) -> Rest | None:
    """How a record rests about which all this is due; None where something of it may be done in the next hour."""
    ends = [due.rests_until for due in some if due.rests_until is not None]
    seen = next((due.seen for due in some if due.seen is not None), None)
    if len(ends) < len(some) or seen is None:
        return None
    causes = tuple(Cause(due.kind, due.disposition or "deferred", due.rule or "", due.in_short or due.reason or "")
                   for due in some)  # fmt: skip
    return Rest(UUID(some[0].subject_id), causes, min(ends), seen, in_turn=any(due.in_turn for due in some))
