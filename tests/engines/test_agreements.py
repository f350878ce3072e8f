"""What is agreed becomes an order once, exactly as it was agreed, and goes with the deal that it came of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from domain import (
    agreements,
    deals,
    events,
    executions,
    order_exceptions,
    order_lines,
    orders,
    products,
    quotes,
    settings,
)
from domain.db import Database, Tx
from domain.deals import Evidence, IllegalDealMove
from domain.orders import Order
from domain.quotes import Line, Quote
from engines.contract import Context
from engines.orders import checking
from engines.orders.engine import OrdersEngine
from engines.quotes.engine import QuotesEngine
from tests import build
from tests.domain.test_quotes import of, sent

ENGINES = (OrdersEngine(), QuotesEngine())


def heard(tx: Tx) -> None:
    """The engines take in what has happened."""
    while waiting := events.due(tx, limit=100):
        for event, _ in waiting:
            for engine in ENGINES:
                engine.react(Context(tx, settings.of(tx)), event)
        events.reacted(tx, [event.id for event, _ in waiting])


def quoted(tx: Tx, deal_id: UUID, *lines: Line, out: bool = True, of_deal: bool = True, **fields: Any) -> Quote:
    """A quote of a deal, with its contact, and gone out unless told otherwise."""
    deal = deals.get(tx, deal_id)
    assert deal is not None
    wished = {
        "contact_id": deal.contact_id,
        "deal_id": deal_id if of_deal else None,
        "lines": lines or [Line("Shelves", unit_price="5")],
    }
    quote = quotes.draft(tx, client_id=deal.client_id, **{**wished, **fields})
    return sent(tx, quote) if out else quote


def only(tx: Tx) -> Order:
    [found] = [each for each in orders.listed(tx) if each.status != "cancelled"]
    return found


def won(tx: Tx, quote: Quote) -> None:
    """Its deal is won by a quote that the client accepted."""
    assert quote.deal_id is not None
    quotes.accept(tx, quote.id, by="Bill")
    deals.win(tx, quote.deal_id, evidence=Evidence("quote_accepted", "Bill", f"quote {quote.id}", tx.now))


def test_an_accepted_quote_becomes_an_order_that_says_exactly_what_was_agreed(clone: Database) -> None:
    acme, globex = build.acme(clone), build.globex(clone)
    with clone.tenant(acme, actor="ana") as tx:
        box = products.put(tx, code="BOX", name="Carton box", price="2.50", tech_fee="9").id
        deal = build.deal(tx)
        lines = [
            Line(code="BOX", quantity="33.333", discount_percent="7.5", tax_percent="21"),
            Line("Art", 1, "ART", "0.05"),
        ]
        quote = quoted(tx, deal, *lines, discount_percent="3.33")
        other, draft = quoted(tx, deal), quoted(tx, deal, out=False)
        won(tx, quote)
        for each in (other, draft):
            gone = of(tx, each.id)
            assert (gone.status, gone.reason) == ("withdrawn", f"the deal was won by quote {quote.number}")
        heard(tx)
        order = only(tx)
        assert (order.status, order.source, order.number, order.currency) == ("new", "quote", quote.number, "USD")
        assert order.tech_fee == Decimal(0)
        assert (order.fee, order.total_amount) == (quote.subtotal - quote.discount_amount, quote.total)
        assert (order.deal_id, order.quote_id, order.contact_id) == (deal, quote.id, quote.contact_id)
        assert order.details == {"quote": quote.number, "discount": str(quote.discount_amount),
                                 "tax": str(quote.tax_amount)}  # fmt: skip
        assert order.evidence["agreed"]["by"] == "Bill"
        assert [(str(each.quantity), each.code, str(each.unit_price), each.product_id)
                for each in order_lines.of(tx, [order.id])[order.id]] == [
            ("33.333", "BOX", "2.50", box), ("1.000", "ART", "0.05", None)]  # fmt: skip
        assert agreements.orders_of(tx, deals=[deal], quotes=[quote.id]) == {deal: [order.id], quote.id: [order.id]}
        around = {
            (each["record"], each["called"], each["stands"]) for each in agreements.around(tx, "order", str(order.id))
        }
        assert around == {
            ("deal", "New shelves", "won"), ("quote", "Q-0001", "accepted"), ("quote", "Q-0002", "withdrawn"),
            ("quote", "Q-0003", "withdrawn"), ("order", "Q-0001", "new"),
        }  # fmt: skip
        # told of again, and again after a crash: one order
        tx.run(
            """INSERT INTO reactions_due (tenant_id, event_id, not_before) SELECT tenant_id, id, :now
               FROM warehouse_events WHERE tenant_id = :t AND type IN ('deal.won', 'quote.accepted')""",
            now=tx.now, t=acme,
        )  # fmt: skip
        heard(tx)
        assert only(tx).id == order.id
        with pytest.raises(IntegrityError), tx.savepoint():
            agreements.order_quote(tx, quote, status="new")
        # what is agreed is not held against the catalogue, however far off it is: dearer, no longer sold, never known
        products.put(tx, code="BOX", price="99", active=False)
        assert checking.check(Context(tx, settings.of(tx)), order.id) == {"order": "valid", "codes": []}
        assert only(tx).status == "accepted"
    with clone.tenant(globex) as tx:
        assert (orders.listed(tx), agreements.around(tx, "order", str(order.id))) == ([], [])


def test_an_order_that_is_no_longer_what_was_agreed_is_a_persons(clone: Database) -> None:
    with clone.tenant(build.acme(clone), actor="ana") as tx:
        won(tx, quoted(tx, build.deal(tx), Line("Shelves", 2, unit_price="600")))
        heard(tx)
        order = only(tx)
        orders.put(tx, order_id=order.id, total_amount="1300")
        assert checking.check(Context(tx, settings.of(tx)), order.id)["codes"] == ["OFF_QUOTE"]
        [fault] = order_exceptions.of(tx, [order.id])[order.id]
        assert (
            fault.message
            == "the client accepted quote Q-0001 for USD 1200.00 in all; the order says USD 1300.00, or other lines"
        )
        orders.put(tx, order_id=order.id, total_amount="1200", lines=[orders.Line("Shelves", 1, unit_price="600")])
        assert checking.check(Context(tx, settings.of(tx)), order.id)["codes"] == ["OFF_QUOTE"]


def test_the_tenant_says_what_a_won_deal_becomes_and_a_word_alone_makes_a_draft(clone: Database) -> None:
    with clone.tenant(build.acme(clone), actor="ana") as tx:
        settings.change(tx, {"won_deals_become": "draft"})
        won(tx, quoted(tx, build.deal(tx)))
        heard(tx)
        drafted = only(tx)
        assert checking.check(Context(tx, settings.of(tx)), drafted.id) == {"order": "valid", "codes": []}
        assert only(tx).status == "draft"
        settings.change(tx, {"won_deals_become": "nothing"})
        won(tx, quoted(tx, build.deal(tx)))
        heard(tx)
        assert only(tx).id == drafted.id
        settings.change(tx, {"won_deals_become": "order"})
        by_phone, imported, rich = (build.deal(tx, title=each, value=value) for each, value in
                                    (("By phone", "77.50"), ("Imported", "5"), ("Thirds", "0.3333")))  # fmt: skip
        deals.put(tx, deal_id=imported, stage="won")
        deals.win(tx, by_phone, evidence=deals.by_person(tx, "Bill said yes"))
        deals.win(tx, rich, evidence=deals.by_person(tx, "Bill said yes"))
        heard(tx)
        made = {each.deal_id: each for each in orders.listed(tx, status="draft")}
        assert (imported in made, made[by_phone].total_amount, made[rich].total_amount) == (
            False,
            Decimal("77.50"),
            None,
        )
        assert made[by_phone].evidence["agreed"]["words"] == "Bill said yes"
        # without a deal an accepted quote is an agreement all the same
        loose = quoted(tx, by_phone, of_deal=False)
        quotes.accept(tx, loose.id, by="Bill")
        heard(tx)
        assert [each.quote_id for each in orders.listed(tx, status="new")] == [loose.id]
        # of two that were accepted at once each is an order
        deal = build.deal(tx)
        both = [quoted(tx, deal), quoted(tx, deal)]
        quotes.accept(tx, both[1].id, by="Bill")
        won(tx, both[0])
        heard(tx)
        assert len(agreements.orders_of(tx, deals=[deal])[deal]) == 2


def test_an_order_goes_with_its_deal_until_it_is_under_way(clone: Database) -> None:
    with clone.tenant(build.acme(clone), actor="ana") as tx:
        deal = build.deal(tx)
        standing = deals.get(tx, deal)
        assert standing is not None
        before = deals.snapshot(standing)
        won(tx, quoted(tx, deal))
        heard(tx)
        first = only(tx)
        deals.reopen(tx, deal, evidence=deals.by_person(tx, "they changed their mind"))
        assert agreements.orders_of(tx, deals=[deal]) == {}
        assert [each.status for each in orders.listed(tx)] == ["cancelled"]
        closed = deals.win(tx, deal, evidence=deals.by_person(tx, "and back again"))
        heard(tx)
        second = only(tx)
        assert (second.id != first.id, second.quote_id) == (True, first.quote_id)
        orders.move(tx, second.id, "in_progress")
        with pytest.raises(IllegalDealMove, match="is in progress already"):
            deals.restore(tx, deal, to=before, seen=deals.snapshot(closed))
        deals.reopen(tx, deal, evidence=deals.by_person(tx, "a second delivery"))
        deals.win(tx, deal, evidence=deals.by_person(tx, "and so it is"))
        heard(tx)
        assert only(tx).id == second.id


def test_a_quote_that_was_on_its_way_when_its_deal_was_closed_is_taken_back_once_it_is_out(clone: Database) -> None:
    with clone.tenant(build.acme(clone), actor="ana") as tx:
        deal = build.deal(tx)
        draft = quoted(tx, deal, out=False)
        card = build.card(tx, draft.contact_id, state="queued", kind="send_quote", subject_type="quote",
                          subject_id=str(draft.id))  # fmt: skip
        executions.reserve(tx, card, owner="test", fence=1, lease_seconds=15, idempotency_key="key")
        deals.lose(tx, deal, evidence=deals.by_person(tx, "too dear"), reason="too dear")
        assert of(tx, draft.id).status == "draft"
        sent(tx, draft)
        heard(tx)
        gone = of(tx, draft.id)
        assert (gone.status, gone.reason) == ("withdrawn", "the deal was lost")
