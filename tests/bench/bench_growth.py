"""PF12: what a cycle costs when there is the same to do and ten and a hundred times as much history beside it."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from domain.db import Database
from domain.house import House
from jobs import cycle
from tests import build, gears, houses
from tests.bench import history
from tests.hand_clock import HandClock

SCALES = (1, 10, 100)
ITEMS, PEOPLE = 200, 50
DUE = 5
ROUNDS = 7


@dataclass
class Ground:
    """One database with so much history, and the tenant whose hours are measured."""

    cloned: gears.Clone
    house: House
    tenant_id: UUID
    rows: int
    made: int = 0
    seconds: list[float] = field(default_factory=list)

    def hour(self) -> float:
        """New people are due; the seconds that their hour takes."""
        with self.house.database.tenant(self.tenant_id, actor="test") as tx:
            for _ in range(DUE):
                self.made += 1
                name = f"due-{self.made}"
                build.contact(tx, build.client(tx, name), f"bill@{name}.example")
        began = time.perf_counter()
        assert cycle.run(self.house, self.tenant_id, kind="manual") is not None
        took = time.perf_counter() - began
        with self.house.database.tenant(self.tenant_id) as tx:
            run = tx.row("SELECT held, errors FROM agent_autonomous_runs ORDER BY started_at DESC LIMIT 1")
        assert run is not None
        assert dict(run) == {"held": DUE, "errors": []}
        return took


def test_pf12_history_costs_nothing(cluster: gears.Cluster, clock: HandClock, figures: Callable[..., None]) -> None:
    clock.advance(hours=6)
    with ExitStack() as open_:
        grounds = {scale: open_.enter_context(ground(cluster, clock, scale)) for scale in SCALES}
        for at in range(-2, ROUNDS):
            for each in grounds.values():
                took = each.hour()
                if at >= 0:
                    each.seconds.append(took)
            clock.advance(seconds=10)
        read = {scale: rows_read(each) for scale, each in grounds.items()}
    first = grounds[1].seconds
    for scale in SCALES[1:]:
        ratios = [one / other for one, other in zip(grounds[scale].seconds, first, strict=True)]
        figures(
            f"PF12 at {scale}x", rows={1: grounds[1].rows, scale: grounds[scale].rows}, bar=1.2,
            time_ratio=round(statistics.median(ratios), 3), spread=[round(min(ratios), 3), round(max(ratios), 3)],
            cycle_ms=round(statistics.median(grounds[scale].seconds) * 1e3, 1),
            rows_read={1: sum(read[1].values()), scale: sum(read[scale].values())},
            read_more={name: n for name, n in (read[scale] - read[1]).most_common(8) if n > 20},
        )  # fmt: skip


@contextmanager
def ground(cluster: gears.Cluster, clock: HandClock, scale: int) -> Iterator[Ground]:
    """A tenant and four neighbours, each with history."""
    cloned = cluster.clone()
    database = Database(cloned.url(), clock, pool_size=2)
    caps = {"max_emails_per_hour": 1_000, "sender_ceiling_per_hour": 1_000}
    tenants = [build.tenant(database, f"tenant-{n}", {**build.ACME, **caps}) for n in range(5)]
    rows = history.lay_down(cloned, tenants, clock.now(), items=ITEMS * scale, people=PEOPLE * scale)
    with houses.house(database) as house:
        yield Ground(cloned, house, tenants[0], rows)
    database.dispose()
    cluster.retire(cloned)


def rows_read(each: Ground) -> Counter[str]:
    """How many rows of each table one hour reads, whole tables among them."""
    before = told(each)
    each.hour()
    after = told(each)
    return Counter({name: count - before[name] for name, count in after.items() if count > before[name]})


def told(each: Ground) -> Counter[str]:
    """What PostgreSQL counted so far; connections tell what they did when they end."""
    each.house.database.dispose()
    each.house.locks.close()
    each.house.gate.close()
    with psycopg.connect(each.cloned.admin_url, autocommit=True) as connection:
        connection.execute("SELECT pg_sleep(1)")
        rows = connection.execute(
            """SELECT schemaname || '.' || relname || kind, n FROM pg_stat_user_tables, LATERAL (VALUES
                   (' by index', coalesce(idx_tup_fetch, 0)), (' whole', seq_tup_read)) AS read (kind, n)"""
        ).fetchall()
    return Counter({str(name): int(n) for name, n in rows})
