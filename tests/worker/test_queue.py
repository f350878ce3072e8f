"""The queue: finishes are fenced, five failures end in quarantine, and a dead worker's jobs go on."""

from __future__ import annotations

import asyncio
from collections import Counter
from uuid import UUID

import psycopg
import pytest
from procrastinate.jobs import Status

from domain import errands, given_up, imports, quarantine, runs, schedule, uploads
from domain.clock import SystemClock
from domain.db import Database
from domain.house import House, Leaving
from jobs import dead_letters, import_file, rescue, tick
from jobs.import_file import Wish
from tests import build, gears, houses
from worker import queue
from worker.queue import FencedJobs, Jobs, QueueUnfit, Worker
from worker.settings import Settings, load


class Boom(Exception):
    """A fault that no engine caught."""


class Counts(Counter[str]):
    """What the worker counted."""

    def note(self, task: str, result: str) -> None:
        self[f"{task} {result}"] += 1


@pytest.fixture
def settings() -> Settings:
    """Small pools."""
    return load({"HOURHAND_CONCURRENCY": "2", "HOURHAND_MAILBOX_CONCURRENCY": "1"})


def test_a_queued_cycle_is_run_and_its_job_is_gone(database: Database, settings: Settings) -> None:
    acme = build.tenant(database, "acme", {})
    globex = build.tenant(database, "globex", {})
    _enqueue(database, "cycle", acme)
    counts = Counts()
    with houses.house(database) as house:
        Worker(house, settings, counts.note).drain()
    assert counts == {"cycle done": 1}
    assert [len(_runs(database, tenant)) for tenant in (acme, globex)] == [1, 0]
    assert _jobs(database) == []


def test_a_job_that_fails_five_times_is_a_dead_letter_and_can_be_replayed(
    database: Database, settings: Settings
) -> None:
    acme = build.tenant(database, "acme", {})
    _enqueue(database, "cycle", acme)
    counts = Counts()

    def explode(step: str) -> None:
        raise Boom(step)

    with houses.house(database, fault=explode) as house:
        worker = Worker(house, settings, counts.note, patience_seconds=0)
        for _ in range(quarantine.TRIES):
            worker.drain()
    assert counts == {"cycle failed": quarantine.TRIES}
    assert _jobs(database) == []
    with database.tenant(acme) as tx:
        [item] = quarantine.listed(tx)
    assert (item.kind, item.attempts, item.is_dead) == ("job", quarantine.TRIES, True)
    assert item.reason.startswith("Boom: ")

    with database.tenant(acme, actor="test") as tx:
        dead_letters.replay(tx, item.id)
    with database.tenant(acme, actor="test") as tx, pytest.raises(given_up.UnknownLetter):
        dead_letters.replay(tx, item.id)
    with houses.house(database) as house:
        Worker(house, settings, counts.note).drain()
    assert [run["outcome"] for run in _runs(database, acme)] == ["completed"]
    with database.tenant(acme) as tx:
        assert quarantine.listed(tx) == []


def test_a_failure_that_passes_is_struck_from_quarantine(database: Database, settings: Settings) -> None:
    acme = build.tenant(database, "acme", {})
    _enqueue(database, "cycle", acme)
    left = [1, 1]

    def explode(step: str) -> None:
        if left:
            raise Boom(f"{step} {left.pop()}")

    with houses.house(database, fault=explode) as house:
        worker = Worker(house, settings, Counts().note, patience_seconds=0)
        for _ in range(3):
            worker.drain()
    with database.tenant(acme) as tx:
        assert quarantine.listed(tx) == []
    assert [run["outcome"] for run in _runs(database, acme)] == ["completed"]


def test_one_tenants_failing_job_stops_no_other(database: Database, settings: Settings) -> None:
    acme, globex = build.tenant(database, "acme", {}), build.tenant(database, "globex", {})
    for tenant in (acme, globex):
        _enqueue(database, "cycle", tenant)
    stumbled: list[str] = []

    def stumble(step: str) -> None:
        if step == "cycle.begun" and not stumbled:
            stumbled.append(step)
            raise RuntimeError("the first of them stumbles")

    counts = Counts()
    with houses.house(database, fault=stumble) as house:
        Worker(house, settings, counts.note).drain()
    assert counts == {"cycle done": 1, "cycle failed": 1}
    outcomes = [run["outcome"] for tenant in (acme, globex) for run in _runs(database, tenant)]
    assert sorted(outcomes, key=str) == [None, "completed"]


