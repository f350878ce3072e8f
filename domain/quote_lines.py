"""Lines of quotes: what is offered, how much of it at which price, and which product of the catalogue that is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from domain import money, order_lines, products, storable
from domain.db import Tx
from domain.money import InvalidMoney
from domain.order_lines import InvalidOrder
from domain.products import Product
from domain.quote_arithmetic import Item

MOST = 200


class InvalidQuote(Exception):
    """A quote's fields must each be of their kind, and fit together."""


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of a quote."""

    description: str = ""
    """Without one, the product's name."""
    quantity: Decimal | int | str = Decimal(1)
    code: str | None = None
    unit_price: Decimal | int | str | None = None
    """Without one, the catalogue's price where it sells in the quote's currency; else nobody has said it yet."""
    discount_percent: Decimal | int | str = Decimal(0)
    tax_percent: Decimal | int | str | None = None
    """None: as the tenant has set it."""
    product_id: UUID | None = None
    unmatched: bool = False
    """A mail asked for it, and the catalogue knows nothing of the kind."""
    amount: Decimal | None = None
    """What it comes to; computed."""

    @property
    def item(self) -> Item:
        """What of it counts, once it is spelled."""
        price = None if self.unit_price is None else Decimal(self.unit_price)
        return Item(Decimal(self.quantity), price, Decimal(self.discount_percent), Decimal(self.tax_percent or 0))


def matched(tx: Tx, lines: Sequence[Line], currency: str, *, tax_percent: Decimal) -> tuple[Line, ...]:
    """Lines in their one spelling, each with the product that its code names, and that product's price if it has none.

    Raises InvalidQuote.
    """
    if len(lines) > MOST:
        raise InvalidQuote(f"lines: at most {MOST}")
    catalogue = products.by_codes(tx, [line.code for line in lines if line.code])
    return tuple(_spelled(line, at, currency, tax_percent, catalogue) for at, line in enumerate(lines, 1))


def replace(tx: Tx, quote_id: UUID, lines: Sequence[Line]) -> None:
    """Give a quote these lines in place of those it has."""
    tx.run("DELETE FROM quote_lines WHERE tenant_id = :t AND quote_id = :id", t=tx.tenant_id, id=quote_id)
    if not lines:
        return
    tx.run(
        """INSERT INTO quote_lines (tenant_id, quote_id, position, description, quantity, code, unit_price,
                                    discount_percent, tax_percent, product_id, unmatched, amount)
           SELECT :t, :id, l.* FROM unnest(CAST(:positions AS int[]), CAST(:descriptions AS text[]),
               CAST(:quantities AS numeric[]), CAST(:codes AS text[]), CAST(:prices AS numeric[]),
               CAST(:discounts AS numeric[]), CAST(:taxes AS numeric[]), CAST(:products AS uuid[]),
               CAST(:unmatched AS boolean[]), CAST(:amounts AS numeric[])) AS l""",
        t=tx.tenant_id, id=quote_id, positions=list(range(1, len(lines) + 1)),
        descriptions=[line.description for line in lines], quantities=[line.quantity for line in lines],
        codes=[line.code for line in lines], prices=[line.unit_price for line in lines],
        discounts=[line.discount_percent for line in lines], taxes=[line.tax_percent for line in lines],
        products=[line.product_id for line in lines], unmatched=[line.unmatched for line in lines],
        amounts=[line.amount for line in lines],
    )  # fmt: skip


def of(tx: Tx, quote_ids: Sequence[UUID]) -> dict[UUID, tuple[Line, ...]]:
    """The lines of each of these quotes that has any."""
    rows = tx.rows(
        """SELECT quote_id, description, quantity, code, unit_price, discount_percent, tax_percent, product_id,
                  unmatched, amount
           FROM quote_lines WHERE tenant_id = :t AND quote_id = ANY(:ids) ORDER BY quote_id, position""",
        t=tx.tenant_id, ids=list(quote_ids),
    )  # fmt: skip
    found: dict[UUID, list[Line]] = {}
    for row in rows:
        line = Line(**{field.name: row[field.name] for field in dataclasses.fields(Line)})
        found.setdefault(row["quote_id"], []).append(line)
    return {quote_id: tuple(lines) for quote_id, lines in found.items()}


def percent(told: Decimal | int | str, field: str) -> Decimal:
    """A percentage from 0 to 100, exactly, of at most two decimals. Raises InvalidQuote."""
    try:
        exact = money.exact(told)
    except InvalidMoney as error:
        raise InvalidQuote(f"{field}: {error}") from error
    if not 0 <= exact <= 100:
        raise InvalidQuote(f"{field}: give per cent from 0 to 100")
    return exact


def told(line: Line) -> dict[str, str | bool | None]:
    """A line as it is kept of an offer that was changed: amounts as text."""
    return {
        "description": line.description, "quantity": str(line.quantity), "code": line.code,
        "unit_price": None if line.unit_price is None else str(line.unit_price),
        "discount_percent": str(line.discount_percent), "tax_percent": str(line.tax_percent),
        "amount": None if line.amount is None else str(line.amount), "unmatched": line.unmatched,
    }  # fmt: skip


def _spelled(line: Line, at: int, currency: str, tax_percent: Decimal, catalogue: Mapping[str, Product]) -> Line:
    code = products.spelled_code(line.code) if line.code else None
    product = catalogue.get(code) if code else None
    description = storable.line(line.description, 500) or (product.name if product else "")
    if not description:
        raise InvalidQuote(f"lines.{at}: a line needs a description, or the code of a product")
    try:
        quantity = order_lines.quantity(line.quantity, at)
        price = None if line.unit_price is None else money.exact(line.unit_price, currency)
    except InvalidOrder as error:
        raise InvalidQuote(str(error)) from error
    except InvalidMoney as error:
        raise InvalidQuote(f"lines.{at}.unit_price: {error}") from error
    if price is not None and price < 0:
        raise InvalidQuote(f"lines.{at}.unit_price: {price} is below zero")
    if price is None and product is not None and product.active and product.currency == currency:
        price = product.price
    return dataclasses.replace(
        line, description=description, quantity=quantity, code=code, unit_price=price,
        discount_percent=percent(line.discount_percent, f"lines.{at}.discount_percent"),
        tax_percent=tax_percent if line.tax_percent is None else percent(line.tax_percent, f"lines.{at}.tax_percent"),
        product_id=product.id if product else line.product_id, amount=None,
        unmatched=line.unmatched and product is None and price is None,
    )  # fmt: skip
