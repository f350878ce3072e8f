"""PF11: how much memory a worker takes: fresh, after work over every vendor, and among a hundred thousand tenants."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from domain.clock import SystemClock
from domain.db import Database
from simulator.emulators.resend import ResendEmulator
from tests import build, gears, staff
from tests.bench import fleet
from tests.staff import CLOCK, MASTER_KEYS, ROOT, until

TENANTS = 100_000
WITH_WORK = 300


def test_pf11_memory(cloned: gears.Clone, tmp_path: Path, figures: Callable[..., None]) -> None:
    database = Database(cloned.url(), SystemClock())
    with ResendEmulator(clock=CLOCK) as resend:
        resend.account("re_acme")
        settings = {**staff.loopback_settings(resend.url, 0), "RESEND_API_KEY": "re_acme"}
        with worker(cloned, tmp_path, settings) as process:
            CLOCK.wait(5)
            idle = told(process)
            acme = build.acme(database)
            with database.tenant(acme) as tx:
                for number in range(20):
                    build.contact(tx, build.client(tx, f"Client {number}"), f"p@client-{number}.example")
                tx.run("UPDATE tenant_schedule SET next_due_at = :now WHERE tenant_id = :t", now=tx.now, t=acme)
            until(lambda: finished(cloned) == 1)
            worked = told(process)
    first_hour = CLOCK.now().replace(minute=0, second=0, microsecond=0)
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute("TRUNCATE hourhand.tenants CASCADE")
    fleet.settle(cloned, TENANTS, first_hour)
    fleet.give_work(cloned, WITH_WORK, CLOCK.now())
    with worker(cloned, tmp_path, {}) as process:
        until(lambda: finished(cloned) >= WITH_WORK, seconds=300)
        among_many = told(process)
    database.dispose()
    figures(
        "PF11", worker_idle=idle, after_an_hour_with_20_people=worked,
        **{f"at_{TENANTS}_tenants_after_{WITH_WORK}_cycles": among_many},
        bars={"worker_idle_mb": 150, "at_100000_tenants_mb": 300},
    )  # fmt: skip


@contextmanager
def worker(cloned: gears.Clone, folder: Path, settings: dict[str, str]) -> Iterator[psutil.Process]:
    """One `hourhand worker`, from a start of its own, so that it shares nothing with us."""
    environment = {"DATABASE_URL": cloned.url(), "HOURHAND_DATA_DIR": str(folder), "HOURHAND_MASTER_KEYS": MASTER_KEYS}
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "worker", "worker"], cwd=ROOT, stdout=subprocess.PIPE, stderr=log,
            env={"PATH": "/usr/bin:/bin", **environment, **settings},
        )  # fmt: skip
    try:
        assert started.stdout is not None
        assert started.stdout.readline(), (folder / "log").read_text()
        yield psutil.Process(started.pid)
    finally:
        started.terminate()
        started.communicate(timeout=60)


def finished(cloned: gears.Clone) -> int:
    """How many cycles have ended."""
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM hourhand.agent_autonomous_runs WHERE finished_at IS NOT NULL"
        ).fetchone()
    assert row is not None
    return int(row[0])


def told(process: psutil.Process) -> dict[str, int]:
    """Megabytes: resident, and proportional (what is shared with others counted in part)."""
    found = process.memory_full_info()
    return {"rss_mb": round(found.rss / 2**20), "pss_mb": round(found.pss / 2**20)}
