"""The queue's worker: procrastinate takes jobs from PostgreSQL, our threads do them, and every finish is fenced."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from psycopg import OperationalError

from domain import errands, quarantine, runs, schedule
from domain.db import Database, FenceLost
from domain.house import House, Leaving
from jobs import rescue, timetable
from jobs.timetable import Entry
from worker.settings import Settings

log = structlog.get_logger(__name__)

QUEUES: Mapping[str, tuple[str, ...]] = {"cycles": ("cycles", "house"), "mailboxes": ("mailboxes",)}
"""Two pools of threads: however long mailboxes take, cycles have theirs."""

SIDE_BY_SIDE = 4
"""How many mailboxes of one job are read at once."""

PATIENCE_SECONDS = 1.0
"""How long a job rests after its first failure; after the others, the square of their number times as long."""

LONG_SECONDS = 60.0
"""Past so long a reading of a tenant's mail, none of its other mail jobs is begun beside it."""

FENCE_LOST_SECONDS = 2
PERSIST_TRIES = 6
STARTED_AGAIN_SECONDS = 1.0

_FINISH = """DELETE FROM procrastinate_jobs
    WHERE id = %(id)s AND status = 'doing' AND worker_id = %(worker)s AND attempts = %(attempts)s RETURNING id"""
_FAIL = """UPDATE procrastinate_jobs SET status = 'failed', attempts = attempts + 1
    WHERE id = %(id)s AND status = 'doing' AND worker_id = %(worker)s AND attempts = %(attempts)s RETURNING id"""
_RETRY = """UPDATE procrastinate_jobs j SET status = 'todo', attempts = attempts + %(counted)s, worker_id = NULL,
        scheduled_at = %(at)s
    WHERE id = %(id)s AND status = 'doing' AND worker_id = %(worker)s AND attempts = %(attempts)s AND NOT EXISTS (
        SELECT FROM procrastinate_jobs twin WHERE twin.queueing_lock = j.queueing_lock AND twin.status = 'todo')
    RETURNING id"""


class QueueUnfit(Exception):
    """The queue's tables lack what keeps them quick and safe: run `hourhand db upgrade`."""


class FencedJobs(JobManager):
    """A worker that was paused, and whose job another has taken over meanwhile, changes nothing when it wakes."""

    def __init__(self, connector: PsycopgConnector, leaving: threading.Event) -> None:
        super().__init__(connector)
        self._leaving = leaving

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Finish a job that is still ours."""
        await self._settle(_FINISH if delete_job else _FAIL, job)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put a job that is still ours back; one that was only interrupted has not been tried."""
        if not await self._settle(_RETRY, job, at=retry_at, counted=0 if self._leaving.is_set() else 1):
            await self._settle(_FINISH, job)

    async def _settle(self, query: str, job: Job, **values: Any) -> bool:
        fence = {"id": job.id, "worker": job.worker_id, "attempts": job.attempts}
        for attempt in range(PERSIST_TRIES):
            # while the database is away the job stays `doing` under a living worker: nobody would rescue it
            with contextlib.suppress(OperationalError if attempt < PERSIST_TRIES - 1 else _Never):
                return bool(await self.connector.execute_query_all_async(query, **fence, **values))
            await asyncio.sleep(0.2 * 2**attempt)
        return False


class _Never(Exception):
    """Is never raised."""


