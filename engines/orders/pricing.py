"""Pricing: an order's fee, tech fee and total against each other and against the catalogue; and what they should be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from domain import money
from domain.order_exceptions import Fault, Handling
from domain.order_fixes import Changes
from domain.orders import Line, Order
from domain.products import Product
from engines.orders.codes import PRICING


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a client agreed to when they accepted a quote."""

    number: str
    currency: str
    fee: Decimal
    total: Decimal
    lines: Sequence[Line]

    def kept(self, order: Order, lines: Sequence[Line]) -> bool:
        """Whether an order says the same."""
        return (order.currency, order.fee, order.tech_fee, order.total_amount) == (
            self.currency, self.fee, Decimal(0), self.total) and _wanted(lines) == _wanted(self.lines)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Priced:
    """An order's figures beside what the catalogue says of its lines."""

    order: Order
    lines: Sequence[Line]
    products: Mapping[UUID, Product]
    tolerance: Decimal
    """Per cent, where a product names none."""
    agreed: Agreed | None = None
    """What the client agreed to by a quote: then that counts, and not the catalogue."""

    def product(self, line: Line) -> Product | None:
        """The product of a line."""
        return self.products.get(line.product_id) if line.product_id else None

    @property
    def expected_fee(self) -> Decimal | None:
        """What the catalogue asks for all lines; None unless it knows every one, in the order's currency."""
        told = [(line, self.product(line)) for line in self.lines]
        if not told or any(product is None or product.currency != self.order.currency for _, product in told):
            return None
        whole = sum((Decimal(line.quantity) * product.price for line, product in told if product), Decimal(0))
        return money.rounded(whole, self.order.currency)

    @property
    def expected_tech_fee(self) -> Decimal:
        """The tech fees of the products, each once however many were ordered."""
        return sum((product.tech_fee for product in self.distinct), Decimal(0))

    @property
    def distinct(self) -> list[Product]:
        """The products of the order, each once."""
        found = (self.product(line) for line in self.lines)
        return list({product.id: product for product in found if product is not None}.values())

    def allowed(self, product: Product) -> Decimal:
        """How many per cent a price may lie off this product's."""
        return self.tolerance if product.tolerance_percent is None else product.tolerance_percent


def faults(priced: Priced) -> Iterator[Fault]:
    """Everything that is wrong with the figures."""
    doubts = [*_of_agreement(priced), *_of_lines(priced), *_of_fee(priced)]
    yield from doubts
    sure = priced.order.fee is not None and not any(fault.code in PRICING for fault in doubts)
    yield from _of_sums(priced, sure)


def corrections(priced: Priced, fields: frozenset[str]) -> Changes:
    """What the wrong figures among `fields` should be: the tech fee never raises a total that can hold the fee."""
    order, fee = priced.order, priced.order.fee
    if fee is None or fee <= 0:
        return {}
    tech, total = order.tech_fee, order.total_amount
    changes = {}
    if "tech_fee" in fields:
        listed = priced.expected_tech_fee
        tech = listed if total is None or total < fee else min(listed, total - fee)
        changes["tech_fee"] = {"before": money.told(order.tech_fee), "after": money.told(tech)}
    if "total_amount" in fields:
        changes["total_amount"] = {"before": money.told(total), "after": money.told(fee + (tech or Decimal(0)))}
    return {name: each for name, each in changes.items() if each["before"] != each["after"]}


def _of_agreement(priced: Priced) -> Iterator[Fault]:
    order, agreed = priced.order, priced.agreed
    if agreed is None or agreed.kept(order, priced.lines):
        return
    wanted, said = f"{agreed.currency} {_told(agreed.total)}", f"{order.currency} {_told(order.total_amount)}"
    yield Fault("OFF_QUOTE", "total_amount", "person",
                f"the client accepted quote {agreed.number} for {wanted} in all; the order says {said}, or other lines",
                {"quote": agreed.number, "agreed": wanted, "order": said, "revision": str(order.revision)},
    )  # fmt: skip


def _wanted(lines: Sequence[Line]) -> list[tuple[str | None, Decimal, Decimal | None]]:
    return [(line.code, Decimal(line.quantity), None if line.unit_price is None else Decimal(line.unit_price))
            for line in lines]  # fmt: skip


