"""Feedback requests and answers: one question for each delivered order, one answer that counts, figures that add up."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from domain import (
    cases,
    contacts,
    feedback,
    feedback_answers,
    feedback_book,
    feedback_figures,
    feedback_life,
    forgetting,
    orders,
    rests,
    settings,
)
from domain.db import Tx
from domain.feedback import IllegalFeedbackMove, InvalidFeedback, Request, UnknownFeedbackRequest
from domain.feedback_answers import BY_RATING, Feeling, Said
from domain.feedback_life import Mail
from domain.rests import Cause, Rest
from tests import build

WORDS = Feeling("negative", "rulebook", "It broke")


def delivered(tx: Tx, person: UUID, **fields: Any) -> UUID:
    """An order of a contact's account that was delivered just now."""
    known = contacts.get(tx, person)
    assert known is not None
    given_too = {"client_id": known.client_id, "contact_id": person, "fee": "1", "total_amount": "1", **fields}
    return orders.put(tx, status="delivered", **given_too).id


def asked(tx: Tx, person: UUID, *, days_ago: float = 0.0) -> Request:
    """A request about a fresh order that went out to a contact."""
    request = feedback.of_order(tx, delivered(tx, person))
    assert request is not None
    card = build.card(tx, person, dedupe_key=f"feedback:ask:{request.id}")
    feedback_life.went_out(tx, [Mail(request.id, card.id, person, 0, tx.now - timedelta(days=days_ago))])
    return feedback_book.hold(tx, request.id)


def test_the_database_makes_the_moves_that_the_domain_makes(tx: Tx) -> None:
    for state, targets in feedback_book.MOVES.items():
        told = tx.value("SELECT hourhand.feedback_moves(:state)", state=state)
        assert set(told) == targets, state


def test_a_delivery_queues_one_request_that_moves_with_it(tx: Tx) -> None:
    person = build.contact(tx)
    order = delivered(tx, person, external_id="PO-1")
    first = feedback.of_order(tx, order)
    assert first is not None
    assert first.due_at == tx.now + timedelta(days=7)
    orders.put(tx, external_id="PO-1", delivered_at=tx.now - timedelta(days=2))
    moved = feedback.of_order(tx, order)
    assert moved is not None
    assert (moved.id, moved.due_at) == (first.id, first.due_at - timedelta(days=2))
    assert [each.id for each in feedback.listed(tx, due=True)] == []
    told = tx.value("SELECT count(*) FROM warehouse_events WHERE type = 'feedback.queued'")
    assert told == 2


def test_what_was_never_delivered_is_not_asked_about(tx: Tx) -> None:
    account = build.client(tx)
    order = orders.put(tx, client_id=account, fee="1", total_amount="1").id
    with pytest.raises(InvalidFeedback, match="not delivered"):
        feedback.ask(tx, order)
    with pytest.raises(UnknownFeedbackRequest, match="no order"):
        feedback.own(tx, UUID(int=7))


def test_a_person_skips_a_question_and_has_it_asked_after_all(tx: Tx) -> None:
    person = build.contact(tx)
    order = delivered(tx, person)
    request = feedback.of_order(tx, order)
    assert request is not None
    with pytest.raises(InvalidFeedback, match="reason"):
        feedback.skip(tx, request.id, reason=" ")
    assert feedback.skip(tx, request.id, reason="they are friends").state == "skipped"
    again = feedback.ask(tx, order)
    assert (again.state, again.insisted, again.reason, again.due_at) == ("queued", True, None, tx.now)
    went = asked(tx, person)
    with pytest.raises(IllegalFeedbackMove):
        feedback.skip(tx, went.id, reason="too late")
    with pytest.raises(IllegalFeedbackMove):
        feedback.ask(tx, went.order_id)


