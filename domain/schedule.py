"""Who is due when: each tenant's line in `tenant_schedule`, moved by the tenant's own changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.db import Database, Row, Tx


def bring_forward(tx: Tx, at: datetime, *, extra: bool = False) -> None:
    """Something will be due at `at`: the tenant's next look is no later than that. Part of the change's transaction.

    With `extra`, it should not wait for the tenant's hourly slot (a mail came in, a person approved).
    """
    if _is_said(tx, at, extra):
        return
    tx.value("SELECT hourhand.bring_forward(:t, :at, :extra)", t=tx.tenant_id, at=at, extra=extra)


def _is_said(tx: Tx, at: datetime, extra: bool) -> bool:
    """Whether this transaction has already moved the line that far; if not, that it is about to is noted."""
    # what is extra is work as well
    said = [tx.memo[name] for name in ("extra_due_at", *(() if extra else ("work_due_at",))) if name in tx.memo]
    if said and min(said) <= at:
        return True
    tx.memo["extra_due_at" if extra else "work_due_at"] = at
    return False


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


def lock_id(tx: Tx) -> int:
    """By which number the tenant's lock is known to the database."""
    return int(tx.value("SELECT lock_id FROM tenant_schedule WHERE tenant_id = :t", t=tx.tenant_id))


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
               (SELECT min(resolve_after) FROM kanban_cards WHERE tenant_id = :t AND state = 'uncertain'),
               (SELECT min(not_before) FROM reactions_due WHERE tenant_id = :t),
               (SELECT min(at) FROM rest_news WHERE tenant_id = :t))""",
        t=tx.tenant_id,
    )  # fmt: skip
    cut_off = _cut_off(tx)
    tx.memo.pop("work_due_at", None)
    tx.memo.pop("extra_due_at", None)
    moments = [moment for moment in (waiting, cut_off, *engines_due) if moment is not None]
    next_due = min(moments, default=None)
    tx.run(
        """UPDATE tenant_schedule SET work_due_at = :at, extra_due_at = least(extra_due_at, :cut_off)
           WHERE tenant_id = :t""",
        at=next_due, cut_off=cut_off, t=tx.tenant_id,
    )  # fmt: skip
    return next_due


def _cut_off(tx: Tx) -> datetime | None:
    """When the claim of a card runs out whose execution was cut off: what became of its mail should not wait an hour.

    Claims are kept by the database's clock; this is the same moment by ours.
    """
    moment: datetime | None = tx.value(
        """SELECT CAST(:now AS timestamptz) + (min(executing_until) - hourhand.db_now()) FROM kanban_cards
           WHERE tenant_id = :t AND state = 'executing'""",
        now=tx.now, t=tx.tenant_id,
    )  # fmt: skip
    return moment


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
