"""The process: it comes up, ends within twenty seconds, and when it is killed another takes its work over."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import psycopg
import pytest

from domain import keys, runs, schedule
from domain.clock import SystemClock
from domain.db import Database
from domain.vault import Vault
from tests import build, gears
from worker.settings import parse_keys

ROOT = Path(__file__).resolve().parents[2]
MASTER_KEYS = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
QUICK = {
    "HOURHAND_PORT": "0", "HOURHAND_POLL_SECONDS": "0.1", "HOURHAND_HEARTBEAT_SECONDS": "0.5",
    "HOURHAND_STALLED_SECONDS": "2", "HOURHAND_DRAIN_SECONDS": "2", "HOURHAND_MASTER_KEYS": MASTER_KEYS,
    "HOURHAND_LOG_LEVEL": "info",
}  # fmt: skip
CLOCK = SystemClock()


class Started:
    """A process of Hourhand's, with what it has said so far."""

    def __init__(self, verb: str, environment: dict[str, str], folder: Path) -> None:
        self.log = folder / f"{verb}-{CLOCK.uuid().hex}.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOURHAND_", "DATABASE_"))}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "worker", verb, "--json"], cwd=ROOT, stdout=subprocess.PIPE, stderr=log,
                text=True, env={**kept, **QUICK, "HOURHAND_DATA_DIR": str(folder / "data"), **environment},
            )  # fmt: skip

    def up(self) -> str:
        """Wait until it says that it is up; its sentence."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        return str(json.loads(line)["up"])

    def events(self) -> list[str]:
        """What it logged."""
        return [json.loads(line)["event"] for line in self.log.read_text().splitlines() if line.startswith("{")]

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; the exit code and how many seconds it took."""
        began = CLOCK.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        return code, CLOCK.monotonic() - began


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the database's own user may enter, gone with the test."""
    made = Path(tempfile.mkdtemp(prefix="hourhand-process-", dir=gears.storage()))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Started]]:
    """Start processes; whatever is left of them is killed at the end."""
    begun: list[Started] = []

    def begin(verb: str, **environment: str) -> Started:
        begun.append(Started(verb, environment, folder))
        return begun[-1]

    yield begin
    for each in begun:
        # shown by pytest where the test failed
        sys.stderr.write(f"--- {each.log.name}\n{each.log.read_text()}\n")
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        if each.process.stdout is not None:
            each.process.stdout.close()


def test_up_answers_ticks_works_and_ends_cleanly(start: Callable[..., Started], database: Database) -> None:
    acme = build.tenant(database, "acme", {})
    _due(database, acme)
    process = start("up", DATABASE_URL=database.url)
    address = process.up().split()[4]
    assert json.load(urllib.request.urlopen(f"{address}/healthz", timeout=5)) == {"status": "ok"}
    assert json.load(urllib.request.urlopen(f"{address}/readyz", timeout=5))["status"] == "ready"
    _eventually(lambda: [run["outcome"] for run in _runs(database, acme)] == ["completed"])
    assert b"agent_cycles_completed_total 1.0" in urllib.request.urlopen(f"{address}/metrics", timeout=5).read()
    code, seconds = process.end()
    assert (code, seconds < 20) == (0, True)
    assert process.events()[-1] == "process.down"


def test_work_that_does_not_end_keeps_no_process_alive(
    start: Callable[..., Started], cloned: gears.Clone, database: Database
) -> None:
    acme = build.tenant(database, "acme", {})
    _due(database, acme)
    with _held_up(cloned):
        process = start("up", DATABASE_URL=database.url)
        process.up()
        _eventually(lambda: [run["phase"] for run in _runs(database, acme)] == ["reflect"])
        code, seconds = process.end()
        assert (code, seconds < 20) == (1, True)
        # its job is still there, and its run open, for whoever comes next
        assert _doing(database) == 1
        assert _runs(database, acme)[0]["finished_at"] is None


def test_when_one_is_killed_another_takes_over_within_a_minute(
    start: Callable[..., Started], cloned: gears.Clone, database: Database
) -> None:
    acme, globex = build.tenant(database, "acme", {}), build.tenant(database, "globex", {})
    _due(database, globex)
    first = start("worker", DATABASE_URL=database.url)
    first.up()
    _eventually(lambda: [run["outcome"] for run in _runs(database, globex)] == ["completed"])
    with _held_up(cloned):
        _due(database, acme)
        _eventually(lambda: [run["phase"] for run in _runs(database, acme)] == ["reflect"])
        began = CLOCK.monotonic()
        first.process.kill()
        first.process.wait()
    second = start("worker", DATABASE_URL=database.url)
    second.up()
    _eventually(lambda: [run["outcome"] for run in _runs(database, acme)] == ["completed"], seconds=60)
    assert CLOCK.monotonic() - began < 60
    assert f":{second.process.pid}:" in str(_runs(database, acme)[0]["holder"])
    assert len(_runs(database, globex)) == 1
    assert second.end()[0] == 0