def test_what_a_tenant_is_having_carried_in_is_done_by_the_worker(database: Database, settings: Settings) -> None:
    acme = build.tenant(database, "acme", {})
    rows = b"email\na@initech.example\nb@initech.example\n"
    with database.tenant(acme, actor="test") as tx:
        upload = uploads.begin(tx, "people.csv").id
        uploads.put(tx, upload, 1, rows)
    with database.tenant(acme, actor="test") as tx:
        batch = import_file.begin_uploaded(tx, upload, Wish("contacts", "people.csv"))
        assert [errands.ask(tx), errands.ask(tx)] == [True, False]
    counts = Counts()
    with houses.house(database) as house:
        Worker(house, settings, counts.note).drain()
    assert counts["carry done"] >= 1
    with database.tenant(acme) as tx:
        assert (imports.get(tx, batch.id).state, uploads.listed(tx)) == ("done", [])
    assert _jobs(database) == []


def test_a_process_that_leaves_puts_its_job_back_untried(database: Database, settings: Settings) -> None:
    acme = build.tenant(database, "acme", {})
    _enqueue(database, "cycle", acme)

    def leave(step: str) -> None:
        house.leaving.set()
        raise Leaving(step)

    with houses.house(database, fault=leave) as house:
        Worker(house, settings, Counts().note).drain()
    assert _jobs(database) == [("cycle", "todo", 0)]
    with houses.house(database, holder="test-2") as house:
        Worker(house, settings, Counts().note).drain()
    assert [run["outcome"] for run in _runs(database, acme)] == ["completed"]


def test_a_stalled_job_goes_back_once_however_many_look(database: Database) -> None:
    acme = build.tenant(database, "acme", {})
    _enqueue(database, "cycle", acme)
    _taken_by_the_dead(database)
    with houses.house(database) as house:
        assert rescue.run(house) == 1
        assert rescue.run(house) == 0
    assert _jobs(database) == [("cycle", "todo", 1)]
    with database.tenant(acme) as tx:
        assert quarantine.listed(tx)[0].reason == "the process that worked on it died or hung"


def test_a_living_workers_job_is_left_alone(database: Database) -> None:
    _enqueue(database, "cycle", build.tenant(database, "acme", {}))
    with database.wearing("dispatcher") as tx:
        worker = tx.value("SELECT worker_id FROM procrastinate_register_worker_v1()")
        tx.run("UPDATE queue.procrastinate_jobs SET status = 'doing', worker_id = :worker", worker=worker)
    with houses.house(database) as house:
        assert rescue.run(house) == 0
    assert _jobs(database) == [("cycle", "doing", 0)]


def test_a_stalled_job_whose_twin_waits_is_dropped(database: Database) -> None:
    acme = build.tenant(database, "acme", {})
    _enqueue(database, "cycle", acme)
    _taken_by_the_dead(database)
    _enqueue(database, "cycle", acme)
    with houses.house(database) as house:
        rescue.run(house)
    assert _jobs(database) == [("cycle", "todo", 0)]


def test_a_job_that_keeps_killing_its_workers_is_a_dead_letter(database: Database) -> None:
    acme = build.tenant(database, "acme", {})
    _enqueue(database, "cycle", acme)
    with houses.house(database) as house:
        for _ in range(quarantine.TRIES):
            _taken_by_the_dead(database)
            assert rescue.run(house) == 1
    assert _jobs(database) == []
    with database.tenant(acme) as tx:
        assert quarantine.listed(tx)[0].is_dead


def test_mailboxes_that_shared_a_stalled_job_go_on_alone(database: Database) -> None:
    with database.wearing("dispatcher") as tx:
        tenants = [str(tx.clock.uuid()) for _ in range(3)]
        tx.run(
            """INSERT INTO queue.procrastinate_jobs (queue_name, task_name, queueing_lock, args)
               VALUES ('mailboxes', 'ingest', 'ingest:abc', :args)""",
            args={"tenant_ids": tenants},
        )
    _taken_by_the_dead(database)
    with houses.house(database) as house:
        rescue.run(house)
    assert _jobs(database) == [("ingest", "todo", 0)] * 3


def test_a_worker_that_wakes_too_late_finishes_nobody_elses_job(database: Database, settings: Settings) -> None:
    """A is paused with a job; B takes it over; A wakes and tries to finish, fail and retry it."""
    acme = build.tenant(database, "acme", {})
    _enqueue(database, "cycle", acme)
    with houses.house(database) as house:
        asyncio.run(_wake_too_late(house, Jobs(house, Counts().note)))
    assert _jobs(database) == [("cycle", "doing", 1)]


