"""PF5: what the linearizable stop costs a send: the whole way through the one door, with its gate and with none."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from domain.db import Database
from domain.gate import Gate
from domain.house import House
from jobs.hour import Cycle
from providers.resend import ResendSender
from simulator.clock import ShiftedClock
from tests import gears, houses
from tests.bench.rivals import Rivals, in_turn
from tests.stop import laboratory

ROOT = Path(__file__).parents[2]
CARDS = 20
ROUNDS = 9
PASSAGES = 300
BAR = 1.05


class OpenGate(Gate):
    """The peer: lets everybody pass and holds nothing, so that no stop could wait for anyone."""

    @contextmanager
    def passing(self, lock_id: int) -> Iterator[None]:
        yield


@pytest.fixture
def resend() -> Iterator[str]:
    """Resend in a process of its own, by its address."""
    command = [sys.executable, "-m", "simulator.emulators.resend", "--account", "re_acme", "--account", "re_globex"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as emulator:
        assert emulator.stdout is not None
        yield str(json.loads(emulator.stdout.readline())["url"])
        emulator.terminate()


@pytest.fixture
def database(cloned: gears.Clone) -> Iterator[Database]:
    """A clone on a Monday that runs by itself."""
    made = Database(cloned.url(), ShiftedClock.starting(laboratory.MONDAY))
    yield made
    made.dispose()


@pytest.fixture
def house(database: Database, resend: str) -> Iterator[House]:
    """A house with two live tenants: one for each way of sending."""
    hands = houses.TestHands()
    with houses.house(database, hands=hands) as built:
        for slug in ("acme", "globex"):
            hands.senders[laboratory.tenant(database, slug)] = ResendSender(f"re_{slug}", resend)
        # a busy machine must not turn a slow answer into an unknown outcome
        yield replace(built, provider_deadline_seconds=10.0, lease_seconds=60.0)


class Watch:
    """The wall's clock, which stands still while a round is prepared, and this process's own time of each round."""

    def __init__(self) -> None:
        self.processor: dict[UUID, list[float]] = {}
        self._away = 0.0

    def __call__(self) -> float:
        return time.perf_counter() - self._away

    def round(self, cycle: Cycle) -> Callable[[int], None]:
        """So many fresh cards, sent in one act of a tenant's hour."""
        spent = self.processor.setdefault(cycle.held.tenant_id, [])

        def send(at: int) -> None:
            began = time.perf_counter()
            with cycle.transaction() as tx:
                laboratory.stock(tx, CARDS)
            self._away += time.perf_counter() - began
            began = time.process_time()
            assert laboratory.carry_out(cycle) == CARDS
            if at >= 0:
                spent.append(time.process_time() - began)

        return send


def test_pf5_what_the_stop_lock_costs_a_send(house: House, figures: Callable[..., None]) -> None:
    """Side by side on two tenants alike, by the wall's clock and by this process's own time; and a passage alone."""
    assert isinstance(house.hands, houses.TestHands)
    acme, globex = house.hands.senders
    ours = laboratory.hour(house, acme)
    peer = laboratory.hour(replace(house, gate=OpenGate(house.database)), globex)
    watch = Watch()
    wall = in_turn(watch.round(ours), watch.round(peer), rounds=ROUNDS, timer=watch).told(CARDS)
    processor = Rivals(tuple(watch.processor[acme]), tuple(watch.processor[globex])).told(CARDS)
    figures("PF5", cards=CARDS, bar=BAR, **wall, processor_ratio=processor["time_ratio"],
            processor_spread=processor["spread"], passage_us=_passage_us(house, ours.held.lock_id))  # fmt: skip


def _passage_us(house: House, lock_id: int) -> float:
    """The median of passing the gate with nothing to do inside, in microseconds."""
    took = []
    for _ in range(PASSAGES):
        began = time.perf_counter()
        with house.gate.passing(lock_id):
            pass
        took.append((time.perf_counter() - began) * 1e6)
    return round(statistics.median(took), 1)
