"""Schedules over weeks: two that ask the same of one person, and one that is switched off while its mail waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from domain import cards, contacts, deliveries, settings
from domain import compliance_changes as changes
from domain import compliance_checks as checks
from domain import compliance_review as review
from domain import compliance_validation as validation
from jobs import approvals
from tests import houses
from tests.hand_clock import HandClock
from tests.jobs.compliance_desk import Desk, open_desk
from tests.jobs.letters import Post

BILL = "bill@initech.example"


@pytest.fixture
def desk(post: Post, clock: HandClock) -> Iterator[Desk]:
    with open_desk(post, clock) as opened:
        with post.database.tenant(post.tenant_id, actor="test") as tx:
            contacts.upsert(tx, houses.VAULT, contact_id=opened.samir, language="en")
        yield opened


def of_bill(desk: Desk) -> dict[str, checks.Check]:
    """His checks, by what they require."""
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        return {"+".join(each.required): each for each in checks.listed(tx, contact_id=desk.bill)}


def test_two_schedules_ask_one_person_once_and_one_answer_fulfils_both(desk: Desk) -> None:
    desk.require()
    desk.require(name="Languages", required_fields=["phone", "language"], frequency="annual")
    run = desk.hour()
    [mail] = desk.to(BILL)
    for gap in ("1. A telephone number", "2. Your role", "3. The language"):
        assert gap in mail["text"]
    assert desk.lines(run) == {("compliance_due", "acted", None)}
    assert {(each.reminders, each.state) for each in of_bill(desk).values()} == {(1, "reminded")}
    # a third joins between two requests: for what it shares with them it waits, and the next mail has it all
    desk.on(date(2026, 3, 3))
    desk.require(name="Phones", required_fields=["phone"])
    assert desk.lines(desk.on(date(2026, 3, 4))) == {("compliance_due", "deferred", "compliance.asked_already")}
    desk.on(date(2026, 3, 9))
    assert len(desk.to(BILL)) == 2
    assert sorted(each.reminders for each in of_bill(desk).values()) == [1, 2, 2]
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        contacts.upsert(tx, houses.VAULT, contact_id=desk.bill, phone="+1 212 555 0100", language="en")
        # seen to by one of them, the others are looked at in the same moment
        assert validation.complete(tx, of_bill(desk)["phone"].id).state == "completed"
    assert {name: each.state for name, each in of_bill(desk).items()} == {
        "phone": "completed", "phone+language": "completed", "phone+title": "reminded"}  # fmt: skip


def test_an_approved_request_is_not_sent_once_its_schedule_is_switched_off(desk: Desk) -> None:
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        settings.change(tx, {"autonomy": {"compliance_reminder": "approve"}})
    one = desk.require()
    other = desk.require(name="Languages", required_fields=["language"])
    desk.hour()
    assert desk.waiting() == [(["phone", "title", "language"], False)]
    # of two that ask together one is switched off: what waits is written anew without its part
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        changes.change(tx, other.id, active=False)
    desk.hour()
    assert desk.waiting() == [(["phone", "title"], False)]
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        [card] = cards.listed(tx, kind="compliance_reminder", state="awaiting_approval")
        approvals.approve(
            desk.post.house, tx, card.id, seen=approvals.show(desk.post.house, tx, card.id).seen, by="ana"
        )
        changes.change(tx, one.id, active=False)
    assert desk.lines(desk.hour()) == set()
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        stopped = cards.get(tx, card.id)
        assert stopped is not None
        assert (stopped.state, stopped.reason) == ("cancelled", "its schedule was switched off")
    assert (desk.to(BILL), desk.check(desk.bill).state) == ([], "withdrawn")
    assert [desk.lines(desk.on(date(2026, 3, day))) for day in (17, 25)] == [set(), set()]
    assert desk.tasks() == []
    # on again before the next period: it goes on, and nobody is told anything twice
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        settings.change(tx, {"autonomy": {}})
        changes.change(tx, one.id, active=True)
    desk.hour()
    assert [mail["subject"] for mail in desk.to(BILL)] == ["Your details with Acme: a few are missing"]
    assert (of_bill(desk)["phone+title"].state, desk.tasks()) == ("overdue", [])


def test_a_record_that_its_schedule_is_not_about_any_more_is_let_be_until_it_is_again(desk: Desk) -> None:
    desk.of_account(country="US")
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        settings.change(tx, {"autonomy": {"compliance_reminder": "approve"}})
    here = desk.require(required_fields=["title"], filter={"country": ["US"], "managed": True, "min_annual_value": 0})
    desk.hour()
    assert desk.waiting() == [(["title"], False)]
    desk.of_account(country="DE")
    assert desk.lines(desk.hour()) == set()
    gone = desk.check(desk.bill)
    assert (gone.state, gone.reason, desk.waiting()) == ("withdrawn", review.NOT_CHOSEN, [])
    # what else becomes of the account brings nothing back, and neither does a person
    desk.of_account(language="de")
    desk.hour()
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        assert not tx.value("SELECT count(recheck_at) FROM compliance_checks WHERE tenant_id = :t", t=tx.tenant_id)
        with pytest.raises(checks.IllegalCheckMove, match="open again once that is changed back while its period runs"):
            checks.reopen(tx, gone.id, reason="they are back")
        settings.change(tx, {"autonomy": {}})
    # that an account is inactive is for its request to wait for, unless the filter says so itself
    desk.of_account(country="US", language="en")
    desk.hour()
    assert (len(desk.to(BILL)), desk.check(desk.bill).state) == (1, "reminded")
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        changes.change(tx, here.id, filter={"status": ["active"]})
    desk.of_account(status="inactive")
    desk.hour()
    assert desk.check(desk.bill).state == "withdrawn"
    desk.of_account(status="active")
    desk.on(date(2026, 3, 9))
    assert (len(desk.to(BILL)), desk.check(desk.bill).reminders) == (2, 2)
    # its manager hears nothing of it either
    desk.of_account(status="inactive")
    for day in (17, 25):
        desk.on(date(2026, 3, day))
    assert (desk.check(desk.bill).state, desk.tasks(), len(desk.to(BILL))) == ("withdrawn", [], 2)


def test_a_request_that_bounces_asked_nobody_and_a_colleague_is_asked_instead(desk: Desk) -> None:
    desk.require(required_fields=["title"])
    desk.hour()
    assert (len(desk.to(BILL)), desk.check(desk.bill).reminders) == (1, 1)
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        [card] = cards.listed(tx, kind="compliance_reminder", state="done")
        mail = deliveries.mail_by_card(tx, card.id)
        assert mail is not None
        deliveries.bounced(tx, desk.post.house.vault, mail, BILL, tx.now, suppress=True, source="webhook")
    back = desk.check(desk.bill)
    assert (back.reminders, back.asked_id, desk.happened()[-1]) == (0, None, "came_back")
    assert desk.lines(desk.hour()) == {("compliance_due", "acted", None)}
    [asked] = desk.to("samir@initech.example")
    assert "about Bill Lumbergh" in asked["text"]
    assert (desk.check(desk.bill).reminders, len(desk.to(BILL))) == (1, 1)
    # his server tells it once more, by mail: the colleague was asked all the same
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        assert not deliveries.bounced(tx, desk.post.house.vault, mail, BILL, tx.now, suppress=True, source="mail")
    told = desk.check(desk.bill)
    assert (told.reminders, told.asked_id, desk.happened().count("came_back")) == (1, desk.samir, 1)


def test_of_very_many_checks_no_request_goes_out_before_each_was_judged_by_the_change(desk: Desk) -> None:
    one = desk.require(required_fields=["language", "external_id"])
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        settings.change(tx, {"autonomy": {"compliance_reminder": "approve"}, "compliance_checks_per_cycle": 5})
    desk.hour()
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        settings.change(tx, {"autonomy": {}, "compliance_checks_per_cycle": 1})
        done = changes.change(tx, one.id, active=False)
        assert (done.reviewed.withdrawn, done.schedule.reviewing) == (1, True)
    # its hours go on judging, one at a time here, and ask nobody meanwhile
    for _ in range(2):
        assert desk.lines(desk.hour()) == set()
    assert {each.state for each in of_bill(desk).values()} == {"withdrawn"}
    assert desk.resend.sent("re_acme") == []
