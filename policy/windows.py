"""When mail may go out: a recipient's own zone, business days, public holidays, and the windows that caps count in."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LOOK_AHEAD_DAYS = 40
"""The longest run of days without an opening that is believed: past it a send window is broken, not closed."""

# Where a country has many zones and nothing better is known: the one in which most of its people live.
PRINCIPAL_ZONES = {
    "AR": "America/Argentina/Buenos_Aires", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo",
    "CA": "America/Toronto", "CD": "Africa/Kinshasa", "CL": "America/Santiago", "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia", "DE": "Europe/Berlin", "EC": "America/Guayaquil", "ES": "Europe/Madrid", "ID": "Asia/Jakarta",
    "KZ": "Asia/Almaty", "MN": "Asia/Ulaanbaatar", "MX": "America/Mexico_City", "NZ": "Pacific/Auckland",
    "PG": "Pacific/Port_Moresby", "PT": "Europe/Lisbon", "RU": "Europe/Moscow", "UA": "Europe/Kyiv",
    "US": "America/New_York", "UZ": "Asia/Tashkent",
}  # fmt: skip


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


def is_business_day(country: str, day: date) -> bool:
    """Whether people in a country work on this day of the week; some countries make up for holidays on a weekend."""
    weekend, made_up, _ = _calendar(country, day.year)
    return day.weekday() not in weekend or day in made_up


def holiday(country: str, day: date) -> str | None:
    """The name of a country's public holiday, or None."""
    return _calendar(country, day.year)[2].get(day)


def hour_of(now: datetime) -> tuple[datetime, datetime]:
    """The hourly window that an instant falls in."""
    start = now.replace(minute=0, second=0, microsecond=0)
    return start, start + timedelta(hours=1)


def day_of(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The calendar day of a zone that an instant falls in; 23 to 25 hours long where clocks change."""
    day = now.astimezone(zone).date()
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def zone(name: str | None) -> ZoneInfo | None:
    """A time zone by its IANA name; None where there is no such zone."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # a stored name that this machine's tables don't know is as good as none
        return None


def zone_in(country: str, preferred: ZoneInfo) -> ZoneInfo:
    """The best guess at somebody's zone when only their country is known; `preferred` where it lies in it."""
    names = _zones_by_country().get(country, ())
    if not names or preferred.key in names:
        return preferred
    return ZoneInfo(PRINCIPAL_ZONES.get(country, names[0]))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # where midnight itself is skipped, this is the very instant of the change
    return datetime.combine(day, time(), zone).astimezone(UTC)


@functools.lru_cache(maxsize=512)
def _calendar(country: str, year: int) -> tuple[frozenset[int], frozenset[date], Mapping[date, str]]:
    """Weekend days, weekend days worked all the same, and public holidays of one country and year."""
    import holidays  # its tables take a while to load

    try:
        known = holidays.country_holidays(country, years=year)
    except NotImplementedError:
        return frozenset({5, 6}), frozenset(), {}
    # looking a day up makes the library fetch neighbouring years: only the year that was asked for is kept
    return frozenset(known.weekend), frozenset(known.weekend_workdays), dict(known)


@functools.cache
def _zones_by_country() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for line in files("tzdata.zoneinfo").joinpath("zone.tab").read_text().splitlines():
        if line and not line.startswith("#"):
            country, _, name = line.split("\t")[:3]
            found.setdefault(country, []).append(name)
    return {country: tuple(names) for country, names in found.items()}
