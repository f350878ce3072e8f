"""Two schedulers at once, and cron besides: every slot is claimed once and run once, and one of them leads."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from admin_api import app
from domain import runs, schedule
from domain.db import Database, Row
from domain.house import House
from jobs import cycle, tick
from tests import build, gears, houses, staff
from tests.crash import kills
from tests.crash.kills import Ground
from tests.hand_clock import HandClock
from tests.staff import CLOCK, Hand, Room
from worker.leadership import SILENCE_SECONDS, Leadership

BEATS = int(os.environ.get("LAB_BEATS", "20"))
"""How many hours are ticked, each by several at once."""
TENANTS = 3
SECRET = "cron-secret-of-the-test"
PROMISE_SECONDS = 30
"""How long it may take until somebody else ticks."""


class Tickers:
    """Two schedulers and a cron of the operator's own, which beat in the same instant."""

    def __init__(self, first: House, second: House) -> None:
        client = TestClient(app.create(second, cron_secret=SECRET), base_url="http://127.0.0.1:8321")
        headers = {"Authorization": f"Bearer {SECRET}"}
        self._start = threading.Barrier(3)
        self._claims: list[Callable[[], int]] = [
            lambda: tick.run(first).slots,
            lambda: tick.run(second).slots,
            lambda: int(client.post("/cron/agent", headers=headers).json()["slots"]),
        ]

    def beat(self, pool: ThreadPoolExecutor) -> list[int]:
        """How many slots each of them claimed."""
        return list(pool.map(self._one, self._claims))

    def _one(self, claim: Callable[[], int]) -> int:
        self._start.wait(60)
        return claim()


def test_no_slot_is_claimed_or_run_twice(clone: Database, clock: HandClock, figures: Callable[..., None]) -> None:
    tenants = [build.tenant(clone, f"tenant-{letter}", {}) for letter in "abc"]
    claimed, twice = 0, 0
    with ExitStack() as open_houses, ThreadPoolExecutor(4) as pool:
        first, second = (open_houses.enter_context(houses.house(clone, holder=name)) for name in ("one", "two"))
        tickers = Tickers(first, second)
        for _ in range(BEATS):
            _work_for(clone, tenants)
            clock.advance(hours=1)
            claims = tickers.beat(pool)
            claimed += sum(claims)
            assert _queued(clone) == sorted(map(str, tenants))
            twice += sum(ended > 1 for ended in _both_run(pool, (first, second), tenants))
    figures("schedulers", beats=BEATS, tickers=3, slots=claimed, double_slots=claimed - BEATS * TENANTS,
            double_cycles=twice)  # fmt: skip
    assert (claimed, twice) == (BEATS * TENANTS, 0)
    for tenant in tenants:
        found = list(reversed(_runs(clone, tenant, limit=BEATS + 1)))
        assert [run["cycle_number"] for run in found] == list(range(1, BEATS + 1))
        assert len({run["slot_at"] for run in found}) == BEATS
        assert {run["outcome"] for run in found} == {"completed"}


def test_a_ticker_that_looks_and_then_moves_is_caught(clone: Database, clock: HandClock) -> None:
    """The negative control: two statements in place of one claim a slot twice, and this count sees it."""
    tenants = [build.tenant(clone, f"tenant-{letter}", {}) for letter in "abc"]
    clock.advance(hours=1)
    looked = threading.Barrier(2)

    def claim() -> int:
        with clone.wearing("dispatcher") as tx:
            due = tx.rows("SELECT tenant_id FROM hourhand.tenant_schedule WHERE next_due_at <= :now", now=tx.now)
        looked.wait(60)
        with clone.wearing("dispatcher") as tx:
            tx.run("UPDATE hourhand.tenant_schedule SET next_due_at = :now + interval '1 hour'", now=tx.now)
        return len(due)

    with ThreadPoolExecutor(2) as pool:
        assert sum(each.result() for each in [pool.submit(claim), pool.submit(claim)]) == 2 * len(tenants)


def test_one_leads_until_it_resigns_falls_silent_or_loses_the_database(clone: Database) -> None:
    first, second = Leadership(clone, "one", silence_seconds=600), Leadership(clone, "two", silence_seconds=0.5)
    assert [first.held(), second.held(), first.held()] == [True, False, True]
    first.resign()
    staff.until(second.held, what=lambda: "the end of the session that resigned", pause_seconds=0.05)
    # `second` says nothing for a while, as though its process were paused
    staff.until(first.held, what=lambda: "the server's end of the silent session", pause_seconds=0.05)
    assert [second.held(), second.held()] == [False, False]
    with clone.direct() as connection:
        connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE classid = 43 AND granted")
    assert [first.held(), first.held()] == [False, True], "whoever finds its lock gone asks anew at the next beat"
    for each in (first, second):
        each.resign()


