"""A clock that moves only when a test moves it."""

from __future__ import annotations

from datetime import datetime

from simulator.clock import START as A_MONDAY  # no holiday in any country that the tests use
from simulator.clock import VirtualClock

__all__ = ["A_MONDAY", "HandClock"]


class HandClock(VirtualClock):
    """The simulator's clock, which a test may also turn back."""

    def move_to(self, instant: datetime) -> None:
        """Jump to an instant, back as well as forward."""
        with self._mutex:
            self._now = instant
