"""Whom planning finds to ask: the right person of the account that ordered, and nobody oftener than promised."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import cases, clocks, feedback, feedback_life, orders, rests, settings, shadows
from domain.db import Tx
from domain.feedback import Request
from domain.feedback_life import Mail
from domain.rests import Rest
from engines.contract import Context, Plan
from engines.feedback.engine import FeedbackEngine
from tests import build
from tests.domain.test_feedback import WAITS, asked, seen_of

ENGINE = FeedbackEngine()
WEEK = timedelta(days=7)
INSTANT = timedelta(microseconds=1)


def due(tx: Tx, client_id: UUID, contact_id: UUID | None = None, **fields: Any) -> Request:
    """The request about an order that was delivered a week ago."""
    given = {"status": "delivered", "fee": "1", "total_amount": "1", "delivered_at": tx.now - WEEK, **fields}
    found = feedback.of_order(tx, orders.put(tx, client_id=client_id, contact_id=contact_id, **given).id)
    assert found is not None
    return found


def planned(tx: Tx) -> Plan:
    return ENGINE.plan(Context(tx, settings.of(tx)))


def whom(tx: Tx) -> list[UUID | None]:
    return [each.contact_id for each in planned(tx).proposals]


def told(tx: Tx, request: Request) -> str | None:
    """What the hour says of a request: the rule that stands in its way, if one does."""
    [found] = [each for each in planned(tx).obligations if each.subject_id == str(request.id)]
    return found.rule


def heard(tx: Tx, contact_id: UUID, days_ago: int) -> UUID:
    clocks.touch(tx, contact_id, "reply", by="contact", at=tx.now - timedelta(days=days_ago))
    return contact_id


def went_out(tx: Tx, contact_id: UUID, before: timedelta) -> Request:
    """A question about another order that went out so long ago."""
    request = asked(tx, contact_id)
    tx.run("UPDATE feedback_requests SET sent_at = :at WHERE id = :id", at=tx.now - before, id=request.id)
    return request


def test_an_order_that_names_nobody_is_asked_of_whom_the_account_was_heard_from_last(tx: Tx) -> None:
    account = build.client(tx)
    heard(tx, build.contact(tx, account, email="old@initech.example"), 30)
    lately = heard(tx, build.contact(tx, account, email="new@initech.example"), 3)
    build.contact(tx, account, email="silent@initech.example")
    heard(tx, build.contact(tx, account, email=None, name="By telephone"), 1)
    heard(tx, build.contact(tx, build.client(tx, name="Elsewhere"), email="eva@elsewhere.example"), 0)
    due(tx, account)
    assert whom(tx) == [lately]


def test_an_order_that_names_somebody_is_asked_of_nobody_else(tx: Tx) -> None:
    account = build.client(tx)
    heard(tx, build.contact(tx, account, email="new@initech.example"), 3)
    named = build.contact(tx, account, email="peter@initech.example")
    unreachable = build.contact(tx, account, email=None, name="By telephone")
    due(tx, account, named)
    assert whom(tx) == [named]
    assert told(tx, due(tx, account, unreachable)) == "feedback.reachable"


def test_a_contact_who_is_of_another_account_by_now_is_not_asked(tx: Tx) -> None:
    account, other = build.client(tx), build.client(tx, name="Elsewhere")
    gone = build.contact(tx, account)
    request = due(tx, account, gone)
    tx.run("UPDATE contacts SET client_id = :c WHERE id = :id", c=other, id=gone)
    assert (told(tx, request), whom(tx)) == ("feedback.reachable", [])


def test_an_order_that_is_anothers_by_now_is_not_asked_about_here(tx: Tx) -> None:
    account, other = build.client(tx), build.client(tx, name="Elsewhere")
    request = due(tx, account, build.contact(tx, account))
    tx.run("UPDATE orders SET client_id = :c, contact_id = NULL WHERE id = :id", c=other, id=request.order_id)
    assert told(tx, request) == "feedback.wanted"


@pytest.mark.parametrize(
    ("before", "rule"),
    [(timedelta(days=90) - INSTANT, "feedback.asked_lately"), (timedelta(days=90), None),
     (timedelta(days=89), "feedback.asked_lately"), (timedelta(days=46), "feedback.asked_lately")],
)  # fmt: skip
def test_ninety_days_are_ninety_days(tx: Tx, before: timedelta, rule: str | None) -> None:
    person = build.contact(tx)
    went_out(tx, person, before)
    account = tx.value("SELECT client_id FROM contacts WHERE id = :id", id=person)
    assert told(tx, due(tx, account, person)) == rule


def test_only_what_reached_the_same_person_counts_as_asked(tx: Tx) -> None:
    account = build.client(tx)
    person, colleague = build.contact(tx, account), build.contact(tx, account, email="peter@initech.example")
    went_out(tx, colleague, timedelta(days=5))
    returned = went_out(tx, person, timedelta(days=5))
    assert returned.card_id is not None
    feedback_life.void(tx, returned.card_id)
    assert told(tx, due(tx, account, person)) is None
    # what a mode held counts while it does, for planning alone
    held = went_out(tx, person, timedelta(days=200))
    tx.run("UPDATE feedback_requests SET shadow_sent_at = :at WHERE id = :id", at=tx.now - WEEK, id=held.id)
    assert told(tx, due(tx, account, person)) == "feedback.asked_lately"


def test_who_was_held_back_is_asked_once_the_mode_is_left(tx: Tx) -> None:
    person = build.contact(tx)
    account = tx.value("SELECT client_id FROM contacts WHERE id = :id", id=person)
    request = due(tx, account, person)
    feedback_life.were_held(tx, [Mail(request.id, tx.clock.uuid(), person, 0, tx.now)])
    assert (told(tx, request), whom(tx)) == ("feedback.held", [])
    shadows.forget(tx)
    assert (told(tx, request), whom(tx)) == (None, [person])


def test_a_case_holds_the_question_back_only_while_it_is_open_and_of_the_account(tx: Tx) -> None:
    account = build.client(tx)
    request = due(tx, account, build.contact(tx, account))
    other = build.client(tx, name="Elsewhere")
    cases.open(tx, kind="complaint", title="Late", evidence={"by": "ana"}, client_id=other)
    case = cases.open(tx, kind="complaint", title="Late", evidence={"by": "ana"}, client_id=account)
    assert told(tx, request) == "feedback.open_case"
    cases.close(tx, case.id, outcome="made good")
    assert told(tx, request) is None


def test_who_opted_out_after_the_delivery_is_skipped_and_whoever_is_back_is_asked(tx: Tx) -> None:
    account = build.client(tx)
    gone, back = build.contact(tx, account), build.contact(tx, account, email="peter@initech.example")
    clocks.exempt(tx, [gone], "opted_out")
    clocks.pause(tx, back, tx.now + INSTANT)
    tx.run("UPDATE engagement_clocks SET paused_until = :now WHERE contact_id = :id", now=tx.now, id=back)
    one, other = due(tx, account, gone), due(tx, account, back)
    assert told(tx, one) == "feedback.reachable"
    found = feedback.get(tx, one.id)
    assert found is not None
    assert found.state == "skipped"
    assert told(tx, other) is None


def test_what_rests_is_not_looked_at_and_the_end_of_waiting_is_due(tx: Tx) -> None:
    account = build.client(tx)
    person = build.contact(tx, account)
    request = due(tx, account, person)
    rests.lay(tx, {"feedback_request": [Rest(request.id, WAITS, tx.now + timedelta(days=9), seen_of(tx))]})
    assert planned(tx).obligations == ()
    feedback.skip(tx, request.id, reason="they are friends")
    sent = asked(tx, person)
    assert ENGINE.next_due(Context(tx, settings.of(tx))) == sent.lapses_at
