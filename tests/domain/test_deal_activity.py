"""What happens around deals: who wrote to whom about which, and what that says of their clocks."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain import clients, deal_activity, deals, pipeline
from domain.db import Database, Tx
from domain.deal_activity import FollowUp
from tests import build
from tests.domain.test_deals import heard, of
from tests.hand_clock import A_MONDAY, HandClock

DAY = timedelta(days=1)


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def followed_up(tx: Tx, deal_id: UUID, attempt: int, *, ago: timedelta = timedelta()) -> UUID:
    """A follow-up of the deal went out; its card's id."""
    person = of(tx, deal_id).contact_id
    card = build.card(tx, person, dedupe_key=f"{deal_id}:{attempt}")
    deal_activity.follow_ups_sent(tx, [FollowUp(deal_id, card.id, attempt, is_last=False, sent_at=tx.now - ago)])
    return card.id


def test_old_mail_leaves_a_later_stall_and_new_mail_either_way_clears_it(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx)
        deal = build.deal(tx, bill)
        account = of(tx, deal).client_id
    clock.advance(days=20)
    with clone.tenant(acme) as tx:
        assert (deal_activity.detect_stalled(tx), deal_activity.detect_stalled(tx)) == (1, 0)
        assert of(tx, deal).stalled_at == A_MONDAY + 14 * DAY
        deal_activity.heard(tx, account, contact_id=bill, thread_id=None, message_id=None, at=A_MONDAY + DAY)
        assert of(tx, deal).stalled_at == A_MONDAY + 14 * DAY
        deal_activity.heard(tx, account, contact_id=bill, thread_id=None, message_id=None, at=tx.now)
        assert (of(tx, deal).stalled_at, of(tx, deal).stalls_at) == (None, tx.now + 14 * DAY)
    clock.advance(days=20)
    with clone.tenant(acme) as tx:
        assert deal_activity.detect_stalled(tx) == 1
        followed_up(tx, deal, 1)
        assert (of(tx, deal).stalled_at, of(tx, deal).follow_ups) == (None, 1)
        assert of(tx, deal).follow_up_due_at == tx.now + 5 * DAY


def test_a_reply_stops_the_sequences_of_the_account_s_other_deals_and_leaves_their_stalls(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        account = build.client(tx)
        bill, ann = build.contact(tx, account), build.contact(tx, account, "ann@initech.example")
        his, hers = build.deal(tx, bill, "His"), build.deal(tx, ann, "Hers")
        for each in (his, hers):
            followed_up(tx, each, 2)
    clock.advance(days=20)
    with clone.tenant(acme) as tx:
        assert deal_activity.detect_stalled(tx) == 2
        deal_activity.heard(tx, account, contact_id=bill, thread_id=None, message_id=None, at=tx.now)
        assert [(of(tx, each).follow_ups, of(tx, each).stalled_at is None) for each in (his, hers)] == [
            (0, True), (0, False)]  # fmt: skip
        stopped = tx.rows("SELECT subject_id FROM warehouse_events WHERE tenant_id = :t "
                          "AND type = 'deal.sequence_stopped'", t=acme)  # fmt: skip
        assert [row["subject_id"] for row in stopped] == [str(hers)]


def test_a_reply_while_a_follow_up_is_on_its_way_counts(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        deal = build.deal(tx)
        clients.replied(tx, of(tx, deal).client_id, tx.now)
        due = of(tx, deal).follow_up_due_at
        followed_up(tx, deal, 2, ago=timedelta(hours=1))
        assert (of(tx, deal).follow_ups, of(tx, deal).follow_up_due_at) == (0, due)


def test_a_follow_up_that_bounced_counts_for_nothing(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        deal = build.deal(tx)
        followed_up(tx, deal, 1)
        card = followed_up(tx, deal, 2)
        assert deal_activity.void(tx, card)
        assert not deal_activity.void(tx, card)
        assert (of(tx, deal).follow_ups, of(tx, deal).follow_up_due_at) == (1, tx.now)
        assert pipeline.stats(tx).follow_ups == 1


def test_what_a_person_set_as_the_next_step_outlives_their_mail_and_what_the_agent_set_does_not(
    clone: Database, acme: UUID
) -> None:
    with clone.tenant(acme, actor="rui") as tx:
        deal = build.deal(tx)
        found = of(tx, deal)
        assert found.contact_id is not None
        for evidence, left in ((deals.by_person(tx, "my plan"), "Send samples"), (heard(tx), None)):
            deals.set_next_step(tx, deal, "Send samples", evidence=evidence)
            deal_activity.spoken(tx, found.client_id, found.contact_id, "call", at=tx.now, by="rui")
            assert of(tx, deal).next_step == left


def test_what_was_closed_long_ago_is_no_part_of_the_win_rate(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        deals.lose(tx, build.deal(tx, title="Old"), evidence=heard(tx), reason="too dear")
    clock.advance(days=91)
    with clone.tenant(acme) as tx:
        deals.win(tx, build.deal(tx, build.contact(tx, email="ann@initech.example"), "New"), evidence=heard(tx))
        told = pipeline.stats(tx)
        assert (told.won, told.lost, told.win_rate) == (1, 0, 1.0)


@pytest.mark.parametrize(
    ("words", "waits"),
    [
        ("When can you deliver?", True), ("We accept.", True), ("Great, go ahead", True), ("No, thank you.", True),
        ("Aceptamos el presupuesto.", True), ("Orçamento aprovado!", True), ("Fomos com outro fornecedor.", True),
        ("Thanks, we will discuss it next week.", False), ("Gracias, lo miramos.", False), ("", False),
    ],
)  # fmt: skip
def test_whoever_asks_or_has_decided_waits_for_an_answer(words: str, waits: bool) -> None:
    assert deal_activity.asks("reply", (), words) is waits
