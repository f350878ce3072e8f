"""The play of an hour with people to write to: plan, act, react and reflect, and whatever the mail provider does."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from uuid import UUID

from domain import cards
from domain.db import Tx
from domain.house import House
from domain.ports import Accepted, OutboundMail
from jobs import approvals, cycle
from providers.resend import ResendSender
from simulator.emulators.faults import Fault, fail, throttle
from simulator.emulators.witness import Seen
from tests import build
from tests.crash.laboratory import Finding, Stage

TAKEN = Fault("reset", acts=True, method="POST")
LOST = Fault("close", acts=False, method="POST")

Weather = tuple[Callable[[], Fault] | None, ...]

WEATHER: Weather = (
    None,
    None,
    lambda: TAKEN,
    lambda: LOST,
    lambda: fail(500, acts=True),
    lambda: fail(503),
    lambda: throttle(30),
)
"""What the provider does on top of the crash; None twice, because mostly it does nothing."""

UNKNOWN: Weather = (lambda: TAKEN, lambda: LOST)
"""What leaves an outcome unknown, so that there is something to resolve."""

Maker = Callable[[str, str], ResendSender]


class Hour:
    """A live tenant with one to three people whose first touch is due, and a provider that takes them one by one."""

    at_once = 1

    def __init__(
        self, stage: Stage, slug: str, chance: random.Random, *, weather: Weather = WEATHER, lists: bool = True,
        sender: Maker = ResendSender, **settings: object,
    ) -> None:  # fmt: skip
        self.stage, self.key, self.people = stage, f"re_{slug}", chance.choice((1, 1, 2, 3))
        self.pieces = self.people if self.at_once == 1 else 1
        self.tenant_id = build.tenant(
            stage.database, slug, {**build.ACME, "send_mode": "live", "sends_per_second": self.at_once, **settings}
        )
        with stage.database.tenant(self.tenant_id) as tx:
            for at in range(self.people):
                build.contact(tx, build.client(tx, f"Client {at}"), f"person{at}@client-{at}.example")
            tx.run("UPDATE tenant_schedule SET last_slot_at = :now WHERE tenant_id = :t", now=tx.now, t=self.tenant_id)
        stage.resend.account(self.key, may_list=lists)
        stage.hands.senders[self.tenant_id] = sender(self.key, stage.resend.url)
        fault = chance.choice(weather)
        if fault is not None:
            stage.resend.break_next(fault())

    def live(self, house: House, life: int) -> None:
        """The slot's own cycle; once that is done, those that come between two slots."""
        if cycle.run(house, self.tenant_id, kind="scheduled") is None:
            cycle.run(house, self.tenant_id, kind="extra")

    def between(self, life: int) -> None:
        """Nothing."""

    def is_quiet(self, tx: Tx) -> bool:
        return tx.value("SELECT count(*) FROM kanban_cards WHERE state = 'done'") == self.people and not tx.value(
            "SELECT count(*) FROM agent_autonomous_runs WHERE finished_at IS NULL"
        )

    def judge(self, tx: Tx, found: Finding) -> None:
        arrived = [str(mail["to"]) for mail in self.stage.resend.sent(self.key)]
        judge_mail(tx, found, arrived, self.posts(), self.people)
        judge_hours(tx, found, self.people)

    def posts(self) -> list[Seen]:
        """Every raw request to send, whatever was answered."""
        return self.stage.resend.witness.posts(self.key, "/emails")


class SideBySide(Hour):
    """An hour whose mails go out all at once."""

    at_once = 8


class Approved(SideBySide):
    """An hour whose mail needs a person's yes, which is given between two lives."""

    def __init__(self, stage: Stage, slug: str, chance: random.Random, *, lists: bool = True) -> None:
        super().__init__(stage, slug, chance, lists=lists, autonomy={"send_email": "approve"})

    def between(self, life: int) -> None:
        """The boss looks at what waits, and approves it."""
        house = self.stage.processes[0].house
        with self.stage.database.tenant(self.tenant_id, actor="boss") as tx:
            for card in cards.listed(tx, state="awaiting_approval"):
                shown = approvals.show(house, tx, card.id)
                approvals.approve(house, tx, card.id, seen=shown.seen, by="boss")


class HandedOver(SideBySide):
    """An hour whose process may end between two of the mails that are on their way at once."""

    def __init__(self, stage: Stage, slug: str, chance: random.Random, *, lists: bool = True) -> None:
        super().__init__(stage, slug, chance, lists=lists, sender=partial(Doomed, stage))
        self.pieces = self.people


