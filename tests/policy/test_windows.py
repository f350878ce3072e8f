"""A deferral ends inside the recipient's hours, and later than now: over clock changes, leap days and holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policy import windows
from policy.windows import Hours

PLACES = (
    ("America/New_York", "US"), ("America/Santiago", "CL"), ("America/Sao_Paulo", "BR"), ("America/Mexico_City", "MX"),
    ("America/St_Johns", "CA"), ("Europe/Madrid", "ES"), ("Europe/London", "GB"), ("Africa/Cairo", "EG"),
    ("Asia/Jerusalem", "IL"), ("Asia/Kathmandu", "NP"), ("Australia/Lord_Howe", "AU"), ("Pacific/Chatham", "NZ"),
)  # fmt: skip
CHANGES = (
    datetime(2026, 3, 8, 6, 30, tzinfo=UTC), datetime(2026, 11, 1, 5, 30, tzinfo=UTC),  # New York
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # Madrid
    datetime(2026, 4, 5, 2, 30, tzinfo=UTC), datetime(2026, 9, 6, 3, 30, tzinfo=UTC),  # Santiago, at midnight
    datetime(2028, 2, 29, 3, 0, tzinfo=UTC), datetime(2027, 12, 31, 23, 0, tzinfo=UTC),
)  # fmt: skip
FIRST, LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2024, 2030))
INSTANTS = st.integers(FIRST, LAST).map(lambda at: datetime.fromtimestamp(at, UTC)) | st.sampled_from(CHANGES)
STARTS = st.times(time(0), time(22)).map(lambda at: at.replace(microsecond=0))


@given(INSTANTS, st.sampled_from(PLACES))
def test_a_deferral_ends_inside_the_window_and_later_than_now(now: datetime, place: tuple[str, str]) -> None:
    hours = Hours(ZoneInfo(place[0]), place[1], time(8, 30), time(17, 30))
    until = hours.next_open(now)
    assert hours.is_open(until)
    assert until == now if hours.is_open(now) else until > now
    wall = until.astimezone(hours.zone)
    assert time(8, 30) <= wall.time() < time(17, 30)
    assert windows.is_business_day(place[1], wall.date())
    assert windows.holiday(place[1], wall.date()) is None


@given(INSTANTS, st.sampled_from(PLACES), STARTS, st.integers(10, 120))
@example(datetime(2026, 3, 6, 23, 0, tzinfo=UTC), ("America/New_York", "US"), time(2, 15), 30)
def test_any_window_opens_again_even_one_that_a_clock_change_swallows(
    now: datetime, place: tuple[str, str], start: time, minutes: int
) -> None:
    end = (datetime.combine(date(2026, 1, 1), start, UTC) + timedelta(minutes=minutes)).time()
    if end <= start:
        return
    hours = Hours(ZoneInfo(place[0]), place[1], start, end)
    until = hours.next_open(now)
    assert until >= now
    assert hours.is_open(until)


@given(INSTANTS, st.sampled_from(PLACES))
def test_no_opening_is_missed(now: datetime, place: tuple[str, str]) -> None:
    hours = Hours(ZoneInfo(place[0]), place[1], time(8, 30), time(17, 30))
    until = hours.next_open(now)
    before = until - timedelta(minutes=1)
    assert until == now or before < now or not hours.is_open(before)
    quarter = now + timedelta(minutes=15 - now.minute % 15, seconds=-now.second, microseconds=-now.microsecond)
    while quarter < min(until, now + timedelta(days=4)):
        assert not hours.is_open(quarter)
        quarter += timedelta(minutes=15)


@given(INSTANTS, st.sampled_from(PLACES))
def test_a_day_is_the_tenants_own_and_has_no_gap(now: datetime, place: tuple[str, str]) -> None:
    zone = ZoneInfo(place[0])
    start, end = windows.day_of(now, zone)
    assert start <= now < end
    assert timedelta(hours=22) < end - start < timedelta(hours=26)
    assert windows.day_of(end, zone)[0] == end
    assert windows.day_of(end - timedelta(microseconds=1), zone) == (start, end)


def test_a_day_on_which_midnight_is_skipped_begins_at_the_change() -> None:
    start, end = windows.day_of(datetime(2026, 9, 6, 12, 0, tzinfo=UTC), ZoneInfo("America/Santiago"))
    assert (start, end - start) == (datetime(2026, 9, 6, 4, 0, tzinfo=UTC), timedelta(hours=23))


def test_an_hour_begins_when_it_strikes() -> None:
    at = datetime(2026, 3, 2, 9, 59, 59, 999, tzinfo=UTC)
    assert windows.hour_of(at) == (datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 10, tzinfo=UTC))


@pytest.mark.parametrize(
    ("country", "preferred", "zone"),
    [
        ("CL", "UTC", "America/Santiago"), ("US", "America/Denver", "America/Denver"),
        ("US", "UTC", "America/New_York"),
        ("ES", "Europe/London", "Europe/Madrid"), ("XX", "Europe/London", "Europe/London"),
    ],
)  # fmt: skip
def test_a_country_gives_its_best_known_zone(country: str, preferred: str, zone: str) -> None:
    assert windows.zone_in(country, ZoneInfo(preferred)).key == zone


@pytest.mark.parametrize(
    "name", ["", None, "Nowhere", "../../etc/passwd", "/etc/localtime", "America", "Europe/Madrid\x00"]
)
def test_a_zone_that_does_not_exist_is_none(name: str | None) -> None:
    assert windows.zone(name) is None


def test_a_weekend_day_that_is_worked_is_a_business_day() -> None:
    assert windows.is_business_day("CN", date(2026, 2, 14))
    assert not windows.is_business_day("CN", date(2026, 2, 21))
    assert windows.is_business_day("XX", date(2026, 2, 20))


def test_a_window_that_never_opens_is_an_error() -> None:
    with pytest.raises(ValueError, match="no opening"):
        Hours(ZoneInfo("UTC"), "US", time(9), time(9)).next_open(CHANGES[0])
