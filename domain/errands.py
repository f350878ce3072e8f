"""Errands: long work that somebody asked for and no request waits for; the worker does it, a slice at a time."""

from __future__ import annotations

from datetime import timedelta

from domain.db import Tx

TASK = "carry"
QUEUE = "house"
PRIORITY = -1
"""Below every tenant's hour: whoever brings a large file along holds up nobody's cycle."""


def ask(tx: Tx, *, after_seconds: float = 0.0) -> bool:
    """Have the worker go on with what the tenant is having carried in or taken back; asked twice, it is done once.

    Part of the transaction that notes what is to be done. False when it waits already.
    """
    return bool(tx.run(
        """INSERT INTO queue.procrastinate_jobs
               (queue_name, task_name, priority, lock, queueing_lock, scheduled_at, args)
           VALUES (:queue, :task, :priority, :once, :once, hourhand.db_now() + CAST(:after AS interval),
                   jsonb_build_object('tenant_id', CAST(:t AS text)))
           ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING""",
        queue=QUEUE, task=TASK, priority=PRIORITY, once=f"{TASK}:{tx.tenant_id}",
        after=timedelta(seconds=after_seconds), t=str(tx.tenant_id),
    ))  # fmt: skip