def test_words_never_take_the_place_of_a_rating_and_the_same_again_changes_nothing(tx: Tx) -> None:
    request = asked(tx, build.contact(tx))
    feedback_answers.record(tx, request.id, Said("page", "Bill", rating=4, comment="fine"))
    before = tx.value("SELECT count(*) FROM warehouse_events WHERE type = 'feedback.answered'")
    feedback_answers.record(tx, request.id, Said("page", "Bill", rating=4, comment="fine"))
    assert tx.value("SELECT count(*) FROM warehouse_events WHERE type = 'feedback.answered'") == before
    message = UUID(int=1)
    for _ in range(2):
        told = feedback_answers.record(tx, request.id, Said("mail", "Bill", feeling=WORDS, message_id=message))
        assert (told.rating, told.sentiment) == (4, "positive")
    assert [each.counts for each in feedback_answers.of(tx, [request.id])[request.id]] == [False, True]
    told = feedback_answers.record(
        tx, request.id, Said("mail", "Bill", rating=1, feeling=WORDS, message_id=UUID(int=2))
    )
    assert (told.rating, told.sentiment) == (1, "negative")


def test_the_middle_rating_leaves_it_to_the_words(tx: Tx) -> None:
    request = asked(tx, build.contact(tx))
    silent = feedback_answers.record(tx, request.id, Said("page", "Bill", rating=3))
    assert silent.sentiment == "neutral"
    worded = feedback_answers.record(tx, request.id, Said("page", "Bill", rating=3, comment="it broke"))
    assert worded.sentiment is None
    [answer, _] = feedback_answers.of(tx, [request.id])[request.id]
    assert feedback_answers.read(tx, answer.id, WORDS).sentiment == "negative"


@example_settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["page", "mail"]), st.none() | st.integers(1, 5),
                          st.sampled_from(["negative", "neutral", "positive"])), min_size=1, max_size=6))  # fmt: skip
def test_a_rating_that_takes_a_side_always_wins_over_words(tx: Tx, said: list[tuple[Any, int | None, Any]]) -> None:
    request = asked(tx, build.contact(tx, email=f"{tx.clock.uuid().hex}@initech.example"))
    ratings = []
    for number, (channel, rating, feeling) in enumerate(said):
        words = None if channel == "page" and rating is not None else f"words {number}"
        feedback_answers.record(tx, request.id, Said(
            channel, "Bill", rating=rating, comment=words, feeling=Feeling(feeling, "rulebook"),
            message_id=tx.clock.uuid() if channel == "mail" else None))  # fmt: skip
        ratings += [rating] if rating is not None else []
        now = feedback_book.hold(tx, request.id)
        assert now.rating == (ratings[-1] if ratings else None)
        if now.rating is not None and now.rating in BY_RATING:
            assert now.sentiment == BY_RATING[now.rating]
    told = feedback_answers.of(tx, [request.id])[request.id]
    assert len(told) <= len(said)


def test_a_mail_that_came_back_asked_nobody(tx: Tx) -> None:
    request = asked(tx, build.contact(tx))
    assert request.card_id is not None
    assert feedback_life.void(tx, request.card_id)
    assert not feedback_life.void(tx, request.card_id)
    assert feedback_book.hold(tx, request.id).state == "skipped"
    assert feedback_figures.stats(tx).now.asked == 0


def test_asked_again_after_a_mail_that_came_back_the_new_mail_counts_alone(tx: Tx) -> None:
    person = build.contact(tx)
    first = asked(tx, person, days_ago=50)
    assert first.card_id is not None
    feedback_life.void(tx, first.card_id)
    again = feedback.ask(tx, first.order_id)
    assert (again.sent_at, again.lapses_at, again.card_id, again.remind_at) == (None, None, None, None)
    card, thread = build.card(tx, person, dedupe_key="again").id, tx.clock.uuid()
    feedback_life.went_out(tx, [Mail(first.id, card, person, 0, tx.now, thread)])
    now = feedback_book.hold(tx, first.id)
    assert (now.sent_at, now.card_id, now.thread_id) == (tx.now, card, thread)
    assert now.lapses_at == tx.now + timedelta(days=45)
    assert feedback_life.void(tx, card)


