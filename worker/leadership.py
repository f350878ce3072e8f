"""Who ticks: of all the processes on one database, the one that holds the ticker's lock."""

from __future__ import annotations

import threading

import psycopg
import structlog

from domain.db import Database

log = structlog.get_logger(__name__)

SILENCE_SECONDS = 15
"""How long a leader may say nothing: then the server ends its session, and with it the lock.

This alone frees the lock of a process that hangs or is paused, whose connection stays open; one that died has lost it
already, and of a host that died the server hears nothing either way.
"""

RESIGN_SECONDS = 1.0
_LOCK = (43, 0)


class Leadership:
    """One process's part in it.

    Several tickers at once would be safe, since a slot is claimed once: that only one ticks saves work.
    """

    def __init__(self, database: Database, holder: str, *, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._database = database
        self._holder = holder
        self._silence_ms = round(silence_seconds * 1000)
        self._mutex = threading.Lock()
        self._connection: psycopg.Connection | None = None
        self._leads = False

    def held(self) -> bool:
        """Whether this process is the one that ticks now; where nobody is, it becomes it.

        To be asked at every beat: asking is what keeps the lock. Raises psycopg.OperationalError while the database is
        away.
        """
        with self._mutex:
            if self._connection is None:
                self._connection = self._connect()
            try:
                if self._leads:
                    self._connection.execute("SELECT 1")
                else:
                    row = self._connection.execute("SELECT pg_try_advisory_lock(%s, %s)", _LOCK).fetchone()
                    self._leads = bool(row and row[0])
                    if self._leads:
                        log.info("scheduler.leads")
            except psycopg.OperationalError:
                # restarted, or we were silent for too long: the next beat asks anew, as everybody else does
                if self._leads:
                    log.warning("scheduler.lead_lost")
                self._drop()
            return self._leads

    def resign(self) -> None:
        """Let another process tick from its next beat on. Waits for no database that does not answer."""
        if self._mutex.acquire(timeout=RESIGN_SECONDS):
            try:
                self._drop()
            finally:
                self._mutex.release()

    def _connect(self) -> psycopg.Connection:
        connection = self._database.direct(application_name=f"hourhand-ticker {self._holder}"[:63])
        connection.execute(f"SET idle_session_timeout = {self._silence_ms}")
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._leads = False
