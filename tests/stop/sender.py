"""A process of the stop laboratory: some threads, each carrying out one tenant's cards until it is killed."""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from domain import cards
from domain.db import Database
from domain.gate import Gate
from domain.house import House, LocalBrakes
from domain.locks import TenantLocks
from jobs.hour import Cycle
from providers.resend import ResendSender
from simulator.clock import ShiftedClock
from tests import houses
from tests.stop import laboratory

PAUSE_SECONDS = 0.005
STOCK = 8
"""Cards at a time: few, so that a stop finds most of them not yet begun."""


class PauseAt:
    """Stops this very process at one step boundary, once."""

    def __init__(self, step: str) -> None:
        self.step = step

    def __call__(self, step: str) -> None:
        if step == self.step:
            self.step = ""
            os.kill(os.getpid(), signal.SIGSTOP)


def main(url: str, resend_url: str, shift_seconds: str, pause_at: str, cards_each: str, *tenant_ids: str) -> None:
    """Send until killed."""
    clock = ShiftedClock(timedelta(seconds=float(shift_seconds)))
    database = Database(url, clock)
    tenants = [UUID(each) for each in tenant_ids]
    hands = houses.TestHands(senders={each: ResendSender(laboratory.key(each), resend_url) for each in tenants})
    holder = f"sender-{tenants[0].hex[-6:]}"
    # one that is to be paused past its deadline needs a near one
    deadline_seconds, lease_seconds = (1.5, 2.0) if pause_at else (10.0, 15.0)
    house = House(
        clock=clock, database=database, gate=Gate(database), locks=TenantLocks(database, holder), hands=hands,
        vault=houses.VAULT, brakes=LocalBrakes(), public_url="http://127.0.0.1:8321", holder=holder,
        fault=PauseAt(pause_at), provider_deadline_seconds=deadline_seconds, lease_seconds=lease_seconds,
    )  # fmt: skip
    threads = [threading.Thread(target=_send, args=(house, each, int(cards_each))) for each in tenants]
    for thread in threads:
        thread.start()
    # an interpreter whose main thread has ended starts no more threads, and each mail of a batch has its own
    for thread in threads:
        thread.join()


def _send(house: House, tenant_id: UUID, cards_each: int) -> None:
    cycle = laboratory.hour(house, tenant_id)
    while True:
        _stock_up(cycle, cards_each)
        if not laboratory.carry_out(cycle):
            cycle.breathe()
            house.clock.wait(PAUSE_SECONDS)


def _stock_up(cycle: Cycle, cards_each: int) -> None:
    """Have enough cards: what a stop sent away comes back at once, and what is done is made up for."""
    with cycle.transaction() as tx:
        deferred = [row["id"] for row in tx.rows("SELECT id FROM kanban_cards WHERE state = 'deferred'")]
        cards.move(tx, deferred, "queued", frm=("deferred",), not_before=tx.now)
        if not cards_each and tx.value("SELECT count(*) FROM kanban_cards WHERE state = 'queued'") < STOCK // 2:
            laboratory.stock(tx, STOCK)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main(*sys.argv[1:])
