"""Checks over years: whatever is moved, paused or edited meanwhile, each record has one check of each period meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from domain import clients, settings
from domain import compliance_changes as changes
from domain import compliance_checks as checks
from domain import compliance_generation as generation
from domain import compliance_schedules as schedules
from domain.db import Database
from tests import build, gears
from tests.hand_clock import HandClock

ZONES = {"US": "America/New_York", "IL": "Asia/Jerusalem", "CL": "America/Santiago", "AE": "Asia/Dubai"}
WEEKENDS = {"US": (5, 6), "IL": (4, 5), "CL": (5, 6), "AE": (5, 6)}
"""By `date.weekday`; people in Israel work from Sunday to Thursday."""
MONTHS = {"monthly": 1, "quarterly": 3, "semi_annual": 6, "annual": 12}
NEW_YORK = ZoneInfo("America/New_York")
WINDOW = timedelta(days=14)

HAPPENINGS = ["", "", "", "move", "rest", "return", "edit", "pause", "resume", "away", "batch"]
STEPS = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from(HAPPENINGS), st.sampled_from(sorted(ZONES))), min_size=14, max_size=14
)
PAUSED = [(4, "pause", "US"), (1, "resume", "US")] * 4
RESTING = [(9, what, "US") for what in ("rest", "", "", "return", "", "")]


@pytest.fixture(scope="module")
def database(cluster: gears.Cluster) -> Iterator[Database]:
    """One for all examples: each has a tenant of its own."""
    clone = cluster.clone()
    opened = Database(clone.url(), HandClock())
    yield opened
    opened.dispose()
    cluster.retire(clone)


def falls(anchor: date, every: str, period: int) -> date:
    """The calendar by trial: the anchor's day in that month, else the last day before it that there is."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + period * MONTHS[every], 12)
    for day in range(anchor.day, 0, -1):
        try:
            return date(year, month + 1, day)
        except ValueError:
            continue
    raise AssertionError


def works(country: str, day: date) -> bool:
    """Whether people there work on a day, by the table of weekends and the list of their holidays."""
    return day.weekday() not in WEEKENDS[country] and day not in holidays.country_holidays(country, years=day.year)


class Book:
    """One tenant's schedule over the years beside what is expected of it."""

    def __init__(self, database: Database, clock: HandClock, every: str, anchor: date) -> None:
        self.database, self.clock, self.every, self.anchor = database, clock, every, anchor
        clock.move_to(datetime.combine(anchor - timedelta(days=40), time(15), UTC))
        self.tenant = build.tenant(database, f"t{clock.uuid().hex[:20]}", {"timezone": NEW_YORK.key, "country": "US"})
        self.where = {"First": "US", "Second": "IL"}
        self.active, self.active_before, self.resting = True, True, set[str]()
        self.required = ["language"]
        self.expected: dict[tuple[str, date], str] = {}
        self.period = 0
        with self.tx() as tx:
            self.ids = {name: build.client(tx, name, country=country, timezone=ZONES[country])
                        for name, country in self.where.items()}  # fmt: skip
            self.schedule = schedules.create(tx, name="Records", frequency=every, applies_to="client",
                                             anchor_on=anchor, required_fields=self.required).id  # fmt: skip
            assert settings.of(tx).zone == NEW_YORK

    def tx(self) -> Any:
        return self.database.tenant(self.tenant, actor="test")

    def pass_(self, days: int) -> None:
        """Days pass: so many, or where nothing is to be done for long, until about the next window."""
        now = self.clock.now()
        opens = datetime.combine(falls(self.anchor, self.every, self.period) - WINDOW, time(15), UTC)
        quiet = (opens - now).days - 6 if self.active else 0
        self.clock.advance(days=max(days, quiet + days))

    def happens(self, what: str, country: str) -> None:
        """Something is moved, paused or edited."""
        moved = "First" if country < "IL" else "Second"
        with self.tx() as tx:
            if what == "move":
                self.where[moved] = country
                clients.upsert(tx, client_id=self.ids[moved], country=country, timezone=ZONES[country])
            elif what in ("rest", "return"):
                self.resting = {moved} if what == "rest" else set()
                for name, one in self.ids.items():
                    clients.upsert(tx, client_id=one, status="inactive" if name in self.resting else "active")
            elif what == "edit":
                self.required = ["country", "language"] if len(self.required) == 1 else ["language"]
                changes.change(tx, self.schedule, required_fields=self.required, name=f"Records {len(self.required)}")
            elif what in ("pause", "resume"):
                self.active_before, self.active = self.active, what == "resume"
                changes.change(tx, self.schedule, active=self.active)
        if what in ("pause", "away"):
            # the schedule rests, or nobody is at work: long enough to miss something
            self.clock.advance(days=20 * MONTHS[self.every])

    def swept(self, *, in_batches: bool) -> None:
        """The engine's hour, some records at a time if so; what it is to have made is noted by the calendar alone."""
        for _ in range(3 if in_batches else 1):
            with self.tx() as tx:
                generation.generate(tx, self.schedule, limit=1 if in_batches else None)
        now = self.clock.now()
        today = now.astimezone(NEW_YORK).date()
        while self.active and self.opens(self.period) <= now:
            # a period that went by unmade is passed over once the next one's window is open, and by a pause
            if falls(self.anchor, self.every, self.period) >= today or self.opens(self.period + 1) > now:
                self.expected |= {(name, falls(self.anchor, self.every, self.period)): self.where[name]
                                  for name in self.ids if name not in self.resting}  # fmt: skip
            self.period += 1

    def opens(self, period: int) -> datetime:
        return datetime.combine(falls(self.anchor, self.every, period) - WINDOW, time(), NEW_YORK)

    def told(self) -> dict[tuple[str, date], str]:
        """The checks that there are, by record and period, each on the right day where its record was then."""
        names = {one: name for name, one in self.ids.items()}
        with self.tx() as tx:
            some = checks.listed(tx, schedule_id=self.schedule, limit=1_000)
        found = {(names[each.entity_id], each.period): each for each in some}
        assert len(found) == len(some)
        for key, each in found.items():
            country = self.expected.get(key)
            assert country is not None, f"nobody meant a check of {key}"
            day = each.period
            while not works(country, day):
                day += timedelta(days=1)
            over = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(ZONES[country]))
            assert (each.due_on, each.due_at) == (day, over), country
        return {key: self.expected[key] for key in found}


