"""The ways in which an emulator can misbehave, and the plan that says when."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

FaultKind = Literal["answer", "reset", "hang", "close", "truncate", "drip", "slow"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One misbehaviour, for the next `times` requests that fit.

    `answer` gives `status` and `error` in place of the real answer; `reset` cuts the connection hard; `hang` never
    answers; `close` hangs up in silence; `truncate` sends half an answer; `drip` sends a byte each `seconds`; `slow`
    waits `seconds` first. With `acts` the request is carried out all the same, and only its answer suffers.
    """

    kind: FaultKind
    acts: bool = False
    times: int = 1
    status: int = 500
    error: str = "application_error"
    message: str = "told to fail"
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.05
    method: str | None = None
    path: str | None = None
    """Only requests whose path and query contain this."""
    account: str | None = None
    """Only requests of this key or token."""

    def fits(self, method: str, path: str, account: str) -> bool:
        """True when this fault is meant for such a request."""
        return (
            self.method in (None, method)
            and (self.path is None or self.path in path)
            and self.account in (None, account)
        )

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Fault:
        """From JSON, as the control address takes it. Raises TypeError on an unknown field."""
        return cls(**data)


def throttle(retry_after_seconds: int = 1, *, error: str = "rate_limit_exceeded", times: int = 1) -> Fault:
    """429 with Retry-After; nothing is done."""
    return Fault("answer", status=429, error=error, headers={"Retry-After": str(retry_after_seconds)}, times=times)


def refuse(status: int, error: str = "validation_error", message: str = "refused", *, times: int = 1) -> Fault:
    """A 4xx; nothing is done."""
    return Fault("answer", status=status, error=error, message=message, times=times)


def fail(status: int = 500, *, acts: bool = False, times: int = 1) -> Fault:
    """A 5xx, before or after acting."""
    return Fault("answer", status=status, acts=acts, times=times)


class Plan:
    """Faults waiting for their request, first come first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[list[Any]] = []

    def add(self, fault: Fault) -> None:
        """Let `fault` befall the next `times` requests that fit it."""
        with self._lock:
            self._waiting.append([fault, fault.times])

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._waiting.clear()

    def next_for(self, method: str, path: str, account: str) -> Fault | None:
        """The fault that befalls this request, used up by it."""
        if not self._waiting:
            return None
        with self._lock:
            for entry in self._waiting:
                fault: Fault = entry[0]
                if fault.fits(method, path, account):
                    entry[1] -= 1
                    if entry[1] <= 0:
                        self._waiting.remove(entry)
                    return fault
        return None
