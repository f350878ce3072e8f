"""Amounts of money that a text names, and the values that records stand behind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from policy import letters
from policy.phrases import holds_any

_NUMBER = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,4})?"
_CURRENCY = (
    r"(?:us\$|u\$s|r\$|s/\.?|mx\$|a\$|c\$|cl\$|\$|usd|eur|gbp|jpy|brl|clp|mxn|ars|cop|pen|uyu|chf|cad|aud|cents"
    r"|dollars?|bucks|euros?|pounds?|dolares|dolar|reais|real|pesos?|soles|libras|quid|uf)"
)
_AMOUNT = re.compile(
    rf"(?<![\w$]){_CURRENCY}\s{{0,2}}({_NUMBER})\b"
    rf"|(?<![\w.,])({_NUMBER})\s{{0,2}}(?:thousand |million |mil |k |m )?{_CURRENCY}(?![\w$])"
)
_MONEY = (
    "$", "usd", "eur", "gbp", "jpy", "brl", "clp", "mxn", "ars", "cop", "pen", "uyu", "chf", "cad", "aud", "cents",
    "dollar", "bucks", "pound", "dolar", "reais", "real", "peso", "soles", "libra", "quid", "s/", "uf",
)  # fmt: skip
_PERCENT = re.compile(r"(\d{1,3}(?:[.,]\d+)?)\s?(?:%|percent\b|por ?ciento\b|por cento\b)")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Backing:
    """The values that records stand behind, as the engine that proposed the card read them."""

    amounts: frozenset[Decimal] = frozenset()
    dates: frozenset[date] = frozenset()
    words: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    """What the values are called (`price`, `discount`, `deadline` …)."""


NO_BACKING = Backing()


def backing(payload: Mapping[str, Any]) -> Backing:
    """What `payload["backed"]` holds: names, each with a value or a list of values; text, numbers or ISO dates."""
    told = payload.get("backed")
    if not isinstance(told, Mapping):
        return NO_BACKING
    words = [letters.plain(str(value)) for value in _values(told.values())]
    return Backing(
        frozenset(amount for word in words for amount in _amounts_in(word)),
        frozenset(day for word in words if (day := _day(word)) is not None),
        frozenset(" ".join(word.split()) for word in words),
        frozenset(str(name).lower() for name, value in told.items() if value not in (None, "", [])),
    )


def prices(plain: str) -> tuple[tuple[str, Decimal], ...]:
    """Every amount of money in a text, as written and as a number."""
    if not _DIGIT.search(plain) or not holds_any(plain, _MONEY):
        return ()
    found = []
    for match in _AMOUNT.finditer(plain):
        value = _decimal(match[1] or match[2])
        if value is not None:
            found.append((" ".join(match.group().split()), value))
    return tuple(found)


def percentages(plain: str) -> tuple[Decimal, ...]:
    """Every percentage in a text."""
    return tuple(value for match in _PERCENT.finditer(plain) if (value := _decimal(match[1])) is not None)


def _values(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        if isinstance(value, Mapping):
            yield from _values(value.values())
        elif isinstance(value, list | tuple):
            yield from _values(value)
        elif value is not None:
            yield value


def _amounts_in(word: str) -> Iterator[Decimal]:
    for match in re.finditer(_NUMBER, word):
        value = _decimal(match.group())
        if value is not None:
            yield value


def _day(word: str) -> date | None:
    try:
        return date.fromisoformat(word.strip()[:10])
    except ValueError:
        # a value that is no date backs none
        return None


def _decimal(written: str) -> Decimal | None:
    """A number whichever way its thousands and decimals are parted: 1,250.00 and 1.250,00 alike."""
    text = written.replace("'", "").replace(" ", "")
    last = max(text.rfind("."), text.rfind(","))
    if last >= 0:
        whole, part = text[:last], text[last + 1 :]
        whole = whole.replace(".", "").replace(",", "")
        # exactly three digits after the last mark are thousands
        text = whole + part if len(part) == 3 else f"{whole}.{part}"
    try:
        return Decimal(text)
    except InvalidOperation:
        return None