def test_two_processes_run_each_slot_once(
    start: Callable[..., Started], cloned: gears.Clone, database: Database
) -> None:
    tenants = [build.tenant(database, f"tenant-{number}", {}) for number in range(10)]
    # patient enough that a busy machine isn't taken for a dead worker
    pair = [start("worker", DATABASE_URL=database.url, HOURHAND_STALLED_SECONDS="30") for _ in range(2)]
    for process in pair:
        process.up()
    for hour in (1, 2, 3):
        _strike(cloned)
        _eventually(partial(_all_finished, database, tenants, hour), seconds=60)
    for process in pair:
        assert process.end()[0] == 0
    for tenant in tenants:
        found = list(reversed(_runs(database, tenant)))
        assert [run["cycle_number"] for run in found] == [1, 2, 3]
        assert len({run["slot_at"] for run in found}) == 3
        assert all(before["finished_at"] <= after["started_at"] for before, after in pairwise(found))
    assert _doing(database) == 0


def test_a_port_in_use_is_told_with_its_mend(start: Callable[..., Started], database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("up", DATABASE_URL=database.url, HOURHAND_PORT=str(taken.getsockname()[1]))
        assert process.process.wait(timeout=30) == 2
    assert "HOURHAND_PORT" in process.log.read_text()


def test_no_bind_beyond_loopback_without_an_admin_key(start: Callable[..., Started], database: Database) -> None:
    refused = start("up", DATABASE_URL=database.url, HOURHAND_HOST="0.0.0.0")
    assert refused.process.wait(timeout=30) == 2
    assert "hourhand key create" in refused.log.read_text()
    vault = Vault(parse_keys(MASTER_KEYS))
    with database.wearing("control") as tx:
        issued = keys.issue_house(tx, vault, name="ops", role="operator")
        keys.issue_house(tx, vault, name="gone", role="admin", expires_at=tx.now)
    assert issued.key_id
    assert start("up", DATABASE_URL=database.url, HOURHAND_HOST="0.0.0.0").process.wait(timeout=30) == 2


def test_one_folder_has_one_main_process_which_leaves_nothing_running(
    start: Callable[..., Started], folder: Path
) -> None:
    first = start("up")
    assert str(folder / "data") in first.up()
    second = start("up")
    assert second.process.wait(timeout=30) == 2
    assert f"pid {first.process.pid}" in second.log.read_text()
    assert first.end(signal.SIGINT)[0] == 0
    assert not [
        each for each in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(each.info["cmdline"] or ())
    ]


@contextmanager
def _held_up(cloned: gears.Clone) -> Iterator[None]:
    """Every cycle gets stuck at its reflection as long as the block lasts."""
    with psycopg.connect(cloned.admin_url) as connection:
        connection.execute("LOCK TABLE hourhand.agent_hourly_reflections IN SHARE MODE")
        yield
        connection.rollback()


def _due(database: Database, tenant: UUID) -> None:
    """The tenant's hour has struck, and there is work."""
    with database.tenant(tenant) as tx:
        schedule.bring_forward(tx, tx.now)
        tx.run("UPDATE tenant_schedule SET next_due_at = :now WHERE tenant_id = :t", now=tx.now, t=tenant)


def _strike(cloned: gears.Clone) -> None:
    """A new slot for everybody, this very second, with work in it."""
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute(
            """UPDATE hourhand.tenant_schedule SET next_due_at = hourhand.db_now(), work_due_at = hourhand.db_now(),
                   slot_offset_seconds = floor(extract(epoch FROM hourhand.db_now()))::bigint % 3600"""
        )


def _doing(database: Database) -> int:
    with database.wearing("dispatcher") as tx:
        return int(tx.value("SELECT count(*) FROM queue.procrastinate_jobs WHERE status = 'doing'"))


def _runs(database: Database, tenant: UUID) -> list[dict[str, Any]]:
    with database.tenant(tenant) as tx:
        return [dict(row) for row in runs.recent(tx)]


def _all_finished(database: Database, tenants: list[UUID], hours: int) -> bool:
    return all([run["finished_at"] is not None for run in _runs(database, each)] == [True] * hours for each in tenants)


def _eventually(holds: Callable[[], bool], *, seconds: float = 60) -> None:
    until = CLOCK.monotonic() + seconds
    while not holds():
        assert CLOCK.monotonic() < until, "it did not come to pass"
        CLOCK.wait(0.1)
