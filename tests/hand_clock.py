"""A clock that moves only when a test moves it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from simulator.clock import START as A_MONDAY  # no holiday in any country that the tests use
from simulator.clock import VirtualClock

__all__ = ["A_MONDAY", "HandClock"]


class HandClock(VirtualClock):
    """The simulator's clock, which a test may also turn back."""

    def move_to(self, instant: datetime) -> None:
        """Jump to an instant, back as well as forward."""
        with self._mutex:
            self._now = instant

    def memory(self) -> Any:
        """How the clock stands, its ids included."""
        with self._mutex:
            return self._now, self._random.getstate(), self._sequence, self._last_ms

    def recall(self, memory: Any) -> None:
        """Stand as another one stood: go on from its instant, with the ids that it would have made next."""
        with self._mutex:
            self._now, state, self._sequence, self._last_ms = memory
            self._random.setstate(state)
