"""Tasks for people: never without a basis, and never without the evidence that the basis asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain import events
from domain.db import Row, Tx

Basis = Literal["client_request", "compliance_deadline", "safety_escalation"]

EVIDENCE: Mapping[Basis, tuple[str, ...]] = {
    "client_request": ("message_id", "quote"),
    "compliance_deadline": ("check_id",),
    "safety_escalation": ("trigger", "message_id", "quote"),
}
"""What each basis must show: P2.3, rule 1."""

TRIGGERS = frozenset(
    {"legal_threat", "threat_to_person", "fraud_suspicion", "data_erasure_demand", "payment_detail_change"}
)
"""What calls for a person at once."""


class InvalidTask(Exception):
    """A task needs a title, one of the three bases, and the evidence that its basis asks for."""


class UnknownTask(LookupError):
    """The tenant has no such open task."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it stands."""

    id: UUID
    client_id: UUID | None
    contact_id: UUID | None
    title: str
    state: Literal["open", "done", "cancelled"]
    basis: Basis
    evidence: Mapping[str, Any]
    assignee_id: UUID | None
    due_at: datetime | None
    card_id: UUID | None
    created_at: datetime
    closed_at: datetime | None


COLUMNS = ", ".join(Task.__slots__)


def create(
    tx: Tx, *, title: str, basis: Basis, evidence: Mapping[str, Any], client_id: UUID | None = None,
    contact_id: UUID | None = None, assignee_id: UUID | None = None, due_at: datetime | None = None,
    card_id: UUID | None = None,
) -> Task:  # fmt: skip
    """Give a person something to do. Raises InvalidTask when nothing justifies it."""
    if not title.strip():
        raise InvalidTask("title: a task needs a title")
    check(basis, evidence)
    row = tx.row(
        f"""INSERT INTO tasks (tenant_id, id, client_id, contact_id, title, basis, evidence, assignee_id, due_at,
                               card_id, created_at)
            VALUES (:t, :id, :client, :contact, :title, :basis, :evidence, :assignee, :due, :card, :now)
            RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=tx.clock.uuid(), client=client_id, contact=contact_id, title=title.strip(), basis=basis,
        evidence=dict(evidence), assignee=assignee_id, due=due_at, card=card_id, now=tx.now,
    )  # fmt: skip
    assert row is not None
    task = _load(row)
    events.record(tx, "task.created", "task", task.id, client_id=client_id, contact_id=contact_id, basis=basis)
    return task


def check(basis: str, evidence: Mapping[str, Any]) -> None:
    """Pass when the evidence is what the basis asks for. Raises InvalidTask, which names what is missing."""
    if basis not in EVIDENCE:
        raise InvalidTask(f"basis: {basis!r} is none of {', '.join(EVIDENCE)}")
    missing = [name for name in EVIDENCE[basis] if not str(evidence.get(name) or "").strip()]  # type: ignore[index]
    if missing:
        raise InvalidTask(f"evidence: a task for a {basis} must show {', '.join(missing)}")
    if basis == "safety_escalation" and evidence["trigger"] not in TRIGGERS:
        raise InvalidTask(f"evidence: {evidence['trigger']!r} is none of {', '.join(sorted(TRIGGERS))}")


def finish(tx: Tx, task_id: UUID, *, state: Literal["done", "cancelled"] = "done") -> Task:
    """End an open task. Raises UnknownTask."""
    row = tx.row(
        f"""UPDATE tasks SET state = :state, closed_at = :now
            WHERE tenant_id = :t AND id = :id AND state = 'open' RETURNING {COLUMNS}""",
        state=state, now=tx.now, t=tx.tenant_id, id=task_id,
    )  # fmt: skip
    if row is None:
        raise UnknownTask(f"there is no open task {task_id}")
    task = _load(row)
    events.record(tx, f"task.{state}", "task", task.id, client_id=task.client_id, contact_id=task.contact_id)
    return task


def finish_each(tx: Tx, task_ids: Sequence[UUID], *, state: Literal["done", "cancelled"]) -> int:
    """End those of the tasks that are still open; how many there were."""
    if not task_ids:
        return 0
    rows = tx.rows(
        """UPDATE tasks SET state = :state, closed_at = :now
           WHERE tenant_id = :t AND id = ANY(:ids) AND state = 'open' RETURNING id, client_id, contact_id""",
        state=state, now=tx.now, t=tx.tenant_id, ids=list(task_ids),
    )  # fmt: skip
    events.record_all(tx, [
        events.News(f"task.{state}", "task", row["id"], row["client_id"], row["contact_id"]) for row in rows
    ])  # fmt: skip
    return len(rows)


def listed(
    tx: Tx, *, state: str = "open", after: tuple[datetime | None, UUID] | None = None, limit: int = 100
) -> Sequence[Task]:  # fmt: skip
    """The tenant's tasks in one state, the soonest due first, those that stand behind `after` (due_at, id)."""
    due, tie = after or (None, None)
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM tasks WHERE tenant_id = :t AND state = :state
            AND (CAST(:tie AS uuid) IS NULL OR (coalesce(due_at, 'infinity'), id)
                                              > (coalesce(CAST(:due AS timestamptz), 'infinity'), :tie))
            ORDER BY coalesce(due_at, 'infinity'), id LIMIT :limit""",
        t=tx.tenant_id, state=state, due=due, tie=tie, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def _load(row: Row) -> Task:
    return Task(**{name: row[name] for name in Task.__slots__})
