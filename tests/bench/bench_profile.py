"""Where a cycle's and a send's processor time goes: to us, to named packages, to the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from domain.db import Database
from jobs import tick
from providers.resend import ResendSender
from simulator.clock import ShiftedClock
from tests import gears, houses
from tests.bench import crowd, fleet
from tests.bench.bench_cycle import CONTACTS, run_cycles
from tests.bench.bench_send import KEY, MAILS, emulated, resend_url, send_all
from tests.bench.sampler import Sampler
from tests.hand_clock import A_MONDAY, HandClock

__all__ = ["resend_url"]

CYCLES = 200
TENANTS = 4
IDLE_TENANTS = 100_000
BEATS = 1_800


@pytest.fixture
def claude_url() -> Iterator[str]:
    """A Claude that answers at once."""
    with emulated("tests.bench.claude") as url:
        yield url


class InTurn:
    """A pool that does one after another in the thread that asks, for the sampler hears no other."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> InTurn:
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, work: Callable[..., Any], *given: Any) -> Future[Any]:
        """Like the real one's, done when it returns."""
        done: Future[Any] = Future()
        done.set_result(work(*given))
        return done

    def map(self, work: Callable[[Any], Any], some: Iterable[Any]) -> Iterator[Any]:
        """Like the real one's."""
        return map(work, some)


def test_pf2_where_a_cycle_spends_its_time(cloned: gears.Clone, figures: Callable[..., None]) -> None:
    database = Database(cloned.url(), ShiftedClock.starting(crowd.MONDAY))
    with houses.house(database) as house:
        tenants = [crowd.with_contacts_due(database, f"t{at}", CONTACTS, "dry_run") for at in range(CYCLES)]
        run_cycles(house, tenants[:20])
        crowd.analyse(cloned)
        sampler = Sampler(cloned.admin_url)
        with sampler.listening():
            run_cycles(house, tenants[20:])
    database.dispose()
    tell(figures, "PF2", sampler)


def test_pf3_where_a_send_spends_its_time(
    cloned: gears.Clone, resend_url: str, figures: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.execute.ThreadPoolExecutor", InTurn)
    database = Database(cloned.url(), ShiftedClock.starting(crowd.MONDAY))
    hands = houses.TestHands()
    with houses.house(database, hands=hands) as house:
        tenants = [crowd.with_mail_queued(database, f"t{at}", MAILS) for at in range(TENANTS + 1)]
        hands.senders.update({each: ResendSender(KEY, resend_url) for each in tenants})
        send_all(house, tenants[0])
        crowd.analyse(cloned)
        sampler = Sampler(cloned.admin_url)
        with sampler.listening():
            for each in tenants[1:]:
                send_all(house, each)
    database.dispose()
    tell(figures, "PF3", sampler)


def test_pf9_where_a_cycle_that_writes_and_sends_spends_its_time(
    cloned: gears.Clone, resend_url: str, claude_url: str, figures: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.execute.ThreadPoolExecutor", InTurn)
    monkeypatch.setattr("jobs.ask.ThreadPoolExecutor", InTurn)
    database = Database(cloned.url(), ShiftedClock.starting(crowd.MONDAY))
    hands = houses.TestHands()
    with houses.house(database, hands=hands, models=houses.TestModels(claude_url)) as house:
        tenants = [crowd.with_contacts_due(database, f"t{at}", CONTACTS, "live") for at in range(CYCLES)]
        hands.senders.update({each: ResendSender(KEY, resend_url) for each in tenants})
        run_cycles(house, tenants[:20])
        crowd.analyse(cloned)
        sampler = Sampler(cloned.admin_url)
        with sampler.listening():
            run_cycles(house, tenants[20:])
        with database.tenant(tenants[-1]) as tx:
            asked = tx.rows("SELECT outcome FROM model_calls WHERE tenant_id = :t", t=tenants[-1])
    database.dispose()
    # each of the letters, and the reflection
    assert [row["outcome"] for row in asked] == ["answered"] * (CONTACTS + 1), asked
    tell(figures, "PF9", sampler)


def test_pf1_where_an_idle_hour_spends_its_time(
    cloned: gears.Clone, clock: HandClock, figures: Callable[..., None]
) -> None:
    fleet.settle(cloned, IDLE_TENANTS, A_MONDAY)
    clock.move_to(A_MONDAY)
    database = Database(cloned.url(), clock)
    with houses.house(database) as house:
        tick.prepare(database)
        tick.run(house)
        sampler = Sampler(cloned.admin_url)
        with sampler.listening():
            for _ in range(BEATS):
                clock.advance(seconds=1)
                tick.run(house)
    database.dispose()
    tell(figures, "PF1", sampler)


def tell(figures: Callable[..., None], subject: str, sampler: Sampler) -> None:
    """The shares, in per cent."""
    shares = sampler.shares()
    assert sum(sampler.seen.values()) > 100
    figures(f"{subject} processor time", ours=shares.get("ours", 0.0), shares=told(shares),
            samples=sum(sampler.seen.values()))  # fmt: skip


def told(shares: dict[str, float]) -> Sequence[tuple[str, float]]:
    """Those that matter."""
    return [(name, share) for name, share in shares.items() if share >= 0.5]
