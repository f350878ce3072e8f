"""The clock of the demonstration: past days as fast as they can be worked through, then the present."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from uuid import UUID

from domain.clock import SystemClock


class StoryClock:
    """Stands still between the moments of the story; before it begins and after it has arrived it is the machine's own.

    Deadlines and leases are real seconds throughout: the providers and the threads of the house are real too.
    """

    virtual = True

    def __init__(self, end: datetime | None = None) -> None:
        self._system = SystemClock()
        self._told: datetime | None = None
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

    def begin(self, moment: datetime) -> None:
        """Go back to where the story begins."""
        self._told = moment.astimezone(UTC)

    def at(self, moment: datetime) -> None:
        """Move on to `moment`, never back."""
        if self._told is not None:
            self._told = max(self._told, moment.astimezone(UTC))

    def arrive(self) -> datetime:
        """Come to the end of the story: the present, which from here on passes by itself, or the end that was given."""
        self._told = self._end
        return self.now()