@pytest.fixture(scope="module")
def ground(cluster: gears.Cluster, room: Room) -> Iterator[Ground]:
    clone = cluster.clone()
    with kills.ground(clone.url(), clone.admin_url, room, tenants=4) as made:
        yield made
    cluster.retire(clone)


def test_several_processes_share_the_hours_and_hand_the_ticking_over(
    ground: Ground, figures: Callable[..., None]
) -> None:
    hands = [ground.hire(), ground.hire()]
    for hand in hands:
        hand.up()
    took = {}
    hours = 0
    for how, number in (("killed", signal.SIGKILL), ("paused", signal.SIGSTOP)):
        hours += 1
        _strike(ground)
        staff.until(partial(_all_over, ground, hours), what=hands[-1].told)
        leader = _leader(ground, hands)
        began = CLOCK.monotonic()
        leader.tell(number)
        others = [hand for hand in hands if hand is not leader]
        staff.until(partial(_one_leads, others), what=leader.told)
        took[how] = round(CLOCK.monotonic() - began, 1)
        assert took[how] < PROMISE_SECONDS
        if how == "killed":
            hands = [*others, ground.hire()]
            hands[-1].up()
    # the paused one wakes, and finds that another leads
    leader.tell(signal.SIGCONT)
    leader.wait_for("scheduler.lead_lost")
    hours += 1
    _strike(ground)
    staff.until(partial(_all_over, ground, hours), what=leader.told)
    figures("leadership", killed_seconds=took["killed"], paused_seconds=took["paused"], silence=SILENCE_SECONDS)
    for tenant in ground.tenants:
        found = list(reversed(_runs(ground.database, tenant)))
        assert [run["cycle_number"] for run in found] == [1, 2, 3]
        assert len({run["slot_at"] for run in found}) == hours
        assert all(before["finished_at"] <= after["started_at"] for before, after in pairwise(found))
    assert [hand.end()[0] for hand in hands] == [0, 0]


def _work_for(database: Database, tenants: list[UUID]) -> None:
    for tenant in tenants:
        with database.tenant(tenant) as tx:
            schedule.bring_forward(tx, tx.now)


def _queued(database: Database) -> list[str]:
    """The tenants whose cycle waits in the queue, which is emptied."""
    with database.wearing("dispatcher") as tx:
        rows = tx.rows(
            "DELETE FROM queue.procrastinate_jobs WHERE task_name = 'cycle' RETURNING args ->> 'tenant_id' AS tenant"
        )
    return sorted(row["tenant"] for row in rows)


def _both_run(pool: ThreadPoolExecutor, both: tuple[House, House], tenants: list[UUID]) -> list[int]:
    """Both processes run every tenant's slot in the same instant; how many cycles each tenant had."""
    asked = [[pool.submit(cycle.run, house, tenant) for house in both] for tenant in tenants]
    return [sum(each.result() is not None for each in pair) for pair in asked]


def _runs(database: Database, tenant: UUID, limit: int = 50) -> list[Row]:
    with database.tenant(tenant) as tx:
        return runs.recent(tx, limit=limit)


def _one_leads(hands: list[Hand]) -> bool:
    return any("scheduler.leads" in hand.events() for hand in hands)


def _leader(ground: Ground, hands: list[Hand]) -> Hand:
    """The process that holds the ticker's lock."""
    rows = ground.look(
        """SELECT split_part(application_name, ':', 2) AS pid FROM pg_stat_activity JOIN pg_locks USING (pid)
           WHERE locktype = 'advisory' AND classid = 43 AND granted AND datname = current_database()"""
    )
    [leader] = [hand for hand in hands if str(hand.pid) in {row["pid"] for row in rows}]
    return leader


def _strike(ground: Ground) -> None:
    """A new slot for everybody, this very second, with work in it."""
    ground.look(
        """UPDATE tenant_schedule SET next_due_at = %(now)s, work_due_at = %(now)s,
               slot_offset_seconds = floor(extract(epoch FROM %(now)s))::bigint %% 3600 RETURNING tenant_id""",
        now=ground.database.clock.now(),
    )


def _all_over(ground: Ground, hours: int) -> bool:
    found = [_runs(ground.database, tenant) for tenant in ground.tenants]
    return all([run["finished_at"] is not None for run in each] == [True] * hours for each in found)
