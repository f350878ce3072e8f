"""Who is due when: each tenant's line in `tenant_schedule`, moved by the tenant's own changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.db import Database, Row, Tx


def bring_forward(tx: Tx, at: datetime, *, extra: bool = False) -> None:
    """Something will be due at `at`: the tenant's next look is no later than that. Part of the change's transaction.

    With `extra`, it should not wait for the tenant's hourly slot (a mail came in, a person approved).
    """
    tx.run(
        """UPDATE tenant_schedule SET work_due_at = least(work_due_at, :at),
                  extra_due_at = CASE WHEN :extra THEN least(extra_due_at, :at) ELSE extra_due_at END
           WHERE tenant_id = :t AND (work_due_at IS NULL OR work_due_at > :at
                                     OR :extra AND (extra_due_at IS NULL OR extra_due_at > :at))""",
        t=tx.tenant_id, at=at, extra=extra,
    )  # fmt: skip


def poll_now(tx: Tx) -> bool:
    """Have the tenant's mailboxes asked at the next beat; False when none is connected."""
    return bool(tx.run(
        "UPDATE tenant_schedule SET gmail_due_at = least(gmail_due_at, :now) WHERE tenant_id = :t AND sync_enabled",
        now=tx.now, t=tx.tenant_id,
    ))  # fmt: skip


def standing(tx: Tx) -> Row | None:
    """The tenant's own line: when its next slot, its work and its mail are due, and when its last cycle began."""
    return tx.row(
        """SELECT next_due_at, work_due_at, extra_due_at, gmail_due_at, last_cycle_at, idle_hours FROM tenant_schedule
           WHERE tenant_id = :t""",
        t=tx.tenant_id,
    )


def lock(tx: Tx) -> None:
    """Hold the tenant's line until the commit: what comes in meanwhile waits, and then moves it again."""
    tx.run("SELECT 1 FROM tenant_schedule WHERE tenant_id = :t FOR UPDATE", t=tx.tenant_id)


def settle(tx: Tx, engines_due: Sequence[datetime | None]) -> datetime | None:
    """At the end of a cycle: when anything will be due next, or None for a tenant that may stay idle.

    `lock` comes first, before anything is read that this rests on.
    """
    waiting = tx.value(
        """SELECT least(
               (SELECT min(least(not_before, latest_at)) FROM kanban_cards
                WHERE tenant_id = :t AND state IN ('proposed', 'queued', 'deferred')),
               (SELECT min(least(latest_at, approval_expires_at)) FROM kanban_cards
                WHERE tenant_id = :t AND state = 'awaiting_approval'),
               (SELECT min(coalesce(resolve_after, executing_until)) FROM kanban_cards
                WHERE tenant_id = :t AND (state = 'executing' OR state = 'uncertain' AND resolve_after IS NOT NULL)),
               (SELECT min(not_before) FROM reactions_due WHERE tenant_id = :t))""",
        t=tx.tenant_id,
    )  # fmt: skip
    moments = [moment for moment in (waiting, *engines_due) if moment is not None]
    next_due = min(moments, default=None)
    tx.run("UPDATE tenant_schedule SET work_due_at = :at WHERE tenant_id = :t", at=next_due, t=tx.tenant_id)
    return next_due


def lateness(database: Database) -> tuple[int, float]:
    """How many tenants are on the schedule, and by how many seconds the oldest slot is waiting to be claimed."""
    with database.wearing("fleet") as tx:
        row = tx.row(
            """SELECT count(*) AS tenants, coalesce(extract(epoch FROM :now - min(next_due_at)), 0) AS late
               FROM hourhand.tenant_schedule WHERE enabled""",
            now=tx.now,
        )
    assert row is not None
    return int(row["tenants"]), max(0.0, float(row["late"]))
