"""An estate of tenants on one database with a real worker, of whom one is noisy; and how the others fare."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain import clients, contacts, mailboxes, runs, tenants
from domain import settings as tenant_settings
from domain.clock import SystemClock
from domain.db import Database
from domain.house import House
from domain.ports import Accepted, FoundMail, OutboundMail, Page, RawMessage
from jobs import tick
from tests import build, houses
from tests.houses import VAULT
from worker.queue import Worker
from worker.settings import load

SLOT = datetime(2026, 3, 2, 15, 0, 5, tzinfo=UTC)
"""Five seconds past a full hour of a Monday, in everybody's sending window."""
NOISY = "noisy"


def until(look: Callable[[], bool], *, seconds: float = 180.0) -> bool:
    """Wait for something; False when it never came."""
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    while not look():
        if clock.monotonic() > deadline:
            return False
        clock.wait(0.05)
    return True


@dataclass
class Hanging:
    """A way out that holds each mail until it is let go, or its patience ends."""

    seconds: float = 180.0
    name: str = "resend"
    keeps_keys: bool = True
    holding: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)
    done_meanwhile: Callable[[], int] = lambda: 0
    seen: list[int] = field(default_factory=list)
    """How much was done by others at the end of each wait."""

    def send(self, mail: OutboundMail, *, deadline_seconds: float) -> Accepted:
        """Take it, once the time has come."""
        self.holding.set()
        self.let_go.wait(self.seconds)
        self.seen.append(self.done_meanwhile())
        return Accepted(f"re-{mail.card_id}")

    def find(self, mail: OutboundMail, *, deadline_seconds: float, since: datetime | None = None) -> FoundMail | None:
        """Nothing is lost here."""
        return None


@dataclass
class Quick:
    """A way out that takes everything at once."""

    name: str = "resend"
    keeps_keys: bool = True
    taken: list[str] = field(default_factory=list)

    def send(self, mail: OutboundMail, *, deadline_seconds: float) -> Accepted:
        """Take it."""
        self.taken.append(mail.to[0])
        return Accepted(f"re-{mail.card_id}")

    def find(self, mail: OutboundMail, *, deadline_seconds: float, since: datetime | None = None) -> FoundMail | None:
        """Nothing is lost here."""
        return None


@dataclass
class Box:
    """An empty mailbox that counts how often it is read; with `let_go`, reading it hangs until then."""

    let_go: threading.Event | None = None
    name: str = "box"
    begun: int = 0
    read: int = 0

    def changes(self, cursor: str | None, *, known: Sequence[str] = ()) -> Iterator[Page]:
        """One empty page."""
        self.begun += 1
        if self.let_go is not None:
            self.let_go.wait(180)
        self.read += 1
        yield Page((), str(self.read))

    def recent_ids(self, days: int) -> frozenset[str]:
        """None."""
        return frozenset()

    def fetch(self, provider_message_id: str) -> RawMessage | None:
        """It was deleted."""
        return None

    def address(self) -> str:
        """Of no concern here."""
        return "box@acme.example"


@dataclass
class Estate:
    """A house with a worker at work, a noisy tenant and its neighbours."""

    house: House
    hands: houses.TestHands
    noisy: UUID
    others: list[UUID]
    people: int = 0

    @property
    def database(self) -> Database:
        return self.house.database

    def acquaint(self, tenant_id: UUID, people: int) -> None:
        """New people of new accounts, whose first mail is due now."""
        with self.database.tenant(tenant_id, actor="test") as tx:
            for _ in range(people):
                self.people += 1
                name = "".join(chr(ord("a") + int(digit)) for digit in f"{self.people:07}")
                account = clients.upsert(tx, name=name, domain=f"{name}.example", country="US",
                                         timezone="America/New_York")  # fmt: skip
                contacts.upsert(tx, VAULT, client_id=account.id, name="Pat Lee", email=f"pat@{name}.example")

    def finished(self, since: datetime) -> dict[UUID, float]:
        """Seconds from `since` to the end of each neighbour's cycle that began after it."""
        seconds = {}
        for tenant_id in self.others:
            with self.database.tenant(tenant_id) as tx:
                ended = [run["finished_at"] for run in runs.recent(tx) if run["started_at"] >= since]
            if ended and all(ended):
                seconds[tenant_id] = (max(ended) - since).total_seconds()
        return seconds

    def claim(self) -> datetime:
        """One beat of the ticker; its moment."""
        at = self.house.clock.now()
        tick.claim(self.database)
        return at

    def wait_for_neighbours(self, since: datetime) -> list[float]:
        """Until each of them has had its hour; how long each took."""
        assert until(lambda: len(self.finished(since)) == len(self.others)), self.finished(since)
        return list(self.finished(since).values())

    def connect(self, tenant_id: UUID, box: Box) -> None:
        """Give a tenant a mailbox."""
        with self.database.tenant(tenant_id, actor="test") as tx:
            grant = mailboxes.Grant("refresh", "client")
            row = mailboxes.configure_gmail(tx, VAULT, f"box@{str(tenant_id)[-6:]}.example", grant)
        self.hands.mailboxes[row.id] = box

    def outcomes(self) -> list[list[str]]:
        """How each neighbour's cycles ended, oldest first."""
        told = []
        for tenant_id in self.others:
            with self.database.tenant(tenant_id) as tx:
                told.append([str(run["outcome"]) for run in reversed(runs.recent(tx))])
        return told


@contextmanager
def estate(
    database: Database, *, others: int, cycles: int = 2, mailbox_jobs: int = 2, **noisy: Any
) -> Iterator[Estate]:  # fmt: skip
    """`others` neighbours beside a noisy one; a worker that does so many cycles and mailbox jobs at once."""
    hands = houses.TestHands()
    settings = load({
        "HOURHAND_CONCURRENCY": str(cycles), "HOURHAND_MAILBOX_CONCURRENCY": str(mailbox_jobs),
        "HOURHAND_POLL_SECONDS": "0.05",
    })  # fmt: skip
    with houses.house(database, hands=hands) as house:
        hog = _found(database, NOISY, **noisy)
        made = Estate(house, hands, hog, [_found(database, f"t-{n}") for n in range(others)])
        hands.senders |= {tenant_id: Quick() for tenant_id in (hog, *made.others)}
        worker = Worker(house, settings, lambda _task, _result: None)
        worker.start()
        try:
            yield made
        finally:
            house.leaving.set()
            worker.stop()
            assert worker.join(180)


def _found(database: Database, slug: str, **wished: Any) -> UUID:
    made = tenants.found(database, slug=slug, name=slug, settings={**build.ACME, **wished}, by="test", spread_seconds=1)
    with database.tenant(made.tenant_id, actor="test") as tx:
        tenant_settings.change(tx, {"send_mode": "live"}, reason="the test is about sending")
    return made.tenant_id


def at_the_next_hour(now: datetime) -> timedelta:
    """From now to five seconds past the next full hour."""
    return now.replace(minute=0, second=5, microsecond=0) + timedelta(hours=1) - now
