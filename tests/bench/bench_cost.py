"""The cost model: statements, commits, bytes of log and processor time of each kind of work that an hour may hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from domain.db import Database
from jobs import cycle, ingest, reconcile_mailbox
from simulator.emulators.resend import ResendEmulator
from tests import build, gears, houses
from tests.bench import fleet
from tests.hand_clock import HandClock
from tests.jobs import letters
from tests.jobs.letters import Post, letter
from tests.jobs.test_hot_path import said

PEOPLE = 5
HOURS = 5


@dataclass
class Meter:
    """Sums of several passes of one kind of work, on one database."""

    cloned: gears.Clone
    database: Database

    @contextmanager
    def reading(self, into: dict[str, float]) -> Iterator[None]:
        """Add what the block costs; nothing else may use the database meanwhile."""
        server, ourselves = fleet.postmaster(self.cloned), fleet.ourselves()
        before, spent = self._counted(), fleet.processor_seconds(server, ourselves)
        with said() as statements:
            yield
        spent = fleet.processor_seconds(server, ourselves) - spent
        after = self._counted()
        told = {"passes": 1, "statements": len(statements), "processor_ms": spent * 1e3,
                **{name: after[name] - before[name] for name in after}}  # fmt: skip
        for name, count in told.items():
            into[name] = into.get(name, 0) + count

    def _counted(self) -> dict[str, float]:
        with psycopg.connect(self.cloned.admin_url, autocommit=True) as connection:
            # what ended less than a second ago may not have been told yet
            connection.execute("SELECT pg_sleep(1.1)")
            row = connection.execute(
                """SELECT xact_commit, pg_current_wal_insert_lsn() - '0/0' FROM pg_stat_database
                   WHERE datname = current_database()"""
            ).fetchone()
        assert row is not None
        return {"commits": float(row[0]), "log_bytes": float(row[1])}


@pytest.fixture
def post(clone: Database, clock: HandClock) -> Iterator[Post]:
    """Acme with a mailbox, at work."""
    clock.advance(hours=6)
    with letters.post(clone) as built:
        yield built


def test_what_an_hour_costs(
    post: Post, cloned: gears.Clone, clock: HandClock, figures: Callable[..., None]
) -> None:  # fmt: skip
    meter = Meter(cloned, post.database)
    cost: dict[str, dict[str, float]] = {}
    with ResendEmulator(clock=clock) as resend:
        houses.resend_for(post.hands, resend, post.tenant_id, "re_acme")
        for hour in range(-1, HOURS):
            kinds: dict[str, Callable[[], Any]] = {
                f"cycle with {PEOPLE} mails": lambda: cycle.run(post.house, post.tenant_id, kind="manual"),
                "cycle with nothing to do": lambda: cycle.run(post.house, post.tenant_id, kind="manual"),
                "poll of a mailbox, nothing new": lambda: ingest.run(post.house, post.tenant_id),
                "comparison of a mailbox": lambda: reconcile_mailbox.run(post.house, post.tenant_id),
                "poll with one answer": lambda: ingest.run(post.house, post.tenant_id),
            }
            for name, work in kinds.items():
                if PEOPLE and name.endswith("mails"):
                    new_people(post, hour)
                if name.endswith("answer"):
                    post.arrives(letter(number=hour + 100, frm=f"P <p0@h{hour + 1}.example>"))
                with meter.reading(cost.setdefault(name, {}) if hour >= 0 else {}):
                    work()
            clock.advance(hours=1)
    for name, sums in cost.items():
        passes = sums.pop("passes")
        figures(f"cost of a {name}", **{each: round(total / passes, 1) for each, total in sums.items()})


def new_people(post: Post, hour: int) -> None:
    """So many accounts with one person each, due now."""
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        client = build.client(tx, f"H{hour + 1}", domain=f"h{hour + 1}.example")
        for n in range(PEOPLE):
            build.contact(tx, client if n == 0 else build.client(tx, f"H{hour + 1} {n}"), f"p{n}@h{hour + 1}.example")
