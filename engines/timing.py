"""When a touch can first go out: roughly, for planning; the rules know holidays and have the last word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.settings import TenantSettings

SATURDAY = 5


def turn(now: datetime, ahead: int, an_hour: int) -> datetime:
    """When its turn comes of something that so many others come before, of which so many are done in each hour."""
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1 + ahead // max(an_hour, 1))


def first_chance(now: datetime, zone_name: str | None, settings: TenantSettings) -> datetime:
    """The first instant from `now` on that lies in the send window of a weekday where the recipient lives."""
    zone = ZoneInfo(zone_name or settings.timezone)
    today = now.astimezone(zone).date()
    for ahead in range(8):
        day = today + timedelta(days=ahead)
        opens = datetime.combine(day, settings.send_window_start, zone).astimezone(UTC)
        closes = datetime.combine(day, settings.send_window_end, zone).astimezone(UTC)
        if day.weekday() < SATURDAY and now < closes:
            return max(now, opens)
    return now
