"""Compliance schedules: what is required of which records, and how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from domain import compliance_dates, compliance_fields, events, schedule, settings, storable, workdays
from domain.compliance_dates import Frequency
from domain.compliance_fields import AppliesTo, InvalidRequirement
from domain.db import Row, Tx
from domain.settings import TenantSettings

NOBODY = UUID(int=0)
"""Before every id: nothing was looked at yet."""

FREQUENCIES: tuple[Frequency, ...] = get_args(Frequency)
MOST = 100
"""So many schedules a tenant may have: each is looked at in every cycle."""


class InvalidSchedule(Exception):
    """A schedule needs a name, a frequency, an anchor and what is required of whom."""


class UnknownSchedule(LookupError):
    """The tenant has no such schedule."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule as it stands."""

    id: UUID
    name: str
    frequency: Frequency
    applies_to: AppliesTo
    anchor_on: date
    """The day of its first period; every other counts from it."""
    required_fields: Sequence[str]
    filter: Mapping[str, Any]
    active: bool
    next_period: int
    next_on: date
    """The day on which the period falls whose checks are made next, or are being made."""
    swept_to: UUID | None
    """The last record that was looked at for it; None: it has not begun."""
    reviewed_to: UUID | None
    """After a change: the last of its open checks that was judged by it; None: they all are."""
    created_at: datetime
    updated_at: datetime

    def opens_at(self, chosen: TenantSettings) -> datetime:
        """When its next checks are made: so many days before they fall due, and never before the period before did.

        However wide the window, nobody is asked for the same thing for two periods at once.
        """
        return self.opening(self.next_period, chosen)

    def opening(self, period: int, chosen: TenantSettings) -> datetime:
        """When the checks of a period may be made."""
        day = compliance_dates.falls_on(self.anchor_on, self.frequency, period)
        opens = day - timedelta(days=chosen.compliance_window_days)
        if period > 0:
            opens = max(opens, compliance_dates.falls_on(self.anchor_on, self.frequency, period - 1))
        return workdays.midnight(opens, chosen.zone)

    @property
    def reviewing(self) -> bool:
        """Whether some of its open checks are still to be judged by its last change."""
        return self.reviewed_to is not None

    def running(self, chosen: TenantSettings, now: datetime) -> date:
        """The day of the period that runs: the latest whose window is open, or whose checks are made already."""
        period = self.next_period
        if self.opening(period, chosen) > now:
            period = max(0, period - 1)
        while self.opening(period + 1, chosen) <= now:
            period += 1
        return compliance_dates.falls_on(self.anchor_on, self.frequency, period)


COLUMNS = ", ".join(Schedule.__slots__)


