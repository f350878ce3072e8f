"""Prices and deadlines that a text promises, and whether a record backs them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from policy import letters

_NUMBER = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,4})?"
_CURRENCY = (
    r"(?:us\$|u\$s|r\$|s/\.?|mx\$|a\$|c\$|cl\$|\$|usd|eur|gbp|jpy|brl|clp|mxn|ars|cop|pen|uyu|chf|cad|aud|cents|"
    r"dollars?|bucks|euros?|pounds?|dolares|dolar|reais|real|pesos?|soles|libras|quid)"
)
_AMOUNT = re.compile(
    rf"(?<![\w$]){_CURRENCY}\s{{0,2}}({_NUMBER})\b|(?<![\w.,])({_NUMBER})\s{{0,2}}(?:thousand |million |mil |k |m )?{_CURRENCY}(?![\w$])"
    rf"|(?<![\w.,])({_NUMBER})\s?(?:uf|uf\+iva)\b"
)
_PERCENT = re.compile(r"(\d{1,3}(?:[.,]\d+)?)\s?(?:%|percent\b|por ?ciento\b|por cento\b)")

_MONTHS = {
    name: at % 12 + 1
    for at, name in enumerate(
        ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december", "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre", "janeiro", "fevereiro", "marco", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"]
    )
} | {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10, "nov": 11, "dec": 12}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WEEKDAY = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|lunes|martes|miercoles|jueves|viernes|sabado|domingo|"
    r"(?:segunda|terca|quarta|quinta|sexta)(?:[- ]feira)?"
)
_COUNT = r"(?:\d{1,3}|an?|one|two|three|four|five|six|seven|ten|un[oa]?|dos|tres|cuatro|cinco|seis|siete|diez|um|uma|dois|duas|quatro|sete|dez)"
_SPAN = rf"{_COUNT}(?:\s?(?:-|to|a|o|or)\s?{_COUNT})? (?:business |working |calendar )?(?:minutes?|hours?|days?|weeks?|months?|minutos?|horas?|dias?(?: habiles| uteis)?|semanas?|mes(?:es)?)"
_DATE = (
    rf"\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}[/.]\d{{1,2}}(?:[/.]\d{{2,4}})?|(?:{_MONTH})\.? \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?|"
    rf"\d{{1,2}}(?:st|nd|rd|th|o)?(?: of| de)? (?:{_MONTH})(?:(?:,| de| of)? \d{{4}})?"
)
_WHEN = (
    rf"(?:{_DATE}|(?:next |this |el |la |el proximo |la proxima |proxim[oa] |na |no )?(?:{_WEEKDAY})|{_SPAN}|tomorrow|today|tonight|"
    r"end of (?:the )?(?:day|week|month|year|business)|eod|cob|close of business|next (?:week|month)|"
    r"manana|hoy|(?:fin de|esta|la proxima) (?:semana|mes)|amanha|hoje|(?:fim d[ao]|esta|a proxima) (?:semana|mes))"
)
_BEFORE = (
    r"(?:by|before|on|within|in|no later than|not later than|until|till|at the latest|"
    r"antes (?:de|del|do|da)|para (?:el|la|o|a)|dentro de|en(?: un plazo de)?|a mas tardar|hasta|el|"
    r"ate(?: [oa])?|em(?: ate)?|no prazo de|no maximo|na|no)"
)
_WE_WILL = (
    r"(?:(?:i|we|they|it|he|she|you)(?:'ll| will| shall| are going to| am going to)|will be|shall be|is going to be|are going to be|"
    r"guarantee[ds]?|promise[ds]?|commit(?:ted)? to|you can expect|expect (?:it|delivery|your)|"
    r"\w{3,}(?:aremos|eremos|iremos)|l[eoa]s? \w{3,}(?:are|ere|ire)\b|(?:sera|seran|estara|estaran|quedara|llegara|llegaran)\b|"
    r"vamos a|voy a|garantiz\w+|prometemos|prometo|nos comprometemos|"
    r"(?:sera|serao|estara|estarao|ficara|chegara|chegarao)\b|(?:vou|vamos|iremos|irei) \w+r\b|garant(?:imos|o|ido|ida)|comprometemo-nos)"
)
_DEADLINE = re.compile(rf"\b{_WE_WILL}\b[^.!?\n]{{0,90}}?\b({_BEFORE}\s+{_WHEN}|tomorrow|today|tonight|manana|hoy|amanha|hoje)\b")
_GUARANTEE = re.compile(
    r"\b(?:we|i) (?:can |do |hereby )?(?:guarantee|promise|warrant)\b(?! you'll)|\b(?:100 ?%|fully) guaranteed\b|\bmoney[- ]back\b|"
    r"\b(?:garantizamos|le garantizo|les garantizo|prometemos|nos comprometemos a)\b|\b(?:garantimos|comprometemo-nos a)\b"
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


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
    """What `payload["backed"]` holds: names with a value or a list of values, text, numbers or ISO dates."""
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
    found = []
    for match in _AMOUNT.finditer(plain):
        value = _decimal(match[1] or match[2] or match[3])
        if value is not None:
            found.append((" ".join(match.group().split()), value))
    return tuple(found)


def percentages(plain: str) -> tuple[Decimal, ...]:
    """Every percentage in a text."""
    return tuple(value for match in _PERCENT.finditer(plain) if (value := _decimal(match[1])) is not None)


def deadlines(plain: str) -> tuple[tuple[str, str], ...]:
    """Every commitment to a time: the words of the promise, and the time itself."""
    found = [(match.group(), match[1]) for match in _DEADLINE.finditer(plain)]
    found += [(match.group(), "") for match in _GUARANTEE.finditer(plain)]
    return tuple((" ".join(words.split())[:100], " ".join(when.split())) for words, when in found)


def dated(when: str, near: date) -> date | None:
    """The date that a time expression names; one without a year is the next such day from `near` on."""
    if iso := _ISO.search(when):
        return _day(iso.group())
    if named := re.search(rf"({_MONTH})\.? (\d{{1,2}})|(\d{{1,2}})(?:st|nd|rd|th|o)?(?: of| de)? ({_MONTH})", when):
        year = re.search(r"\b(20\d\d)\b", when)
        month, day = _MONTHS[named[1] or named[4]], int(named[2] or named[3])
        made = _made(int(year[1]) if year else near.year, month, day)
        return _made(near.year + 1, month, day) if made and not year and made < near else made
    return None


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


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
        return None


def _decimal(written: str) -> Decimal | None:
    """A number whichever way its thousands and decimals are parted: 1,250.00 and 1.250,00 alike."""
    text = written.replace("'", "").replace(" ", "")
    last = max(text.rfind("."), text.rfind(","))
    if last >= 0:
        whole, part = text[:last], text[last + 1 :]
        whole = whole.replace(".", "").replace(",", "")
        # exactly three digits after the only mark are thousands
        text = whole + part if len(part) == 3 else f"{whole}.{part}"
    try:
        return Decimal(text).normalize()
    except InvalidOperation:
        return None
