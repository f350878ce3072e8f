"""PF9: how many cycles eight workers do in the time of one, when provider and model take 200 ms to answer."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID

import psycopg

from domain import contacts
from domain.clock import SystemClock
from domain.db import Database
from simulator.clock import ShiftedClock
from simulator.emulators.anthropic import AnthropicEmulator
from simulator.emulators.faults import Fault
from simulator.emulators.resend import ResendEmulator
from tests import build, gears, staff
from tests.brain.thinking import answer
from tests.staff import Room, Staff, until

MORNING = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ANSWER_SECONDS = 0.2
PEOPLE = 5
WORKERS = 8
EACH = 5
"""Cycles for each worker."""
ROUNDS = 5


def test_pf9_spread(cloned: gears.Clone, room: Room, figures: Callable[..., None]) -> None:
    clock = ShiftedClock(MORNING - SystemClock().now())
    database = Database(cloned.url(), clock)
    caps = {"max_emails_per_hour": 1_000, "sender_ceiling_per_hour": 1_000, "sends_per_second": 100}
    wished = {"send_mode": "live", **build.ACME, **caps}
    # a slot is worked once, so each tenant is asked for one cycle alone
    tenants = (build.tenant(database, f"t{n}", dict(wished)) for n in itertools.count())
    one: list[float] = []
    many: list[float] = []
    with ResendEmulator(clock=clock) as resend, AnthropicEmulator(clock=clock) as claude:
        resend.account("re_all")
        claude.answers(answer)
        for vendor in (resend, claude):
            slow = Fault("slow", acts=True, times=1_000_000, method="POST", seconds=ANSWER_SECONDS)
            vendor.break_next(slow)
        shift = staff.loopback_settings(resend.url, clock.shift.total_seconds())
        vendors = {"RESEND_API_KEY": "re_all", "ANTHROPIC_BASE_URL": claude.url, "ANTHROPIC_API_KEY": "sk-ant-bench"}
        with staff.employed(room, DATABASE_URL=cloned.url(), **vendors, **shift) as hired, at_work(hired, 1):

            def cycles(count: int) -> float:
                return measured(cloned, database, list(itertools.islice(tenants, count)))

            # in its first cycle a worker reads in the makers' libraries, which is no part of a cycle
            cycles(2)
            for _ in range(ROUNDS):
                one.append(cycles(EACH))
                with at_work(hired, WORKERS - 1):
                    cycles(WORKERS * 2)
                    many.append(cycles(WORKERS * EACH))
    database.dispose()
    ratios = [eight / alone for eight, alone in zip(many, one, strict=True)]
    figures(
        "PF9", bar=7, ratio=round(statistics.median(ratios), 2),
        spread=[round(min(ratios), 2), round(max(ratios), 2)], workers=WORKERS, people_per_cycle=PEOPLE,
        one_per_second=round(statistics.median(one), 2), many_per_second=round(statistics.median(many), 2),
        answer_seconds=ANSWER_SECONDS, rounds=ROUNDS,
    )  # fmt: skip


@contextmanager
def at_work(hired: Staff, workers: int) -> Iterator[None]:
    """So many workers with one cycle at a time, up and waiting."""
    there = [hired.start("worker", HOURHAND_CONCURRENCY="1", HOURHAND_STALLED_SECONDS="60") for _ in range(workers)]
    for each in there:
        each.up()
    yield
    for each in there:
        each.end()


def measured(cloned: gears.Clone, database: Database, tenants: list[UUID]) -> float:
    """People are due at all these new tenants at once; cycles a second from the first's beginning to the last's end."""
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        # nobody is due before all are told to be
        connection.execute("UPDATE hourhand.tenant_schedule SET enabled = false WHERE tenant_id = ANY(%s)", (tenants,))
    for tenant in tenants:
        with database.tenant(tenant, actor="test") as tx:
            for n in range(PEOPLE):
                name = letters(tx.clock.uuid())
                contacts.upsert(tx, build.VAULT, client_id=build.client(tx, name), name="Pat",
                                email=f"p{n}@{name}.example")  # fmt: skip
    began = database.clock.now()
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute(
            """UPDATE hourhand.tenant_schedule SET enabled = true, next_due_at = %(now)s, work_due_at = %(now)s,
                      extra_due_at = NULL WHERE tenant_id = ANY(%(tenants)s)""",
            {"now": began, "tenants": tenants},
        )

        def over() -> tuple[datetime, datetime, int] | None:
            row = connection.execute(
                """SELECT count(*), count(finished_at), min(started_at), max(finished_at), sum(executed)
                   FROM hourhand.agent_autonomous_runs WHERE started_at >= %s""",
                (began,),
            ).fetchone()
            assert row is not None
            if row[0] < len(tenants) or row[1] < row[0]:
                return None
            return row[2], row[3], row[4]

        span = until(over, seconds=300, what=lambda: connection.execute(
            "SELECT state, reason, count(*) FROM hourhand.kanban_cards GROUP BY 1, 2").fetchall())  # fmt: skip
        assert span is not None
        connection.execute("UPDATE hourhand.tenant_schedule SET enabled = false")
    first, last, sent = span
    # on a crowded machine some mails are put off; what counts is what was sent
    return sent / PEOPLE / (last - first).total_seconds()


def letters(some: UUID) -> str:
    """A name of letters alone: figures in a letter may look like those that must not leave the house."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in some.hex[-12:])
