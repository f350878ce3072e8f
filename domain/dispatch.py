"""The dispatcher's own line to the database: each statement is a transaction of its own, planned once for good."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

# Planning a beat costs more than carrying it out, so it is planned once for all values. Not knowing those, the planner
# takes a third of all tenants for due and would read the whole schedule: it is told to look each line up.
_OPTIONS = (
    "-c role=hourhand_dispatcher -c timezone=UTC -c jit=off -c plan_cache_mode=force_generic_plan "
    "-c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off "
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
)


class Dispatch:
    """A connection that wears the dispatcher's role from the first; opened when first needed, and again when lost.

    The pool's way to the same rows takes four round trips and more of this processor than of the database's.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._mutex = threading.Lock()
        self._connection: psycopg.Connection[DictRow] | None = None

    def row(self, sql: str, values: dict[str, Any]) -> DictRow:
        """Run one statement in psycopg's words (`%(name)s`) that answers with one row. Raises psycopg.Error."""
        with self._mutex:
            try:
                row = self._connected().execute(sql, values).fetchone()
            except psycopg.OperationalError:
                self._close()
                raise
        assert row is not None
        return row

    def close(self) -> None:
        """Hang up; the next statement connects anew."""
        with self._mutex:
            self._close()

    def _connected(self) -> psycopg.Connection[DictRow]:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url, autocommit=True, row_factory=dict_row, prepare_threshold=0, options=_OPTIONS,
                application_name="hourhand-dispatch",
            )  # fmt: skip
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