def create(
    tx: Tx, *, name: str, frequency: str, applies_to: str, anchor_on: date, required_fields: Sequence[str],
    filter: Mapping[str, Any] | None = None,  # noqa: A002 - the record's own word
) -> Schedule:  # fmt: skip
    """Require something of records from the first period on that falls today or later. Raises InvalidSchedule."""
    if frequency not in FREQUENCIES:
        raise InvalidSchedule(f"frequency: {frequency!r} is none of {', '.join(FREQUENCIES)}")
    if applies_to not in compliance_fields.FIELDS:
        raise InvalidSchedule(f"applies_to: {applies_to!r} is none of {', '.join(compliance_fields.FIELDS)}")
    if not compliance_dates.EARLIEST <= anchor_on <= compliance_dates.LATEST:
        raise InvalidSchedule("anchor_on: a day of this century or the next")
    told = spelled(applies_to, {"name": name, "required_fields": required_fields, "filter": filter or {}})
    if tx.value("SELECT count(*) FROM compliance_schedule WHERE tenant_id = :t", t=tx.tenant_id) >= MOST:
        raise InvalidSchedule(f"there are {MOST} schedules already")
    today = tx.now.astimezone(settings.of(tx).zone).date()
    period = compliance_dates.first_from(anchor_on, frequency, today)
    row = tx.row(
        f"""INSERT INTO compliance_schedule (tenant_id, id, name, frequency, applies_to, anchor_on, required_fields,
                                             filter, next_period, next_on, created_at, updated_at)
            VALUES (:t, :id, :name, :frequency, :applies_to, :anchor, :required_fields, :filter, :period, :next_on,
                    :now, :now)
            ON CONFLICT (tenant_id, name) DO NOTHING RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=tx.clock.uuid(), frequency=frequency, applies_to=applies_to, anchor=anchor_on,
        period=period, next_on=compliance_dates.falls_on(anchor_on, frequency, period), now=tx.now, **told,
    )  # fmt: skip
    if row is None:
        raise InvalidSchedule(f"name: there is a schedule {told['name']!r} already")
    made = load(row)
    events.record(tx, "compliance.scheduled", "compliance_schedule", made.id, name=made.name, frequency=frequency,
                  applies_to=applies_to, required_fields=list(made.required_fields))  # fmt: skip
    schedule.bring_forward(tx, max(tx.now, made.opens_at(settings.of(tx))))
    return made


def get(tx: Tx, schedule_id: UUID, *, lock: bool = False) -> Schedule:
    """One schedule; with `lock`, until the commit. Raises UnknownSchedule."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM compliance_schedule WHERE tenant_id = :t AND id = :id{' FOR UPDATE' if lock else ''}",
        t=tx.tenant_id, id=schedule_id,
    )  # fmt: skip
    if row is None:
        raise UnknownSchedule(f"there is no compliance schedule {schedule_id}")
    return load(row)


def by_name(tx: Tx, name: str) -> Schedule | None:
    """The schedule of exactly this name, or None."""
    row = tx.row(f"SELECT {COLUMNS} FROM compliance_schedule WHERE tenant_id = :t AND name = :name",
                 t=tx.tenant_id, name=name)  # fmt: skip
    return load(row) if row else None


def listed(tx: Tx) -> list[Schedule]:
    """The tenant's schedules, oldest first; there are never many."""
    return [load(row) for row in tx.rows(
        f"SELECT {COLUMNS} FROM compliance_schedule WHERE tenant_id = :t ORDER BY id", t=tx.tenant_id
    )]  # fmt: skip


def next_due(tx: Tx, some: Sequence[Schedule]) -> datetime | None:
    """When the window of the next of these opens; in the past where checks are still being made or judged anew."""
    chosen = settings.of(tx)
    return min((tx.now if each.reviewing else each.opens_at(chosen) for each in some
                if each.active or each.reviewing), default=None)  # fmt: skip


def write(tx: Tx, of: Schedule, changes: Mapping[str, Any]) -> Schedule:
    """Write the changes; the schedule as it stands now."""
    row = tx.row(
        f"""UPDATE compliance_schedule SET {", ".join(f"{name} = :{name}" for name in changes)}, updated_at = :now
            WHERE tenant_id = :t AND id = :id RETURNING {COLUMNS}""",
        now=tx.now, t=tx.tenant_id, id=of.id, **changes,
    )  # fmt: skip
    assert row is not None
    return load(row)


def spelled(applies_to: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields of a schedule, each in its one spelling. Raises InvalidSchedule."""
    told = dict(given)
    if "name" in told:
        told["name"] = " ".join(storable.text(told["name"], 120).split())
        if not told["name"]:
            raise InvalidSchedule("name: a schedule needs a name")
    try:
        if "required_fields" in told:
            told["required_fields"] = compliance_fields.required(applies_to, told["required_fields"])
        if "filter" in told:
            told["filter"] = compliance_fields.spelled(applies_to, told["filter"])
    except InvalidRequirement as error:
        raise InvalidSchedule(str(error)) from error
    return told


def load(row: Row) -> Schedule:
    """A schedule from a row that has every column of `COLUMNS`."""
    return Schedule(**{name: row[name] for name in Schedule.__slots__})
