"""Changing a schedule, or switching it off or on: what becomes of the checks that it has made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain import compliance_dates, compliance_review, events, schedule, settings
from domain import compliance_schedules as schedules
from domain.compliance_review import Reviewed
from domain.compliance_schedules import NOBODY, InvalidSchedule, Schedule
from domain.db import Tx
from domain.settings import TenantSettings


@dataclass(frozen=True, slots=True)
class Changed:
    """A schedule as it stands after a change, and what that did at once; the rest follows in the next hours."""

    schedule: Schedule
    reviewed: Reviewed


def change(tx: Tx, schedule_id: UUID, **changes: Any) -> Changed:
    """Change name, required_fields, filter or active; None leaves a field alone.

    Its open checks are judged by what it says now: withdrawn where it is switched off or not about their record any
    more, else by the fields that it requires now. Switched on again, or about other records, it goes on with the period
    that runs: what was withdrawn of it is open again, and who has no check of it gets one.

    When it falls due is what a schedule is: for other days make another one. Raises UnknownSchedule, InvalidSchedule.
    """
    found = schedules.get(tx, schedule_id, lock=True)
    if unknown := set(changes) - {"name", "required_fields", "filter", "active"}:
        raise InvalidSchedule(f"{', '.join(sorted(unknown))}: for other days or records make another schedule")
    told = schedules.spelled(found.applies_to, {name: each for name, each in changes.items() if each is not None})
    fresh = {name: each for name, each in told.items() if getattr(found, name) != each}
    if not fresh:
        return Changed(found, Reviewed())
    if "name" in fresh and schedules.by_name(tx, fresh["name"]) is not None:
        raise InvalidSchedule(f"name: there is a schedule {fresh['name']!r} already")
    chosen = settings.of(tx)
    further = dict(fresh)
    if fresh.get("active"):
        further |= _resumed(tx, found, chosen)
    if fresh.get("active") or ("filter" in fresh and found.active):
        further |= _once_more(tx, found, chosen, further)
    if set(fresh) != {"name"}:
        further["reviewed_to"] = NOBODY
        # the tenant's line comes before its checks, as others who hold it come for checks
        schedule.bring_forward(tx, tx.now)
    now = schedules.write(tx, found, further)
    events.record(tx, "compliance.schedule_changed", "compliance_schedule", now.id, fields=sorted(fresh),
                  before={name: getattr(found, name) for name in sorted(fresh)},
                  after={name: fresh[name] for name in sorted(fresh)})  # fmt: skip
    _, done, now = compliance_review.review(tx, now, limit=chosen.compliance_checks_per_cycle)
    return Changed(now, done)


def _resumed(tx: Tx, of: Schedule, chosen: TenantSettings) -> dict[str, Any]:
    """Where a schedule goes on that was switched off: with the first period from today, if that is a later one."""
    today = tx.now.astimezone(chosen.zone).date()
    period = compliance_dates.first_from(of.anchor_on, of.frequency, today)
    return _at(of, period) if period > of.next_period else {}


def _once_more(tx: Tx, of: Schedule, chosen: TenantSettings, moved: dict[str, Any]) -> dict[str, Any]:
    """Have the records looked at once more for the period that runs, while its day is to come: who is new joins it."""
    if moved.get("next_period", of.next_period) != of.next_period:
        return {}
    running = of.running(chosen, tx.now)
    if running < tx.now.astimezone(chosen.zone).date() or running > of.next_on:
        return {}
    period = compliance_dates.first_from(of.anchor_on, of.frequency, running)
    # of a window that was made narrower since, what is made stays as it is
    return _at(of, period) if of.opening(period, chosen) <= tx.now else {}


def _at(of: Schedule, period: int) -> dict[str, Any]:
    return {"next_period": period, "next_on": compliance_dates.falls_on(of.anchor_on, of.frequency, period),
            "swept_to": None}  # fmt: skip
