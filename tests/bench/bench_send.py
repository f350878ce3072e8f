"""PF3: gated sends against a bare loop of claim, SDK call and finish, and against the queue's jobs that do nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from domain import runs
from domain.db import Database
from domain.house import House
from engines.registry import ENGINES
from jobs.act import act
from jobs.hour import Cycle
from providers.resend import ResendSender
from simulator.clock import ShiftedClock
from tests import gears, houses
from tests.bench import crowd
from tests.bench.rivals import ROUNDS, in_turn

MAILS = 200
KEY = "re_bench"


@pytest.fixture
def resend_url() -> Iterator[str]:
    """The emulator's address."""
    with emulated("simulator.emulators.resend", "--account", KEY) as url:
        yield url


@contextmanager
def emulated(module: str, *words: str) -> Iterator[str]:
    """An emulator in a process of its own, whose processor time is nobody's here; its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *words], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.communicate()


def test_pf3_gated_sends(cloned: gears.Clone, resend_url: str, figures: Callable[..., None]) -> None:
    """Measure, and tell both ratios."""
    database = Database(cloned.url(), ShiftedClock.starting(crowd.MONDAY))
    hands = houses.TestHands()
    with houses.house(database, hands=hands) as house:
        tenants = [crowd.with_mail_queued(database, f"t{at}", MAILS) for at in range(2 * (ROUNDS + 1))]
        hands.senders.update({each: ResendSender(KEY, resend_url) for each in tenants})
        left = iter(tenants)
        crowd.analyse(cloned)
        bare = Bare(cloned, resend_url)
        against_bare = in_turn(lambda _: send_all(house, next(left)), lambda _: bare.send_all())
        queue = Queue(cloned)
        against_queue = in_turn(lambda _: send_all(house, next(left)), lambda _: queue.work())
    database.dispose()
    figures("PF3", against="claim + SDK call + finish", bar={"rate_ratio": 0.6}, **against_bare.told(MAILS))
    figures("PF3", against="procrastinate's no-op jobs", bar={"rate_ratio": 0.9}, **against_queue.told(MAILS))


def send_all(house: House, tenant_id: Any) -> None:
    """Everything that is queued, through the whole of Act."""
    held = house.locks.acquire(tenant_id)
    assert held is not None
    with house.database.tenant(tenant_id, fence=held.fence) as tx:
        begun = runs.begin(tx, kind="manual", fence=held.fence, holder=house.holder, mode="live", model="none",
                           deadline_minutes=60)  # fmt: skip
    assert begun is not None
    counts = act(Cycle(house, ENGINES, held, begun, house.clock.monotonic()))
    assert counts["executed"] == MAILS, counts
    house.locks.release(held)


class Bare:
    """A table of mails, and a loop that takes, sends and finishes each: two durable commits, no rule, no wall."""

    def __init__(self, cloned: gears.Clone, resend_url: str) -> None:
        self.connection = psycopg.connect(cloned.admin_url, autocommit=True, row_factory=dict_row)
        self.connection.execute("CREATE TABLE public.mails (id serial PRIMARY KEY, state text NOT NULL, mail jsonb)")
        self.connection.execute("CREATE INDEX ON public.mails (id) WHERE state = 'queued'")
        self.resend_url = resend_url

    def send_all(self) -> None:
        """Fill the table and send what it holds."""
        import resend
        from resend.http_client_requests import RequestsClient

        # our own calls leave a client of theirs behind, under which nothing else may send
        resend.default_http_client, resend.api_url, resend.api_key = RequestsClient(), self.resend_url, KEY
        self.connection.execute(
            """INSERT INTO public.mails (state, mail) SELECT 'queued', jsonb_build_object(
                   'from', 'Ana <ana@acme.example>', 'to', jsonb_build_array('p' || n || '@c.example'),
                   'subject', 'Hello', 'text', %s::text) FROM generate_series(1, %s) n""",
            (crowd.TEXT, MAILS),
        )
        while row := self.connection.execute(
            """UPDATE public.mails SET state = 'executing' WHERE id = (
                   SELECT id FROM public.mails WHERE state = 'queued' ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)
               RETURNING id, mail"""
        ).fetchone():
            resend.Emails.send(row["mail"], {"idempotency_key": f"bare-{row['id']}"})
            self.connection.execute("UPDATE public.mails SET state = 'done' WHERE id = %s", (row["id"],))


class Queue:
    """Procrastinate itself, with jobs that do nothing."""

    def __init__(self, cloned: gears.Clone) -> None:
        import procrastinate

        connector = procrastinate.PsycopgConnector(conninfo=cloned.admin_url, kwargs={"options": "-csearch_path=queue"})
        self.app = procrastinate.App(connector=connector)
        self.task = self.app.task(name="nothing", queue="bench")(lambda number: None)

    def work(self) -> None:
        """Queue as many jobs as there are mails, and work them off."""
        import asyncio

        async def drain() -> None:
            async with self.app.open_async():
                jobs: list[dict[str, Any]] = [{"number": at} for at in range(MAILS)]
                await self.task.batch_defer_async(*jobs)
                await self.app.run_worker_async(queues=["bench"], wait=False, listen_notify=False,
                                                install_signal_handlers=False)  # fmt: skip

        asyncio.run(drain())