class Doomed(ResendSender):
    """A sender in whose calls the process may end: before the provider heard of a mail, or before we hear of it."""

    STEPS = ("port.calls", "port.answered")

    def __init__(self, stage: Stage, key: str, url: str) -> None:
        super().__init__(key, url)
        self._stage = stage

    def send(self, mail: OutboundMail, *, deadline_seconds: float = 10.0) -> Accepted:
        self._stage.living.reaches("port.calls")
        try:
            return super().send(mail, deadline_seconds=deadline_seconds)
        finally:
            self._stage.living.reaches("port.answered")


def judge_mail(tx: Tx, found: Finding, arrived: list[str], posts: list[Seen], people: int) -> None:
    """Everybody is written to once, and the house knows of it; each raw request is a declared try of the same bytes."""
    if len(set(arrived)) < people:
        found.lost.append(f"{people - len(set(arrived))} of {people} people got no mail")
    found.doubled += [f"{address} got {count} mails" for address, count in Counter(arrived).items() if count > 1]
    found.expect(tx, {
        "kanban_cards WHERE state = 'done'": people,
        "outbound_messages WHERE state = 'accepted' AND accepted_at IS NOT NULL": people,
        "touches WHERE type = 'email'": people,
        "engagement_clocks WHERE sequence_step = 1": people,
    })  # fmt: skip
    found.once(tx, ("dedupe_key", "kanban_cards"), ("card_id", "touches"))
    declared = {row["id"]: row["n"] for row in tx.rows(DECLARED)}
    by_card: dict[UUID, list[Seen]] = defaultdict(list)
    for post in posts:
        by_card[UUID(post.json["headers"]["X-Hourhand-Card"])].append(post)
    for card, tries in by_card.items():
        # an emulator that honours keys would hide what the raw requests show
        for wrong, is_so in {
            "under different keys": len({each.key for each in tries}) > 1,
            "with different bytes": len({each.body for each in tries}) > 1,
            "of which more than one was carried out": sum(each.acted for each in tries) > 1,
            f"of which {declared.get(card, 0)} are on record": len(tries) > declared.get(card, 0),
        }.items():
            if is_so:
                found.doubled.append(f"{len(tries)} tries of card {card}, {wrong}")


DECLARED = """
    SELECT id, sum(n) AS n FROM (
        SELECT card_id AS id, tries AS n FROM outbound_messages
        UNION ALL SELECT card_id, 1 FROM email_provider_failures WHERE kind = 'nothing_happened') AS each GROUP BY 1"""
"""Each card's tries that the house has put down: those of its reservation, and those that certainly did nothing."""


def judge_hours(tx: Tx, found: Finding, people: int) -> None:
    """The slot has one run; every run begins, ends and is told once, and its ledger accounts for all who were due."""
    runs = tx.rows(
        """SELECT r.id, r.slot_at, r.finished_at, f.facts, r.work_blocks,
                  (SELECT coalesce(sum(o.count), 0) FROM run_obligations o
                  WHERE o.tenant_id = r.tenant_id AND o.run_id = r.id) AS lines
           FROM agent_autonomous_runs r LEFT JOIN agent_hourly_reflections f
             ON f.tenant_id = r.tenant_id AND f.run_id = r.id WHERE r.tenant_id = :t ORDER BY r.cycle_number""",
        t=tx.tenant_id,
    )  # fmt: skip
    if [run["slot_at"] is not None for run in runs].count(True) != 1 or runs[0]["lines"] < people:
        found.lost.append(f"the slot's run accounts for {runs[0]['lines'] if runs else None} of {people} people")
    for run in runs:
        if run["finished_at"] is None or run["facts"] is None:
            found.lost.append(f"run {run['id']} has not ended, or was not told")
            continue
        blocks = {block["phase"]: block["counts"] for block in run["work_blocks"]}
        told = sum(run["facts"]["ledger"].values()), blocks["plan"].get("obligations", 0)
        if told != (run["lines"], run["lines"]):
            found.lost.append(f"run {run['id']}: {run['lines']} lines; its reflection and its plan tell of {told}")
        if [block["phase"] for block in run["work_blocks"]] != list(blocks):
            found.doubled.append(f"run {run['id']} went through a phase twice")
    kinds = "('cycle.started', 'cycle.finished', 'reflection.written')"
    found.once(tx, ("slot_at", "agent_autonomous_runs WHERE slot_at IS NOT NULL"),
               ("type || subject_id", f"warehouse_events WHERE type IN {kinds}"))  # fmt: skip
