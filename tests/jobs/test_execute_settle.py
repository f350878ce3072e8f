"""What the executor holds on to: an answer while the database is away, and the window in which a claim was counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.exc import OperationalError

from domain.db import Database
from domain.house import Fault, House, no_fault
from domain.ports import Accepted, OutboundMail
from jobs import cycle
from providers.resend import ResendSender
from simulator.emulators.faults import throttle
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.gears import Clone
from tests.hand_clock import HandClock

KEY = "re_acme"


class Outage:
    """A database that refuses everybody, from `begin` until `end`."""

    def __init__(self, cloned: Clone) -> None:
        self._cloned = cloned

    def begin(self) -> None:
        """Turn newcomers away, and everybody out."""
        self._allow(False)
        with self._admin() as admin:
            admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                          (self._cloned.name,))  # fmt: skip

    def end(self) -> None:
        """Take connections again."""
        self._allow(True)

    def _allow(self, allowed: bool) -> None:
        with self._admin() as admin:
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(
                sql.Identifier(self._cloned.name), sql.Literal(allowed)))  # fmt: skip

    def _admin(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._cloned.server.url("postgres", "postgres"), autocommit=True)


class WaitingClock(HandClock):
    """A clock that calls `waited` at each wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = 0
        self.waited: Callable[[int], None] = lambda _: None

    def wait(self, seconds: float, wake: Any = None) -> bool:
        self.waits += 1
        self.waited(self.waits)
        return super().wait(seconds, wake)


class ThenAway(ResendSender):
    """A sender after whose first answer the database goes away."""

    outage: Outage | None = None

    def send(self, mail: OutboundMail, *, deadline_seconds: float = 10.0) -> Accepted:
        accepted = super().send(mail, deadline_seconds=deadline_seconds)
        outage, self.outage = self.outage, None
        if outage is not None:
            outage.begin()
        return accepted


@pytest.fixture
def clock() -> WaitingClock:
    clock = WaitingClock()
    clock.advance(hours=6)
    return clock


@contextmanager
def due(
    database: Database, clock: HandClock, *, fault: Fault = no_fault, outage: Outage | None = None
) -> Iterator[tuple[House, UUID, ResendEmulator]]:
    """Acme with Bill, whose first touch is due, and the provider that will take it."""
    acme = build.acme(database)
    with database.tenant(acme) as tx:
        build.contact(tx)
    hands = houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(database, hands=hands, fault=fault) as house:
        resend.account(KEY)
        hands.senders[acme] = sender = ThenAway(KEY, resend.url)
        sender.outage = outage
        yield house, acme, resend


def state(database: Database, tenant_id: UUID) -> str:
    """How Bill's card stands."""
    with database.tenant(tenant_id) as tx:
        return str(tx.value("SELECT state FROM kanban_cards"))


def test_an_answer_is_kept_until_the_database_is_back(cloned: Clone, clone: Database, clock: WaitingClock) -> None:
    outage = Outage(cloned)
    clock.waited = lambda waits: outage.end() if waits == 3 else None
    with due(clone, clock, outage=outage) as (house, acme, resend):
        cycle.run(house, acme, kind="manual")
        assert clock.waits == 3
        assert state(clone, acme) == "done"
        [mail] = resend.sent(KEY)
        with clone.tenant(acme) as tx:
            assert tx.value("SELECT provider_id FROM outbound_messages") == mail["id"]
        assert len(resend.witness.posts(KEY)) == 1


def test_a_database_that_stays_away_leaves_the_answer_to_be_looked_up(
    cloned: Clone, clone: Database, clock: WaitingClock
) -> None:
    outage = Outage(cloned)
    with due(clone, clock, outage=outage) as (house, acme, resend):
        try:
            with pytest.raises(OperationalError):
                cycle.run(house, acme, kind="manual")
        finally:
            outage.end()
        assert state(clone, acme) == "executing"
        clock.advance(minutes=5)
        cycle.run(house, acme, kind="manual")
        assert state(clone, acme) == "done"
        assert len(resend.witness.posts(KEY)) == 1


def counted(database: Database, tenant_id: UUID) -> dict[str, list[int]]:
    """What was counted against each limit, window by window."""
    with database.tenant(tenant_id) as tx:
        rows = tx.rows("SELECT key, used FROM agent_rate_limits ORDER BY key, window_start")
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(row["key"], []).append(row["used"])
    return found


@pytest.mark.parametrize("is_refused", [False, True])
def test_a_claim_counts_in_one_window_though_the_next_begins_before_it_is_reserved(
    clone: Database, clock: WaitingClock, is_refused: bool
) -> None:
    clock.advance(minutes=59)

    def the_hour_turns(step: str) -> None:
        if step == "execute.judged" and clock.now().minute == 59:
            clock.advance(minutes=2)

    with due(clone, clock, fault=the_hour_turns) as (house, acme, resend):
        if is_refused:
            resend.break_next(throttle())
        cycle.run(house, acme, kind="manual")
        assert state(clone, acme) == ("deferred" if is_refused else "done")
        used = counted(clone, acme)
        assert used, "first touches are limited by the hour and by the day"
        assert {sum(windows) for windows in used.values()} == {0 if is_refused else 1}
