"""Dates in running text in five languages: `5 May`, `el lunes`, `01.09.`, `in two weeks`."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import NamedTuple

_MONTHS: dict[int, tuple[str, ...]] = {
    1: ("january", "jan", "enero", "ene", "janeiro", "januar", "jänner", "janvier", "janv", "gennaio"),
    2: ("february", "feb", "febrero", "fevereiro", "fev", "februar", "février", "fevrier", "févr", "fév", "febbraio"),
    3: ("march", "mar", "marzo", "março", "marco", "märz", "maerz", "mrz", "mars"),
    4: ("april", "apr", "abril", "abr", "avril", "avr", "aprile"),
    5: ("may", "mayo", "maio", "mai", "maggio"),
    6: ("june", "jun", "junio", "junho", "juni", "juin", "giugno"),
    7: ("july", "jul", "julio", "julho", "juli", "juillet", "juil", "luglio"),
    8: ("august", "aug", "agosto", "ago", "août", "aout"),
    9: ("september", "sept", "sep", "septiembre", "setiembre", "setembro", "set", "septembre", "settembre"),
    10: ("october", "oct", "octubre", "outubro", "out", "oktober", "okt", "octobre", "ottobre"),
    11: ("november", "nov", "noviembre", "novembro", "novembre"),
    12: (
        "december",
        "dec",
        "diciembre",
        "dic",
        "dezembro",
        "dez",
        "dezember",
        "décembre",
        "decembre",
        "déc",
        "dicembre",
    ),
}
_WEEKDAYS: tuple[tuple[str, ...], ...] = (
    ("monday", "mon", "lunes", "segunda-feira", "segunda", "montag", "lundi", "lunedì"),
    ("tuesday", "tues", "tue", "martes", "terça-feira", "terça", "terca-feira", "dienstag", "mardi", "martedì"),
    ("wednesday", "wed", "miércoles", "miercoles", "quarta-feira", "quarta", "mittwoch", "mercredi", "mercoledì"),
    ("thursday", "thurs", "thur", "thu", "jueves", "quinta-feira", "quinta", "donnerstag", "jeudi", "giovedì"),
    ("friday", "fri", "viernes", "sexta-feira", "sexta", "freitag", "vendredi", "venerdì"),
    ("saturday", "sat", "sábado", "sabado", "samstag", "sonnabend", "samedi", "sabato"),
    ("sunday", "sun", "domingo", "sonntag", "dimanche", "domenica"),
)
_NUMBERS = {
    "one": 1, "a": 1, "an": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "un": 1, "una": 1, "uma": 1,
    "um": 1, "dos": 2, "dois": 2, "duas": 2, "tres": 3, "três": 3,
    "cuatro": 4, "quatro": 4, "cinco": 5, "einem": 1, "einer": 1, "zwei": 2, "drei": 3, "vier": 4, "une": 1,
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5,
}  # fmt: skip

_MONTH_OF = {name: number for number, names in _MONTHS.items() for name in names}
_WEEKDAY_OF = {name: number for number, names in enumerate(_WEEKDAYS) for name in names}


def _names(table: dict[str, int]) -> str:
    return "|".join(re.escape(name) for name in sorted(table, key=len, reverse=True))


_MONTH = rf"(?P<month>{_names(_MONTH_OF)})\.?"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th|º|°|er|\.)?"
_YEAR = r"(?:,?\s*(?:de |del |of )?(?P<year>20\d\d|'\d\d)\b)?"
_FORMS = (
    ("iso", re.compile(r"\b(?P<year>20\d\d)[-/.](?P<month>[01]?\d)[-/.](?P<day>[0-3]?\d)\b")),
    ("day_month", re.compile(rf"\b{_DAY}\s*(?:de |of |d')?\s*{_MONTH}(?![a-zäöüéûç]){_YEAR}", re.IGNORECASE)),
    ("month_day", re.compile(rf"\b{_MONTH}\s+{_DAY}(?![\d:]){_YEAR}", re.IGNORECASE)),
    ("numeric", re.compile(
        r"(?<![\d/.-])(?P<first>[0-3]?\d)(?P<sep>[/.-])(?P<second>[01]?\d|[0-3]\d)(?:(?P=sep)(?P<year>(?:20)?\d\d)"
        r"|(?(sep)))(?![\d/]|\.\d)"
    )),
    ("tomorrow", re.compile(
        r"\b(?P<after>the day after tomorrow|pasado ma[ñn]ana|depois de amanh[ãa]|übermorgen|après-demain)\b"
        r"|\b(?:tomorrow|(?<!la )(?<!por la )(?<!de la )mañana|amanhã|(?<!guten )morgen|demain)\b", re.IGNORECASE)),
    ("today", re.compile(
        r"\b(?:today|this (?:morning|afternoon|evening)|tonight|by (?:eod|cob|end of (?:the )?day)|eod|hoy|hoje"
        r"|heute|aujourd'?hui)\b", re.IGNORECASE)),
    ("weekday", re.compile(
        rf"\b(?P<next>next |coming |this coming |following |próximo |proximo |próxima |nächsten |nächste[rn]? "
        rf"|kommenden |kommende[rn]? )?(?P<weekday>{_names(_WEEKDAY_OF)})\b(?P<after> (?:que viene|próxim[oa]"
        rf"|prochain|qui vem|que vem))?", re.IGNORECASE)),
    ("in_days", re.compile(
        rf"\b(?:in|within|en|dentro de|em|dans|innerhalb von)\s+(?P<count>\d{{1,2}}"
        rf"|{_names(_NUMBERS)})\s+(?P<unit>(?:business |working )?days?|días?|dias?|tag(?:en|e)?|jours?|weeks?"
        rf"|semanas?|wochen?|semaines?|months?|mes(?:es)?|monat(?:en)?|mois)\b",
        re.IGNORECASE)),
    ("next_week", re.compile(
        r"\b(?:next week|early next week|la (?:próxima|proxima) semana|(?:la )?semana que viene"
        r"|(?:na )?(?:próxima semana|semana que vem)|nächste[rn]? woche|kommende[rn]? woche"
        r"|la semaine prochaine)\b", re.IGNORECASE)),
)  # fmt: skip


class Found(NamedTuple):
    """A date and where in the text it stands."""

    day: date
    start: int
    end: int
    exact: bool
    """False for words such as "next week"."""
    weekday: bool = False


def find(text: str, base: date | None, *, month_first: bool = False) -> list[Found]:
    """Every date in `text`, in order; what needs a base date is left out without one.

    `month_first` says how `03/04` is read. A day without a year is the one nearest to `base`, rather after it.
    """
    found: list[Found] = []
    taken: list[tuple[int, int]] = []
    for kind, pattern in _FORMS:
        for hit in pattern.finditer(text):
            if any(hit.start() < end and start < hit.end() for start, end in taken):
                continue
            day = _day_of(kind, hit, base, month_first)
            if day is not None:
                found.append(
                    Found(day, hit.start(), hit.end(), kind not in ("next_week", "in_days"), kind == "weekday")
                )
                taken.append(hit.span())
    return _merge(sorted(found, key=lambda one: one.start), text)


_LINK = re.compile(r"^[\s,(]*(?:the |den |dem |der |el |le |dia |día |o dia |d[ií]a )?$", re.IGNORECASE)


def _merge(found: list[Found], text: str) -> list[Found]:
    """`Monday, the 20th of July` is one date, not two."""
    merged: list[Found] = []
    for one in found:
        if merged and merged[-1].weekday and not one.weekday and _LINK.match(text[merged[-1].end : one.start]):
            one = one._replace(start=merged.pop().start)
        merged.append(one)
    return merged


def _day_of(kind: str, hit: re.Match[str], base: date | None, month_first: bool) -> date | None:
    if kind in ("iso", "day_month", "month_day"):
        month = hit["month"].lower()
        number = int(month) if month.isdigit() else _MONTH_OF[month]
        return _make(hit["year"], number, int(hit["day"]), base)
    if kind == "numeric":
        return _numeric(hit, base, month_first)
    if base is None:
        return None
    if kind == "tomorrow":
        return base + timedelta(days=2 if hit["after"] else 1)
    if kind == "today":
        return base
    if kind == "weekday":
        return _weekday(hit, base)
    if kind == "in_days":
        return base + timedelta(days=_days(hit["count"], hit["unit"]))
    return base + timedelta(days=7 - base.weekday())


def _numeric(hit: re.Match[str], base: date | None, month_first: bool) -> date | None:
    first, second = int(hit["first"]), int(hit["second"])
    if hit["year"] is None and hit["sep"] == "-":
        return None
    if (
        hit["year"] is None
        and hit["sep"] == "."
        and len(hit["second"]) < 2
        and hit.string[hit.end() : hit.end() + 1] != "."
    ):
        return None
    if hit["sep"] == "/" and month_first:
        first, second = second, first
    if second > 12 >= first:
        first, second = second, first
    return _make(hit["year"], second, first, base)


def _make(year: str | None, month: int, day: int, base: date | None) -> date | None:
    try:
        if year:
            number = int(year.lstrip("'"))
            return date(number + 2000 if number < 100 else number, month, day)
        if base is None:
            return None
        found = date(base.year, month, day)
        if (base - found).days > 60:
            return date(base.year + 1, month, day)
        if (found - base).days > 305:
            return date(base.year - 1, month, day)
    except ValueError:
        return None
    return found


def _weekday(hit: re.Match[str], base: date) -> date | None:
    name = hit["weekday"].lower()
    if (
        name in ("sun", "sat", "mar", "segunda", "terça", "quarta", "quinta", "sexta")
        and not hit[0][:1].isupper()
        and len(name) <= 3
    ):
        return None
    ahead = (_WEEKDAY_OF[name] - base.weekday()) % 7 or 7
    return base + timedelta(days=ahead)


def _days(count: str, unit: str) -> int:
    number = int(count) if count.isdigit() else _NUMBERS[count.lower()]
    unit = unit.lower()
    if unit.startswith(("week", "semana", "woche", "semaine")):
        return number * 7
    if unit.startswith(("month", "mes", "monat", "mois")):
        return number * 30
    if unit.startswith(("business", "working")):
        return number + 2 * (number // 5)
    return number
