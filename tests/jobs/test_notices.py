"""The second door: people are told once, and those who could not be told are told later."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain import alerts, credentials, settings
from domain.db import Database
from domain.house import Fault
from jobs import notices
from simulator.emulators import faults
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock


def test_an_alert_that_could_not_be_told_is_told_next_time(clone: Database, clock: HandClock) -> None:
    acme, hands = _failing(clone), houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        houses.resend_for(hands, resend, acme, "re_acme")
        for _ in range(12):  # more often than notices may go out in an hour
            resend.break_next(faults.throttle())
            assert notices.tell_alerts(house, acme) == 0
        assert notices.tell_alerts(house, acme) == 1
        assert notices.tell_alerts(house, acme) == 0
        assert len(resend.sent("re_acme")) == 1


def test_a_notice_whose_outcome_is_unknown_is_not_sent_again(clone: Database, clock: HandClock) -> None:
    acme, hands = _failing(clone), houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        houses.resend_for(hands, resend, acme, "re_acme")
        resend.break_next(faults.Fault("reset", acts=True, method="POST"))
        assert notices.tell_alerts(house, acme) == 0
        assert notices.tell_alerts(house, acme) == 0
        assert len(resend.sent("re_acme")) == 1


def test_whoever_could_not_be_told_is_told_next_time_and_nobody_else(clone: Database, clock: HandClock) -> None:
    acme = build.acme(clone)
    with clone.tenant(acme) as tx:
        build.user(tx, "ada@acme.example", role="admin")
        build.user(tx, "bob@acme.example", role="operator")
        alerts.open(tx, "email_provider_failures", "The provider fails.")
    hands = houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        houses.resend_for(hands, resend, acme, "re_acme")
        resend.break_next(faults.throttle())
        assert [notices.tell_alerts(house, acme) for _ in range(3)] == [1, 1, 0]
        assert sorted(mail["to"] for mail in resend.sent("re_acme")) == [["ada@acme.example"], ["bob@acme.example"]]


class Killed(Exception):
    """The process ended here."""


def dies_at(where: str) -> Fault:
    """A process that ends when it comes to a step."""

    def die(step: str) -> None:
        if step == where:
            raise Killed

    return die


@pytest.mark.parametrize("where", ["notices.reserved", "notices.performed"])
def test_a_notice_whose_sender_died_is_settled_later_and_mailed_once(
    clone: Database, clock: HandClock, where: str
) -> None:
    acme, hands = _failing(clone), houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        houses.resend_for(hands, resend, acme, "re_acme")
        with pytest.raises(Killed):
            notices.tell_alerts(houses.with_fault(house, dies_at(where)), acme)
        assert notices.tell_alerts(house, acme) == 0
        assert _states(clone, acme) == ["reserved"]
        clock.advance(minutes=20)
        resend.break_next(faults.throttle())  # a refusal now says nothing of the first try
        notices.tell_alerts(house, acme)
        assert _states(clone, acme) == ["reserved"]
        notices.tell_alerts(house, acme)
        assert _states(clone, acme) == ["sent"]
        assert len(resend.sent("re_acme")) == 1


def test_a_notice_that_was_left_too_long_stays_unknown_and_is_not_sent(clone: Database, clock: HandClock) -> None:
    acme, hands = _failing(clone), houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        houses.resend_for(hands, resend, acme, "re_acme")
        with pytest.raises(Killed):
            notices.tell_alerts(houses.with_fault(house, dies_at("notices.reserved")), acme)
        clock.advance(hours=24)
        notices.tell_alerts(house, acme)
        assert (_states(clone, acme), resend.sent("re_acme")) == (["uncertain"], [])


@pytest.mark.parametrize("change", ["provider", "key"])
def test_a_notice_that_was_left_is_not_sent_by_another_provider_or_account(
    clone: Database, clock: HandClock, change: str
) -> None:
    acme, hands = _failing(clone), houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        houses.resend_for(hands, resend, acme, "re_acme")
        with pytest.raises(Killed):
            notices.tell_alerts(houses.with_fault(house, dies_at("notices.performed")), acme)
        clock.advance(minutes=20)
        with clone.tenant(acme) as tx:
            if change == "provider":
                settings.change(tx, {"provider": "smtp"})
            else:
                credentials.put(tx, houses.VAULT, "resend_api_key", "re_of_another_team")
        houses.resend_for(hands, resend, acme, "re_of_another_team")
        notices.tell_alerts(house, acme)
        assert (_states(clone, acme), resend.sent("re_of_another_team")) == (["uncertain"], [])


def _failing(database: Database) -> UUID:
    """A tenant whose mail provider fails, and one person who is to be told so."""
    acme = build.acme(database)
    with database.tenant(acme) as tx:
        build.user(tx, role="admin")
        alerts.open(tx, "email_provider_failures", "The provider fails.")
    return acme


def _states(database: Database, tenant: UUID) -> list[str]:
    with database.tenant(tenant) as tx:
        return [row["state"] for row in tx.rows("SELECT state FROM operator_notices ORDER BY id")]
