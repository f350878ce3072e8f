"""Compliance as records: schedules, checks made once for each record and period, and what becomes of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import (
    cards,
    clients,
    compliance_fields,
    compliance_figures,
    contacts,
    credit,
    forgetting,
    orders,
    settings,
    tasks,
)
from domain import compliance_changes as changes
from domain import compliance_checks as checks
from domain import compliance_generation as generation
from domain import compliance_life as life
from domain import compliance_schedules as schedules
from domain import compliance_validation as validation
from domain.compliance_checks import MOVES, OPEN, STATES, IllegalCheckMove, InvalidCheck
from domain.compliance_life import Reminder
from domain.compliance_schedules import InvalidSchedule, Schedule
from domain.db import Database, Tx
from tests import build
from tests.hand_clock import HandClock


def monthly(tx: Tx, **fields: Any) -> Schedule:
    """Phone and title of every contact, due in ten days."""
    given: dict[str, Any] = {
        "name": "Contact details", "frequency": "monthly", "applies_to": "contact",
        "anchor_on": (tx.now + timedelta(days=10)).date(), "required_fields": ["phone", "title"],
    }  # fmt: skip
    return schedules.create(tx, **{**given, **fields})


def of(tx: Tx, entity_id: UUID) -> checks.Check:
    """The newest check of a record."""
    return next(each for each in checks.listed(tx, limit=1_000) if each.entity_id == entity_id)


def test_the_database_holds_the_same_moves(clone: Database) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        told = {state: frozenset(tx.value("SELECT hourhand.compliance_moves(:s)", s=state)) for state in STATES}
    assert told == dict(MOVES)


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"frequency": "weekly"}, "frequency"),
    ({"applies_to": "order"}, "applies_to"),
    ({"name": " \n "}, "name"),
    ({"required_fields": []}, "required_fields"),
    ({"required_fields": ["phone", "iban"]}, "iban"),
    ({"required_fields": ["credit_limit"]}, "credit_limit"),
    ({"filter": {"name": "x' OR true --"}}, "filter"),
    ({"filter": {"status": ["active' OR true --"]}}, "filter.status"),
    ({"filter": {"country": "Atlantis"}}, "filter.country"),
    ({"filter": {"has_orders": 1}}, "filter.has_orders"),
    ({"filter": {"min_annual_value": "NaN"}}, "filter.min_annual_value"),
    ({"applies_to": "client", "required_fields": ["country"], "filter": {"has_address": True}}, "has_address"),
    ({"anchor_on": date(1999, 1, 1)}, "anchor_on"),
]


def test_what_a_schedule_may_say_is_a_closed_list(clone: Database) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        for wrong, word in WRONG:
            with pytest.raises(InvalidSchedule, match=word):
                monthly(tx, **wrong)
        monthly(tx)
        with pytest.raises(InvalidSchedule, match="already"):
            monthly(tx)


def test_checks_are_made_once_for_each_record_and_period(clone: Database, clock: HandClock) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        account = build.client(tx)
        whole = build.contact(tx, account, "a@initech.example", phone="+1 212 555 0100", title="Head")
        lacking = build.contact(tx, account, "b@initech.example", title="Clerk")
        prospect = build.contact(tx, build.client(tx, "Hooli", relationship="prospect"), "c@hooli.example")
        one = monthly(tx)
        assert [generation.generate(tx, one.id, limit=1) for _ in range(4)] == [1, 1, 0, 0]
        assert generation.generate(tx) == 0
        done, asked = of(tx, whole), of(tx, lacking)
        assert (done.state, done.evidence["fields"], done.evidence["sources"]) == (
            "completed", ["phone", "title"], {"phone": "person", "title": "person"})  # fmt: skip
        assert (asked.state, asked.missing, asked.remind_at) == ("pending", ["phone"], tx.now)
        assert [each for each in checks.listed(tx) if each.entity_id == prospect] == []
        now = schedules.get(tx, one.id)
        assert (now.next_period, now.swept_to) == (1, None)
        tx.run("UPDATE compliance_schedule SET next_period = 0, next_on = anchor_on WHERE tenant_id = :t",
               t=tx.tenant_id)  # fmt: skip
        assert generation.generate(tx) == 0
        assert len(checks.listed(tx)) == 2


CHOSEN: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"active", "rich"}),
    ({"relationship": ["client", "prospect"]}, {"active", "rich", "prospect"}),
    ({"status": "inactive"}, {"inactive"}),
    ({"country": ["pt"]}, {"rich"}),
    ({"min_annual_value": "5000"}, {"rich"}),
    ({"managed": True}, {"rich"}),
    ({"has_orders": True}, {"active", "rich"}),
    ({"orders_on_bill": True}, {"rich"}),
    ({"may_order_on_bill": False}, {"active"}),
    ({"language": ["pt", "es"]}, {"rich"}),
]


def test_a_filter_chooses_by_what_the_records_hold(clone: Database) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        boss = build.user(tx)
        accounts: dict[str, dict[str, Any]] = {
            "active": {}, "inactive": {"status": "inactive"}, "prospect": {"relationship": "prospect"},
            "rich": {"country": "PT", "annual_value": 9_000, "manager_id": boss, "language": "pt"},
        }  # fmt: skip
        for name, fields in accounts.items():
            build.client(tx, name, **fields)
        rich, active = (clients.by_name(tx, name) for name in ("rich", "active"))
        assert rich
        assert active
        credit.put(tx, rich.id, terms="bill", credit_limit="100")
        orders.put(tx, client_id=rich.id, external_id="1", billing="bill")
        orders.put(tx, client_id=active.id, external_id="2")
        for chosen, expected in CHOSEN:
            one = monthly(tx, name=str(chosen), applies_to="client", required_fields=["domain"], filter=chosen)
            generation.generate(tx, one.id)
            found = checks.listed(tx, schedule_id=one.id)
            names = {account.name for each in found if (account := clients.get(tx, each.client_id))}
            assert names == expected, chosen
            # so does its spelling for filters that are read along with the checks
            by_row = tx.rows(
                f"""SELECT l.name FROM clients l
                    WHERE l.tenant_id = :t AND {compliance_fields.kept_condition("client", "CAST(:kept AS jsonb)")}""",
                t=tx.tenant_id, kept={**compliance_fields.UNLESS_TOLD, **one.filter},
            )  # fmt: skip
            assert {row["name"] for row in by_row} == expected, chosen


def test_a_record_made_whole_completes_its_check_and_is_looked_at_because_it_changed(
    clone: Database, clock: HandClock
) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        account = build.client(tx)
        person = build.contact(tx, account)
        monthly(tx)
        credit_check = build.check(tx, account)
        generation.generate(tx)
        [found] = validation.validate(tx, validation.due(tx))
        assert found.lacks == ("phone", "title")
        assert found.asked is not None
        assert found.asked.id == person
        contacts.upsert(tx, build.VAULT, contact_id=person, phone="+1 212 555 0100")
        assert of(tx, person).missing == ["phone", "title"]
        [found] = [each for each in validation.validate(tx, validation.due(tx)) if each.check.contact_id]
        assert found.check.missing == ["title"]
        contacts.upsert(tx, build.VAULT, contact_id=person, title="Boss", source="mail")
        assert [each for each in validation.validate(tx, validation.due(tx)) if each.check.contact_id] == []
        done = of(tx, person)
        assert (done.state, done.closed_by, done.evidence["sources"]["title"]) == ("completed", "agent", "mail")
        credit.put(tx, account, credit_limit="5000")
        assert validation.validate(tx, validation.due(tx)) == []
        assert checks.get(tx, credit_check.id).state == "completed"


def test_an_overdue_check_is_escalated_taken_back_and_settled_with_its_task(clone: Database, clock: HandClock) -> None:
    with clone.tenant(build.acme(clone), actor="ana") as tx:
        account = build.client(tx)
        check = build.check(tx, account, due_days=-8)
        with pytest.raises(IllegalCheckMove):
            life.escalate(tx, check.id)
        assert validation.complete(tx, check.id).state == "overdue"
        waiting = build.card(tx, None, kind="compliance_reminder", client_id=account, subject_type=checks.SUBJECT,
                             subject_id=str(check.id))  # fmt: skip
        life.escalate(tx, check.id)
        # nobody of the account is asked any more
        assert [each.id for each in cards.listed(tx, state="cancelled")] == [waiting.id]
        task = tasks.create(tx, title="See to it", basis="compliance_deadline", evidence={"check_id": str(check.id)},
                            client_id=account)  # fmt: skip
        life.handed_over(tx, check.id, task.id)
        assert [row["schedule"] for row in life.untold(tx)] == [schedules.get(tx, check.schedule_id).name]
        life.told(tx, [check.id])
        assert life.untold(tx) == []
        back = life.take_back(tx, check.id)
        assert (back.state, back.escalate_at, tasks.listed(tx)) == ("overdue", None, [])
        with pytest.raises(InvalidCheck):
            checks.waive(tx, check.id, by="ana", reason=" ")
        waived = checks.waive(tx, check.id, by="ana", reason="they merge with Hooli")
        assert waived == checks.waive(tx, check.id, by="bob", reason="again")
        assert (waived.state, waived.closed_by, waived.reason) == ("waived", "ana", "they merge with Hooli")
        told = compliance_figures.total(compliance_figures.stats(tx))
        assert (told.due, told.overdue, told.waived, told.on_time_share) == (0, 0, 1, 1.0)
        again = checks.reopen(tx, check.id, reason="they do not")
        assert (again.state, again.escalate_at) == ("pending", tx.now + timedelta(days=7))
        assert validation.complete(tx, check.id).state == "overdue"
        told = compliance_figures.total(compliance_figures.stats(tx))
        assert (told.overdue, told.on_time_share) == (1, 0.0)


def test_an_answer_leaves_the_account_in_peace_and_held_requests_move_a_shadow_alone(
    clone: Database, clock: HandClock
) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        account = build.client(tx)
        person = build.contact(tx, account)
        monthly(tx)
        generation.generate(tx)
        check, card = of(tx, person), build.card(tx, person)

        def asked(attempt: int) -> list[Reminder]:
            return [Reminder(check.id, card.id, attempt, person, None, tx.now)]

        life.held(tx, asked(1))
        assert (of(tx, person).state, validation.due(tx)[0].shadowed) == ("pending", True)
        settings.change(tx, {"send_mode": "dry_run"})
        assert validation.due(tx)[0].shadowed is False
        life.reminded(tx, asked(1))
        first = of(tx, person)
        assert (first.state, first.reminders, first.remind_at) == ("reminded", 1, tx.now + timedelta(days=5))
        assert life.heard(tx, account, at=tx.now + timedelta(days=4)) == 1
        assert of(tx, person).remind_at == tx.now + timedelta(days=7)
        assert life.heard(tx, account, at=tx.now + timedelta(days=4)) == 0
        life.reminded(tx, asked(3))
        assert of(tx, person).remind_at is None
        assert checks.remind(tx, check.id).remind_at == tx.now


def test_what_was_missed_while_nobody_was_at_work_is_passed_over_and_said(clone: Database, clock: HandClock) -> None:
    acme = build.acme(clone)
    with clone.tenant(acme) as tx:
        person = build.contact(tx)
        one = monthly(tx, anchor_on=date(2026, 3, 31))
        assert generation.generate(tx) == 0
    clock.advance(days=100)
    with clone.tenant(acme) as tx:
        assert generation.generate(tx) == 1
        now = schedules.get(tx, one.id)
        [event] = tx.rows("SELECT data FROM warehouse_events WHERE tenant_id = :t AND type = 'compliance.passed_over'",
                          t=acme)  # fmt: skip
        check = of(tx, person)
        assert event["data"]["periods"] == ["2026-03-31", "2026-04-30"]
        assert (check.period, check.due_on, now.next_on) == (date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 30))
        changes.change(tx, one.id, active=False)
        assert schedules.next_due(tx, schedules.listed(tx)) is None
    clock.advance(days=400)
    with clone.tenant(acme) as tx:
        assert generation.generate(tx) == 0
        resumed = changes.change(tx, one.id, active=True, required_fields=["title"]).schedule
        assert resumed.next_on >= tx.now.date()
        with pytest.raises(InvalidSchedule):
            changes.change(tx, one.id, frequency="annual")
    assert "pending" in OPEN


def test_nothing_is_required_of_an_erased_person(clone: Database, clock: HandClock) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        person = build.contact(tx)
        one = monthly(tx)
        generation.generate(tx)
        forgetting.blank_contact(tx, person)
        gone = of(tx, person)
        assert (gone.state, gone.closed_by, checks.let_go(tx, person)) == ("waived", "erasure", 0)
        for closed_by in ("erasure", "ana"):
            tx.run("UPDATE compliance_checks SET closed_by = :by WHERE tenant_id = :t", by=closed_by, t=tx.tenant_id)
            with pytest.raises(IllegalCheckMove):
                checks.reopen(tx, gone.id, reason="a mistake")
        tx.run("UPDATE compliance_schedule SET swept_to = NULL, next_on = :day WHERE tenant_id = :t",
               day=(tx.now + timedelta(days=12)).date(), t=tx.tenant_id)  # fmt: skip
        assert generation.generate(tx, one.id) == 0


def test_a_contact_is_due_where_they_are_and_follows_to_their_new_account(clone: Database, clock: HandClock) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        account = build.client(tx)
        person = build.contact(tx, account, country="IL", timezone="Asia/Jerusalem")
        # a Friday, on which nobody works there
        monthly(tx, anchor_on=date(2026, 3, 13))
        generation.generate(tx)
        check = of(tx, person)
        assert (check.due_on, check.due_at.isoformat()) == (date(2026, 3, 15), "2026-03-15T22:00:00+00:00")
        other = build.client(tx, "Hooli")
        contacts.upsert(tx, build.VAULT, contact_id=person, client_id=other)
        validation.validate(tx, validation.due(tx))
        assert of(tx, person).client_id == other


def test_who_writes_before_they_were_asked_has_answered_nothing_and_an_answer_withdraws_what_waits(
    clone: Database, clock: HandClock
) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        account = build.client(tx)
        person = build.contact(tx, account)
        monthly(tx)
        generation.generate(tx)
        check = of(tx, person)
        assert life.heard(tx, account, at=tx.now) == 0
        life.reminded(tx, [Reminder(check.id, build.card(tx, person).id, 1, person, None, tx.now)])
        waiting = build.card(tx, person, kind="compliance_reminder", subject_type=checks.SUBJECT,
                             subject_id=str(check.id))  # fmt: skip
        assert life.heard(tx, account, at=tx.now - timedelta(hours=1)) == 0
        assert life.heard(tx, account, at=tx.now + timedelta(hours=1)) == 1
        assert [each.id for each in cards.listed(tx, state="cancelled")] == [waiting.id]
        # a person who wants them asked all the same is heard at once
        assert checks.remind(tx, check.id).heard_at is None


def test_only_a_manager_who_has_shown_that_the_address_is_theirs_is_named(clone: Database) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        account = build.client(tx, manager_id=build.user(tx, verified=False))
        check = build.check(tx, account, due_days=-8)
        validation.complete(tx, check.id)
        life.escalate(tx, check.id)
        assert [row["manager_id"] for row in life.untold(tx)] == [None]


def test_what_somebody_tells_of_themselves_fills_a_gap_and_replaces_nothing(clone: Database) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        person, message = build.contact(tx, title="Head"), UUID(int=5)
        told = {"phone": "+1 212 555 0100", "title": "Vice president"}
        assert contacts.fill(tx, person, message_id=message, confidence=0.8, phone="no number") == ()
        assert contacts.fill(tx, person, message_id=message, confidence=0.8, **told) == ("phone",)
        assert contacts.fill(tx, person, message_id=message, confidence=0.8, phone="+1 212 555 0199") == ()
        found = contacts.get(tx, person)
        assert found is not None
        assert (found.phone, found.title) == ("+12125550100", "Head")
        assert found.provenance["phone"]["message_id"] == str(message)
