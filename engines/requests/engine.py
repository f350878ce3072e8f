"""The requests engine proper: it reads what people wrote, and proposes a task or a case with its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from brain import triggers
from domain import cards, cases, feedback_answers, inbox, schedule, tasks, vouching
from domain.cards import Card, Proposal
from domain.events import Event
from domain.inbox import Message
from engines.contract import Context, Handler, Obligation, Outcome, Plan

LATEST_DAYS = 7
"""A request is better heard late than never: its card outlives a weekend behind the kill switch."""

CASES = frozenset({"complaint", "service_recovery"})
"""Kinds of cases in which somebody is seen to who is angry."""

EVIDENCE = ("message_id", "quote", "unproven", "thread_id", "feedback_request_id", "order_id", "rating")
"""What of a card's words a case keeps."""

UNPROVEN = "sender not proven"
"""What is said of a mail that may be anybody's."""

PRIORITY: Mapping[str, int] = {"safety_escalation": 1500, "complaint": 1300, "client_request": 1200}
"""People who wait come before everybody who is merely due (at most 1000)."""


class RequestsEngine:
    """Turns explicit requests, complaints and safety triggers in mail into tasks and cases (P2.3, rule 1)."""

    name = "requests"
    present = "EXISTS (SELECT FROM gmail_messages WHERE tenant_id = :t)"
    ripens = "false"
    handlers: Mapping[str, Handler]

    def __init__(self) -> None:
        self.handlers = {"create_task": create_task, "open_case": open_case}

    def ripen(self, ctx: Context) -> None:
        """A request waits for people, and time alone changes nothing of it."""

    def plan(self, ctx: Context) -> Plan:
        """Account for every request that is not settled; new ones are proposed as their mail is taken in."""
        rows = ctx.tx.rows(
            """SELECT DISTINCT ON (kind, subject_id) payload ->> 'kind' AS kind, subject_id, due_at, dedupe_key
               FROM kanban_cards WHERE tenant_id = :t AND engine = :engine
                 AND (state IN ('proposed', 'queued', 'deferred', 'awaiting_approval', 'executing')
                      OR state IN ('blocked', 'failed', 'expired') AND state_changed_at > :since)
               ORDER BY kind, subject_id, id DESC""",
            t=ctx.tenant_id, engine=self.name, since=ctx.now - timedelta(hours=ctx.settings.reconsider_hours),
        )  # fmt: skip
        return Plan(tuple(
            Obligation(row["kind"], "message", row["subject_id"], row["due_at"], dedupe_key=row["dedupe_key"])
            for row in rows
        ))  # fmt: skip

    def settled(self, ctx: Context, cards: Sequence[Card]) -> None:
        """Nothing follows: the task or the case tells its own story."""

    def react(self, ctx: Context, event: Event) -> None:
        """Propose what a mail asks for; the same mail never makes a second card."""
        if event.type != "mail.received":
            return
        message = inbox.get(ctx.tx, UUID(event.subject_id))
        if message is None or not _by_person(message):
            return
        # whoever seems to ask may be somebody else: a person is told before they call the number in the mail
        unproven = message.client_id is not None and not vouching.by_account(message)
        wished = [_doubted(each) if unproven else each for each in proposals(ctx, message)]
        if cards.propose(ctx.tx, wished, reconsider_hours=ctx.settings.reconsider_hours):
            schedule.bring_forward(ctx.tx, ctx.now)

    def stats(self, ctx: Context) -> Mapping[str, float]:
        """What is open for people."""
        row = ctx.tx.row(
            """SELECT (SELECT count(*) FROM tasks WHERE tenant_id = :t AND state = 'open') AS tasks_open,
                      (SELECT count(*) FROM cases WHERE tenant_id = :t AND state = 'open') AS cases_open""",
            t=ctx.tenant_id,
        )  # fmt: skip
        return dict(row or {})

    def next_due(self, ctx: Context) -> datetime | None:
        """Nothing falls due here by time alone: a request comes with its mail."""
        return None


def proposals(ctx: Context, message: Message) -> Iterator[Proposal]:
    """What one message calls for, each with the words that call for it."""
    kinds = {message.cls, *message.flags}
    safety = [
        found for found in triggers.search(message.subject or "", _words(message))
        if message.client_id is not None or found.trigger in triggers.FROM_ANYBODY
    ]  # fmt: skip
    asked = _asked(message) if message.client_id is not None and "task_request" in kinds else {}
    span, due = str(asked.get("span") or ""), asked.get("due")
    # words that ask and alarm at once make one task, the more urgent one
    alarming = {found.trigger for found in safety if _same_words(found.quote, span)}
    if span and not alarming:
        yield _proposal(ctx, message, "client_request", "client_request", span, due=due)
    for found in safety:
        yield _proposal(ctx, message, found.trigger, "safety_escalation", found.quote,
                        due=due if found.trigger in alarming else None)  # fmt: skip
    if message.client_id is not None and "complaint" in kinds and not _is_seen_to(ctx, message):
        quote = (message.reading.get("evidence") or {}).get("complaint") or message.snippet or message.subject
        yield _proposal(ctx, message, "complaint", "complaint", str(quote or ""))


