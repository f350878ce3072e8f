"""Checking one order: all that bears on it is read, its faults are found, and where it has none it is accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain import (
    agreements,
    catalogue,
    clients,
    credit,
    events,
    order_exceptions,
    order_lines,
    order_queue,
    orders,
    products,
    quotes,
    rollup,
)
from domain.credit import Credit
from domain.order_exceptions import Fault, Handling, OrderException
from domain.orders import Line, Order
from domain.products import Product
from engines.contract import Context
from engines.orders import credit_check, pricing, requirements
from engines.orders.codes import CHECKED, CODES, CREDIT
from engines.orders.pricing import Agreed, Priced


@dataclass(frozen=True, slots=True)
class Read:
    """An order with all that bears on it."""

    order: Order
    lines: Sequence[Line]
    products: Mapping[UUID, Product]
    client_active: bool
    credit: Credit | None
    tolerance: Decimal
    agreed: Agreed | None = None

    @property
    def priced(self) -> Priced:
        """Its figures beside the catalogue, or beside what was agreed."""
        return Priced(self.order, self.lines, self.products, self.tolerance, self.agreed)


def faults(read: Read) -> list[Fault]:
    """What is wrong with an order: the same order always has the same faults."""
    priced = read.priced
    found = [*pricing.faults(priced), *requirements.faults(read.order, priced.distinct),
             *credit_check.faults(read.order, client_active=read.client_active, standing=read.credit)]  # fmt: skip
    if read.order.client_id is None:
        found.append(Fault("CLIENT_UNKNOWN", "client_id", "person", CODES["CLIENT_UNKNOWN"].sentence))
    if read.order.source == "mail" and not read.lines:
        asked: Handling = "ask" if read.order.client_id else "person"
        found.append(Fault("LINES_MISSING", "lines", asked, CODES["LINES_MISSING"].sentence))
    if (read.order.evidence.get("order") or {}).get("wants_a_call"):
        # who asks to be called is not asked by mail meanwhile: whoever calls will find out
        return [replace(fault, handling="person") if fault.handling == "ask" else fault for fault in found]
    return found


def check(ctx: Context, order_id: UUID) -> dict[str, Any]:
    """Check an order that waits for it, and say what came of it. Checked again, nothing changes."""
    tx = ctx.tx
    order, entry = orders.get(tx, order_id, lock=True), order_queue.get(tx, order_id)
    if order is None or entry is None or order.status not in orders.UNCHECKED:
        return {"order": "gone" if order is None else order.status}
    order = complete(ctx, order)
    known = {each.id for each in order_exceptions.of(tx, [order_id]).get(order_id, ())}
    found = faults(read(ctx, order))
    standing = order_exceptions.found(tx, order_id, found, own=_own(found), client_id=order.client_id)
    if not standing and _is_ours_to_accept(ctx, order) and not _accept(ctx, order):
        # the credit that was there a moment ago has just been taken
        found = faults(read(ctx, order))
        standing = order_exceptions.found(tx, order_id, found, own=_own(found), client_id=order.client_id)
    if entry.checked_at is None:
        rollup.add(tx, orders_processed=1, orders_exceptions=int(bool(found)))
    _tell_credit(ctx, order, [each for each in standing if each.id not in known])
    _note(ctx, order, entry, standing)
    return {"order": "valid" if not standing else "exceptions", "codes": sorted({each.code for each in standing})}


def read(ctx: Context, order: Order) -> Read:
    """All that bears on one order, in four statements, and two more for one that came of a quote."""
    lines = order_lines.of(ctx.tx, [order.id]).get(order.id, ())
    account = clients.get(ctx.tx, order.client_id) if order.client_id else None
    return Read(
        order, lines, products.of(ctx.tx, [line.product_id for line in lines if line.product_id]),
        client_active=account is not None and account.status == "active",
        credit=credit.get(ctx.tx, order.client_id) if order.client_id else None,
        tolerance=ctx.settings.price_tolerance_percent, agreed=_agreed(ctx, order),
    )  # fmt: skip


def _agreed(ctx: Context, order: Order) -> Agreed | None:
    quote = quotes.get(ctx.tx, order.quote_id) if order.quote_id else None
    if quote is None:
        return None
    return Agreed(quote.number, quote.currency, quote.subtotal - quote.discount_amount, quote.total,
                  agreements.lines_of(ctx.tx, quote.id))  # fmt: skip


def complete(ctx: Context, order: Order) -> Order:
    """Lines that named nothing known may do so by now; the figures of an order by mail follow from the catalogue."""
    tx = ctx.tx
    lines = order_lines.of(tx, [order.id]).get(order.id, ())
    known = products.by_codes(tx, [line.code for line in lines if line.code and line.product_id is None])
    sold = catalogue.sold(tx) if order.source == "mail" and any(each.product_id is None for each in lines) else []
    better = [line if line.product_id else _recognised(line, known, sold) for line in lines]
    if tuple(better) != tuple(lines):
        order_lines.replace(tx, order.id, better)
    if not (order.source == "mail" and order.status == "draft" and order.fee is None):
        return order
    priced = read(ctx, order).priced
    if priced.expected_fee is None:
        return order
    tech = priced.expected_tech_fee
    orders.apply(tx, order, {"fee": priced.expected_fee, "tech_fee": tech, "total_amount": priced.expected_fee + tech})
    return orders.known(tx, order.id)


def _recognised(line: Line, known: Mapping[str, Product], sold: Sequence[Product]) -> Line:
    product = known.get(line.code) if line.code else None
    product = product or catalogue.meant(line.description, sold)
    return replace(line, product_id=product.id, code=product.code) if product else line


def _own(found: Sequence[Fault]) -> frozenset[str]:
    """An answer that was not understood no longer matters once nothing is missing."""
    return CHECKED if any(fault.handling == "ask" for fault in found) else CHECKED | {"ANSWER_UNCLEAR"}


def _is_ours_to_accept(ctx: Context, order: Order) -> bool:
    """A draft that came by mail is a person's to confirm, unless the tenant wants it otherwise and it is proven."""
    proven = not (order.evidence.get("order") or {}).get("unproven")
    if order.status == "draft" and order.source != "mail":
        return False
    return order.status == "new" or (ctx.settings.accept_mail_orders and proven)


