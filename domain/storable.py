"""Foreign text in a form that the database can keep: no NUL, no half of a surrogate pair, no endless index key."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL can't keep as text."""


def text(told: str, longest: int | None = None) -> str:
    """The same text, with U+FFFD for what PostgreSQL refuses, cut at `longest` characters."""
    kept = told if longest is None else told[:longest]
    return UNSTORABLE.sub("\ufffd", kept)


def optional(told: str | None, longest: int | None = None) -> str | None:
    """The same for what may be missing; empty text counts as missing."""
    return text(told, longest) if told else None


_BREAK = re.compile("\\s*[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+\\s*")


def unbroken(told: str, longest: int) -> str:
    """The same text in one line: where it goes on in another there is a blank; none at its ends."""
    return _BREAK.sub(" ", text(told, longest)).strip()


_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\ufffc\ufffd")
"""Letters and signs that show nothing, or stand for what could not be kept."""

_HIDDEN = ("Cc", "Cf")
_KEPT = frozenset("\t\n\v\f\r\x85\u200c\u200d")
"""Of the controls those that part words, and of the invisible marks those that join letters or emoji."""


def says(told: str | None) -> bool:
    """Whether somebody who reads it sees anything: a letter, a figure or a sign, and not only blanks."""
    return any(unicodedata.category(each)[0] in "LNPS" and each not in _BLANK for each in told or "")


def line(told: str, longest: int) -> str:
    """One line as people read it, without marks that turn or hide what stands beside them; empty where it is blank."""
    kept = text(told, 4 * longest)
    seen = "".join(each for each in kept if each in _KEPT or unicodedata.category(each) not in _HIDDEN)
    return " ".join(seen.split())[:longest] if says(seen) else ""


def value(told: Any) -> Any:
    """The same for everything inside a JSON value."""
    if isinstance(told, str):
        return text(told)
    if isinstance(told, Mapping):
        return {text(str(name)): value(each) for name, each in told.items()}
    if isinstance(told, list | tuple):
        return [value(each) for each in told]
    return told