def _same_words(sentence: str, span: str) -> bool:
    asked = " ".join(span.split())
    return bool(asked) and (asked in sentence or sentence in asked)


def _doubted(proposal: Proposal) -> Proposal:
    """The same, saying that nobody vouches for its mail."""
    payload = {**proposal.payload, "unproven": True, "title": f"{proposal.payload['title']} ({UNPROVEN})"}
    return replace(proposal, payload=payload, title=f"{proposal.title} ({UNPROVEN})")


def _asked(message: Message) -> Mapping[str, Any]:
    """The words that ask for something: as a model read them where one did, else as the rules did."""
    read = (message.reading.get("model") or {}).get("task_request") or {}
    if read.get("asks"):
        return {"span": read.get("span"), "due": _end_of(read.get("due"))}
    return message.reading.get("task_request") or {}


def _end_of(day: str | None) -> str | None:
    return f"{day}T17:00:00+00:00" if day else None


def create_task(ctx: Context, card: Card) -> Outcome:
    """Give a person of the tenant the task, with its evidence; to the account's manager if it has one."""
    told = card.payload
    evidence = {
        name: told[name] for name in ("message_id", "quote", "trigger", "check_id", "unproven") if told.get(name)
    }
    due = told.get("due_at")
    task = tasks.create(
        ctx.tx, title=told["title"], basis=told["basis"], evidence=evidence, client_id=card.client_id,
        contact_id=card.contact_id, assignee_id=_manager(ctx, card.client_id),
        due_at=datetime.fromisoformat(due) if due else None, card_id=card.id,
    )  # fmt: skip
    undo = {"verb": "tasks.finish", "task_id": str(task.id), "state": "cancelled"}
    return Outcome({"task_id": str(task.id)}, undo=undo)


def open_case(ctx: Context, card: Card) -> Outcome:
    """Open the case."""
    told = card.payload
    case = cases.open(
        ctx.tx, kind=told["kind"], title=told["title"], client_id=card.client_id, contact_id=card.contact_id,
        evidence={name: told[name] for name in EVIDENCE if told.get(name) is not None},
        card_id=card.id,
    )  # fmt: skip
    undo = {"verb": "cases.close", "case_id": str(case.id), "outcome": "undone"}
    return Outcome({"case_id": str(case.id)}, undo=undo)


def _proposal(
    ctx: Context, message: Message, kind: str, ground: str, quote: str, *, due: str | None = None
) -> Proposal:  # fmt: skip
    what = kind.replace("_", " ")
    payload: dict[str, Any] = {
        "kind": kind, "title": f"{what.capitalize()}: {_short(quote)}", "message_id": str(message.id),
        "quote": quote, "thread_id": str(message.thread_id) if message.thread_id else None,
    }  # fmt: skip
    if ground != "complaint":
        payload["basis"] = ground
    if ground == "safety_escalation":
        payload["trigger"] = kind
    if due is not None:
        payload["due_at"] = due
    return Proposal(
        type="open_case" if ground == "complaint" else "create_task",
        engine=RequestsEngine.name,
        title=f"{what.capitalize()} from {message.from_name or message.from_address or 'somebody'}",
        subject_type="message",
        subject_id=str(message.id),
        dedupe_key=f"requests:{kind}:{message.id}",
        due_at=ctx.now,
        latest_at=ctx.now + timedelta(days=LATEST_DAYS),
        client_id=message.client_id,
        contact_id=message.contact_id,
        thread_id=message.thread_id,
        payload=payload,
        evidence={"message_id": str(message.id), "quote": quote, "class": message.cls},
        priority=PRIORITY[ground],
    )


def _by_person(message: Message) -> bool:
    return message.direction == "in" and message.by_person


def _words(message: Message) -> str:
    """What the writer wrote this time, without quotes and signature."""
    return str(message.reading.get("reply") or message.snippet or "")


def _is_seen_to(ctx: Context, message: Message) -> bool:
    """Whether this conversation has its case already, or gets one as an answer to a question of ours."""
    assert message.client_id is not None
    answer = feedback_answers.of_message(ctx.tx, message.id)
    if answer is not None and answer.counts and answer.sentiment == "negative":
        return True
    open_cases = cases.open_for(ctx.tx, [message.client_id]).get(message.client_id, [])
    thread = str(message.thread_id)
    return any(case.kind in CASES and case.evidence.get("thread_id") == thread for case in open_cases)


def _manager(ctx: Context, client_id: UUID | None) -> UUID | None:
    if client_id is None:
        return None
    manager: UUID | None = ctx.tx.value(
        "SELECT manager_id FROM clients WHERE tenant_id = :t AND id = :id", t=ctx.tenant_id, id=client_id
    )
    return manager


def _short(quote: str) -> str:
    return quote if len(quote) <= 80 else f"{quote[:79].rstrip()}…"
