"""Currencies are those that people pay in, each with its own smallest unit."""

from __future__ import annotations

import pytest

from domain import money
from domain.money import InvalidMoney


@pytest.mark.parametrize("told", ["USD", " eur ", "clf", "KWD", "XOF", "XCG"])
def test_a_currency_is_kept_by_its_code(told: str) -> None:
    assert money.currency(told) == told.strip().upper()


@pytest.mark.parametrize(
    "told",
    ["ZZZ", "AAA", "XAU", "XAG", "XDR", "XTS", "X" * 3, "XBA", "DEM", "EURO", "E\u200bUR", "\u0415UR", "ﬀf", "$", ""],
)
def test_what_nobody_pays_in_is_no_currency(told: str) -> None:
    for bygone in (False, True):
        with pytest.raises(InvalidMoney, match="not a currency"):
            money.currency(told, bygone=bygone)


def test_old_books_may_tell_of_money_that_is_gone_and_nothing_new_is_offered_in_it() -> None:
    assert money.currency("hrk", bygone=True) == "HRK"
    with pytest.raises(InvalidMoney, match="HRK is no longer paid in"):
        money.currency("hrk")


def test_every_currency_has_its_unit() -> None:
    assert not money.CURRENCIES & money.BYGONE
    assert set(money.DECIMALS) <= money.CURRENCIES | money.BYGONE
    assert [str(money.unit(each)) for each in ("USD", "JPY", "KWD", "CLF")] == ["0.01", "1", "0.001", "0.0001"]
