"""What an agreement becomes: the order of an accepted quote or of a won deal, made once, and how it is taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from domain import contacts, money, orders, quote_book, quote_lines
from domain.db import Row, Tx
from domain.deal_book import Deal
from domain.money import InvalidMoney
from domain.order_lines import Line
from domain.orders import Order
from domain.quote_book import Quote

SOURCES = ("quote", "deal")
"""Where an order comes from that was made of an agreement; any other, by mail or a system, stands by itself."""

BACK = ("draft", "new", "accepted")
"""As long as an order is there, it goes with the deal that it came of."""


def unordered(tx: Tx, deal_id: UUID) -> list[Quote]:
    """The accepted quotes of a deal that have become no order yet, in the order in which they were accepted."""
    rows = tx.rows(
        f"""SELECT {quote_book.COLUMNS} FROM quotes q WHERE tenant_id = :t AND deal_id = :deal AND status = 'accepted'
              AND NOT EXISTS (SELECT FROM orders o WHERE o.tenant_id = :t AND o.quote_id = q.id
                              AND o.status <> 'cancelled')
            ORDER BY answered_at, id""",
        t=tx.tenant_id, deal=deal_id,
    )  # fmt: skip
    return [quote_book.load(row) for row in rows]


def order_quote(tx: Tx, quote: Quote, *, status: str) -> UUID:
    """The order of an accepted quote: its lines, figures and currency exactly as they were agreed.

    The fee is what the goods come to after every discount, the total what was agreed in all; a tech fee on top was not.
    """
    told = {"quote": quote.number, "discount": _part(quote.discount_amount), "tax": _part(quote.tax_amount)}
    agreed = {
        "quote_id": str(quote.id), "number": quote.number, "revision": quote.revision, "by": quote.answered_by,
        "at": quote.answered_at.isoformat() if quote.answered_at else None,
        "deal_id": str(quote.deal_id) if quote.deal_id else None,
    }  # fmt: skip
    made = orders.put(
        tx, client_id=quote.client_id, contact_id=_contact(tx, quote.client_id, quote.contact_id), status=status,
        source="quote", number=quote.number, currency=quote.currency, fee=quote.subtotal - quote.discount_amount,
        tech_fee=0, total_amount=quote.total, ordered_at=quote.answered_at or tx.now, thread_id=quote.thread_id,
        deal_id=quote.deal_id, quote_id=quote.id, lines=lines_of(tx, quote.id), details=told,
        evidence={"agreed": agreed, **({"asked": dict(quote.evidence)} if quote.evidence else {})},
    )  # fmt: skip
    return made.id


def order_deal(tx: Tx, deal: Deal, *, words: str) -> UUID:
    """The draft of a deal that was won by somebody's word: what it is called and worth; a person completes it."""
    price = _value(deal)
    made = orders.put(
        tx, client_id=deal.client_id, contact_id=_contact(tx, deal.client_id, deal.contact_id), status="draft",
        source="deal", currency=deal.currency, fee=price, tech_fee=0 if price else None, total_amount=price,
        ordered_at=deal.closed_at or tx.now, thread_id=deal.thread_id, deal_id=deal.id,
        lines=[Line(deal.title, unit_price=price)], evidence={"agreed": {"deal_id": str(deal.id), "words": words}},
    )  # fmt: skip
    return made.id


def link(tx: Tx, deal_id: UUID, message_id: UUID) -> UUID | None:
    """The order that a mail brought belongs to the deal which that mail won; None where it brought none."""
    order_id: UUID | None = tx.value(
        """UPDATE orders SET deal_id = :deal, updated_at = :now
           WHERE tenant_id = :t AND message_id = :message AND deal_id IS NULL AND status <> 'cancelled'
             AND client_id = (SELECT client_id FROM deals WHERE tenant_id = :t AND id = :deal)
           RETURNING id""",
        deal=deal_id, now=tx.now, t=tx.tenant_id, message=message_id,
    )  # fmt: skip
    return order_id


