"""Choosing what to do about checks in an hour: whom to ask, what waits and why, and what goes to a manager."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.compliance_checks import Check
from domain.compliance_validation import Asked, Standing
from domain.intentions import Board
from domain.intentions import Standing as Card
from domain.settings import TenantSettings
from engines.compliance import letter
from engines.compliance.selection import escalate_key, priority, remind_key, select
from engines.room import Room

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
BILL = Asked(UUID(int=4), "Bill Lumbergh", None, None, None)
CHECK = Check(
    id=UUID(int=1), schedule_id=UUID(int=2), entity_id=UUID(int=4), client_id=UUID(int=3), contact_id=UUID(int=4),
    period=date(2026, 3, 14), due_on=date(2026, 3, 16), due_at=NOW + timedelta(days=14), state="pending",
    required=("phone",), missing=("phone",), validated_at=NOW, evidence={}, reminders=0, last_reminded_at=None,
    remind_at=NOW, asked_id=None, heard_at=None, thread_id=None, escalate_at=NOW + timedelta(days=21),
    escalated_at=None, told_at=None, task_id=None, closed_at=None, closed_by=None, reason=None, rests_until=None,
    rest=None,
    created_at=NOW,
    updated_at=NOW,
)  # fmt: skip
DUE = Standing(
    check=CHECK, lacks=("phone",), record={}, shadowed=False, reminders=0, remind_at=NOW, changed=False, seen="1",
    account_id=UUID(int=3), account="Initech", account_status="active", relationship="client", account_language=None,
    manager_id=None, person="Bill Lumbergh", asked=BILL, thread_subject=None, company="Acme",
)  # fmt: skip
LATE = replace(CHECK, state="overdue", due_at=NOW - timedelta(days=1), escalate_at=NOW + timedelta(days=6))
TERM = replace(LATE, due_at=NOW - timedelta(days=8), escalate_at=NOW - timedelta(days=1))


def number(due: Standing, which: int) -> Standing:
    """The same of another account's record, about which somebody else is asked."""
    person = replace(BILL, id=UUID(int=200 + which))
    of_another = replace(due.check, id=UUID(int=100 + which), entity_id=person.id, contact_id=person.id)
    return replace(due, check=of_another, asked=person, account_id=UUID(int=300 + which))


@pytest.mark.parametrize(
    ("changes", "of_check", "said"),
    [
        ({}, CHECK, ("asked", None, None)),
        ({"account_status": "inactive"}, CHECK, ("blocked", "compliance.active_account", None)),
        ({"relationship": "prospect"}, CHECK, ("blocked", "compliance.existing_relationship", None)),
        ({"asked": None}, CHECK, ("blocked", "compliance.reachable", None)),
        ({"asked": replace(BILL, paused_until=NOW + timedelta(days=2))}, CHECK,
         ("deferred", "compliance.away", NOW + timedelta(days=2))),
        ({"asked": replace(BILL, paused_until=NOW)}, CHECK, ("asked", None, None)),
        # a mode held it: it is owed, and not written again
        ({"shadowed": True}, CHECK, ("held", "compliance.held", None)),
        ({"lacks": ("external_id",)}, CHECK, "nothing"),
        ({"remind_at": NOW + timedelta(hours=1)}, CHECK, "nothing"),
        ({"remind_at": NOW + timedelta(days=2)}, LATE,
         ("deferred", "compliance.waiting_for_answer", NOW + timedelta(days=2))),
        ({"remind_at": NOW + timedelta(days=9)}, LATE,
         ("deferred", "compliance.waiting_for_answer", NOW + timedelta(days=6))),
        ({"remind_at": None}, LATE, ("deferred", "compliance.waiting_for_answer", NOW + timedelta(days=6))),
        ({}, LATE, ("asked", None, None)),
        ({"remind_at": None}, replace(LATE, escalate_at=None), ("blocked", "compliance.left_to_people", None)),
        ({}, TERM, ("escalated", None, None)),
    ],
)  # fmt: skip
def test_each_check_that_is_due_is_asked_about_put_off_or_taken_to_somebody(
    changes: dict[str, Any], of_check: Check, said: Any
) -> None:
    told = select([replace(DUE, check=of_check, **changes)], room=Room(Board({}), TenantSettings(), NOW))
    if said == "nothing":
        assert not told.obligations
        return
    [owed] = told.obligations
    became = "asked" if told.reminders else "escalated" if told.escalations else owed.disposition
    assert (became, owed.rule, owed.until) == said


def test_an_hour_has_its_budget_and_what_waits_on_the_board_counts_against_it() -> None:
    chosen = TenantSettings(compliance_reminders_per_cycle=2, compliance_escalations_per_cycle=1)
    first, second, third = (number(DUE, which) for which in range(3))
    waiting = {remind_key(first): Card("deferred", NOW, NOW)}
    told = select([first, second, third], room=Room(Board(waiting), chosen, NOW))
    assert told.reminders == [second]
    assert [(owed.disposition, owed.rule) for owed in told.obligations] == [
        (None, None), (None, None), ("deferred", "compliance.budget")]  # fmt: skip
    terms = [number(replace(DUE, check=TERM), which) for which in range(2)]
    told = select(terms, room=Room(Board({}), chosen, NOW))
    assert told.escalations == terms[:1]
    assert [owed.rule for owed in told.obligations] == [None, "compliance.budget"]
    done = {escalate_key(each): Card("queued", NOW, NOW) for each in terms}
    assert select(terms, room=Room(Board(done), chosen, NOW)).escalations == []


def test_what_presses_more_comes_first_and_a_request_that_nobody_should_get_is_withdrawn() -> None:
    fresh, again = number(DUE, 0), number(replace(DUE, reminders=1), 1)
    late = number(replace(DUE, check=LATE), 2)
    assert [priority(each, NOW) for each in (fresh, again, late)] == [700, 775, 800]
    assert priority(replace(late, reminders=9), NOW) == 1_000
    told = select([fresh, again, late], room=Room(Board({}), TenantSettings(), NOW))
    assert told.reminders == [late, again, fresh]
    gone = replace(DUE, account_status="inactive")
    waiting = {remind_key(gone): Card("deferred", NOW, NOW)}
    assert select([gone], room=Room(Board(waiting), TenantSettings(), NOW)).withdrawn == [gone]


def test_a_request_says_whose_record_it_is_about_whether_it_was_asked_and_whether_its_day_is_over() -> None:
    def told(due: Standing) -> tuple[Any, ...]:
        slots = letter.slots(due, TenantSettings(), "en", NOW)
        return tuple(slots[name] for name in ("of_account", "of_another", "person", "again", "late"))

    assert told(DUE) == (False, False, "", False, False)
    colleague = replace(BILL, id=UUID(int=9), name="Samir N")
    assert told(replace(DUE, asked=colleague)) == (False, True, "Bill Lumbergh", False, False)
    # a name that may be something else is not told to others
    assert told(replace(DUE, asked=colleague, person="see http://x.example"))[1:3] == (True, "")
    of_account = replace(DUE, check=replace(CHECK, contact_id=None, entity_id=UUID(int=3)), person=None)
    assert told(of_account)[:3] == (True, False, "")
    assert told(replace(DUE, reminders=1, check=LATE))[3:] == (True, True)
