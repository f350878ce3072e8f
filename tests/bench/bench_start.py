"""PF10: how long a command and the whole process take to start, against a bare Python that connects."""

from __future__ import annotations

import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.architecture.source import ROOT
from tests.bench.rivals import ROUNDS, in_turn
from tests.e2e.rehearsal import free_port
from worker import embedded

BARS = {"status_over_seconds": 0.5, "up_seconds": 3.0}


@pytest.fixture
def home() -> Iterator[Path]:
    """A data folder on the disk, with its server as it runs in earnest, made and stopped again."""
    folder = Path(tempfile.mkdtemp(prefix="hourhand-bench-"))
    folder.chmod(0o755)
    hourhand(folder, "tenant", "add", "acme", "--name", "Acme")
    yield folder
    shutil.rmtree(folder)


def test_pf10_status_beside_a_running_house(home: Path, figures: Callable[..., None]) -> None:
    """Wall time and processor time of `hourhand status`, over those of `python -c pass` and one connection."""
    with embedded.attach(home) as server:
        url = server.url("hourhand_app")

        def peer(_round: int) -> None:
            subprocess.run([sys.executable, "-c", "pass"], check=True)
            psycopg.connect(url).close()

        def ours(_round: int) -> None:
            hourhand(home, "status")

        for timer, name in ((time.perf_counter, "wall"), (processor_seconds, "processor")):
            taken = in_turn(ours, peer, timer=timer)
            over = [ours - peer for ours, peer in zip(taken.ours, taken.peer, strict=True)]
            figures("PF10", work="status", time=name, over_seconds=summed_up(over), bars=BARS, **taken.told())


def test_pf10_up_until_it_answers(home: Path, figures: Callable[..., None]) -> None:
    """Seconds from the command to the announcement, with the embedded server down before: its start is part of it."""
    figures("PF10", work="up", ready_seconds=summed_up([up(home) for _ in range(ROUNDS)]), bars=BARS)


def up(home: Path) -> float:
    """Seconds until `hourhand up` says that it stands."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "worker", "up"]
    with subprocess.Popen(command, cwd=ROOT, env=environment(home), stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as process:  # fmt: skip
        assert process.stdout is not None
        said = process.stdout.readline()
        taken = time.perf_counter() - began
        process.send_signal(signal.SIGTERM)
    assert b"Hourhand is up" in said
    assert process.returncode == 0
    return taken


def hourhand(home: Path, *arguments: str) -> None:
    """Run a command to its end."""
    command = [sys.executable, "-m", "worker", *arguments]
    subprocess.run(command, cwd=ROOT, env=environment(home), stdout=subprocess.DEVNULL, check=True)


def environment(home: Path) -> dict[str, str]:
    """Ours, for this data folder."""
    return {**os.environ, "HOURHAND_DATA_DIR": str(home), "HOURHAND_PORT": str(free_port())}


def processor_seconds() -> float:
    """What this process and those that it has waited for have used."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def summed_up(seconds: list[float]) -> dict[str, float]:
    """The median with the spread."""
    return {"median": round(statistics.median(seconds), 3), "min": round(min(seconds), 3),
            "max": round(max(seconds), 3)}  # fmt: skip
