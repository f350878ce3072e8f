"""Mails that answer a quote: a person notes the yes or no, and till then its deal, or an alert, says that it waits."""

from __future__ import annotations

import re
from collections.abc import Sequence

from domain import alerts, deal_activity, deals, quotes, vouching
from domain.deals import Evidence
from domain.inbox import Message
from domain.quotes import Quote
from engines.contract import Context


def about(ctx: Context, message: Message) -> Sequence[Quote]:
    """The open quotes that somebody at the account writes about.

    Those that their words name; else the newest of the conversation, else those that the subject names; else the
    account's only one, where the words hold a yes or a no.
    """
    assert message.client_id is not None
    waiting = quotes.open_of(ctx.tx, message.client_id)
    words, subject = said(message), message.subject or ""
    here = [each for each in waiting if each.thread_id is not None and each.thread_id == message.thread_id]
    for found in (_named(waiting, words), here[:1], _named(waiting, subject)):
        if found:
            return found
    return waiting if len(waiting) == 1 and deal_activity.DECIDES.search(f"{subject} {words}") else ()


def taken_in(ctx: Context, message: Message, found: Sequence[Quote]) -> None:
    """Say that a person has to see what somebody answered to these quotes.

    What they wrote decides nothing: the page takes an answer, or a person notes one. A next step that a person has set
    stays as it is, and so does every step where the mail may be anybody's.
    """
    if not vouching.by_account(message):
        return
    for quote in found:
        if quote.deal_id is None:
            # there is no deal whose next step it could be
            told = f"Quote {quote.number} has no deal and was answered by mail: a person notes the yes or the no."
            alerts.open(ctx.tx, f"quote_answered:{quote.id}", told, quote_id=str(quote.id), message_id=str(message.id))
            continue
        deal = deals.get(ctx.tx, quote.deal_id)
        if deal is None or deal.state != "open" or not deal.automation:
            continue
        if (deal.next_step_evidence or {}).get("kind") != "person":
            who = f"contact {message.contact_id}" if message.contact_id else f"account {message.client_id}"
            step = (
                f"Answer {message.from_name or 'the mail'} about quote {quote.number}; a yes or a no is noted with it"
            )
            evidence = Evidence("reply", who, f"message {message.id}", message.received_at)
            deals.set_next_step(ctx.tx, deal.id, step, evidence=evidence)


def said(message: Message) -> str:
    """What the writer wrote this time, without what they quoted."""
    return " ".join(str(message.reading.get("reply") or message.snippet or "").split())


def _named(waiting: Sequence[Quote], words: str) -> Sequence[Quote]:
    """Those of which the words give the number, whole."""
    return [
        each for each in waiting if re.search(rf"(?<![\w-]){re.escape(each.number)}(?![\w-])", words, re.IGNORECASE)
    ]
