"""Time and identity: the only module that may ask the machine what time it is or make an id."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Where time and ids come from; the simulator brings its own."""

    virtual: bool
    """True when transactions must tell the database what time it is."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...

    def uuid(self) -> UUID:
        """A new UUIDv7 (RFC 9562): later ids sort after earlier ones."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back; for deadlines inside one process."""
        ...

    def wait(self, seconds: float, wake: threading.Event | None = None) -> bool:
        """Let `seconds` pass, or less if `wake` is set meanwhile. True when woken."""
        ...


class SystemClock:
    """The machine's clock."""

    virtual = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def uuid(self) -> UUID:
        # 48 bits of milliseconds and 12 bits below: kept strictly rising within the process
        with self._lock:
            stamp = (time.time_ns() << 12) // 1_000_000
            self._last = stamp = max(stamp, self._last + 1)
        return uuid7(stamp >> 12, stamp & 0xFFF, int.from_bytes(os.urandom(8)))

    def monotonic(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float, wake: threading.Event | None = None) -> bool:
        if wake is not None:
            return wake.wait(max(0.0, seconds))
        time.sleep(max(0.0, seconds))
        return False


def uuid7(milliseconds: int, sequence: int, random_bits: int) -> UUID:
    """A UUIDv7 from its parts: 48 bits of Unix milliseconds, 12 of sequence, 62 of randomness (RFC 9562)."""
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (sequence & 0xFFF) << 64
    value |= 0b10 << 62 | random_bits & (1 << 62) - 1
    return UUID(int=value)
