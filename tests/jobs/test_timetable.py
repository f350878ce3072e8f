"""The timetable: every entry's slots come from any clock, and the page holds what the product promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from jobs import timetable
from jobs.timetable import CLEAN_UP, CYCLE, INGEST, RESCUE, TIMETABLE

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("entry", "after", "slot"),
    [
        (CYCLE, MONDAY, datetime(2026, 3, 2, 10, 0, tzinfo=UTC)),
        (CYCLE, MONDAY - timedelta(microseconds=1), MONDAY),
        (INGEST, MONDAY + timedelta(minutes=4, seconds=59), datetime(2026, 3, 2, 9, 5, tzinfo=UTC)),
        (CLEAN_UP, MONDAY, datetime(2026, 3, 3, 2, 0, tzinfo=UTC)),
        (CLEAN_UP, datetime(2028, 2, 28, 2, 0, tzinfo=UTC), datetime(2028, 2, 29, 2, 0, tzinfo=UTC)),
        (RESCUE, MONDAY + timedelta(seconds=5), MONDAY + timedelta(seconds=10)),
    ],
)
def test_the_next_slot_lies_strictly_after_the_instant(entry: timetable.Entry, after: datetime, slot: datetime) -> None:
    assert timetable.next_slot(entry, after) == slot


@pytest.mark.parametrize("entry", TIMETABLE, ids=lambda entry: entry.name)
@pytest.mark.parametrize("now", [MONDAY, MONDAY + timedelta(minutes=59, seconds=59), MONDAY + timedelta(days=200)])
@pytest.mark.parametrize("reach", [timedelta(0), timedelta(hours=1)])
def test_the_slots_around_an_instant_have_no_gap(entry: timetable.Entry, now: datetime, reach: timedelta) -> None:
    slots = timetable.slots_around(entry, now, reach=reach)
    assert slots[0] <= now - reach
    assert slots[-2] <= now < slots[-1]
    assert all(timetable.next_slot(entry, before) == after for before, after in pairwise(slots))


def test_summer_time_moves_no_slot() -> None:
    """Both nights of 2026 in Europe and America: slots are UTC's."""
    for night in (
        datetime(2026, 3, 29, tzinfo=UTC),
        datetime(2026, 10, 25, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC),
    ):
        slots = timetable.slots_around(CYCLE, night + timedelta(hours=23), reach=timedelta(hours=23))
        assert [slot.hour for slot in slots] == [*range(24), 0]


def test_the_page_lists_each_entry_once_and_says_how_late_is_too_late() -> None:
    names = [entry.name for entry in TIMETABLE]
    assert len(set(names)) == len(names)
    assert all(entry.too_late_seconds > 0 and entry.caption.endswith(".") for entry in TIMETABLE)
    assert {entry.cron for entry in TIMETABLE} >= {"0 * * * *", "*/5 * * * *", "0 2 * * *"}
    assert timetable.named("cycle") is CYCLE