class Patience(BaseRetryStrategy):
    """Again, a little later: seconds only, because a job that waits holds up the tenant's other jobs."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """None when the job has had its tries."""
        if isinstance(exception, Leaving):
            return RetryDecision(retry_in={"seconds": 0})
        if isinstance(exception, FenceLost):
            return RetryDecision(retry_in={"seconds": FENCE_LOST_SECONDS})
        if job.attempts + 1 >= quarantine.TRIES:
            return None
        return RetryDecision(retry_in={"seconds": round(self._seconds * (job.attempts + 1) ** 2)})


class Jobs:
    """What each task does; runs in the worker's threads."""

    def __init__(self, house: House, count: Callable[[str, str], None]) -> None:
        self._house = house
        self._count = count
        self._failing: set[tuple[str, UUID]] = set()
        self._mutex = threading.Lock()
        self._reading: dict[tuple[str, UUID], float] = {}
        """Since when which mail job of which tenant is under way in this process."""

    def cycle(self, context: JobContext, *, tenant_id: str) -> None:
        """One tenant's hour."""
        self._for_tenant(context, UUID(tenant_id), lambda: self._hour(UUID(tenant_id)))

    def extra_cycle(self, context: JobContext, *, tenant_id: str) -> None:
        """A cycle between the hours."""
        self._for_tenant(context, UUID(tenant_id), lambda: timetable.extra_cycle(self._house, UUID(tenant_id)))

    def mailboxes(self, context: JobContext, *, tenant_ids: Sequence[str]) -> None:
        """The mailboxes of some tenants, side by side: one that is slow or broken delays none of the others."""
        entry = timetable.named(context.job.task_name)
        with ThreadPoolExecutor(min(SIDE_BY_SIDE, len(tenant_ids)), thread_name_prefix=entry.name) as pool:
            for tenant_id in tenant_ids:
                pool.submit(self._mail_of, entry, context, UUID(tenant_id))

    def carry(self, context: JobContext, *, tenant_id: str) -> None:
        """A slice of what a tenant is having carried in or taken back."""
        from jobs import carry  # few processes ever need it

        self._for_tenant(context, UUID(tenant_id), lambda: carry.run(self._house, UUID(tenant_id)))

    def house(self, context: JobContext) -> None:
        """One of the timetable's entries for the whole house."""
        name = context.job.task_name
        with structlog.contextvars.bound_contextvars(task=name, job=context.job.id):
            timetable.named(name).does(self._house)
        self._count(name, "done")

    def _hour(self, tenant_id: UUID) -> None:
        if timetable.CYCLE.does(self._house, tenant_id) is None:
            with self._house.database.tenant(tenant_id) as tx:
                if runs.overtaken(tx):
                    # what fell due since that other cycle planned must not wait for the next hour
                    schedule.bring_forward(tx, tx.now, extra=True)

    def _mail_of(self, entry: Entry, context: JobContext, tenant_id: UUID) -> None:
        if self._house.leaving.is_set() or not self._begin_reading(entry, tenant_id):
            return
        try:
            self._read(entry, context, tenant_id)
        finally:
            with self._mutex:
                del self._reading[entry.name, tenant_id]

    def _begin_reading(self, entry: Entry, tenant_id: UUID) -> bool:
        """Whether to begin: a mailbox that takes long has one thread, and not one more with each poll.

        Else all would soon be its own. What is left out now comes with a later poll.
        """
        now = self._house.clock.monotonic()
        with self._mutex:
            under_way = [(name, since) for (name, whose), since in self._reading.items() if whose == tenant_id]
            if any(name == entry.name or now - since > LONG_SECONDS for name, since in under_way):
                return False
            self._reading[entry.name, tenant_id] = now
            return True

    def _read(self, entry: Entry, context: JobContext, tenant_id: UUID) -> None:
        failing = (entry.name, tenant_id)
        with structlog.contextvars.bound_contextvars(tenant=str(tenant_id), task=entry.name, job=context.job.id):
            try:
                entry.does(self._house, tenant_id)
            except Leaving:
                log.info("mailboxes.interrupted")
            except Exception as error:
                # the next poll, five minutes on, is the retry
                log.exception("mailboxes.failed")
                self._count(entry.name, "failed")
                self._note(tenant_id, entry.name, error)
                self._failing.add(failing)
            else:
                self._count(entry.name, "done")
                if failing in self._failing:
                    self._taken_in(tenant_id, entry.name)
                    self._failing.discard(failing)

    def _for_tenant(self, context: JobContext, tenant_id: UUID, does: Callable[[], object]) -> None:
        task, job = context.job.task_name, context.job
        assert job.id is not None
        source = rescue.source(task, job.id)
        with structlog.contextvars.bound_contextvars(tenant=str(tenant_id), task=task, job=job.id):
            try:
                does()
            except Leaving:
                raise
            except FenceLost:
                log.warning("job.fence_lost")
                if self._left_open(tenant_id):
                    raise
                return
            except Exception as error:
                log.exception("job.failed", attempts=job.attempts + 1)
                self._count(task, "failed")
                if self._note(tenant_id, source, error) >= quarantine.TRIES:
                    log.error("job.dead", source=source)
                    return
                raise
            self._count(task, "done")
            if job.attempts:
                self._taken_in(tenant_id, source)

    def _left_open(self, tenant_id: UUID) -> bool:
        """Whether the cycle is still to be ended: by whoever took the tenant over, or by us if nobody did.

        A lock connection is lost with a restart of the database too, and then nobody has.
        """
        with self._house.database.tenant(tenant_id) as tx:
            return runs.is_open(tx)

    def _taken_in(self, tenant_id: UUID, source: str) -> None:
        with self._house.database.tenant(tenant_id) as tx:
            quarantine.taken_in(tx, "job", [source])

    def _note(self, tenant_id: UUID, source: str, error: Exception) -> int:
        with self._house.database.tenant(tenant_id) as tx:
            return quarantine.note(tx, "job", source, f"{type(error).__name__}: {error}")


