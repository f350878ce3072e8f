"""Money: exact amounts in a currency's own smallest unit, never a binary fraction."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

LARGEST = Decimal("999999999999.99")
"""What the database keeps: twelve digits before the point."""

DECIMALS: Mapping[str, int] = {
    **dict.fromkeys(("BIF", "BYR", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
                     "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
"""How many decimals a currency has where they are not two (ISO 4217, minor units)."""

_PAID_IN = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD "
    "MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN "
    "PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD "
    "TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
)
_GONE = "ANG BGN BYR CUC EEK HRK LTL LVL MRO SLL STD VEF ZMK ZWL"

CURRENCIES = frozenset(_PAID_IN.split())
"""What is paid in (ISO 4217); metals, units of account and the codes for tests or for none have no smallest unit."""

BYGONE = frozenset(_GONE.split())
"""Withdrawn since 2010: books that are taken over still tell of them, and nothing new is offered in them."""

_GROUPED = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


class InvalidMoney(Exception):
    """An amount is a decimal number such as 1250.00, in a currency such as USD."""


def exact(told: Decimal | int | str, currency: str = "USD") -> Decimal:
    """An amount exactly as it was told, with the currency's number of decimals.

    Raises InvalidMoney for what is no number, has more decimals than the currency, or is too large, and for every
    binary fraction: what was 0.1 there is no longer 0.1.
    """
    if isinstance(told, bool | float) or not isinstance(told, Decimal | int | str):
        raise InvalidMoney(f"{told!r} is not exact: give it as text, such as '1250.00'")
    try:
        amount = Decimal(_plain(told)) if isinstance(told, str) else Decimal(told)
    except InvalidOperation as error:
        raise InvalidMoney(f"{str(told)[:40]!r} is not an amount: give it like 1250.00") from error
    if not amount.is_finite() or abs(amount) > LARGEST:
        raise InvalidMoney(f"{str(told)[:40]!r} is more than can be kept")
    kept = amount.quantize(unit(currency))
    if kept != amount:
        raise InvalidMoney(f"{str(told)[:40]!r} has more decimals than {currency} has")
    # there is one zero, and it has no sign
    return kept or abs(kept)


def rounded(amount: Decimal, currency: str = "USD") -> Decimal:
    """A computed amount in the currency's smallest unit, halves away from zero, as invoices round."""
    return amount.quantize(unit(currency), rounding=ROUND_HALF_UP)


def unit(currency: str) -> Decimal:
    """The currency's smallest unit."""
    return Decimal(1).scaleb(-DECIMALS.get(currency, 2))


def currency(told: str, *, bygone: bool = False) -> str:
    """A currency's ISO 4217 code in upper case; with `bygone` also of one that is no longer paid in.

    Raises InvalidMoney.
    """
    code = told.strip().upper()
    if code in CURRENCIES or (bygone and code in BYGONE):
        return code
    if code in BYGONE:
        raise InvalidMoney(f"{code} is no longer paid in: give the currency that took its place")
    raise InvalidMoney(f"{told[:20]!r} is not a currency: give its three letters, such as USD or EUR")


def told(amount: Decimal | None) -> str | None:
    """An amount as JSON carries it: text, so that no reader makes a binary fraction of it."""
    return None if amount is None else format(amount, "f")


def within(amount: Decimal, expected: Decimal, percent: Decimal) -> bool:
    """Whether an amount lies within `percent` of what is expected, the bounds included."""
    return abs(amount - expected) * 100 <= expected * percent


def _plain(written: str) -> str:
    """Thousands may be parted by commas, decimals by a point; anything else would be a guess."""
    text = written.strip()
    if _GROUPED.fullmatch(text):
        return text.replace(",", "")
    # Decimal itself would take 1e5, 1_000 and digits of every script
    return text if re.fullmatch(r"[-+]?[0-9]+(?:\.[0-9]+)?", text) else "no number"
