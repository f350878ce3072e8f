"""What a beat of the ticker costs over a hundred thousand tenants: idle, with a few due, and with very many."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from domain.clock import SystemClock
from domain.db import Database
from jobs import tick
from tests import gears

TENANTS = 100_000


def test_what_a_beat_costs(cloned: gears.Clone) -> None:
    clock = SystemClock()
    database = Database(cloned.url(), clock)
    _settle(cloned)
    print(f"\n{TENANTS} tenants")
    idle = min(_seconds(clock, lambda: tick.claim(database)) for _ in range(50))
    print(f"idle beat                       {idle * 1000:8.2f} ms")
    few = []
    for _ in range(20):
        _make_due(cloned, 28)
        few.append(_seconds(clock, lambda: tick.claim(database)))
    print(f"28 due with work                {min(few) * 1000:8.2f} ms")
    _make_due(cloned, 20_000)
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute("TRUNCATE queue.procrastinate_jobs CASCADE")
    took = _seconds(clock, lambda: tick.claim(database, depth=20_000))
    print(f"20,000 due with work, one beat  {took * 1000:8.2f} ms ({20_000 / took:,.0f} tenants/s)")
    database.dispose()


def _settle(cloned: gears.Clone) -> None:
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute(
            f"""INSERT INTO hourhand.tenants (tenant_id, slug, name, created_at, updated_at)
                SELECT md5(n::text)::uuid, 't' || n, 'T', statement_timestamp(), statement_timestamp()
                FROM generate_series(1, {TENANTS}) n"""
        )
        connection.execute(
            """INSERT INTO hourhand.tenant_schedule (tenant_id, slot_offset_seconds, next_due_at)
               SELECT tenant_id, abs(hashtext(slug)) % 3600, statement_timestamp() + interval '1 day'
               FROM hourhand.tenants"""
        )
        connection.execute("VACUUM ANALYZE hourhand.tenant_schedule")


def _make_due(cloned: gears.Clone, count: int) -> None:
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute(
            f"""UPDATE hourhand.tenant_schedule SET next_due_at = statement_timestamp() - interval '1 s',
                    work_due_at = statement_timestamp() - interval '1 s'
                WHERE tenant_id IN (SELECT tenant_id FROM hourhand.tenant_schedule
                                    WHERE next_due_at > statement_timestamp() LIMIT {count})"""
        )


def _seconds(clock: SystemClock, work: Callable[[], object]) -> float:
    began = clock.monotonic()
    work()
    return clock.monotonic() - began