async def _wake_too_late(house: House, jobs: Jobs) -> None:
    app = queue.build(house, jobs)
    async with app.open_async():
        first = await app.job_manager.register_worker()
        theirs = await app.job_manager.fetch_job(["cycles"], first)
        await app.job_manager.unregister_worker(first)
        rescue.run(house)
        second = await app.job_manager.register_worker()
        assert await app.job_manager.fetch_job(["cycles"], second) is not None
        assert isinstance(app.job_manager, FencedJobs)
        assert theirs is not None
        await app.job_manager.finish_job(theirs, Status.SUCCEEDED, delete_job=True)
        await app.job_manager.finish_job(theirs, Status.FAILED, delete_job=False)
        await app.job_manager.retry_job(theirs)


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("DROP INDEX queue.procrastinate_jobs_lock_ready", "index"),
        (
            "ALTER TABLE queue.procrastinate_jobs ENABLE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1",
            "trigger",
        ),
        ("ALTER TABLE queue.procrastinate_jobs ENABLE ROW LEVEL SECURITY", "row-level security"),
    ],
)
def test_a_queue_without_its_conditions_is_refused_at_start(cloned: gears.Clone, broken: str, told: str) -> None:
    database = Database(cloned.url(), SystemClock())
    queue.check(database)
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute(broken)
    with pytest.raises(QueueUnfit, match=told):
        queue.check(database)
    database.dispose()


def test_the_ticker_and_the_worker_together_do_the_houses_entries(database: Database, settings: Settings) -> None:
    tick.prepare(database)
    with database.wearing("dispatcher") as tx:
        tx.run("UPDATE queue.house_slots SET next_due_at = :now", now=tx.now)
    counts = Counts()
    with houses.house(database) as house:
        assert tick.run(house).at_once == ("rescue",)
        Worker(house, settings, counts.note).drain()
    assert counts == {"clean_up done": 1, "watch done": 1, "compare done": 1}


def test_a_scheduled_slot_has_one_run_however_often_its_job_is_done(database: Database, settings: Settings) -> None:
    acme = build.tenant(database, "acme", {})
    with database.tenant(acme) as tx:
        schedule.bring_forward(tx, tx.now)
        tx.run("UPDATE tenant_schedule SET next_due_at = :now WHERE tenant_id = :t", now=tx.now, t=acme)
    tick.claim(database)
    with houses.house(database) as house:
        worker = Worker(house, settings, Counts().note)
        worker.drain()
        for _ in range(2):
            _enqueue(database, "cycle", acme)
            worker.drain()
    assert len(_runs(database, acme)) == 1


def test_a_slot_that_meets_another_cycle_under_way_is_made_up_for(database: Database, settings: Settings) -> None:
    acme = build.tenant(database, "acme", {})
    with database.tenant(acme) as tx:
        schedule.bring_forward(tx, tx.now)
        tx.run("UPDATE tenant_schedule SET next_due_at = :now WHERE tenant_id = :t", now=tx.now, t=acme)
    tick.claim(database)
    with houses.house(database, holder="by hand") as other, houses.house(database) as house:
        held = other.locks.acquire(acme)
        Worker(house, settings, Counts().note).drain()
        assert held is not None
        other.locks.release(held)
        assert not _runs(database, acme)
        assert not _jobs(database)
        assert tick.claim(database).jobs == 1
        Worker(house, settings, Counts().note).drain()
    assert [run["kind"] for run in _runs(database, acme)] == ["extra"]


def _enqueue(database: Database, task: str, tenant: UUID) -> None:
    with database.wearing("dispatcher") as tx:
        assert rescue.enqueue(tx, task, tenant)


def _taken_by_the_dead(database: Database) -> None:
    with database.wearing("dispatcher") as tx:
        tx.run("UPDATE queue.procrastinate_jobs SET status = 'doing', worker_id = NULL WHERE status = 'todo'")


def _jobs(database: Database) -> list[tuple[str, str, int]]:
    with database.wearing("dispatcher") as tx:
        rows = tx.rows("SELECT task_name, status::text AS status, attempts FROM queue.procrastinate_jobs ORDER BY id")
    return [(row["task_name"], row["status"], row["attempts"]) for row in rows]


def _runs(database: Database, tenant: UUID) -> list[dict[str, object]]:
    with database.tenant(tenant) as tx:
        return [dict(row) for row in runs.recent(tx)]
