"""The compliance engine at its turns: what it proposes and how pressing, when it is due next, and its last look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from domain import cards, clocks, contacts, settings
from domain import compliance_changes as changes
from domain import compliance_checks as checks
from domain import compliance_generation as generation
from domain import compliance_life as life
from domain import compliance_validation as validation
from domain.cards import Card, Proposal
from domain.db import Database, Tx
from domain.intentions import Board
from domain.intentions import Standing as OnBoard
from domain.settings import TenantSettings
from engines.compliance.engine import ComplianceEngine, escalate_compliance
from engines.compliance.selection import escalate_key, priority, remind_key, select
from engines.contract import Context
from engines.room import Room
from tests import build, gears, undone
from tests.domain.test_compliance import monthly, of
from tests.engines.test_compliance_choice import CHECK, DUE, LATE, NOW, TERM

ENGINE = ComplianceEngine()
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(scope="module")
def house(cluster: gears.Cluster) -> Iterator[tuple[Database, UUID]]:
    """The house of all tests of this file, and what they all need in it."""
    with undone.a_house(cluster, timezone=NEW_YORK.key) as (database, acme):
        yield database, acme


def context(tx: Tx) -> Context:
    return Context(tx, settings.of(tx))


def proposals(tx: Tx) -> list[Proposal]:
    return list(ENGINE.plan(context(tx)).proposals)


def opening(day: Any) -> datetime:
    """When the window of a period opens, where the tenant is."""
    return datetime.combine(day - timedelta(days=14), time(), NEW_YORK)


def test_it_is_due_when_the_next_window_opens_or_the_next_check_calls(tx: Tx) -> None:
    person = build.contact(tx)
    assert ENGINE.next_due(context(tx)) is None
    one = monthly(tx, anchor_on=(tx.now + timedelta(days=20)).date())
    assert ENGINE.next_due(context(tx)) == opening(one.next_on)
    settings.change(tx, {"compliance_window_days": 40})
    generation.generate(tx)
    assert ENGINE.next_due(context(tx)) == tx.now
    check = of(tx, person)
    life.reminded(tx, [life.Reminder(check.id, check.id, 1, person, None, tx.now)])
    assert ENGINE.next_due(context(tx)) == tx.now + timedelta(days=5)
    contacts.upsert(tx, build.VAULT, contact_id=person, phone="+1 212 555 0100", title="Head")
    validation.complete(tx, check.id)
    assert ENGINE.next_due(context(tx)) == datetime.combine(one.next_on, time(), NEW_YORK)
    changes.change(tx, one.id, active=False)
    assert ENGINE.next_due(context(tx)) is None


def escalation(tx: Tx, check: checks.Check) -> Card:
    named = str(check.id)
    return build.card(tx, None, kind="escalate_compliance", client_id=check.client_id, subject_type=checks.SUBJECT,
                      subject_id=named, payload={"check_id": named}, dedupe_key=named)  # fmt: skip


def test_a_check_is_looked_at_once_more_before_it_is_taken_to_a_manager(tx: Tx) -> None:
    person = build.contact(tx, account := build.client(tx))
    late = build.check(tx, account, due_days=-8, required=("contact_phone",))
    whole = build.check(tx, account, due_days=-8, required=("contact_phone", "country"))
    validation.complete(tx, late.id)
    card = escalation(tx, late)
    [first] = [each for each in proposals(tx) if each.subject_id == str(late.id)]
    assert (first.type, first.contact_id) == ("compliance_reminder", person), "its term is not over"
    assert "check_id" in escalate_compliance(context(tx), card).facts
    [task] = cards.listed(tx, kind="create_task")
    assert (task.payload["basis"], task.payload["check_id"]) == ("compliance_deadline", str(late.id))
    # a second card, or one that comes when the record was filled in between, does nothing
    assert "unchanged" in escalate_compliance(context(tx), card).facts
    contacts.upsert(tx, build.VAULT, contact_id=person, phone="+1 212 555 0100")
    assert "unchanged" in escalate_compliance(context(tx), escalation(tx, whole)).facts
    assert checks.get(tx, whole.id).state == "completed"
    gone = replace(card, payload={"check_id": str(UUID(int=8))})
    assert "unchanged" in escalate_compliance(context(tx), gone).facts
    assert len(cards.listed(tx, kind="create_task")) == 1


def test_what_is_past_its_term_comes_before_every_request_and_outlives_a_weekend(tx: Tx) -> None:
    account = build.client(tx)
    build.contact(tx, account)
    check = build.check(tx, account, due_days=-9, required=("contact_phone",))
    tx.run("UPDATE compliance_checks SET escalate_at = :at WHERE tenant_id = :t", at=tx.now, t=tx.tenant_id)
    [taken] = proposals(tx)
    assert (taken.type, taken.subject_id) == ("escalate_compliance", str(check.id))
    assert taken.priority > priority(replace(DUE, reminders=99, check=LATE), NOW) == 1_000
    assert taken.latest_at - tx.now > timedelta(days=3)


def test_a_request_hangs_below_the_conversation_with_whom_it_asks_and_no_other(tx: Tx) -> None:
    account = build.client(tx)
    person, colleague = (build.contact(tx, account, f"{name}@initech.example") for name in ("a", "b"))
    thread = build.thread(tx, client_id=account, contact_id=person)
    check = build.check(tx, account, required=("contact_phone",))
    tx.run("UPDATE compliance_checks SET asked_id = :p, thread_id = :h WHERE tenant_id = :t", p=person, h=thread,
           t=tx.tenant_id)  # fmt: skip
    [same] = proposals(tx)
    assert (same.contact_id, same.thread_id) == (person, thread)
    clocks.exempt(tx, [person], "opted_out")
    [other] = proposals(tx)
    assert (other.contact_id, other.thread_id, other.subject_id) == (colleague, None, str(check.id))


def test_another_request_is_another_intention_and_the_same_one_is_not() -> None:
    said = {
        remind_key(DUE), remind_key(replace(DUE, lacks=("title",))), remind_key(replace(DUE, check=LATE)),
        remind_key(replace(DUE, remind_at=NOW + timedelta(hours=1))), remind_key(replace(DUE, reminders=1)),
    }  # fmt: skip
    assert len(said) == 5
    assert remind_key(replace(DUE, seen="2", asked=None)) == remind_key(DUE)
    assert escalate_key(replace(DUE, check=TERM)) != escalate_key(replace(DUE, check=LATE))


def test_what_can_not_be_done_rests_until_its_next_moment_and_a_day_at_most() -> None:
    def rests(changes: dict[str, Any], **of_check: Any) -> datetime | None:
        found = replace(DUE, check=replace(CHECK, **of_check), **changes)
        [owed] = select([found], room=Room(Board({}), TenantSettings(), NOW)).obligations
        assert owed.seen == "1"
        return owed.rests_until

    soon = NOW + timedelta(hours=3)
    a_while = rests({"asked": None})
    assert a_while is not None
    assert soon < a_while <= NOW + timedelta(days=1)
    assert rests({"asked": None}, due_at=soon) == soon
    assert rests({"remind_at": None}, state="overdue", due_at=NOW, escalate_at=soon) == soon
    assert rests({"remind_at": soon}, state="overdue", due_at=NOW) == soon


def test_a_refused_request_rests_for_a_while_and_one_that_is_not_due_yet_takes_no_place_in_the_hour() -> None:
    chosen = TenantSettings(compliance_reminders_per_cycle=1)
    refused = {remind_key(DUE): OnBoard("blocked", NOW, NOW - timedelta(hours=1), "no_spam.gap")}
    [owed] = select([DUE], room=Room(Board(refused), chosen, NOW)).obligations
    until = NOW + timedelta(hours=chosen.reconsider_hours - 1)
    assert (owed.disposition, owed.rule, owed.until) == ("blocked", "no_spam.gap", until)
    other = replace(DUE, check=replace(CHECK, id=UUID(int=77), entity_id=UUID(int=78), contact_id=UUID(int=78)))
    later = {remind_key(DUE): OnBoard("deferred", NOW + timedelta(hours=1), NOW)}
    other = replace(other, lacks=("title",))
    assert select([DUE, other], room=Room(Board(later), chosen, NOW)).reminders == [other]
    now = {remind_key(DUE): OnBoard("deferred", NOW, NOW)}
    assert select([DUE, other], room=Room(Board(now), chosen, NOW)).reminders == []
