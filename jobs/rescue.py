"""Jobs whose worker died go back to the queue; one that keeps killing its workers becomes a dead letter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from domain import errands, quarantine
from domain.db import Database, Tx
from domain.house import House

log = structlog.get_logger(__name__)


CYCLES = frozenset({"cycle", "extra_cycle"})
"""Tasks of one tenant alone; the others of a tenant's are about its mailboxes, which may share a job."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """A job that nobody works on any more."""

    id: int
    task_name: str
    queueing_lock: str | None
    attempts: int
    args: Mapping[str, Any]

    @property
    def tenant(self) -> str | None:
        """Whose it is; None for the house's, and for one that several tenants' mailboxes share."""
        told = self.args.get("tenant_ids", [self.args.get("tenant_id")])
        return told[0] if len(told) == 1 else None

    @property
    def source(self) -> str:
        """What names it in quarantine."""
        return source(self.task_name, self.id)


def run(house: House) -> int:
    """Put back what stalled; how many jobs. A job is put back once, however many processes look.

    One that can't be rescued stays as it is for the next look, and keeps none of the others.
    """
    with house.database.wearing("dispatcher") as tx:
        stalled = _stalled(tx, timedelta(seconds=house.stalled_seconds))
    rescued = 0
    for job in stalled:
        try:
            _rescue(house.database, job)
            rescued += 1
        except Exception:
            log.exception("job.not_rescued", task=job.task_name, job=job.id)
    return rescued


def _rescue(database: Database, job: Stalled) -> None:
    tries = job.attempts + 1
    if job.tenant is not None and (job.task_name in CYCLES or tries >= quarantine.TRIES):
        # a mailbox's job is made anew by each poll: only its death is worth a note
        tries = _note(database, UUID(job.tenant), job, tries)
    dead = tries >= quarantine.TRIES
    with database.wearing("dispatcher") as tx:
        if dead:
            _drop(tx, job)
        else:
            _put_back(tx, job)
    log.warning("job.rescued", task=job.task_name, job=job.id, attempts=job.attempts + 1, dead=dead)


def enqueue(tx: Tx, task_name: str, tenant_id: UUID) -> bool:
    """Queue one tenant's job, in a transaction of its own or the dispatcher's; False when it is waiting already."""
    if task_name == errands.TASK:
        return errands.ask(tx)
    mail = task_name not in CYCLES
    args = {"tenant_ids": [str(tenant_id)]} if mail else {"tenant_id": str(tenant_id)}
    return bool(tx.run(
        """INSERT INTO queue.procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args)
           VALUES (:queue, :task, 1, :lock, :once, :args)
           ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING""",
        queue="mailboxes" if mail else "cycles", task=task_name, lock=None if mail else f"tenant:{tenant_id}",
        once=f"{task_name}:{tenant_id}", args=args,
    ))  # fmt: skip


def source(task_name: str, job_id: int) -> str:
    """What names a job in quarantine."""
    return f"{task_name}:{job_id}"


def _stalled(tx: Tx, silence: timedelta) -> list[Stalled]:
    rows = tx.rows(
        """SELECT id, task_name, queueing_lock, attempts, args FROM queue.procrastinate_jobs j
           WHERE status = 'doing' AND NOT EXISTS (
               SELECT FROM queue.procrastinate_workers w
               WHERE w.id = j.worker_id AND w.last_heartbeat > hourhand.db_now() - CAST(:silence AS interval))
           ORDER BY id""",
        silence=silence,
    )  # fmt: skip
    return [Stalled(**row) for row in rows]


def _note(database: Database, tenant_id: UUID, job: Stalled, tries: int) -> int:
    why = "the process that worked on it died or hung"
    with database.tenant(tenant_id, actor="rescue") as tx:
        tries = max(tries, quarantine.note(tx, "job", job.source, why))
        if tries >= quarantine.TRIES:
            quarantine.put(tx, kind="job", source=job.source, reason=why, attempts=tries)
    return tries


def _put_back(tx: Tx, job: Stalled) -> None:
    """Compare and set on the number of tries: whoever comes second, rescuer or sleeper, changes nothing."""
    tenants = job.args.get("tenant_ids", [])
    if len(tenants) > 1:
        # one mailbox among them may be what kills the worker: alone, it can't hold up the others
        for tenant in tenants if _drop(tx, job) else []:
            enqueue(tx, job.task_name, UUID(tenant))
        return
    moved = tx.run(
        """UPDATE queue.procrastinate_jobs j SET status = 'todo', attempts = attempts + 1, worker_id = NULL,
                  scheduled_at = NULL
           WHERE id = :id AND status = 'doing' AND attempts = :attempts AND NOT EXISTS (
               SELECT FROM queue.procrastinate_jobs twin
               WHERE twin.queueing_lock = j.queueing_lock AND twin.status = 'todo')""",
        id=job.id, attempts=job.attempts,
    )  # fmt: skip
    if not moved:
        # the next slot's job waits already, and will do this one's work
        _drop(tx, job)


def _drop(tx: Tx, job: Stalled) -> bool:
    return bool(tx.run(
        "DELETE FROM queue.procrastinate_jobs WHERE id = :id AND status = 'doing' AND attempts = :attempts",
        id=job.id, attempts=job.attempts,
    ))  # fmt: skip
