"""Turns in the life of checks: whom to ask, what a verb wakes, what ends with a check, and what was sent in vain."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from domain import cards, clients, clocks, compliance_figures, contacts, orders, schedule, settings, tasks
from domain import compliance_changes as changes
from domain import compliance_checks as checks
from domain import compliance_generation as generation
from domain import compliance_life as life
from domain import compliance_schedules as schedules
from domain import compliance_validation as validation
from domain.compliance_checks import Check, IllegalCheckMove
from domain.compliance_life import Reminder
from domain.compliance_validation import Standing
from domain.db import Tx
from tests import build
from tests.domain.test_compliance import monthly, of


def lacking(tx: Tx, *required: str) -> tuple[UUID, Check]:
    """An account about which nothing is known but its name, and the check that says so."""
    account = build.client(tx)
    return account, build.check(tx, account, required=required or ("contact_phone", "language"))


def standing(tx: Tx, check: Check) -> Standing:
    [found] = validation.named(tx, [check.id])
    return found


def asks(tx: Tx, check: Check) -> UUID | None:
    """Whom it would ask."""
    told = standing(tx, check).asked
    return told.id if told else None


def sent(tx: Tx, check: Check, person: UUID, attempt: int = 1) -> cards.Card:
    """The request that went out to somebody just now."""
    told = {"check_id": str(check.id), "attempt": attempt, "asked_id": str(person), "gaps": []}
    card = build.card(tx, person, kind="compliance_reminder", subject_type=checks.SUBJECT, subject_id=str(check.id),
                      payload=told, dedupe_key=f"ask:{check.id}:{attempt}")  # fmt: skip
    tx.run("UPDATE kanban_cards SET reserved_at = :now WHERE tenant_id = :t AND id = :id",
           now=tx.now, t=tx.tenant_id, id=card.id)  # fmt: skip
    life.reminded(tx, [Reminder(check.id, card.id, attempt, person, None, tx.now)])
    return card


def wakes(tx: Tx, verb: object) -> tuple[datetime | None, datetime | None]:
    """When a sleeping tenant's work, and what should not wait for its slot, are due after a verb."""
    tx.run("DELETE FROM rest_news WHERE tenant_id = :t", t=tx.tenant_id)
    tx.run("UPDATE kanban_cards SET state = 'cancelled' WHERE tenant_id = :t AND state = 'proposed'", t=tx.tenant_id)
    schedule.lock(tx)
    asleep = tx.now + timedelta(days=300)
    assert schedule.settle(tx, [asleep]) == asleep
    tx.run("UPDATE tenant_schedule SET extra_due_at = NULL WHERE tenant_id = :t", t=tx.tenant_id)
    assert callable(verb)
    verb()
    line = schedule.standing(tx)
    assert line is not None
    return line["work_due_at"], line["extra_due_at"]


def test_an_account_is_asked_at_whoever_was_asked_before_else_heard_from_last_else_known_longest(tx: Tx) -> None:
    account, check = lacking(tx)
    assert asks(tx, check) is None
    first, second, third = (build.contact(tx, account, f"{name}@initech.example") for name in ("a", "b", "c"))
    build.contact(tx, build.client(tx, "Hooli"), "other@hooli.example")
    assert asks(tx, check) == first
    clocks.touch(tx, third, "reply", by="contact")
    assert asks(tx, check) == third
    sent(tx, check, second)
    assert asks(tx, check) == second
    # who may not be written to is passed over, and whoever is only discovered is not
    clocks.exempt(tx, [second, third], "opted_out")
    clocks.exempt(tx, [first], "discovered")
    assert asks(tx, check) == first
    clocks.exempt(tx, [first], "opted_out")
    clocks.reinstate(tx, first)
    clocks.pause(tx, first, tx.now + timedelta(days=9), reason="away")
    told = standing(tx, check).asked
    assert told is not None
    assert told.paused_until == tx.now + timedelta(days=9)


def test_a_contact_is_asked_for_their_own_record_unless_they_may_not_be(tx: Tx) -> None:
    account = build.client(tx)
    person, colleague = (build.contact(tx, account, f"{name}@initech.example") for name in ("a", "b"))
    monthly(tx)
    generation.generate(tx)
    check = of(tx, colleague)
    assert asks(tx, check) == colleague
    clocks.pause(tx, colleague, tx.now + timedelta(days=2), reason="away")
    told = standing(tx, check).asked
    assert told is not None
    assert (told.id, told.paused_until) == (colleague, tx.now + timedelta(days=2))
    clocks.exempt(tx, [colleague], "opted_out")
    assert asks(tx, check) == person


