"""The crash laboratory: processes that a killer ends at one boundary, and others that take over until nothing moves."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Protocol
from uuid import UUID

from domain.clock import Clock
from domain.db import Database, Tx
from domain.house import House
from simulator.emulators.gmail import GmailEmulator
from simulator.emulators.hooks import HookEmulator
from simulator.emulators.resend import ResendEmulator
from tests import houses
from tests.hand_clock import A_MONDAY, HandClock

MOST_LIVES = 9
"""So many processes one after the other; whoever is not done by then never will be."""

APART_SECONDS = (300, 300, 300, 300, 3900)
"""From each life to the next: leases and claims have run out by then, and at last every rest after a failure."""


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Killer:
    """Ends a process at the `nth` passage of one boundary, once."""

    step: str
    nth: int = 1
    fired: bool = False
    passed: int = 0
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)

    def strikes(self, step: str) -> bool:
        """Whether this passage is the one."""
        with self._one_at_a_time:
            if step != self.step or self.fired:
                return False
            self.passed += 1
            self.fired = self.passed == self.nth
            return self.fired


class Mortal(Database):
    """The database as a process sees it: once that has died, nothing of it gets through any more."""

    dead = False

    @contextmanager
    def tenant(
        self, tenant_id: UUID, *, actor: str = "agent", run_id: UUID | None = None, fence: int | None = None,
        whole: bool = False,
    ) -> Iterator[Tx]:  # fmt: skip
        """As ever, while the process lives."""
        if self.dead:
            raise Killed("a dead process reaches nothing")
        with super().tenant(tenant_id, actor=actor, run_id=run_id, fence=fence, whole=whole) as tx:
            yield tx


class Process:
    """A process of the house, whose death leaves everything as it lies: no lock is given back, no row tidied up."""

    def __init__(self, url: str, clock: Clock, name: str, hands: houses.TestHands) -> None:
        self.killer = Killer("nowhere")
        self.database = Mortal(url, clock, pool_size=2)
        self._entered = ExitStack()
        self.house = self._entered.enter_context(
            houses.house(self.database, holder=name, hands=hands, fault=self._pass)
        )

    def lives(self, killer: Killer) -> House:
        """Begin a life, which `killer` may end."""
        self.killer, self.database.dead = killer, False
        return self.house

    def close(self) -> None:
        """Close every connection."""
        self._entered.close()
        self.database.dispose()

    def reaches(self, step: str) -> None:
        """Come to a step outside of the house, which a process that is dead by now does not come to."""
        if self.database.dead:
            raise Killed("a dead process does nothing")
        self._pass(step)

    def _pass(self, step: str) -> None:
        if self.killer.strikes(step):
            self.database.dead = True
            raise Killed(step)


class SameMonday(HandClock):
    """A clock that can begin the same Monday anew, ids and all."""

    def again(self, seed: str) -> None:
        """Six hours into the Monday, when people everywhere in the tests are at work."""
        with self._mutex:
            self._now, self._last_ms, self._random = A_MONDAY + timedelta(hours=6), 0, random.Random(seed)


@dataclass
class Stage:
    """One database with its processes and vendors, for many tenants one after the other."""

    url: str
    admin_url: str
    clock: SameMonday = field(default_factory=SameMonday)
    hands: houses.TestHands = field(default_factory=houses.TestHands)
    _open: ExitStack = field(default_factory=ExitStack)

    living: Process = field(init=False)
    """Whose turn it is."""

    @cached_property
    def processes(self) -> tuple[Process, Process]:
        """Two that take turns."""
        both = Process(self.url, self.clock, "first", self.hands), Process(self.url, self.clock, "second", self.hands)
        for each in both:
            self._open.callback(each.close)
        return both

    @cached_property
    def database(self) -> Database:
        """The laboratory's own view, which no killer touches."""
        database = Database(self.url, self.clock, pool_size=2)
        self._open.callback(database.dispose)
        return database

    @cached_property
    def resend(self) -> ResendEmulator:
        """Where mail goes out."""
        return self._open.enter_context(ResendEmulator(clock=self.clock))

    @cached_property
    def gmail(self) -> GmailEmulator:
        """Where mail comes in."""
        return self._open.enter_context(GmailEmulator(clock=self.clock))

    @cached_property
    def hook(self) -> HookEmulator:
        """Where alerts are posted."""
        return self._open.enter_context(HookEmulator(clock=self.clock))

    def forget(self) -> None:
        """Let the vendors forget every earlier play."""
        self.resend.accounts.clear()
        self.resend.witness.clear()
        self.resend.faults.clear()
        self.gmail.accounts.clear()
        self.gmail.witness.clear()
        self.gmail.faults.clear()
        self.hook.witness.clear()

    def close(self) -> None:
        """Close everything that was opened."""
        self._open.close()


