"""The calendar of compliance: on which day a period falls, and the business day and instant at which it is due."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from domain import workdays

Frequency = Literal["monthly", "quarterly", "semi_annual", "annual"]

MONTHS: Mapping[Frequency, int] = {"monthly": 1, "quarterly": 3, "semi_annual": 6, "annual": 12}

EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
"""Between these an anchor lies: what is counted from it must still be a date."""


@dataclass(frozen=True, slots=True)
class Due:
    """When a check is due for one record: the business day there, and the instant at which that day is over."""

    on: date
    at: datetime


def falls_on(anchor: date, frequency: Frequency, period: int) -> date:
    """The day on which period `period` (0 is the anchor's own) falls by the calendar.

    Counted from the anchor each time and never from the day before: the 31st is the 30th in April and the 31st again in
    May, and the 29th of February comes back every leap year.
    """
    months = anchor.year * 12 + anchor.month - 1 + period * MONTHS[frequency]
    year, month = divmod(months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(anchor.day, last))


def first_from(anchor: date, frequency: Frequency, day: date) -> int:
    """The first period that falls on `day` or later, not before the anchor's own."""
    months = (day.year - anchor.year) * 12 + day.month - anchor.month
    period = max(0, months // MONTHS[frequency])
    # the month alone says it but for the day within it
    while falls_on(anchor, frequency, period) < day:
        period += 1
    return period


def due(day: date, country: str, zone: ZoneInfo) -> Due:
    """When something that falls on `day` is due for somebody there: on the first business day from then on."""
    on = workdays.next_business_day(country, day)
    return Due(on, end_of(on, zone))


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day is over on the wall."""
    return workdays.midnight(day + timedelta(days=1), zone)
