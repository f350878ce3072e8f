"""The whole life of a check, day by day: nothing is sent, moved, told or owed but what is written here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import UUID

import pytest

from domain import compliance_figures, contacts
from tests import houses
from tests.hand_clock import HandClock
from tests.jobs.compliance_desk import BOSS, Desk, open_desk
from tests.jobs.journal import QUIET, Day, Journal
from tests.jobs.letters import Post, letter

BILL = "bill@initech.example"
ASKED_AGAIN = Day([f"{BILL}: Re: Your details with Acme: a few are missing"], ["compliance_reminder done"],
                  ["compliance.reminded"], ["compliance_due acted"])  # fmt: skip
WEEKEND = "compliance_due deferred no_spam.business_day"
WAITS = "compliance_overdue deferred compliance.waiting_for_answer"


@pytest.fixture
def desk(post: Post, clock: HandClock) -> Iterator[Desk]:
    with open_desk(post, clock) as opened:
        yield opened


@pytest.fixture
def journal(desk: Desk) -> Journal:
    return Journal(desk.post, desk.resend, "re_acme", ("compliance", "task"))


def test_gaps_are_asked_for_answered_taken_to_the_manager_and_closed(desk: Desk, journal: Journal) -> None:
    one = desk.require()
    assert journal.next_day(desk) == Day(
        [f"{BILL}: Your details with Acme: a few are missing"], ["compliance_reminder done"],
        ["compliance.scheduled", "compliance.generated", "compliance.reminded"], ["compliance_due acted"],
    )  # fmt: skip
    the_first_request_as_it_arrived(desk)
    # he writes, and is left in peace for three days; the number in his words is put down
    desk.post.arrives(letter("Sure, it is (212) 555-0100, and the rest next week.", in_reply_to=desk.sent_id(),
                             date="Tue, 03 Mar 2026 14:50:00 +0000"))  # fmt: skip
    assert journal.next_day(desk) == Day(events=["compliance.heard", "compliance.validated"])
    assert journal.next_day(desk) == Day(events=["compliance.validated"])
    heard = desk.check(desk.bill)
    assert (heard.missing, heard.state, heard.heard_at is not None) == (["title"], "reminded", True)
    assert [journal.next_day(desk) for _ in range(2)] == [QUIET] * 2
    # the second request falls on a Saturday, the third on the Saturday that is the day of the calendar
    for _ in range(2):
        assert journal.next_day(desk) == Day(cards=["compliance_reminder deferred"], ledger=[WEEKEND])
        assert journal.next_day(desk) == Day(ledger=[WEEKEND])
        assert journal.next_day(desk) == ASKED_AGAIN
        if desk.clock.now().day < 16:
            assert [journal.next_day(desk) for _ in range(4)] == [QUIET] * 4
    assert desk.clock.now().date() == date(2026, 3, 17)
    every_request_says_what_was_missing_then(desk)
    assert journal.next_day(desk) == Day(events=["compliance.overdue"], ledger=[WAITS])
    late = desk.check(desk.bill)
    assert (late.state, late.reminders, late.remind_at) == ("overdue", 3, None)
    assert [journal.next_day(desk) for _ in range(6)] == [Day(ledger=[WAITS])] * 6
    assert desk.tasks() == []
    # seven days after the end of the day on which it was due
    assert desk.clock.now().date() == date(2026, 3, 24)
    assert journal.day(desk.hour()) == Day(
        [f"{BOSS}: Hourhand needs you: a compliance check is overdue"],
        ["create_task done", "escalate_compliance done"],
        ["compliance.validated", "compliance.escalated", "task.created"], ["compliance_overdue acted"],
    )  # fmt: skip
    the_task_and_what_the_manager_was_told(desk)
    # that is said once
    assert journal.day(desk.hour()) == QUIET
    settled_by_a_person(desk, journal, one.id)


def the_first_request_as_it_arrived(desk: Desk) -> None:
    """What Bill got, and how the two checks stand: his colleague lacks nothing."""
    assert desk.check(desk.samir).state == "completed"
    asked = desk.check(desk.bill)
    assert (asked.period, asked.due_on, asked.state, asked.missing, asked.reminders) == (
        date(2026, 3, 14), date(2026, 3, 16), "reminded", ["phone", "title"], 1)  # fmt: skip
    [mail] = desk.to(BILL)
    assert mail["text"].startswith(
        "Hi Bill,\n\nWe review our records from time to time, and the next review is on 16 March 2026. We are missing "
        "these details about you:\n\n1. A telephone number, with the country code\n2. Your role at the company\n\n"
        "A reply to this e-mail is all we need.\n\nKind regards,\n"
    )  # fmt: skip
    assert (mail["headers"]["Auto-Submitted"], mail["headers"]["List-Unsubscribe-Post"]) == (
        "auto-generated", "List-Unsubscribe=One-Click")  # fmt: skip


def every_request_says_what_was_missing_then(desk: Desk) -> None:
    """Each further one asks for the rest alone, and says that who has answered may leave it."""
    first, *further = desk.to(BILL)
    assert "If you have already answered" not in first["text"]
    for mail in further:
        assert (
            "1. Your role at the company\n\nA reply to this e-mail is all we need. If you have already" in mail["text"]
        )
        assert "telephone" not in mail["text"]
        assert mail["headers"]["References"].startswith(desk.sent_id(newest=False))
    assert desk.waiting() == []


def the_task_and_what_the_manager_was_told(desk: Desk) -> None:
    [task], check = desk.tasks(), desk.check(desk.bill)
    assert (check.state, check.task_id, task.evidence) == ("escalated", task.id, {"check_id": str(check.id)})
    assert (task.basis, task.title) == (
        "compliance_deadline", "Overdue: Contact details, Bill Lumbergh of Initech: title")  # fmt: skip
    boss = desk.post.value("SELECT id FROM users WHERE tenant_id = :t")
    assert task.assignee_id == boss
    [notice] = desk.to(BOSS)
    assert "Contact details of Initech: title" in notice["text"]


def settled_by_a_person(desk: Desk, journal: Journal, schedule_id: UUID) -> None:
    """What follows once the record is filled in; and the period after it."""
    [task] = desk.tasks()
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        contacts.upsert(tx, houses.VAULT, contact_id=desk.bill, title="Vice president")
    assert journal.day(desk.on(date(2026, 3, 25))) == Day(events=["compliance.completed", "task.done"])
    done = desk.check(desk.bill)
    assert (done.state, done.evidence["sources"], done.closed_by) == (
        "completed", {"phone": "mail", "title": "person"}, "agent")  # fmt: skip
    assert [each.id for each in desk.tasks("done")] == [task.id]
    # the quarter after, all is there: nobody hears of it
    assert journal.day(desk.on(date(2026, 6, 1))) == Day(events=["compliance.generated"])
    again = desk.check(desk.bill)
    assert (again.period, again.due_on, again.state) == (date(2026, 6, 14), date(2026, 6, 15), "completed")
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        figures = compliance_figures.stats(tx)[schedule_id]
    assert (figures.completed, figures.on_time, figures.overdue) == (3, 2, 0)


def test_an_answer_by_mail_fills_the_record_and_ends_it(desk: Desk, journal: Journal) -> None:
    desk.require()
    assert journal.next_day(desk).ledger == ["compliance_due acted"]
    desk.post.arrives(letter("Hello,\n\nplease find it below.\n\nBest regards,\nBill Lumbergh\nVice President\n"
                             "Initech\nTel. +1 212 555 0100", in_reply_to=desk.sent_id(),
                             date="Tue, 03 Mar 2026 14:50:00 +0000"))  # fmt: skip
    assert journal.next_day(desk) == Day(events=["compliance.heard", "compliance.validated"])
    # what he has told of himself is put down, and with that all is said
    assert journal.next_day(desk) == Day(events=["compliance.completed"])
    done = desk.check(desk.bill)
    assert (done.state, done.missing, done.evidence["sources"]) == ("completed", [], {"phone": "mail", "title": "mail"})
    assert [journal.next_day(desk) for _ in range(6)] == [QUIET] * 6
    assert journal.figures("compliance") == {
        "due": 0, "overdue": 0, "escalated": 0, "completed_90_days": 2, "waived_90_days": 0, "on_time_rate": 1.0,
    }  # fmt: skip
