"""What the demonstration needs of whoever wires the house: a whole house at work in its own place, and to stay up."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from domain.clock import Clock
from domain.house import House


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the vendors answer."""

    gmail_api_url: str
    google_token_url: str
    resend_api_url: str


class Stage(Protocol):
    """Lent by the process's composition root, which lies above this room."""

    @property
    def folder(self) -> Path:
        """The demonstration's own data folder."""
        ...

    @property
    def command(self) -> str:
        """How `hourhand` is called on this data from another terminal."""
        ...

    def open(self, clock: Clock, endpoints: Endpoints) -> AbstractContextManager[House]:
        """A house on an empty database, its API answering at `house.public_url`."""
        ...

    def stay(self, endpoints: Endpoints, announce: Callable[[str], None]) -> int:
        """Scheduler, workers and API on the same data and the machine's clock, until a signal; the exit code."""
        ...
