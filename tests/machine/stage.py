"""The stage of the machine: a clone, the vendors on loopback and the front desk, laid out anew for each example."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from starlette.testclient import TestClient

from admin_api import app as admin_app
from domain import credentials, mailboxes
from domain.db import Database
from domain.gate import Gate
from domain.house import Fault, House, LocalBrakes, no_fault
from domain.locks import TenantLocks
from providers.gmail import GmailMailbox
from providers.gmail_auth import GmailGrant
from providers.gmail_calls import GmailCalls
from providers.resend import ResendSender
from providers.wire import Wire
from simulator.emulators import faults
from simulator.emulators.gmail import GmailEmulator
from simulator.emulators.resend import ResendEmulator
from simulator.emulators.witness import Seen
from tests import build, gears, houses
from tests.hand_clock import A_MONDAY, HandClock
from tests.machine.book import Person, Post, Tenant

DEADLINE_SECONDS = 2.0
LEASE_SECONDS = 4.0
OWN = {"acme": build.ACME, "globex": {**build.GLOBEX, "timezone": "Europe/Madrid"}}
PEOPLE = {
    "acme": (("Initech", "bill"), ("Initech", "milton"), ("Initech", "peter"), ("Hooli", "gavin")),
    "globex": (("Initech", "bill"), ("Umbrella", "alice")),
}
ZONES = {"Initech": "America/New_York", "Hooli": "America/Chicago", "Umbrella": "Europe/Madrid"}


class Weather(faults.Plan):
    """The plan of faults, which remembers what befell each request in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.befell: list[faults.Fault | None] = []

    def next_for(self, method: str, path: str, account: str) -> faults.Fault | None:
        fault = super().next_for(method, path, account)
        self.befell.append(fault)
        return fault


@dataclass
class Stage:
    """What all examples share: one database, one of each vendor, one app."""

    clone: gears.Clone
    resend: ResendEmulator
    gmail: GmailEmulator
    sender: type[ResendSender] = ResendSender
    wire: Wire = field(default_factory=Wire)
    client: TestClient | None = None
    examples: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def weather(self) -> Weather:
        """What the mail provider is about to do."""
        plan = self.resend.faults
        assert isinstance(plan, Weather)
        return plan

    def desk(self, house: House) -> TestClient:
        """The front desk, standing on this house from now on."""
        if self.client is None:
            self.client = TestClient(admin_app.create(house), base_url="http://127.0.0.1:8321")
        self.client.app.state.house = house  # type: ignore[attr-defined]
        return self.client


@contextmanager
def open_stage(cluster: gears.Cluster, *, sender: type[ResendSender] = ResendSender) -> Iterator[Stage]:
    """Vendors and a database for a whole run of the machine."""
    clone = cluster.clone()
    with psycopg.connect(clone.admin_url, autocommit=True) as connection:
        # everything runs in one thread: whoever waits for a lock here would wait for itself, for ever
        connection.execute(f"ALTER DATABASE {clone.name} SET lock_timeout = '5s'")
    clock = HandClock()
    with ResendEmulator(clock=clock) as resend, GmailEmulator(clock=clock) as gmail:
        resend.faults = Weather()
        yield Stage(clone, resend, gmail, sender)
    cluster.retire(clone)


