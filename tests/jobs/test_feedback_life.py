"""Feedback over days: an order is delivered, its client is asked, answers, and is heard where they are dissatisfied."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from domain import cases, clocks, feedback, feedback_answers, orders, switches
from domain.switches import Switch
from tests.hand_clock import HandClock
from tests.jobs.feedback_desk import BROWSER, FORM, Desk, open_desk
from tests.jobs.letters import Post, letter


@pytest.fixture
def desk(post: Post, clock: HandClock) -> Iterator[Desk]:
    with open_desk(post, clock) as opened:
        yield opened


def test_a_reply_in_words_is_read_and_a_complaint_in_it_opens_one_case_alone(desk: Desk) -> None:
    order = desk.delivered("PO-2")
    desk.clock.advance(days=7)
    desk.hour()
    sent = desk.post.row("SELECT rfc_message_id FROM outbound_messages WHERE tenant_id = :t")
    desk.post.arrives(letter("Hi Ana,\n\nThis is a complaint: the boxes arrived late and two were damaged. "
                             "We are not happy.\n\nBill", in_reply_to=sent["rfc_message_id"]))  # fmt: skip
    desk.hour()
    told = desk.request(order)
    assert (told.state, told.rating, told.sentiment) == ("answered", None, "negative")
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        [answer] = feedback_answers.of(tx, [told.id])[told.id]
        message = tx.row("SELECT class FROM gmail_messages WHERE tenant_id = :t ORDER BY id DESC LIMIT 1",
                         t=tx.tenant_id)  # fmt: skip
    assert answer.channel == "mail"
    assert answer.contact_id == desk.person
    assert answer.read_by == "rulebook"
    assert message is not None
    assert message["class"] in ("feedback_answer", "complaint")
    assert [case.kind for case in desk.open_cases()] == ["service_recovery"]
    assert desk.request(order).case_id == desk.open_cases()[0].id


def test_a_complaint_after_its_case_was_closed_has_a_case_of_its_own(desk: Desk) -> None:
    order = desk.delivered("PO-10")
    desk.clock.advance(days=7)
    desk.hour()
    page = desk.page(desk.sent()[-1])
    assert desk.client.post(page, content="rating=1&comment=It+broke", headers=FORM).status_code == 200
    desk.hour()
    [first] = desk.open_cases()
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        cases.close(tx, first.id, outcome="made good")
    assert desk.client.post(page, content="rating=1&comment=It+broke+again", headers=FORM).status_code == 200
    desk.hour()
    [second] = desk.open_cases()
    assert second.id != first.id
    assert desk.request(order).case_id == second.id


def test_what_makes_good_is_meant_again_where_nobody_decided_and_thrice_at_most(desk: Desk) -> None:
    order = desk.delivered("PO-10")
    desk.clock.advance(days=7)
    desk.hour()
    assert desk.rate(desk.page(desk.sent()[-1]), 1, "It broke") == 200
    desk.clock.advance(days=1)
    desk.hour()
    # its name has changed while it waits for a yes: it is written anew in the next hour
    first = desk.card("send_email")
    desk.rename("Willy Lumbergh")
    desk.hour()
    assert (desk.card("send_email").state, desk.due_again()) == ("cancelled", True)
    desk.hour()
    anew = desk.card("send_email")
    assert (anew.state, anew.payload["slots"]["first_name"]) == ("awaiting_approval", "Willy")
    assert desk.request(order).recovery_card_id == anew.id != first.id
    # nobody is there for a weekend: it is asked about again, three times in all
    seen = [anew.id]
    for _ in range(4):
        desk.clock.advance(days=2, minutes=1)
        desk.hour()
        desk.clock.advance(hours=1)
        desk.hour()
        seen.append(desk.card("send_email").id)
    assert len(set(seen)) == 3
    assert [case.id for case in desk.open_cases()] == [desk.request(order).case_id]
    assert len(desk.sent()) == 1


def test_what_makes_good_is_let_go_with_its_case(desk: Desk) -> None:
    desk.delivered("PO-10")
    desk.clock.advance(days=7)
    desk.hour()
    desk.rate(desk.page(desk.sent()[-1]), 1, "It broke")
    desk.hour()
    waits = desk.card("send_email")
    desk.clock.advance(days=2, minutes=1)
    desk.close(desk.open_cases()[0])
    for _ in range(3):
        desk.hour()
        desk.clock.advance(hours=1)
    assert desk.card("send_email").id == waits.id


def test_thanks_that_wait_are_withdrawn_when_praise_turns_into_a_complaint(desk: Desk) -> None:
    desk.set(feedback_thanks=True)
    desk.delivered("PO-10")
    desk.clock.advance(days=7)
    desk.hour()
    sent = desk.post.row("SELECT rfc_message_id FROM outbound_messages WHERE tenant_id = :t")
    desk.post.arrives(letter("Good morning,\n\nGreat service, thank you.\n\nBill", in_reply_to=sent["rfc_message_id"]))
    desk.hour()
    desk.rename("Willy Lumbergh")
    desk.hour()
    assert desk.card("send_email").state == "cancelled"
    desk.hour()
    thanks = desk.card("send_email")
    assert (thanks.state, thanks.payload["template"]) == ("deferred", "feedback_thanks")
    assert thanks.payload["slots"]["first_name"] == "Willy"
    page = desk.page(desk.sent()[-1])
    assert desk.client.post(page, content="rating=1&comment=It+broke", headers=FORM).status_code == 200
    desk.hour()
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        assert tx.value("SELECT state FROM kanban_cards WHERE id = :id", id=thanks.id) == "cancelled"
    assert desk.card("send_email").payload["template"] == "service_recovery"


def test_praise_is_noted_touches_the_clock_and_can_be_taken_back(desk: Desk) -> None:
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        clocks.reinstate(tx, desk.person)
        clocks.touch(tx, desk.person, "call", by="ana", at=tx.now)
    order = desk.delivered("PO-3")
    desk.clock.advance(days=7)
    desk.hour()
    page = desk.page(desk.sent()[-1])
    assert desk.client.post(page, content="comment=hm", headers=FORM).status_code == 422
    assert desk.client.post(page, content="rating=6", headers=FORM).status_code == 422
    kind = "rating=5&comment=Lovely.+Could+you+call+me+on+Thursday%3F"
    assert desk.client.post(page, content=kind, headers=FORM).status_code == 200
    at = desk.clock.now()
    desk.hour()
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        clock = tx.row("SELECT last_reply_at FROM engagement_clocks WHERE tenant_id = :t", t=tx.tenant_id)
        praised = tx.value("SELECT count(*) FROM warehouse_events WHERE tenant_id = :t AND type = 'feedback.praised'",
                           t=tx.tenant_id)  # fmt: skip
    assert clock == {"last_reply_at": at}
    assert praised == 1
    assert [case.kind for case in desk.open_cases()] == ["client_request"]
    # a second thought within a few days counts, a later one does not
    assert desk.client.post(page, content="rating=2&comment=It+broke", headers=FORM).status_code == 200
    desk.hour()
    assert (desk.request(order).rating, len(desk.open_cases())) == (2, 2)
    assert desk.client.post(page, content="rating=5", headers=FORM).status_code == 200
    desk.hour()
    assert desk.request(order).sentiment == "positive"
    assert desk.card("send_email").state == "cancelled"
    desk.clock.advance(days=8)
    assert desk.client.post(page, content="rating=1", headers=FORM).status_code == 409
    assert desk.request(order).rating == 5
    assert "stands as you gave it" in desk.client.get(page, headers=BROWSER).text


def test_nobody_is_asked_during_a_case_nor_twice_in_ninety_days_nor_too_late(desk: Desk) -> None:
    first = desk.delivered("PO-4")
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        case = cases.open(tx, kind="complaint", title="Late", evidence={"by": "ana"}, client_id=desk.account)
    desk.clock.advance(days=7)
    assert desk.lines(desk.hour()) == {("feedback_due", "deferred", "feedback.open_case")}
    assert desk.sent() == []
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        cases.close(tx, case.id, outcome="made good")
    second = desk.delivered("PO-5")
    desk.hour()
    assert desk.request(first).state == "sent"
    desk.clock.advance(days=7)
    assert ("feedback_due", "blocked", "feedback.asked_lately") in desk.lines(desk.hour())
    skipped = desk.request(second)
    assert skipped.state == "skipped"
    assert "was asked on" in str(skipped.reason)
    # a person may have it asked all the same
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        feedback.ask(tx, second)
    desk.hour()
    assert desk.request(second).state == "sent"
    # what is imported as delivered long ago is not asked about
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        old = orders.put(tx, client_id=desk.account, status="delivered", fee="1", total_amount="1",
                         delivered_at=tx.now - timedelta(days=29))  # fmt: skip
        assert feedback.of_order(tx, old.id) is None


def test_a_case_that_opens_after_planning_keeps_the_mail_in(desk: Desk) -> None:
    order = desk.delivered("PO-6")
    desk.set(autonomy={"request_feedback": "approve"})
    desk.clock.advance(days=7)
    desk.hour()
    waiting = desk.card("request_feedback")
    assert waiting.state == "awaiting_approval"
    desk.approve(waiting)
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        cases.open(tx, kind="complaint", title="Late", evidence={"by": "ana"}, client_id=desk.account)
    desk.hour()
    kept = desk.card("request_feedback")
    assert (kept.state, kept.rule, desk.sent()) == ("deferred", "feedback.open_case", [])
    assert desk.request(order).state == "queued"


def test_one_reminder_goes_out_where_the_tenant_wants_it_and_a_reply_ends_it(desk: Desk) -> None:
    desk.set(feedback_reminders=1, feedback_reminder_days=4)
    order = desk.delivered("PO-7")
    desk.clock.advance(days=7)
    desk.days(5)
    first, second = desk.sent()
    assert second["subject"] == "Re: How did we do with order PO-7?"
    # the same page, each link open as long as an answer to its mail is waited for
    assert desk.page(first).rsplit(".", 1)[0] == desk.page(second).rsplit(".", 1)[0]
    assert desk.request(order).reminders == 1
    desk.clock.advance(days=90)
    desk.hour()
    assert (desk.request(order).state, len(desk.sent())) == ("lapsed", 2)
    other = desk.delivered("PO-8")
    desk.clock.advance(days=7)
    desk.days(4)  # the first of them is a holiday there
    assert len(desk.sent()) == 3
    sent = desk.post.row("SELECT rfc_message_id FROM outbound_messages WHERE tenant_id = :t "
                         "ORDER BY reserved_at DESC LIMIT 1")  # fmt: skip
    desk.post.arrives(letter("Thanks, I will look at it.", in_reply_to=sent["rfc_message_id"]))
    desk.days(5)
    assert (desk.request(other).remind_at, len(desk.sent())) == (None, 3)


def test_a_dry_run_asks_nobody_and_live_asks_then(desk: Desk) -> None:
    desk.set(send_mode="dry_run")
    order = desk.delivered("PO-9")
    desk.clock.advance(days=7)
    desk.days(2)
    assert (desk.request(order).state, desk.sent()) == ("queued", [])
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        held = tx.value("SELECT count(*) FROM kanban_cards WHERE tenant_id = :t AND state = 'held'", t=tx.tenant_id)
    assert held == 1
    desk.set(send_mode="live")
    desk.hour()
    assert desk.request(order).state == "sent"


def test_a_mail_that_says_so_waits_until_its_case_stands_even_where_a_person_agreed_to_it(desk: Desk) -> None:
    desk.delivered("PO-12")
    desk.clock.advance(days=7)
    desk.hour()
    cases_of = Switch(desk.post.tenant_id, "action", "open_case")
    switches.stop(desk.post.database, cases_of, by="ana", reason="too many")
    desk.clock.advance(hours=23)
    assert desk.rate(desk.page(desk.sent()[-1]), 1, "It broke") == 200
    desk.hour()
    assert "We are looking into it." in str(desk.shown(desk.card("send_email")))
    desk.approve(desk.card("send_email"))
    desk.hour()
    waiting = desk.card("send_email")
    assert (waiting.state, waiting.rule, desk.open_cases(), len(desk.sent())) == ("deferred", "feedback.seen_to", [], 1)
    switches.resume(desk.post.database, cases_of, by="ana", reason="go on")
    desk.days(2)
    assert (len(desk.open_cases()), desk.card("send_email").state, len(desk.sent())) == (1, "done", 2)
