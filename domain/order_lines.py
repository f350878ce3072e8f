"""Lines of orders: what was ordered, how much of it, and which product of the catalogue that is."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from uuid import UUID

from domain import money, products, storable
from domain.db import Tx
from domain.money import InvalidMoney

MOST = 500
LARGEST_QUANTITY = Decimal("999999999.999")


class InvalidOrder(Exception):
    """An order's fields must each be of their kind, and fit together."""


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of an order."""

    description: str
    quantity: Decimal | int | str = Decimal(1)
    code: str | None = None
    unit_price: Decimal | int | str | None = None
    product_id: UUID | None = None
    """The product of the catalogue with its code, where there is one."""


def matched(tx: Tx, lines: Sequence[Line] | None, currency: str) -> tuple[Line, ...] | None:
    """Lines in their one spelling, each with the product that its code names. Raises InvalidOrder."""
    if lines is None:
        return None
    if len(lines) > MOST:
        raise InvalidOrder(f"lines: at most {MOST}")
    told = [_spelled(line, at, currency) for at, line in enumerate(lines, 1)]
    catalogue = products.by_codes(tx, [line.code for line in told if line.code])
    found = [catalogue.get(line.code) if line.code else None for line in told]
    return tuple(dataclasses.replace(line, product_id=product.id if product else line.product_id)
                 for line, product in zip(told, found, strict=True))  # fmt: skip


def replace(tx: Tx, order_id: UUID, lines: Sequence[Line]) -> None:
    """Give an order these lines in place of those it has."""
    tx.run("DELETE FROM order_lines WHERE tenant_id = :t AND order_id = :id", t=tx.tenant_id, id=order_id)
    if lines:
        tx.run(
            """INSERT INTO order_lines (tenant_id, order_id, position, description, quantity, code, unit_price,
                                        product_id)
               SELECT :t, :id, l.* FROM unnest(CAST(:positions AS int[]), CAST(:descriptions AS text[]),
                   CAST(:quantities AS numeric[]), CAST(:codes AS text[]), CAST(:prices AS numeric[]),
                   CAST(:products AS uuid[])) AS l""",
            t=tx.tenant_id, id=order_id, positions=list(range(1, len(lines) + 1)),
            descriptions=[line.description for line in lines], quantities=[line.quantity for line in lines],
            codes=[line.code for line in lines], prices=[line.unit_price for line in lines],
            products=[line.product_id for line in lines],
        )  # fmt: skip


def of(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, tuple[Line, ...]]:
    """The lines of each of these orders that has any."""
    rows = tx.rows(
        """SELECT order_id, description, quantity, code, unit_price, product_id FROM order_lines
           WHERE tenant_id = :t AND order_id = ANY(:ids) ORDER BY order_id, position""",
        t=tx.tenant_id, ids=list(order_ids),
    )  # fmt: skip
    found: dict[UUID, list[Line]] = {}
    for row in rows:
        found.setdefault(row["order_id"], []).append(
            Line(row["description"], row["quantity"], row["code"], row["unit_price"], row["product_id"])
        )
    return {order_id: tuple(lines) for order_id, lines in found.items()}


def _spelled(line: Line, at: int, currency: str) -> Line:
    description = " ".join(storable.text(line.description, 500).split())
    if not description and not line.code:
        raise InvalidOrder(f"lines.{at}: a line needs a description or a code")
    try:
        price = None if line.unit_price is None else money.exact(line.unit_price, currency)
    except InvalidMoney as error:
        raise InvalidOrder(f"lines.{at}.unit_price: {error}") from error
    if price is not None and price < 0:
        raise InvalidOrder(f"lines.{at}.unit_price: {price} is below zero")
    code = products.spelled_code(line.code) if line.code else None
    return Line(description or code or "", quantity(line.quantity, at), code, price, line.product_id)


def quantity(told: Decimal | int | str, at: int = 1) -> Decimal:
    """A quantity, exactly, of at most three decimals. Raises InvalidOrder."""
    if isinstance(told, bool | float):
        raise InvalidOrder(f"lines.{at}.quantity: {told!r} is not exact: give it as text")
    try:
        amount = Decimal(str(told).strip())
        kept = amount.quantize(Decimal("0.001")) if amount.is_finite() and abs(amount) <= LARGEST_QUANTITY else None
    except InvalidOperation:
        kept = None
    if kept is None or kept <= 0 or kept != amount:
        raise InvalidOrder(f"lines.{at}.quantity: {str(told)[:40]!r} is no quantity: give it like 2 or 1.5")
    return kept
