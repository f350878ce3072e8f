"""The fleet's figures for Prometheus: sums over all tenants that no scrape reads twice, and how the house stands."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from domain import alerts, rollup, schedule, switches
from domain.house import House
from jobs import backlog

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector

FIGURES: dict[str, tuple[str, str]] = {
    "agent_cycles_completed": ("cycles_completed", "Cycles that came to their end"),
    "agent_cycles_failed": ("cycles_failed", "Cycles that did not"),
    "agent_actions_planned": ("actions_planned", "Cards proposed"),
    "agent_actions_executed": ("actions_executed", "Cards done"),
    "agent_actions_blocked": ("actions_blocked", "Cards that a rule blocked"),
    "agent_actions_deferred": ("actions_deferred", "Cards put off"),
    "agent_actions_failed": ("actions_failed", "Cards that failed"),
    "agent_actions_held": ("actions_held", "Messages held by the send mode"),
    "agent_emails_sent": ("emails_sent", "Mails that a provider took"),
    "agent_orders_processed": ("orders_processed", "Orders that were checked for the first time"),
    "agent_orders_exceptions": ("orders_exceptions", "Of these, orders with which something was wrong"),
    "agent_email_provider_failures": ("provider_failures", "Times that a mail provider failed"),
    "agent_lock_contentions": ("lock_contentions", "Cycles that found their tenant held by another"),
    "gmail_messages_processed": ("messages_processed", "Messages taken in"),
    "gmail_cards_created": ("gmail_cards_created", "Cards that mail brought"),
    "gmail_quota_errors": ("gmail_quota_errors", "Times that a mailbox's quota was spent"),
}
"""Prometheus' names, each with its column of `tenant_rollup` and what it counts."""

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
SETTLED_AFTER = timedelta(hours=2)
"""An hour that ended so long ago gets no more numbers: it is summed once and remembered."""

MEASURED_WITHIN = timedelta(hours=3)


def fleet(house: House) -> Collector:
    """A collector that asks the fleet's role for sums at each scrape, so that no tenant's rows are read."""
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
    from prometheus_client.registry import Collector

    sums = _Sums(house)

    class Fleet(Collector):
        """Everything that the database knows of all tenants."""

        def collect(self) -> Iterable[Metric]:
            totals = sums.now()
            for name, (column, caption) in FIGURES.items():
                yield CounterMetricFamily(name, caption, value=float(totals[column]))
            for name, caption, value in _standing(house):
                yield GaugeMetricFamily(name, caption, value=value)
            known = GaugeMetricFamily("hourhand_alerts_open", "Alerts that are not over", labels=("kind", "severity"))
            for row in alerts.counted(house.database):
                known.add_metric((row["kind"], row["severity"]), row["n"])
            yield known

    return Fleet()


def _standing(house: House) -> Iterator[tuple[str, str, float]]:
    """How it is now."""
    now = house.clock.now()
    recent = rollup.totals(house.database, since=now - MEASURED_WITHIN, until=now + timedelta(hours=1))
    if clocked := float(recent["contacts_clocked"]):
        rate = float(recent["contacts_compliant"]) / clocked
        yield "agent_engagement_compliance_rate", "Share of clocks that are kept, of tenants at work lately", rate
    tenants, lag = schedule.lateness(house.database)
    yield "hourhand_tenants", "Tenants on the schedule", tenants
    yield "hourhand_schedule_lag_seconds", "How late the oldest unclaimed slot is", lag
    depth = backlog.depth(house)
    yield "hourhand_queue_waiting", "Jobs that wait", depth["waiting"]
    yield "hourhand_queue_running", "Jobs under way", depth["running"]
    yield "hourhand_queue_failed", "The house's own jobs that failed for good", depth["failed"]
    yield "hourhand_workers", "Workers that live", depth["workers"]
    with house.database.wearing("control") as tx:
        closed = sum(bool(each["stopped"]) for each in switches.states(tx))
    yield "hourhand_kill_switch", "How many switches of the house are closed", closed
    yield "hourhand_host_stopped", "1 while this host's own brakes stop it", float(house.brakes.stopped() is not None)


class _Sums:
    """Totals since the beginning: what is settled is kept, so that a scrape reads the last hours and no more."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._mutex = threading.Lock()
        self._settled: Counter[str] = Counter()
        self._until = BEGINNING

    def now(self) -> Counter[str]:
        """Every column's sum."""
        database = self._house.database
        at = self._house.clock.now()
        settled = at.replace(minute=0, second=0, microsecond=0) - SETTLED_AFTER
        with self._mutex:
            if settled > self._until:
                self._settled.update(rollup.counted(database, since=self._until, until=settled))
                self._until = settled
            return self._settled + Counter(rollup.counted(database, since=self._until, until=at + timedelta(hours=1)))
