"""Stop means stop: once a flip has returned, nothing that it governs reaches the provider, from any process."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic_ns
from uuid import UUID

import pytest

from domain import cards, clocks, switches
from domain.db import Database
from domain.switches import OUTWARD, Switch
from simulator.clock import ShiftedClock
from simulator.emulators.faults import Fault
from simulator.emulators.resend import ResendEmulator
from tests import build, gears

FLIPS = int(os.environ.get("LAB_FLIPS", "2"))
"""How often each switch is flipped; the long form flips 50 times."""
CARDS = 150 + 60 * FLIPS
MONDAY = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
TYPES = sorted(OUTWARD)
LEVELS = [("all", ""), ("mail", ""), ("engine", "engagement"), *(("action", each) for each in TYPES)]


@dataclass
class Laboratory:
    """Two processes with four sending threads each, one tenant a thread, and the witness."""

    database: Database
    resend: ResendEmulator
    tenants: list[UUID]

    def posts(self, after_ns: int, before_ns: int) -> list[tuple[UUID, str]]:
        """(tenant, card type) of every raw POST that arrived in between."""
        return [
            (UUID(seen.account.removeprefix("re_")), str(seen.json["subject"]).split()[0])
            for seen in list(self.resend.witness.requests)
            if seen.method == "POST" and after_ns < seen.at_ns < before_ns
        ]


def _tenant(database: Database, name: str) -> UUID:
    """A live tenant with as many queued cards as it can send, of every outward type in turn."""
    tenant_id = build.tenant(database, name, {**build.ACME, "send_mode": "live", "max_emails_per_hour": 1_000_000})
    with database.tenant(tenant_id) as tx:
        ids = [(tx.clock.uuid(), tx.clock.uuid(), f"c{at}.example") for at in range(CARDS)]
        told = [
            {"t": tenant_id, "client": a, "contact": b, "domain": c, "email": f"p@{c}", "now": tx.now}
            for a, b, c in ids
        ]
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
        clocks.start(tx, [each[1] for each in ids])
        kinds = [TYPES[at % len(TYPES)] for at in range(CARDS)]
        made = cards.propose(tx, [
            replace(_INTENTION, type=kind, client_id=a, contact_id=b, subject_id=str(b), dedupe_key=f"stop:{a}",
                    due_at=tx.now, latest_at=tx.now + timedelta(days=1),
                    payload={"subject": f"{kind} {c}", "text": "How are you?"})
            for kind, (a, b, c) in zip(kinds, ids, strict=True)
        ])  # fmt: skip
        cards.move(tx, [card.id for card in made], "queued")
    return tenant_id


_INTENTION = cards.Proposal("", "engagement", "Touch", "contact", "", "", MONDAY, MONDAY)


@pytest.fixture(scope="module")
def laboratory(cluster: gears.Cluster) -> Iterator[Laboratory]:
    cloned = cluster.clone()
    clock = ShiftedClock.starting(MONDAY)
    database = Database(cloned.url(), clock)
    tenants = [_tenant(database, f"t{at}") for at in range(8)]
    with ResendEmulator(clock=clock) as resend:
        for tenant_id in tenants:
            resend.account(f"re_{tenant_id.hex}")
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.stop.sender", cloned.url(), resend.url,
                 str(clock.shift.total_seconds()), *map(str, half)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[2],
            )
            for half in (tenants[:4], tenants[4:])
        ]  # fmt: skip
        try:
            for process in processes:
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n"
            yield Laboratory(database, resend, tenants)
        finally:
            for process in processes:
                process.communicate(timeout=30)
    database.dispose()
    cluster.retire(cloned)


def test_nothing_arrives_after_a_stop_has_returned(laboratory: Laboratory) -> None:
    """Every database level × every outward action type, under eight senders in two processes."""
    chance, database = random.Random(1), laboratory.database
    late, flips, sent_before = [], 0, 0
    for _ in range(FLIPS):
        for level, name in LEVELS:
            for tenant_id in (None, chance.choice(laboratory.tenants)):
                switch = Switch(tenant_id, level, name)  # type: ignore[arg-type]
                begun = monotonic_ns()
                database.clock.wait(0.02 + chance.random() * 0.03)
                flip = switches.stop(database, switch, by="test", reason="laboratory")
                returned = monotonic_ns()
                assert flip.settled, flip.in_flight
                database.clock.wait(0.015)
                resumed = monotonic_ns()
                switches.resume(database, switch, by="test", reason="laboratory")
                flips += 1
                sent_before += len(laboratory.posts(begun, returned))
                late += [(switch, post) for post in laboratory.posts(returned, resumed) if _governs(switch, post)]
    assert sent_before > flips, f"the senders were at work: {sent_before} sends before {flips} flips"
    assert late == []


def _governs(switch: Switch, post: tuple[UUID, str]) -> bool:
    tenant_id, kind = post
    return switch.tenant_id in (None, tenant_id) and (switch.level != "action" or switch.name == kind)


def test_a_tenants_flip_makes_no_other_tenant_wait(laboratory: Laboratory) -> None:
    """While one tenant's slow send keeps its flip waiting, the others go on sending."""
    slow, others = laboratory.tenants[0], set(laboratory.tenants[1:])
    laboratory.resend.break_next(Fault("slow", seconds=0.8, acts=True, method="POST", account=f"re_{slow.hex}"))
    laboratory.database.clock.wait(0.15)
    begun = monotonic_ns()
    flip = switches.stop(laboratory.database, Switch(slow, "all"), by="test", reason="laboratory")
    returned = monotonic_ns()
    assert flip.settled
    assert timedelta(microseconds=(returned - begun) / 1000) > timedelta(seconds=0.3), (
        "the flip waited for its own send"
    )
    meanwhile = {tenant_id for tenant_id, _kind in laboratory.posts(begun, returned)}
    assert meanwhile & others == others


def test_without_the_stop_lock_sends_are_late(laboratory: Laboratory) -> None:
    """The negative control: a switch that only commits its flag lets sends through that had read the old one."""
    late = 0
    for _ in range(40):
        switch = Switch(None, "all")
        switches.write(laboratory.database, switch, stopped=True, by="test", reason="flag alone")
        returned = monotonic_ns()
        laboratory.database.clock.wait(0.02)
        resumed = monotonic_ns()
        switches.resume(laboratory.database, switch, by="test", reason="laboratory")
        late += len(laboratory.posts(returned, resumed))
        laboratory.database.clock.wait(0.03)
    assert late > 0, "a flag alone must be seen to fail, or this laboratory proves nothing"
