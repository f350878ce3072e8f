"""Unknown outcomes: looked up, tried again with the same bytes only, and never taken for what they may not be."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from uuid import UUID

import pytest

from domain import alerts, cards, contacts, credentials, deliveries, suppressions
from domain.cards import Card
from domain.db import Database
from domain.house import House
from domain.ports import DeliveryEvent
from engines.contract import Context, Engine
from engines.engagement.engine import EngagementEngine
from engines.registry import ENGINES
from jobs import cycle, deliver, resolve
from simulator.emulators.faults import Fault
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock

LOST = Fault("reset", acts=False, method="POST")
TAKEN = Fault("reset", acts=True, method="POST")


class Stage:
    """Acme with a Resend key that may only send: whether a mail arrived can't be looked up."""

    def __init__(self, house: House, resend: ResendEmulator, clock: HandClock) -> None:
        self.house, self.resend, self.clock = house, resend, clock
        self.database = house.database
        self.acme = build.acme(house.database)

    def person(self, name: str = "bill", account: str = "Initech") -> UUID:
        """Somebody whose first touch is due."""
        with self.database.tenant(self.acme) as tx:
            return build.contact(tx, build.client(tx, account), f"{name}@{account.lower()}.example")

    def hour(self, *engines: Engine) -> list[str]:
        """A cycle, five minutes after the last; what its run notes as errors."""
        self.clock.advance(minutes=5)
        chosen = {"engines": engines} if engines else {}
        run_id = cycle.run(self.house, self.acme, kind="manual", **chosen)
        with self.database.tenant(self.acme) as tx:
            errors = tx.value("SELECT errors FROM agent_autonomous_runs WHERE id = :r", r=run_id)
        return [each["where"] for each in errors]

    def states(self) -> list[str]:
        """How the cards stand."""
        with self.database.tenant(self.acme) as tx:
            return [row["state"] for row in tx.rows("SELECT state FROM kanban_cards ORDER BY id")]

    def posts(self) -> int:
        """How many mails the provider was given, taken or not."""
        return sum(seen.method == "POST" for seen in self.resend.witness.requests)


@pytest.fixture
def stage(clone: Database, clock: HandClock) -> Iterator[Stage]:
    clock.advance(hours=6)
    hands = houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        built = Stage(house, resend, clock)
        resend.account("re_acme", may_list=False)
        houses.resend_for(hands, resend, built.acme, "re_acme")
        yield built


def test_a_refused_second_try_says_nothing_about_the_first(stage: Stage) -> None:
    stage.person()
    stage.resend.break_next(TAKEN)
    stage.hour()
    assert stage.states() == ["uncertain"]
    stage.resend.break_next(Fault("answer", status=403, error="invalid_api_key", method="POST"))
    stage.hour()
    assert stage.states() == ["uncertain"]
    stage.hour()
    assert stage.states() == ["done"]
    assert len(stage.resend.sent("re_acme")) == 1


def test_a_second_try_is_judged_by_the_address_that_its_bytes_go_to(stage: Stage) -> None:
    bill = stage.person()
    stage.resend.break_next(LOST)
    stage.hour()
    before = stage.posts()
    with stage.database.tenant(stage.acme) as tx:
        suppressions.suppress(tx, houses.VAULT, "bill@initech.example", reason="bounced", source="mail")
        contacts.upsert(tx, houses.VAULT, contact_id=bill, email="william@initech.example")
    stage.hour()
    assert stage.states() == ["uncertain"]
    assert stage.posts() == before


class Stumbling(EngagementEngine):
    """Fails on one contact's cards."""

    def __init__(self, over: UUID) -> None:
        self._over = over

    def settled(self, ctx: Context, cards: Sequence[Card]) -> None:
        if any(card.contact_id == self._over for card in cards):
            raise RuntimeError("boo")
        super().settled(ctx, cards)


def test_a_card_on_which_the_house_stumbles_stops_no_other(stage: Stage) -> None:
    bill, _ = stage.person(), stage.person("hank", "Globex")
    stage.resend.break_next(LOST)
    stage.resend.break_next(LOST)
    stage.hour()
    assert stage.states() == ["uncertain", "uncertain"]
    assert [where.split()[0] for where in stage.hour(Stumbling(bill))] == ["settle"]
    assert sorted(stage.states()) == ["done", "executing"]
    stage.hour()
    assert stage.states() == ["done", "done"]
    assert len(stage.resend.sent("re_acme")) == 2


class Killed(BaseException):
    """The process ends here."""


def test_a_notification_that_came_before_the_end_was_noticed_settles_the_card(
    stage: Stage, clone: Database, clock: HandClock
) -> None:
    stage.person()

    def die(step: str) -> None:
        if step == "execute.performed":
            raise Killed

    with contextlib.suppress(Killed):
        cycle.run(houses.with_fault(stage.house, die), stage.acme, kind="manual")
    assert stage.states() == ["executing"]
    with clone.tenant(stage.acme) as tx:
        card_id = tx.value("SELECT id FROM kanban_cards")
        deliveries.receive(tx, "resend", DeliveryEvent(
            event_id="msg_1", kind="delivered", provider_id="re-1", recipients=("bill@initech.example",),
            at=tx.now, tags={"card": str(card_id)},
        ))  # fmt: skip
    deliver.process(stage.house, stage.acme)
    before = stage.posts()
    stage.hour()
    assert stage.states() == ["done"]
    assert stage.posts() == before


@pytest.mark.parametrize("arrived", [True, False])
def test_a_person_settles_what_nobody_can_know(stage: Stage, arrived: bool) -> None:
    bill = stage.person()
    stage.resend.break_next(TAKEN if arrived else LOST)
    stage.hour()
    with stage.database.tenant(stage.acme) as tx:
        assert alerts.listed(tx) == []
    stage.clock.advance(hours=24)  # past the provider's memory of the key
    stage.hour()
    assert stage.states() == ["uncertain"]
    with stage.database.tenant(stage.acme, actor="boss") as tx:
        assert [each.kind for each in alerts.listed(tx)] == ["card.uncertain"]
        [card_id] = [each.id for each in cards.listed(tx, state="uncertain")]
        card = resolve.say(tx, ENGINES, card_id, arrived=arrived, by="boss", reason="asked them")
        assert card.state == ("done" if arrived else "failed")
        assert alerts.listed(tx) == []
        touched = tx.value("SELECT last_touch_at FROM engagement_clocks WHERE contact_id = :c", c=bill)
        assert (touched is not None) == arrived
        with pytest.raises(cards.IllegalMove):
            resolve.say(tx, ENGINES, card_id, arrived=arrived, by="boss", reason="again")


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_after_the_secrets_changed_nothing_is_sent_again(stage: Stage, change: str) -> None:
    """Another account at the provider does not know the first one's keys; without its own a tenant uses the house's."""
    with stage.database.tenant(stage.acme) as tx:
        credentials.put(tx, houses.VAULT, "resend_api_key", "re_acme")
    stage.person()
    stage.resend.break_next(TAKEN)
    stage.hour()
    assert stage.states() == ["uncertain"]
    stage.clock.advance(minutes=1)
    with stage.database.tenant(stage.acme) as tx:
        if change == "replaced":
            credentials.put(tx, houses.VAULT, "resend_api_key", "re_of_another_team")
        else:
            credentials.remove(tx, "resend_api_key")
    stage.hour()
    assert (stage.states(), stage.posts()) == (["uncertain"], 1)