def test_what_a_person_says_of_a_check_wakes_the_tenant(tx: Tx) -> None:
    account, check = lacking(tx, "language")
    person = build.contact(tx, account)
    now = tx.now
    assert wakes(tx, lambda: checks.remind(tx, check.id)) == (now, now)
    checks.waive(tx, check.id, by="ana", reason="so")
    assert wakes(tx, lambda: checks.reopen(tx, check.id, reason="not so"))[0] == now
    one = check.schedule_id
    assert wakes(tx, lambda: changes.change(tx, one, required_fields=["contact_phone"]))[0] == now
    changes.change(tx, one, active=False)
    assert wakes(tx, lambda: changes.change(tx, one, name="Another")) == (now + timedelta(days=300), None)
    assert wakes(tx, lambda: changes.change(tx, one, active=True))[0] == now
    # what changes in the record, and what they write after they were asked
    assert wakes(tx, lambda: clients.upsert(tx, client_id=account, language="pt"))[0] == now
    sent(tx, check, person)
    assert wakes(tx, lambda: life.heard(tx, account, at=now + timedelta(minutes=1)))[0] == now
    far = (now + timedelta(days=100)).date()
    opens = wakes(tx, lambda: monthly(tx, name="Far", anchor_on=far, filter={"status": "inactive"}))[0]
    assert opens is not None
    assert opens.date() == far - timedelta(days=14)


@pytest.mark.parametrize("end", ["taken back", "waived", "whole", "erased"])
def test_whatever_ends_a_check_ends_its_cards_and_its_task(tx: Tx, end: str) -> None:
    account = build.client(tx)
    person = build.contact(tx, account)
    monthly(tx)
    generation.generate(tx)
    check = of(tx, person)
    tx.run("UPDATE compliance_checks SET due_at = :at WHERE tenant_id = :t", at=tx.now - timedelta(days=8),
           t=tx.tenant_id)  # fmt: skip
    validation.complete(tx, check.id)
    life.escalate(tx, check.id)
    task = tasks.create(tx, title="See to it", basis="compliance_deadline", client_id=account,
                        evidence={"check_id": str(check.id)})  # fmt: skip
    life.handed_over(tx, check.id, task.id)
    for kind in ("compliance_reminder", "escalate_compliance", "create_task"):
        build.card(tx, person, kind=kind, subject_type=checks.SUBJECT, subject_id=str(check.id), dedupe_key=kind)
    if end == "taken back":
        back = life.take_back(tx, check.id)
        assert (back.state, back.task_id, back.escalate_at) == ("overdue", None, None)
    elif end == "waived":
        checks.waive(tx, check.id, by="ana", reason="so")
    elif end == "whole":
        contacts.upsert(tx, build.VAULT, contact_id=person, phone="+1 212 555 0100", title="Head")
        validation.validate(tx, validation.due(tx))
    else:
        assert checks.let_go(tx, person) == 1
    [over] = tasks.listed(tx, state="done" if end == "whole" else "cancelled")
    assert (over.id, tasks.listed(tx)) == (task.id, [])
    assert [each.state for each in cards.listed(tx)] == ["cancelled"] * 3


def test_a_request_in_vain_counts_for_nothing_and_somebody_else_is_asked(tx: Tx) -> None:
    account, check = lacking(tx)
    person, colleague = (build.contact(tx, account, f"{name}@initech.example") for name in ("a", "b"))
    card = sent(tx, check, person, attempt=1)
    assert life.void(tx, build.card(tx, person).id) == 0
    # of a full mailbox the next request is heard of in its time
    assert life.void(tx, card.id) == 1
    in_vain = checks.get(tx, check.id)
    assert (in_vain.reminders, in_vain.asked_id, in_vain.remind_at) == (0, None, tx.now + timedelta(days=5))
    assert life.void(tx, card.id) == 0
    # an address that is dead keeps nobody waiting, also if it was the last request
    last = sent(tx, check, person, attempt=3)
    assert checks.get(tx, check.id).remind_at is None
    clocks.exempt(tx, [person], "bounced")
    assert wakes(tx, lambda: life.void(tx, last.id))[0] == tx.now
    in_vain = checks.get(tx, check.id)
    assert (in_vain.reminders, in_vain.remind_at, asks(tx, check)) == (2, tx.now, colleague)
    validation.complete(tx, check.id)
    checks.waive(tx, check.id, by="ana", reason="so")
    assert life.void(tx, last.id) == 0


