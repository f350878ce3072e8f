"""The clock of the demonstration: past days as fast as they can be worked through, then the present."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from uuid import UUID

from domain.clock import SystemClock


class StoryClock:
    """Stands still between the moments of the story; once it has arrived it runs with the machine's clock.

    Deadlines and leases are real seconds throughout: the providers and the threads of the house are real too.
    """

    virtual = True

    def __init__(self, start: datetime, end: datetime | None = None) -> None:
        self._system = SystemClock()
        self._told: datetime | None = start.astimezone(UTC)
        self._end = end.astimezone(UTC) if end else None

    def now(self) -> datetime:
        return self._told or self._system.now()

    def uuid(self) -> UUID:
        return self._system.uuid()

    def monotonic(self) -> float:
        return self._system.monotonic()

    def wait(self, seconds: float, wake: threading.Event | None = None) -> bool:
        """Really wait."""
        return self._system.wait(seconds, wake)

    def at(self, moment: datetime) -> None:
        """Move on to `moment`, never back."""
        if self._told is not None:
            self._told = max(self._told, moment.astimezone(UTC))

    def arrive(self) -> datetime:
        """Come to the end of the story: the present, which from here on passes by itself, or the end that was given."""
        self._told = self._end
        return self.now()