def _of_lines(priced: Priced) -> Iterator[Fault]:
    order = priced.order
    if priced.agreed is not None:
        # what was promised is owed, whatever the catalogue knows or sells by now
        return
    for at, line in enumerate(priced.lines, 1):
        product = priced.product(line)
        if product is None:
            if line.code or order.source == "mail":
                asked: Handling = "ask" if order.source == "mail" and order.client_id else "person"
                told = line.code or line.description
                yield Fault("PRODUCT_UNKNOWN", str(at), asked, f"the catalogue knows no {told[:80]!r}",
                            {"code": line.code or "", "description": line.description})  # fmt: skip
            continue
        facts = {"code": product.code, "listed": _told(product.price), "currency": product.currency}
        if not product.active:
            yield Fault("PRODUCT_RETIRED", str(at), "person", f"{product.code} is no longer sold", facts)
        if product.currency != order.currency:
            yield Fault("CURRENCY_MISMATCH", str(at), "person",
                        f"{product.code} is sold in {product.currency}, the order is in {order.currency}",
                        {**facts, "order": order.currency})  # fmt: skip
        elif line.unit_price is not None and not money.within(
            Decimal(line.unit_price), product.price, priced.allowed(product)
        ):
            yield Fault("LINE_OFF_CATALOGUE", str(at), "person",
                        f"{product.code} is listed at {_told(product.price)}, the line says {line.unit_price}",
                        {**facts, "price": _told(Decimal(line.unit_price))})  # fmt: skip


def _of_fee(priced: Priced) -> Iterator[Fault]:
    order, expected = priced.order, priced.expected_fee
    if order.fee is None:
        if not (order.source == "mail" and order.status == "draft" and expected is None):
            # of a draft whose lines are not understood yet, the fee follows from them
            yield Fault("FEE_MISSING", "fee", "person", "the order names no fee")
        return
    if order.fee <= 0:
        yield Fault("FEE_NOT_POSITIVE", "fee", "person", f"the fee is {_told(order.fee)}", {"fee": _told(order.fee)})
        return
    if expected is None or priced.agreed is not None:
        return
    percent = max(priced.allowed(product) for product in priced.distinct)
    if not money.within(order.fee, expected, percent):
        codes = ", ".join(product.code for product in priced.distinct)
        yield Fault("FEE_OFF_CATALOGUE", "fee", "person",
                    f"the catalogue asks {_told(expected)} ±{percent.normalize():f} %, the fee is {_told(order.fee)}",
                    {"fee": _told(order.fee), "listed": _told(expected), "code": codes})  # fmt: skip


def _of_sums(priced: Priced, sure: bool) -> Iterator[Fault]:
    """Faults that follow from the fee; where that is in doubt itself, they are nobody's to correct yet."""
    order, fee = priced.order, priced.order.fee
    handling: Handling = "fix" if sure else "person"
    facts = {"fee": _told(fee), "tech_fee": _told(order.tech_fee), "total": _told(order.total_amount),
             "fee_is": "sure" if sure else "in doubt"}  # fmt: skip
    if order.tech_fee is None and priced.expected_tech_fee > 0 and fee is not None:
        listed = _told(priced.expected_tech_fee)
        yield Fault("TECH_FEE_MISSING", "tech_fee", handling, f"the catalogue lists a tech fee of {listed}",
                    {**facts, "listed": listed})  # fmt: skip
    elif order.tech_fee is not None and order.tech_fee < 0:
        told = f"the tech fee is {_told(order.tech_fee)}"
        yield Fault("TECH_FEE_NEGATIVE", "tech_fee", handling, told, facts)
    if fee is None:
        return
    if order.total_amount is None:
        yield Fault("TOTAL_MISSING", "total_amount", handling, "the order names no total", facts)
    elif order.total_amount < fee:
        told = f"the total {_told(order.total_amount)} is below the fee {_told(fee)}"
        yield Fault("TOTAL_BELOW_FEE", "total_amount", handling, told, facts)


def _told(amount: Decimal | None) -> str:
    return money.told(amount) or "none"
