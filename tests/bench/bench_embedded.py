"""How long the embedded server takes to start and stop, and a test to get a database of its own."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests import gears
from worker import embedded


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def test_embedded_server_starts_within_two_seconds() -> None:
    for place, throwaway in ((gears.storage(), True), (Path(tempfile.gettempdir()), False)):
        folder = Path(tempfile.mkdtemp(prefix="hourhand-bench-", dir=place))
        folder.chmod(0o755)
        server = embedded.Server(folder, throwaway=throwaway)
        first, stop = _seconds(server.open), _seconds(server.stop)
        again = _seconds(server.open)
        server.stop()
        shutil.rmtree(folder)
        print(f"\nembedded server in {place}: first start {first:.2f} s, stop {stop:.2f} s, restart {again:.2f} s")
        assert again < 2


def test_a_clone_costs_tens_of_milliseconds(cluster: gears.Cluster) -> None:
    taken = []
    for _ in range(30):
        began = time.perf_counter()
        clone = cluster.clone()
        taken.append(time.perf_counter() - began)
        with psycopg.connect(clone.url()) as connection:
            connection.execute("SELECT 1")
        cluster.retire(clone)
    print(
        f"\nclone of the migrated template: median {statistics.median(taken) * 1000:.0f} ms, worst {max(taken):.2f} s"
    )
    assert statistics.median(taken) < 0.2
