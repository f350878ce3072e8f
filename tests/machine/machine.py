"""The machine: everything that may happen to two tenants in any order, and what must hold after each of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain import settings
from domain.db import FenceLost
from domain.house import House, LocalBrakes
from domain.settings import Mode
from jobs import cycle, ingest
from simulator.emulators.faults import Fault, fail, refuse, throttle
from simulator.emulators.resend_webhooks import Hook
from tests import houses
from tests.machine import deeds, objections, records
from tests.machine.book import MAIL, Tenant
from tests.machine.stage import Stage, World, join, open_world

TENANTS = st.sampled_from(["acme", "acme", "acme", "globex"])
NTH = st.integers(0, 5)
KINDS = st.sampled_from([*sorted(MAIL), "send_email", "follow_up", "create_task"])
SWITCHES = st.tuples(
    st.sampled_from(["house", "acme", "acme", "globex"]),
    st.sampled_from([("all", ""), ("mail", ""), ("engine", "engagement"), ("action", "send_email"),
                     ("action", "follow_up"), ("action", "request_feedback")]),
)  # fmt: skip
MODES = st.sampled_from(["dry_run", "internal_only", "limited_live", "live", "live", "live"])
LATER = st.sampled_from([0.05, 0.3, 1, 3, 17, 24, 73, 8 * 24, 22 * 24])
"""Hours."""

OUTSIDE = ("cycle.", "plan.judged", "react.", "execute.settled", "deliver.committed")
"""Boundaries at which the process holds neither a transaction nor the gate, so that somebody else may act there."""
PAUSES = (*OUTSIDE, "execute.reserved", "execute.performed", "resolve.found", "resolve.reserved", "resolve.performed")
"""Boundaries at which a process may be paused past its lease: it holds no transaction."""

WEATHER: dict[str, Callable[[], Fault]] = {
    "reset after acting": lambda: Fault("reset", acts=True, method="POST"),
    "hung up": lambda: Fault("close", method="POST"),
    "500 after acting": lambda: fail(500, acts=True),
    "503": lambda: fail(503),
    "429": lambda: throttle(40),
    "half an answer": lambda: Fault("truncate", method="POST"),
    "no listing": lambda: Fault("answer", status=500, method="GET", times=3),
    "422": lambda: refuse(422),
}


class Killed(BaseException):
    """The process ends here."""


class Violated(AssertionError):
    """Something happened that must never happen."""


class Between:
    """At the `nth` boundary whose name begins as told, something else happens, once."""

    def __init__(self, nth: int, begins: tuple[str, ...], act: Callable[[], None]) -> None:
        self.left = nth
        self.begins = begins
        self.act = act

    def __call__(self, step: str) -> None:
        if not step.startswith(self.begins):
            return
        self.left -= 1
        if self.left == 0:
            self.act()


class Machine(RuleBasedStateMachine):
    """Two tenants, one process (sometimes two), and everything that may befall them."""

    stage: Stage
    """Set by the test that runs the machine."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World = open_world(self.stage)
        self.ledger = records.Ledger(self.world.database)
        self.looks: dict[Any, Any] = {}
        self.hooks: list[Callable[[], None]] = []
        self.unread: dict[str, list[Callable[[], None]]] = {}
        self.old_hooks: list[tuple[str, Hook]] = []
        self.touched: set[str] = set(self.world.tenants)
        self.prints = {name: self.ledger.fingerprint(each) for name, each in self.world.tenants.items()}

    def spoil(self) -> None:
        """Where a seeded defect gets in, behind the book's back, after each step; the machine itself spoils nothing."""

    @property
    def counts(self) -> Any:
        return self.stage.counts

    def tenant(self, name: str) -> Tenant:
        """The tenant that a step is about: its records may change, the other's may not."""
        self.touched.add(name)
        return self.world.tenants[name]

    # what must hold

    def at_the_door(self) -> None:
        """Judge every POST since the last look by the book as it stands; called before each change of the book."""
        for tenant, post in self.world.posts():
            self.counts["posts"] += 1
            record = records.of_card(self.world.database, tenant, post.card)
            if record is None:
                raise Violated("a tenant's account posted another tenant's card")
            mode = self.world.mode(tenant)
            closed = set(self.world.house_closed)
            brakes = self.world.house.brakes
            closed |= {("all", "")} if brakes.stopped() else {("mail", "")} if brakes.mail_stopped() else set()
            if found := objections.objections(tenant, closed, mode, post, record):
                raise Violated(f"{tenant.slug} at {post.at:%a %d %b %H:%M}: {'; '.join(found)} ({record.kind})")
            objections.note(tenant, mode, post, record)
            self.counts["delivered"] += post.acted

    @invariant()
    def everything_stands(self) -> None:
        """Nobody else's records moved, every card has its state and its why, every hour its ledger."""
        self.counts["steps"] += 1
        self.at_the_door()
        self.spoil()
        for name, tenant in self.world.tenants.items() if self.touched else ():
            if name not in self.touched:
                if self.ledger.fingerprint(tenant) != self.prints[name]:
                    raise Violated(f"{name} was changed by what happened to its neighbour")
                continue
            found, self.prints[name] = self.ledger.findings(tenant)
            if found:
                raise Violated(f"{tenant.slug}: {'; '.join(found)}")
        self.touched.clear()

    def teardown(self) -> None:
        try:
            found = [each for tenant in self.world.tenants.values() for each in self.ledger.chains(tenant)]
            if found:
                raise Violated("; ".join(found))
        finally:
            self.world.close()

    @initialize(mode=MODES)
    def the_first_hour(self, mode: str) -> None:
        deeds.change_mode(self, self.tenant("acme"), mode)
        self.hour("acme")

    # time and work

    @rule(hours=LATER)
    def time_passes(self, hours: float) -> None:
        self.world.clock.advance(hours=hours)

    @rule()
    def a_working_day_begins(self) -> None:
        self.morning()

    def morning(self) -> None:
        """On to 15:00 UTC of the next weekday, when everybody's hours are open."""
        clock = self.world.clock
        day = clock.now().replace(hour=15, minute=0) + timedelta(days=1)
        while day.weekday() >= 5:
            day += timedelta(days=1)
        clock.advance(seconds=(day - clock.now()).total_seconds())

    @rule(name=TENANTS)
    def an_hour_is_worked(self, name: str) -> None:
        self.hour(name)

    @rule(hours=LATER, name=TENANTS)
    def an_hour_is_worked_later(self, hours: float, name: str) -> None:
        self.world.clock.advance(hours=hours)
        self.hour(name)

    @rule(name=TENANTS)
    def a_day_is_worked(self, name: str) -> None:
        self.morning()
        self.hour(name)

    @rule(name=TENANTS, kind=st.sampled_from(["send_email", "request_feedback"]), who=NTH)
    def something_new_is_worked_at_once(self, name: str, kind: str, who: int) -> None:
        deeds.propose(self, self.tenant(name), kind, who, "own")
        self.hour(name)

    def hour(self, name: str) -> None:
        """One cycle of a tenant, in peace: every promise that was due is accounted for."""
        tenant = self.tenant(name)
        due = records.overdue(self.world.database, tenant)
        engaged = not {("engine", "engagement"), ("all", "")} & (tenant.closed | self.world.house_closed)
        run_id = self.work(self.world.house, tenant)
        if run_id is None or not engaged:
            return
        if left := records.unaccounted(self.world.database, tenant, run_id, due):
            raise Violated("; ".join(left))

    @rule(name=TENANTS, nth=st.integers(1, 9), deed=st.sampled_from(sorted(deeds.MEANWHILE)), who=NTH)
    def something_happens_in_the_middle_of_an_hour(self, name: str, nth: int, deed: str, who: int) -> None:
        self.meanwhile(name, Between(nth, OUTSIDE, lambda: deeds.MEANWHILE[deed](self, self.tenant(name), who)))

    @rule(name=TENANTS, nth=st.integers(1, 12))
    def the_process_is_overtaken(self, name: str, nth: int) -> None:
        tenant = self.tenant(name)

        def overtake() -> None:
            self.at_the_door()
            self.counts["overtaken"] += 1
            self.world.clock.advance(seconds=75)
            other = self.world.another_house()
            try:
                self.work(other, tenant)
            finally:
                other.locks.close()
                other.gate.close()

        self.meanwhile(name, Between(nth, PAUSES, overtake))

    @rule(name=TENANTS, nth=st.integers(1, 16), what=st.sampled_from(["cycle", "cycle", "ingest"]), seconds=LATER)
    def the_process_crashes(self, name: str, nth: int, what: str, seconds: float) -> None:
        def die() -> None:
            raise Killed

        if what == "cycle":
            self.meanwhile(name, Between(nth, ("",), die))
            return
        house = houses.with_fault(self.world.house, Between(nth, ("",), die))
        try:
            ingest.run(house, self.tenant(name).id)
        except Killed:
            self.crashed()
        self.read_mail(name)

    @rule(brakes=st.sampled_from(["none", "none", "kill", "mail", "dry_run"]))
    def the_process_restarts(self, brakes: str) -> None:
        self.world.restart({
            "none": LocalBrakes(), "kill": LocalBrakes(kill_switch=True), "mail": LocalBrakes(mail_disabled=True),
            "dry_run": LocalBrakes(send_mode=Mode.dry_run),
        }[brakes])  # fmt: skip

    def work(self, house: House, tenant: Tenant) -> Any:
        """One cycle of a tenant."""
        self.counts["cycles"] += 1
        return cycle.run(house, tenant.id, kind="manual")

    def meanwhile(self, name: str, hook: Between) -> None:
        """A cycle during which something happens; the process may not survive it, and may find itself overtaken."""
        tenant = self.tenant(name)
        try:
            with suppress(FenceLost):
                self.work(houses.with_fault(self.world.house, hook), tenant)
        except Killed:
            self.crashed()
        self.at_the_door()
        for each in self.hooks:
            each()
        self.hooks.clear()

    def crashed(self) -> None:
        """The process is gone, and another takes its place once its lease is over."""
        self.counts["crashes"] += 1
        self.at_the_door()
        self.world.restart()
        self.world.clock.advance(seconds=65)

    # what people and providers do

    @rule(
        name=TENANTS, kind=KINDS, who=NTH, to=st.sampled_from(["own", "own", "own", "alias", "colleague", "stranger"])
    )
    def a_card_is_proposed(self, name: str, kind: str, who: int, to: str) -> None:
        deeds.propose(self, self.tenant(name), kind, who, to)

    @rule(name=TENANTS, nth=NTH, what=st.sampled_from(["look", "approve", "approve", "edit", "reject", "snooze"]))
    def a_person_decides(self, name: str, nth: int, what: str) -> None:
        deeds.decide(self, self.tenant(name), nth, what)

    @rule(switch=SWITCHES)
    def a_switch_is_closed(self, switch: tuple[str, tuple[str, str]]) -> None:
        deeds.stop(self, *switch)

    @rule(name=TENANTS)
    def everything_is_resumed(self, name: str) -> None:
        deeds.resume_all(self, self.tenant(name))

    @rule(name=TENANTS, mode=MODES)
    def the_mode_changes(self, name: str, mode: str) -> None:
        deeds.change_mode(self, self.tenant(name), mode)

    @rule(
        name=TENANTS, what=st.sampled_from(["hour", "people", "kind", "limited", "new", "gap"]), most=st.integers(0, 3)
    )
    def a_cap_is_changed(self, name: str, what: str, most: int) -> None:
        deeds.change_cap(self, self.tenant(name), what, most)

    @rule(name=TENANTS, who=NTH, whole=st.booleans())
    def somebody_is_allow_listed(self, name: str, who: int, whole: bool) -> None:
        deeds.allow(self, self.tenant(name), who, whole)

    @rule(name=TENANTS, kind=KINDS, level=st.sampled_from(["auto", "approve", "suggest"]))
    def a_person_wants_to_be_asked(self, name: str, kind: str, level: str) -> None:
        deeds.autonomy(self, self.tenant(name), kind, level)

    @rule(name=TENANTS, who=NTH, how=st.sampled_from(["link", "mail", "manual", "erased"]))
    def somebody_opts_out(self, name: str, who: int, how: str) -> None:
        deeds.opt_out(self, self.tenant(name), who, how)

    @rule(name=TENANTS, nth=NTH, kind=st.sampled_from(deeds.NEWS), times=st.integers(1, 2), forged=st.booleans())
    def the_provider_tells(self, name: str, nth: int, kind: str, times: int, forged: bool) -> None:
        deeds.webhook(self, self.tenant(name), nth, kind, times, forged)

    @rule(name=TENANTS, who=NTH, what=st.sampled_from(["reply", "reply", "alias", "fresh", "away", "bounce"]),
          read=st.booleans())  # fmt: skip
    def mail_arrives(self, name: str, who: int, what: str, read: bool) -> None:
        deeds.letter(self, self.tenant(name), who, what)
        if read:
            self.read_mail(name)

    @rule(name=TENANTS)
    def the_mailbox_is_read(self, name: str) -> None:
        self.read_mail(name)

    @rule(name=TENANTS, what=st.sampled_from(sorted(WEATHER)))
    def the_weather_turns(self, name: str, what: str) -> None:
        self.stage.resend.break_next(WEATHER[what]())

    @rule(name=TENANTS, who=NTH, how=st.sampled_from(["moves", "alias", "joins", "joins"]))
    def people_change(self, name: str, who: int, how: str) -> None:
        deeds.people_change(self, self.tenant(name), who, how)

    @rule(name=TENANTS)
    def a_person_settles_the_uncertain(self, name: str) -> None:
        deeds.settle(self, self.tenant(name))

    # what the deeds share

    def change(self, tenant: Tenant, **changes: Any) -> None:
        """Change a tenant's settings."""
        self.at_the_door()
        with self.world.database.tenant(tenant.id, actor="person") as tx:
            settings.change(tx, changes, reason="the machine wants it")
        tenant.settings_changed()

    def read_mail(self, name: str) -> None:
        """The mailbox is read to its end; from here on, what its letters say is known."""
        tenant = self.tenant(name)
        self.at_the_door()
        ingest.run(self.world.house, tenant.id)
        for known in deeds.unread(self, tenant):
            known()

    def join(self, tenant: Tenant, company: str) -> None:
        """Somebody new."""
        self.world.letters += 1
        name = f"{'am'[self.world.letters % 2]}{self.world.letters}"
        join(self.world, tenant, company, f"{name}@{company.lower()}.example")

    def now(self) -> datetime:
        """The world's time."""
        return self.world.clock.now()
