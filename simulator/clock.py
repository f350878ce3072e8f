"""A clock that stands still until it is advanced, and whose ids follow from its seed."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.clock import SystemClock, uuid7

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""A Monday morning."""


class VirtualClock:
    """Time as the simulator tells it; transactions tell the database the same."""

    virtual = True

    def __init__(self, start: datetime = START, *, seed: int = 0) -> None:
        self._mutex = threading.Lock()
        self._now = start
        self._random = random.Random(seed)
        self._sequence = 0
        self._last_ms = 0

    def now(self) -> datetime:
        return self._now

    def uuid(self) -> UUID:
        with self._mutex:
            # a counter carries over into the milliseconds, so that ids keep rising while time stands still
            ms = max(int(self._now.timestamp() * 1000), self._last_ms)
            self._sequence = self._sequence + 1 if ms == self._last_ms else 0
            ms += self._sequence >> 12
            self._sequence &= 0xFFF
            self._last_ms = ms
            return uuid7(ms, self._sequence, self._random.getrandbits(62))

    def monotonic(self) -> float:
        return self._now.timestamp()

    def wait(self, seconds: float, wake: threading.Event | None = None) -> bool:
        """Advance instead of waiting."""
        if wake is not None and wake.is_set():
            return True
        self.advance(seconds=seconds)
        return False

    def advance(self, **delta: float) -> datetime:
        """Move time on by a timedelta's keywords (`hours=1`); the new instant."""
        with self._mutex:
            self._now += timedelta(**delta)
            return self._now

    def at(self, moment: datetime) -> datetime:
        """Move time to `moment`; it may not lie in the past. Raises ValueError."""
        with self._mutex:
            if moment < self._now:
                raise ValueError("time does not run backwards")
            self._now = moment.astimezone(UTC)
            return self._now


class ShiftedClock:
    """The machine's clock moved to another day: time runs by itself, and all processes with one shift agree on it."""

    # leases and heartbeats are real seconds on the database's clock, which the queue's own code goes by as well
    virtual = False

    def __init__(self, shift: timedelta) -> None:
        self.shift = shift
        self._system = SystemClock()

    @classmethod
    def starting(cls, moment: datetime) -> ShiftedClock:
        """A clock that says `moment` now, to the second: a shift of whole seconds can be told to another process."""
        return cls(timedelta(seconds=round((moment - SystemClock().now()).total_seconds())))

    def now(self) -> datetime:
        return self._system.now() + self.shift

    def uuid(self) -> UUID:
        return self._system.uuid()

    def monotonic(self) -> float:
        return self._system.monotonic()

    def wait(self, seconds: float, wake: threading.Event | None = None) -> bool:
        """Really wait."""
        return self._system.wait(seconds, wake)
