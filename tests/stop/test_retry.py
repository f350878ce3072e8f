"""A second try is a send like any other, and may be the first to arrive: a closed switch holds it back as well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from domain import switches
from domain.db import Database, Row
from domain.house import House
from domain.ports import Accepted, OutboundMail
from domain.switches import Switch
from jobs import cycle
from providers.resend import ResendSender
from simulator.emulators.faults import Fault
from simulator.emulators.resend import ResendEmulator
from simulator.emulators.witness import Seen
from tests import build, houses
from tests.hand_clock import HandClock

LOST = Fault("close", acts=False, method="POST")
"""The request arrives, nothing is done, and nobody is told: to the sender an outcome as unknown as any."""


class Remembering(ResendSender):
    """Keeps what it was given, for the seeded defect."""

    last: OutboundMail | None = None

    def send(self, mail: OutboundMail, *, deadline_seconds: float = 10.0) -> Accepted:
        self.last = mail
        return super().send(mail, deadline_seconds=deadline_seconds)


@dataclass
class Uncertain:
    """Acme with one card whose first try was lost on the way."""

    house: House
    clock: HandClock
    resend: ResendEmulator
    acme: UUID
    hand: Remembering

    def hour(self, **later: float) -> None:
        """A cycle some time later, or when the card is to be looked at again."""
        if later:
            self.clock.advance(**later)
        elif (at := self.card()["resolve_after"]) > self.clock.now():
            self.clock.at(at)
        cycle.run(self.house, self.acme, kind="manual")

    def card(self) -> Row:
        """How the card stands."""
        with self.house.database.tenant(self.acme) as tx:
            row = tx.row("SELECT type, state, reason, resolve_after FROM kanban_cards ORDER BY id LIMIT 1")
        assert row is not None
        return row

    def posts(self) -> list[Seen]:
        """Every raw POST."""
        return self.resend.witness.posts()

    def stop(self, switch: Switch) -> None:
        assert switches.stop(self.house.database, switch, by="test", reason="test").settled

    def resume(self, switch: Switch) -> None:
        switches.resume(self.house.database, switch, by="test", reason="test")


@pytest.fixture
def uncertain(clone: Database, clock: HandClock) -> Iterator[Uncertain]:
    clock.advance(hours=6)
    with ResendEmulator(clock=clock) as resend:
        # a key that may only send: whether the first try arrived can't be looked up, so it is tried again
        resend.account("re_acme", may_list=False)
        hand = Remembering("re_acme", resend.url)
        acme = build.acme(clone)
        with clone.tenant(acme) as tx:
            build.contact(tx)
        with houses.house(clone, hands=houses.TestHands(senders={acme: hand})) as house:
            built = Uncertain(house, clock, resend, acme, hand)
            resend.break_next(LOST)
            built.hour(hours=5)
            assert built.card()["state"] == "uncertain"
            yield built


def test_nothing_is_tried_again_while_stopped_and_the_same_bytes_after_it(uncertain: Uncertain) -> None:
    acme, kind = uncertain.acme, uncertain.card()["type"]
    for switch in (
        Switch(None, "all"), Switch(acme, "all"), Switch(None, "mail"), Switch(acme, "engine", "engagement"),
        Switch(None, "action", kind),
    ):  # fmt: skip
        uncertain.stop(switch)
        uncertain.hour()
        assert uncertain.card()["state"] == "uncertain"
        if switch.level != "all":
            assert "switched off" in uncertain.card()["reason"]
        uncertain.resume(switch)
    [first] = uncertain.posts()
    uncertain.hour(hours=22)
    assert uncertain.card()["state"] == "done", "within 23 hours of its first try the key is surely known"
    [_, second] = uncertain.posts()
    assert (second.key, second.body) == (first.key, first.body)
    assert len(uncertain.resend.sent("re_acme")) == 1


def test_what_was_stopped_for_a_day_is_only_looked_up_after_it(uncertain: Uncertain) -> None:
    switch = Switch(uncertain.acme, "all")
    uncertain.stop(switch)
    uncertain.hour(hours=22)
    uncertain.resume(switch)
    asked = len(uncertain.resend.witness.requests)
    uncertain.hour(hours=1.2)
    assert uncertain.card()["state"] == "uncertain"
    later = uncertain.resend.witness.requests[asked:]
    assert [each.method for each in later] == ["GET"], "Resend forgets a key after a day: it is asked, and not sent"


def test_a_try_that_asks_no_switch_is_seen_by_the_witness(uncertain: Uncertain) -> None:
    """The seeded defect: the same bytes once more, past the gate and past the rules."""
    uncertain.stop(Switch(None, "all"))
    assert uncertain.hand.last is not None
    uncertain.hand.send(uncertain.hand.last)
    assert len(uncertain.posts()) == 2
    assert len(uncertain.resend.sent("re_acme")) == 1, "it was the first delivery"
