"""One database for test after test: emptied in between, which costs a tenth of a new one, and left where in doubt."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow
from sqlalchemy.pool import QueuePool

from domain.clock import Clock, SystemClock
from domain.db import Database
from tests.gears import Clone, Cluster

MOST_ROWS = 5_000
"""A test that leaves more than so many behind leaves files that the next would have to wade through."""
LEAVING_SECONDS = 1.0


class Reused:
    """Lends one database again and again, each time as the migrations leave it.

    Only tests that see it as `hourhand_app` may have it: what that role can do is add, change and delete rows.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._idle: list[_Basin] = []

    @contextmanager
    def lend(self, clock: Clock) -> Iterator[Database]:
        """A database on the test's clock."""
        lent = self._idle.pop() if self._idle else _Basin(self._cluster)
        lent.database.clock = clock
        yield lent.database
        if lent.wash():
            self._idle.append(lent)
        else:
            lent.empty_out()

    def close(self) -> None:
        """Let go of what is kept."""
        while self._idle:
            self._idle.pop().empty_out()


class _Basin:
    """A clone, the pool of connections into it that stays open, and the connection that empties it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._clone: Clone = cluster.clone()
        self.database = Database(self._clone.url(), SystemClock())
        self._washer = psycopg.connect(self._clone.admin_url, autocommit=True)
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

    What the migrations put in is put back.
    """
    washer.execute("SET session_replication_role = replica")
    washer.execute("SET lock_timeout = '5s'")
    steps: list[sql.Composable] = []
    for schema, name, seeded in washer.execute(_TABLES).fetchall():
        table, seed = sql.Identifier(schema, name), sql.Identifier(f"seed_of_{name}")
        steps.append(_EMPTY.format(table))
        if seeded:
            washer.execute(sql.SQL("CREATE TEMP TABLE {} AS TABLE {}").format(seed, table))
            steps.append(sql.SQL("INSERT INTO {} TABLE pg_temp.{};").format(table, seed))
    for schema, name in washer.execute("SELECT schemaname, sequencename FROM pg_sequences").fetchall():
        steps.append(sql.SQL("PERFORM setval({}, 1, false);").format(sql.Literal(f"{schema}.{name}")))
    return sql.SQL(
        """CREATE FUNCTION pg_temp.wash() RETURNS bigint LANGUAGE plpgsql AS $$
           DECLARE n bigint; gone bigint := 0; BEGIN {} RETURN gone; END $$"""
    ).format(sql.SQL("\n").join(steps))


_TABLES = """SELECT n.nspname, c.relname, pg_relation_size(c.oid) > 0 FROM pg_class c
             JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind = 'r' AND n.nspname IN ('hourhand', 'control', 'queue') ORDER BY 1, 2"""
_EMPTY = sql.SQL(
    "IF EXISTS (SELECT FROM {0}) THEN DELETE FROM {0}; GET DIAGNOSTICS n = ROW_COUNT; gone := gone + n; END IF;"
)
