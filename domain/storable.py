"""Foreign text in a form that the database can keep: no NUL, no half of a surrogate pair, no endless index key."""

from __future__ import annotations

import re
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


def value(told: Any) -> Any:
    """The same for everything inside a JSON value."""
    if isinstance(told, str):
        return text(told)
    if isinstance(told, Mapping):
        return {text(str(name)): value(each) for name, each in told.items()}
    if isinstance(told, list | tuple):
        return [value(each) for each in told]
    return told
