"""The scheduler: one job a second, which goes on after a failure and stops with the process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import psycopg

from domain import schedule
from domain.clock import SystemClock
from domain.db import Database
from jobs import tick
from tests import build, gears, houses
from worker.scheduler import Scheduler

CLOCK = SystemClock()


def test_it_ticks_by_itself_and_outlives_a_database_that_goes_away(cloned: gears.Clone, database: Database) -> None:
    acme = build.tenant(database, "acme", {})
    tick.prepare(database)
    counts: Counter[str] = Counter()
    with houses.house(database) as house:
        scheduler = Scheduler(house, depth=100, count=lambda task, result: counts.update([f"{task} {result}"]))
        scheduler.start()
        try:
            _eventually(lambda: counts["tick done"] > 0)
            with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
                connection.execute("ALTER TABLE hourhand.tenant_schedule RENAME TO gone")
                _eventually(lambda: counts["tick failed"] > 0)
                connection.execute("ALTER TABLE hourhand.gone RENAME TO tenant_schedule")
            with database.tenant(acme) as tx:
                schedule.bring_forward(tx, tx.now)
                tx.run("UPDATE tenant_schedule SET next_due_at = :now WHERE tenant_id = :t", now=tx.now, t=acme)
            # what the house does by the clock may fall due meanwhile
            _eventually(lambda: _waiting(database).count("cycle") == 1)
        finally:
            scheduler.stop()
        done = counts["tick done"]
        CLOCK.wait(1.5)
        assert counts["tick done"] <= done + 1


def test_a_process_that_leaves_claims_nothing_more(database: Database) -> None:
    acme = build.tenant(database, "acme", {})
    with database.tenant(acme) as tx:
        schedule.bring_forward(tx, tx.now)
        tx.run("UPDATE tenant_schedule SET next_due_at = :now WHERE tenant_id = :t", now=tx.now, t=acme)
    with houses.house(database) as house:
        house.leaving.set()
        scheduler = Scheduler(house, depth=100, count=lambda _task, _result: None)
        scheduler.start()
        CLOCK.wait(1.5)
        scheduler.stop()
    assert _waiting(database) == []


def _waiting(database: Database) -> list[str]:
    with database.wearing("dispatcher") as tx:
        return [row["task_name"] for row in tx.rows("SELECT task_name FROM queue.procrastinate_jobs ORDER BY id")]


def _eventually(holds: Callable[[], bool]) -> None:
    until = CLOCK.monotonic() + 60
    while not holds():
        assert CLOCK.monotonic() < until, "it did not come to pass"
        CLOCK.wait(0.05)