def test_an_order_that_moves_to_another_account_is_asked_about_there(tx: Tx) -> None:
    person = build.contact(tx)
    order = delivered(tx, person)
    request = feedback.ask(tx, order, contact_id=person)
    card = build.card(tx, person, kind="request_feedback", subject_type="feedback_request",
                      subject_id=str(request.id))  # fmt: skip
    other = build.client(tx, name="Globex of elsewhere")
    orders.put(tx, order_id=order, client_id=other)
    now = feedback_book.hold(tx, request.id)
    assert (now.state, now.client_id, now.contact_id) == ("queued", other, None)
    assert tx.value("SELECT state FROM kanban_cards WHERE id = :id", id=card.id) == "cancelled"


def test_an_answer_may_be_changed_until_the_last_instant_of_its_days(tx: Tx) -> None:
    request = asked(tx, build.contact(tx))
    feedback_answers.record(tx, request.id, Said("page", "Bill", rating=2))
    for before, rating in ((timedelta(days=7) - timedelta(microseconds=1), 4), (timedelta(days=7), None)):
        tx.run("UPDATE feedback_requests SET answered_at = :at WHERE id = :id", at=tx.now - before, id=request.id)
        if rating:
            feedback_answers.record(tx, request.id, Said("page", "Bill", rating=rating))
            assert feedback_book.hold(tx, request.id).answered_at == tx.now - before
        else:
            with pytest.raises(IllegalFeedbackMove):
                feedback_answers.record(tx, request.id, Said("page", "Bill", rating=5))
            # a mail is kept beside it, and no longer counts
            feedback_answers.record(tx, request.id, Said("mail", "Bill", rating=1, message_id=UUID(int=9)))
    assert feedback_book.hold(tx, request.id).rating == 4


def test_a_second_mail_without_a_rating_is_an_answer_of_its_own(tx: Tx) -> None:
    request = asked(tx, build.contact(tx))
    for number, feeling in enumerate((Feeling("neutral", "rulebook"), WORDS), start=1):
        feedback_answers.record(tx, request.id, Said("mail", "Bill", feeling=feeling, message_id=UUID(int=number)))
    assert feedback_book.hold(tx, request.id).sentiment == "negative"


def test_figures_compare_a_period_with_the_one_before(tx: Tx) -> None:
    person = build.contact(tx)
    for rating in (5, 4, 1, None):
        request = asked(tx, person)
        if rating:
            feedback_answers.record(tx, request.id, Said("page", "Bill", rating=rating))
    for rating in (2, 3):
        request = asked(tx, person, days_ago=100)
        feedback_answers.record(tx, request.id, Said("page", "Bill", rating=rating))
        tx.run("UPDATE feedback_requests SET answered_at = :at WHERE id = :id", at=tx.now - timedelta(days=99),
               id=request.id)  # fmt: skip
    told = feedback_figures.stats(tx)
    assert (told.now.asked, told.now.answered, told.now.response_rate) == (4, 3, 0.75)
    assert told.now.distribution == {1: 1, 2: 0, 3: 0, 4: 1, 5: 1}
    assert told.now.score == pytest.approx(10 / 3)
    assert told.now.negative_share == pytest.approx(1 / 3)
    assert told.before.score == pytest.approx(2.5)
    assert told.trend == pytest.approx(10 / 3 - 2.5)


def test_a_period_counts_what_fell_into_it_and_each_answer_as_what_it_was(tx: Tx) -> None:
    person, window = build.contact(tx), feedback_figures.WINDOW
    feedback.of_order(tx, delivered(tx, person))
    asked(tx, person)
    for days_ago, rating, words in ((1, 5, None), (1, 3, None), (100, 1, "It broke"), (200, 2, None)):
        request = asked(tx, person, days_ago=days_ago)
        feedback_answers.record(tx, request.id, Said("page", "Bill", rating=rating, comment=words))
    told = feedback_figures.stats(tx)
    # of three that were asked in this period two answered; two more answered what was asked before it
    assert (told.now.asked, told.now.answered, told.now.answers, told.now.rated) == (3, 2, 4, 4)
    assert (told.now.response_rate, told.now.negative_share) == (2 / 3, 0.5)
    assert (told.now.positive, told.now.negative, told.now.score) == (1, 2, 2.75)
    # a queued one waits, one that was asked is open, and there was nothing before to compare with
    assert (told.waiting, told.open, told.before.answers, told.before.score, told.trend) == (1, 1, 0, None, None)
    # what happened at the very instant between two periods is of the earlier one
    tx.run("UPDATE feedback_requests SET sent_at = :at, answered_at = :at WHERE id = :id", at=tx.now - window,
           id=request.id)  # fmt: skip
    told = feedback_figures.stats(tx)
    assert (told.before.asked, told.before.answers, told.now.answers) == (2, 1, 3)
    assert told.trend == 3.0 - 2.0


