"""The stop laboratory: tenants with mail to send, the processes that send it, and the witness who says when it came."""

from __future__ import annotations

import os
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from time import monotonic_ns
from typing import TYPE_CHECKING, Generic, TypeVar
from uuid import UUID

import psycopg

from domain import cards, clocks, runs, switches
from domain.db import Database, Tx
from domain.house import House
from domain.switches import OUTWARD, Flip, Switch
from engines.registry import ENGINES
from jobs.act import act
from jobs.hour import Cycle, Stopped
from simulator.clock import ShiftedClock
from simulator.emulators.loopback import Asked, Told
from simulator.emulators.resend import ResendEmulator
from simulator.emulators.witness import Seen
from tests import build

if TYPE_CHECKING:
    from tests import gears

MONDAY = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
TYPES = sorted(OUTWARD)
ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 60.0

Result = TypeVar("Result")

_INTENTION = cards.Proposal("", "engagement", "Touch", "contact", "", "", MONDAY, MONDAY)


def tenant(database: Database, name: str) -> UUID:
    """A live tenant that neither cap nor pace holds back; its id."""
    wished = {**build.ACME, "send_mode": "live", "max_emails_per_hour": 1_000_000, "sends_per_second": 1_000.0}
    return build.tenant(database, name, wished)


def stock(tx: Tx, count: int) -> list[UUID]:
    """As many queued cards of every outward type in turn, each to somebody who has had no mail yet; their ids."""
    ids = [(tx.clock.uuid(), tx.clock.uuid()) for _ in range(count)]
    told = [
        {"t": tx.tenant_id, "client": a, "contact": b, "domain": f"c{a.hex}.example", "email": f"p@c{a.hex}.example",
         "now": tx.now}
        for a, b in ids
    ]  # fmt: skip
    tx.run_many(
        """INSERT INTO clients (tenant_id, id, name, domain, country, timezone, created_at, updated_at)
           VALUES (:t, :client, :domain, :domain, 'US', 'UTC', :now, :now)""",
        told,
    )
    tx.run_many(
        """INSERT INTO contacts (tenant_id, id, client_id, email, name, broadcast_consent, created_at, updated_at)
           VALUES (:t, :contact, :client, :email, :email, true, :now, :now)""",
        told,
    )
    tx.run_many(
        """INSERT INTO contact_addresses (tenant_id, address, contact_id, source, created_at)
           VALUES (:t, :email, :contact, 'import', :now)""",
        told,
    )
    clocks.start(tx, [b for _a, b in ids])
    kinds = [TYPES[at % len(TYPES)] for at in range(count)]
    made = cards.propose(tx, [
        replace(_INTENTION, type=kind, client_id=a, contact_id=b, subject_id=str(b), dedupe_key=f"stop:{a}",
                due_at=tx.now, latest_at=tx.now + timedelta(days=1),
                payload={"subject": f"{kind} {a.hex}", "text": "How are you?"})
        for kind, (a, b) in zip(kinds, ids, strict=True)
    ])  # fmt: skip
    return [card.id for card in cards.move(tx, [card.id for card in made], "queued")]


def hour(house: House, tenant_id: UUID) -> Cycle:
    """An hour of a tenant's, begun and ready to act."""
    held = house.locks.acquire(tenant_id)
    assert held is not None, "another process has this tenant"
    with house.database.tenant(tenant_id, fence=held.fence) as tx:
        begun = runs.begin(tx, kind="manual", fence=held.fence, holder=house.holder, mode="live", model="none",
                           deadline_minutes=600)  # fmt: skip
    assert begun is not None
    return Cycle(house, ENGINES, held, begun, house.clock.monotonic())


def carry_out(cycle: Cycle) -> int:
    """Send what is due, until there is no more or it is stopped; how much was sent."""
    try:
        return act(cycle)["executed"]
    except Stopped:
        return 0


class Boundary:
    """A step boundary at which the first to come waits until it is let go."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.reached = Event()
        self.let_go = Event()

    def __call__(self, step: str) -> None:
        if step == self.step and not self.reached.is_set():
            self.reached.set()
            self.let_go.wait(PATIENCE_SECONDS)


class Aside(Generic[Result]):
    """A call in a thread of its own, and what it came to."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self._call = call
        self._came_to: list[Result] = []
        self._error: list[Exception] = []
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._came_to.append(self._call())
        except Exception as error:  # noqa: BLE001 - raised where the result is asked for
            self._error.append(error)

    def running(self) -> bool:
        """True until it has answered."""
        return self._thread.is_alive()

    def result(self) -> Result:
        """What the call answered, or raised."""
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive(), "it never answered"
        for error in self._error:
            raise error
        return self._came_to[0]


@dataclass(frozen=True, slots=True)
class Post:
    """A raw POST as the witness saw it."""

    at_ns: int
    tenant_id: UUID
    kind: str


class PatientResend(ResendEmulator):
    """Resend that takes one account's mail in, and answers only when it is let go."""

    def __init__(self, clock: ShiftedClock) -> None:
        super().__init__(clock=clock)
        self.arrived = Event()
        self.let_go = Event()
        self._held = ""

    def hold(self, tenant_id: UUID) -> None:
        """Keep this tenant's next mails waiting from now on."""
        self._held = key(tenant_id)

    def act(self, asked: Asked) -> Told:
        """Answer, at once or once it is let go."""
        if asked.method == "POST" and asked.account == self._held:
            self.arrived.set()
            self.let_go.wait(PATIENCE_SECONDS)
        return super().act(asked)


