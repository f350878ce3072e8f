"""Approval: a person's yes counts for exactly what they saw, and only in time."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from domain import cards, settings
from domain.db import Database
from domain.house import House
from jobs import approvals, cycle
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock

ASKS = {"autonomy": {"send_email": "approve"}}


class Desk:
    """Acme, where first touches need a yes, and the card that waits for it."""

    def __init__(self, house: House, resend: ResendEmulator, tenant_id: UUID, card_id: UUID) -> None:
        self.house, self.resend, self.tenant_id, self.card_id = house, resend, tenant_id, card_id

    def show(self) -> approvals.Shown:
        """What a person sees."""
        with self.house.database.tenant(self.tenant_id) as tx:
            return approvals.show(self.house, tx, self.card_id)

    def approve(self, seen: str) -> None:
        """A yes to `seen`."""
        with self.house.database.tenant(self.tenant_id, actor="boss") as tx:
            approvals.approve(self.house, tx, self.card_id, seen=seen, by="boss")

    def hour(self) -> None:
        """One cycle."""
        cycle.run(self.house, self.tenant_id, kind="manual")

    def state(self) -> str:
        """Where the card stands."""
        with self.house.database.tenant(self.tenant_id) as tx:
            card = cards.get(tx, self.card_id)
        assert card is not None
        return card.state

    def sent(self) -> int:
        """How many mails the provider took."""
        return len(self.resend.sent("re_acme"))


@pytest.fixture
def desk(clone: Database, clock: HandClock) -> Iterator[Desk]:
    clock.advance(hours=6)
    hands = houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        acme = build.acme(clone, **ASKS)
        houses.resend_for(hands, resend, acme, "re_acme")
        with clone.tenant(acme) as tx:
            build.contact(tx)
        cycle.run(house, acme, kind="manual")
        with clone.tenant(acme) as tx:
            yield Desk(house, resend, acme, tx.value("SELECT id FROM kanban_cards"))


def test_nothing_goes_out_without_a_yes(desk: Desk) -> None:
    assert (desk.state(), desk.sent()) == ("awaiting_approval", 0)


def test_what_was_shown_and_approved_goes_out_once(desk: Desk) -> None:
    desk.approve(desk.show().seen)
    desk.hour()
    assert (desk.state(), desk.sent()) == ("done", 1)


def test_a_yes_to_something_else_is_refused(desk: Desk) -> None:
    with pytest.raises(approvals.ApprovalVoid):
        desk.approve("0" * 64)


def test_a_changed_policy_voids_the_approval(desk: Desk) -> None:
    desk.approve(desk.show().seen)
    with desk.house.database.tenant(desk.tenant_id) as tx:
        settings.change(tx, {"max_emails_per_hour": 3})
    desk.hour()
    assert (desk.state(), desk.sent()) == ("awaiting_approval", 0)


def test_an_edit_is_shown_and_asked_anew(desk: Desk) -> None:
    before = desk.show().seen
    with desk.house.database.tenant(desk.tenant_id) as tx:
        shown = approvals.edit(desk.house, tx, desk.card_id, changes={"text": "Dear Bill, all well?"}, by="boss")
    assert shown.seen != before
    with pytest.raises(approvals.ApprovalVoid):
        desk.approve(before)
    desk.approve(shown.seen)
    desk.hour()
    assert desk.sent() == 1


def test_what_nobody_approved_in_time_is_not_done_any_more(desk: Desk) -> None:
    desk.house.clock.wait(48 * 3600)
    with pytest.raises(approvals.ApprovalExpired):
        desk.approve(desk.show().seen)
    desk.hour()
    assert (desk.state(), desk.sent()) == ("expired", 0)
