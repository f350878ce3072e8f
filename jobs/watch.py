"""The watch: who in the fleet needs a look is found by one statement over numbers; only they are entered and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from domain import alerts, hooks, readings, rollup, schedule
from domain.alerts import HOUSE
from domain.db import Database, Tx
from domain.house import House, Leaving
from domain.readings import Look
from jobs import notices
from jobs.alarms import ALARMS, HOURS_LOOKED_AT, LOCKED_MINUTES, UNUSUAL, Alarm

log = structlog.get_logger(__name__)

AT_ONCE = 1_000
"""How many tenants one watch enters at most; the others are found again by the next."""

POSTING_SECONDS = 45
"""For so long one watch begins to post to tenants' webhooks; whoever waits longest is first at the next."""

LATE_SECONDS = 900
LEAST_CYCLES = 10
"""Fewer cycles in an hour say nothing about the whole house."""


def run(house: House) -> Counter[str]:
    """Show the world that we are alive, open and end alerts, tell people, post what waits; how many of each."""
    # first what everybody relies on: no tenant's slow receiver may hold up the sign of life
    if not _house(house):
        notices.ping(house)
    posted = notices.post_alerts(house, None)
    told = look_over(house, ALARMS)
    ends = house.clock.monotonic() + POSTING_SECONDS
    for tenant_id in hooks.tenants_due(house.database):
        if house.clock.monotonic() >= ends:
            break
        told += _apart(tenant_id, lambda each: Counter(posted=notices.post_alerts(house, each)))
    told["posted"] += posted
    return told


def compare(house: House) -> Counter[str]:
    """The alarms that compare a tenant with its own past."""
    return look_over(house, UNUSUAL)


def look_over(house: House, alarms: Sequence[Alarm]) -> Counter[str]:
    """Measure whoever the fleet's numbers pick out, and tell those for whom something changed."""
    told: Counter[str] = Counter()
    by_kind = {alarm.kind: alarm for alarm in alarms}
    for look in find(house.database, alarms):
        if house.leaving.is_set():
            raise Leaving(Leaving.__doc__)
        told += _apart(look.tenant_id, partial(_enter, house, look, by_kind))
    return told


def find(database: Database, alarms: Sequence[Alarm]) -> list[Look]:
    """The tenants for which an alarm may have gone off that is not open, or may be over that is."""
    conditions = {alarm.kind: (alarm.suspects, alarm.calms) for alarm in alarms}
    return readings.suspects(database, conditions, hours=HOURS_LOOKED_AT, locked_minutes=LOCKED_MINUTES, limit=AT_ONCE)


def _enter(house: House, look: Look, alarms: Mapping[str, Alarm], tenant_id: UUID) -> Counter[str]:
    """Measure exactly, inside the tenant, and say what changed."""
    told: Counter[str] = Counter()
    with house.database.tenant(tenant_id, actor="watch") as tx:
        for kind in sorted(look.suspected):
            told["opened"] += _open(tx, alarms[kind])
        for kind in sorted(look.calm):
            told["resolved"] += _end(tx, alarms[kind])
    if told.total():
        notices.tell_alerts(house, tenant_id)
    return told


def _open(tx: Tx, alarm: Alarm) -> bool:
    reading = alarm.measure(tx)
    if not alarm.opens(reading):
        return False
    return alerts.open(tx, alarm.kind, alarm.told(reading), severity=alarm.severity, **reading) is not None


def _end(tx: Tx, alarm: Alarm) -> bool:
    return alarm.ends(alarm.measure(tx)) and alerts.resolve(tx, alarm.kind, by="watch") is not None


def _house(house: House) -> bool:
    """The alerts about all of it: hours that begin too late, and cycles that fail everywhere; whether it is late."""
    now = house.clock.now()
    _, late = schedule.lateness(house.database)
    failed, cycles = rollup.cycles(house.database, since=now - timedelta(hours=2))
    with house.database.wearing("control", actor="watch") as tx:
        if late > LATE_SECONDS:
            alerts.open(tx, "schedule_late", f"An hour has waited {late / 60:.0f} minutes to begin: add a worker or "
                        "raise HOURHAND_CONCURRENCY.", severity="critical",
                        book=HOUSE, seconds=round(late))  # fmt: skip
        elif late < LATE_SECONDS / 3:
            alerts.resolve(tx, "schedule_late", by="watch", book=HOUSE)
        if cycles >= LEAST_CYCLES and failed > 0.2 * cycles:
            alerts.open(tx, "cycle_failure_rate", f"{failed} of {cycles} cycles of all tenants failed.",
                        severity="critical", book=HOUSE, failed=failed, cycles=cycles)  # fmt: skip
        elif failed <= 0.1 * cycles:
            alerts.resolve(tx, "cycle_failure_rate", by="watch", book=HOUSE)
    return late > LATE_SECONDS


def _apart(tenant_id: UUID, work: Callable[[UUID], Counter[str]]) -> Counter[str]:
    """Do one tenant's part; whatever goes wrong there stops no other."""
    try:
        return work(tenant_id)
    except Leaving:
        raise
    except Exception as error:
        log.exception("watch.failed", tenant=str(tenant_id), error=type(error).__name__)
        return Counter(failed=1)
