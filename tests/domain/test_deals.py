"""Deals: recognised by their reference, moved by evidence alone, with every stage and its duration kept."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain import cards, contacts, deal_stages, deals, schedule
from domain.db import Database, Tx
from domain.deal_stages import InvalidStage, Stage, UnknownStage
from domain.deals import Evidence, IllegalDealMove, InvalidDeal
from tests import build
from tests.hand_clock import A_MONDAY, HandClock


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def heard(tx: Tx) -> Evidence:
    return Evidence("reply", "contact 7", "message 9", tx.now)


def of(tx: Tx, deal_id: UUID) -> deals.Deal:
    found = deals.get(tx, deal_id)
    assert found is not None
    return found


def test_a_record_put_twice_is_one_deal_and_the_second_time_changes_nothing(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        account = build.client(tx, currency="EUR")
        told: dict[str, Any] = {"external_id": "D-1", "title": "Shelves ☃", "client_id": account, "value": "1200.50"}
        first, second = deals.put(tx, **told), deals.put(tx, **told)
        assert (first.created, second.created, second.changed, second.id) == (True, False, (), first.id)
        third = deals.put(tx, external_id="D-1", value=Decimal("999.9999"))
        deal = of(tx, first.id)
        assert third.changed == ("value",)
        assert (deal.value, deal.currency, deal.stage, deal.state) == (Decimal("999.9999"), "EUR", "new", "open")
        assert deal.follow_up_due_at == A_MONDAY + timedelta(days=5)
        assert len(deals.listed(tx)) == 1
    with clone.tenant(build.globex(clone)) as tx:
        assert deals.by_external_id(tx, "D-1") is None


def test_what_is_no_deal_is_refused_and_the_refusal_names_the_field(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        account = build.client(tx)
        elsewhere = build.contact(tx, build.client(tx, name="Hooli"), "cy@hooli.example")
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"client_id": account}, "title"),
            ({"title": "Shelves"}, "client_id"),
            ({"title": "Shelves", "client_id": UUID(int=1)}, "client_id"),
            ({"title": "Shelves", "client_id": account, "contact_id": elsewhere}, "contact_id"),
            ({"title": "Shelves", "client_id": account, "value": 1.5}, "value"),
            ({"title": "Shelves", "client_id": account, "value": "NaN"}, "value"),
            ({"title": "Shelves", "client_id": account, "value": "-1"}, "value"),
            ({"title": "Shelves", "client_id": account, "value": "1e400000"}, "value"),
            ({"title": "Shelves", "client_id": account, "value": "0.00001"}, "value"),
            ({"title": "Shelves", "client_id": account, "currency": "€"}, "currency"),
        ]
        for told, field in wrong:
            with pytest.raises(InvalidDeal, match=field):
                deals.put(tx, **told)
        with pytest.raises(UnknownStage, match="new, qualified"):
            deals.put(tx, title="Shelves", client_id=account, stage="limbo")


def test_every_stage_is_kept_with_its_duration_and_its_evidence(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        deal_id = build.deal(tx)
    clock.advance(days=3)
    with clone.tenant(acme) as tx:
        moved = deals.advance(tx, deal_id, "Proposal", evidence=heard(tx))
        assert (moved.stage, moved.follow_up_due_at) == ("proposal", tx.now + timedelta(days=3))
        assert moved.stalls_at == tx.now + timedelta(days=10)
    clock.advance(hours=30)
    with clone.tenant(acme, actor="rui") as tx:
        won = deals.win(tx, deal_id, evidence=deals.by_person(tx, "signed on the fair"))
        assert (won.state, won.stage, won.follow_up_due_at, won.closed_at) == ("won", "proposal", None, tx.now)
        told = [(row["stage"], row["seconds"], row["evidence_kind"], row["evidence_who"])
                for row in deals.history(tx, deal_id)]  # fmt: skip
        assert told == [
            ("new", 3 * 86400.0, "record", "agent"), ("proposal", 30 * 3600.0, "reply", "contact 7"),
            ("won", None, "person", "rui"),
        ]  # fmt: skip
        types = tx.rows("SELECT type FROM warehouse_events WHERE tenant_id = :t AND subject_type = 'deal' ORDER BY id",
                        t=acme)  # fmt: skip
        assert [row["type"] for row in types] == ["deal.created", "deal.stage_changed", "deal.won"]


def test_no_stage_is_entered_without_evidence(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        deal_id = build.deal(tx)
        for kind, who, what in (("", "a", "b"), ("reply", " ", "b"), ("reply", "a", "")):
            with pytest.raises(IllegalDealMove, match="evidence"):
                deals.advance(tx, deal_id, "qualified", evidence=Evidence(kind, who, what, tx.now))
            with pytest.raises(IllegalDealMove, match="evidence"):
                deals.win(tx, deal_id, evidence=Evidence(kind, who, what, tx.now))
        assert of(tx, deal_id).stage == "new"


def test_a_closed_deal_moves_only_after_it_was_reopened(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        deal_id = build.deal(tx)
        with pytest.raises(InvalidDeal, match="why"):
            deals.lose(tx, deal_id, evidence=heard(tx), reason=" ")
        deals.lose(tx, deal_id, evidence=heard(tx), reason="too dear")
        with pytest.raises(IllegalDealMove, match="lost"):
            deals.win(tx, deal_id, evidence=heard(tx))
        with pytest.raises(IllegalDealMove, match="lost"):
            deals.advance(tx, deal_id, "proposal", evidence=heard(tx))
        again = deals.reopen(tx, deal_id, evidence=heard(tx))
        assert (again.state, again.stage, again.reason, again.closed_at) == ("open", "new", None, None)
        assert [row["stage"] for row in deals.history(tx, deal_id)] == ["new", "lost", "new"]


def test_a_record_that_says_won_lost_or_a_stage_moves_the_deal_there(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        account = build.client(tx)
        deal_id = deals.put(tx, external_id="D-2", title="Shelves", client_id=account, stage="Won").id
        assert of(tx, deal_id).state == "won"
        assert deals.put(tx, external_id="D-2", stage="won").changed == ()
        assert deals.put(tx, external_id="D-2", stage="In conversation").changed == ("stage",)
        assert (of(tx, deal_id).state, of(tx, deal_id).stage) == ("open", "qualified")


def test_what_a_card_changed_is_taken_back_unless_somebody_has_moved_on_since(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        deal_id = build.deal(tx)
        before = deals.snapshot(of(tx, deal_id))
        deals.set_next_step(tx, deal_id, "Answer Bill", evidence=heard(tx))
        after = deals.snapshot(deals.win(tx, deal_id, evidence=heard(tx)))
        back = deals.restore(tx, deal_id, to=before, seen=after)
        assert deals.snapshot(back) == before
        assert back.follow_up_due_at == tx.now + timedelta(days=5)
        deals.advance(tx, deal_id, "negotiation", evidence=heard(tx))
        with pytest.raises(IllegalDealMove, match="stage"):
            deals.restore(tx, deal_id, to=before, seen=after)


def test_taking_back_a_next_step_leaves_the_deal_s_days_in_its_stage(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        deal_id = build.deal(tx)
    clock.advance(days=3)
    with clone.tenant(acme) as tx:
        before = of(tx, deal_id)
        after = deals.set_next_step(tx, deal_id, "Answer Bill", evidence=heard(tx))
        back = deals.restore(tx, deal_id, to=deals.snapshot(before), seen=deals.snapshot(after))
        assert (back.next_step, back.stage_entered_at) == (None, before.stage_entered_at)


def test_stages_with_fewer_days_wake_a_tenant_that_sleeps(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        build.deal(tx)
        schedule.lock(tx)
        schedule.settle(tx, [A_MONDAY + timedelta(days=5)])
    with clone.tenant(acme) as tx:
        deal_stages.configure(tx, [Stage("new", "New", 0, Decimal("0.1"), 30, 2)])
        standing = schedule.standing(tx)
        assert standing is not None
        assert standing["work_due_at"] == A_MONDAY + timedelta(days=2)


def test_a_deal_that_is_switched_off_or_closed_has_nothing_waiting(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx)
        for off in (True, False):
            one = build.deal(tx, bill)
            card = build.card(tx, bill, subject_type="deal", subject_id=str(one), dedupe_key=str(one))
            if off:
                deals.switch(tx, one, on=False, reason="I call him myself")
            else:
                deals.lose(tx, one, evidence=heard(tx), reason="no budget")
            found = cards.get(tx, card.id)
            assert found is not None
            assert (found.state, found.rule) == ("cancelled", "deals.moved_on")
            assert tx.value("SELECT planned_at FROM deals WHERE tenant_id = :t AND id = :id", t=acme, id=one) is None


def test_another_contact_is_not_followed_up_in_the_conversation_of_the_first(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx)
        known = contacts.get(tx, bill)
        assert known is not None
        deal_id = build.deal(tx, bill)
        tx.run("UPDATE deals SET thread_id = :h, follow_ups = 2 WHERE tenant_id = :t", h=build.thread(tx), t=acme)
        deals.put(tx, deal_id=deal_id, contact_id=build.contact(tx, known.client_id, "ann@initech.example"))
        assert (of(tx, deal_id).thread_id, of(tx, deal_id).follow_ups) == (None, 0)


def test_a_tenant_s_own_stages_replace_the_defaults_and_deals_follow(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        deal_id = build.deal(tx)
        own = (Stage("lead", "Lead", 0, Decimal("0.2"), 30, 10), Stage("offer", "Offer", 0, Decimal("0.6"), 20, 7))
        with pytest.raises(UnknownStage, match="new"):
            deal_stages.configure(tx, own)
        deal_stages.configure(tx, own, renamed={"new": "lead"})
        deal = of(tx, deal_id)
        assert [stage.key for stage in deal_stages.of(tx)] == ["lead", "offer"]
        assert (deal.stage, deal.follow_up_due_at) == ("lead", A_MONDAY + timedelta(days=10))
        assert deal.stalls_at == A_MONDAY + timedelta(days=30)
        for wrong in (
            Stage("Won!", "Won", 0, Decimal(1), 1, 1),
            Stage("won", "Won", 0, Decimal(1), 1, 1),
            Stage("a", "A", 0, Decimal("1.1"), 1, 1),
            Stage("a", "A", 0, Decimal(1), 0, 1),
            Stage("a", "A", 0, Decimal(1), 1, 1, ("hunch",)),
        ):
            with pytest.raises(InvalidStage):
                deal_stages.configure(tx, (wrong,), renamed={"lead": "a"})
