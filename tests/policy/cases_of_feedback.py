"""Cases of P5.5: whether a client may be asked what they think, or told that it is looked into, at that instant."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain import cases, clocks, deals, feedback, feedback_book, feedback_life, orders
from domain.cards import Card
from domain.db import Tx
from domain.feedback_life import Mail
from tests import build
from tests.policy.cases import case
from tests.policy.world import World


def asking(world: World, *, attempt: int = 0, insisted: bool = False, asked_before: int | None = None) -> Card:
    """A card that asks Bill about an order that was delivered a week ago, or reminds him."""
    with world.tx() as tx:
        if asked_before is not None:
            earlier = _delivered(world, tx)
            at = tx.now - timedelta(days=asked_before)
            feedback_life.went_out(tx, [Mail(earlier.id, tx.clock.uuid(), world.contact_id, 0, at)])
        request = _delivered(world, tx)
        if insisted:
            feedback.ask(tx, request.order_id)
        if attempt:
            feedback_life.went_out(tx, [Mail(request.id, tx.clock.uuid(), world.contact_id, 0, tx.now)])
            tx.run("UPDATE feedback_requests SET remind_at = :now WHERE id = :id", now=tx.now, id=request.id)
        payload = {"subject": "How was it?", "text": "How did order PO-1 go?", "attempt": attempt}
        return build.card(tx, world.contact_id, kind="request_feedback", subject_type="feedback_request",
                          subject_id=str(request.id), payload=payload)  # fmt: skip


def _delivered(world: World, tx: Tx) -> feedback.Request:
    made = orders.put(tx, client_id=world.client_id, contact_id=world.contact_id, status="delivered", fee="1",
                      total_amount="1", delivered_at=tx.now - timedelta(days=7))  # fmt: skip
    found = feedback.of_order(tx, made.id)
    assert found is not None
    return found


@case("feedback.wanted", "allow")
@case("feedback.open_case", "allow")
@case("feedback.asked_lately", "allow")
@case("feedback.reachable", "allow")
@case("feedback.just_heard", "allow")
def an_order_was_delivered_a_week_ago(world: World) -> Card:
    return asking(world)


@case("feedback.asked_lately", "allow")
def they_were_asked_a_hundred_days_ago(world: World) -> Card:
    return asking(world, asked_before=100)


@case("feedback.asked_lately", "allow")
def a_person_wants_it_asked_all_the_same(world: World) -> Card:
    return asking(world, insisted=True, asked_before=5)


@case("feedback.asked_lately", "allow")
def they_were_asked_ninety_days_ago_to_the_instant(world: World) -> Card:
    return asking(world, asked_before=90)


@case("feedback.asked_lately", "allow")
@case("feedback.open_case", "allow")
def a_colleague_was_asked_and_cases_of_theirs_are_closed_or_of_others(world: World) -> Card:
    with world.tx() as tx:
        colleague = build.contact(tx, world.client_id, email="peter@initech.example")
        earlier = _delivered(world, tx)
        feedback_life.went_out(tx, [Mail(earlier.id, tx.clock.uuid(), colleague, 0, tx.now - timedelta(days=5))])
        over = cases.open(tx, kind="complaint", title="Late", evidence={"by": "ana"}, client_id=world.client_id)
        cases.close(tx, over.id, outcome="made good")
        cases.open(tx, kind="complaint", title="Late", evidence={"by": "ana"}, client_id=build.client(tx, "Penetrode"))
    return asking(world)


@case("feedback.asked_lately", "block")
def a_mode_held_the_question_about_another_order_this_week(world: World) -> Card:
    with world.tx() as tx:
        held = Mail(_delivered(world, tx).id, tx.clock.uuid(), world.contact_id, 0, tx.now - timedelta(days=5))
        feedback_life.were_held(tx, [held])
    return asking(world)


@case("feedback.asked_lately", "block")
def they_were_asked_about_another_order_this_week(world: World) -> Card:
    return asking(world, asked_before=5)


@case("feedback.wanted", "block")
def somebody_decided_against_it_meanwhile(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        tx.run("UPDATE feedback_requests SET state = 'skipped', reason = 'no' WHERE tenant_id = :t", t=tx.tenant_id)
    return card


@case("feedback.wanted", "block")
def the_order_has_gone_to_another_account_meanwhile(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        tx.run("UPDATE orders SET client_id = :other WHERE tenant_id = :t", other=build.client(tx, "Penetrode"),
               t=tx.tenant_id)  # fmt: skip
    return card


@case("feedback.open_case", "defer", until="2026-03-03 15:00")
def a_case_was_opened_meanwhile(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        cases.open(tx, kind="complaint", title="Late", evidence={"by": "ana"}, client_id=world.client_id)
    return card


@case("feedback.reachable", "block")
def they_are_out_of_reach(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        clocks.exempt(tx, [world.contact_id], "unreachable")
    return card


@case("feedback.just_heard", "defer")
def their_colleague_has_just_written(world: World) -> Card:
    card = asking(world)
    world.clock.advance(minutes=5)
    with world.tx() as tx:
        tx.run("UPDATE clients SET last_reply_at = :at WHERE tenant_id = :t", at=tx.now, t=tx.tenant_id)
    return card


@case("feedback.other_business", "allow")
def a_reminder_is_due(world: World) -> Card:
    return asking(world, attempt=1)


@case("feedback.other_business", "block")
def a_deal_is_being_followed_up(world: World) -> Card:
    card = asking(world, attempt=1)
    with world.tx() as tx:
        deal = build.deal(tx, world.contact_id)
        thread = build.thread(tx, client_id=world.client_id, contact_id=world.contact_id)
        tx.run(
            """UPDATE deals SET follow_ups = 1, follow_up_due_at = :at, thread_id = :thread
               WHERE tenant_id = :t AND id = :id""",
            at=tx.now + timedelta(days=2), thread=thread, t=tx.tenant_id, id=deal,
        )  # fmt: skip
        assert deals.get(tx, deal) is not None
    return card


def making_good(world: World, *, informed: bool = True, **more: Any) -> Card:
    """A card that writes to Bill, who was dissatisfied with his order."""
    with world.tx() as tx:
        request = _delivered(world, tx)
        payload = {"template": feedback_book.RECOVERING, "language": "en", "slots": {
            "first_name": "Bill", "client_name": "Initech", "order": "", "sender_name": "Ana Diaz", "company": "Acme",
            "thread_subject": "", "person_informed": informed,
        }, **more}  # fmt: skip
        return build.card(tx, world.contact_id, kind="send_email", subject_type="feedback_request",
                          subject_id=str(request.id), payload=payload)  # fmt: skip


def _opened(world: World, about: str) -> cases.Case:
    with world.tx() as tx:
        return cases.open(tx, kind="service_recovery", title="Rated 1", evidence={"feedback_request_id": about},
                          client_id=world.client_id)  # fmt: skip


@case("feedback.seen_to", "allow")
def somebody_looks_into_it(world: World) -> Card:
    card = making_good(world)
    _opened(world, card.subject_id)
    return card


@case("feedback.seen_to", "allow")
def the_request_knows_its_case(world: World) -> Card:
    card = making_good(world)
    opened = _opened(world, str(world.contact_id))
    with world.tx() as tx:
        tx.run("UPDATE feedback_requests SET case_id = :c WHERE tenant_id = :t AND id = :id",
               c=opened.id, t=tx.tenant_id, id=card.subject_id)  # fmt: skip
    return card


@case("feedback.seen_to", "defer", until="2026-03-02 16:00")
def its_case_was_never_opened(world: World) -> Card:
    card = making_good(world)
    _opened(world, str(world.contact_id))  # that is about something else
    return card


@case("feedback.seen_to", "defer")
def its_case_is_closed_already(world: World) -> Card:
    card = making_good(world)
    opened = _opened(world, card.subject_id)
    with world.tx() as tx:
        cases.close(tx, opened.id, outcome="talked")
    return card


@case("feedback.seen_to", "allow", overall="needs_approval")
def a_person_is_asked_while_its_case_is_being_opened(world: World) -> Card:
    return making_good(world, needs_approval="a dissatisfied client is written to")
