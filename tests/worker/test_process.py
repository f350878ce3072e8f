"""The process: it comes up, answers, ends within twenty seconds, and refuses what would do harm, with the mend."""

from __future__ import annotations

import json
import signal
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psutil
import psycopg
import pytest

from domain import keys, runs, schedule
from domain.db import Database
from tests import build, gears, staff
from tests.staff import Room, Staff

PROMISE_SECONDS = 20
REFUSED = 2
UNFINISHED = 1


@pytest.fixture
def company(room: Room, cloned: gears.Clone) -> Iterator[Staff]:
    """Processes on a database of the test's own, that wait for no work for long."""
    with staff.employed(room, DATABASE_URL=cloned.url(), HOURHAND_DRAIN_SECONDS="2") as hands:
        yield hands


def test_up_answers_ticks_works_and_ends_cleanly(company: Staff, database: Database) -> None:
    acme = build.tenant(database, "acme", {})
    _due(database, acme)
    process = company.start("up")
    address = process.up().split()[4]
    assert json.load(urllib.request.urlopen(f"{address}/healthz", timeout=60)) == {"status": "ok"}
    assert json.load(urllib.request.urlopen(f"{address}/readyz", timeout=60))["status"] == "ready"
    staff.until(lambda: [run["outcome"] for run in _runs(database, acme)] == ["completed"], what=process.told)
    assert b"agent_cycles_completed_total 1.0" in urllib.request.urlopen(f"{address}/metrics", timeout=60).read()
    code, seconds = process.end()
    assert (code, seconds < PROMISE_SECONDS) == (0, True)
    assert process.events()[-1] == "process.down"


def test_work_that_does_not_end_keeps_no_process_alive_and_is_taken_up(
    company: Staff, cloned: gears.Clone, database: Database
) -> None:
    acme = build.tenant(database, "acme", {})
    _due(database, acme)
    with _held_up(cloned):
        process = company.start("up")
        staff.until(lambda: _is_stuck(cloned), what=process.told)
        process.up()
        code, seconds = process.end()
        assert (code, seconds < PROMISE_SECONDS) == (UNFINISHED, True)
        # its job is still there, and its run open, for whoever comes next
        assert _doing(database) == 1
        assert _runs(database, acme)[0]["finished_at"] is None
    successor = company.start("worker")
    staff.until(lambda: [run["outcome"] for run in _runs(database, acme)] == ["completed"], what=successor.told)
    assert f":{successor.pid}:" in str(_runs(database, acme)[0]["holder"])


def test_what_would_do_harm_is_refused_with_its_mend(company: Staff, database: Database) -> None:
    """A port in use; a bind beyond loopback while no admin key is in force."""
    with database.wearing("control") as tx:
        keys.issue_house(tx, staff.VAULT, name="ops", role="operator")
        keys.issue_house(tx, staff.VAULT, name="gone", role="admin", expires_at=tx.now)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = company.start("up", HOURHAND_PORT=str(taken.getsockname()[1]))
        host = company.start("up", HOURHAND_HOST="0.0.0.0")
        assert (port.ended(), host.ended()) == (REFUSED, REFUSED)
    assert "HOURHAND_PORT" in port.log.read_text()
    assert "hourhand key create" in host.log.read_text()


def test_one_folder_has_one_main_process_which_leaves_nothing_running(room: Room) -> None:
    with staff.employed(room) as company:
        first = company.start("up")
        assert str(company.folder / "data") in first.up()
        second = company.start("up")
        assert second.ended() == REFUSED
        assert f"pid {first.pid}" in second.log.read_text()
        assert "HOURHAND_DATA_DIR" in second.log.read_text()
        assert first.end(signal.SIGINT)[0] == 0
        folder = str(company.folder)
        assert not [each for each in psutil.process_iter(["cmdline"]) if folder in " ".join(each.info["cmdline"] or ())]


@contextmanager
def _held_up(cloned: gears.Clone) -> Iterator[None]:
    """Every cycle gets stuck at its reflection as long as the block lasts."""
    with psycopg.connect(cloned.admin_url) as connection:
        connection.execute("LOCK TABLE hourhand.agent_hourly_reflections IN SHARE MODE")
        yield
        connection.rollback()


def _is_stuck(cloned: gears.Clone) -> bool:
    """Whether a cycle has come to where it is held up."""
    with psycopg.connect(cloned.admin_url) as connection:
        waiting = connection.execute(
            "SELECT FROM pg_locks WHERE NOT granted AND relation = 'hourhand.agent_hourly_reflections'::regclass"
        )
        return waiting.rowcount > 0


def _due(database: Database, tenant: UUID) -> None:
    """The tenant's hour has struck, and there is work."""
    with database.tenant(tenant) as tx:
        schedule.bring_forward(tx, tx.now)
        tx.run("UPDATE tenant_schedule SET next_due_at = :now WHERE tenant_id = :t", now=tx.now, t=tenant)


def _doing(database: Database) -> int:
    with database.wearing("dispatcher") as tx:
        return int(tx.value("SELECT count(*) FROM queue.procrastinate_jobs WHERE status = 'doing'"))


def _runs(database: Database, tenant: UUID) -> list[dict[str, Any]]:
    with database.tenant(tenant) as tx:
        return [dict(row) for row in runs.recent(tx)]