def key(tenant_id: UUID) -> str:
    """A tenant's API key."""
    return f"re_{tenant_id.hex}"


@dataclass
class Laboratory:
    """A database, the witness, and the processes that were started."""

    cloned: gears.Clone
    clock: ShiftedClock
    database: Database
    resend: PatientResend
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def tenant(self, name: str) -> UUID:
        """Another live tenant with an account at Resend."""
        made = tenant(self.database, name)
        self.resend.account(key(made))
        return made

    def stop(self, switch: Switch, *, timeout_seconds: float = PATIENCE_SECONDS) -> Flip:
        """Stop, as an admin does."""
        return switches.stop(self.database, switch, by="test", reason="laboratory", timeout_seconds=timeout_seconds)

    def resume(self, switch: Switch) -> None:
        """Let it go on."""
        switches.resume(self.database, switch, by="test", reason="laboratory")

    def posts(self, after_ns: int = 0, before_ns: int | None = None) -> list[Post]:
        """Every raw POST that arrived in between, in order."""
        ends = monotonic_ns() if before_ns is None else before_ns
        # of tens of thousands only the few that are asked for are read
        return _in_order(each for each in self.resend.witness.posts() if after_ns <= each.at_ns < ends)

    def all_posts(self) -> list[Post]:
        """Every raw POST so far, in the order of arrival."""
        return _in_order(self.resend.witness.posts())

    def tidy(self) -> None:
        """Clear away dead rows, as autovacuum would; test clusters have none, and hours of work bury them."""
        with psycopg.connect(self.cloned.admin_url, autocommit=True) as admin:
            admin.execute("VACUUM ANALYZE")

    def process(self, tenants: Sequence[UUID], *, pause_at: str = "", cards_each: int = 0) -> subprocess.Popen[bytes]:
        """Start a process with one sending thread a tenant.

        At the step `pause_at` it stops itself (SIGSTOP), once. With `cards_each` it sends no more than what is there.
        """
        started = subprocess.Popen(
            [sys.executable, "-m", "tests.stop.sender", self.cloned.url(), self.resend.url,
             str(self.clock.shift.total_seconds()), pause_at, str(cards_each), *map(str, tenants)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT,
        )  # fmt: skip
        self.processes.append(started)
        return started

    def until_paused(self, process: subprocess.Popen[bytes]) -> None:
        """Return once a process has come to a halt by SIGSTOP."""
        ends = self.clock.monotonic() + PATIENCE_SECONDS
        while os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOHANG) is None:
            assert self.clock.monotonic() < ends, "it never came to its pause"
            self.clock.wait(0.02)

    def end_gate(self) -> None:
        """End every gate connection on the server's side, as a failing network does."""
        self.end_connections("hourhand-gate")

    def end_connections(self, application_name: str) -> int:
        """End the connections of that name; how many there were."""
        with psycopg.connect(self.cloned.admin_url, autocommit=True) as admin:
            ended = admin.execute(
                """SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                   WHERE application_name = %s AND datname = current_database()""",
                (application_name,),
            ).fetchall()
        return len(ended)

    def until(self, sql: str) -> None:
        """Return once a query of the superuser's finds a row: for what only the server can know."""
        with psycopg.connect(self.cloned.admin_url, autocommit=True) as admin:
            ends = self.clock.monotonic() + PATIENCE_SECONDS
            while admin.execute(sql).fetchone() is None:
                assert self.clock.monotonic() < ends, f"never came: {sql}"
                self.clock.wait(0.01)


def _in_order(seen: Iterable[Seen]) -> list[Post]:
    posts = (
        Post(each.at_ns, UUID(each.account.removeprefix("re_")), str(each.json["subject"]).split()[0]) for each in seen
    )
    return sorted(posts, key=lambda post: post.at_ns)


def between(posts: Sequence[Post], after_ns: int, before_ns: int) -> list[Post]:
    """Those of the POSTs, given in order, that arrived in between."""
    first = bisect_left(posts, after_ns, key=lambda post: post.at_ns)
    return list(posts[first : bisect_left(posts, before_ns, key=lambda post: post.at_ns)])


def governs(switch: Switch, post: Post) -> bool:
    """True when a POST is one that this switch stops; every sender's cards are the engagement engine's mail."""
    return switch.tenant_id in (None, post.tenant_id) and (switch.level != "action" or switch.name == post.kind)


@contextmanager
def laboratory(cluster: gears.Cluster) -> Iterator[Laboratory]:
    """A laboratory on a database of its own; what it started ends with the block."""
    cloned = cluster.clone()
    clock = ShiftedClock.starting(MONDAY)
    database = Database(cloned.url(), clock)
    with PatientResend(clock) as resend:
        built = Laboratory(cloned, clock, database, resend)
        try:
            yield built
        finally:
            resend.let_go.set()
            for process in built.processes:
                process.kill()
                process.communicate()
    database.dispose()
    cluster.retire(cloned)
