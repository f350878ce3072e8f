"""Alerts: opened once per kind, acknowledged by a person, resolved when what caused them is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain import events, schedule
from domain.db import Row, Tx

Severity = Literal["warning", "critical"]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands."""

    id: UUID
    kind: str
    severity: Severity
    message: str
    cause: Mapping[str, Any]
    state: Literal["open", "acknowledged", "resolved"]
    opened_at: datetime
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    resolved_by: str | None
    resolved_at: datetime | None


COLUMNS = ", ".join(Alert.__slots__)


def open(  # noqa: A001 - callers read alerts.open
    tx: Tx, kind: str, message: str, *, severity: Severity = "warning", **cause: Any
) -> Alert | None:
    """Open an alert; None when one of this kind is open or acknowledged already. `cause` holds numbers and ids."""
    row = tx.row(
        f"""INSERT INTO agent_alerts (tenant_id, id, kind, severity, message, cause, opened_at)
            VALUES (:t, :id, :kind, :severity, :message, :cause, :now)
            ON CONFLICT (tenant_id, kind) WHERE state <> 'resolved' DO NOTHING RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=tx.clock.uuid(), kind=kind, severity=severity, message=message, cause=dict(cause),
        now=tx.now,
    )  # fmt: skip
    if row is None:
        return None
    alert = _load(row)
    events.record(tx, "alert.opened", "alert", alert.id, kind=kind, severity=severity)
    # somebody is to be told, and not only at the next hour
    schedule.bring_forward(tx, tx.now, extra=True)
    return alert


def acknowledge(tx: Tx, alert_id: UUID, *, by: str) -> Alert | None:
    """Note that a person has seen it; None when there is no such open alert."""
    row = tx.row(
        f"""UPDATE agent_alerts SET state = 'acknowledged', acknowledged_by = :by, acknowledged_at = :now
            WHERE tenant_id = :t AND id = :id AND state = 'open' RETURNING {COLUMNS}""",
        by=by, now=tx.now, t=tx.tenant_id, id=alert_id,
    )  # fmt: skip
    return _told(tx, row, "alert.acknowledged")


def resolve(tx: Tx, kind: str, *, by: str) -> Alert | None:
    """End the alert of a kind; the next time it happens a new one opens. None when there was none."""
    row = tx.row(
        f"""UPDATE agent_alerts SET state = 'resolved', resolved_by = :by, resolved_at = :now
            WHERE tenant_id = :t AND kind = :kind AND state <> 'resolved' RETURNING {COLUMNS}""",
        by=by, now=tx.now, t=tx.tenant_id, kind=kind,
    )  # fmt: skip
    return _told(tx, row, "alert.resolved")


def get(tx: Tx, alert_id: UUID) -> Alert | None:
    """One alert of the tenant, or None."""
    row = tx.row(f"SELECT {COLUMNS} FROM agent_alerts WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=alert_id)
    return _load(row) if row else None


def listed(
    tx: Tx, *, states: Sequence[str] = ("open", "acknowledged"), before: UUID | None = None, limit: int = 100
) -> Sequence[Alert]:  # fmt: skip
    """The tenant's alerts in some states, newest first, those opened before alert `before`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM agent_alerts WHERE tenant_id = :t AND state = ANY(:states)
            AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, states=list(states), before=before, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def _told(tx: Tx, row: Row | None, event: str) -> Alert | None:
    if row is None:
        return None
    alert = _load(row)
    events.record(tx, event, "alert", alert.id, kind=alert.kind)
    return alert


def _load(row: Row) -> Alert:
    return Alert(**{name: row[name] for name in Alert.__slots__})
