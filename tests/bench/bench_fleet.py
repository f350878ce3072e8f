"""PF1: what a beat over a hundred thousand tenants costs, next to bare SQL, and what an idle tenant's hour costs."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import psycopg

from domain.db import Database
from jobs import tick
from tests import gears, houses
from tests.bench import fleet
from tests.bench.rivals import in_turn
from tests.hand_clock import A_MONDAY, HandClock

TENANTS = 100_000
WITH_WORK = TENANTS // 100

FOUND = """
    UPDATE hourhand.tenant_schedule SET next_due_at = next_due_at + interval '1 hour', last_slot_at = next_due_at
    WHERE tenant_id IN (SELECT tenant_id FROM hourhand.tenant_schedule WHERE enabled AND next_due_at <= %s
                        ORDER BY next_due_at LIMIT 2000 FOR UPDATE SKIP LOCKED)
    RETURNING tenant_id"""
LOOKED = """SELECT tenant_id FROM hourhand.tenant_schedule WHERE enabled AND next_due_at <= %s
            ORDER BY next_due_at LIMIT 2000 FOR UPDATE SKIP LOCKED"""
TIMES = (
    "SELECT sum(generic_plans + custom_plans)::int AS times FROM pg_prepared_statements WHERE statement LIKE 'WITH%%'"
)
QUEUED = """
    INSERT INTO queue.procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args)
    SELECT 'cycles', 'cycle', 0, 'tenant:' || each, 'cycle:' || each, jsonb_build_object('tenant_id', each)
    FROM unnest(%s::uuid[]) each ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING"""


def test_pf1_a_beat_next_to_bare_sql(cloned: gears.Clone, clock: HandClock, figures: Callable[..., None]) -> None:
    fleet.settle(cloned, TENANTS, A_MONDAY)
    clock.move_to(A_MONDAY)
    database = Database(cloned.url(), clock)
    with psycopg.connect(cloned.url("hourhand_app")) as bare:

        def ours(_round: int) -> None:
            assert tick.claim(database).jobs == WITH_WORK

        def peer(query: str) -> Callable[[int], None]:
            def work(_round: int) -> None:
                bare.execute("SELECT set_config('role', 'hourhand_dispatcher', true)")
                due = [row[0] for row in bare.execute(query, (A_MONDAY,))]
                assert bare.execute(QUEUED, (due,)).rowcount == WITH_WORK
                bare.commit()

            return work

        def before(_round: int) -> None:
            fleet.give_work(cloned, WITH_WORK, A_MONDAY)

        moved_on = in_turn(ours, peer(FOUND), rounds=9, before=before)
        left_due = in_turn(ours, peer(LOOKED), rounds=5, before=before)
    figures(
        "PF1 beat", tenants=TENANTS, with_work=WITH_WORK, bar=1.5, **moved_on.told(),
        against_a_query_that_moves_no_slot=left_due.told()["time_ratio"],
    )  # fmt: skip
    database.dispose()


def test_pf1_statements_of_a_beat(cloned: gears.Clone, clock: HandClock, figures: Callable[..., None]) -> None:
    database = Database(cloned.url(), clock)
    said = {}
    for idle in (0, 1_000, TENANTS):
        with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
            connection.execute("TRUNCATE hourhand.tenants CASCADE")
        fleet.settle(cloned, idle, A_MONDAY)
        clock.move_to(A_MONDAY)
        tick.claim(database)
        said[idle] = database.dispatch.row(TIMES, {})["times"]
        database.dispatch.close()
    figures("PF1 statements", by_idle_tenants=said, bar="the same for each")
    database.dispose()


def test_pf1_an_idle_hour(cloned: gears.Clone, clock: HandClock, figures: Callable[..., None]) -> None:
    """An hour's beats with all that they do, one after the other; processor time of all sides, twelfth by twelfth."""
    fleet.settle(cloned, TENANTS, A_MONDAY)
    clock.move_to(A_MONDAY)
    database = Database(cloned.url(), clock)
    server, ourselves = fleet.postmaster(cloned), fleet.ourselves()
    each = []
    with houses.house(database) as house, psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        tick.prepare(database)
        log = logged(admin)
        for _ in range(12):
            began, slots = fleet.processor_seconds(server, ourselves), 0
            for _ in range(300):
                beat = tick.run(house)
                slots += beat.slots
                assert not beat.mailboxes
                assert beat.slots == beat.idle
                clock.advance(seconds=1)
            each.append((fleet.processor_seconds(server, ourselves) - began) / slots * 1e6)
        log = logged(admin) - log
    database.dispose()
    figures(
        "PF1 idle hour", tenants=TENANTS, idle_tenant_hour_us=round(statistics.median(each), 1), bar=50,
        log_bytes=round(log / TENANTS), spread=[round(min(each), 1), round(max(each), 1)],
    )  # fmt: skip


def logged(admin: psycopg.Connection) -> int:
    """How many bytes PostgreSQL has written to its log so far."""
    row = admin.execute("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").fetchone()
    assert row is not None
    return int(row[0])
