"""One hour of one tenant: plan, act, react, reflect, behind the tenant's lock and every switch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from domain import alerts, model_calls, models, rollup, runs, schedule, settings, switches
from domain.db import FenceLost, Tx
from domain.house import House, Leaving
from domain.locks import Held
from engines.contract import Engine
from engines.registry import ENGINES
from jobs import deliver
from jobs.act import act
from jobs.hour import Cycle, DeadlinePassed, Stopped
from jobs.plan import plan
from jobs.react import react
from jobs.reflect import reflect, roll_up
from jobs.renew import renew
from jobs.resolve import resolve

log = structlog.get_logger(__name__)

PHASES: tuple[tuple[str, Callable[[Cycle], Counter[str]]], ...] = (
    ("plan", plan),
    ("act", act),
    ("react", react),
)


def run(house: House, tenant_id: UUID, *, kind: str = "scheduled", engines: Sequence[Engine] = ENGINES) -> UUID | None:
    """Run one cycle; its run's id, or None when there was nothing to run: stopped, held elsewhere, slot already done.

    A run that a crash left open is taken up at the phase in which it stood. Raises FenceLost when the tenant was taken
    over in the middle.
    """
    if house.brakes.stopped():
        return None
    held = house.locks.acquire(tenant_id)
    if held is None:
        with house.database.tenant(tenant_id) as tx:
            rollup.add(tx, lock_contentions=1)
        return None
    ended = None
    try:
        ended = _hold(house, held, kind, engines)
    finally:
        house.locks.release(held, signed_off=ended is not None)
    return ended


def _hold(house: House, held: Held, kind: str, engines: Sequence[Engine]) -> UUID | None:
    cycle = _begin(house, held, kind, engines)
    if cycle is None:
        return None
    with structlog.contextvars.bound_contextvars(tenant=str(held.tenant_id), run=str(cycle.run.id)):
        log.info("cycle.started", number=cycle.run.cycle_number, kind=cycle.run.kind, resumed=cycle.run.resumed,
                 model=next(iter(cycle.models), models.RULEBOOK))  # fmt: skip
        house.fault("cycle.begun")
        _settle_the_past(cycle)
        outcome = _close(cycle, _phases(cycle))
        house.fault("cycle.finished")
        log.info("cycle.finished", number=cycle.run.cycle_number, outcome=outcome)
    return cycle.run.id


def _begin(house: House, held: Held, kind: str, engines: Sequence[Engine]) -> Cycle | None:
    with house.database.tenant(held.tenant_id, fence=held.fence) as tx:
        if any(level == "all" for _scope, level, _name in switches.closed(tx)):
            return None
        try:
            tenant_settings = settings.of(tx)
            thinking = models.order(house.models, tenant_settings)
        except settings.InvalidSetting as error:
            alerts.open(tx, settings.UNREADABLE, f"The agent rests until a setting is mended: {error}",
                        severity="critical")  # fmt: skip
            return None
        begun = runs.begin(
            tx, kind=kind, fence=held.fence, holder=house.holder, model=next(iter(thinking), models.RULEBOOK),
            mode=min(tenant_settings.mode, house.brakes.send_mode).name,
            deadline_minutes=tenant_settings.cycle_deadline_minutes,
        )  # fmt: skip
        if begun is None:
            return None
        cycle = Cycle(house, engines, held, begun, house.clock.monotonic(), models=thinking)
        cycle.look(tx)
    return cycle


def _settle_the_past(cycle: Cycle) -> None:
    """Before anything new: what the provider told meanwhile, then what a crash or an unknown outcome left open."""
    waits = cycle.outstanding or frozenset()
    if cycle.run.resumed:
        # what the dead process had begun may show in none of it
        cycle.outstanding = None
    house, tenant_id = cycle.house, cycle.held.tenant_id
    if waits & {"deliveries", "settlements"}:
        cycle.outstanding = None
        if "deliveries" in waits:
            _apart(cycle, "deliver", lambda: deliver.process(house, tenant_id, breathe=cycle.breathe))
        # what was delivered may have settled what was uncertain
        _apart(cycle, "resolve", lambda: resolve(cycle.work, breathe=cycle.breathe))
    if "letters" in waits and cycle.run.phase == "plan":
        _apart(cycle, "wording", lambda: renew(cycle))


def _apart(cycle: Cycle, where: str, work: Callable[[], object]) -> None:
    """Do one part whose failure stops no other."""
    try:
        work()
    except (FenceLost, Leaving):
        raise
    except (Stopped, DeadlinePassed):
        # the first phase meets it again, and the run says so
        return
    except Exception as error:  # noqa: BLE001 - recorded on the run
        cycle.note(where, error)


def _phases(cycle: Cycle) -> str:
    """Each phase ends in the commit that begins the next, so a crash resumes at the phase and not at the start."""
    outcome = "completed"
    for at, (phase, work) in enumerate(PHASES):
        if at < runs.PHASES.index(cycle.run.phase):
            continue
        started, counts = cycle.house.clock.now(), Counter[str]()
        try:
            if outcome == "completed":
                counts = work(cycle)
        except (FenceLost, Leaving):
            raise
        except Stopped as reason:
            outcome = "stopped"
            log.warning("cycle.stopped", reason=str(reason))
        except DeadlinePassed:
            outcome = "deadline"
        except Exception as error:  # noqa: BLE001 - recorded on the run
            cycle.note(phase, error)
            outcome = "failed"
        _enter_next(cycle, at, started, counts)
        cycle.house.fault(f"cycle.{phase}")
    return outcome


def _enter_next(cycle: Cycle, at: int, started: datetime, counts: Counter[str]) -> None:
    cycle.enter(runs.PHASES[at + 1], block=_block(runs.PHASES[at], started, cycle.house.clock.now(), counts))


def _block(phase: str, started: datetime, ended: datetime, counts: Counter[str]) -> dict[str, Any]:
    return {
        "phase": phase, "started_at": started.isoformat(), "ended_at": ended.isoformat(), "counts": dict(counts),
    }  # fmt: skip


def _close(cycle: Cycle, outcome: str) -> str:
    """Tell the hour, whatever cut it short, and end it, in one commit; what can't be told is ended all the same."""
    if cycle.models:
        _apart(cycle, "phrase", lambda: _phrase(cycle))
    try:
        cycle.together(lambda tx: _end(cycle, tx, outcome, reflect))
    except (FenceLost, Leaving):
        raise
    except Exception as error:  # noqa: BLE001 - recorded on the run
        cycle.note("reflect", error)
        outcome = "failed"
        cycle.together(lambda tx: _end(cycle, tx, outcome, lambda _cycle, _tx: None))
    return outcome