@example_settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(every=st.sampled_from(sorted(MONTHS)), anchor=st.dates(date(2023, 1, 1), date(2030, 12, 31)), steps=STEPS)
@example(every="quarterly", anchor=date(2023, 8, 31), steps=[(3, "", "US")] * 14)
@example(every="annual", anchor=date(2024, 2, 29), steps=[(5, "batch", "US")] * 14)
@example(every="monthly", anchor=date(2026, 1, 31), steps=[(2, "away", "US"), (9, "", "US"), (3, "", "US")] * 4)
# a Sunday that is a working day in Israel, and from there a holiday of theirs on the due day
@example(every="semi_annual", anchor=date(2026, 3, 29), steps=[(6, "move", "IL")] * 7 + [(6, "", "IL")] * 7)
@example(every="monthly", anchor=date(2026, 1, 31), steps=[(9, "edit", "CL"), (9, "batch", "CL")] * 7)
@example(every="monthly", anchor=date(2025, 7, 4), steps=PAUSED + RESTING)
def test_each_record_has_one_check_of_each_period_that_was_meant(
    database: Database, every: str, anchor: date, steps: list[tuple[int, str, str]]
) -> None:
    clock = database.clock
    assert isinstance(clock, HandClock)
    book = Book(database, clock, every, anchor)
    for days, what, country in steps:
        book.pass_(days)
        book.happens(what, country)
        resumed_into(book, what)
        book.swept(in_batches=what == "batch")
    assert book.told() == book.expected


def resumed_into(book: Book, what: str) -> None:
    """Switched on again, a schedule goes on with the first period that falls today or later.

    Where the checks of that are made already, who is new joins it.
    """
    if what == "resume" and not book.active_before:
        today = book.clock.now().astimezone(NEW_YORK).date()
        while falls(book.anchor, book.every, book.period) < today:
            book.period += 1
        if book.period and falls(book.anchor, book.every, book.period - 1) >= today:
            joined = {(name, falls(book.anchor, book.every, book.period - 1)): book.where[name]
                      for name in book.ids if name not in book.resting}  # fmt: skip
            book.expected = joined | book.expected


def test_a_wide_window_never_has_two_periods_open_at_once(database: Database) -> None:
    clock = database.clock
    assert isinstance(clock, HandClock)
    clock.move_to(datetime(2026, 3, 2, 15, tzinfo=UTC))
    tenant: UUID = build.tenant(database, "wide", {"compliance_window_days": 90})
    with database.tenant(tenant, actor="test") as tx:
        account = build.client(tx)
        one = schedules.create(tx, name="Phones", frequency="monthly", applies_to="client", anchor_on=date(2026, 3, 31),
                               required_fields=["contact_phone"])  # fmt: skip
        assert [generation.generate(tx), generation.generate(tx)] == [1, 0]
        assert schedules.get(tx, one.id).opens_at(settings.of(tx)).date() == date(2026, 3, 31)
    clock.move_to(datetime(2026, 3, 31, 15, tzinfo=UTC))
    with database.tenant(tenant, actor="test") as tx:
        assert generation.generate(tx) == 1
        assert [each.period for each in checks.listed(tx, client_id=account)] == [date(2026, 4, 30), date(2026, 3, 31)]