def test_requests_are_counted_once_and_only_while_something_may_be_asked(tx: Tx) -> None:
    account, check = lacking(tx)
    person = build.contact(tx, account)
    sent(tx, check, person, attempt=2)
    sent(tx, check, person, attempt=1)
    assert checks.get(tx, check.id).reminders == 2
    # held ones give up as well, and what went out after all moves the real clock again
    card = build.card(tx, person)
    life.held(tx, [Reminder(check.id, card.id, 3, person, None, tx.now)])
    assert (standing(tx, check).reminders, standing(tx, check).remind_at) == (3, None)
    life.reminded(tx, [Reminder(check.id, card.id, 2, person, None, tx.now)])
    assert (standing(tx, check).reminders, standing(tx, check).remind_at) == (2, tx.now + timedelta(days=5))
    life.held(tx, [Reminder(check.id, card.id, 3, person, None, tx.now)])
    assert checks.remind(tx, check.id).insisted
    assert (standing(tx, check).reminders, standing(tx, check).remind_at) == (2, tx.now)
    checks.waive(tx, check.id, by="ana", reason="so")
    life.reminded(tx, [Reminder(check.id, card.id, 3, person, None, tx.now)])
    assert (checks.get(tx, check.id).state, checks.get(tx, check.id).reminders) == ("waived", 2)
    # opened again it is asked from the first request on, a full term before anybody else hears of it
    tx.run("UPDATE compliance_checks SET due_at = :at WHERE tenant_id = :t", at=tx.now - timedelta(days=9),
           t=tx.tenant_id)  # fmt: skip
    again = checks.reopen(tx, check.id, reason="not so")
    assert (again.reminders, again.escalate_at) == (0, tx.now + timedelta(days=7))
    validation.complete(tx, check.id)
    life.escalate(tx, check.id)
    assert checks.get(tx, check.id).remind_at is None
    with pytest.raises(IllegalCheckMove):
        checks.remind(tx, check.id)


def test_a_gap_that_they_can_tell_of_is_asked_for_once_it_shows_and_a_day_ends_at_its_last_instant(tx: Tx) -> None:
    account = build.client(tx, domain="initech.example")
    check = build.check(tx, account, required=("domain", "external_id"))
    build.contact(tx, account)
    assert checks.get(tx, check.id).remind_at is None, "our own to fill in"
    tx.run("UPDATE clients SET domain = NULL WHERE tenant_id = :t", t=tx.tenant_id)
    assert validation.complete(tx, check.id).remind_at == tx.now
    tx.run("UPDATE compliance_checks SET due_at = :now WHERE tenant_id = :t", now=tx.now, t=tx.tenant_id)
    assert validation.complete(tx, check.id).state == "overdue"


def test_what_is_asked_of_a_colleague_is_nothing_that_they_tell_of_themselves(tx: Tx) -> None:
    account = build.client(tx)
    person, colleague = (build.contact(tx, account, f"{name}@initech.example") for name in ("a", "b"))
    monthly(tx)
    generation.generate(tx)
    sent(tx, of(tx, person), colleague)
    assert life.asked_of(tx, account, colleague) == set()
    sent(tx, of(tx, colleague), colleague)
    assert life.asked_of(tx, account, colleague) == {"phone", "title"}


def test_only_managers_are_named_to_be_told_and_each_escalation_is_told_once(tx: Tx) -> None:
    operator = build.user(tx, "op@acme.example", role="operator")
    account = build.client(tx)
    tx.run("UPDATE clients SET manager_id = :u WHERE tenant_id = :t", u=operator, t=tx.tenant_id)
    check = build.check(tx, account, due_days=-8)
    validation.complete(tx, check.id)
    life.escalate(tx, check.id)
    assert [row["manager_id"] for row in life.untold(tx)] == [None]
    life.told(tx, [check.id])
    assert life.untold(tx) == []


def test_a_schedule_begins_with_the_first_period_from_today_where_the_tenant_is(tx: Tx) -> None:
    # Sunday evening in Honolulu, while it is Monday at the prime meridian
    settings.change(tx, {"timezone": "Pacific/Honolulu", "country": "US"})
    assert tx.now.date() == date(2026, 3, 2)
    tx_now_there = tx.now.astimezone(settings.of(tx).zone).date()
    assert tx_now_there == date(2026, 3, 1)
    begun = monthly(tx, anchor_on=date(2025, 8, 1))
    assert (begun.next_on, begun.next_period) == (date(2026, 3, 1), 7)
    assert monthly(tx, name="Later", anchor_on=date(2025, 8, 31)).next_on == date(2026, 3, 31)


