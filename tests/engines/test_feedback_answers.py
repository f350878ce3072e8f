"""What an answer calls for: praise and blame that contradict themselves are a person's to read."""

from __future__ import annotations

import pytest

from domain import cards, cases, events, feedback_answers, feedback_book, settings
from domain.cards import Card
from domain.db import Tx
from domain.feedback import Request
from domain.feedback_answers import Said
from engines.contract import Context
from engines.feedback.engine import FeedbackEngine
from tests import build
from tests.domain.test_feedback import asked


def answered(tx: Tx, rating: int | None, words: str | None, request: Request | None = None) -> Request:
    """Somebody answers on the page, and the engine hears of it."""
    request = request or asked(tx, build.contact(tx))
    feedback_answers.record(tx, request.id, Said("page", "Bill", rating=rating, comment=words))
    heard(tx)
    return feedback_book.hold(tx, request.id)


def heard(tx: Tx) -> None:
    """The engine takes in what has happened."""
    waiting = events.due(tx, limit=100)
    for event, _ in waiting:
        FeedbackEngine().react(Context(tx, settings.of(tx)), event)
    events.reacted(tx, [event.id for event, _ in waiting])


def told(tx: Tx, kind: str = "open_case") -> list[Card]:
    return [card for card in cards.listed(tx, kind=kind) if card.state != "cancelled"]


@pytest.mark.parametrize("words", ["Everything was broken", "Todo estaba roto.", "Chegou tudo quebrado"])
def test_a_good_rating_with_bad_words_is_a_persons_to_read(tx: Tx, words: str) -> None:
    settings.change(tx, {"feedback_thanks": True, "send_service_recovery": True})
    request = answered(tx, 5, words)
    # what was chosen counts as it was chosen, and nothing is written on a guess
    assert (request.rating, request.sentiment) == (5, "positive")
    [case] = told(tx)
    assert (case.payload["kind"], case.payload["quote"]) == ("feedback_unclear", words)
    assert case.payload["title"].endswith(": 5 of 5, and the words say otherwise")
    assert told(tx, "send_email") == []
    praised = "SELECT count(*) FROM warehouse_events WHERE tenant_id = :t AND type = 'feedback.praised'"
    assert tx.value(praised, t=tx.tenant_id) == 0


@pytest.mark.parametrize("words", ["Everything was perfect", "Todo perfecto, gracias", "Tudo ótimo, obrigado"])
def test_a_bad_rating_with_kind_words_is_apologised_for_by_nobody_alone(tx: Tx, words: str) -> None:
    settings.change(tx, {"send_service_recovery": True})
    request = answered(tx, 1, words)
    assert (request.rating, request.sentiment) == (1, "negative")
    [case], [mail] = told(tx), told(tx, "send_email")
    assert case.payload["title"].endswith(": 1 of 5, and the words say otherwise")
    assert mail.payload["needs_approval"] == "the rating and the words beside it disagree"


@pytest.mark.parametrize(
    ("rating", "words", "kinds"),
    [(5, "Nothing was broken", []), (5, "Received on Monday", []), (4, None, []), (3, "It was broken", ["recovery"]),
     (1, "Everything was broken", ["recovery"]), (5, "It was broken. Could you call me on Thursday?", ["call"])],
)  # fmt: skip
def test_words_that_agree_or_say_little_dispute_nothing(
    tx: Tx, rating: int, words: str | None, kinds: list[str]
) -> None:
    settings.change(tx, {"send_service_recovery": True})
    answered(tx, rating, words)
    found = {"service_recovery": "recovery", "feedback_unclear": "unclear"}
    assert [found.get(card.payload["kind"], "call") for card in told(tx)] == kinds
    assert [card.payload.get("needs_approval") for card in told(tx, "send_email")] == [None] * kinds.count("recovery")