def _accept(ctx: Context, order: Order) -> bool:
    """Accept it; over the limit too, where a person has waived that."""
    if orders.accept(ctx.tx, order):
        return True
    waived = order_exceptions.listed(ctx.tx, order_id=order.id, state="waived", limit=500)
    return any(each.code in CREDIT for each in waived) and orders.accept(ctx.tx, order, beyond_limit=True)


def _note(
    ctx: Context, order: Order, entry: order_queue.Entry, standing: Sequence[OrderException]
) -> None:  # fmt: skip
    """Where the order stands in the queue now, and when it is looked at next."""
    if not standing:
        order_queue.checked(ctx.tx, order.id, "valid")
        if entry.state != "valid":
            events.record(ctx.tx, "order.valid", "order", order.id, client_id=order.client_id, status=order.status)
        return
    asked = [each for each in standing if each.handling == "ask" and each.asked_at is not None]
    to_do = [each for each in standing if each.handling == "fix" or (each.handling == "ask" and not each.asked_at)]
    if asked and not to_do:
        since = max(each.asked_at for each in asked if each.asked_at)
        patience = order_queue.patience(since, ctx.settings.order_answer_days)
        order_queue.checked(ctx.tx, order.id, "asked", due_at=patience)
        return
    order_queue.checked(ctx.tx, order.id, "exceptions", due_at=ctx.now if to_do else None)


def _tell_credit(ctx: Context, order: Order, fresh: Sequence[OrderException]) -> None:
    """An order that its account's credit does not carry is news to everybody who deals with the account."""
    if failed := sorted(each.code for each in fresh if each.code in CREDIT):
        events.record(ctx.tx, "order.credit_failed", "order", order.id, client_id=order.client_id, react=True,
                      codes=failed)  # fmt: skip
