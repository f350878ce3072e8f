"""Commitments to a time: what sounds like one in three languages, and which date it names."""

from __future__ import annotations

import re
from datetime import date

from policy.phrases import family, holds_any

_MONTH_NAMES = (
    "january february march april may june july august september october november december"
    " enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
    " janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro"
)
_SHORT_MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10}
_MONTHS = {
    **{name: at % 12 + 1 for at, name in enumerate(_MONTH_NAMES.split())},
    **_SHORT_MONTHS,
    "nov": 11,
    "dec": 12,
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_NTH = r"(?:st|nd|rd|th|o)?"
_DATE = (
    r"\d{4}-\d{2}-\d{2}|\d{1,2}[/.]\d{1,2}(?:[/.]\d{2,4})?"
    rf"|(?:{_MONTH})\.? \d{{1,2}}{_NTH}(?:,? \d{{4}})?"
    rf"|\d{{1,2}}{_NTH}(?: of| de)? (?:{_MONTH})(?:(?:,| de| of)? \d{{4}})?"
)
_WEEKDAY = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|lunes|martes|miercoles|jueves|viernes|sabado|domingo"
    r"|(?:segunda|terca|quarta|quinta|sexta)(?:[- ]feira)?"
)
_COUNT = (
    r"(?:\d{1,3}|an?|one|two|three|four|five|six|seven|ten|un[oa]?|dos|tres|cuatro|cinco|seis|siete|diez|um|uma|dois"
    r"|duas|quatro|sete|dez)"
)
_UNIT = (
    r"(?:minutes?|hours?|days?|weeks?|months?|minutos?|horas?|dias?(?: habiles| laborables| uteis)?|semanas?"
    r"|mes(?:es)?)"
)
_SPAN = rf"{_COUNT}(?:\s?(?:-|to|a|o|or|ou)\s?{_COUNT})? (?:business |working |calendar )?{_UNIT}"
_WHEN = (
    rf"(?:{_DATE}|(?:next |this |el |la |el proximo |la proxima |proxim[oa] |na |no )?(?:{_WEEKDAY})|{_SPAN}"
    r"|tomorrow|today|tonight|(?:the )?end of (?:the )?(?:day|week|month|year|business)|eod|cob|close of business"
    r"|next (?:week|month)|manana|hoy|(?:fin de|esta|la proxima) (?:semana|mes)|amanha|hoje"
    r"|(?:fim d[ao]|esta|a proxima) (?:semana|mes))"
)
_BEFORE = (
    r"(?:by|before|on|within|in|no later than|not later than|until|till|at the latest"
    r"|antes (?:de|del|do|da)|para (?:el|la|o|a)|dentro de|en(?: un plazo de)?|a mas tardar|hasta|el"
    r"|ate(?: [oa])?|em(?: ate)?|no prazo de|no maximo|na|no)"
)
_AT_A_TIME = rf"[^.!?\n]{{0,90}}?\b({_BEFORE}\s+{_WHEN}|tomorrow|today|tonight|manana|hoy|amanha|hoje)\b"
_WE_WILL = (
    r"(?:i|we|they|it|he|she|you)(?:'ll| will| shall)",
    r"(?:am|is|are) going to",
    r"(?:will|shall) be|guarantee[ds]?|promise[ds]?|commit(?:ted)? to|expect (?:it|delivery|your)|you can expect",
    r"\w{3,}(?:aremos|eremos|iremos)|l[eoa]s? \w{3,}(?:are|ere|ire)|vamos a|voy a|garantiz\w+|promete\w+|prometo",
    r"nos comprometemos|sera[no]?|seran|estara[no]?|quedara|llegaran?|listo|lista",
    r"serao|estarao|ficara|chegar(?:a|ao)|(?:vou|vamos|iremos|irei) \w+r|garant(?:imos|o|ido|ida)|comprometemo-nos",
)
DEADLINES = family(
    "will 'll shall going+to guarantee promise commit expect remos vamos+ voy+ garant promet"
    " sera estara quedara llegar listo lista serao ficara chegar vou+ irei+",
    rf"\b(?:{'|'.join(_WE_WILL)})\b{_AT_A_TIME}",
)
GUARANTEES = family(
    "guarantee promise warrant money-back money+back garantiz garanti garanto promete comprometemo",
    r"\b(?:we|i) (?:can |do |hereby )?(?:guarantee|promise|warrant)\b|\b(?:100 ?%|fully) guaranteed\b",
    r"\bmoney[- ]back\b|\b(?:garantizamos|l[ae]s? garantizo|prometemos|nos comprometemos a)\b",
    r"\b(?:garantimos|comprometemo-nos a)\b",
)
_TO_THEM = re.compile(r"\bl[eoa]s? \w")
"""A hint as well, but as a mere piece of text it would stand in half of all English mails."""
_TIMELY = re.compile(
    rf"\d|end of|day\b|days|week|month|hour|minute|tomorrow|tonight|\beod\b|\bcob\b|close of|{_WEEKDAY}|{_MONTH}"
    r"|seman|\bmes|dias?\b|horas?\b|minuto|manana|\bhoy\b|amanha|\bhoje\b"
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAMED = re.compile(rf"({_MONTH})\.? (\d{{1,2}})|(\d{{1,2}}){_NTH}(?: of| de)? ({_MONTH})")
_YEAR = re.compile(r"\b(20\d\d)\b")


def deadlines(plain: str) -> tuple[tuple[str, str], ...]:
    """Every commitment to a time: the words of the promise, and the time itself (empty for a bare guarantee)."""
    found = []
    if (holds_any(plain, DEADLINES.hints) or _TO_THEM.search(plain)) and _TIMELY.search(plain):
        found = [(match.group(), match[1]) for match in DEADLINES.pattern.finditer(plain)]
    found += [(words, "") for words in GUARANTEES.found(plain)]
    return tuple((" ".join(words.split())[:100], " ".join(when.split())) for words, when in found)


def dated(when: str, near: date) -> date | None:
    """The date that a time expression names; one without a year is the next such day from `near` on."""
    if iso := _ISO.search(when):
        year, month, day = (int(part) for part in iso.group().split("-"))
        return _made(year, month, day)
    named = _NAMED.search(when)
    if named is None:
        return None
    month, day = _MONTHS[named[1] or named[4]], int(named[2] or named[3])
    if told := _YEAR.search(when):
        return _made(int(told[1]), month, day)
    this_year = _made(near.year, month, day)
    return this_year if this_year is not None and this_year >= near else _made(near.year + 1, month, day)


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        # the 30th of February backs nothing
        return None
