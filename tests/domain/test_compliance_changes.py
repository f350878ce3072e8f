"""A schedule changed, switched off and on: what becomes of its checks, and of what waits about them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import cards, clients, compliance_figures, contacts, forgetting, settings, tasks
from domain import compliance_changes as changes
from domain import compliance_checks as checks
from domain import compliance_generation as generation
from domain import compliance_life as life
from domain import compliance_review as review
from domain import compliance_schedules as schedules
from domain import compliance_validation as validation
from domain.compliance_checks import Check, IllegalCheckMove
from domain.compliance_life import Reminder
from domain.compliance_review import Reviewed
from domain.compliance_schedules import Schedule
from domain.db import Database, Tx
from tests import build
from tests.domain.test_compliance import monthly, of
from tests.hand_clock import HandClock


def made(tx: Tx, **fields: Any) -> tuple[UUID, UUID, Schedule, Check]:
    """An account, its person who lacks both, the schedule, and the check of the period that runs."""
    account = build.client(tx)
    person = build.contact(tx, account)
    one = monthly(tx, **fields)
    generation.generate(tx)
    return account, person, one, of(tx, person)


def asked(tx: Tx, check: Check, person: UUID, *, days_ago: float, attempt: int = 1) -> None:
    """A request about it went out so long ago."""
    at = tx.now - timedelta(days=days_ago)
    life.reminded(tx, [Reminder(check.id, build.card(tx, person).id, attempt, person, None, at)])


def due_since(tx: Tx, check: Check, *, days: float) -> None:
    """Its day was so long ago."""
    tx.run("UPDATE compliance_checks SET due_at = :at, escalate_at = :at + interval '7 days' WHERE tenant_id = :t "
           "AND id = :id", at=tx.now - timedelta(days=days), t=tx.tenant_id, id=check.id)  # fmt: skip


def told(tx: Tx, kind: str) -> list[dict[str, Any]]:
    """What the events of a kind say."""
    rows = tx.rows("SELECT data FROM warehouse_events WHERE tenant_id = :t AND type = :kind ORDER BY id",
                   t=tx.tenant_id, kind=f"compliance.{kind}")  # fmt: skip
    return [row["data"] for row in rows]


def test_switched_off_everything_about_its_checks_ends_and_counts_neither_as_missed_nor_as_completed(tx: Tx) -> None:
    account, person, one, check = made(tx)
    late = build.check(tx, account, due_days=-8)
    validation.complete(tx, late.id)
    life.escalate(tx, late.id)
    task = tasks.create(tx, title="See to it", basis="compliance_deadline", evidence={"check_id": str(late.id)},
                        client_id=account)  # fmt: skip
    life.handed_over(tx, late.id, task.id)
    asked(tx, check, person, days_ago=1)
    for kind in ("compliance_reminder", "escalate_compliance", "create_task"):
        build.card(tx, person, kind=kind, subject_type=checks.SUBJECT, subject_id=str(check.id))
    assert changes.change(tx, one.id, active=False).reviewed == Reviewed(withdrawn=1)
    gone = checks.get(tx, check.id)
    assert (gone.state, gone.closed_by, gone.reason, gone.remind_at) == (
        "withdrawn", "ana", "its schedule was switched off", None)  # fmt: skip
    assert {(each.type, each.reason) for each in cards.listed(tx, state="cancelled")} == {
        (kind, "its schedule was switched off")
        for kind in ("compliance_reminder", "escalate_compliance", "create_task")
    }  # fmt: skip
    assert told(tx, "withdrawn") == [{
        "schedule_id": str(one.id), "period": check.period.isoformat(), "due_on": check.due_on.isoformat(),
        "state": "withdrawn", "missing": ["phone", "title"], "by": "ana", "reason": "its schedule was switched off",
    }]  # fmt: skip
    # the other schedule's stays as it is, until that is switched off too: its task and its notice go
    assert tasks.listed(tx) == [task]
    changes.change(tx, late.schedule_id, active=False)
    assert (tasks.listed(tx), life.untold(tx), validation.due(tx)) == ([], [], [])
    figures = compliance_figures.total(compliance_figures.stats(tx))
    assert (figures.due, figures.overdue, figures.completed, figures.waived, figures.withdrawn) == (0, 0, 0, 0, 2)
    assert figures.on_time_share == 1.0
    # it is nobody's to ask for, to waive or to open
    with pytest.raises(IllegalCheckMove):
        checks.remind(tx, check.id)
    with pytest.raises(IllegalCheckMove):
        checks.waive(tx, check.id, by="ana", reason="so")
    with pytest.raises(IllegalCheckMove):
        checks.reopen(tx, check.id, reason="so")
    assert validation.complete(tx, check.id).state == "withdrawn"


def test_switched_on_again_nothing_is_doubled_skipped_or_asked_sooner(tx: Tx) -> None:
    _, person, one, check = made(tx)
    unasked = build.contact(tx, build.client(tx, "Hooli"), "gavin@hooli.example")
    generation.generate(tx)
    assert [each for each in checks.listed(tx) if each.entity_id == unasked] == []
    asked(tx, check, person, days_ago=2)
    changes.change(tx, one.id, active=False)
    on = changes.change(tx, one.id, active=True)
    assert (on.reviewed.reopened, on.schedule.next_on) == (1, check.period)
    again = checks.get(tx, check.id)
    assert (again.state, again.reminders, again.remind_at, again.escalate_at, again.closed_at) == (
        "reminded", 1, tx.now + timedelta(days=3), check.escalate_at, None)  # fmt: skip
    assert told(tx, "reopened")[0]["before"] == "withdrawn"
    # who came meanwhile joins the period that runs; whoever has a check of it has no other
    assert generation.generate(tx) == 1
    assert len(checks.listed(tx, schedule_id=one.id)) == 2
    assert schedules.get(tx, one.id).next_on > check.period


def test_an_overdue_check_is_open_again_with_a_full_term_before_a_manager_hears_of_it(tx: Tx) -> None:
    _, person, one, check = made(tx)
    asked(tx, check, person, days_ago=30, attempt=3)
    due_since(tx, check, days=8)
    validation.complete(tx, check.id)
    life.escalate(tx, check.id)
    changes.change(tx, one.id, active=False)
    changes.change(tx, one.id, active=True)
    again = checks.get(tx, check.id)
    assert (again.state, again.escalated_at, again.task_id, again.remind_at) == ("overdue", None, None, None)
    assert again.escalate_at == tx.now + timedelta(days=7)
    # what was left to people is left to them again
    tx.run("UPDATE compliance_checks SET escalate_at = NULL WHERE tenant_id = :t", t=tx.tenant_id)
    changes.change(tx, one.id, active=False)
    changes.change(tx, one.id, active=True)
    assert checks.get(tx, check.id).escalate_at is None


def test_a_waiver_stands_and_is_taken_back_only_while_its_schedule_asks(tx: Tx) -> None:
    _, _, one, check = made(tx)
    checks.waive(tx, check.id, by="ana", reason="retiring")
    changes.change(tx, one.id, active=False, required_fields=["title"])
    assert checks.get(tx, check.id).state == "waived"
    with pytest.raises(IllegalCheckMove, match="switched off"):
        checks.reopen(tx, check.id, reason="he stays")
    changes.change(tx, one.id, active=True)
    assert (checks.get(tx, check.id).state, checks.reopen(tx, check.id, reason="he stays").required) == (
        "waived", ["title"])  # fmt: skip


def test_a_period_long_past_stays_withdrawn_once_the_next_has_begun(clone: Database, clock: HandClock) -> None:
    acme = build.acme(clone)
    with clone.tenant(acme) as tx:
        _, _, one, check = made(tx)
        changes.change(tx, one.id, active=False)
    clock.advance(days=29)
    with clone.tenant(acme) as tx:
        on = changes.change(tx, one.id, active=True)
        assert (on.reviewed, generation.generate(tx)) == (Reviewed(), 1)
        assert [each.state for each in checks.listed(tx)] == ["pending", "withdrawn"]
        assert checks.listed(tx)[0].period > check.period
        changes.change(tx, one.id, active=False)
    # the day of the period goes by while it is off, and the next one's window is not open: it goes on where it was
    clock.advance(days=14)
    with clone.tenant(acme) as tx:
        on = changes.change(tx, one.id, active=True)
        assert (on.reviewed.reopened, generation.generate(tx)) == (1, 0)
        assert [each.state for each in checks.listed(tx)] == ["overdue", "withdrawn"]


def test_open_checks_are_judged_by_the_fields_that_are_required_now(tx: Tx) -> None:
    _, person, one, check = made(tx, required_fields=["title"])
    account = clients.upsert(tx, name="Hooli")
    titled = build.contact(tx, account.id, "gavin@hooli.example", phone="+1 212 555 0100")
    with_phone = build.contact(tx, account.id, "denpok@hooli.example", phone="+1 212 555 0101", title="Guru")
    tx.run("UPDATE compliance_schedule SET swept_to = NULL, next_period = 0, next_on = anchor_on WHERE tenant_id = :t",
           t=tx.tenant_id)  # fmt: skip
    generation.generate(tx)
    asked(tx, check, person, days_ago=1)
    waiting = build.card(tx, person, kind="compliance_reminder", subject_type=checks.SUBJECT, subject_id=str(check.id))
    done = changes.change(tx, one.id, required_fields=["phone"]).reviewed
    assert done == Reviewed(judged=2, completed=1)
    # one was whole by that; of the other something else is asked, no sooner than it would have been asked again
    assert of(tx, titled).state == "completed"
    now = of(tx, person)
    assert (now.required, now.missing, now.state, now.remind_at) == (
        ["phone"], ["phone"], "reminded", tx.now + timedelta(days=4))  # fmt: skip
    assert [each.id for each in cards.listed(tx, state="cancelled")] == [waiting.id]
    # what was completed by other fields stays completed
    assert of(tx, with_phone).evidence["fields"] == ["title"]
    [said] = told(tx, "schedule_changed")
    assert (said["fields"], said["before"], said["after"]) == (
        ["required_fields"], {"required_fields": ["title"]}, {"required_fields": ["phone"]})  # fmt: skip
    assert told(tx, "reviewed") == [{"withdrawn": 0, "reopened": 0, "judged": 2, "completed": 1}]


def test_what_is_newly_required_is_asked_for_though_its_requests_were_used_up(tx: Tx) -> None:
    _, person, one, check = made(tx, required_fields=["title"])
    asked(tx, check, person, days_ago=9, attempt=3)
    assert of(tx, person).remind_at is None
    changes.change(tx, one.id, required_fields=["title", "external_id"])
    assert of(tx, person).remind_at is None, "our own to fill in"
    changes.change(tx, one.id, required_fields=["title", "phone"])
    assert (of(tx, person).remind_at, of(tx, person).missing) == (tx.now, ["phone", "title"])
    life.held(tx, [Reminder(check.id, check.id, 4, person, None, tx.now)])
    assert validation.due(tx)[0].shadowed
    changes.change(tx, one.id, required_fields=["title", "phone", "language"])
    assert not validation.named(tx, [check.id])[0].shadowed


def test_an_edited_filter_withdraws_who_is_out_and_has_who_is_in_join(tx: Tx) -> None:
    _, person, one, check = made(tx)
    other = build.contact(tx, build.client(tx, "Hooli", country="PT"), "gavin@hooli.example")
    done = changes.change(tx, one.id, filter={"country": ["PT"]})
    assert done.reviewed == Reviewed(withdrawn=1)
    assert of(tx, person).reason == "its schedule is not about this record any more"
    assert (generation.generate(tx), of(tx, other).period) == (1, check.period)
    # of an erased person nothing is required, whatever a schedule says then
    forgetting.blank_contact(tx, person)
    assert changes.change(tx, one.id, filter={}).reviewed == Reviewed()
    assert (generation.generate(tx), of(tx, person).state) == (0, "withdrawn")
    changes.change(tx, one.id, name="Renamed")
    assert (schedules.get(tx, one.id).reviewing, len(told(tx, "reviewed"))) == (False, 1)


def test_of_very_many_checks_the_rest_is_judged_hour_by_hour(tx: Tx) -> None:
    account, person, one, _ = made(tx)
    people = [person, *(build.contact(tx, account, f"p{n}@initech.example") for n in range(2))]
    tx.run("UPDATE compliance_schedule SET swept_to = NULL, next_period = 0, next_on = anchor_on WHERE tenant_id = :t",
           t=tx.tenant_id)  # fmt: skip
    generation.generate(tx)
    settings.change(tx, {"compliance_checks_per_cycle": 1})
    done = changes.change(tx, one.id, active=False)
    assert (done.reviewed, done.schedule.reviewing) == (Reviewed(withdrawn=1), True)
    assert schedules.next_due(tx, [done.schedule]) == tx.now
    for left in (1, 0, 0):
        review.carry_on(tx, schedules.listed(tx))
        assert [of(tx, each).state for each in people].count("pending") == left
    assert schedules.get(tx, one.id).reviewing is False
    assert schedules.next_due(tx, schedules.listed(tx)) is None
    # switched on again before all was judged, it begins anew
    changes.change(tx, one.id, active=True)
    changes.change(tx, one.id, active=False)
    while schedules.get(tx, one.id).reviewing:
        review.carry_on(tx, schedules.listed(tx))
    assert {of(tx, each).state for each in people} == {"withdrawn"}
    contacts.upsert(tx, build.VAULT, contact_id=person, phone="+1 212 555 0100", title="Head")
    assert of(tx, person).state == "withdrawn"
