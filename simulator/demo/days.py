"""Which days the story tells: the last business days before the present, and one a few days earlier to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

HOURS = (time(6, 4), time(9, 4), time(11, 4), time(14, 4), time(16, 34), time(19, 4))
"""When cycles run on a day of the story, in UTC: from before Lisbon opens until the west of America is at work."""

PRELUDE_HOURS = (time(9, 4), time(14, 4), time(16, 34), time(19, 4))
FOLLOW_UP = timedelta(days=4)
JUST_NOW = timedelta(minutes=20)
"""So shortly before the present no other moment is told: it has a cycle of its own."""


@dataclass(frozen=True, slots=True)
class Days:
    """The story's calendar; letters and due dates name its days."""

    prelude: date
    first: date
    second: date
    third: date
    end: datetime
    """The present."""

    @property
    def moments(self) -> Sequence[datetime]:
        """When cycles run, the present left out."""
        told = [_at(self.prelude, hour) for hour in PRELUDE_HOURS]
        told += [_at(day, hour) for day in (self.first, self.second, self.third) for hour in HOURS]
        return [moment for moment in told if moment < self.end - JUST_NOW]

    @property
    def begin(self) -> datetime:
        """When the mailboxes are connected and what lies in them is read."""
        return _at(self.prelude, time(7, 30))

    def when(self, told: str) -> datetime:
        """A moment as the data names it: `p`, `d1`, `d2`, `d3`, or days from the first one, and a time in UTC.

        Mail of a weekend before the story moves to its Friday. Raises ValueError.
        """
        name, _, clock = told.strip().partition(" ")
        named = {"p": self.prelude, "d1": self.first, "d2": self.second, "d3": self.third}
        day = named.get(name) or self.first + timedelta(days=int(name))
        while name not in named and name.startswith("-") and day.weekday() >= 5:
            day -= timedelta(days=1)
        return _at(day, time.fromisoformat(clock or "06:00"))


def days_until(end: datetime) -> Days:
    """The story that ends at `end`: its last three weekdays, and one from which follow-ups fall due on the second."""
    last = end.astimezone(UTC).date()
    if end.astimezone(UTC) - JUST_NOW < _at(last, HOURS[0]):
        last -= timedelta(days=1)
    third = _weekday(last)
    second = _weekday(third - timedelta(days=1))
    first = _weekday(second - timedelta(days=1))
    prelude = _weekday(min(second - FOLLOW_UP, first - timedelta(days=1)))
    return Days(prelude, first, second, third, end.astimezone(UTC))


def _weekday(day: date) -> date:
    """That day, or the Friday before it."""
    while day.weekday() >= 5:
        day -= timedelta(days=1)
    return day


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, UTC)
