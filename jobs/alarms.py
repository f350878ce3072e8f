"""What calls for a person: each alarm says when it goes off, when it is over, and what it measures in between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain import readings, rollup
from domain.alerts import Severity
from domain.db import Tx

Reading = Mapping[str, Any]
"""What was measured: numbers, stored as the cause of the alert."""

HOURS_LOOKED_AT = 3
"""How many of the clock's hours, the present one among them, the first look covers."""

PROVIDER_MINUTES = 15
LOCKED_MINUTES = 60
LEAST_MAILS = 20
"""Twice nothing is nothing: fewer mails in a day are never an unusual volume."""
LEAST_DAYS = 3
"""How many days with mail it takes to know what is usual."""
LEAST_BLOCKS = 5


@dataclass(frozen=True, slots=True)
class Alarm:
    """One rule of what is wrong with a tenant.

    `suspects` and `calms` are cheap conditions over the fleet's numbers: only a tenant that one of them picks out is
    entered and measured. It opens past one threshold and ends past another, so that it does not flicker.
    """

    kind: str
    severity: Severity
    suspects: str
    calms: str
    measure: Callable[[Tx], Reading]
    opens: Callable[[Reading], bool]
    ends: Callable[[Reading], bool]
    words: str
    """What people are told, with the reading's numbers in their places."""

    def told(self, reading: Reading) -> str:
        """The alert's message."""
        return self.words.format(**reading)


def _share(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def _cycles(tx: Tx) -> Reading:
    failed, completed = readings.sums(tx, ("cycles_failed", "cycles_completed"), hours=HOURS_LOOKED_AT)
    return {"failed": failed, "cycles": failed + completed, "share": _share(failed, failed + completed)}


def _lock(tx: Tx) -> Reading:
    return {"minutes": readings.minutes_held(tx)}


def _blocks(tx: Tx) -> Reading:
    return {"blocked": readings.cards_blocked(tx, hours=1)}


def _compliance(tx: Tx) -> Reading:
    row = readings.promises(tx)
    return {**row, "share": _share(row["kept"], row["clocked"]) if row["clocked"] else 1.0}


def _orders(tx: Tx) -> Reading:
    processed, exceptions = readings.sums(tx, ("orders_processed", "orders_exceptions"), hours=24)
    return {"processed": processed, "exceptions": exceptions, "share": _share(exceptions, processed)}


def _provider(tx: Tx) -> Reading:
    return {"failures": readings.provider_failures(tx, minutes=PROVIDER_MINUTES)}


def _contention(tx: Tx) -> Reading:
    return {"times": readings.sums(tx, ("lock_contentions",), hours=2)[0]}


def _volume(tx: Tx) -> Reading:
    """The last 24 hours of mail against the days before them on which there was any."""
    since = tx.now - timedelta(days=8)
    rows = rollup.own(tx, since=since, until=tx.now + timedelta(hours=1))
    days: dict[int, int] = {}
    for row in rows:
        ago = (tx.now - row["hour"]) // timedelta(days=1)
        days[ago] = days.get(ago, 0) + row["emails_sent"]
    before = [mails for ago, mails in days.items() if ago > 0 and mails]
    usual = sum(before) / len(before) if len(before) >= LEAST_DAYS else 0.0
    return {"mails": days.get(0, 0), "usual": round(usual, 1), "share": _share(days.get(0, 0), round(usual, 1))}


def _spike(tx: Tx) -> Reading:
    """The present and the last hour's blocked cards against what is usual in two hours of the week before."""
    now = tx.now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    rows = rollup.own(tx, since=now - timedelta(days=7), until=tx.now + timedelta(hours=1))
    blocked = sum(row["actions_blocked"] for row in rows if row["hour"] >= now)
    before = [row["actions_blocked"] for row in rows if row["hour"] < now]
    usual = 2 * sum(before) / len(before) if len(before) >= 24 else float(blocked)
    return {"blocked": blocked, "usual": round(usual, 1)}


ALARMS: tuple[Alarm, ...] = (
    Alarm(
        "cycle_failure_rate", "critical", "cycles_failed >= 2 AND cycles_failed > 0.2 * (cycles_failed + cycles)",
        "cycles_failed <= 0.1 * (cycles_failed + cycles)", _cycles,
        lambda it: it["failed"] >= 2 and it["share"] > 0.2, lambda it: it["share"] <= 0.1,
        "{failed} of the last {cycles} cycles failed. `hourhand runs` shows where, the log has each traceback.",
    ),
    Alarm(
        "tenant_locked", "warning", "locked", "NOT locked", _lock,
        lambda it: it["minutes"] > LOCKED_MINUTES, lambda it: it["minutes"] <= LOCKED_MINUTES,
        "One process has held the tenant for {minutes} minutes. `hourhand status` names it; ending it frees the tenant."
    ),
    Alarm(
        "policy_blocks", "warning", "blocked >= 10", "true", _blocks,
        lambda it: it["blocked"] >= 10, lambda it: it["blocked"] < 5,
        "{blocked} actions were blocked within an hour. `hourhand cards --state blocked` lists them, `hourhand why` "
        "tells of each.",
    ),
    Alarm(
        "engagement_compliance", "warning", "clocked > 0 AND kept < 0.8 * clocked", "kept >= 0.85 * clocked",
        _compliance, lambda it: it["share"] < 0.8, lambda it: it["share"] >= 0.85,
        "Only {kept} of {clocked} promises are kept. `hourhand reflect` says what stands in the way.",
    ),
    Alarm(
        "order_exceptions", "warning", "exceptions >= 2 AND exceptions > 0.1 * processed", "true", _orders,
        lambda it: it["exceptions"] >= 2 and it["share"] > 0.1, lambda it: it["share"] <= 0.05,
        "{exceptions} of {processed} orders of the last day had exceptions.",
    ),
    Alarm(
        "email_provider_failures", "critical", "failures >= 5", "true", _provider,
        lambda it: it["failures"] >= 5, lambda it: it["failures"] <= 1,
        "The mail provider failed {failures} times within 15 minutes. Nothing is lost: mails rest and are tried again.",
    ),
    Alarm(
        "lock_contention", "warning", "contentions >= 5", "contentions = 0", _contention,
        lambda it: it["times"] >= 5, lambda it: it["times"] == 0,
        "{times} times a cycle found the tenant held by another. Is a second house at work on the same database?",
    ),
)  # fmt: skip
"""Looked for every minute."""

UNUSUAL: tuple[Alarm, ...] = (
    Alarm(
        "send_volume", "warning", "mails > 0", "true", _volume,
        lambda it: it["usual"] > 0 and it["mails"] >= LEAST_MAILS and it["share"] >= 2.0,
        lambda it: it["usual"] == 0 or it["share"] < 1.5,
        "{mails} mails went out within a day; {usual} are usual. `hourhand kill --mail` stops them if that is wrong.",
    ),
    Alarm(
        "policy_spike", "warning", "blocked >= 5", "true", _spike,
        lambda it: it["blocked"] >= LEAST_BLOCKS and it["blocked"] > 3 * it["usual"],
        lambda it: it["blocked"] <= 2 * it["usual"] or it["blocked"] < LEAST_BLOCKS,
        "{blocked} actions were blocked in two hours; {usual} are usual. Has a setting or a source changed?",
    ),
)  # fmt: skip
"""Compared with the tenant's own past, once an hour."""
