"""Counting: each engine's numbers, anew every hour, or of a very large book no more often than its size allows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from domain import settings
from domain.db import Row, Tx
from jobs.hour import Cycle

BOOKS: Mapping[str, tuple[str, ...]] = {
    "engagement": ("contacts_active", "contacts_exempt"),
    "orders": ("orders_open",),
    "deals": ("open", "won", "lost"),
    "quotes": ("open", "sent_90_days"),
    "feedback": ("feedback_waiting", "feedback_awaited", "feedback_asked_90_days", "feedback_answers_90_days"),
    "compliance": ("due", "overdue", "completed_90_days", "waived_90_days"),
}
"""By engine: which of its numbers tell how many records they are all counted from."""

LONGEST = timedelta(days=1)
"""No number is older, however large the book."""


def count(cycle: Cycle, tx: Tx, last: Row | None) -> tuple[dict[str, float], dict[str, str]]:
    """Every engine's numbers under its name, and of which engines they were counted when, where a book is very large.

    A book of n records is counted every n / `figures_rows_per_hour` hours, and once a day at least; in between its
    numbers are those of the last reflection. An engine that fails has none this hour, and the run says so.
    """
    facts: Mapping[str, Any] = last["facts"] if last else {}
    known = {engine.name: _of(facts, engine.name) for engine in cycle.present(tx)}
    stand = {name: numbers for name, numbers in known.items() if _still_stands(tx, facts, name, numbers)}
    context = cycle.context(tx)
    some = [engine for engine in cycle.present(tx) if engine.name not in stand]
    told = cycle.ask(tx, some, "stats", lambda engine: engine.stats(context))
    fresh = {engine.name: stats for engine, stats in told}
    numbers = {name: each for name in known if (each := stand.get(name, fresh.get(name))) is not None}
    as_of = {name: facts["counted_at"][name] for name in stand}
    as_of |= {name: tx.now.isoformat() for name, each in fresh.items() if _hours(tx, name, each) > 1}
    return {f"{name}.{what}": value for name, each in numbers.items() for what, value in each.items()}, as_of


def _of(facts: Mapping[str, Any], engine: str) -> dict[str, float]:
    """An engine's numbers as the last reflection told them."""
    told = facts.get("metrics", {}).items()
    return {name.partition(".")[2]: value for name, value in told if name.partition(".")[0] == engine}


def _still_stands(tx: Tx, facts: Mapping[str, Any], engine: str, numbers: Mapping[str, float]) -> bool:
    at = facts.get("counted_at", {}).get(engine)
    rest = min(timedelta(hours=_hours(tx, engine, numbers)), LONGEST)
    return at is not None and tx.now < datetime.fromisoformat(at) + rest


def _hours(tx: Tx, engine: str, numbers: Mapping[str, float]) -> float:
    """How long an engine's numbers stand, by how many records they are counted from."""
    size = sum(numbers.get(name, 0) for name in BOOKS.get(engine, ()))
    return size / settings.of(tx).figures_rows_per_hour
