"""Feedback over days: an order is delivered, its client is asked, answers, and is heard where they are dissatisfied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from admin_api import app as admin_app
from domain import cards, cases, clocks, feedback, feedback_answers, ledger, orders, settings, undo
from domain.feedback_book import Request
from jobs import approvals
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs.letters import Post, letter

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0", "Accept": "text/html", "Accept-Language": "en-US"}
FORM = {**BROWSER, "Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Desk:
    """Acme with a mailbox, an account at Resend, a client, and the page that asks for feedback."""

    post: Post
    resend: ResendEmulator
    clock: HandClock
    client: TestClient
    account: UUID
    person: UUID

    def hour(self) -> UUID:
        """An hour passes, with the mail that came in; the run."""
        run_id = self.post.hour()
        self.clock.advance(hours=1)
        return run_id

    def days(self, count: int) -> None:
        """Days pass, with an hour each at the same time."""
        for _ in range(count):
            self.hour()
            self.clock.advance(hours=23)

    def delivered(self, name: str, **fields: Any) -> UUID:
        """An order that is delivered now."""
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            made = orders.put(tx, external_id=name, client_id=self.account, contact_id=self.person, status="accepted",
                              fee="10", total_amount="10", **fields)  # fmt: skip
            orders.move(tx, made.id, "delivered")
            return made.id

    def request(self, order_id: UUID) -> Request:
        with self.post.database.tenant(self.post.tenant_id) as tx:
            found = feedback.of_order(tx, order_id)
        assert found is not None
        return found

    def sent(self) -> list[dict[str, Any]]:
        return self.resend.sent("re_acme")

    def page(self, mail: dict[str, Any]) -> str:
        """The page that a mail leads to."""
        found = re.search(r"http://127\.0\.0\.1:8321(/f/\S+)", mail["text"])
        assert found is not None
        return found[1]

    def lines(self, run_id: UUID) -> set[tuple[str, str, str | None]]:
        """What the hour's ledger says of feedback."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return {(each["kind"], each["disposition"], each["rule"]) for each in ledger.lines(tx, run_id)
                    if each["subject_type"] == "feedback_request"}  # fmt: skip

    def open_cases(self) -> list[cases.Case]:
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return list(cases.listed(tx))

    def card(self, kind: str) -> cards.Card:
        """The latest card of this type."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return cards.listed(tx, kind=kind, limit=1)[0]

    def set(self, **changes: Any) -> None:
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            settings.change(tx, changes)


@pytest.fixture
def desk(post: Post, clock: HandClock) -> Iterator[Desk]:
    clock.advance(hours=6)
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        account = build.client(tx)
        person = build.contact(tx, account, name="Bill Lumbergh")
        clocks.exempt(tx, [person], "discovered")
    with ResendEmulator(clock=clock) as resend:
        houses.resend_for(post.hands, resend, post.tenant_id, "re_acme")
        api = TestClient(admin_app.create(post.house), base_url="http://127.0.0.1:8321")
        yield Desk(post, resend, clock, api, account, person)


def test_a_bad_rating_opens_a_case_and_proposes_to_make_good_in_the_same_cycle(desk: Desk) -> None:
    order = desk.delivered("PO-1")
    assert desk.request(order).due_at == desk.clock.now() + timedelta(days=7)
    desk.clock.advance(days=6)
    desk.days(1)
    assert desk.sent() == []
    assert desk.lines(desk.hour()) == {("feedback_due", "acted", None)}
    [mail] = desk.sent()
    assert mail["subject"] == "How did we do with order PO-1?"
    page = desk.page(mail)
    assert f'<a href="http://127.0.0.1:8321{page}">' in mail["html"]
    assert desk.request(order).state == "sent"
    # machines and people look, and nothing is recorded
    for headers in ({**BROWSER, "User-Agent": "Barracuda Sentinel"}, {**BROWSER, "Sec-Purpose": "prefetch"}, BROWSER):
        assert desk.client.get(page, headers=headers).status_code == 200
    assert desk.client.get(f"{page}?rating=1", headers=BROWSER).status_code == 200
    seen = desk.request(order)
    assert (seen.state, seen.visits, seen.scans, seen.rating) == ("sent", 2, 2, None)
    answer = desk.client.post(page, content="rating=1&comment=Two+boxes+were+broken+%3Cb%3E", headers=FORM)
    assert (answer.status_code, "somebody is going to look at it" in answer.text) == (200, True)
    assert "<b>" not in answer.text
    bad = desk.request(order)
    assert (bad.state, bad.rating, bad.sentiment, bad.case_id) == ("answered", 1, "negative", None)
    desk.hour()
    bad = desk.request(order)
    [case] = desk.open_cases()
    assert (case.id, case.kind, case.client_id) == (bad.case_id, "service_recovery", desk.account)
    assert case.title == "Feedback on order PO-1: 1 of 5"
    recovery = desk.card("send_email")
    assert recovery.id == bad.recovery_card_id
    # what the account writes meanwhile stops sequences, and this is none
    desk.post.arrives(letter("Hello,\n\nour new address is 5 Main Street.\n\nPeter",
                             frm="Peter Gibbons <peter@initech.example>", subject="Our address"))  # fmt: skip
    desk.days(1)
    desk.hour()
    recovery = desk.card("send_email")
    assert (recovery.state, recovery.rule) == ("awaiting_approval", "approval")
    assert ("service_recovery", "awaiting_approval") in {each[:2] for each in desk.lines(desk.hour())}
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        shown = approvals.show(desk.post.house, tx, recovery.id)
        approvals.approve(desk.post.house, tx, recovery.id, seen=shown.seen, by="ana")
    desk.hour()
    assert desk.sent()[-1]["subject"] == "Re: How did we do with order PO-1?"
    assert "We are looking into it." in desk.sent()[-1]["text"]
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        assert tx.value("SELECT count(*) FROM tasks WHERE tenant_id = :t", t=tx.tenant_id) == 0
        undo.undo(tx, desk.card("open_case").id, by="ana", reason="known already")
    assert desk.open_cases() == []


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


def test_thanks_that_wait_are_withdrawn_when_praise_turns_into_a_complaint(desk: Desk) -> None:
    desk.set(feedback_thanks=True)
    desk.delivered("PO-10")
    desk.clock.advance(days=7)
    desk.hour()
    sent = desk.post.row("SELECT rfc_message_id FROM outbound_messages WHERE tenant_id = :t")
    desk.post.arrives(letter("Good morning,\n\nGreat service, thank you.\n\nBill", in_reply_to=sent["rfc_message_id"]))
    desk.hour()
    thanks = desk.card("send_email")
    assert (thanks.state, thanks.payload["template"]) == ("deferred", "feedback_thanks")
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
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        shown = approvals.show(desk.post.house, tx, waiting.id)
        approvals.approve(desk.post.house, tx, waiting.id, seen=shown.seen, by="ana")
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
