"""What quotes come to: exact in each currency's own unit, as an accountant with whole fractions would add them up."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import money, quote_arithmetic
from domain.quote_arithmetic import Item

EXPONENTS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: "AED ARS AUD BRL CAD CHF CNY COP EUR GBP HUF IDR INR MGA MRU MXN PEN TRY TWD USD UYU ZAR",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""Minor units as ISO 4217 has them; the twenty-odd of two decimals stand for all others."""

PLACES = {code: places for places, codes in EXPONENTS.items() for code in codes.split()}
CURRENCIES = st.sampled_from(["USD", "EUR", "BRL", "JPY", "CLP", "KWD", "TND", "CLF"])
PERCENTS = st.decimals(min_value=0, max_value=100, places=2) | st.sampled_from([Decimal(each) for each in (0, 5, 50)])


def test_each_currency_has_the_decimals_that_iso_4217_gives_it() -> None:
    assert {code: -int(money.unit(code).as_tuple().exponent) for code in PLACES} == PLACES


@st.composite
def items(draw: st.DrawFn, currency: str) -> Sequence[Item]:
    # small prices lie near the edges of rounding more often
    prices = st.integers(0, 40) | st.integers(0, 10 ** (5 + PLACES[currency]))
    quantities = st.sampled_from([Decimal(1), Decimal("0.5"), Decimal("2.5")]) | st.decimals("0.001", "99999", places=3)
    return draw(st.lists(st.builds(
        Item, quantity=quantities, unit_price=prices.map(lambda told: told * money.unit(currency)),
        discount_percent=PERCENTS, tax_percent=st.sampled_from([Decimal(each) for each in ("0", "5.5", "21", "100")]),
    ), max_size=8))  # fmt: skip


@given(data=st.data(), currency=CURRENCIES, discount=PERCENTS)
def test_quotes_come_to_what_whole_fractions_come_to(data: Any, currency: str, discount: Decimal) -> None:
    some = data.draw(items(currency))
    told = quote_arithmetic.totals(some, currency, discount)
    amounts, subtotal, off, taxes, total = added_up(some, PLACES[currency], Fraction(discount))
    assert [Fraction(each or 0) for each in told.amounts] == amounts
    assert (Fraction(told.subtotal), Fraction(told.discount), Fraction(told.total)) == (subtotal, off, total)
    assert [(Fraction(each.percent), Fraction(each.taxable), Fraction(each.amount)) for each in told.taxes] == taxes
    assert told.total == told.subtotal - told.discount + told.tax
    figures = [*filter(None, told.amounts), told.subtotal, told.discount, told.tax, told.total]
    assert all(each >= 0 and each == each.quantize(money.unit(currency)) for each in figures)
    # nobody pays more for the same in another order
    assert quote_arithmetic.totals(list(reversed(some)), currency, discount).total == told.total


def added_up(
    some: Sequence[Item], places: int, percent: Fraction
) -> tuple[list[Fraction], Fraction, Fraction, list[tuple[Fraction, Fraction, Fraction]], Fraction]:
    """The same by whole fractions: line amounts, subtotal, discount, (rate, taxable, tax) by rate, total."""
    unit = Fraction(1, 10**places)

    def rounded(exact: Fraction) -> Fraction:
        return floor(exact / unit + Fraction(1, 2)) * unit

    gross = [rounded(Fraction(item.quantity) * Fraction(item.unit_price or 0)) for item in some]
    amounts = [each - rounded(each * Fraction(item.discount_percent) / 100)
               for each, item in zip(gross, some, strict=True)]  # fmt: skip
    subtotal = sum(amounts, Fraction(0))
    off = rounded(subtotal * percent / 100)
    rates = sorted({Fraction(item.tax_percent) for item in some})
    parts = [sum((each for each, item in zip(amounts, some, strict=True) if item.tax_percent == rate), Fraction(0))
             for rate in rates]  # fmt: skip
    fair = [off * part / subtotal if subtotal else Fraction(0) for part in parts]
    shares = [floor(each / unit) * unit for each in fair]
    lost_most = sorted(range(len(rates)), key=lambda at: (shares[at] - fair[at], at))
    for at in lost_most[: int((off - sum(shares)) / unit)]:
        shares[at] += unit
    taxes = [(rate, part - share, rounded((part - share) * rate / 100))
             for rate, part, share in zip(rates, parts, shares, strict=True) if rate]  # fmt: skip
    return amounts, subtotal, off, taxes, subtotal - off + sum((tax for _, _, tax in taxes), Fraction(0))