def test_recoveries_are_counted_while_their_case_is_known_and_open_while_it_is_open(tx: Tx) -> None:
    person = build.contact(tx)
    for number, kind in enumerate(("service_recovery", "service_recovery", "complaint")):
        request = asked(tx, person)
        feedback_answers.record(tx, request.id, Said("page", "Bill", rating=1))
        case = cases.open(tx, kind=kind, title="1 of 5", evidence={"by": "ana"}, client_id=request.client_id)
        if number:
            feedback_book.write(tx, request, "case_opened", {"case_id": case.id})
        else:
            cases.close(tx, case.id, outcome="made good")
    told = feedback_figures.stats(tx)
    assert (told.now.recoveries, told.recoveries_open) == (2, 1)


def test_nothing_asked_is_no_score(tx: Tx) -> None:
    told = feedback_figures.stats(tx)
    assert (told.now.response_rate, told.now.score, told.trend, told.now.negative_share) == (0.0, None, None, 0.0)


def test_an_erased_person_leaves_a_rating_and_no_words(tx: Tx) -> None:
    person = build.contact(tx)
    request = asked(tx, person)
    said = Said("page", "Bill", rating=1, comment="my wife is ill", contact_id=person)
    feedback_answers.record(tx, request.id, said)
    forgetting.blank_contact(tx, person)
    [answer] = feedback_answers.of(tx, [request.id])[request.id]
    assert (answer.rating, answer.comment, answer.by) == (1, None, "[erased]")


def test_what_a_person_passes_on_is_erased_with_whom_it_is_about(tx: Tx) -> None:
    asked_one, named = build.contact(tx), build.contact(tx, email="peter@initech.example")
    some = [asked(tx, asked_one), feedback.own(tx, delivered(tx, named))]
    for request in some:
        feedback_answers.record(tx, request.id, Said("person", "Bill, by telephone", comment="my wife is ill"))
    for who in (asked_one, named):
        forgetting.blank_contact(tx, who)
    told = feedback_answers.of(tx, [each.id for each in some])
    assert [(each.comment, each.by) for [each] in told.values()] == [(None, "[erased]")] * 2


def test_a_closed_case_wakes_what_waited_for_it(tx: Tx) -> None:
    person = build.contact(tx)
    request = feedback.of_order(tx, delivered(tx, person))
    assert request is not None
    rests.lay(tx, {"feedback_request": [Rest(request.id, WAITS, tx.now + timedelta(days=9), seen_of(tx))]})
    assert feedback_book.hold(tx, request.id).rests_until is not None
    case = cases.open(tx, kind="complaint", title="Late", evidence={"by": "ana"}, client_id=request.client_id)
    cases.close(tx, case.id, outcome="made good")
    assert rests.wake(tx) == 1
    assert feedback_book.hold(tx, request.id).rests_until is None


WAITS = (Cause("feedback_due", "deferred", "feedback.open_case", "a case"),)


def seen_of(tx: Tx) -> str:
    """The version of the only request there is."""
    return str(tx.value("SELECT xmin::text FROM feedback_requests WHERE tenant_id = :t", t=tx.tenant_id))


def waiting_question(tx: Tx, request: Request, person: UUID) -> UUID:
    """A card that asks, and has not gone out yet."""
    return build.card(tx, person, kind="request_feedback", subject_type="feedback_request",
                      subject_id=str(request.id), dedupe_key=f"feedback:ask:{request.id}").id  # fmt: skip


