"""A circuit around a sender: a provider that keeps failing is left in peace, so that no card is made uncertain."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime

from domain.clock import Clock
from domain.ports import (
    Accepted,
    FoundMail,
    MailSender,
    MaybeHappened,
    NothingHappened,
    OutboundMail,
    SentList,
    SentMail,
)


class Circuit:
    """Opens after `failures` in a row, and lets one try through each `rest_seconds` until one succeeds.

    One for all tenants of a provider's address: its outage is everybody's, a tenant's refusals are its own and don't
    count.
    """

    def __init__(self, clock: Clock, *, failures: int = 5, rest_seconds: float = 30.0) -> None:
        self._clock = clock
        self._limit = failures
        self._rest_seconds = rest_seconds
        self._lock = threading.Lock()
        self._failed = 0
        self._closed_until = 0.0

    @property
    def is_open(self) -> bool:
        """True while tries are held back."""
        return self._failed >= self._limit

    def admit(self) -> None:
        """Let a try through. Raises NothingHappened, with the seconds to wait, when it is held back."""
        with self._lock:
            if self._failed < self._limit:
                return
            left = self._closed_until - self._clock.monotonic()
            if left > 0:
                raise NothingHappened(
                    f"The provider failed {self._failed} times in a row and is left in peace for {left:.0f} s.",
                    retry_after_seconds=left,
                )
            # This one tries; the others wait for what comes of it.
            self._closed_until = self._clock.monotonic() + self._rest_seconds

    def succeeded(self) -> None:
        """The provider answered sensibly."""
        with self._lock:
            self._failed = 0

    def failed(self) -> None:
        """The provider could not be reached, or did not answer sensibly."""
        with self._lock:
            self._failed += 1
            if self._failed >= self._limit:
                self._closed_until = self._clock.monotonic() + self._rest_seconds


class CircuitSender:
    """A MailSender behind a circuit."""

    def __init__(self, sender: MailSender, circuit: Circuit) -> None:
        self.name = sender.name
        self.keeps_keys = sender.keeps_keys
        self._sender = sender
        self._circuit = circuit

    def send(self, mail: OutboundMail, *, deadline_seconds: float) -> Accepted:
        """Send, unless the provider is being left in peace. Raises as the sender does."""
        self._circuit.admit()
        try:
            accepted = self._sender.send(mail, deadline_seconds=deadline_seconds)
        except MaybeHappened:
            self._circuit.failed()
            raise
        except NothingHappened as error:
            # A throttle names its end: the provider is well, this tenant was too fast.
            if error.retry_after_seconds is None:
                self._circuit.failed()
            raise
        self._circuit.succeeded()
        return accepted

    def find(self, mail: OutboundMail, *, deadline_seconds: float, since: datetime | None = None) -> FoundMail | None:
        """Look up as the sender does; a question makes nothing uncertain, so it always passes."""
        return self._sender.find(mail, deadline_seconds=deadline_seconds, since=since)

    def sent_since(
        self, since: datetime, *, after: str | None, deadline_seconds: float
    ) -> tuple[Sequence[str], str | None]:
        """List as the sender does. Raises NothingHappened, also where it keeps no list."""
        return self._listed().sent_since(since, after=after, deadline_seconds=deadline_seconds)

    def sent(self, provider_id: str, *, deadline_seconds: float) -> SentMail:
        """One mail as the sender tells of it. Raises NothingHappened, also where it keeps no list."""
        return self._listed().sent(provider_id, deadline_seconds=deadline_seconds)

    def _listed(self) -> SentList:
        if not isinstance(self._sender, SentList):
            raise NothingHappened(f"{self.name} keeps no list of what it was given")
        return self._sender
