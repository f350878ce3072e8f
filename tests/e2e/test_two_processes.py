"""Two real processes on one database: every hour once, whoever is killed in the middle of it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.e2e import shift
from tests.e2e.rehearsal import Rehearsal, free_port, rehearsal, until
from tests.e2e.shift import Works

KILLS = int(os.environ.get("LAB_KILLS", "1"))
"""How many kills of each kind; the short form has one."""

AT_ONCE = 2
"""Cycles at once in one process, and so the mails that a kill can cut off from their answers."""


@pytest.fixture(scope="module")
def works() -> Iterator[Works]:
    """A house with a dozen tenants; its processes notice within seconds that one of them died."""
    haste = {
        "HOURHAND_HEARTBEAT_SECONDS": "1", "HOURHAND_STALLED_SECONDS": "8", "HOURHAND_PROVIDER_DEADLINE_SECONDS": "2",
        "HOURHAND_CONCURRENCY": str(AT_ONCE),
    }  # fmt: skip
    with rehearsal(shift.OPENING, **haste) as stage:
        stage.resend.account(shift.KEY)
        yield Works(stage)


def test_two_processes_share_the_hour_and_no_slot_runs_twice(works: Works) -> None:
    works.begin_shift()
    with works.staff() as (up, worker):
        works.wait_for_the_end()
        let_the_slot_come_again(works.rehearsal)
        until(lambda: queue_is_empty(works.rehearsal), what=lambda: "an empty queue")
    looked = works.rehearsal.look_later
    [runs] = looked(
        """SELECT count(*) AS n, count(DISTINCT (tenant_id, slot_at)) AS slots,
                  count(DISTINCT tenant_id) AS tenants FROM agent_autonomous_runs WHERE kind = 'scheduled'"""
    )
    assert runs["n"] == runs["slots"] == runs["tenants"] == shift.TENANTS
    overlapping = looked(
        """SELECT a.tenant_id FROM agent_autonomous_runs a JOIN agent_autonomous_runs b
           ON a.tenant_id = b.tenant_id AND a.id < b.id
           AND a.started_at < b.finished_at AND b.started_at < a.finished_at"""
    )
    assert overlapping == []
    holders = looked("SELECT DISTINCT split_part(holder, ':', 2) AS pid FROM agent_autonomous_runs")
    assert {int(row["pid"]) for row in holders} == {up.pid, worker.pid}
    assert works.second_posts() == 0


@pytest.mark.parametrize("_round", range(KILLS))
def test_what_a_killed_process_held_is_taken_over_within_a_minute(works: Works, _round: int) -> None:
    before = len(works.rehearsal.resend.witness.posts())
    works.begin_shift()
    with works.staff() as (_up, worker):
        works.wait_for_a_send_by(worker)
        worker.kill()
        works.wait_for_the_end(seconds=60)
    works.second_posts()
    sent = len(works.rehearsal.resend.witness.posts()) - before
    assert sent - works.people_a_shift <= AT_ONCE, "beyond the first, one try with the same key for each mail cut off"


def test_a_told_process_ends_within_its_time_and_leaves_nothing_half_done(works: Works) -> None:
    works.begin_shift()
    with works.staff() as (up, worker):
        works.wait_for_a_send_by(up)
        works.wait_for_a_send_by(worker)
        for process in (worker, up):
            code, seconds = process.terminate()
            assert (code, seconds < 20) == (0, True)
    looked = works.rehearsal.look_later
    assert looked("SELECT id FROM kanban_cards WHERE state IN ('executing', 'uncertain')") == []
    assert looked("SELECT tenant_id FROM agent_tenant_locks") == []
    [done] = looked("SELECT count(*) AS n FROM kanban_cards WHERE state = 'done'")
    assert done["n"] == len(works.rehearsal.resend.sent(shift.KEY)), "what went out is written down, and nothing else"
    with works.staff(with_worker=False):
        works.wait_for_the_end()
    works.second_posts()


@pytest.mark.parametrize("_round", range(KILLS))
def test_a_database_killed_in_the_middle_of_sending_doubles_and_loses_nothing(works: Works, _round: int) -> None:
    before = len(works.rehearsal.resend.witness.posts())
    works.begin_shift()
    with works.staff() as (up, worker):
        works.wait_for_a_send_by(up)
        works.wait_for_a_send_by(worker)
        works.kill_postgres()
        works.wait_for_the_end(seconds=90)
    works.second_posts()
    sent = len(works.rehearsal.resend.witness.posts()) - before
    assert sent - works.people_a_shift <= 2 * AT_ONCE


def test_a_second_house_on_one_data_folder_is_refused_and_told_who_holds_it(works: Works) -> None:
    with works.staff(with_worker=False) as (up,):
        refused = works.rehearsal.try_command("up", HOURHAND_PORT=str(free_port()))
        assert refused.code == 2
        assert f"pid {up.pid}" in refused.stderr
        assert "HOURHAND_DATA_DIR" in refused.stderr


def let_the_slot_come_again(stage: Rehearsal) -> None:
    """As though two tickers had claimed one slot: every tenant is due once more for the hour that it just had."""
    stage.look("UPDATE tenant_schedule SET next_due_at = last_slot_at, work_due_at = last_slot_at RETURNING tenant_id")


def queue_is_empty(stage: Rehearsal) -> bool:
    """Whether nothing is due, waits or runs."""
    rows = stage.look(
        """SELECT 1 FROM procrastinate_jobs WHERE queue_name = 'cycles' UNION ALL
           SELECT 1 FROM tenant_schedule WHERE next_due_at = last_slot_at"""
    )
    return not rows
