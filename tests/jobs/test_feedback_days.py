"""The whole life of a question, day by day: nothing is sent, moved, told or owed but what is written here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

import pytest

from domain import cases, feedback_answers, feedback_life, undo
from jobs import approvals
from tests.hand_clock import HandClock
from tests.jobs.feedback_desk import BROWSER, Desk, open_desk
from tests.jobs.journal import QUIET, Day, Journal
from tests.jobs.letters import Post, letter

BILL = "bill@initech.example"
ASKED = f"{BILL}: How did we do with order PO-1?"
ANSWERED = f"{BILL}: Re: How did we do with order PO-1?"


@pytest.fixture
def desk(post: Post, clock: HandClock) -> Iterator[Desk]:
    with open_desk(post, clock) as opened:
        yield opened


@pytest.fixture
def journal(desk: Desk) -> Journal:
    return Journal(desk.post, desk.resend, "re_acme", ("feedback", "case"))


def test_a_bad_rating_is_heard_seen_to_and_counted(desk: Desk, journal: Journal) -> None:
    order = desk.delivered("PO-1")
    assert desk.request(order).due_at == desk.clock.now() + timedelta(days=7)
    assert journal.next_day(desk) == Day(events=["feedback.queued"])
    assert [journal.next_day(desk) for _ in range(5)] == [QUIET] * 5
    # something is amiss at the account: nobody there is asked how it went
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        late = cases.open(tx, kind="complaint", title="Late", evidence={"by": "ana"}, client_id=desk.account)
    assert journal.next_day(desk) == Day(events=["case.opened"])
    assert journal.next_day(desk) == Day(ledger=["feedback_due deferred feedback.open_case"])
    assert desk.request(order).rests_until is not None
    desk.close(late)
    asked_on = journal.next_day(desk)
    assert asked_on == Day([ASKED], ["request_feedback done"], ["case.closed", "feedback.sent"], ["feedback_due acted"])
    page = the_question_as_it_arrived(desk)
    who_only_looks_says_nothing(desk, page)
    answer = desk.client.post(page, content="rating=1&comment=Two+boxes+were+broken+%3Cb%3E", headers={
        **BROWSER, "Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
    assert (answer.status_code, "somebody is going to look at it" in answer.text) == (200, True)
    assert "<b>" not in answer.text
    # in the same cycle it is a case, and a mail that waits for a person
    assert journal.next_day(desk) == Day(
        [], ["open_case done", "send_email awaiting_approval"],
        ["feedback.answered", "feedback.recovery_proposed", "case.opened", "feedback.case_opened"], [],
    )  # fmt: skip
    the_case_with_its_words(desk)
    # what the account writes meanwhile stops sequences, and this is none
    desk.post.arrives(letter("Hello,\n\nour new address is 5 Main Street.\n\nPeter",
                             frm="Peter Gibbons <peter@initech.example>", subject="Our address"))  # fmt: skip
    owed = Day(ledger=["service_recovery awaiting_approval approval"])
    assert journal.day(desk.hour()) == owed
    desk.approve(desk.card("send_email"))
    assert journal.next_day(desk) == Day([ANSWERED], ["send_email done"], [], ["service_recovery acted"])
    what_makes_good_as_it_arrived(desk)
    # what they say to that is no second opinion
    desk.post.arrives(letter("Thank you, that is great, 5 of 5.", in_reply_to=desk.sent_id(), number=2))
    assert journal.next_day(desk) == QUIET
    assert (desk.request(order).rating, desk.request(order).sentiment) == (1, "negative")
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        assert tx.value("SELECT count(*) FROM tasks WHERE tenant_id = :t", t=tx.tenant_id) == 0
    assert journal.figures("feedback") == {
        "feedback_waiting": 0, "feedback_awaited": 0, "feedback_asked_90_days": 1, "feedback_answers_90_days": 1,
        "feedback_response_rate": 1.0, "negative_feedback_rate": 1.0, "service_recoveries_open": 1,
        "feedback_score": 1.0,
    }  # fmt: skip
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        undo.undo(tx, desk.card("open_case").id, by="ana", reason="known already")
    assert journal.next_day(desk) == Day(events=["case.closed"])
    assert journal.figures("feedback")["service_recoveries_open"] == 0
    assert desk.open_cases() == []


def the_question_as_it_arrived(desk: Desk) -> str:
    """What the recipient got; the page that it leads to, which opens as long as an answer is waited for."""
    mail, page = desk.sent()[-1], desk.page(desk.sent()[-1])
    assert (mail["to"], parseaddr(mail["from"])[1]) == ([BILL], "ana@acme.example")
    assert mail["text"].startswith("Hi Bill,\n\nYour order PO-1 has been delivered, and I would like to know how it")
    assert f'<a href="http://127.0.0.1:8321{page}">' in mail["html"]
    headers = mail["headers"]
    assert (headers["Auto-Submitted"], headers["List-Unsubscribe-Post"]) == (
        "auto-generated", "List-Unsubscribe=One-Click")  # fmt: skip
    [request] = desk.requests()
    assert (request.state, request.contact_id, request.rests_until) == ("sent", desk.person, None)
    assert request.lapses_at is not None
    until = int(page.split("/")[4].partition(".")[2])
    assert 0 <= until - request.lapses_at.timestamp() <= timedelta(days=3).total_seconds()
    return page


def who_only_looks_says_nothing(desk: Desk, page: str) -> None:
    """Machines and people look, some with a rating in the address: that is counted, and nothing else is recorded."""
    for headers in ({**BROWSER, "User-Agent": "Barracuda Sentinel"}, {**BROWSER, "Sec-Purpose": "prefetch"}, BROWSER):
        assert desk.client.get(page, headers=headers).status_code == 200
    assert desk.client.get(f"{page}?rating=1", headers=BROWSER).status_code == 200
    [seen] = desk.requests()
    assert (seen.state, seen.visits, seen.scans, seen.rating) == ("sent", 2, 2, None)


def the_case_with_its_words(desk: Desk) -> None:
    """The case says what was said about which order, and the request knows it and the mail that makes good."""
    [case], [request] = desk.open_cases(), desk.requests()
    assert (case.id, case.kind, case.client_id) == (request.case_id, "service_recovery", desk.account)
    assert (case.title, case.contact_id) == ("Feedback on order PO-1: 1 of 5", desk.person)
    told: dict[str, Any] = {
        "quote": "Two boxes were broken <b>", "rating": 1, "order_id": str(request.order_id),
        "feedback_request_id": str(request.id), "thread_id": str(request.thread_id),
    }  # fmt: skip
    assert {name: case.evidence.get(name) for name in told} == told
    recovery = desk.card("send_email")
    assert (recovery.id, recovery.contact_id) == (request.recovery_card_id, desk.person)
    assert recovery.title == "Make good on order PO-1: Bill Lumbergh (Initech)"


def what_makes_good_as_it_arrived(desk: Desk) -> None:
    """It goes to whoever answered, in the same conversation, as from a person: Ana has agreed to it."""
    first, mail = desk.sent()
    assert mail["to"] == [BILL]
    assert mail["headers"]["In-Reply-To"] in mail["headers"]["References"]
    assert "Auto-Submitted" not in mail["headers"]
    assert "Thank you for telling us so openly about order PO-1." in mail["text"]
    assert "We are looking into it." in mail["text"]
    assert first["headers"]["Auto-Submitted"] == "auto-generated"


def test_praise_by_mail_is_read_thanked_for_and_left_alone(desk: Desk, journal: Journal) -> None:
    desk.set(feedback_thanks=True)
    order = desk.delivered("PO-1")
    desk.clock.advance(days=7)
    assert journal.next_day(desk) == Day(
        [ASKED], ["request_feedback done"], ["feedback.queued", "feedback.sent"], ["feedback_due acted"]
    )
    question = desk.sent_id()
    # a machine answers at once, and that is no opinion
    desk.post.arrives(letter("Great news, thank you for your mail! I am away.", in_reply_to=question, number=1,
                             auto_submitted="auto-replied", subject="Automatic reply: How did we do"))  # fmt: skip
    assert journal.next_day(desk).events == []
    assert desk.request(order).state == "sent"
    # what they quote is not what they say
    desk.post.arrives(letter("Excellent work, thank you.\n\nBill\n\nOn 9 Mar 2026, Ana wrote:\n> It was awful, 1/5",
                             in_reply_to=question, number=2))  # fmt: skip
    heard = journal.next_day(desk)
    assert heard.events == ["feedback.answered", "feedback.praised"]
    assert (desk.request(order).rating, desk.request(order).sentiment) == (None, "positive")
    days = [heard, *(journal.next_day(desk) for _ in range(3))]
    assert [mail for day in days for mail in day.mails] == [ANSWERED]
    mail = desk.sent()[-1]
    assert (mail["to"], mail["headers"]["Auto-Submitted"]) == ([BILL], "auto-replied")
    assert "Thank you for your answer about order PO-1. It is good to know that it went well." in mail["text"]
    assert desk.open_cases() == []
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        [answer] = feedback_answers.of(tx, [desk.request(order).id])[desk.request(order).id]
        assert feedback_life.lapse(tx) == 0
    assert (answer.channel, answer.read_by, answer.contact_id) == ("mail", "rulebook", desk.person)
    assert journal.next_day(desk) == QUIET


def test_nobody_is_told_that_it_is_looked_at_where_nobody_does(desk: Desk, journal: Journal) -> None:
    """A case that a person must agree to may never be opened, and one that was closed is over."""
    desk.set(autonomy={"open_case": "approve"})
    desk.delivered("PO-1")
    desk.clock.advance(days=7)
    journal.next_day(desk)
    page = desk.page(desk.sent()[-1])
    assert desk.rate(page, 1, "It broke") == 200
    assert journal.next_day(desk).cards == ["open_case awaiting_approval", "send_email awaiting_approval"]
    assert "looking into it" not in str(desk.shown(desk.card("send_email")))
    desk.approve(desk.card("open_case"))
    journal.next_day(desk)
    [case] = desk.open_cases()
    desk.close(case, "we have spoken on the telephone")
    assert desk.card("send_email").state == "cancelled"
    assert journal.next_day(desk).ledger == []


def test_an_order_is_asked_about_in_the_next_hour_once_the_question_about_another_was_refused(desk: Desk) -> None:
    desk.set(autonomy={"request_feedback": "approve"})
    first, second = desk.delivered("PO-1"), desk.delivered("PO-2")
    desk.clock.advance(days=7)
    assert ("feedback_due", "deferred", "feedback.one_at_a_time") in desk.lines(desk.hour())
    card = desk.card("request_feedback")
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        approvals.reject(tx, card.id, by="ana", reason="we spoke to them")
    desk.hour()
    [waiting] = [each for each in (desk.card("request_feedback"),) if each.state == "awaiting_approval"]
    assert {card.payload["order_id"], waiting.payload["order_id"]} == {str(first), str(second)}
