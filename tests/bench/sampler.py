"""Where processor time goes: a sampler of the main thread's stack, and the time of the database's own processes."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import psutil
import psycopg

ROOT = str(Path(__file__).parents[2])
SITE = "site-packages/"
EVERY_SECONDS = 0.002
OURS, STANDARD, POSTGRESQL = "ours", "standard library, called by us", "PostgreSQL"


class Sampler:
    """Looks at the main thread each `EVERY_SECONDS` of this process's processor time, and notes whose code runs.

    What Python's standard library does counts for whoever called it: psycopg's for psycopg, ours apart.
    """

    def __init__(self, admin_url: str) -> None:
        self._admin_url = admin_url
        self.seen: Counter[str] = Counter()
        self.own_seconds = 0.0
        self.database_seconds = 0.0

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Sample everything that the block does; the database's processes must be there before it begins."""
        times, began = psutil.Process().cpu_times(), self._database_seconds()
        before = signal.signal(signal.SIGPROF, self._hear)
        signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
        now = psutil.Process().cpu_times()
        self.own_seconds = now.user + now.system - times.user - times.system
        self.database_seconds = self._database_seconds() - began

    def shares(self) -> dict[str, float]:
        """Whose the processor time was, in per cent of this process's and the database's together."""
        total = self.own_seconds + self.database_seconds
        samples = sum(self.seen.values())
        mine = {name: count / samples * self.own_seconds / total for name, count in self.seen.items()}
        told = {POSTGRESQL: self.database_seconds / total, **mine}
        return {name: round(share * 100, 1) for name, share in sorted(told.items(), key=lambda one: -one[1])}

    def _hear(self, _number: int, frame: FrameType | None) -> None:
        leaf = frame
        while frame is not None:
            path = frame.f_code.co_filename
            if SITE in path:
                self.seen[path.partition(SITE)[2].partition("/")[0]] += 1
                return
            if path.startswith(ROOT):
                self.seen[OURS if frame is leaf else STANDARD] += 1
                return
            frame = frame.f_back
        self.seen[STANDARD] += 1

    def _database_seconds(self) -> float:
        with psycopg.connect(self._admin_url) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        times = [psutil.Process(pid).cpu_times() for (pid,) in rows]
        return float(sum(each.user + each.system for each in times))
