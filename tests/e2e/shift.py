"""Shifts of work for several processes: tenants that are due all at once, and the account of what went out."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from domain import clients, contacts, credentials, settings, tenants
from simulator.emulators.faults import Fault
from tests.e2e.rehearsal import Process, Rehearsal, until
from worker import assembly, embedded
from worker import settings as process_settings
from worker.assembly import Standing

OPENING = datetime(2026, 3, 2, 8, 58, tzinfo=UTC)
"""A Monday morning, before the first full hour."""
TENANTS = 12
PEOPLE_PER_SHIFT = 3
KEY = "re_everybody"
ANSWER_SECONDS = 0.3


@dataclass
class Works:
    """A house with many tenants, and the people that they have to write to."""

    rehearsal: Rehearsal
    tenant_ids: list[UUID] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    shifts: int = 0

    def begin_shift(self) -> None:
        """New people for every tenant; then it is five seconds past the next full hour."""
        self.shifts += 1
        with self._standing() as standing:
            if not self.tenant_ids:
                self.tenant_ids = [_found(standing, f"tenant-{n:02}") for n in range(TENANTS)]
            for tenant_id in self.tenant_ids:
                self.people += _acquaint(standing, tenant_id, self.shifts)
        self.rehearsal.go_to(OPENING + timedelta(hours=self.shifts, minutes=2, seconds=5))
        self.rehearsal.resend.faults.clear()
        self.rehearsal.resend.break_next(Fault("slow", acts=True, times=100_000, method="POST", seconds=ANSWER_SECONDS))

    @property
    def people_a_shift(self) -> int:
        """How many mails a shift has to send."""
        return TENANTS * PEOPLE_PER_SHIFT

    @contextmanager
    def staff(self, *, with_worker: bool = True) -> Iterator[list[Process]]:
        """`hourhand up`, and `hourhand worker` beside it."""
        processes = [self.rehearsal.start("up")]
        if with_worker:
            processes.append(self.rehearsal.start("worker"))
        try:
            yield processes
        finally:
            for process in processes:
                process.close()

    def wait_for_a_send_by(self, process: Process) -> None:
        """Until a mail of this process is at the provider, and its answer not yet stored."""
        until(
            lambda: self.rehearsal.look(
                "SELECT 1 FROM kanban_cards WHERE state = 'executing' AND owner LIKE %(owner)s",
                owner=f"%:{process.pid}:%",
            ),
            what=lambda: f"a send by {process.pid}; {process.told()}",
        )

    def wait_for_the_end(self, *, seconds: float = 60.0) -> None:
        """Until everybody has been written to and every run is over."""
        until(
            lambda: not self.unfinished(), seconds=seconds,
            what=lambda: f"still {self.unfinished()}\n{self.rehearsal.running[-1].told()}",
        )  # fmt: skip

    def unfinished(self) -> list[object]:
        """What is still to be done, cards by state and open runs; empty once the shift is over."""
        rows = self.rehearsal.look(
            """SELECT state, count(*) AS n FROM kanban_cards WHERE state <> 'done' GROUP BY state
               UNION ALL SELECT 'missing', CAST(%(people)s AS int) - count(*) FROM kanban_cards
                         HAVING count(*) < CAST(%(people)s AS int)
               UNION ALL SELECT 'open runs', count(*) FROM agent_autonomous_runs WHERE finished_at IS NULL
                         HAVING count(*) > 0""",
            people=len(self.people),
        )
        return [tuple(row.values()) for row in rows]

    def second_posts(self) -> int:
        """How many raw POSTs came beyond the first of each card; whoever got another mail, or none, fails here."""
        mails = Counter(mail["to"][0].rpartition("<")[2].rstrip(">") for mail in self.rehearsal.resend.sent(KEY))
        assert mails == Counter(self.people), "each person has exactly one mail"
        posts = self.rehearsal.resend.witness.posts(path="/emails")
        by_card: dict[str, set[tuple[str, bytes]]] = {}
        for post in posts:
            by_card.setdefault(json.loads(post.body)["headers"]["X-Hourhand-Card"], set()).add((post.key, post.body))
        assert all(len(tries) == 1 for tries in by_card.values()), "every try has its card's own key and bytes"
        assert len(by_card) == len(self.people)
        return len(posts) - len(by_card)

    def kill_postgres(self) -> None:
        """kill -9 of the server that this rehearsal started, and a new start from what is on the disk."""
        pid = int((self.rehearsal.folder / "postgres" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        server = embedded.Server(self.rehearsal.folder)

        def started() -> bool:
            try:
                server.open()
            except (RuntimeError, psycopg.OperationalError):
                # the old server and its backends are not all gone yet
                return False
            return True

        until(started, what=lambda: "PostgreSQL's new start")
        self.rehearsal.servers.append(server)

    @contextmanager
    def _standing(self) -> Iterator[Standing]:
        with assembly.standing(process_settings.load(self.rehearsal.environment)) as standing:
            yield standing


def _found(standing: Standing, slug: str) -> UUID:
    wished = {
        "country": "ES", "timezone": "Europe/Madrid", "sender_name": slug, "postal_address": "Calle Mayor 1, Madrid",
        "sender_address": f"hello@{slug}.example",
    }  # fmt: skip
    made = tenants.found(
        standing.house.database, slug=slug, name=slug, settings=wished, by="rehearsal", spread_seconds=1
    )
    with standing.house.database.tenant(made.tenant_id, actor="rehearsal") as tx:
        settings.change(tx, {"send_mode": "live"})
        credentials.put(tx, standing.house.vault, "resend_api_key", KEY)
    return made.tenant_id


def _acquaint(standing: Standing, tenant_id: UUID, shift: int) -> list[str]:
    """New accounts with one person each, who are due now."""
    addresses = []
    with standing.house.database.tenant(tenant_id) as tx:
        for n in range(PEOPLE_PER_SHIFT):
            domain = f"{_letters(tenant_id)}-{shift}-{n}.example"
            client = clients.upsert(tx, name=f"Account {domain}", domain=domain, relationship="client")
            address = f"person@{domain}"
            contacts.upsert(tx, standing.house.vault, client_id=client.id, name="Pat Lee", email=address, source="api")
            addresses.append(address)
    return addresses


def _letters(tenant_id: UUID) -> str:
    """A name of letters alone: figures in a letter may look like those that must not leave the house."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in tenant_id.hex[-12:])
