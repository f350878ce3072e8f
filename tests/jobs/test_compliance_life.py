"""Compliance over weeks: gaps are asked for, answers fill them, what stays open reaches a manager with its task."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import cards, clients, clocks, compliance_figures, contacts, ledger, settings, tasks, undo
from domain import compliance_checks as checks
from domain import compliance_schedules as schedules
from domain.db import Tx
from jobs import notices
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs.letters import Post, letter

BOSS = "boss@acme.example"


@dataclass
class Desk:
    """Acme with a mailbox, an account at Resend, a manager, and Initech with Bill and his colleague Samir."""

    post: Post
    resend: ResendEmulator
    clock: HandClock
    bill: UUID
    samir: UUID

    def hour(self) -> UUID:
        """An hour passes, with the mail that came in; the run."""
        run_id = self.post.hour()
        notices.tell_people(self.post.house, self.post.tenant_id)
        self.clock.advance(hours=1)
        return run_id

    def on(self, day: date) -> UUID:
        """That day comes, at the hour at which the story began; the run of its hour."""
        self.clock.move_to(self.clock.now().replace(year=day.year, month=day.month, day=day.day, hour=15, minute=0))
        return self.hour()

    def to(self, address: str) -> list[dict[str, Any]]:
        """What the provider took for somebody."""
        return [mail for mail in self.resend.sent("re_acme") if mail["to"] == [address]]

    def check(self, entity_id: UUID | None = None) -> checks.Check:
        """The newest one, of a record if that is named."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return next(each for each in checks.listed(tx) if entity_id in (None, each.entity_id))

    def lines(self, run_id: UUID) -> set[tuple[str, str, str | None]]:
        """What the hour's ledger says of checks."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return {(each["kind"], each["disposition"], each["rule"]) for each in ledger.lines(tx, run_id)
                    if each["subject_type"] == checks.SUBJECT}  # fmt: skip

    def waiting(self) -> list[tuple[list[str], bool]]:
        """What the requests that wait for a person ask for, and whether they say that its day has passed."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            some = cards.listed(tx, kind="compliance_reminder", state="awaiting_approval")
            return [(each.payload["gaps"], each.payload["slots"]["late"]) for each in some]

    def of_account(self, **changes: Any) -> None:
        """Change the account."""
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            contact = contacts.get(tx, self.bill)
            assert contact is not None
            clients.upsert(tx, client_id=contact.client_id, **changes)

    def happened(self) -> list[str]:
        """What happened to checks, in its order."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            rows = tx.rows("SELECT type FROM warehouse_events WHERE tenant_id = :t AND subject_type = :s ORDER BY id",
                           t=tx.tenant_id, s=checks.SUBJECT)  # fmt: skip
            return [row["type"].partition(".")[2] for row in rows]

    def tasks(self, state: str = "open") -> list[tasks.Task]:
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return list(tasks.listed(tx, state=state))

    def require(self, **fields: Any) -> schedules.Schedule:
        """Phone and title of Bill alone, every quarter from a Saturday in twelve days."""
        given: dict[str, Any] = {"name": "Contact details", "frequency": "quarterly", "applies_to": "contact",
                                 "anchor_on": date(2026, 3, 14), "required_fields": ["phone", "title"]}  # fmt: skip
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            return schedules.create(tx, **{**given, **fields})


@pytest.fixture
def desk(post: Post, clock: HandClock) -> Iterator[Desk]:
    clock.advance(hours=6)
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        account = build.client(tx, manager_id=build.user(tx, BOSS))
        bill = build.contact(tx, account, name="Bill Lumbergh")
        samir = build.contact(tx, account, "samir@initech.example", name="Samir N", phone="+12125550199", title="Clerk")
        for person in (bill, samir):
            # nobody keeps in touch with them meanwhile
            clocks.exempt(tx, [person], "discovered")
    with ResendEmulator(clock=clock) as resend:
        houses.resend_for(post.hands, resend, post.tenant_id, "re_acme")
        yield Desk(post, resend, clock, bill, samir)


def opt_out(tx: Tx, contact_id: UUID) -> None:
    """They want no more mail."""
    clocks.reinstate(tx, contact_id)
    clocks.exempt(tx, [contact_id], "opted_out")


def test_gaps_are_asked_for_answered_taken_to_the_manager_and_closed(desk: Desk) -> None:
    one = desk.require()
    first_hour = desk.hour()
    assert desk.lines(first_hour) == {("compliance_due", "acted", None)}
    assert desk.check(desk.samir).state == "completed"
    asked = desk.check(desk.bill)
    assert (asked.period, asked.due_on, asked.state, asked.missing, asked.reminders) == (
        date(2026, 3, 14), date(2026, 3, 16), "reminded", ["phone", "title"], 1)  # fmt: skip
    [mail] = desk.to("bill@initech.example")
    assert mail["subject"] == "Your details with Acme: a few are missing"
    assert "1. A telephone number, with the country code\n2. Your role at the company\n" in mail["text"]
    assert "the next review is on 16 March 2026" in mail["text"]
    # he writes, and is left in peace for three days; a person puts down what he told
    sent = desk.post.row("SELECT rfc_message_id FROM outbound_messages WHERE tenant_id = :t")
    desk.post.arrives(letter("Sure, it is +1 212 555 0100, and the rest next week.",
                             in_reply_to=sent["rfc_message_id"], date="Tue, 03 Mar 2026 14:50:00 +0000"))  # fmt: skip
    desk.on(date(2026, 3, 3))
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        contacts.upsert(tx, houses.VAULT, contact_id=desk.bill, phone="+1 212 555 0100", source="api")
    desk.on(date(2026, 3, 4))
    heard = desk.check(desk.bill)
    assert (heard.missing, heard.state, heard.heard_at is not None) == (["title"], "reminded", True)
    # the second request falls on a Saturday, the third on the day itself
    for day in (6, 7, 8, 9, 13, 14, 16, 17):
        desk.on(date(2026, 3, day))
    mails = desk.to("bill@initech.example")
    assert [mail["subject"] for mail in mails[1:]] == ["Re: Your details with Acme: a few are missing"] * 2
    assert ["1. Your role at the company" in mail["text"] and "telephone" not in mail["text"] for mail in mails] == [
        False, True, True]  # fmt: skip
    late = desk.check(desk.bill)
    assert (late.state, late.reminders, late.remind_at) == ("overdue", 3, None)
    assert desk.lines(desk.on(date(2026, 3, 23))) == {
        ("compliance_overdue", "deferred", "compliance.waiting_for_answer")
    }
    assert desk.tasks() == []
    told = desk.on(date(2026, 3, 24))
    assert desk.lines(told) == {("compliance_overdue", "acted", None)}
    [task] = desk.tasks()
    escalated = desk.check(desk.bill)
    assert (escalated.state, escalated.task_id, task.evidence) == (
        "escalated", task.id, {"check_id": str(escalated.id)})  # fmt: skip
    assert (task.basis, task.title) == (
        "compliance_deadline", "Overdue: Contact details, Bill Lumbergh of Initech: title")  # fmt: skip
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        boss = tx.value("SELECT id FROM users WHERE tenant_id = :t", t=tx.tenant_id)
    assert task.assignee_id == boss
    [notice] = desk.to(BOSS)
    assert notice["subject"] == "Hourhand needs you: a compliance check is overdue"
    assert "Contact details of Initech: title" in notice["text"]
    desk.hour()
    assert len(desk.to(BOSS)) == 1
    settled_by_a_person(desk, one.id, task.id)


def settled_by_a_person(desk: Desk, schedule_id: UUID, task_id: UUID) -> None:
    """What follows once the record is filled in; and the period after it."""
    # a person fills the record in, and everything about it is over at the next hour
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        contacts.upsert(tx, houses.VAULT, contact_id=desk.bill, title="Vice president")
    desk.on(date(2026, 3, 25))
    done = desk.check(desk.bill)
    assert (done.state, done.evidence["sources"], desk.tasks()) == (
        "completed",
        {"phone": "api", "title": "person"},
        [],
    )
    assert [each.id for each in desk.tasks("done")] == [task_id]
    assert [each for each in desk.happened() if each != "validated"] == [
        "reminded", "heard", "reminded", "reminded", "overdue", "escalated", "completed"]  # fmt: skip
    # the quarter after, all is there: nobody hears of it
    desk.on(date(2026, 6, 1))
    again = desk.check(desk.bill)
    assert (again.period, again.due_on, again.state) == (date(2026, 6, 14), date(2026, 6, 15), "completed")
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        figures = compliance_figures.stats(tx)[schedule_id]
    assert (figures.completed, figures.on_time, figures.overdue) == (3, 2, 0)
    assert len(desk.to("bill@initech.example")) == 3


def test_an_escalation_is_taken_back_and_a_waiver_ends_it_all(desk: Desk) -> None:
    desk.require(required_fields=["title", "external_id"], anchor_on=date(2026, 3, 3))
    desk.hour()
    assert "external" not in desk.to("bill@initech.example")[0]["text"]
    assert desk.to("samir@initech.example") == []
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        checks.waive(tx, desk.check(desk.samir).id, by="ana", reason="he has no number of ours")
    desk.on(date(2026, 3, 5))
    desk.on(date(2026, 3, 11))
    check = desk.check(desk.bill)
    assert (check.state, len(desk.tasks())) == ("escalated", 1)
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        [card] = cards.listed(tx, kind="escalate_compliance")
        undo.undo(tx, card.id, by="ana", reason="I see to it myself")
    assert (desk.check(desk.bill).state, desk.tasks()) == ("overdue", [])
    assert desk.lines(desk.on(date(2026, 3, 12))) == {("compliance_overdue", "blocked", "compliance.left_to_people")}
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        checks.waive(tx, check.id, by="ana", reason="he is retiring")
    assert desk.lines(desk.on(date(2026, 3, 13))) == set()
    assert len(desk.to(BOSS)) == 1


def test_a_dry_run_asks_nobody_and_leaving_it_asks_from_the_real_clocks(desk: Desk) -> None:
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        settings.change(tx, {"send_mode": "dry_run"})
    desk.require()
    assert desk.lines(desk.hour()) == {("compliance_due", "held", "modes.dry_run")}
    assert desk.lines(desk.hour()) == {("compliance_due", "held", "modes.dry_run")}
    assert (desk.check(desk.bill).state, desk.resend.sent("re_acme")) == ("pending", [])
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        [_] = cards.listed(tx, state="held")
        settings.change(tx, {"send_mode": "live"})
    desk.hour()
    assert (desk.check(desk.bill).reminders, len(desk.to("bill@initech.example"))) == (1, 1)


def test_who_may_not_be_reached_is_asked_after_at_a_colleague(desk: Desk) -> None:
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        opt_out(tx, desk.bill)
    desk.require(required_fields=["phone"])
    desk.hour()
    [mail] = desk.to("samir@initech.example")
    assert "We are missing this detail about Bill Lumbergh:\n\n1. A telephone number" in mail["text"]
    assert desk.to("bill@initech.example") == []
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        opt_out(tx, desk.samir)
        checks.remind(tx, desk.check(desk.bill).id)
    assert desk.lines(desk.on(date(2026, 3, 4))) == {("compliance_due", "blocked", "compliance.reachable")}
    assert timedelta(0) < desk.check(desk.bill).due_at - desk.clock.now()


def test_a_request_that_waits_says_what_holds_when_it_is_released(desk: Desk) -> None:
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        settings.change(tx, {"autonomy": {"compliance_reminder": "approve"}})
    desk.require()
    desk.hour()
    assert desk.waiting() == [(["phone", "title"], False)]
    # an import brings one of the two
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        contacts.upsert(tx, houses.VAULT, contact_id=desk.bill, phone="+1 212 555 0100", source="import")
    desk.hour()
    assert desk.waiting() == [(["title"], False)]
    # the account leaves, and comes back
    desk.of_account(status="inactive")
    assert desk.lines(desk.hour()) == {("compliance_due", "blocked", "compliance.active_account")}
    assert desk.waiting() == []
    desk.of_account(status="active")
    desk.hour()
    assert desk.waiting() == [(["title"], False)]
    # its day passes before anybody has looked
    desk.on(date(2026, 3, 17))
    assert desk.waiting() == [(["title"], True)]
    assert desk.to("bill@initech.example") == []
