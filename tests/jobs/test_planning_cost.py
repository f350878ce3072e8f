"""What planning an hour costs hangs on what is due, and not on how much there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.errors import UniqueViolation
from sqlalchemy import Engine
from sqlalchemy import event as sa_event

from domain import settings
from domain.db import Database, Tx
from domain.house import House, LocalBrakes
from engines.contract import Context, Plan
from engines.registry import ENGINES
from jobs import cycle, explain
from jobs.arbitrate import arbitrate
from tests import build, gears, houses, volume
from tests.hand_clock import HandClock
from tests.volume import Size

STATEMENTS, ROWS = 36, 4.5
"""At most so many statements in all, and so many rows read for each that is due."""
SIZES = (Size(3_000, 800, 1_000), Size(30_000, 8_000, 10_000))
"""Below that a table fits on a few pages, and reading all of it is the quickest way."""


class _PhaseOver(BaseException):
    """The process dies here."""


class _Enough(Exception):
    """Takes back what planning has changed."""


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size.contacts}-contacts")
def test_planning_reads_what_is_due_at_any_size(
    clone: Database, cloned: gears.Clone, clock: HandClock, figures: Callable[..., None], size: Size
) -> None:
    measure(clone, cloned, clock, figures, size)


def test_an_idle_hour_reads_no_more_of_ten_times_the_book(cluster: gears.Cluster, figures: Callable[..., None]) -> None:
    read = []
    for size in SIZES:
        cloned, clock = cluster.clone(), HandClock()
        database = Database(cloned.url(), clock, pool_size=2)
        read.append(measure_idle(database, cloned, clock, figures, size))
        database.dispose()
        cluster.retire(cloned)
    assert read[1] <= read[0] * 1.2 + 20


def measure(
    clone: Database, cloned: gears.Clone, clock: HandClock, figures: Callable[..., None], size: Size
) -> None:  # fmt: skip
    """Lay the book down, plan an hour of it, and count."""
    clock.advance(hours=6)
    acme = build.acme(clone)
    volume.lay_down(cloned, acme, size, clock.now())
    due = volume.DUE
    with clone.tenant(acme) as tx:
        asked = _asked(tx)
        rows = _rows_read(tx, asked)
    said: list[tuple[str, Any]] = []
    with houses.house(clone) as house:
        with _listening(said):
            told = explain.cycle(house, acme)
        phase = _plan_phase(house, acme)
    figures("planning", contacts=size.contacts, deals=size.deals, quotes=size.quotes, due=due, statements=phase,
            statements_of_a_look=len(said), statements_of_engines=len(asked), rows_read=rows,
            rows_per_due=round(rows / due, 2))  # fmt: skip
    assert told["obligations"] == due
    assert max(phase, len(said)) <= STATEMENTS
    assert rows <= ROWS * due


def _plan_phase(house: House, acme: UUID) -> int:
    """How many statements a cycle spends on its first phase: gathered, proposed, accounted for, judged and stored."""
    said: list[tuple[str, Any]] = []
    reached: dict[str, int] = {}

    def fault(step: str) -> None:
        reached[step] = len(said)
        if step == "plan.judged":
            raise _PhaseOver

    with suppress(_PhaseOver), _listening(said):
        cycle.run(houses.with_fault(house, fault), acme, kind="manual")
    return reached["plan.judged"] - reached["cycle.begun"]


def measure_idle(
    clone: Database, cloned: gears.Clone, clock: HandClock, figures: Callable[..., None], size: Size
) -> int:  # fmt: skip
    """The rows that all statements of an hour read in which nothing is due, from the lock to the reflection."""
    clock.advance(hours=6)
    acme = build.acme(clone, send_mode="dry_run", figures_rows_per_hour=100)
    # everything falls due in the days to come
    volume.lay_down(cloned, acme, size, clock.now(), begin=timedelta(days=3))
    said: list[tuple[str, Any]] = []
    with houses.house(clone) as house:
        for _ in range(2):
            # what was due at once is seen to, and the books are counted
            assert cycle.run(house, acme, kind="manual") is not None
            clock.advance(hours=1)
        with _listening(said):
            assert cycle.run(house, acme, kind="manual") is not None
    with clone.tenant(acme) as tx:
        read: Counter[str] = Counter()
        for statement, values in said:
            # what inserts a row that is there by now reads nothing that could grow
            with suppress(_Enough, UniqueViolation), tx.savepoint():
                read[statement] += _rows_read(tx, [(statement, values)]) if _reads(statement) else 0
                raise _Enough
        tx.roll_back()
    dearest = read.most_common(4)
    figures("idle hour", contacts=size.contacts, deals=size.deals, quotes=size.quotes, statements=len(said),
            rows_read=read.total(), dearest=[(" ".join(what.split())[:70], n) for what, n in dearest])  # fmt: skip
    return read.total()


def _reads(statement: str) -> bool:
    return statement.lstrip().upper().startswith(("SELECT", "WITH", "UPDATE", "DELETE", "INSERT"))


@contextmanager
def _listening(said: list[tuple[str, Any]]) -> Iterator[None]:
    """Every statement of this process goes to `said`, those that only move the savepoints left out."""

    def hear(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            said.append((statement, values))

    sa_event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield
    finally:
        sa_event.remove(Engine, "before_cursor_execute", hear)


def _plan(tx: Tx) -> list[Plan]:
    context = Context(tx, settings.of(tx))
    for engine in ENGINES:
        engine.ripen(context)
    said = arbitrate(LocalBrakes(), tx, [(engine, engine.plan(context)) for engine in ENGINES])
    return [plan for _, plan in said]


def _asked(tx: Tx) -> list[tuple[str, Any]]:
    """Every statement by which the engines plan and give way to one another; what they changed is taken back."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if not statement.startswith(("SAVEPOINT", "ROLLBACK")):
            asked.append((statement, values))

    sa_event.listen(tx._connection, "before_cursor_execute", note)
    with suppress(_Enough), tx.savepoint():
        _plan(tx)
        raise _Enough
    sa_event.remove(tx._connection, "before_cursor_execute", note)
    return asked


def _rows_read(tx: Tx, asked: list[tuple[str, Any]]) -> int:
    """The rows that these statements take off tables and indexes, filtered ones included, each done in its turn."""
    total = 0.0
    for statement, values in asked:
        [[plan]] = [row["QUERY PLAN"] for row in
                    tx._cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)]  # fmt: skip
        total += _read(plan["Plan"])
    return round(total)


def _read(node: dict[str, Any]) -> float:
    own = 0.0
    if "Scan" in node["Node Type"] and "Relation Name" in node:
        own = node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
                                      + node.get("Rows Removed by Index Recheck", 0))  # fmt: skip
    return float(own) + sum(_read(each) for each in node.get("Plans", []))
