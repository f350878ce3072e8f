"""Deadlines for tests: short where a fault would wait forever, ample where only a busy machine is slow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from simulator.emulators.faults import Fault

SHORT = 0.4
AMPLE = 10.0
SLACK = 0.3
"""What a busy machine may add to a deadline that is kept."""


def seconds_for(fault: Fault) -> float:
    """The deadline under which a fault is tried out."""
    return SHORT if fault.kind in ("hang", "drip", "slow") else AMPLE


@contextmanager
def within(deadline_seconds: float) -> Iterator[None]:
    """The block may not take more than 1.2 times its deadline."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < deadline_seconds * 1.2 + SLACK
