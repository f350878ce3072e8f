"""Hourly reflections: the computed facts of an hour, how they were phrased, and hints for the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import events
from domain.db import Row, Tx, json_list


def write(
    tx: Tx, run_id: UUID, *, period_start: datetime, facts: Mapping[str, Any], text: str,
    hints: Sequence[Mapping[str, Any]], phrased_by: str,
) -> UUID:  # fmt: skip
    """Store the reflection of a run; again after a crash, the first one stands."""
    reflection_id = tx.clock.uuid()
    first = tx.run(
        """INSERT INTO agent_hourly_reflections (tenant_id, id, run_id, period_start, period_end, facts, text, hints,
                                                 phrased_by, created_at)
           VALUES (:t, :id, :run, :start, :now, :facts, :text, :hints, :by, :now)
           ON CONFLICT (tenant_id, run_id) DO NOTHING""",
        t=tx.tenant_id, id=reflection_id, run=run_id, start=period_start, now=tx.now, facts=dict(facts), text=text,
        hints=json_list(hints), by=phrased_by,
    )  # fmt: skip
    if first:
        events.record(tx, "reflection.written", "run", run_id)
    return reflection_id


def last(tx: Tx) -> Row | None:
    """The newest reflection, or None before the first."""
    return tx.row(
        "SELECT * FROM agent_hourly_reflections WHERE tenant_id = :t ORDER BY id DESC LIMIT 1", t=tx.tenant_id
    )


def recent(tx: Tx, *, before: UUID | None = None, limit: int = 24) -> list[Row]:
    """The tenant's reflections, newest first, those before id `before`."""
    return list(
        tx.rows(
            """SELECT * FROM agent_hourly_reflections
               WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before)
               ORDER BY id DESC LIMIT :limit""",
            t=tx.tenant_id, before=before, limit=limit,
        )
    )  # fmt: skip
