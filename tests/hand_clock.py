"""A clock that moves only when a test moves it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.clock import uuid7

A_MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # no holiday in any country that the tests use


class HandClock:
    """Stands still until `advance`; waiting on it advances it. Ids rise and repeat from run to run."""

    virtual = True

    def __init__(self, start: datetime = A_MONDAY) -> None:
        self._lock = threading.Lock()
        self._start = start
        self._now = start
        self._made = 0

    def now(self) -> datetime:
        return self._now

    def uuid(self) -> UUID:
        with self._lock:
            self._made += 1
            made = self._made
        return uuid7(int(self._now.timestamp() * 1000), made & 0xFFF, made)

    def monotonic(self) -> float:
        return (self._now - self._start).total_seconds()

    def wait(self, seconds: float, wake: threading.Event | None = None) -> bool:
        if wake is not None and wake.is_set():
            return True
        self.advance(seconds=max(0.0, seconds))
        return False

    def advance(self, **amount: float) -> datetime:
        """Move on by a timedelta's arguments (`hours=1`); the new instant."""
        with self._lock:
            self._now += timedelta(**amount)
            return self._now

    def move_to(self, instant: datetime) -> None:
        """Jump to an instant, back as well as forward."""
        with self._lock:
            self._now = instant
