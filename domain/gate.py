"""The stop lock: every send passes the gate holding it shared, every stop takes it alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from domain.db import Database

GLOBAL_KEY = (7, 0)
TENANT_CLASS = 8


class GateClosed(Exception):
    """Somebody is flipping a switch, or the gate connection was lost: nothing may be sent just now."""


class Gate:
    """One direct connection per process that holds shared stop locks, and runs lock statements only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._mutex = threading.Lock()
        self._connection: psycopg.Connection | None = None
        self._generation = 0

    @contextmanager
    def passing(self, lock_id: int) -> Iterator[None]:
        """Hold the house's and one tenant's stop lock shared, from the switch check until the provider answered.

        Never waits: a lock that is being taken by a flip refuses, because waiting here would keep the whole process's
        unlocks behind it. Raises GateClosed.
        """
        generation = self._enter(lock_id)
        try:
            yield
        finally:
            self._leave(lock_id, generation)

    def close(self) -> None:
        """Close the connection, and with it release whatever it still holds."""
        with self._mutex:
            self._drop()

    def _enter(self, lock_id: int) -> int:
        with self._mutex:
            try:
                connection = self._connected()
                if not self._try(connection, GLOBAL_KEY):
                    raise GateClosed("the house's switch is being flipped")
                if not self._try(connection, (TENANT_CLASS, lock_id)):
                    self._unlock(connection, GLOBAL_KEY)
                    raise GateClosed("the tenant's switch is being flipped")
            except psycopg.Error as error:
                self._drop()
                raise GateClosed(f"the gate connection was lost: {error}") from error
            return self._generation

    def _leave(self, lock_id: int, generation: int) -> None:
        with self._mutex:
            # a connection made since then holds nothing of this passage: its locks died with the old one
            if self._connection is None or generation != self._generation:
                return
            try:
                self._unlock(self._connection, (TENANT_CLASS, lock_id))
                self._unlock(self._connection, GLOBAL_KEY)
            except psycopg.Error:
                # the session is gone and so are its locks; the durable `executing` row still guards the stop
                self._drop()

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._database.direct(application_name="hourhand-gate")
            self._generation += 1
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    @staticmethod
    def _try(connection: psycopg.Connection, key: tuple[int, int]) -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock_shared(%s, %s)", key).fetchone()
        return bool(row and row[0])

    @staticmethod
    def _unlock(connection: psycopg.Connection, key: tuple[int, int]) -> None:
        connection.execute("SELECT pg_advisory_unlock_shared(%s, %s)", key)


def drain(database: Database, key: tuple[int, int], *, timeout_seconds: float) -> bool:
    """Wait until nobody holds the stop lock `key`; False when `timeout_seconds` passed first."""
    with database.direct(application_name="hourhand-stop") as connection:
        connection.execute(f"SET lock_timeout = {int(timeout_seconds * 1000)}")
        try:
            connection.execute("SELECT pg_advisory_lock(%s, %s)", key)
        except psycopg.errors.LockNotAvailable:
            return False
        connection.execute("SELECT pg_advisory_unlock(%s, %s)", key)
        return True
