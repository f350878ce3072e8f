"""Figures of compliance: what is due, overdue and taken to people, and how checks came out lately, by schedule."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from uuid import UUID

from domain.db import Tx

DAYS = 90
"""How far back closed checks are counted."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Checks as they stand, and those closed in the last 90 days."""

    due: int = 0
    """Open ones whose day has not passed."""
    overdue: int = 0
    """Open ones whose day has passed, escalated ones included."""
    escalated: int = 0
    completed: int = 0
    on_time: int = 0
    """Of the completed: before their day was over."""
    waived: int = 0
    withdrawn: int = 0
    """Their schedule does not ask for them any more: neither missed nor completed."""

    @property
    def on_time_share(self) -> float:
        """Of what was to be completed lately and is over, or should be: the share that was in time; 1 of nothing."""
        counted = self.completed + self.overdue
        return self.on_time / counted if counted else 1.0

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Figures)))


def stats(tx: Tx) -> dict[UUID, Figures]:
    """The figures of each schedule that has any checks; one statement, off the indexes of open and closed ones."""
    rows = tx.rows(
        """SELECT schedule_id, sum(due)::int AS due, sum(overdue)::int AS overdue, sum(escalated)::int AS escalated,
                  sum(completed)::int AS completed, sum(on_time)::int AS on_time, sum(waived)::int AS waived,
                  sum(withdrawn)::int AS withdrawn
           FROM (
               SELECT schedule_id, (state IN ('pending', 'reminded'))::int AS due,
                      (state IN ('overdue', 'escalated'))::int AS overdue, (state = 'escalated')::int AS escalated,
                      0 AS completed, 0 AS on_time, 0 AS waived,
                      0 AS withdrawn
               FROM compliance_checks
               WHERE tenant_id = :t AND state IN ('pending', 'reminded', 'overdue', 'escalated')
               UNION ALL
               SELECT schedule_id, 0, 0, 0, (state = 'completed')::int,
                      (state = 'completed' AND closed_at < due_at)::int, (state = 'waived')::int,
                      (state = 'withdrawn')::int
               FROM compliance_checks WHERE tenant_id = :t AND closed_at IS NOT NULL AND closed_at > :since) AS told
           GROUP BY schedule_id ORDER BY schedule_id""",
        t=tx.tenant_id, since=tx.now - timedelta(days=DAYS),
    )  # fmt: skip
    return {row["schedule_id"]: Figures(*(row[each.name] for each in fields(Figures))) for row in rows}


def total(some: dict[UUID, Figures]) -> Figures:
    """All schedules together."""
    return sum(some.values(), Figures())
