"""One database for test after test: emptied in between, which costs a tenth of a new one, and left where in doubt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from sqlalchemy.pool import QueuePool

from domain.clock import Clock, SystemClock
from domain.db import Database
from tests.gears import Clone, Cluster
from tests.hand_clock import HandClock

Laid = TypeVar("Laid")

MOST_ROWS = 5_000
"""A test that leaves more than so many behind leaves files that the next would have to wade through."""
LEAVING_SECONDS = 1.0


class Reused:
    """Lends one database again and again, each time as the migrations leave it.

    Only tests that see it as `hourhand_app` may have it: what that role can do is add, change and delete rows.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._idle: dict[Callable[..., Any] | None, list[_Basin]] = {}

    @contextmanager
    def lend(self, clock: Clock) -> Iterator[Database]:
        """A database on the test's clock."""
        with self._lent(None) as lent:
            lent.database.clock = clock
            yield lent.database

    @contextmanager
    def lend_laid_out(
        self, clock: HandClock, lay_out: Callable[[Database, HandClock], Laid]
    ) -> Iterator[tuple[Database, Laid]]:
        """A database in which `lay_out` has put what many tests begin with, and what it returned.

        It is laid out once and kept through every washing; the test's clock goes on from where that left it.
        """
        with self._lent(lay_out) as lent:
            lent.database.clock = clock
            if lent.kept is None:
                laid = lay_out(lent.database, clock)
                lent.keep((laid, clock.memory()))
            assert lent.kept is not None
            laid, memory = lent.kept
            clock.recall(memory)
            yield lent.database, laid

    def close(self) -> None:
        """Let go of what is kept."""
        for basins in self._idle.values():
            while basins:
                basins.pop().empty_out()

    @contextmanager
    def _lent(self, what: Callable[..., Any] | None) -> Iterator[_Basin]:
        idle = self._idle.setdefault(what, [])
        lent = idle.pop() if idle else _Basin(self._cluster)
        yield lent
        if lent.wash():
            idle.append(lent)
        else:
            lent.empty_out()


class _Basin:
    """A clone, the pool of connections into it that stays open, and the connection that empties it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._clone: Clone = cluster.clone()
        self.database = Database(self._clone.url(), SystemClock())
        self._washer = psycopg.connect(self._clone.admin_url, autocommit=True)
        self._washer.execute("SET session_replication_role = replica")
        self._washer.execute("SET lock_timeout = '5s'")
        self._washer.execute(_procedure(self._washer))
        self.kept: tuple[Any, Any] | None = None
        """What was laid out for all who have it, and how the clock stood then."""

    def keep(self, kept: tuple[Any, Any]) -> None:
        """Let what is in the database now be there after each washing."""
        self.kept = kept
        self._washer.execute("DISCARD TEMP")
        self._washer.execute(_procedure(self._washer))

    def wash(self) -> bool:
        """Empty every table; False where somebody is still inside, or where too much was left."""
        try:
            return self._is_quiet() and self._left() <= MOST_ROWS
        except psycopg.Error:
            return False

    def empty_out(self) -> None:
        """End all of it; the cluster drops the clone."""
        self._washer.close()
        self.database.dispose()
        self._cluster.retire(self._clone)

    def _left(self) -> int:
        row = self._washer.execute("SELECT pg_temp.wash()").fetchone()
        assert row is not None
        return int(row[0])

    def _is_quiet(self) -> bool:
        """Whether nobody but our own idle pool is connected; connections that were closed may take a moment to end."""
        self.database.dispatch.close()
        pool = self.database._engine.pool
        assert isinstance(pool, QueuePool)
        for _ in range(int(LEAVING_SECONDS / 0.01)):
            row = self._washer.execute(
                """SELECT count(*) FILTER (WHERE ours), count(*) FILTER (WHERE NOT ours)
                   FROM (SELECT application_name = 'hourhand' AND state = 'idle' AS ours FROM pg_stat_activity
                         WHERE datname = current_database() AND pid <> pg_backend_pid()) AS s"""
            ).fetchone()
            assert row is not None
            if not row[1]:
                return pool.checkedout() == 0 and pool.checkedin() == int(row[0])
            threading.Event().wait(0.01)
        return False


def _procedure(washer: psycopg.Connection[TupleRow]) -> sql.Composed:
    """A function that empties what is not empty, in a session that neither triggers nor foreign keys hold up.

    What is in it now is put back: what the migrations put in, and what was laid out.
    """
    steps: list[sql.Composable] = []
    for schema, name, columns, seeded in washer.execute(_TABLES).fetchall():
        table, seed = sql.Identifier(schema, name), sql.Identifier(f"{schema}_{name}")
        steps.append(_EMPTY.format(table))
        if seeded:
            washer.execute(sql.SQL("CREATE TEMP TABLE {} AS TABLE {}").format(seed, table))
            written = sql.SQL(", ").join(map(sql.Identifier, columns))
            steps.append(_PUT_BACK.format(table, written, seed))
    for schema, name in washer.execute("SELECT schemaname, sequencename FROM pg_sequences").fetchall():
        counter = sql.Identifier(schema, name)
        row = washer.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(counter)).fetchone()
        assert row is not None
        steps.append(sql.SQL("PERFORM setval({}, {}, {});").format(f"{schema}.{name}", *row))
    return sql.SQL(
        """CREATE FUNCTION pg_temp.wash() RETURNS bigint LANGUAGE plpgsql AS $$
           DECLARE gone bigint := 0; BEGIN {} RETURN gone; END $$"""
    ).format(sql.SQL("\n").join(steps))


_TABLES = """SELECT n.nspname, c.relname, array_agg(a.attname ORDER BY a.attnum), pg_relation_size(c.oid) > 0
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                                         AND a.attgenerated = ''
             WHERE c.relkind = 'r' AND n.nspname IN ('hourhand', 'control', 'queue')
             GROUP BY c.oid, 1, 2 ORDER BY 1, 2"""
# what would take long to empty is left to whoever drops the whole database
_EMPTY = sql.SQL(
    f"""IF EXISTS (SELECT FROM {{0}}) THEN
            gone := gone + (SELECT count(*) FROM (SELECT FROM {{0}} LIMIT {MOST_ROWS + 1}) s);
            IF gone > {MOST_ROWS} THEN RETURN gone; END IF;
            DELETE FROM {{0}};
        END IF;"""
)
_PUT_BACK = sql.SQL("INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE SELECT {1} FROM pg_temp.{2};")
