"""The ground of the kills: real workers on one database, people to be written to, and the judge of what went out."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psutil
import psycopg
from psycopg.rows import dict_row

from domain import clients, contacts, credentials
from domain.db import Database
from migrations import apply
from simulator.clock import ShiftedClock
from simulator.emulators.faults import Fault
from simulator.emulators.resend import ResendEmulator
from tests import build, staff
from tests.staff import CLOCK, Hand, Room, Staff
from worker import embedded

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TENANTS = 8
PEOPLE = 3
"""How many people of each tenant are due in each round."""
AT_ONCE = 2
"""Cycles at once in one process."""
ANSWER_SECONDS = 0.15
"""How long the provider takes to answer, having acted at once: whoever is killed meanwhile never hears of it."""
STRIKE_SECONDS = 1.0
DEADLINE_SECONDS = 2.0
PATIENCE_SECONDS = 240.0
"""Longer than a mail rests whose answer a busy machine missed, and than the work of a whole laboratory."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a laboratory's run came to, by the provider's own books and by ours."""

    cards: int
    doubled: int
    """Mails that somebody got beyond the first."""
    lost: int
    """People without a mail, and mails without a card that is done."""
    reminted: int
    """Cards of which two tries differed in key or bytes."""
    repeats: int
    """Raw POSTs beyond the first of each card, with the same key and bytes: harmless by the key."""


