"""A process of the stop laboratory: some threads, each carrying out one tenant's cards until its input closes."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from domain import cards, runs
from domain.db import Database
from domain.gate import Gate
from domain.house import House, LocalBrakes
from domain.locks import TenantLocks
from engines.registry import ENGINES
from jobs.execute import Work, execute
from providers.resend import ResendSender
from simulator.clock import ShiftedClock
from tests import houses

PAUSE_SECONDS = 0.004


def main(url: str, resend_url: str, shift_seconds: str, *tenant_ids: str) -> None:
    """Send until standard input closes."""
    clock = ShiftedClock(timedelta(seconds=float(shift_seconds)))
    database = Database(url, clock)
    tenants = [UUID(each) for each in tenant_ids]
    hands = houses.TestHands(senders={each: ResendSender(f"re_{each.hex}", resend_url) for each in tenants})
    holder = f"sender-{tenants[0].hex[-6:]}"
    house = House(
        clock=clock, database=database, gate=Gate(database), locks=TenantLocks(database, holder), hands=hands,
        vault=houses.VAULT, brakes=LocalBrakes(), public_url="http://127.0.0.1:8321", holder=holder,
    )  # fmt: skip
    ended = threading.Event()
    threads = [threading.Thread(target=_send, args=(house, each, ended), daemon=True) for each in tenants]
    for thread in threads:
        thread.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    ended.set()
    for thread in threads:
        thread.join(20)


def _send(house: House, tenant_id: UUID, ended: threading.Event) -> None:
    held = house.locks.acquire(tenant_id)
    assert held is not None
    with house.database.tenant(tenant_id, fence=held.fence) as tx:
        begun = runs.begin(tx, kind="manual", fence=held.fence, holder=house.holder, mode="live", model="none",
                           deadline_minutes=60)  # fmt: skip
        assert begun is not None
        waiting = [row["id"] for row in tx.rows("SELECT id FROM kanban_cards WHERE state = 'queued' ORDER BY id")]
    work = Work(house, ENGINES, held, begun.id)
    extended = house.clock.monotonic()
    while waiting and not ended.is_set():
        if house.clock.monotonic() - extended > 10:
            house.locks.extend(held)
            extended = house.clock.monotonic()
        card_id = waiting.pop(0)
        if execute(work, card_id) != "done":
            # stopped: the card goes back to the end of the line
            with house.database.tenant(tenant_id, fence=held.fence) as tx:
                cards.move(tx, [card_id], "queued", frm=("deferred",))
            waiting.append(card_id)
            house.clock.wait(PAUSE_SECONDS, ended)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main(*sys.argv[1:])
