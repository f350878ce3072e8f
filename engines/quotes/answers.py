"""Mails that answer a quote: a person notes the yes or no, and till then its deal, or an alert, says that it waits."""

from __future__ import annotations

from uuid import UUID

from domain import alerts, deals, inbox, quotes, vouching
from domain.deals import Evidence
from domain.events import Event
from domain.quotes import Quote
from engines.contract import Context


def taken_in(ctx: Context, event: Event) -> Quote | None:
    """The open quote in whose conversation somebody wrote; None where it is about none.

    What they wrote decides nothing: the page takes an answer, or a person notes one. A next step that a person has set
    stays as it is, and so does every step where the mail may be anybody's.
    """
    message = inbox.get(ctx.tx, UUID(event.subject_id))
    if message is None or message.direction != "in" or message.client_id is None or message.thread_id is None:
        return None
    if not message.by_person:
        return None
    quote = quotes.open_in(ctx.tx, message.client_id, message.thread_id)
    if quote is None or not vouching.by_account(message):
        return quote
    if quote.deal_id is None:
        # there is no deal whose next step it could be
        told = f"Quote {quote.number} has no deal and was answered by mail: a person notes the yes or the no."
        alerts.open(ctx.tx, f"quote_answered:{quote.id}", told, quote_id=str(quote.id), message_id=str(message.id))
        return quote
    deal = deals.get(ctx.tx, quote.deal_id)
    if deal is None or deal.state != "open" or not deal.automation:
        return quote
    if (deal.next_step_evidence or {}).get("kind") != "person":
        who = f"contact {message.contact_id}" if message.contact_id else f"account {message.client_id}"
        step = f"Answer {message.from_name or 'the mail'} about quote {quote.number}; a yes or a no is noted with it"
        evidence = Evidence("reply", who, f"message {message.id}", message.received_at)
        deals.set_next_step(ctx.tx, deal.id, step, evidence=evidence)
    return quote
