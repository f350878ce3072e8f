"""What was agreed becomes an order: a won deal and an accepted quote, each once, as the tenant has set it."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from domain import agreements, deals, quotes
from domain.events import Event
from engines.contract import Context

NEWS = frozenset({"deal.won", "quote.accepted"})

STATUS: Mapping[str, str] = {"order": "new", "draft": "draft"}
"""In which state an order begins, by the setting `won_deals_become`."""


def taken_in(ctx: Context, event: Event) -> list[UUID]:
    """Make what was agreed an order; those that were made. Told again, it makes none."""
    if event.type == "deal.won":
        return _won(ctx, event)
    quote = quotes.get(ctx.tx, UUID(event.subject_id))
    status = STATUS.get(ctx.settings.won_deals_become)
    if quote is None or quote.status != "accepted" or status is None:
        return []
    deal = deals.get(ctx.tx, quote.deal_id) if quote.deal_id else None
    if deal is not None and deal.state == "won":
        return [agreements.order_quote(ctx.tx, each, status=status) for each in agreements.unordered(ctx.tx, deal.id)]
    if deal is None and not agreements.orders_of(ctx.tx, quotes=[quote.id]):
        return [agreements.order_quote(ctx.tx, quote, status=status)]
    return []


def _won(ctx: Context, event: Event) -> list[UUID]:
    deal = deals.get(ctx.tx, UUID(event.subject_id))
    if deal is None or deal.state != "won":
        return []
    shown = event.data.get("evidence") or {}
    if shown.get("kind") == "order":
        # the client's own order is there already
        agreements.link(ctx.tx, deal.id, UUID(str(shown["what"]).removeprefix("message ")))
    status = STATUS.get(ctx.settings.won_deals_become)
    if status is None:
        return []
    if agreed := agreements.unordered(ctx.tx, deal.id):
        return [agreements.order_quote(ctx.tx, each, status=status) for each in agreed]
    # what another system reports as won, it orders itself
    if shown.get("kind") == "person" and not agreements.orders_of(ctx.tx, deals=[deal.id]):
        return [agreements.order_deal(ctx.tx, deal, words=str(shown.get("what") or ""))]
    return []