def test_who_thinks_better_of_it_before_anybody_looked_disputes_nothing(tx: Tx) -> None:
    request = asked(tx, build.contact(tx))
    for words in ("Everything was broken", "Everything was perfect"):
        feedback_answers.record(tx, request.id, Said("page", "Bill", rating=5, comment=words))
    heard(tx)
    assert told(tx) == []


def test_what_people_see_to_already_gets_no_second_case(tx: Tx) -> None:
    request = answered(tx, 5, "Everything was broken")
    [card] = told(tx)
    cases.open(tx, kind="feedback_unclear", title="5 of 5", client_id=request.client_id,
               evidence={"feedback_request_id": str(request.id)})  # fmt: skip
    answered(tx, 4, "Everything was broken, I said", request)
    assert told(tx) == [card]


def case_of(tx: Tx, request: Request, kind: str = "service_recovery") -> cases.Case:
    """The case of a bad answer was opened, and the request knows it."""
    case = cases.open(tx, kind=kind, title="1 of 5", client_id=request.client_id, evidence={"by": "ana"})
    if kind == "service_recovery":
        feedback_book.write(tx, request, "case_opened", {"case_id": case.id})
    return case


def test_one_case_is_open_for_an_order_however_often_it_is_complained_of(tx: Tx) -> None:
    request = asked(tx, build.contact(tx))
    # another case of the account is another matter
    case_of(tx, request, "complaint")
    answered(tx, 1, "It broke", request)
    assert len(told(tx)) == 1
    case = case_of(tx, request)
    tx.run("UPDATE kanban_cards SET state = 'cancelled' WHERE tenant_id = :t AND type = 'open_case'", t=tx.tenant_id)
    answered(tx, 2, "It broke again", request)
    assert told(tx) == []
    cases.close(tx, case.id, outcome="made good")
    answered(tx, 1, "And again", request)
    [anew] = told(tx)
    assert anew.payload["quote"] == "And again"
    # and one mail in all
    assert len(told(tx, "send_email")) <= 1


def test_the_mail_that_makes_good_goes_to_whoever_answered_while_they_are_of_the_account(tx: Tx) -> None:
    asked_one = build.contact(tx)
    account = tx.value("SELECT client_id FROM contacts WHERE id = :id", id=asked_one)
    peter = build.contact(tx, account, email="peter@initech.example")
    for who in (peter, None):
        request = asked(tx, asked_one)
        feedback_answers.record(tx, request.id, Said("mail", "Peter", rating=1, contact_id=who,
                                                     message_id=tx.clock.uuid()))  # fmt: skip
    heard(tx)
    assert {card.contact_id for card in told(tx, "send_email")} == {peter, asked_one}
    request = asked(tx, asked_one)
    feedback_answers.record(tx, request.id, Said("mail", "Peter", rating=1, contact_id=peter,
                                                 message_id=tx.clock.uuid()))  # fmt: skip
    tx.run("UPDATE contacts SET client_id = :c WHERE id = :id", c=build.client(tx, name="Elsewhere"), id=peter)
    heard(tx)
    assert [card for card in told(tx, "send_email") if card.subject_id == str(request.id)] == []


def test_an_apology_that_waits_goes_when_they_think_better_of_it(tx: Tx) -> None:
    request = answered(tx, 1, "It broke")
    assert len(told(tx, "send_email")) == 1
    answered(tx, 5, "It did not, sorry", request)
    assert told(tx, "send_email") == []
    praised = "SELECT count(*) FROM warehouse_events WHERE tenant_id = :t AND type = 'feedback.praised'"
    assert tx.value(praised, t=tx.tenant_id) == 1


def test_nobody_is_told_that_somebody_looks_where_a_person_has_yet_to_agree_to_the_case(tx: Tx) -> None:
    for how, informed in (("auto", True), ("approve", False)):
        settings.change(tx, {"autonomy": {"open_case": how}})
        request = answered(tx, 1, "It broke")
        [mail] = [card for card in told(tx, "send_email") if card.subject_id == str(request.id)]
        assert mail.payload["slots"]["person_informed"] is informed
