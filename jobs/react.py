"""React: what happened since the last cycle is handed to the engines, and what they make of it is carried out."""

from __future__ import annotations

from collections import Counter

from domain import cards, events, quarantine
from domain.db import FenceLost, Tx
from domain.events import Event
from domain.house import Leaving
from jobs.act import act
from jobs.hour import Cycle, DeadlinePassed, Stopped

BATCH = 100
TRIES = quarantine.TRIES
RETRY_SECONDS = 300.0


def react(cycle: Cycle) -> Counter[str]:
    """Take in every event that waits; how many there were of each type. New cards are carried out at once."""
    counts: Counter[str] = Counter()
    if cycle.models:
        _take_up_deferred(cycle)
    if cycle.outstanding is not None and "reactions" not in cycle.outstanding:
        return counts
    cycle.outstanding = None
    batch, proposed = _due(cycle)
    while batch:
        if cycle.models:
            _read_again(cycle, [event for event, _ in batch])
        for event, attempts in batch:
            cycle.breathe()
            counts[event.type if _take_in(cycle, event, attempts) else "react_failed"] += 1
            cycle.house.fault("react.taken")
        batch, proposed = _due(cycle)
    counts["planned"] = proposed
    if proposed:
        counts += act(cycle)
    return counts


def _take_up_deferred(cycle: Cycle) -> None:
    """Messages whose reading by a model had to wait; engines hear of them once more."""
    # what models need is loaded only where there are any
    from jobs.reread import take_up_deferred

    if take_up_deferred(cycle):
        cycle.outstanding = None


def _read_again(cycle: Cycle, waiting: list[Event]) -> None:
    """What a model makes of messages that rules are unsure of; without it the rules' reading stands."""
    from jobs.reread import reread

    try:
        reread(cycle, waiting)
    except (FenceLost, Stopped, DeadlinePassed, Leaving):
        raise
    except Exception as error:  # noqa: BLE001 - recorded on the run
        cycle.note("reread", error)


def _due(cycle: Cycle) -> tuple[list[tuple[Event, int]], int]:
    """The events that wait; once there are none, how many cards the engines proposed while they took events in."""
    with cycle.transaction() as tx:
        waiting = events.due(tx, limit=BATCH)
        return waiting, 0 if waiting else cards.count(tx, state="proposed", run_id=cycle.run.id)


def _take_in(cycle: Cycle, event: Event, attempts: int) -> bool:
    """Hand one event to every engine and strike it off, in one transaction; False when an engine failed on it."""
    try:
        with cycle.transaction() as tx:
            cycle.working_engines(tx)
            context = cycle.context(tx)
            for engine in cycle.engines:
                engine.react(context, event)
            events.reacted(tx, [event.id])
        return True
    except (FenceLost, Stopped):
        raise
    except Exception as error:  # noqa: BLE001 - recorded on the run
        cycle.note(f"react to {event.type} {event.id}", error)
        with cycle.transaction() as tx:
            _set_aside(tx, event, attempts + 1, error)
        return False


def _set_aside(tx: Tx, event: Event, attempts: int, error: Exception) -> None:
    """Try an event again later, and after five tries lay it with the dead letters."""
    why = f"{type(error).__name__}: {error}"
    if attempts < TRIES:
        events.reaction_failed(tx, event.id, why, retry_seconds=RETRY_SECONDS * attempts)
        return
    quarantine.put(tx, kind="event", source=str(event.id), reason=why, attempts=attempts)
    events.reacted(tx, [event.id])
