"""Mails that ask for a price: each becomes one draft from the catalogue, and what the catalogue lacks stands marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from domain import catalogue, clients, deal_stages, deals, money, order_lines, products, quotes, vouching
from domain.deals import Deal, Evidence
from domain.inbox import Message
from domain.order_lines import InvalidOrder
from domain.products import Product
from domain.quotes import Line, Quote
from engines.contract import Context
from engines.quotes.answers import said

WORDS = 300
MOST = 50


def taken_in(ctx: Context, message: Message, *, answers: bool) -> Quote | None:
    """The draft of what a mail asks a price for; None where it asks for none, or is from nobody known.

    Where it `answers` an open quote, it is about that one unless it names goods. Where a stranger names the contact in
    Reply-To, a person finds the draft: it goes to nobody, and makes no deal.
    """
    if message.cls != "quote_request" or message.client_id is None or vouching.forged(message):
        return None
    if quotes.of_message(ctx.tx, message.id) is not None or (answers and not _items(message)):
        return None
    sold = catalogue.sold(ctx.tx)
    lines, found = _lines(message, sold)
    quote = quotes.draft(
        ctx.tx, client_id=message.client_id, contact_id=message.contact_id, lines=lines, source="mail",
        currency=_currency(ctx, message.client_id, found, sold), thread_id=message.thread_id, message_id=message.id,
        title=message.subject, evidence={"message_id": str(message.id), "quote": said(message)[:WORDS]},
    )  # fmt: skip
    if not vouching.by_account(message):
        return quote
    quote = quotes.change(ctx.tx, quote.id, deal_id=_deal(ctx, message, quote))
    if not quote.unpriced and quote.total and message.contact_id is not None:
        quote = quotes.offer(ctx.tx, quote.id)
    return quote


def _currency(ctx: Context, client_id: UUID, found: Sequence[Product], sold: Sequence[Product]) -> str:
    """What the draft is priced in: as the first product that is asked for, else as its account.

    Where that money is gone, it is the tenant's own, in which most of what it sells is priced: what has no price in it
    is left to a person, and no mail is lost.
    """
    account = clients.get(ctx.tx, client_id)
    usual = [currency for currency, _ in Counter(each.currency for each in sold).most_common()]
    wished = [*(each.currency for each in found[:1]), *([account.currency] if account else []), *usual]
    return next((each for each in wished if each in money.CURRENCIES), products.CURRENCY)


def _lines(message: Message, sold: Sequence[Product]) -> tuple[list[Line], list[Product]]:
    """What the mail asks for, each with the product that it names; and those products."""
    lines: list[Line] = []
    found: list[Product] = []
    for item in _items(message)[:MOST]:
        words = str(item.get("description") or item.get("code") or "").strip()
        product = catalogue.meant(f"{item.get('code') or ''} {words}", sold)
        told = item.get("quantity")
        try:
            quantity = order_lines.quantity("1" if told is None or isinstance(told, bool) else str(told))
        except InvalidOrder:
            quantity = order_lines.quantity("1")
        if product is not None:
            found.append(product)
            lines.append(Line(product.name, quantity, product.code))
        elif words:
            lines.append(Line(words, quantity, unmatched=True))
    if not lines:
        # they ask for something that was not understood: their own words are the one line
        whole = catalogue.meant(said(message), sold)
        if whole is not None:
            return [Line(whole.name, 1, whole.code)], [whole]
        lines.append(Line(said(message)[:WORDS] or message.subject or "?", unmatched=True))
    return lines, found


def _items(message: Message) -> Sequence[Mapping[str, Any]]:
    """The lines that the rules of reading found, else those that a model did: in the writer's own words either way."""
    read = (message.reading.get("model") or {}).get("quote_items") or {}
    return list(message.reading.get("items") or read.get("items") or ())


def _deal(ctx: Context, message: Message, quote: Quote) -> UUID:
    """The deal that the quote belongs to: the account's only one that fits, else a new one, shown by the mail."""
    assert message.client_id is not None
    open_deals = deals.listed(ctx.tx, state="open", client_id=message.client_id, limit=100)
    fitting: Sequence[Deal] = [each for each in open_deals if each.thread_id and each.thread_id == message.thread_id]
    fitting = fitting or [each for each in open_deals if message.contact_id and each.contact_id == message.contact_id]
    fitting = fitting or open_deals
    if len(fitting) == 1:
        return fitting[0].id
    who = f"contact {message.contact_id}" if message.contact_id else f"account {message.client_id}"
    made = deals.put(
        ctx.tx, title=message.subject or f"Quote {quote.number}", client_id=message.client_id,
        contact_id=message.contact_id, value=quote.total, currency=quote.currency, source="mail",
    )  # fmt: skip
    deal = deals.get(ctx.tx, made.id)
    stage = deal_stages.after(ctx.tx, deal.stage, "quote_request") if deal else None
    if stage is not None:
        evidence = Evidence("quote_request", who, f"message {message.id}", message.received_at)
        deals.advance(ctx.tx, made.id, stage.key, evidence=evidence)
    return made.id
