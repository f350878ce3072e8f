"""The quotes engine proper: it sends what is offered, follows it up, lets it expire, and drafts what mail asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain import deals, inbox, outbound, quote_figures, quote_life, quotes, rests
from domain.cards import Card, Proposal
from domain.deals import Evidence
from domain.events import Event
from domain.quote_book import OPEN
from domain.quote_life import Sending
from engines import room, timing
from engines.contract import Context, Handler, Plan
from engines.quotes import answers, letter, requests
from engines.quotes import due as reading
from engines.quotes.due import Due
from engines.quotes.selection import priority, select


class QuotesEngine:
    """Brings every quote to an answer (see docs/quotes.md)."""

    name = "quotes"
    present = "EXISTS (SELECT FROM quotes WHERE tenant_id = :t)"
    ripens = """EXISTS (SELECT FROM quotes WHERE tenant_id = :t AND status IN ('sent', 'viewed')
                        AND valid_until <= :now)"""
    handlers: Mapping[str, Handler] = {}

    def ripen(self, ctx: Context) -> None:
        """Quotes whose time is up without an answer expire."""
        quote_life.expire(ctx.tx)

    def plan(self, ctx: Context) -> Plan:
        """Account for every draft that waits and every follow-up due, and propose them; a handful of statements."""
        resting = rests.counted(ctx.tx, "quote")
        found = reading.due(ctx)
        if not found:
            return Plan(resting=resting)
        people = {each.contact_id: each.client_id for each in found if each.contact_id is not None}
        there = room.look(ctx, [each.key for each in found], people)
        selection = select(found, room=there)
        if selection.unwanted:
            quotes.take_back_offer(ctx.tx, selection.unwanted)
        return Plan(tuple(selection.obligations), tuple(_proposal(ctx, due) for due in selection.picks), resting)

    def settled(self, ctx: Context, cards: Sequence[Card]) -> None:
        """What went out is sent and followed up in time; what was held winds the shadow on."""
        mails = [card for card in cards if "quote_page" in card.payload]
        done = [card for card in mails if card.state == "done"]
        threads = outbound.threads_of(ctx.tx, [card.id for card in done if card.thread_id is None])
        quote_life.went_out(ctx.tx, [_sending(ctx, card, threads) for card in done])
        quote_life.were_held(ctx.tx, [_sending(ctx, card, {}) for card in mails if card.state == "held"])

    def react(self, ctx: Context, event: Event) -> None:
        """Draft what a mail asks a price for, and note what answers a quote; that stopped its follow-ups as it came."""
        if event.type == "mail.received":
            _written(ctx, event)
        elif event.type == "quote.expired":
            _tell_deal(ctx, event)
        elif event.type == "quote.sent":
            _too_late(ctx, event)

    def stats(self, ctx: Context) -> Mapping[str, float]:
        """How the quotes stand; amounts by currency, exact in `domain.quote_figures` and rounded here."""
        told = quote_figures.stats(ctx.tx)
        return {
            "drafts_waiting": told.drafts,
            "open": told.open,
            "viewed": told.viewed,
            "sent_90_days": told.sent,
            "accepted_90_days": told.accepted,
            "accepted_rate": round(told.accepted_rate, 4),
            "hours_to_answer": round(told.hours_to_answer, 2),
            **{f"value_{currency.lower()}": float(value) for currency, value in told.value.items()},
        }

    def next_due(self, ctx: Context) -> datetime | None:
        """The earliest follow-up, expiry or sending, read off the indexes."""
        return reading.next_due(ctx)


def _written(ctx: Context, event: Event) -> None:
    """A mail came in: what a person at an account wrote may answer quotes, or ask for one."""
    message = inbox.get(ctx.tx, UUID(event.subject_id))
    if message is None or message.direction != "in" or message.client_id is None or not message.by_person:
        return
    found = answers.about(ctx, message)
    answers.taken_in(ctx, message, found)
    requests.taken_in(ctx, message, answers=bool(found))


def _proposal(ctx: Context, due: Due) -> Proposal:
    now, chosen = ctx.now, ctx.settings
    until = due.valid_until if due.attempt and due.valid_until else quotes.valid_until(ctx.tx, due.validity_days)
    what = f"Follow-up {due.attempt} of quote" if due.attempt else "Quote"
    # somebody may have to approve it first; and a card made on a Friday night must live to see Monday
    latest = max(due.due_at, timing.first_chance(now, due.timezone, chosen)) + timedelta(
        hours=chosen.latest_hours if due.attempt else max(chosen.latest_hours, chosen.approval_hours)
    )
    return Proposal(
        type="follow_up" if due.attempt else "send_quote",
        engine=QuotesEngine.name,
        title=f"{what} {due.number}: {due.name} ({due.client_name})",
        subject_type="quote",
        subject_id=str(due.quote_id),
        dedupe_key=due.key,
        due_at=due.due_at,
        latest_at=min(latest, until) if due.attempt else latest,
        client_id=due.client_id,
        contact_id=due.contact_id,
        thread_id=due.thread_id,
        payload=letter.payload(due, chosen, until),
        evidence={
            "number": due.number,
            "revision": due.revision,
            "total": str(due.total),
            "currency": due.currency,
            "valid_until": until.isoformat(),
            **({"message_id": str(due.message_id)} if due.message_id else {}),
        },
        priority=priority(due),
    )


def _sending(ctx: Context, card: Card, threads: Mapping[UUID, UUID]) -> Sending:
    told = card.payload
    return Sending(
        UUID(told["quote_id"]), int(told["revision"]), card.id, int(told["attempt"]), card.reserved_at or ctx.now,
        datetime.fromisoformat(told["valid_until"]), thread_id=card.thread_id or threads.get(card.id),
    )  # fmt: skip


def _too_late(ctx: Context, event: Event) -> None:
    """A quote that was on its way while its deal was closed is taken back as the others were."""
    quote = quotes.get(ctx.tx, UUID(event.subject_id))
    deal = deals.get(ctx.tx, quote.deal_id) if quote is not None and quote.deal_id else None
    if quote is None or deal is None or deal.closed_at is None or quote.sent_at is None:
        return
    if quote.status in OPEN and quote.sent_at <= deal.closed_at:
        quotes.withdraw(ctx.tx, quote.id, reason=f"the deal was {deal.state}")


def _tell_deal(ctx: Context, event: Event) -> None:
    """A deal whose quote ran out without an answer gets that as its next step: a person decides what follows."""
    quote = quotes.get(ctx.tx, UUID(event.subject_id))
    deal = deals.get(ctx.tx, quote.deal_id) if quote is not None and quote.deal_id else None
    if quote is None or deal is None or deal.state != "open" or not deal.automation:
        return
    evidence = Evidence("quote_expired", "agent", f"quote {quote.id}", event.at)
    deals.set_next_step(ctx.tx, deal.id, f"Quote {quote.number} expired without an answer: renew it or close the deal",
                        evidence=evidence)  # fmt: skip