def _phrase(cycle: Cycle) -> None:
    # what models need is loaded only where there are any
    from jobs.phrase import phrase

    phrase(cycle)


def _end(cycle: Cycle, tx: Tx, outcome: str, tell: Callable[[Cycle, Tx], None]) -> None:
    started = cycle.house.clock.now()
    tell(cycle, tx)
    runs.enter(tx, cycle.run.id, [("finished", _block("reflect", started, cycle.house.clock.now(), Counter()))])
    if cycle.models:
        model_calls.charge_run(tx, cycle.run.id)
    schedule.lock(tx)
    # whatever came in before the lock was taken counts, the first of its kind too
    cycle.outstanding = None
    schedule.settle(tx, _next_dues(cycle, tx))
    roll_up(tx, runs.finish(tx, cycle.run, outcome))
    cycle.house.locks.sign_off(tx, cycle.held)


def _next_dues(cycle: Cycle, tx: Tx) -> list[datetime | None]:
    """When each engine has something due, and what models were to read; who can't say is asked again next slot."""
    context = cycle.context(tx)
    present = cycle.present(tx)
    said = cycle.ask(tx, present, "next_due", lambda engine: engine.next_due(context))
    put_off = [model_calls.next_deferred(tx)] if cycle.models else []
    return [due for _, due in said] + [tx.now] * (len(present) - len(said)) + put_off
