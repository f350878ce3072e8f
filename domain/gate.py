"""The stop lock: every send passes the gate holding it shared, every stop takes it alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from domain.db import Database, Tx

HOUSE = 0
"""Stands for the house where a tenant has its lock id."""

_INTENT = 5
_HOLD = 7
_TENANT = 1
"""Added to the class of a tenant's keys. A flip holds both keys alone; a send holds `_HOLD` shared, and passes by
`_INTENT` in the same statement: a session's own locks never stand in its way, so under steady load the hold alone would
never come free, while a flip's intent turns every newcomer away at once."""

_ENTER = f"""SELECT CASE
    WHEN NOT pg_try_advisory_xact_lock_shared({_INTENT}, 0) THEN 'the house''s switch is being flipped'
    WHEN NOT pg_try_advisory_lock_shared({_HOLD}, 0) THEN 'the house''s switch is being flipped'
    WHEN NOT pg_try_advisory_xact_lock_shared({_INTENT + _TENANT}, %(tenant)s)
      OR NOT pg_try_advisory_lock_shared({_HOLD + _TENANT}, %(tenant)s)
    THEN CASE WHEN pg_advisory_unlock_shared({_HOLD}, 0) THEN 'the tenant''s switch is being flipped' END END"""
_LEAVE = f"SELECT pg_advisory_unlock_shared({_HOLD + _TENANT}, %(tenant)s), pg_advisory_unlock_shared({_HOLD}, 0)"
_BIND = f"""SELECT pg_try_advisory_xact_lock_shared({_HOLD}, 0)
               AND pg_try_advisory_xact_lock_shared({_HOLD + _TENANT}, :tenant)"""


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

        Never waits: while a flip goes on it refuses, because waiting here would keep the whole process's unlocks behind
        it. Raises GateClosed.
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
                row = self._connected().execute(_ENTER, {"tenant": lock_id}).fetchone()
            except psycopg.Error as error:
                self._drop()
                raise GateClosed(f"the gate connection was lost: {error}") from error
            if row is not None and row[0] is not None:
                raise GateClosed(row[0])
            return self._generation

    def _leave(self, lock_id: int, generation: int) -> None:
        with self._mutex:
            # a connection made since then holds nothing of this passage: its locks died with the old one
            if self._connection is None or generation != self._generation:
                return
            try:
                self._connection.execute(_LEAVE, {"tenant": lock_id})
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


def bind(tx: Tx, lock_id: int) -> None:
    """Hold the stop lock until this transaction ends too; said before it reads a switch. Raises GateClosed.

    The gate's own connection may be lost between the switch check and the commit of the reservation, when no durable
    row says yet that something is being sent: a stop would find nobody, and return before the send began.
    """
    if not tx.value(_BIND, tenant=lock_id):
        raise GateClosed("a switch is being flipped")


def drain(database: Database, lock_id: int, *, timeout_seconds: float) -> bool:
    """Wait until nobody is inside the gate of the house (`HOUSE`) or of one tenant; False when time ran out first.

    Raises psycopg.Error when the connection is lost meanwhile: then nobody knows.
    """
    extra = 0 if lock_id == HOUSE else _TENANT
    ends = database.clock.monotonic() + timeout_seconds
    with database.direct(application_name="hourhand-stop") as connection:
        try:
            for kind in (_INTENT, _HOLD):
                # 0 would mean no limit at all
                left = max(1, int((ends - database.clock.monotonic()) * 1000))
                connection.execute(f"SET lock_timeout = {left}")
                connection.execute("SELECT pg_advisory_lock(%s, %s)", (kind + extra, lock_id))
        except psycopg.errors.LockNotAvailable:
            return False
    # closing the connection gives both back
    return True
