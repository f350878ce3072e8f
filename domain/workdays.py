"""Workdays: on which days people of a country work, and whose clock on the wall they live by."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LOOK_AHEAD_DAYS = 40
"""The longest run of days without a business day that is believed."""

# Where a country has many zones and nothing better is known: the one in which most of its people live.
PRINCIPAL_ZONES = {
    "AR": "America/Argentina/Buenos_Aires", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo",
    "CA": "America/Toronto", "CD": "Africa/Kinshasa", "CL": "America/Santiago", "CN": "Asia/Shanghai",
    "CY": "Asia/Nicosia", "DE": "Europe/Berlin", "EC": "America/Guayaquil", "ES": "Europe/Madrid", "ID": "Asia/Jakarta",
    "KZ": "Asia/Almaty", "MN": "Asia/Ulaanbaatar", "MX": "America/Mexico_City", "NZ": "Pacific/Auckland",
    "PG": "Pacific/Port_Moresby", "PT": "Europe/Lisbon", "RU": "Europe/Moscow", "UA": "Europe/Kyiv",
    "US": "America/New_York", "UZ": "Asia/Tashkent",
}  # fmt: skip


def is_business_day(country: str, day: date) -> bool:
    """Whether people in a country work on this day of the week; some countries make up for holidays on a weekend."""
    weekend, made_up, _ = _calendar(country, day.year)
    return day.weekday() not in weekend or day in made_up


def holiday(country: str, day: date) -> str | None:
    """The name of a country's public holiday, or None."""
    return _calendar(country, day.year)[2].get(day)


def next_business_day(country: str, day: date) -> date:
    """The first day from `day` on that is a business day and no public holiday."""
    for ahead in range(LOOK_AHEAD_DAYS):
        found = day + timedelta(days=ahead)
        if is_business_day(country, found) and holiday(country, found) is None:
            return found
    # a calendar that knows of no work says nothing about this one
    return day


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


def midnight(day: date, in_zone: ZoneInfo) -> datetime:
    """The instant at which a day begins on the wall; where midnight itself is skipped, that of the change."""
    return datetime.combine(day, time(), in_zone).astimezone(UTC)


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
