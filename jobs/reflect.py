"""Reflect: what changed this hour, what moved the numbers, what was refused and by which rule, what comes next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from brain import rulebook
from domain import ledger, reflections, rollup, runs, settings
from domain.db import Row, Tx
from jobs.hour import Cycle

HINTS = 20
FAILURES = 20


def reflect(cycle: Cycle) -> Counter[str]:
    """Close the ledger, compute the facts, phrase them and store both."""
    with cycle.transaction() as tx:
        ledger.close_lines(tx, cycle.run.id)
        last = reflections.last(tx)
        since = last["period_end"] if last else cycle.run.started_at - timedelta(hours=1)
        facts = _facts(cycle, tx, since, last)
        language = settings.of(tx).language
        reflections.write(tx, cycle.run.id, period_start=since, facts=facts, hints=_hints(tx, cycle),
                          text=rulebook.reflect(facts, language), phrased_by="rulebook")  # fmt: skip
    cycle.house.fault("reflect.written")
    return Counter()


def _facts(cycle: Cycle, tx: Tx, since: datetime, last: Row | None) -> dict[str, Any]:
    """Everything that the reflection may say; whoever phrases it adds no number of its own."""
    before: Mapping[str, Any] = last["facts"]["metrics"] if last else {}
    metrics = _metrics(cycle, tx)
    run = runs.get(tx, cycle.run.id)
    assert run is not None
    return {
        "run": {
            "number": run["cycle_number"],
            "kind": run["kind"],
            "idle_hours": run["idle_hours"],
            "mode": run["mode"],
        },
        "period": {"from": since.isoformat(), "to": tx.now.isoformat()},
        **{name: _counted(tx, sql, since) for name, sql in COUNTS.items()},
        "metrics": metrics,
        "moved": {
            name: {"before": before[name], "after": value}
            for name, value in metrics.items()
            if name in before and before[name] != value
        },
        "ledger": ledger.counts(tx, cycle.run.id),
        "refused": [{**each, "next": _iso(each["next"])} for each in ledger.refusals(tx, cycle.run.id)],
        "failures": _failures(tx, since),
        "errors": run["errors"],
        "next": _next(tx),
    }


COUNTS = {
    "cards": """SELECT state AS name, count(*) AS n FROM kanban_cards
                WHERE tenant_id = :t AND state_changed_at > :since GROUP BY 1 ORDER BY 1""",
    "mail_in": """SELECT class AS name, count(*) AS n FROM gmail_messages
                  WHERE tenant_id = :t AND stored_at > :since AND direction = 'in' GROUP BY 1 ORDER BY 1""",
    "mail_out": """SELECT state AS name, count(*) AS n FROM outbound_messages
                   WHERE tenant_id = :t AND reserved_at > :since GROUP BY 1 ORDER BY 1""",
}
"""What is counted since the last reflection."""


def _failures(tx: Tx, since: datetime) -> list[dict[str, Any]]:
    rows = tx.rows(
        """SELECT id::text AS card_id, type, state, reason FROM kanban_cards WHERE tenant_id = :t
           AND state IN ('failed', 'uncertain') AND state_changed_at > :since ORDER BY id LIMIT :limit""",
        t=tx.tenant_id, since=since, limit=FAILURES,
    )  # fmt: skip
    return [dict(row) for row in rows]


def _metrics(cycle: Cycle, tx: Tx) -> dict[str, float]:
    """Every engine's numbers; an engine that fails has none this hour, and the run says so."""
    context = cycle.context(tx)
    told = cycle.ask(tx, cycle.engines, "stats", lambda engine: engine.stats(context))
    return {f"{engine.name}.{name}": value for engine, stats in told for name, value in stats.items()}


def _next(tx: Tx) -> dict[str, Any]:
    row = tx.row(
        """SELECT count(*) FILTER (WHERE state = 'awaiting_approval') AS awaiting_approval,
                  count(*) FILTER (WHERE state = 'deferred') AS deferred,
                  count(*) FILTER (WHERE state = 'queued') AS queued,
                  min(not_before) FILTER (WHERE state IN ('deferred', 'queued')) AS next_at
           FROM kanban_cards WHERE tenant_id = :t
             AND state IN ('proposed', 'queued', 'deferred', 'awaiting_approval')""",
        t=tx.tenant_id,
    )  # fmt: skip
    assert row is not None
    return {**row, "next_at": _iso(row["next_at"])}


def _hints(tx: Tx, cycle: Cycle) -> list[dict[str, Any]]:
    """For the next hour's Plan: what was put off, by which rule and until when, soonest first."""
    rows = tx.rows(
        """SELECT kind, subject_type, subject_id, rule, until, card_id::text FROM run_obligations
           WHERE tenant_id = :t AND run_id = :run AND disposition = 'deferred'
           ORDER BY until NULLS FIRST, due_at LIMIT :limit""",
        t=tx.tenant_id, run=cycle.run.id, limit=HINTS,
    )  # fmt: skip
    return [{**row, "until": _iso(row["until"])} for row in rows]


def _counted(tx: Tx, sql: str, since: datetime) -> dict[str, int]:
    return {row["name"]: row["n"] for row in tx.rows(sql, t=tx.tenant_id, since=since)}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def roll_up(tx: Tx, cycle: Cycle, outcome: str) -> None:
    """Add this run's numbers to the tenant's hour, for fleet pages, alerts and metrics."""
    row = runs.get(tx, cycle.run.id)
    assert row is not None
    failed = outcome in ("failed", "abandoned")
    rollup.add(
        tx, cycles_completed=int(not failed), cycles_failed=int(failed), actions_planned=row["planned"],
        actions_executed=row["executed"], actions_blocked=row["blocked"], actions_deferred=row["deferred"],
        actions_failed=row["failed"], actions_held=row["held"],
    )  # fmt: skip