@dataclass
class World:
    """Two tenants in one example, the process that works for them, and the books about them."""

    stage: Stage
    clock: HandClock
    database: Database
    hands: houses.TestHands
    house: House
    tenants: dict[str, Tenant]
    mailbox: dict[str, UUID]
    house_closed: set[tuple[str, str]] = field(default_factory=set)
    processes: int = 1
    letters: int = 0

    def own(self, tenant: Tenant) -> str:
        """The address of the tenant's mailbox."""
        return str(OWN[tenant.slug.partition("-")[0]]["sender_address"])

    def mode(self, tenant: Tenant) -> str:
        """The stricter of the tenant's mode and the process's."""
        order = ["dry_run", "internal_only", "limited_live", "live"]
        return min(tenant.mode, self.house.brakes.send_mode.name, key=order.index)

    def another_house(self, fault: Fault = no_fault, brakes: LocalBrakes | None = None) -> House:
        """One more process on the same database."""
        self.processes += 1
        holder = f"process-{self.processes}"
        return replace(
            self.house, holder=holder, gate=Gate(self.database), locks=TenantLocks(self.database, holder), fault=fault,
            brakes=brakes or self.house.brakes,
        )  # fmt: skip

    def restart(self, brakes: LocalBrakes | None = None) -> None:
        """The process ends as a killed one does, its connections with it, and another takes its place."""
        old, self.house = self.house, self.another_house(brakes=brakes)
        old.locks.close()
        old.gate.close()

    def posts(self) -> Iterator[tuple[Tenant, Post]]:
        """Every mail that was posted since the last look, as the raw request tells it."""
        witness, weather = self.stage.resend.witness, self.stage.weather
        seen, befell = list(witness.requests), list(weather.befell)
        witness.clear()
        weather.befell.clear()
        by_account = {each.slug: each for each in self.tenants.values()}
        for request, fault in zip(seen, befell, strict=True):
            if request.method == "POST" and request.path == "/emails":
                yield by_account[request.account], self._post(request, fault)

    def _post(self, seen: Seen, fault: faults.Fault | None) -> Post:
        told: dict[str, Any] = seen.json
        answered = fault.status if fault is not None and fault.kind == "answer" and not fault.acts else 0
        tags = {each["name"]: each["value"] for each in told["tags"]}
        everybody = [each for name in ("to", "cc", "bcc") for each in told.get(name) or ()]
        return Post(
            at=self.clock.now(), tenant_tag=tags["tenant"], sender=told["from"], key=seen.key,
            body=json.dumps(told, sort_keys=True),
            recipients=tuple(each.rpartition("<")[2].rstrip(">").lower() for each in everybody),
            subject=told["subject"], text=told["text"], unsubscribe=told["headers"].get("List-Unsubscribe", ""),
            card=UUID(tags["card"]), acted=seen.acted, certainly_nothing=answered == 429,
        )  # fmt: skip

    def close(self) -> None:
        """Leave nothing open, and no switch of the house closed."""
        self.house.locks.close()
        self.house.gate.close()
        if self.house_closed:
            with self.database.wearing("control") as tx:
                tx.run("""UPDATE hourhand.system_config SET value = to_jsonb(key = 'global_enabled')
                          WHERE key IN ('global_enabled', 'email_send_disabled') OR key LIKE '%\\_disabled.%'""")
        self.database.dispose()


def open_world(stage: Stage) -> World:
    """Found both tenants on a Monday at 15:00 UTC, with their people, mailboxes and keys."""
    stage.examples += 1
    # ids follow from the seed, and the examples share a database
    clock = HandClock(A_MONDAY + timedelta(hours=6), seed=stage.examples)
    stage.resend.clock = stage.gmail.clock = clock
    stage.gmail.accounts.clear()
    stage.weather.clear()
    database = Database(stage.clone.url(), clock, pool_size=3)
    hands = houses.TestHands()
    house = House(
        clock=clock, database=database, gate=Gate(database), locks=TenantLocks(database, "process-1"), hands=hands,
        vault=houses.VAULT, brakes=LocalBrakes(), public_url="http://127.0.0.1:8321", holder="process-1",
        provider_deadline_seconds=DEADLINE_SECONDS, lease_seconds=LEASE_SECONDS,
    )  # fmt: skip
    world = World(stage, clock, database, hands, house, {}, {})
    for name in OWN:
        _found(world, name)
    list(world.posts())
    return world


def _found(world: World, name: str) -> None:
    stage, slug = world.stage, f"{name}-{world.stage.examples}"
    tenant_id = build.tenant(world.database, slug, {**OWN[name], "send_mode": "live"})
    zone = str(OWN[name].get("timezone", "UTC"))
    tenant = world.tenants[name] = Tenant(slug, tenant_id, zone)
    account = stage.resend.account(slug)
    world.hands.senders[tenant_id] = stage.sender(slug, stage.resend.url, wire=stage.wire)
    box = stage.gmail.account(OWN[name]["sender_address"])
    with world.database.tenant(tenant_id, actor="test") as tx:
        credentials.put(tx, houses.VAULT, "resend_webhook_secret", account.webhook_secret)
        grant = mailboxes.Grant(box.refresh_token, "client")
        mailbox = mailboxes.configure_gmail(tx, houses.VAULT, box.address, grant).id
    given = GmailGrant(box.refresh_token, "client", "secret", token_url=stage.gmail.token_url, wire=stage.wire)
    calls = GmailCalls(given, api_url=stage.gmail.url, call_seconds=10, pause_seconds=0.005, wire=stage.wire)
    world.mailbox[name] = mailbox
    world.hands.mailboxes[mailbox] = GmailMailbox(calls)
    for company, person in PEOPLE[name]:
        join(world, tenant, company, f"{person}@{company.lower()}.example")


def join(world: World, tenant: Tenant, company: str, address: str) -> Person:
    """A new contact of a client, who agreed to broadcasts if their name is that of somebody who would."""
    consent = address[0] in "abm"
    with world.database.tenant(tenant.id, actor="test") as tx:
        client = build.client(tx, company, timezone=ZONES[company])
        made = build.contact(tx, client, address)
        if consent:
            tx.run("UPDATE contacts SET broadcast_consent = true WHERE tenant_id = :t AND id = :id",
                   t=tenant.id, id=made)  # fmt: skip
    person = Person(made, company, address, ZONES[company], {address}, consent)
    tenant.people[made] = person
    return person
