"""The part of Gmail's search language that the emulator understands."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from simulator.emulators.gmail_accounts import Message

Test = Callable[[Message], bool]
PLACES = {"drafts": "DRAFT", "draft": "DRAFT", "chats": "CHAT", "spam": "SPAM", "trash": "TRASH"}
UNITS = {"d": timedelta(days=1), "m": timedelta(days=30), "y": timedelta(days=365)}
TERM = re.compile(r'(-?)(?:(\w+):)?("[^"]*"|\S+)')


def search(query: str, now: datetime) -> Test:
    """A test for messages: `newer_than:`, `older_than:`, `after:`, `before:`, `in:`, `label:`, `from:`, words …"""
    tests = [_negated(_term(name.lower(), value.strip('"'), now), minus) for minus, name, value in TERM.findall(query)]
    return lambda message: all(test(message) for test in tests)


def _negated(test: Test, minus: str) -> Test:
    return (lambda message: not test(message)) if minus else test


def _term(name: str, value: str, now: datetime) -> Test:
    match name:
        case "newer_than" | "older_than":
            edge = now - int(value[:-1]) * UNITS[value[-1]]
            return (lambda m: m.at >= edge) if name == "newer_than" else (lambda m: m.at < edge)
        case "after" | "before":
            edge = _date(value)
            return (lambda m: m.at >= edge) if name == "after" else (lambda m: m.at < edge)
        case "in" if value == "anywhere":
            return lambda _: True
        case "in" | "label" | "is":
            label = PLACES.get(value.lower(), value.upper())
            return lambda m: label in m.labels
        case "rfc822msgid":
            wanted = value.strip("<>").encode()
            return lambda m: m.header("Message-ID").strip(b"<>") == wanted
        case "from" | "to" | "subject":
            return lambda m: value.lower().encode() in m.header(name).lower()
        case _:
            return lambda m: value.lower().encode() in m.raw.lower()


def _date(value: str) -> datetime:
    if value.isdigit():
        return datetime.fromtimestamp(int(value), tz=UTC)
    return datetime.strptime(value.replace("-", "/"), "%Y/%m/%d").replace(tzinfo=UTC)
