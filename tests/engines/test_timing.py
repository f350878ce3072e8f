"""When a touch can first go out, as planning sees it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.settings import TenantSettings
from engines.timing import first_chance


@pytest.mark.parametrize(
    ("now", "zone", "chance"),
    [
        ("2026-03-02T09:00", "UTC", "2026-03-02T09:00"),
        ("2026-03-02T05:00", "UTC", "2026-03-02T08:30"),
        ("2026-03-02T17:30", "UTC", "2026-03-03T08:30"),
        ("2026-03-06T18:00", "UTC", "2026-03-09T08:30"),  # Friday evening
        ("2026-03-07T12:00", "UTC", "2026-03-09T08:30"),
        ("2026-03-02T09:00", "America/New_York", "2026-03-02T13:30"),
        ("2026-03-02T09:00", "Asia/Tokyo", "2026-03-02T23:30"),
        ("2026-03-06T09:00", "Asia/Tokyo", "2026-03-08T23:30"),  # already evening, and the weekend before it
        ("2026-03-27T20:00", "Europe/Madrid", "2026-03-30T06:30"),  # the clocks change on Sunday
        ("2026-03-02T09:00", None, "2026-03-02T09:00"),
    ],
)
def test_the_first_chance_is_the_next_opening_of_a_weekday(now: str, zone: str | None, chance: str) -> None:
    at, then = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (now, chance))
    assert first_chance(at, zone, TenantSettings()) == then