@dataclass
class Ground:
    """A house with its tenants, its staff and its provider."""

    url: str
    admin_url: str
    database: Database
    resend: ResendEmulator
    staff: Staff
    tenants: list[UUID] = field(default_factory=list)
    people: dict[UUID, list[str]] = field(default_factory=dict)
    """Everybody who is to be written to, by tenant."""
    struck: float = 0.0
    eyes: psycopg.Connection[dict[str, Any]] | None = None

    def new_people(self, tenants: list[UUID] | None = None, *, each: int = PEOPLE) -> None:
        """Accounts with a person each whose first touch is due; then the tenants' hour strikes."""
        for tenant_id in tenants or self.tenants:
            with self.database.tenant(tenant_id) as tx:
                for _ in range(each):
                    domain = f"{_letters(self.expected)}.example"
                    client = clients.upsert(tx, name=f"Account {domain}", domain=domain, relationship="client")
                    contacts.upsert(tx, staff.VAULT, client_id=client.id, name="Pat Lee", email=f"person@{domain}",
                                    source="api")  # fmt: skip
                    self.people.setdefault(tenant_id, []).append(f"person@{domain}")
        self.strike()

    @property
    def expected(self) -> int:
        """How many mails are to go out."""
        return sum(len(each) for each in self.people.values())

    def strike(self) -> None:
        """Push the clock's hand: the rescue is due, and so is whoever has something left to do and no job for it."""
        self.struck = CLOCK.monotonic()
        # the database may be away just now
        with contextlib.suppress(psycopg.OperationalError):
            self.look(
                "UPDATE house_slots SET next_due_at = %(now)s WHERE entry = 'rescue' RETURNING entry",
                now=self.database.clock.now(),
            )
            self.look(
                """UPDATE tenant_schedule s SET extra_due_at = %(now)s, work_due_at = %(now)s, last_cycle_at = NULL
                   FROM unnest(%(tenants)s, %(people)s) AS due (tenant_id, people)
                   WHERE s.tenant_id = due.tenant_id AND NOT EXISTS (
                       SELECT FROM procrastinate_jobs j
                       WHERE j.args ->> 'tenant_id' = s.tenant_id::text AND status IN ('todo', 'doing'))
                   AND (EXISTS (SELECT FROM agent_autonomous_runs r
                                WHERE r.tenant_id = due.tenant_id AND finished_at IS NULL)
                        OR people > (SELECT count(*) FROM kanban_cards c
                                     WHERE c.tenant_id = due.tenant_id AND state = 'done'))
                   RETURNING s.tenant_id""",
                now=self.database.clock.now(), tenants=list(self.people),
                people=[len(each) for each in self.people.values()],
            )  # fmt: skip

    def hire(self, *arguments: str, **settings: str) -> Hand:
        """One more worker."""
        return self.staff.start("worker", *arguments, **settings)

    def sending(self, hand: Hand | None = None) -> list[dict[str, Any]]:
        """The cards whose mail is at the provider by this process's doing, or by anybody's."""
        holder = f"%:{hand.pid}:%" if hand is not None else "%"
        return self.look("SELECT id FROM kanban_cards WHERE state = 'executing' AND owner LIKE %(h)s", h=holder)

    def wait_for_a_send_by(self, *hands: Hand) -> int:
        """Until mails of one of these processes are at the provider, and their answers not yet stored; how many."""
        return len(self.until(lambda: next(filter(None, map(self.sending, hands)), None),
                              what=lambda: "a send; " + "\n".join(hand.told() for hand in hands)))  # fmt: skip

    def settle(self, hands: list[Hand]) -> None:
        """Until everybody has been written to, every run is over and nobody holds a job."""
        for hand in hands:
            hand.up()
        self.until(lambda: not self.unfinished(), what=lambda: f"{self.unfinished()} {hands[-1].told()}")

    def unfinished(self) -> list[tuple[object, ...]]:
        """What is still to be done, by kind; empty once all is."""
        rows = self.look(
            """SELECT state AS kind, count(*) AS n FROM kanban_cards WHERE state <> 'done' GROUP BY state
               UNION ALL SELECT 'missing', CAST(%(people)s AS int) - count(*) FROM kanban_cards
                         HAVING count(*) < CAST(%(people)s AS int)
               UNION ALL SELECT 'open run', count(*) FROM agent_autonomous_runs WHERE finished_at IS NULL
                         HAVING count(*) > 0
               UNION ALL SELECT 'job ' || status, count(*) FROM procrastinate_jobs WHERE status = 'doing'
                         GROUP BY status""",
            people=self.expected,
        )
        return [tuple(row.values()) for row in rows]

    def until(self, look: Callable[[], Any], *, what: Callable[[], object]) -> Any:
        """Wait, while the hour strikes again and again."""

        def looked() -> Any:
            if CLOCK.monotonic() - self.struck > STRIKE_SECONDS:
                self.strike()
            with contextlib.suppress(psycopg.OperationalError):
                return look()

        return staff.until(looked, what=what, seconds=PATIENCE_SECONDS)

    def look(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Rows as the superuser sees them. Raises psycopg.OperationalError while the database is away."""
        if self.eyes is None or self.eyes.closed:
            self.eyes = psycopg.connect(self.admin_url, autocommit=True, row_factory=dict_row)
            self.eyes.execute("SET search_path = hourhand, queue, control")
        return self.eyes.execute(sql, values).fetchall()

    def posts(self) -> int:
        """How many mails were handed to the provider so far, by raw POSTs."""
        return len(self.resend.witness.posts(path="/emails"))

    def expire_locks(self) -> None:
        """Let a minute of silence have passed: whoever holds a tenant may be cut off."""
        self.look("UPDATE agent_tenant_locks SET expires_at = since - interval '1 second' RETURNING tenant_id")

    def state(self) -> list[dict[str, Any]]:
        """Everything written down about cards, and about runs that are over."""
        return self.look("SELECT * FROM kanban_cards") + self.look(
            "SELECT * FROM agent_autonomous_runs WHERE finished_at IS NOT NULL"
        )

    def judge(self, *only: int) -> Verdict:
        """Compare what arrived, what was delivered and what is written down, of all tenants or of some."""
        at = only or range(len(self.tenants))
        keys, tenants = [_key(each) for each in at], [self.tenants[each] for each in at]
        mails = Counter(
            mail["to"][0].rpartition("<")[2].rstrip(">") for key in keys for mail in self.resend.sent(key)
        )  # fmt: skip
        tries: dict[str, Counter[tuple[str, bytes]]] = {}
        for post in self.resend.witness.posts(path="/emails"):
            if post.account in keys:
                card = json.loads(post.body)["headers"]["X-Hourhand-Card"]
                tries.setdefault(card, Counter())[post.key, post.body] += 1
        rows = self.look("SELECT id FROM kanban_cards WHERE state = 'done' AND tenant_id = ANY(%(t)s)", t=tenants)
        done = {str(row["id"]) for row in rows}
        people = {address for each in at for address in self.people.get(self.tenants[each], [])}
        return Verdict(
            cards=len(done),
            doubled=sum(count - 1 for count in mails.values()),
            lost=len(people - set(mails)) + len(set(tries) ^ done),
            reminted=sum(len(each) > 1 for each in tries.values()),
            repeats=sum(each.total() - 1 for each in tries.values()),
        )


@contextmanager
def ground(
    url: str, admin_url: str, room: Room, *, tenants: int = TENANTS, **settings: str
) -> Iterator[Ground]:  # fmt: skip
    """A ground on a migrated database."""
    clock = ShiftedClock.starting(MONDAY + timedelta(minutes=2))
    database = Database(url, clock)
    with ResendEmulator(clock=clock) as resend:
        more = {
            **staff.loopback_settings(resend.url, clock.shift.total_seconds()), "DATABASE_URL": url,
            "HOURHAND_PROVIDER_DEADLINE_SECONDS": str(DEADLINE_SECONDS), "HOURHAND_CONCURRENCY": str(AT_ONCE),
            **settings,
        }  # fmt: skip
        resend.break_next(Fault("slow", acts=True, times=1_000_000, method="POST", seconds=ANSWER_SECONDS))
        with staff.employed(room, **more) as hands:
            made = Ground(url, admin_url, database, resend, hands)
            made.tenants += [_found(made, at) for at in range(tenants)]
            yield made
    if made.eyes is not None:
        made.eyes.close()
    database.dispose()


@contextmanager
def server() -> Iterator[embedded.Server]:
    """A PostgreSQL that may be killed, kept as in production: what it said was committed outlives it."""
    folder = staff.storage("kills")
    own = embedded.attach(folder)
    try:
        apply.upgrade(own.url("postgres"))
        yield own
    finally:
        embedded.attach(folder).stop()
        own.stop()
        shutil.rmtree(folder, ignore_errors=True)


def kill_server(own: embedded.Server) -> None:
    """kill -9 of the server with all its processes, and a new start from what is on the disk."""
    postmaster = psutil.Process(int((own.cluster / "postmaster.pid").read_text().split("\n", 1)[0]))
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(family, timeout=60)
    anew = embedded.Server(own.data_dir)
    anew.open()
    anew.stop()


def chance(seed: object) -> random.Random:
    """Chance that comes again."""
    return random.Random(f"kills:{seed}")


def _found(made: Ground, at: int) -> UUID:
    """A live tenant with an account of its own at the provider; half of the accounts may not list what they sent."""
    slug, key = f"tenant-{_letters(at)}", _key(at)
    tenant_id = build.tenant(made.database, slug, {
        "send_mode": "live", "country": "ES", "timezone": "Europe/Madrid", "sender_name": slug,
        "postal_address": "Calle Mayor 1, Madrid", "sender_address": f"hello@{slug}.example",
        "max_emails_per_hour": 1_000_000,
    })  # fmt: skip
    with made.database.tenant(tenant_id, actor="test") as tx:
        credentials.put(tx, staff.VAULT, "resend_api_key", key)
    made.resend.account(key, may_list=at % 2 == 0)
    return tenant_id


def _key(at: int) -> str:
    return f"re_{at:02}"


def _letters(number: int) -> str:
    """A name of letters alone: figures in a letter may look like those that must not leave the house."""
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:06}")
