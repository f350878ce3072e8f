"""Mails that go out side by side: what becomes of one says nothing of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from domain import cards, runs
from domain.cards import Card
from domain.db import Database, Row
from domain.ports import Accepted, FoundMail, NeverWill, NothingHappened, OutboundMail
from engines.contract import Context, Engine, Obligation, Plan
from engines.engagement.engine import EngagementEngine
from engines.registry import ENGINES
from jobs import act, cycle
from tests import build, houses
from tests.hand_clock import HandClock

PEOPLE = 5


@dataclass
class Wire:
    """A provider that takes everything, but for what it refuses in words that no database keeps."""

    name: str = "smtp"
    keeps_keys: bool = False
    refused: str = ""
    taken: list[OutboundMail] = field(default_factory=list)

    def send(self, mail: OutboundMail, *, deadline_seconds: float) -> Accepted:
        if self.refused and self.refused in mail.to[0]:
            raise NeverWill("550 no\x00such user")
        self.taken.append(mail)
        return Accepted(mail.message_id)

    def find(self, mail: OutboundMail, *, deadline_seconds: float, since: datetime | None = None) -> FoundMail | None:
        raise NothingHappened("it lists nothing")


@contextmanager
def hour(clone: Database, clock: HandClock, wire: Wire, engines: Sequence[Engine] = ENGINES) -> Iterator[Row]:
    """A live tenant's hour with five people to write to; its run, and the tenant's rows to look at."""
    clock.advance(hours=6)
    acme = build.acme(clone, sends_per_second=16)
    with clone.tenant(acme) as tx:
        for at in range(PEOPLE):
            build.contact(tx, build.client(tx, f"Client {at}"), f"person{at}@client-{at}.example")
    with houses.house(clone, hands=houses.TestHands(senders={acme: wire})) as house:
        run_id = cycle.run(house, acme, kind="manual", engines=engines)
        assert run_id is not None
        with clone.tenant(acme) as tx:
            run = runs.get(tx, run_id)
            assert run is not None
            yield {**run, "cards": cards.listed(tx)}


def test_an_answer_that_no_database_keeps_takes_no_other_with_it(clone: Database, clock: HandClock) -> None:
    with hour(clone, clock, Wire(refused="person2")) as run:
        assert Counter(card.state for card in run["cards"]) == {"done": PEOPLE - 1, "failed": 1}
        assert [card.reason for card in run["cards"] if card.state == "failed"] == ["smtp: 550 no\ufffdsuch user"]


class Stumbling(EngagementEngine):
    """Can't take in how one person's card ended."""

    def settled(self, ctx: Context, some: Sequence[Card]) -> None:
        if any("Person2" in card.title for card in some):
            raise ValueError("boo")
        super().settled(ctx, some)


def test_an_engine_that_fails_over_one_card_leaves_the_others_settled(clone: Database, clock: HandClock) -> None:
    with hour(clone, clock, Wire(), (Stumbling(),)) as run:
        assert Counter(card.state for card in run["cards"]) == {"done": PEOPLE - 1, "executing": 1}
        assert [error["where"].split()[0] for error in run["errors"]] == ["settle"]
        assert run["outcome"] == "completed_with_errors"


class Muddled(EngagementEngine):
    """Reports an obligation that no database keeps."""

    name = "muddled"

    def plan(self, ctx: Context) -> Plan:
        return Plan((Obligation("contact_overdue", "contact", "no\x00body", ctx.now),))


def test_an_engine_whose_obligations_cannot_be_kept_voids_no_others_plan(clone: Database, clock: HandClock) -> None:
    wire = Wire()
    with hour(clone, clock, wire, (*ENGINES, Muddled())) as run:
        assert len(wire.taken) == PEOPLE
        assert "muddled.ledger" in [error["where"] for error in run["errors"]]


@pytest.fixture
def card(clone: Database) -> Card:
    with clone.tenant(build.acme(clone)) as tx:
        return build.card(tx, build.contact(tx))


@pytest.mark.parametrize(
    ("other", "batches"),
    [
        ({"client_id": UUID(int=1), "contact_id": UUID(int=2)}, 1),
        ({"contact_id": UUID(int=2)}, 2),
        ({"client_id": None}, 2),
        ({"client_id": UUID(int=1), "contact_id": UUID(int=2), "type": "create_task"}, 2),
    ],
    ids=["somebody elsewhere", "a colleague", "the same person", "no mail"],
)
def test_nobody_is_written_to_beside_what_they_should_have_heard_before(
    card: Card, other: dict[str, Any], batches: int
) -> None:
    beside = replace(card, id=UUID(int=3), **other)
    assert len(list(act.side_by_side([card, beside], 16))) == batches
