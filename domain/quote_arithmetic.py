"""What a quote comes to: exact decimals in the currency's own unit, and every total the sum of what stands above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain import money

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Item:
    """What of a line counts."""

    quantity: Decimal
    unit_price: Decimal | None
    """None: nobody has said yet; it counts for nothing."""
    discount_percent: Decimal = Decimal(0)
    tax_percent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tax:
    """One rate: what it is taken of, after every discount, and what it comes to."""

    percent: Decimal
    taxable: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """The figures below the lines: `total` is `subtotal` less `discount` plus the taxes, to the last unit."""

    amounts: tuple[Decimal | None, ...]
    """Of each line, after its own discount and before tax; None where it has no price."""
    subtotal: Decimal
    discount: Decimal
    taxes: tuple[Tax, ...]
    """By rising rate; a rate of zero is no tax."""
    tax: Decimal
    total: Decimal


def amount(item: Item, currency: str) -> Decimal | None:
    """What a line comes to after its own discount, rounded once for the goods and once for the discount."""
    if item.unit_price is None:
        return None
    gross = money.rounded(item.quantity * item.unit_price, currency)
    return gross - money.rounded(gross * item.discount_percent / HUNDRED, currency)


def totals(items: Sequence[Item], currency: str, discount_percent: Decimal = Decimal(0)) -> Totals:
    """Add lines up. A discount on the whole is spread over the tax rates, so that each is taken of what is paid."""
    amounts = tuple(amount(item, currency) for item in items)
    by_rate: dict[Decimal, Decimal] = {}
    for item, each in zip(items, amounts, strict=True):
        if each is not None:
            rate = item.tax_percent.normalize()
            by_rate[rate] = by_rate.get(rate, Decimal(0)) + each
    subtotal = sum(by_rate.values(), money.rounded(Decimal(0), currency))
    discount = money.rounded(subtotal * discount_percent / HUNDRED, currency)
    rates = sorted(by_rate)
    shares = spread(discount, [by_rate[rate] for rate in rates], currency)
    taxes = []
    for rate, share in zip(rates, shares, strict=True):
        taxable = by_rate[rate] - share
        if rate:
            taxes.append(Tax(rate, taxable, money.rounded(taxable * rate / HUNDRED, currency)))
    tax = sum((each.amount for each in taxes), money.rounded(Decimal(0), currency))
    return Totals(amounts, subtotal, discount, tuple(taxes), tax, subtotal - discount + tax)


def spread(whole: Decimal, parts: Sequence[Decimal], currency: str) -> list[Decimal]:
    """`whole` shared out in proportion to `parts`: the shares add up to it exactly, and none exceeds its part.

    `whole` is at most the sum of the parts. What rounding down leaves goes, a unit each, to those who lost most.
    """
    unit = money.unit(currency)
    # whole numbers of units: a quotient of decimals would itself be rounded
    of, weights = int(whole / unit), [int(part / unit) for part in parts]
    everything = sum(weights)
    if not everything:
        return [unit * 0 for _ in parts]
    shares = [of * weight // everything for weight in weights]
    neediest = sorted(range(len(parts)), key=lambda at: (-(of * weights[at] % everything), at))
    for at in neediest[: of - sum(shares)]:
        shares[at] += 1
    return [unit * share for share in shares]
