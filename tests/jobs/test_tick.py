"""The ticker: no slot twice, none lost, one statement; whatever is due is queued once however many processes look."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, event

from domain import schedule
from domain.db import Database, Row
from jobs import tick
from jobs.tick import Beat
from tests import build, gears
from tests.hand_clock import HandClock

HOUR = timedelta(hours=1)


def test_a_tenant_with_work_gets_a_job_and_an_idle_one_an_idle_hour(clone: Database, clock: HandClock) -> None:
    acme, globex = _two(clone)
    _busy(clone, acme)
    clock.advance(hours=1)
    beat = tick.claim(clone)
    assert (beat.slots, beat.idle, beat.jobs) == (2, 1, 1)
    assert _queued(clone) == [("cycles", "cycle", str(acme))]
    assert [_line(clone, each)["idle_hours"] for each in (acme, globex)] == [0, 1]


def test_a_second_beat_in_the_same_hour_finds_nothing(clone: Database, clock: HandClock) -> None:
    _two(clone)
    clock.advance(hours=1)
    tick.claim(clone)
    assert tick.claim(clone) == Beat(slots=0, idle=0, mailboxes=0, jobs=0, at_once=())


def test_missed_hours_become_one_cycle_of_the_latest_slot(clone: Database, clock: HandClock) -> None:
    acme, _ = _two(clone)
    _busy(clone, acme)
    clock.advance(hours=7, minutes=30)
    assert tick.claim(clone).slots == 2
    line = _line(clone, acme)
    assert line["last_slot_at"] <= clock.now() < line["next_due_at"]
    assert line["next_due_at"] - line["last_slot_at"] == HOUR
    assert len(_queued(clone)) == 1


def test_a_tenant_keeps_its_place_in_the_hour(clone: Database, clock: HandClock) -> None:
    acme, _ = _two(clone)
    offset = _line(clone, acme)["slot_offset_seconds"]
    for gap in (61, 7, 340, 59, 60):
        clock.advance(minutes=gap)
        tick.claim(clone)
        assert (_line(clone, acme)["next_due_at"].timestamp() - offset) % 3600 == 0


@pytest.mark.parametrize("seed", range(4))
def test_over_days_no_slot_comes_twice_and_none_is_lost(clone: Database, clock: HandClock, seed: int) -> None:
    """Beats at random moments, some hours apart: each claims exactly the latest slot that has passed, if it is new."""
    acme, _ = _two(clone)
    chance, claimed, idle = random.Random(seed), list[datetime](), 0
    offset = timedelta(seconds=_line(clone, acme)["slot_offset_seconds"])
    founded = clock.now()
    while clock.now() < founded + timedelta(days=3):
        clock.advance(seconds=chance.choice((1, 30, 600, 3000, 9000, 30_000)) * chance.random())
        before = _line(clone, acme)
        beat = tick.claim(clone)
        after = _line(clone, acme)
        latest = (clock.now() - offset).replace(minute=0, second=0, microsecond=0) + offset
        if after["last_slot_at"] != before["last_slot_at"]:
            claimed.append(after["last_slot_at"])
            idle += 1
            assert beat.slots >= 1
        assert after["last_slot_at"] == (latest if latest > founded else None)
        assert after["next_due_at"] == latest + HOUR
    assert claimed == sorted(set(claimed))
    assert _line(clone, acme)["idle_hours"] == idle == len(claimed)


def test_work_in_between_brings_an_extra_cycle_five_minutes_after_the_last(clone: Database, clock: HandClock) -> None:
    acme, _ = _two(clone)
    clock.advance(hours=1, minutes=10)
    tick.claim(clone)
    with clone.tenant(acme) as tx:
        tx.run("UPDATE tenant_schedule SET last_cycle_at = :now WHERE tenant_id = :t", now=tx.now, t=acme)
        schedule.bring_forward(tx, tx.now, extra=True)
    clock.advance(minutes=4, seconds=59)
    assert tick.claim(clone).jobs == 0
    clock.advance(seconds=1)
    assert tick.claim(clone).jobs == 1
    assert _queued(clone) == [("cycles", "extra_cycle", str(acme))]
    assert _line(clone, acme)["extra_due_at"] is None
    assert tick.claim(clone).jobs == 0


def test_the_hours_slot_takes_waiting_extra_work_along(clone: Database, clock: HandClock) -> None:
    acme, _ = _two(clone)
    with clone.tenant(acme) as tx:
        schedule.bring_forward(tx, tx.now + timedelta(minutes=58), extra=True)
    clock.advance(hours=1)
    beat = tick.claim(clone)
    assert (beat.jobs, beat.idle) == (1, 1)
    assert _queued(clone) == [("cycles", "cycle", str(acme))]
    assert _line(clone, acme)["extra_due_at"] is None


def test_a_disabled_tenant_is_left_alone(clone: Database, clock: HandClock) -> None:
    acme, _ = _two(clone)
    with clone.tenant(acme) as tx:
        tx.run("UPDATE tenant_schedule SET enabled = false WHERE tenant_id = :t", t=acme)
    before = _line(clone, acme)
    clock.advance(hours=5)
    assert tick.claim(clone).slots == 1
    assert _line(clone, acme) == before


def test_a_job_that_still_waits_is_not_queued_again(clone: Database, clock: HandClock) -> None:
    acme, _ = _two(clone)
    _busy(clone, acme)
    for _ in range(3):
        clock.advance(hours=1)
        tick.claim(clone)
    assert len(_queued(clone)) == 1


def test_mailboxes_are_polled_every_five_minutes_and_reconciled_once_an_hour(clone: Database, clock: HandClock) -> None:
    acme, globex = _two(clone)
    for tenant in (acme, globex):
        _syncs(clone, tenant)
    asked: Counter[str] = Counter()
    for _ in range(6 * 60):
        tick.claim(clone)
        asked.update(task for _, task, tenant in _taken(clone) if tenant == str(acme))
        clock.advance(minutes=1)
    assert asked["reconcile"] == 6
    assert 70 <= asked["ingest"] <= 73


def test_few_mailboxes_get_a_job_each_and_many_share(clone: Database, clock: HandClock) -> None:
    for number in range(tick.MAILBOX_JOBS * 3):
        _syncs(clone, build.tenant(clone, f"tenant-{number}", {}))
    assert tick.claim(clone).mailboxes == tick.MAILBOX_JOBS * 3
    jobs = [tenants for _, task, tenants in _taken(clone) if task == "ingest"]
    assert len(jobs) <= tick.MAILBOX_JOBS + 1
    everybody = [tenant for tenants in jobs for tenant in tenants.split(",")]
    assert len(everybody) == len(set(everybody)) == tick.MAILBOX_JOBS * 3


def test_a_full_queue_leaves_tenants_due(clone: Database, clock: HandClock) -> None:
    tenants = [build.tenant(clone, f"tenant-{number}", {}) for number in range(5)]
    for tenant in tenants:
        _busy(clone, tenant)
    clock.advance(hours=1)
    assert tick.claim(clone, depth=3).jobs == 3
    assert tick.claim(clone, depth=3).slots == 0
    _taken(clone)
    assert tick.claim(clone, depth=3).jobs == 2


def test_the_houses_entries_come_once_per_slot(clone: Database, clock: HandClock) -> None:
    tick.prepare(clone)
    tick.prepare(clone)
    clock.advance(days=1)
    beat = tick.claim(clone)
    assert beat.at_once == ("rescue",)
    assert sorted(task for _, task, _ in _queued(clone)) == ["clean_up", "compare", "watch"]
    assert tick.claim(clone).at_once == ()
    clock.advance(seconds=10)
    assert tick.claim(clone).at_once == ("rescue",)


def test_an_entry_that_left_the_timetable_loses_its_line(clone: Database) -> None:
    with clone.wearing("dispatcher") as tx:
        tx.run("INSERT INTO queue.house_slots (entry, next_due_at) VALUES ('gone', :now)", now=tx.now)
    tick.prepare(clone)
    with clone.wearing("dispatcher") as tx:
        assert not tx.value("SELECT count(*) FROM queue.house_slots WHERE entry = 'gone'")


def test_a_beat_is_one_statement_and_planned_once(clone: Database, clock: HandClock) -> None:
    acme, _ = _two(clone)
    _busy(clone, acme)
    _syncs(clone, acme)
    tick.prepare(clone)
    with _statements() as said:
        for _ in range(7):
            tick.claim(clone)
            clock.advance(hours=1)
    assert said == []
    kept = clone.dispatch.row(
        """SELECT count(*) AS statements, sum(generic_plans) AS planned_once, sum(custom_plans) AS planned_anew
           FROM pg_prepared_statements WHERE statement LIKE 'WITH%%'""",
        {},
    )
    assert kept == {"statements": 1, "planned_once": 7, "planned_anew": 0}


def test_a_lost_connection_costs_one_beat(clone: Database, cloned: gears.Clone, clock: HandClock) -> None:
    _two(clone)
    clock.advance(hours=1)
    clone.dispatch.row("SELECT 1", {})
    with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        admin.execute(
            """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
               WHERE application_name = 'hourhand-dispatch' AND datname = current_database()"""
        )
    with pytest.raises(psycopg.OperationalError):
        tick.claim(clone)
    assert tick.claim(clone).slots == 2


def test_two_tickers_at_once_never_claim_one_slot_twice(cloned: gears.Clone, clock: HandClock) -> None:
    first, second = (Database(cloned.url(), clock) for _ in range(2))
    everybody = [build.tenant(first, f"tenant-{number}", {}) for number in range(12)]
    for tenant in everybody:
        _busy(first, tenant)
        _syncs(first, tenant)
    tick.prepare(first)
    for _ in range(100):
        clock.advance(hours=1)
        beats = _together(lambda: tick.claim(first), lambda: tick.claim(second))
        assert sum(beat.slots for beat in beats) == len(everybody)
        assert sum(beat.mailboxes for beat in beats) == len(everybody)
        assert sum(len(beat.at_once) for beat in beats) == 1
        cycles = [tenant for _, task, tenant in _taken(first) if task == "cycle"]
        assert sorted(cycles) == sorted(map(str, everybody))
    first.dispose()
    second.dispose()


def _together(*works: Callable[[], Beat]) -> list[Beat]:
    start = threading.Barrier(len(works))

    def on_the_mark(work: Callable[[], Beat]) -> Beat:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(on_the_mark, works))


@contextmanager
def _statements() -> Iterator[list[str]]:
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


def _two(database: Database) -> tuple[UUID, UUID]:
    return build.tenant(database, "acme", {}), build.tenant(database, "globex", {})


def _busy(database: Database, tenant: UUID) -> None:
    with database.tenant(tenant) as tx:
        schedule.bring_forward(tx, tx.now)


def _syncs(database: Database, tenant: UUID) -> None:
    with database.tenant(tenant) as tx:
        tx.run(
            "UPDATE tenant_schedule SET sync_enabled = true, gmail_due_at = :now WHERE tenant_id = :t",
            now=tx.now,
            t=tenant,
        )


def _line(database: Database, tenant: UUID) -> Row:
    with database.tenant(tenant) as tx:
        row = tx.row("SELECT * FROM tenant_schedule WHERE tenant_id = :t", t=tenant)
    assert row is not None
    return row


def _queued(database: Database) -> list[tuple[str, str, str]]:
    with database.wearing("dispatcher") as tx:
        rows = tx.rows(
            """SELECT queue_name, task_name, coalesce(args->>'tenant_id', (
                   SELECT string_agg(each, ',') FROM jsonb_array_elements_text(args->'tenant_ids') each), '') AS whose
               FROM queue.procrastinate_jobs WHERE status = 'todo' ORDER BY id"""
        )
    return [(row["queue_name"], row["task_name"], row["whose"]) for row in rows]


def _taken(database: Database) -> list[tuple[str, str, str]]:
    """What is queued; the queue is empty afterwards, as if workers had done it."""
    jobs = _queued(database)
    with database.wearing("dispatcher") as tx:
        tx.run("DELETE FROM queue.procrastinate_jobs")
    return jobs
