"""The watch: who in the fleet needs a look is found by one statement over numbers; only they are entered and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from domain import alerts, hooks, rollup, schedule
from domain.alerts import HOUSE
from domain.db import Database, Tx
from domain.house import House, Leaving
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

FIGURES = """
    recent AS (
        SELECT tenant_id, sum(cycles_completed) AS cycles, sum(cycles_failed) AS cycles_failed,
               sum(actions_blocked) FILTER (WHERE hour >= :last_hour) AS blocked, sum(emails_sent) AS mails,
               -- the newest measurement without a sort for each tenant: arrays compare by their first element
               max(ARRAY[extract(epoch FROM hour)::bigint, contacts_compliant, contacts_clocked])
                   FILTER (WHERE contacts_clocked > 0) AS measured,
               sum(orders_processed) AS processed, sum(orders_exceptions) AS exceptions,
               sum(provider_failures) FILTER (WHERE hour >= :last_hour) AS failures,
               sum(lock_contentions) FILTER (WHERE hour >= :last_hour) AS contentions
        FROM hourhand.tenant_rollup WHERE hour >= :since GROUP BY tenant_id
    ), held AS (
        SELECT tenant_id, true AS locked FROM hourhand.agent_tenant_locks
        WHERE since < hourhand.db_now() - CAST(:long AS interval) AND expires_at > hourhand.db_now()
    ), known AS (
        SELECT tenant_id, array_agg(kind) AS kinds FROM hourhand.agent_alerts
        WHERE state <> 'resolved' AND kind = ANY(:kinds) GROUP BY tenant_id
    ), figures AS (
        SELECT tenant_id, coalesce(cycles, 0) AS cycles, coalesce(cycles_failed, 0) AS cycles_failed,
               coalesce(blocked, 0) AS blocked, coalesce(mails, 0) AS mails,
               coalesce(measured[2], 0) AS kept, coalesce(measured[3], 0) AS clocked,
               coalesce(processed, 0) AS processed,
               coalesce(exceptions, 0) AS exceptions, coalesce(failures, 0) AS failures,
               coalesce(contentions, 0) AS contentions, coalesce(locked, false) AS locked,
               coalesce(kinds, '{}') AS kinds
        FROM recent FULL JOIN held USING (tenant_id) FULL JOIN known USING (tenant_id)
    )"""
"""What the fleet's role may see of each tenant that did anything of late, is held, or has an alert."""


@dataclass(frozen=True, slots=True)
class Look:
    """One tenant that is to be entered, with the alarms that may have gone off or be over."""

    tenant_id: UUID
    suspected: frozenset[str]
    calm: frozenset[str]


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
    """The tenants for which an alarm may have gone off that is not open, or may be over that is; one statement."""
    suspected = ", ".join(f"CASE WHEN {alarm.suspects} THEN '{alarm.kind}' END" for alarm in alarms)
    calm = ", ".join(f"CASE WHEN {alarm.calms} THEN '{alarm.kind}' END" for alarm in alarms)
    with database.wearing("fleet") as tx:
        hour = tx.now.replace(minute=0, second=0, microsecond=0)
        rows = tx.rows(
            f"""WITH {FIGURES}, judged AS (
                    SELECT tenant_id, kinds, array_remove(ARRAY[{suspected}], NULL) AS suspected,
                           array_remove(ARRAY[{calm}], NULL) AS calm FROM figures)
                SELECT * FROM judged WHERE NOT suspected <@ kinds OR calm && kinds
                ORDER BY hashtext(tenant_id::text || :turn) LIMIT :limit""",
            since=hour - timedelta(hours=HOURS_LOOKED_AT - 1), last_hour=hour - timedelta(hours=1),
            long=timedelta(minutes=LOCKED_MINUTES), kinds=[alarm.kind for alarm in alarms], limit=AT_ONCE,
            turn=tx.now.isoformat(),
        )  # fmt: skip
    return [
        Look(row["tenant_id"], frozenset(row["suspected"]) - frozenset(row["kinds"]),
             frozenset(row["calm"]) & frozenset(row["kinds"]))
        for row in rows
    ]  # fmt: skip


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