@dataclass
class Finding:
    """What one run came to: each loss and each double in a sentence."""

    fired: bool = False
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    def expect(self, tx: Tx, wanted: Mapping[str, int]) -> None:
        """Count the tenant's rows by each `FROM …`, in one statement: fewer than wanted are lost, more are doubled."""
        counts = ", ".join(f"(SELECT count(*) FROM {what}) AS n{at}" for at, what in enumerate(wanted))
        row = tx.row(f"SELECT {counts}")
        assert row is not None
        for at, (what, count) in enumerate(wanted.items()):
            if (found := int(row[f"n{at}"])) != count:
                (self.lost if found < count else self.doubled).append(f"{found} of {count}: {what}")

    def once(self, tx: Tx, *keys: tuple[str, str]) -> None:
        """Each key, an expression `FROM …`, is there once and no more."""
        each = (f"SELECT CAST({key} AS text) AS key, count(*) AS n FROM {what} GROUP BY 1 HAVING count(*) > 1"
                for key, what in keys)  # fmt: skip
        self.doubled += [f"{row['n']} times {row['key']}" for row in tx.rows(" UNION ALL ".join(each))]


class Play(Protocol):
    """One tenant's small world: what a process does in it, and what must hold when nothing moves any more."""

    tenant_id: UUID
    pieces: int
    """How many things are to be done in it, each by itself."""

    def live(self, house: House, life: int) -> None:
        """What one process does, from its start to its end."""
        ...

    def between(self, life: int) -> None:
        """What happens outside once that process has ended."""
        ...

    def is_quiet(self, tx: Tx) -> bool:
        """Whether nothing is left to do."""
        ...

    def judge(self, tx: Tx, found: Finding) -> None:
        """Write down what should be there and is not, and what is there more often than it should be."""
        ...


Lays = Callable[[Stage, str, random.Random], Play]


def run(stage: Stage, lays: Lays, step: str, seed: str, *, any_passage: bool = False) -> Finding:
    """Lay out a play, end its process at `step`, let others take over, and judge what is left.

    The step is one that a play passes once, or `any_passage` as often as the play has pieces.
    """
    chance = random.Random(f"{step}:{seed}")
    stage.clock.again(f"{step}:{seed}")
    stage.forget()
    play = lays(stage, f"{step.replace('.', '-').replace('_', '-')}-{seed}", chance)
    killer = Killer(step, chance.randint(1, play.pieces) if any_passage else 1)
    act(stage, play, killer)
    return judge(stage, play, killer)


def judge(stage: Stage, play: Play, killer: Killer) -> Finding:
    """What a play came to."""
    found = Finding(killer.fired)
    with stage.database.tenant(play.tenant_id) as tx:
        play.judge(tx, found)
    return found


def act(stage: Stage, play: Play, killer: Killer, *, most_lives: int = MOST_LIVES) -> None:
    """One process after the other, until the killer has struck and nothing moves any more."""
    for life in range(most_lives):
        process = stage.processes[life % 2]
        with contextlib.suppress(Killed):
            stage.living = process
            play.live(process.lives(killer), life)
        play.between(life)
        stage.clock.advance(seconds=APART_SECONDS[min(life, len(APART_SECONDS) - 1)])
        with stage.database.tenant(play.tenant_id) as tx:
            if killer.fired and play.is_quiet(tx):
                return
