"""The feedback engine proper: it asks, takes answers in, and proposes what makes good a disappointment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain import feedback, feedback_figures, feedback_life, outbound, rest_news, rests
from domain.cards import Card, Proposal
from domain.events import Event
from domain.feedback_book import SUBJECT
from domain.feedback_life import Mail
from engines import room, timing
from engines.contract import Context, Handler, Obligation, Plan
from engines.feedback import due as reading
from engines.feedback import letter, opinions, recovery
from engines.feedback.due import Due
from engines.feedback.selection import ASK, REMIND, select


class FeedbackEngine:
    """Asks clients what they think of what they got, and hears what they say (see docs/feedback.md)."""

    name = recovery.NAME
    present = "EXISTS (SELECT FROM feedback_requests WHERE tenant_id = :t)"
    ripens = f"""EXISTS (SELECT FROM feedback_requests WHERE tenant_id = :t AND state = 'sent' AND lapses_at <= :now)
                 OR EXISTS ({reading.LOST})"""
    handlers: Mapping[str, Handler] = {}

    def ripen(self, ctx: Context) -> None:
        """Nobody waits any longer for answers that did not come; what makes good is meant again where it was lost."""
        feedback_life.lapse(ctx.tx)
        recovery.again(ctx)

    def plan(self, ctx: Context) -> Plan:
        """Account for every request and reminder due, and for what is to make good; a handful of statements."""
        resting = rests.counted(ctx.tx, SUBJECT)
        found = reading.requests(ctx)
        people = {each.contact_id: each.client_id for each in found if each.contact_id is not None}
        there = room.look(ctx, [each.key for each in found], people)
        selection = select(found, room=there)
        feedback.set_aside(ctx.tx, selection.skipped)
        feedback_life.give_up_reminders(ctx.tx, selection.given_up)
        return Plan((*selection.obligations, *_making_good(ctx)), tuple(_proposal(ctx, due) for due in selection.picks),
                    resting)  # fmt: skip

    def settled(self, ctx: Context, cards: Sequence[Card]) -> None:
        """Who was written to has been asked; what was held winds the shadow on; a case that was opened is known by."""
        mails = [card for card in cards if "feedback_page" in card.payload]
        done = [card for card in mails if card.state == "done"]
        threads = outbound.threads_of(ctx.tx, [card.id for card in done if card.thread_id is None])
        feedback_life.went_out(ctx.tx, [_mail(ctx, card, threads) for card in done])
        feedback_life.were_held(ctx.tx, [_mail(ctx, card, {}) for card in mails if card.state == "held"])
        # who was being asked about another order is free to be asked about the next
        rest_news.of(ctx.tx, [card.client_id for card in mails if card.client_id is not None])
        for card in cards:
            if card.type == "open_case" and card.state == "done":
                recovery.case_opened(ctx, card)

    def react(self, ctx: Context, event: Event) -> None:
        """Take in what a mail says of an order, and do what an answer calls for."""
        if event.type == "mail.received":
            opinions.taken_in(ctx, event)
        elif event.type == "feedback.answered":
            recovery.answered(ctx, event)

    def stats(self, ctx: Context) -> Mapping[str, float]:
        """Rates and scores of the last 90 days, and how the score moved since the 90 before."""
        told = feedback_figures.stats(ctx.tx)
        return {
            "feedback_waiting": told.waiting,
            "feedback_awaited": told.open,
            "feedback_asked_90_days": told.now.asked,
            "feedback_answers_90_days": told.now.answers,
            "feedback_response_rate": round(told.now.response_rate, 4),
            "negative_feedback_rate": round(told.now.negative_share, 4),
            "service_recoveries_open": told.recoveries_open,
            **({"feedback_score": round(told.now.score, 2)} if told.now.score is not None else {}),
            **({"feedback_score_trend": round(told.trend, 2)} if told.trend is not None else {}),
        }

    def next_due(self, ctx: Context) -> datetime | None:
        """The earliest request or reminder, or the end of waiting for an answer, read off the indexes."""
        return reading.next_due(ctx)


def _proposal(ctx: Context, due: Due) -> Proposal:
    now, chosen = ctx.now, ctx.settings
    # a card made on a Friday night must live to see Monday, and a person may have to approve it
    latest = max(due.due_at, timing.first_chance(now, due.timezone, chosen)) + timedelta(
        hours=max(chosen.latest_hours, chosen.approval_hours)
    )
    # the link opens as long as an answer is waited for, however late the mail goes out
    until = max(filter(None, (due.lapses_at, latest + timedelta(days=chosen.feedback_answer_days))))
    what = "Remind of feedback" if due.attempt else "Ask for feedback"
    return Proposal(
        type="request_feedback",
        engine=FeedbackEngine.name,
        title=f"{what} on order {due.order}: {due.name} ({due.client_name})",
        subject_type="feedback_request",
        subject_id=str(due.request_id),
        dedupe_key=due.key,
        due_at=due.due_at,
        not_before=now,
        latest_at=latest,
        client_id=due.client_id,
        contact_id=due.contact_id,
        thread_id=due.thread_id,
        payload=letter.payload(due, chosen, until),
        evidence={"order": due.order, "order_id": str(due.order_id), "due_at": due.due_at.isoformat()},
        priority=REMIND if due.attempt else ASK,
    )


def _making_good(ctx: Context) -> list[Obligation]:
    """What was proposed for dissatisfied clients and has not come to its end."""
    rows = ctx.tx.rows(
        """SELECT DISTINCT ON (type, subject_id, dedupe_key) type, subject_id, due_at, dedupe_key FROM kanban_cards
           WHERE tenant_id = :t AND engine = :engine AND type IN ('send_email', 'open_case')
             AND (state IN ('proposed', 'queued', 'deferred', 'awaiting_approval', 'executing')
                  OR state IN ('blocked', 'failed', 'expired') AND state_changed_at > :since)
           ORDER BY type, subject_id, dedupe_key, id DESC""",
        t=ctx.tenant_id, engine=FeedbackEngine.name, since=ctx.now - timedelta(hours=ctx.settings.reconsider_hours),
    )  # fmt: skip
    kinds = {"open_case": "service_recovery_case", "send_email": "service_recovery"}
    return [
        Obligation(kinds[row["type"]], "feedback_request", row["subject_id"], row["due_at"],
                   dedupe_key=row["dedupe_key"])
        for row in rows
    ]  # fmt: skip


def _mail(ctx: Context, card: Card, threads: Mapping[UUID, UUID]) -> Mail:
    return Mail(
        UUID(card.subject_id), card.id, card.contact_id, int(card.payload["attempt"]), card.reserved_at or ctx.now,
        card.thread_id or threads.get(card.id),
    )  # fmt: skip
