"""Compliance over weeks, taken from its turns: undone, waived, held by a mode, out of reach, changed while it waits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import pytest

from domain import cards, clocks, contacts, settings, undo
from domain import compliance_checks as checks
from domain.db import Tx
from tests import houses
from tests.hand_clock import HandClock
from tests.jobs.compliance_desk import BOSS, Desk, open_desk
from tests.jobs.letters import Post


@pytest.fixture
def desk(post: Post, clock: HandClock) -> Iterator[Desk]:
    with open_desk(post, clock) as opened:
        yield opened


def opt_out(tx: Tx, contact_id: UUID) -> None:
    """They want no more mail."""
    clocks.reinstate(tx, contact_id)
    clocks.exempt(tx, [contact_id], "opted_out")


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