@given(
    currency=CURRENCIES, parts=st.lists(st.integers(0, 10**14 - 1), min_size=1, max_size=6), share=st.fractions(0, 1)
)
def test_what_is_shared_out_is_neither_lost_nor_more_than_there_was(
    currency: str, parts: list[int], share: Any
) -> None:
    unit = money.unit(currency)
    weights = [unit * each for each in parts]
    whole = unit * int(sum(parts) * share)
    shares = quote_arithmetic.spread(whole, weights, currency)
    assert sum(shares) == whole
    assert all(0 <= each <= most for each, most in zip(shares, weights, strict=True))


def test_a_known_quote_comes_to_what_an_invoice_would() -> None:
    told = quote_arithmetic.totals(
        [Item(Decimal(3), Decimal("19.99"), Decimal(10), Decimal(21)), Item(Decimal("1.5"), Decimal(40)),
         Item(Decimal(2), None)], "EUR", Decimal(5),
    )  # fmt: skip
    assert told.amounts == (Decimal("53.97"), Decimal("60.00"), None)
    assert (told.subtotal, told.discount) == (Decimal("113.97"), Decimal("5.70"))
    assert [(each.percent, each.taxable, each.amount) for each in told.taxes] == [
        (Decimal(21), Decimal("51.27"), Decimal("10.77"))
    ]
    assert told.total == Decimal("119.04")


def line(price: str, discount: str = "0", tax: str = "0", quantity: str = "1") -> Item:
    return Item(Decimal(quantity), Decimal(price), Decimal(discount), Decimal(tax))


@pytest.mark.parametrize(
    ("currency", "some", "discount", "figures"),
    [
        # (subtotal, discount, tax, total), each at the edge where another order of rounding comes to something else
        ("USD", [line("0.01", discount="50")], "0", "0.00 0.00 0.00 0.00"),
        ("USD", [line("0.01"), line("0.01", tax="21")], "50", "0.02 0.01 0.00 0.01"),
        ("USD", [line("0.04", tax="10"), line("0.04", tax="10")], "0", "0.08 0.00 0.01 0.09"),
        ("USD", [line("0.25", tax="10")], "50", "0.25 0.13 0.01 0.13"),
        ("USD", [line("0.05", quantity="0.5")], "0", "0.03 0.00 0.00 0.03"),
        ("JPY", [line("1", quantity="1.5")], "0", "2 0 0 2"),
        ("JPY", [line("333", quantity="1.5", tax="8")], "0", "500 0 40 540"),
        ("KWD", [line("0.005", discount="50", tax="50")], "0", "0.002 0.000 0.001 0.003"),
        ("CLF", [line("0.0001", tax="50")], "0", "0.0001 0.0000 0.0001 0.0002"),
        ("EUR", [line("99.99", tax="21")], "100", "99.99 99.99 0.00 0.00"),
        ("EUR", [], "10", "0.00 0.00 0.00 0.00"),
    ],
)
def test_at_the_edges_of_rounding_each_figure_is_rounded_once_and_halves_go_up(
    currency: str, some: list[Item], discount: str, figures: str
) -> None:
    told = quote_arithmetic.totals(some, currency, Decimal(discount))
    assert " ".join(map(str, (told.subtotal, told.discount, told.tax, told.total))) == figures