def take_back(tx: Tx, deal_id: UUID, *, reason: str) -> list[Order]:
    """A deal is not won after all: the orders made of it are cancelled; those that are under way stay, and are told."""
    rows = tx.rows(
        f"""SELECT {orders.COLUMNS} FROM orders WHERE tenant_id = :t AND deal_id = :deal AND source = ANY(:sources)
              AND status <> 'cancelled' ORDER BY id FOR UPDATE""",
        t=tx.tenant_id, deal=deal_id, sources=list(SOURCES),
    )  # fmt: skip
    found = [orders.load(row) for row in rows]
    for each in found:
        if each.status in BACK:
            orders.move(tx, each.id, "cancelled", reason=reason)
    return [each for each in found if each.status not in BACK]


def lines_of(tx: Tx, quote_id: UUID) -> list[Line]:
    """The lines of a quote as an order has them; what was off a line shows in the fee."""
    return [
        Line(line.description, line.quantity, line.code, line.unit_price, line.product_id)
        for line in quote_lines.of(tx, [quote_id]).get(quote_id, ())
    ]


def orders_of(tx: Tx, *, deals: Sequence[UUID] = (), quotes: Sequence[UUID] = ()) -> Mapping[UUID, list[UUID]]:
    """The orders of these deals and quotes, oldest first, the cancelled ones left out."""
    rows = tx.rows(
        """SELECT id, deal_id, quote_id FROM orders WHERE tenant_id = :t AND status <> 'cancelled'
             AND (deal_id = ANY(:deals) OR quote_id = ANY(:quotes)) ORDER BY id""",
        t=tx.tenant_id, deals=list(deals), quotes=list(quotes),
    )  # fmt: skip
    found: dict[UUID, list[UUID]] = {}
    for row in rows:
        for each in {row["deal_id"]} & set(deals) | {row["quote_id"]} & set(quotes):
            found.setdefault(each, []).append(row["id"])
    return found


def around(tx: Tx, subject_type: str, subject_id: str) -> list[dict[str, Any]]:
    """The deal, quotes and orders that belong with one of these, itself among them, each as people call it."""
    if subject_type not in ("deal", "quote", "order"):
        return []
    rows: Sequence[Row] = tx.rows(
        f"""WITH found AS (
               SELECT id AS deal, NULL::uuid AS quote, NULL::uuid AS ordered FROM deals
               WHERE tenant_id = :t AND id = :id AND :kind = 'deal'
               UNION ALL SELECT deal_id, id, NULL FROM quotes WHERE tenant_id = :t AND id = :id AND :kind = 'quote'
               UNION ALL SELECT deal_id, quote_id, id FROM orders WHERE tenant_id = :t AND id = :id AND :kind = 'order')
           SELECT 'deal' AS record, d.id, d.title AS called, d.state AS stands FROM deals d, found f
           WHERE d.tenant_id = :t AND d.id = f.deal
           UNION ALL SELECT 'quote', q.id, q.number, q.status FROM quotes q, found f
           WHERE q.tenant_id = :t AND (q.id = f.quote OR q.deal_id = f.deal)
           UNION ALL SELECT 'order', o.id, {_CALLED}, o.status FROM orders o, found f
           WHERE o.tenant_id = :t AND (o.id = f.ordered OR o.quote_id = f.quote OR o.deal_id = f.deal)
           ORDER BY 1, 2 LIMIT 50""",
        t=tx.tenant_id, id=UUID(subject_id), kind=subject_type,
    )  # fmt: skip
    return [dict(row) for row in rows]


_CALLED = "coalesce(o.number, o.external_id, upper(right(o.id::text, 8)))"


def _contact(tx: Tx, client_id: UUID, contact_id: UUID | None) -> UUID | None:
    """The contact, while they are still of the account."""
    person = contacts.get(tx, contact_id) if contact_id else None
    return person.id if person is not None and person.client_id == client_id else None


def _value(deal: Deal) -> Any:
    """A deal's worth as a price, where it is one."""
    try:
        return money.exact(deal.value, deal.currency) or None
    except InvalidMoney:
        return None


def _part(amount: Any) -> str | None:
    return money.told(amount) if amount else None