class Worker:
    """Takes jobs until told to stop, in a thread of its own; starts again when the database was away."""

    def __init__(
        self,
        house: House,
        settings: Settings,
        count: Callable[[str, str], None],
        *,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._house = house
        self._settings = settings
        self._patience = patience_seconds
        self._jobs = Jobs(house, count)
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Check the queue, then work. Raises QueueUnfit."""
        check(self._house.database)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still takes jobs."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Take no more jobs; returns at once. The house must be `leaving`."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop ended in the same instant
                self._loop.call_soon_threadsafe(self._cancel)

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the work under way; False when some is left."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _cancel(self) -> None:
        # each once: a second cancellation would cut off the wait for the work under way
        while self._tasks:
            self._tasks.pop().cancel()

    def _run(self) -> None:
        while not self._house.leaving.is_set():
            try:
                asyncio.run(self._work())
            except Exception:
                log.exception("worker.failed")
            if self._house.clock.wait(STARTED_AGAIN_SECONDS, self._house.leaving):
                return
            log.warning("worker.restarted")

    def drain(self) -> None:
        """Do what waits in the queue now, here, and return; what fails on the way is tried again as ever."""
        asyncio.run(self._work(wait=False))

    async def _work(self, *, wait: bool = True) -> None:
        self._loop = asyncio.get_running_loop()
        pools = {"cycles": self._settings.concurrency, "mailboxes": self._settings.mailbox_concurrency}
        self._loop.set_default_executor(ThreadPoolExecutor(sum(pools.values()) + 1, thread_name_prefix="job"))
        app = build(self._house, self._jobs, patience_seconds=self._patience)
        async with app.open_async():
            working = [
                asyncio.create_task(app.run_worker_async(**self._options(pool, concurrency), wait=wait))
                for pool, concurrency in pools.items()
            ]
            self._tasks = list(working)
            if self._house.leaving.is_set():
                self._cancel()
            if wait:
                # the first to end ends the other: one pool alone would leave the other's jobs waiting in silence
                await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
                self._cancel()
            for ended in await asyncio.gather(*working, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended

    def _options(self, pool: str, concurrency: int) -> dict[str, Any]:
        return {
            "name": pool,
            "queues": list(QUEUES[pool]),
            "concurrency": concurrency,
            "install_signal_handlers": False,
            "listen_notify": False,
            "delete_jobs": "successful",
            "fetch_job_polling_interval": self._settings.poll_seconds,
            "update_heartbeat_interval": self._settings.heartbeat_seconds,
            "stalled_worker_timeout": self._settings.stalled_seconds,
        }


def build(house: House, jobs: Jobs, *, patience_seconds: float = PATIENCE_SECONDS) -> App:
    """procrastinate's app over the house's database, in schema `queue`, with a task per kind of job."""
    connector = PsycopgConnector(
        conninfo=house.database.url,
        kwargs={"application_name": "hourhand-queue", "options": "-c search_path=queue,hourhand -c timezone=UTC"},
        min_size=1,
        max_size=4,
    )
    app = App(connector=connector)
    app.job_manager = FencedJobs(connector, house.leaving)
    tasks: dict[str, Callable[..., None]] = {
        "cycle": jobs.cycle,
        "extra_cycle": jobs.extra_cycle,
        errands.TASK: jobs.carry,
    }
    for entry in timetable.TIMETABLE:
        if entry.scope == "mailboxes":
            tasks[entry.name] = jobs.mailboxes
        elif entry.scope == "house" and not entry.in_ticker:
            tasks[entry.name] = jobs.house
    for name, does in tasks.items():
        app.task(name=name, pass_context=True, retry=Patience(patience_seconds))(does)
    return app


def check(database: Database) -> None:
    """The conditions under which the queue was measured. Raises QueueUnfit."""
    with database.wearing("dispatcher") as tx:
        index = tx.value("SELECT to_regclass('queue.procrastinate_jobs_lock_ready')")
        trigger = tx.value(
            """SELECT tgenabled FROM pg_trigger WHERE tgname = 'procrastinate_jobs_notify_queue_job_inserted_v1'
               AND tgrelid = to_regclass('queue.procrastinate_jobs')"""
        )
        walled = tx.value("SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass('queue.procrastinate_jobs')")
    if index is None:
        raise QueueUnfit(f"the index procrastinate_jobs_lock_ready is missing. {QueueUnfit.__doc__}")
    if trigger not in (b"D", "D"):
        raise QueueUnfit(f"the notification trigger of the job table is on. {QueueUnfit.__doc__}")
    if walled:
        raise QueueUnfit(f"row-level security hides jobs from the workers. {QueueUnfit.__doc__}")
