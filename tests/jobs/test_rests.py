"""Rests: what is due and can't be done is read once a day, counted each hour, and woken by what makes it possible."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import cases, clients, clocks, contacts, feedback, ledger, orders, reflections, rests, settings
from domain import compliance_checks as checks
from domain import compliance_schedules as schedules
from domain.db import Database, Row, Tx
from domain.house import House, LocalBrakes
from domain.settings import Mode
from engines.compliance.engine import ComplianceEngine
from engines.feedback.engine import FeedbackEngine
from jobs import cycle, explain
from tests import build, houses
from tests.hand_clock import HandClock

ENGINES = (FeedbackEngine(), ComplianceEngine())
CROWD = 12
REACHABLE, CASE, BUDGET = "compliance.reachable", "feedback.open_case", "compliance.budget"


class Crash(BaseException):
    """The process dies here."""


@dataclass
class Book:
    """Acme in a dry run, with accounts of one person each, none of whom can be written to, and a check of each."""

    house: House
    acme: UUID
    clock: HandClock
    people: list[UUID]

    def hour(self, house: House | None = None) -> list[Row]:
        """An hour passes; its ledger, which adds up."""
        self.clock.advance(minutes=61)
        run_id = cycle.run(house or self.house, self.acme, kind="manual", engines=ENGINES)
        with self.house.database.tenant(self.acme) as tx:
            row = tx.row("""SELECT r.errors, f.facts -> 'ledger' AS told,
                                   r.work_blocks -> 0 -> 'counts' ->> 'obligations' AS planned
                            FROM agent_autonomous_runs r JOIN agent_hourly_reflections f
                              ON f.tenant_id = :t AND f.run_id = r.id WHERE r.tenant_id = :t AND r.id = :id""",
                         t=tx.tenant_id, id=run_id)  # fmt: skip
            assert row is not None
            lines = ledger.lines(tx, UUID(str(run_id)))
            due = tx.value("""SELECT (SELECT count(*) FROM compliance_checks WHERE tenant_id = :t
                                      AND state IN ('pending', 'reminded', 'overdue') AND remind_at <= :now)
                                   + (SELECT count(*) FROM feedback_requests WHERE tenant_id = :t AND state = 'queued'
                                      AND due_at <= :now)""", t=tx.tenant_id, now=tx.now)  # fmt: skip
        assert row["errors"] == []
        assert sum(line["count"] for line in lines) == sum(row["told"].values()) == due
        assert int(row["planned"] or 0) == due
        return lines

    def ana(self) -> Any:
        """A transaction of a person at Acme."""
        return self.house.database.tenant(self.acme, actor="ana")

    def check_of(self, person: UUID) -> checks.Check:
        with self.ana() as tx:
            return checks.listed(tx, contact_id=person)[0]


@pytest.fixture
def book(clone: Database, clock: HandClock) -> Iterator[Book]:
    clock.advance(hours=6)
    with houses.house(clone) as house:
        acme = build.acme(clone, send_mode="dry_run")
        with clone.tenant(acme, actor="ana") as tx:
            people = [build.contact(tx, build.client(tx, f"Client {n}"), None, name=f"Person {n}")
                      for n in range(CROWD)]  # fmt: skip
            schedules.create(tx, name="Telephones", frequency="annual", applies_to="contact",
                             anchor_on=(tx.now + timedelta(days=12)).date(), required_fields=["phone"])  # fmt: skip
        yield Book(house, acme, clock, people)


def looked_at(lines: list[Row], rule: str | None = None) -> int:
    """How many were read one by one."""
    return sum(line["count"] == 1 and not line["subject_id"].startswith("resting")
               for line in lines if rule in (None, line["rule"]))  # fmt: skip


def resting(lines: list[Row]) -> dict[str, int]:
    """How many rest, by rule."""
    return {line["rule"]: line["count"] for line in lines if line["subject_id"].startswith("resting")}


def test_a_blocked_crowd_is_read_once_a_day_and_counted_each_hour(book: Book) -> None:
    assert looked_at(book.hour(), REACHABLE) == CROWD
    for _ in range(3):
        lines = book.hour()
        assert (looked_at(lines), resting(lines)) == (0, {REACHABLE: CROWD})
    with book.ana() as tx:
        [group] = rests.counted(tx, checks.SUBJECT)
        assert (group.resting, group.rule) == (CROWD, REACHABLE)
        check = checks.listed(tx)[0]
        assert (check.rest or {})["rule"] == REACHABLE
        # each has its own share of the day, so that not all of them are read in one hour again
        ends = [each.rests_until for each in checks.listed(tx) if each.rests_until]
        assert tx.now + timedelta(hours=8) < min(ends) < max(ends) <= tx.now + timedelta(hours=24)
        assert len({end.hour for end in ends}) > CROWD / 3
    assert explain.cycle(book.house, book.acme, engines=ENGINES)["obligations"] == CROWD
    book.clock.advance(hours=22)
    assert looked_at(book.hour(), REACHABLE) == CROWD


def test_each_event_that_makes_something_possible_wakes_it_by_the_next_hour(book: Book) -> None:
    book.hour()
    addressed, inactive, pausing, *_ = book.people

    def is_asked(person: UUID) -> bool:
        lines = book.hour()
        [line] = [line for line in lines if line["subject_id"] == str(book.check_of(person).id)]
        return line["card_id"] is not None

    with book.ana() as tx:
        contacts.upsert(tx, book.house.vault, contact_id=addressed, email="a@client.example")
    assert is_asked(addressed)
    with book.ana() as tx:
        clocks.exempt(tx, [addressed], "opted_out")
        contacts.upsert(tx, book.house.vault, contact_id=inactive, email="b@client.example")
        client_id = book.check_of(inactive).client_id
        clients.upsert(tx, client_id=client_id, status="inactive")
    assert not is_asked(inactive)
    with book.ana() as tx:
        clients.upsert(tx, client_id=client_id, status="active")
    assert is_asked(inactive)
    with book.ana() as tx:
        contacts.upsert(tx, book.house.vault, contact_id=pausing, email="c@client.example")
        clocks.pause(tx, pausing, tx.now + timedelta(days=5))
    assert not is_asked(pausing)
    with book.ana() as tx:
        clocks.resume(tx, pausing)
    assert is_asked(pausing)
    with book.ana() as tx:
        contacts.upsert(tx, book.house.vault, contact_id=book.people[3], email="d@client.example")
        clocks.exempt(tx, [book.people[3]], "opted_out")
    assert not is_asked(book.people[3])
    with book.ana() as tx:
        clocks.reinstate(tx, book.people[3])
    assert is_asked(book.people[3])
    # what a person does to the check itself, and what the person's record comes to hold
    with book.ana() as tx:
        checks.waive(tx, book.check_of(book.people[4]).id, by="ana", reason="they have none")
        contacts.upsert(tx, book.house.vault, contact_id=book.people[5], phone="+12125550199")
    book.hour()
    assert book.check_of(book.people[5]).state == "completed"


def test_news_during_a_plan_or_before_a_crash_is_heard_by_the_next(book: Book) -> None:
    book.hour()
    here, there = book.people[:2]
    crashed: list[str] = []

    def fault(step: str) -> None:
        if step == "plan.proposed" and not crashed:
            # after the engines have read, before they lay to rest
            with book.ana() as tx:
                clocks.resume(tx, here)
        if step == "plan.judged":
            crashed.append(step)
            raise Crash

    book.clock.advance(hours=23)
    with book.ana() as tx:
        for person, name in ((here, "here"), (there, "there")):
            contacts.upsert(tx, book.house.vault, contact_id=person, email=f"{name}@client.example")
        clocks.pause(tx, here, tx.now + timedelta(days=9))
    with pytest.raises(Crash):
        book.hour(houses.with_fault(book.house, fault))
    # the hour that was cut short is ended first, and counts nobody twice
    lines = book.hour()
    assert (looked_at(lines), resting(lines)) == (CROWD, {})
    assert book.check_of(here).rest is not None
    lines = book.hour()
    assert {line["disposition"] for line in lines if line["subject_id"] == str(book.check_of(here).id)} == {"held"}
    assert resting(lines) == {REACHABLE: CROWD - 2, "compliance.held": 1}


def test_what_changes_between_an_engines_look_and_its_laying_to_rest_stays_awake(book: Book) -> None:
    person, asked = book.people[:2]
    with book.ana() as tx:
        for who, name in ((person, "person"), (asked, "asked")):
            contacts.upsert(tx, book.house.vault, contact_id=who, email=f"{name}@client.example")
        # of whom nothing but the order is to be written about
        contacts.upsert(tx, book.house.vault, contact_id=asked, phone="+12125550199")
        order = _delivered(tx, asked)
    book.clock.advance(days=7, minutes=-61)
    book.hour()
    seen: list[str] = []

    def fault(step: str) -> None:
        if step == "plan.proposed" and not seen:
            seen.append(step)
            # all of them were held in the hour before, which is what the engines have just read
            with book.ana() as tx:
                feedback.ask(tx, order)
                settings.change(tx, {"send_mode": "internal_only"})

    book.hour(houses.with_fault(book.house, fault))
    assert seen
    with book.ana() as tx:
        told = feedback.of_order(tx, order)
        assert told is not None
        assert told.rests_until is None
    assert book.check_of(person).rests_until is None
    assert book.check_of(book.people[2]).rests_until is not None


def test_what_a_changed_mode_of_the_host_wakes_is_counted_once(book: Book) -> None:
    with book.ana() as tx:
        settings.change(tx, {"send_mode": "internal_only"})
        for n, person in enumerate(book.people):
            contacts.upsert(tx, book.house.vault, contact_id=person, email=f"p{n}@client.example")
        _delivered(tx, book.people[0])
    book.clock.advance(days=7, minutes=-61)
    for _ in range(2):
        book.hour()
    with book.ana() as tx:
        assert sum(each.resting for each in rests.counted(tx, checks.SUBJECT)) == CROWD
    lines = book.hour(replace(book.house, brakes=LocalBrakes(send_mode=Mode.dry_run)))
    assert sum(line["count"] for line in lines if line["subject_type"] == checks.SUBJECT) == CROWD
    assert not resting(lines)


def _delivered(tx: Tx, person: UUID) -> UUID:
    """An order of theirs, which was delivered."""
    contact = contacts.get(tx, person)
    assert contact is not None
    order = orders.put(tx, external_id="PO-1", client_id=contact.client_id, contact_id=person, status="accepted",
                       fee="1", total_amount="1")  # fmt: skip
    orders.move(tx, order.id, "delivered")
    return order.id


def test_whoever_waits_for_their_turn_is_read_when_it_comes(book: Book) -> None:
    with book.ana() as tx:
        settings.change(tx, {"compliance_reminders_per_cycle": 2})
        for n, person in enumerate(book.people):
            contacts.upsert(tx, book.house.vault, contact_id=person, email=f"p{n}@client.example")
    lines = book.hour()
    assert looked_at(lines, BUDGET) == CROWD - 2
    for left in (CROWD - 4, CROWD - 6):
        lines = book.hour()
        assert looked_at(lines) <= 52 + 2
        assert sum(line["disposition"] == "held" for line in lines) >= 2
        assert resting(lines).get(BUDGET, 0) + looked_at(lines, BUDGET) == left
    # a budget that was raised is used at once
    with book.ana() as tx:
        settings.change(tx, {"compliance_reminders_per_cycle": 50})
    lines = book.hour()
    assert resting(lines).get(BUDGET, 0) + looked_at(lines, BUDGET) == 0


def test_feedback_that_waits_for_a_case_rests_and_its_closing_wakes_it(book: Book) -> None:
    with book.ana() as tx:
        person = build.contact(tx, build.client(tx), name="Bill")
        account = contacts.get(tx, person)
        assert account is not None
        for n in range(4):
            made = orders.put(tx, external_id=f"PO-{n}", client_id=account.client_id, contact_id=person,
                              status="accepted", fee="1", total_amount="1")  # fmt: skip
            orders.move(tx, made.id, "delivered")
        case = cases.open(tx, kind="complaint", title="Late", evidence={"by": "ana"}, client_id=account.client_id)
    book.clock.advance(days=7, minutes=-61)
    assert looked_at(book.hour(), CASE) == 4
    for _ in range(2):
        assert resting(book.hour())[CASE] == 4
    with book.ana() as tx:
        waiting = feedback.of_order(tx, made.id)
        assert waiting is not None
        assert (waiting.rest or {})["rule"] == CASE
        cases.close(tx, case.id, outcome="made good")
    lines = book.hour()
    # one is asked about, the same person is not asked about the others at the same time
    assert looked_at(lines, "feedback.one_at_a_time") == 3
    # a record that goes is counted no more
    with book.ana() as tx:
        tx.run("DELETE FROM feedback_requests WHERE tenant_id = :t AND rests_until IS NOT NULL", t=tx.tenant_id)
    assert not any(rule.startswith("feedback") for rule in resting(book.hour()))


def test_an_hour_that_a_crash_cut_short_counts_nobody_twice_whose_rest_is_over_since(book: Book) -> None:
    with book.ana() as tx:
        for n, person in enumerate(book.people):
            contacts.upsert(tx, book.house.vault, contact_id=person, email=f"p{n}@client.example")
            clocks.pause(tx, person, tx.now + timedelta(minutes=61 * 2 + 30))

    def fault(step: str) -> None:
        if step == "plan.judged":
            raise Crash

    assert looked_at(book.hour(), "compliance.away") == CROWD
    with pytest.raises(Crash):
        book.hour(houses.with_fault(book.house, fault))
    # the pauses are over
    assert resting(book.hour()) == {"compliance.away": CROWD}


def test_news_is_written_of_what_is_open_though_nothing_rests_and_once_for_each_account(clone: Database) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        nobody, person = build.contact(tx), build.contact(tx, build.client(tx, "Client 1"), "p@client.example")
        _delivered(tx, person)
        # nobody's promise is due for a while
        tx.run("UPDATE engagement_clocks SET due_at = due_at + interval '9 days' WHERE tenant_id = :t", t=tx.tenant_id)

        def news() -> list[UUID]:
            return [row["client_id"] for row in tx.rows("SELECT client_id FROM rest_news WHERE tenant_id = :t",
                                                        t=tx.tenant_id)]  # fmt: skip

        for who, told in ((nobody, 0), (person, 1)):
            for _ in range(2):
                clocks.pause(tx, who, tx.now + timedelta(days=5))
                clocks.resume(tx, who)
            assert len(news()) == told
        rests.wake(tx)
        assert news() == []


def test_a_group_is_told_until_its_first_is_read_again_never_in_hints_and_is_gone_with_its_last(book: Book) -> None:
    first, last = book.people[:2]
    with book.ana() as tx:
        for person, days in ((first, 3), (last, 5)):
            contacts.upsert(tx, book.house.vault, contact_id=person, email=f"days{days}@client.example")
            clocks.pause(tx, person, tx.now + timedelta(hours=days))
        soonest = tx.now + timedelta(hours=3)
        for person in book.people[3:]:
            contacts.upsert(tx, book.house.vault, contact_id=person, phone="+12125550199")
    book.hour()
    lines = {line["rule"]: line for line in book.hour()}
    assert (lines[REACHABLE]["count"], lines[REACHABLE]["until"]) == (1, None)
    assert (lines["compliance.away"]["count"], lines["compliance.away"]["until"]) == (2, soonest)
    # the first is free by now, the last rests alone
    [alone] = [line for line in book.hour() if line["rule"] == "compliance.away"]
    assert (alone["count"], alone["until"], looked_at([alone])) == (1, None, 0)
    with book.ana() as tx:
        told = reflections.last(tx)
        assert told is not None
        assert told["hints"] == []
        for person in book.people[:3]:
            contacts.upsert(tx, book.house.vault, contact_id=person, phone="+12125550199")
    for _ in range(2):
        book.hour()
    with book.ana() as tx:
        assert tx.value("SELECT count(*) FROM rest_counts WHERE tenant_id = :t", t=tx.tenant_id) == 0
