"""Reflect: what changed this hour, what moved the numbers, what was refused and by which rule, what comes next."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from brain import rulebook
from brain.given import Hour
from domain import ledger, reflections, rollup, runs, settings
from domain.db import Row, Tx
from domain.models import RULEBOOK
from jobs.count import count
from jobs.hour import Cycle

TAKEN = frozenset({"accepted", "delivered", "bounced", "complained"})
"""The states of mails that a provider took."""

_MEASURES = re.compile(r"rate$|yield$|hours|score|share")
"""Names of numbers that count nothing."""

MEASURED = "measured"
"""Where a transaction remembers what it told, until the run's end adds it up."""


def reflect(cycle: Cycle, tx: Tx) -> None:
    """Close the ledger, compute the facts, phrase them and store both."""
    ledger.close_lines(tx, cycle.run.id)
    last = cycle.last_reflection(tx)
    since = last["period_end"] if last else cycle.run.started_at - timedelta(hours=1)
    tally = reflections.tally(tx, cycle.run.id, since)
    facts = _facts(cycle, tx, since, tally, last)
    tx.memo[MEASURED] = _measured(facts)
    text, by = _told(cycle, facts, settings.of(tx).language)
    reflections.write(tx, cycle.run.id, period_start=since, facts=facts, hints=tally["hints"], text=text,
                      phrased_by=by)  # fmt: skip
    cycle.house.fault("reflect.written")


def _told(cycle: Cycle, facts: Mapping[str, Any], language: str) -> tuple[str, str]:
    """The hour in words, and whose: a model's, if they still hold of what came meanwhile, else the computed ones."""
    computed = rulebook.reflect(facts, language)
    if cycle.phrased is not None and _holds(cycle.phrased[0], Hour(language, computed, facts)):
        return cycle.phrased
    return computed, RULEBOOK


def _holds(text: str, hour: Hour) -> bool:
    # what models need is loaded only where there are any
    from brain import answers, checks

    try:
        checks.prose(hour, answers.Prose(text=text))
    except ValueError:
        return False
    return True


def foretold(cycle: Cycle, tx: Tx) -> dict[str, Any]:
    """The facts as the reflection would tell them now; the caller undoes it."""
    ledger.close_lines(tx, cycle.run.id)
    last = cycle.last_reflection(tx)
    since = last["period_end"] if last else cycle.run.started_at - timedelta(hours=1)
    return _facts(cycle, tx, since, reflections.tally(tx, cycle.run.id, since), last)


def _facts(cycle: Cycle, tx: Tx, since: datetime, tally: Row, last: Row | None) -> dict[str, Any]:
    """Everything that the reflection may say; whoever phrases it adds no number of its own."""
    metrics, counted_at = count(cycle, tx, last)
    return {
        "run": tally["run"],
        "period": {"from": since.isoformat(), "to": tx.now.isoformat()},
        **{name: tally[name] for name in ("cards", "mail_in", "mail_out", "did")},
        "metrics": metrics,
        **({"counted_at": counted_at} if counted_at else {}),
        "moved": _moved(_before(tx, last, metrics), metrics) if last else {},
        **{name: tally[name] for name in ("ledger", "refused", "failures", "errors", "next")},
    }


def _before(tx: Tx, last: Row, now: Mapping[str, float]) -> dict[str, float]:
    """The numbers of an hour ago; what an engine never counted yet was none, but no share and no time.

    An engine whose counting failed then counted before, and nobody knows what.
    """
    known: dict[str, float] = dict(last["facts"]["metrics"])
    unknown = [name for name in now if name not in known and not _MEASURES.search(name)]
    run = runs.get(tx, last["run_id"]) if unknown else None
    failed = {each["where"] for each in run["errors"] or ()} if run else set()
    return known | {name: 0 for name in unknown if f"{name.partition('.')[0]}.stats" not in failed}


def _moved(before: Mapping[str, float], now: Mapping[str, float]) -> dict[str, dict[str, float]]:
    return {
        name: {"before": before[name], "after": value}
        for name, value in now.items()
        if name in before and before[name] != value
    }


def _measured(facts: Mapping[str, Any]) -> dict[str, int]:
    """What of an hour's facts belongs among the fleet's figures."""
    numbers = {"emails_sent": sum(count for state, count in facts["mail_out"].items() if state in TAKEN)}
    kept, overdue = (facts["metrics"].get(f"engagement.contacts_{name}") for name in ("compliant", "overdue"))
    if kept is not None and overdue is not None:
        numbers |= {"contacts_compliant": int(kept), "contacts_clocked": int(kept + overdue)}
    return numbers


def roll_up(tx: Tx, row: Row) -> None:
    """Add a finished run's numbers to the tenant's hour, for fleet pages, alerts and metrics."""
    failed = row["outcome"] in ("failed", "abandoned")
    rollup.add(
        tx, cycles_completed=int(not failed), cycles_failed=int(failed), actions_planned=row["planned"],
        actions_executed=row["executed"], actions_blocked=row["blocked"], actions_deferred=row["deferred"],
        actions_failed=row["failed"], actions_held=row["held"], **tx.memo.pop(MEASURED, {}),
    )  # fmt: skip
