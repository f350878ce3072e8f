"""Numbers and days as people write them in tables: exact, and what may be read in two ways is asked, not guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

_NOISE = re.compile(r"[\s\u00a0\u202f'’$€£¥]")
_SERIAL = re.compile(r"([2-7]\d{4})([.,]\d+)?")
"""A day as spreadsheets count it, from 1954 to 2119."""
_DAY = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})")


class InvalidValue(Exception):
    """A cell does not hold a value of its kind."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How the file's people write numbers and days; `auto` asks where it matters."""

    decimal: Literal["auto", ".", ","] = "auto"
    days: Literal["auto", "dmy", "mdy"] = "auto"


def number(told: str, habits: Habits) -> Decimal:
    """An exact number; currency signs and groups of three digits are understood. Raises InvalidValue."""
    bare = _NOISE.sub("", told)
    sign, digits = ("-", bare[1:]) if bare[:1] in ("-", "−") else ("", bare.removeprefix("+"))
    mark = _decimal_mark(told, digits, habits)
    whole, _, part = digits.partition(mark) if mark else (digits, "", "")
    other = {".": ",", ",": "."}.get(mark, "" if mark else ".,")
    groups = re.split(f"[{other}]", whole) if other else [whole]
    grouped = len(groups) == 1 or (1 <= len(groups[0]) <= 3 and all(len(each) == 3 for each in groups[1:]))
    plain = "".join(groups)
    if not grouped or not re.fullmatch(r"[0-9]{1,15}", plain) or not re.fullmatch(r"[0-9]{0,10}", part):
        raise InvalidValue(f"{told[:40]!r} is not a number such as 1234.50")
    return Decimal(f"{sign}{plain}{'.' if part else ''}{part}")


def day(told: str, habits: Habits) -> date:
    """A calendar day: 2026-03-31, or 31.03.2026 where it can't be mistaken. Raises InvalidValue."""
    if serial := _SERIAL.fullmatch(told):
        meant = date(1899, 12, 30) + timedelta(days=int(serial[1]))
        raise InvalidValue(f"{told[:40]!r} is how a spreadsheet counts days ({meant} in most of them, four years later "
                           f"in some): give the column a date's format there, and write days like {meant}")  # fmt: skip
    try:
        return datetime.fromisoformat(told).date()
    except ValueError:
        found = _DAY.fullmatch(told)
    if found is None:
        raise InvalidValue(f"{told[:40]!r} is not a day such as 2026-03-31")
    first, second, third = (int(each) for each in found.groups())
    if len(found[1]) == 4:
        return _date(told, first, second, third)
    year = third + 2000 if len(found[3]) == 2 else third
    order = habits.days
    if order == "auto" and first <= 12 and second <= 12 and first != second:
        raise InvalidValue(
            f"{told[:40]!r} may be two days: write it like 2026-03-31, or say which comes first (dmy, mdy)"
        )
    day_first = order == "dmy" or (order == "auto" and first > 12)
    return _date(told, year, second, first) if day_first else _date(told, year, first, second)


def _date(told: str, year: int, month: int, day_of_month: int) -> date:
    try:
        return date(year, month, day_of_month)
    except ValueError as error:
        raise InvalidValue(f"{told[:40]!r} is not a day such as 2026-03-31") from error


def _decimal_mark(told: str, digits: str, habits: Habits) -> str:
    """Which of comma and point begins the fraction; empty where there is none. Raises InvalidValue."""
    if habits.decimal != "auto":
        return habits.decimal
    marks = [each for each in digits if each in ".,"]
    if len(set(marks)) == 2:
        return marks[-1] if marks.count(marks[-1]) == 1 else ""
    if len(marks) != 1:
        return ""
    lead, _, rest = digits.partition(marks[0])
    if len(rest) == 3 and 1 <= len(lead) <= 3 and lead.strip("0"):
        raise InvalidValue(
            f"{told[:40]!r} may be two numbers: write {lead}{rest} or {lead}.{rest}0, or say what begins the fraction"
        )
    return marks[0]
