"""Out-of-office answers: recognised in a dozen languages, with the day of return where they name it."""

from __future__ import annotations

import re
from datetime import date, timedelta

from brain.reading import absence_words as words
from brain.reading import dates
from brain.reading.automatic import Automation

MAX_CHARS = 3_000

_AWAY = re.compile("|".join(words.AWAY), re.IGNORECASE)
_BACK = re.compile(
    rf"\b(?:{'|'.join(words.BACK)})[\s:,]*(?:the |el |el d[ií]a |le |o dia |den |dem |day |again |only |erst |sólo "
    rf"|só |approximately |around |about |ist |is |für |for |planned |geplant |on |am |a partir d[eo]"
    rf" |next |pr[oó]ximo |n[aä]chsten |kommenden |prochain )*$",
    re.IGNORECASE,
)
_BACK_AFTER = re.compile(rf"^[\s,]*(?:\d{{4}},? )?{words.BACK_AFTER}", re.IGNORECASE)
_UNTIL = re.compile(
    rf"\b(?:{'|'.join(words.UNTIL)})[\s:,]*(?:the |el |le |den |dem |o |\w+day,? |\w+,? )?$",
    re.IGNORECASE,
)
_RANGE = re.compile(rf"^(?:[\w,. ]{{0,14}}?){words.RANGE}$", re.IGNORECASE)
_INCLUSIVE = re.compile(words.INCLUSIVE, re.IGNORECASE)
_DAYS_TO_DATE = re.compile(
    r"(?<![\d/.])(?P<first>[0-3]?\d)(?:st|nd|rd|th|\.|er)?\s*(?:-|–|—|to|bis|al|a|au|até|y|und|e|et)\s*(?:el |zum "
    r"|the )?(?=[0-3]?\d(?:st|nd|rd|th|\.|er|º)?\s*(?:de |of )?[A-Za-zäéûç]{3,})",
    re.IGNORECASE,
)
_MONTH_DAYS = re.compile(
    r"(?P<month>[A-Za-z]{3,9})\.? (?P<first>[0-3]?\d)(?:st|nd|rd|th)?\s*(?:-|–|—|to|through|until"
    r"|and)\s*(?P<last>[0-3]?\d)(?:st|nd|rd|th)?\b(?!\s*(?:[:/h]|[ap]m))",
    re.IGNORECASE,
)


def is_absence(about: Automation, subject: str, text: str, base: date | None) -> bool:
    """An automatic answer that says its owner is away."""
    if not about.is_reply and not ("automatic" in about.flags and _AWAY.search(subject)):
        return False
    if _AWAY.search(subject) or _AWAY.search(text[:MAX_CHARS]):
        return True
    return return_date("", text, base, month_first=False) is not None


def return_date(subject: str, text: str, base: date | None, *, month_first: bool) -> date | None:
    """The day on which the writer is back, as far as the message names one.

    "Back on the 5th" gives the 5th, "until the 5th" too; "through the 5th" gives the day after.
    """
    for words_said in (text[:MAX_CHARS], subject):
        found = _return_in(_spread(" ".join(words_said.split())), base, month_first)
        if found is not None:
            return found
    return None


def _is_back_after(after: str, base: date | None, month_first: bool) -> bool:
    """`… I will be back`, with no other date to which that belongs."""
    hit = _BACK_AFTER.match(after)
    return hit is not None and not dates.find(after[hit.end() : hit.end() + 25], base, month_first=month_first)


def _spread(text: str) -> str:
    """`May 5-9` becomes `May 5 - May 9`, so that both ends are dates."""
    return _MONTH_DAYS.sub(lambda hit: f"{hit['month']} {hit['first']} - {hit['month']} {hit['last']}", text)


def _return_in(text: str, base: date | None, month_first: bool) -> date | None:
    found = dates.find(text, base, month_first=month_first)
    plausible = [one for one in found if base is None or -7 <= (one.day - base).days <= 400]
    for one in plausible:
        before, after = text[max(0, one.start - 90) : one.start], text[one.end : one.end + 60]
        if _BACK.search(before) or _is_back_after(after, base, month_first):
            return one.day
    for index, one in enumerate(plausible):
        before, after = text[max(0, one.start - 60) : one.start], text[one.end : one.end + 25]
        previous = text[plausible[index - 1].end : one.start] if index else ""
        if (
            _UNTIL.search(before)
            or _RANGE.match(previous or "?")
            or _DAYS_TO_DATE.search(before[-18:] + one.day.strftime("%d Xxx"))
        ):
            inclusive = _INCLUSIVE.search(before[-28:]) or _INCLUSIVE.search(after)
            return one.day + timedelta(days=1) if inclusive else one.day
    return None
