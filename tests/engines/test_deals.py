"""The deals engine's plan: what presses comes first, what stands in the way is named, held mails move a shadow."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import given

from domain import cards, clients, clocks, deal_activity, deals, settings
from domain.db import Database, Tx
from domain.deal_activity import FollowUp
from engines.contract import Context, Plan
from engines.deals.engine import DealsEngine
from engines.deals.urgency import LEVELS, priority, urgency
from engines.greeting import plain_title
from tests import build
from tests.hand_clock import HandClock

ENGINE = DealsEngine()
AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=2, allow_nan=False)


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone, deal_follow_ups_per_cycle=2)


def planned(tx: Tx) -> Plan:
    context = Context(tx, settings.of(tx))
    ENGINE.ripen(context)
    return ENGINE.plan(context)


def someone(tx: Tx, name: str, **fields: Any) -> UUID:
    return build.contact(tx, build.client(tx, name=name, **fields), f"bill@{name.lower()}.example")


@given(AMOUNTS, AMOUNTS, st.floats(0, 90), st.integers(1, 6), st.booleans())
def test_more_worth_lateness_silence_or_stalling_never_presses_less(
    one: Decimal, other: Decimal, late: float, attempt: int, stalled: bool
) -> None:
    level = urgency(attempt, stalled=stalled, urgent_after=3)
    score = priority(weighted=min(one, other), days_late=late, level=level)
    assert level == LEVELS[int(attempt > 3) + int(stalled)]
    assert 0 <= score.total <= priority(weighted=max(one, other), days_late=late + 1, level=level).total <= 1100
    again = urgency(attempt + 1, stalled=True, urgent_after=3)
    assert score.total <= priority(weighted=min(one, other), days_late=late, level=again).total


def test_whatever_keeps_a_deal_from_being_followed_up_is_named(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        prospect = build.deal(tx, someone(tx, "Prospect", relationship="prospect"))
        resting = build.deal(tx, someone(tx, "Resting", status="inactive"))
        nobody = deals.put(tx, title="Nobody", client_id=build.client(tx, name="Nobody")).id
        gone, away, waits = someone(tx, "Gone"), someone(tx, "Away"), someone(tx, "Waits")
        lost, absent, ours = build.deal(tx, gone), build.deal(tx, away), build.deal(tx, waits)
        clocks.exempt(tx, [gone], "opted_out")
        clocks.pause(tx, away, tx.now + timedelta(days=30))
        deal = deals.get(tx, ours)
        assert deal is not None
        deal_activity.heard(tx, deal.client_id, contact_id=waits, thread_id=None, message_id=tx.clock.uuid(),
                            at=tx.now, asks=True)  # fmt: skip
    clock.advance(days=6)
    with clone.tenant(acme) as tx:
        plan = planned(tx)
    assert plan.proposals == ()
    assert {(each.subject_id, each.disposition, each.rule) for each in plan.obligations} == {
        (str(prospect), "blocked", "deals.existing_relationship"), (str(resting), "blocked", "deals.active_account"),
        (str(nobody), "blocked", "deals.named_contact"), (str(lost), "blocked", "deals.reachable"),
        (str(absent), "deferred", "deals.away"), (str(ours), "blocked", "deals.our_turn"),
    }  # fmt: skip


def test_an_hour_takes_on_the_most_pressing_and_accounts_for_the_rest(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        for number in range(4):
            build.deal(tx, someone(tx, f"Client{number}"), f"Deal {number}", value=10**number)
    clock.advance(days=5)
    with clone.tenant(acme) as tx:
        plan = planned(tx)
        assert [each.title for each in plan.proposals] == [
            "Follow-up 1: Deal 3 (Client3)", "Follow-up 1: Deal 2 (Client2)"]  # fmt: skip
        assert [each.rule for each in plan.obligations] == [None, None, "deals.budget", "deals.budget"]
        cards.propose(tx, plan.proposals)
        assert planned(tx).proposals == ()


def test_a_held_follow_up_moves_a_shadow_that_leaving_the_mode_forgets(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        settings.change(tx, {"send_mode": "dry_run"})
        client = clients.get(tx, build.client(tx))
        assert client is not None
        deal_id = build.deal(tx, build.contact(tx, client.id))
    clock.advance(days=5)
    with clone.tenant(acme) as tx:
        [card] = cards.propose(tx, planned(tx).proposals)
        ENGINE.settled(Context(tx, settings.of(tx)), [cards.move_one(tx, card.id, "held")])
        [line] = planned(tx).obligations
        assert (line.dedupe_key, planned(tx).proposals) == (card.dedupe_key, ())
        assert ENGINE.next_due(Context(tx, settings.of(tx))) == tx.now + timedelta(days=5)
        settings.change(tx, {"send_mode": "live"})
        [again] = planned(tx).proposals
        deal = deals.get(tx, deal_id)
        assert deal is not None
        assert (again.dedupe_key, deal.follow_ups) == (card.dedupe_key, 0)


def test_a_stall_of_which_a_person_wants_nothing_said_keeps_nobody_awake(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        deal_id = build.deal(tx)
        card = build.card(tx, build.contact(tx))
        deal_activity.follow_ups_sent(tx, [FollowUp(deal_id, card.id, 4, is_last=True)])
    clock.advance(days=20)
    with clone.tenant(acme) as tx:
        [card] = cards.propose(tx, planned(tx).proposals)
        assert card.evidence["kind"] == "silence"
        for state in ("awaiting_approval", "rejected"):
            cards.move_one(tx, card.id, state)
        assert ENGINE.next_due(Context(tx, settings.of(tx))) is not None
        assert planned(tx) == Plan()
        assert ENGINE.next_due(Context(tx, settings.of(tx))) is None


@pytest.mark.parametrize(
    ("title", "said"),
    [("New shelves", "New shelves"), ("Caixas, tampas & fita", "Caixas, tampas & fita"), ("10% off shelves", ""),
     ("See https://x.example", ""), ("Q3: 40 shelves", ""), ("", ""), ("Ünïcode–Regale", "")],
)  # fmt: skip
def test_only_a_title_of_plain_words_stands_in_a_mail(title: str, said: str) -> None:
    assert plain_title(title) == said