def state_of(tx: Tx, card_id: UUID) -> str:
    return str(tx.value("SELECT state FROM kanban_cards WHERE id = :id", id=card_id))


def test_whoever_decides_or_answers_first_ends_the_question_that_waits(tx: Tx) -> None:
    person = build.contact(tx)
    one, other = (feedback.own(tx, delivered(tx, person)) for _ in range(2))
    skipped, answered = waiting_question(tx, one, person), waiting_question(tx, other, person)
    feedback.skip(tx, one.id, reason="they are friends")
    feedback_answers.record(tx, other.id, Said("person", "Bill, by telephone", rating=4))
    assert (state_of(tx, skipped), state_of(tx, answered)) == ("cancelled", "cancelled")


def test_insisting_waits_for_nothing_that_was_waited_for(tx: Tx) -> None:
    order = delivered(tx, build.contact(tx))
    request = feedback.own(tx, order)
    rests.lay(tx, {"feedback_request": [Rest(request.id, WAITS, tx.now + timedelta(days=9), seen_of(tx))]})
    assert feedback.ask(tx, order).rests_until is None


def test_an_answer_on_the_page_stops_what_runs_to_the_account_and_is_one_reply(tx: Tx) -> None:
    person = build.contact(tx)
    request, deal = asked(tx, person), build.deal(tx, person)
    tx.run("UPDATE deals SET follow_up_due_at = :due, follow_ups = 1 WHERE id = :id", due=tx.now, id=deal)
    reminded = asked(tx, person)
    tx.run("UPDATE feedback_requests SET remind_at = :now WHERE id = :id", now=tx.now, id=reminded.id)
    feedback_answers.record(tx, request.id, Said("page", "Bill", rating=4, contact_id=person))
    # what was being followed up rests, and nobody there is reminded of another question
    assert tx.value("SELECT follow_up_due_at > :now FROM deals WHERE id = :id", now=tx.now, id=deal)
    assert feedback_book.hold(tx, reminded.id).remind_at is None
    replies = "SELECT count(*) FROM touches WHERE contact_id = :id AND type = 'reply'"
    assert tx.value(replies, id=person) == 1
    feedback_answers.record(tx, request.id, Said("page", "Bill", rating=5, contact_id=person))
    assert tx.value(replies, id=person) == 1


def test_no_reminder_follows_where_they_have_written_since(tx: Tx) -> None:
    settings.change(tx, {"feedback_reminders": 1})
    person = build.contact(tx)
    request = feedback.own(tx, delivered(tx, person))
    tx.run("UPDATE clients SET last_reply_at = :at WHERE id = :id", at=tx.now, id=request.client_id)
    feedback_life.went_out(tx, [Mail(request.id, tx.clock.uuid(), person, 0, tx.now - timedelta(minutes=5))])
    assert feedback_book.hold(tx, request.id).remind_at is None


def test_a_tenant_that_asks_nobody_queues_nothing(tx: Tx) -> None:
    settings.change(tx, {"ask_feedback": False})
    assert feedback.of_order(tx, delivered(tx, build.contact(tx))) is None


def test_a_case_that_is_closed_takes_back_the_mail_that_says_it_is_looked_at(tx: Tx) -> None:
    person = build.contact(tx)
    request = asked(tx, person)
    case = cases.open(tx, kind="service_recovery", title="1 of 5", evidence={"by": "ana"}, client_id=request.client_id)
    mail = build.card(tx, person, kind="send_email", subject_type="feedback_request", subject_id=str(request.id),
                      payload={"template": "service_recovery"})  # fmt: skip
    feedback_book.write(tx, request, "case_opened", {"case_id": case.id, "recovery_card_id": mail.id})
    other = cases.open(tx, kind="complaint", title="Late", evidence={"by": "ana"}, client_id=request.client_id)
    cases.close(tx, other.id, outcome="made good")
    assert state_of(tx, mail.id) == "proposed"
    cases.close(tx, case.id, outcome="made good")
    assert state_of(tx, mail.id) == "cancelled"
