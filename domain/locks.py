"""One cycle per tenant at a time: an advisory lock excludes, a fence keeps a lost holder from writing."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError

from domain.db import Database, FenceLost, Tx

LOCK_CLASS = 42
LEASE_SECONDS = 60.0
FENCE_WAIT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Held:
    """A tenant's lock as its holder has it: pass `fence` to every transaction of the cycle."""

    tenant_id: UUID
    lock_id: int
    fence: int
    generation: int


class TenantLocks:
    """The tenant locks of one process, all on one direct connection."""

    def __init__(self, database: Database, holder: str) -> None:
        self.holder = holder
        self._database = database
        self._mutex = threading.Lock()
        self._connection: psycopg.Connection | None = None
        self._generation = 0
        # session locks are re-entrant: the process itself must remember what it holds
        self._held: dict[int, Held] = {}

    def acquire(self, tenant_id: UUID) -> Held | None:
        """Take a tenant's lock and a new fence, or None when somebody else has it.

        A holder whose lease has run out is cut off: its lock connection is ended, and what it still writes is refused.
        """
        held = None
        try:
            with self._database.tenant(tenant_id, actor=self.holder) as tx:
                # a predecessor's last transaction is waited for, but not while this process's other leases run out
                line = tx.row(
                    """SELECT s.lock_id, coalesce(l.expires_at < hourhand.db_now(), false) AS expired,
                              set_config('lock_timeout', :wait, true)
                       FROM tenant_schedule s LEFT JOIN agent_tenant_locks l ON l.tenant_id = :t
                       WHERE s.tenant_id = :t""",
                    t=tenant_id, wait=f"{FENCE_WAIT_SECONDS * 1000:.0f}",
                )  # fmt: skip
                held = self._take(tx, line["lock_id"], cut_off=line["expired"]) if line else None
        except BaseException:
            if held is not None:
                self._forget(held)
            raise
        return held

    def _take(self, tx: Tx, lock_id: int, *, cut_off: bool) -> Held | None:
        with self._mutex:
            if lock_id in self._held or not self._lock(lock_id, cut_off=cut_off):
                return None
            try:
                held = Held(tx.tenant_id, lock_id, self._fence(tx), self._generation)
            except BaseException as error:
                self._unlock(lock_id)
                if isinstance(error, DBAPIError) and isinstance(error.orig, psycopg.errors.LockNotAvailable):
                    tx.roll_back()
                    return None
                raise
            self._held[lock_id] = held
            return held

    def extend(self, held: Held) -> None:
        """Prolong the lease of a long cycle. Raises FenceLost when the lock connection or the lock was lost."""
        with self._mutex:
            if self._held.get(held.lock_id) != held or not self._alive():
                raise FenceLost(f"tenant {held.tenant_id}: the lock connection was lost")
        with self._database.tenant(held.tenant_id, actor=self.holder) as tx:
            touched = tx.run(
                """UPDATE agent_tenant_locks SET heartbeat_at = hourhand.db_now(),
                          expires_at = hourhand.db_now() + :lease
                   WHERE tenant_id = :t AND fence = :fence""",
                t=held.tenant_id, fence=held.fence, lease=timedelta(seconds=LEASE_SECONDS),
            )  # fmt: skip
        if not touched:
            raise FenceLost(f"tenant {held.tenant_id}: fence {held.fence} is no longer held")

    def sign_off(self, tx: Tx, held: Held) -> None:
        """Say in the holder's last transaction that it is the last: nothing more is written under this fence."""
        tx.run("DELETE FROM agent_tenant_locks WHERE tenant_id = :t AND fence = :fence",
               t=held.tenant_id, fence=held.fence)  # fmt: skip

    def release(self, held: Held, *, signed_off: bool = False) -> None:
        """Give a tenant's lock back, `signed_off` or not; nothing happens when it was lost before."""
        try:
            if not signed_off:
                with self._database.tenant(held.tenant_id, actor=self.holder) as tx:
                    self.sign_off(tx, held)
        finally:
            # the database may be away just now: what is still remembered then would be held for ever
            self._forget(held)

    def _forget(self, held: Held) -> None:
        with self._mutex:
            # only what is really ours still: the process may have lost it and taken it anew since
            if self._held.get(held.lock_id) == held:
                del self._held[held.lock_id]
                self._unlock(held.lock_id)

    def held(self) -> tuple[Held, ...]:
        """What this process holds now."""
        with self._mutex:
            return tuple(self._held.values())

    def close(self) -> None:
        """Let everything go by closing the connection."""
        with self._mutex:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            self._held.clear()

    def _lock(self, lock_id: int, *, cut_off: bool) -> bool:
        for attempt in (1, 2):
            if self._try(lock_id):
                return True
            if not cut_off or attempt == 2:
                return False
            self._connected().execute(
                """SELECT pg_terminate_backend(pid, 2000) FROM pg_locks
                   WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND objsubid = 2 AND granted
                     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                     AND pid <> pg_backend_pid()""",
                (LOCK_CLASS, lock_id),
            )
        return False

    def _try(self, lock_id: int) -> bool:
        """Ask for the lock; once more when it turns out that the connection was lost."""
        question, values = "SELECT pg_try_advisory_lock(%s, %s)", (LOCK_CLASS, lock_id)
        try:
            row = self._connected().execute(question, values).fetchone()
        except psycopg.OperationalError:
            self._lose()
            row = self._connected().execute(question, values).fetchone()
        return bool(row and row[0])

    def _fence(self, tx: Tx) -> int:
        fence: int = tx.value(
            """WITH next AS (UPDATE tenant_schedule SET fence = fence + 1 WHERE tenant_id = :t RETURNING fence)
               INSERT INTO agent_tenant_locks (tenant_id, holder, fence, since, heartbeat_at, expires_at)
               SELECT :t, :holder, fence, hourhand.db_now(), hourhand.db_now(), hourhand.db_now() + :lease FROM next
               ON CONFLICT (tenant_id) DO UPDATE SET
                   holder = excluded.holder, fence = excluded.fence, since = excluded.since,
                   heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at RETURNING fence""",
            t=tx.tenant_id, holder=self.holder, lease=timedelta(seconds=LEASE_SECONDS),
        )  # fmt: skip
        return fence

    def _unlock(self, lock_id: int) -> None:
        if self._connection is None or self._connection.closed:
            return
        try:
            self._connection.execute("SELECT pg_advisory_unlock(%s, %s)", (LOCK_CLASS, lock_id))
        except psycopg.OperationalError:
            self._lose()

    def _connected(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._lose()
            self._connection = self._database.direct(application_name=f"hourhand-lock {self.holder}"[:63])
            self._generation += 1
        return self._connection

    def _alive(self) -> bool:
        if self._connection is None or self._connection.closed:
            return False
        try:
            self._connection.execute("SELECT 1")
        except psycopg.OperationalError:
            self._lose()
            return False
        return True

    def _lose(self) -> None:
        """Forget a dead connection and every lock that it held; their cycles find out at the next `extend`."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._held.clear()
