"""When mail may go out: a recipient's own zone, business days, public holidays, and the windows that caps count in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.workdays import holiday, is_business_day, midnight, zone, zone_in

__all__ = ["Hours", "day_of", "holiday", "hour_of", "is_business_day", "zone", "zone_in"]

LOOK_AHEAD_DAYS = 40
"""The longest run of days without an opening that is believed: past it a send window is broken, not closed."""


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours in which one recipient may be written to: a daily window on the business days of a country."""

    zone: ZoneInfo
    country: str
    start: time
    end: time

    def local(self, at: datetime) -> datetime:
        """An instant as the recipient's clock on the wall shows it."""
        return at.astimezone(self.zone)

    def in_window(self, wall: datetime) -> bool:
        """Whether a wall time lies in the daily window; its end no longer does."""
        return self.start <= wall.time() < self.end

    def opens_on(self, day: date) -> bool:
        """Whether a day is a business day and no public holiday."""
        return is_business_day(self.country, day) and holiday(self.country, day) is None

    def is_open(self, at: datetime) -> bool:
        """Whether mail may go out at an instant."""
        wall = self.local(at)
        return self.in_window(wall) and self.opens_on(wall.date())

    def next_open(self, at: datetime) -> datetime:
        """The first instant, not before `at`, at which mail may go out."""
        if self.is_open(at):
            return at
        day = self.local(at).date()
        for ahead in range(LOOK_AHEAD_DAYS):
            opening = self._opening(day + timedelta(days=ahead))
            if opening is not None and opening >= at:
                return opening
        raise ValueError(f"no opening within {LOOK_AHEAD_DAYS} days in {self.zone.key} ({self.country})")

    def _opening(self, day: date) -> datetime | None:
        """The instant at which a day's window opens; None on a day without one."""
        if not self.opens_on(day):
            return None
        opening = datetime.combine(day, self.start, self.zone).astimezone(UTC)
        # a window that starts inside the hour that daylight saving skips may not exist on that day at all
        wall = opening.astimezone(self.zone)
        return opening if wall.date() == day and self.in_window(wall) else None


def hour_of(now: datetime) -> tuple[datetime, datetime]:
    """The hourly window that an instant falls in."""
    start = now.replace(minute=0, second=0, microsecond=0)
    return start, start + timedelta(hours=1)


def day_of(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The calendar day of a zone that an instant falls in; 23 to 25 hours long where clocks change."""
    day = now.astimezone(zone).date()
    return midnight(day, zone), midnight(day + timedelta(days=1), zone)
