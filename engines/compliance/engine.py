"""The compliance engine proper: it makes checks, has gaps asked for, and takes what stays open to a manager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import cards as board
from domain import (
    compliance_checks,
    compliance_choice,
    compliance_figures,
    compliance_generation,
    compliance_life,
    compliance_review,
    compliance_schedules,
    compliance_validation,
    outbound,
    rests,
)
from domain.cards import Card, Proposal
from domain.compliance_checks import Check, UnknownCheck
from domain.compliance_life import Reminder
from domain.compliance_validation import Standing as Due
from domain.events import Event
from engines import room, timing
from engines.compliance import answers, letter
from engines.compliance.selection import crowded, escalate_key, key, priority, remind_key, select
from engines.compliance.shared import Request
from engines.contract import Context, Handler, Outcome, Plan

ESCALATION = 1_120
"""Above every request: what is past its term comes before what is merely due."""

LATEST_DAYS = 7
"""What is past its term is better told late than never: its card outlives a weekend behind the kill switch."""


class ComplianceEngine:
    """Sees to it that records hold in time what is required of them (see docs/compliance.md)."""

    name = "compliance"
    present = "EXISTS (SELECT FROM compliance_schedule WHERE tenant_id = :t)"
    ripens = "false"
    handlers: Mapping[str, Handler]

    def __init__(self) -> None:
        self.handlers = {"escalate_compliance": escalate_compliance}

    def ripen(self, ctx: Context) -> None:
        """What a day brings about is seen by looking at the record itself."""

    def plan(self, ctx: Context) -> Plan:
        """Make the checks whose window is open, look at the records of what is due, and say what follows."""
        known = compliance_schedules.listed(ctx.tx)
        compliance_review.carry_on(ctx.tx, known)
        compliance_choice.judge(ctx.tx, known)
        compliance_generation.generate(ctx.tx, known=known)
        resting = rests.counted(ctx.tx, compliance_checks.SUBJECT)
        found = compliance_validation.validate(ctx.tx, compliance_validation.due(ctx.tx))
        if not found:
            return Plan(resting=resting)
        people = {each.asked.id: each.account_id for each in found if each.asked is not None}
        there = room.look(ctx, [key(each, ctx.now) for each in found], people)
        several = crowded(found)
        riding = compliance_checks.riding(ctx.tx, several) if several else {}
        selection = select(found, room=there, riding=riding)
        if selection.withdrawn:
            compliance_checks.withdraw(ctx.tx, [each.check for each in selection.withdrawn],
                                       reason="the account is asked for nothing now")  # fmt: skip
        named = compliance_schedules.listed(ctx.tx) if selection.escalations else ()
        names = {each.id: each.name for each in named}
        proposals = [_reminder(ctx, request) for request in selection.requests]
        proposals += [_escalation(ctx, due, names[due.check.schedule_id]) for due in selection.escalations]
        return Plan(tuple(selection.obligations), tuple(proposals), resting)

    def settled(self, ctx: Context, cards: Sequence[Card]) -> None:
        """Requests that went out are followed by the next; held ones wind the shadow on; tasks are noted."""
        mails = [card for card in cards if card.type == "compliance_reminder"]
        done = [card for card in mails if card.state == "done"]
        threads = outbound.threads_of(ctx.tx, [card.id for card in done if card.thread_id is None])
        compliance_life.reminded(ctx.tx, [each for card in done for each in _sent(ctx, card, threads)])
        held = [card for card in mails if card.state == "held"]
        compliance_life.held(ctx.tx, [each for card in held for each in _sent(ctx, card, {})])
        for card in cards:
            if card.type == "create_task" and card.state == "done":
                compliance_life.handed_over(ctx.tx, UUID(card.subject_id), UUID(card.outcome["task_id"]))

    def react(self, ctx: Context, event: Event) -> None:
        """Put down what somebody tells who was asked; the record is looked at again, its people left in peace."""
        if event.type == "mail.received":
            answers.taken_in(ctx, event)

    def stats(self, ctx: Context) -> Mapping[str, float]:
        """How checks stand and came out, over all schedules."""
        told = compliance_figures.total(compliance_figures.stats(ctx.tx))
        return {
            "due": told.due,
            "overdue": told.overdue,
            "escalated": told.escalated,
            "completed_90_days": told.completed,
            "waived_90_days": told.waived,
            "on_time_rate": round(told.on_time_share, 4),
        }

    def next_due(self, ctx: Context) -> datetime | None:
        """The next window that opens, or the next check about which something is due."""
        opens = compliance_schedules.next_due(ctx.tx, compliance_schedules.listed(ctx.tx))
        soonest: datetime | None = ctx.tx.value(
            "SELECT min(planned_at) FROM compliance_checks WHERE tenant_id = :t AND planned_at IS NOT NULL",
            t=ctx.tenant_id,
        )
        return min((each for each in (opens, soonest) if each is not None), default=None)


def escalate_compliance(ctx: Context, card: Card) -> Outcome:
    """Take the check to the manager: it is escalated, and a task is proposed with the check as its evidence."""
    check_id = UUID(card.payload["check_id"])
    # somebody may have filled in the record since it was planned
    check = _still_lacking(ctx, check_id)
    if check is None:
        return Outcome({"unchanged": "the check is settled or was taken up already"})
    escalated = compliance_life.escalate(ctx.tx, check.id)
    board.propose(ctx.tx, [_task(ctx, card, escalated)], reconsider_hours=ctx.settings.reconsider_hours)
    return Outcome({"check_id": str(check.id), "missing": list(escalated.missing)},
                   undo={"verb": "compliance.take_back", "check_id": str(check.id)})  # fmt: skip


def _still_lacking(ctx: Context, check_id: UUID) -> Check | None:
    compliance_choice.judge(ctx.tx, compliance_schedules.listed(ctx.tx), check_id=check_id)
    try:
        check = compliance_validation.complete(ctx.tx, check_id)
    except UnknownCheck:
        return None
    return check if check.state == "overdue" else None


def _reminder(ctx: Context, request: Request) -> Proposal:
    now, chosen, due = ctx.now, ctx.settings, request.due
    check, asked = due.check, due.asked
    assert asked is not None
    whose = due.person or asked.name
    return Proposal(
        type="compliance_reminder",
        engine=ComplianceEngine.name,
        title=f"Request {due.reminders + 1} for {_words(request.gaps)}: {whose} ({due.account})",
        subject_type=compliance_checks.SUBJECT,
        subject_id=str(check.id),
        dedupe_key=remind_key(due),
        due_at=due.remind_at or now,
        # a card made on a Friday night must live to see Monday
        latest_at=max(now, timing.first_chance(now, asked.timezone, chosen)) + timedelta(hours=chosen.latest_hours),
        client_id=due.account_id,
        contact_id=asked.id,
        thread_id=check.thread_id if check.asked_id in (None, asked.id) else None,
        payload=letter.payload(request, chosen, now),
        evidence=_evidence(check),
        priority=priority(due, now),
    )


def _escalation(ctx: Context, due: Due, schedule: str) -> Proposal:
    check = due.check
    whose = f"{due.person} of {due.account}" if due.person else due.account
    return Proposal(
        type="escalate_compliance",
        engine=ComplianceEngine.name,
        title=f"Overdue: {schedule}, {whose}",
        subject_type=compliance_checks.SUBJECT,
        subject_id=str(check.id),
        dedupe_key=escalate_key(due),
        due_at=check.escalate_at or ctx.now,
        latest_at=ctx.now + timedelta(days=LATEST_DAYS),
        client_id=due.account_id,
        contact_id=check.contact_id,
        payload=_grounds(check),
        evidence=_evidence(check),
        priority=ESCALATION,
    )


def _task(ctx: Context, card: Card, check: Check) -> Proposal:
    return Proposal(
        type="create_task",
        engine=ComplianceEngine.name,
        title=card.title,
        subject_type=compliance_checks.SUBJECT,
        subject_id=str(check.id),
        dedupe_key=f"compliance:task:{card.id}",
        due_at=ctx.now,
        latest_at=ctx.now + timedelta(days=LATEST_DAYS),
        client_id=card.client_id,
        contact_id=card.contact_id,
        payload={**_grounds(check), "title": f"{card.title}: {_words(check.missing)}"},
        evidence=_evidence(check),
        priority=ESCALATION,
    )


def _grounds(check: Check) -> dict[str, Any]:
    """On what a person's time is asked for: the one ground that compliance has, with the check that shows it."""
    return {"basis": "compliance_deadline", "check_id": str(check.id), "due_at": check.due_at.isoformat()}


def _evidence(check: Check) -> dict[str, Any]:
    return {
        "check_id": str(check.id), "schedule_id": str(check.schedule_id), "period": check.period.isoformat(),
        "due_on": check.due_on.isoformat(), "missing": list(check.missing), "reminders": check.reminders,
    }  # fmt: skip


def _words(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _sent(ctx: Context, card: Card, threads: Mapping[UUID, UUID]) -> list[Reminder]:
    """The request counts for its check, and for each that had its gaps asked for along with it."""
    told = card.payload
    attempts = {told["check_id"]: told["attempt"], **told.get("also", {})}
    return [
        Reminder(UUID(check_id), card.id, int(attempt), UUID(told["asked_id"]), card.thread_id or threads.get(card.id),
                 card.reserved_at or ctx.now)
        for check_id, attempt in attempts.items()
    ]  # fmt: skip
