"""The calendar of compliance: over years, leap days and changed clocks no period is skipped or doubled."""

from __future__ import annotations

import itertools
from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain import compliance_dates as calendar
from domain import workdays
from domain.compliance_dates import MONTHS, Frequency

ANCHORS = st.dates(date(2015, 1, 1), date(2045, 12, 31))
FREQUENCIES = st.sampled_from(sorted(MONTHS))
PLACES = st.sampled_from([
    ("US", "America/New_York"), ("PT", "Europe/Lisbon"), ("BR", "America/Sao_Paulo"), ("CL", "America/Santiago"),
    ("AE", "Asia/Dubai"), ("IL", "Asia/Jerusalem"), ("NZ", "Pacific/Chatham"), ("AU", "Australia/Lord_Howe"),
    ("WS", "Pacific/Apia"), ("KI", "Pacific/Kiritimati"), ("CN", "Asia/Shanghai"), ("MA", "Africa/Casablanca"),
])  # fmt: skip
FIVE_YEARS = timedelta(days=5 * 366)


@given(anchor=ANCHORS, frequency=FREQUENCIES)
@example(anchor=date(2024, 2, 29), frequency="annual")
@example(anchor=date(2023, 12, 31), frequency="monthly")
def test_each_month_that_is_meant_has_its_one_period_on_the_anchors_day(anchor: date, frequency: Frequency) -> None:
    days = [calendar.falls_on(anchor, frequency, period) for period in range(64)]
    months = [day.year * 12 + day.month for day in days]
    assert days[0] == anchor
    assert {after - before for before, after in itertools.pairwise(months)} == {MONTHS[frequency]}
    for day in days:
        is_last = (day + timedelta(days=1)).day == 1
        assert day.day == anchor.day or (is_last and day.day < anchor.day)


@given(anchor=ANCHORS, frequency=FREQUENCIES, later=st.integers(-800, 4_000))
def test_the_first_period_from_a_day_on_is_the_first(anchor: date, frequency: Frequency, later: int) -> None:
    day = anchor + timedelta(days=later)
    period = calendar.first_from(anchor, frequency, day)
    assert calendar.falls_on(anchor, frequency, period) >= day
    assert period == 0 or calendar.falls_on(anchor, frequency, period - 1) < day


@settings(max_examples=50)
@given(anchor=ANCHORS, frequency=FREQUENCIES, place=PLACES, window=st.integers(0, 27))
def test_hour_by_hour_over_years_every_period_opens_once_and_is_due_on_a_business_day(
    anchor: date, frequency: Frequency, place: tuple[str, str], window: int
) -> None:
    """The sweep as the engine does it: a period opens when its window does, and the next one takes its place."""
    country, zone = place[0], ZoneInfo(place[1])
    first = calendar.falls_on(anchor, frequency, 0)
    now = workdays.midnight(first - timedelta(days=window + 3), zone)
    until = now + FIVE_YEARS
    period = calendar.first_from(anchor, frequency, now.astimezone(zone).date())
    opened = []
    while now < until:
        falls = calendar.falls_on(anchor, frequency, period)
        opens = workdays.midnight(falls - timedelta(days=window), zone)
        if opens > now:
            # nothing to do before: the engine says so, and is not asked
            now = opens
            continue
        due = calendar.due(falls, country, zone)
        assert falls <= due.on <= falls + timedelta(days=14)
        assert workdays.is_business_day(country, due.on)
        assert workdays.holiday(country, due.on) is None
        assert opens < due.at
        opened.append((falls, due))
        period += 1
    wished = calendar.first_from(anchor, frequency, until.astimezone(zone).date())
    assert len({falls for falls, _ in opened}) == len(opened) >= 5 * 12 // MONTHS[frequency] - 1
    assert [falls for falls, _ in opened] == [
        calendar.falls_on(anchor, frequency, each) for each in range(period - len(opened), period)
    ]
    assert wished <= period
    dues = [due.at for _, due in opened]
    assert dues == sorted(set(dues))


@pytest.mark.parametrize(
    ("falls", "country", "zone", "on", "at"),
    [
        # Good Friday and Easter Monday, then a working Tuesday in summer time
        (date(2026, 4, 3), "DE", "Europe/Berlin", date(2026, 4, 7), "2026-04-07T22:00:00+00:00"),
        # a Saturday that is a working day where the weekend is Friday
        (date(2026, 5, 30), "EG", "Africa/Cairo", date(2026, 5, 31), "2026-05-31T21:00:00+00:00"),
        # the night in which clocks in Santiago skip midnight itself
        (date(2026, 9, 4), "CL", "America/Santiago", date(2026, 9, 4), "2026-09-05T04:00:00+00:00"),
        (date(2028, 2, 29), "US", "America/New_York", date(2028, 2, 29), "2028-03-01T05:00:00+00:00"),
    ],
)
def test_a_check_is_due_at_the_end_of_a_business_day_there(
    falls: date, country: str, zone: str, on: date, at: str
) -> None:  # fmt: skip
    due = calendar.due(falls, country, ZoneInfo(zone))
    assert (due.on, due.at.astimezone(UTC).isoformat()) == (on, at)