def test_a_check_without_a_zone_is_due_by_the_clocks_of_its_country_and_escalated_at_the_end_of_a_day(tx: Tx) -> None:
    account = build.client(tx, country="PT", timezone=None)
    one = monthly(tx, applies_to="client", required_fields=["language"], anchor_on=date(2026, 3, 27))
    tx.run("UPDATE compliance_schedule SET next_on = :day WHERE tenant_id = :t", day=date(2026, 3, 27), t=tx.tenant_id)
    settings.change(tx, {"compliance_window_days": 30})
    generation.generate(tx, one.id)
    check = of(tx, account)
    # summer time begins in Lisbon between the two
    assert [each.isoformat() for each in (check.due_at, check.escalate_at) if each] == [
        "2026-03-28T00:00:00+00:00", "2026-04-03T23:00:00+00:00"]  # fmt: skip


def test_a_tenant_has_a_hundred_schedules_and_no_more(tx: Tx) -> None:
    tx.run("""INSERT INTO compliance_schedule (tenant_id, id, name, frequency, applies_to, anchor_on, required_fields,
                                               next_period, next_on, created_at, updated_at)
              SELECT :t, gen_random_uuid(), 's' || n, 'annual', 'client', '2026-06-01', '{domain}', 0, '2026-06-01',
                     :now, :now FROM generate_series(1, 100) n""", t=tx.tenant_id, now=tx.now)  # fmt: skip
    with pytest.raises(schedules.InvalidSchedule, match="100"):
        monthly(tx)


def test_drafts_are_no_orders_and_what_is_ours_to_know_is_asked_of_nobody(tx: Tx) -> None:
    account = build.client(tx)
    build.contact(tx, account)
    orders.put(tx, client_id=account, external_id="1", status="draft")
    one = monthly(tx, applies_to="client", required_fields=["contact_phone", "manager"], filter={"has_orders": True})
    assert generation.generate(tx, one.id) == 0
    two = monthly(tx, name="All", applies_to="client", required_fields=["contact_phone", "manager"])
    assert generation.generate(tx, two.id) == 1
    found = standing(tx, of(tx, account))
    assert (found.lacks, found.to_ask) == (("contact_phone", "manager"), ("contact_phone",))


def test_figures_tell_what_was_in_time_what_was_late_and_forget_after_ninety_days(tx: Tx) -> None:
    account = build.client(tx)
    in_time, late, escalated, old = (build.check(tx, account, due_days=days, required=("language",))
                                     for days in (5, -5, -8, -200))  # fmt: skip
    for each in (late, escalated):
        validation.complete(tx, each.id)
    life.escalate(tx, escalated.id)
    told = compliance_figures.total(compliance_figures.stats(tx))
    assert (told.due, told.overdue, told.escalated) == (1, 3, 1)
    clients.upsert(tx, client_id=account, language="pt")
    validation.validate(tx, validation.named(tx, [in_time.id, late.id, escalated.id, old.id]))
    tx.run("UPDATE compliance_checks SET closed_at = :long_ago WHERE tenant_id = :t AND id = :id",
           long_ago=tx.now - timedelta(days=91), t=tx.tenant_id, id=old.id)  # fmt: skip
    told = compliance_figures.total(compliance_figures.stats(tx))
    assert (told.completed, told.on_time, told.overdue, round(told.on_time_share, 4)) == (3, 1, 0, 0.3333)


def test_what_is_overdue_is_taken_to_a_manager_at_once_if_somebody_says_so_and_not_before_its_day(tx: Tx) -> None:
    account, check = lacking(tx)
    with pytest.raises(IllegalCheckMove, match="its day is"):
        life.hasten(tx, check.id)
    late = build.check(tx, account, due_days=-1)
    assert wakes(tx, lambda: life.hasten(tx, late.id)) == (tx.now, tx.now)
    validation.validate(tx, validation.due(tx))
    assert (checks.get(tx, late.id).state, checks.get(tx, late.id).escalate_at) == ("overdue", tx.now)
    life.escalate(tx, late.id)
    with pytest.raises(IllegalCheckMove):
        life.hasten(tx, late.id)
    # what was taken back may be taken there again
    life.take_back(tx, late.id)
    assert life.hasten(tx, late.id).escalate_at == tx.now
