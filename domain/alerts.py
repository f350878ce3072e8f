"""Alerts: opened once per kind, muted, acknowledged by a person, resolved when what caused them is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from domain import audit, events, schedule
from domain.db import Database, Row, Tx

Severity = Literal["warning", "critical"]
Change = Literal["opened", "acknowledged", "resolved"]


class UnknownAlert(LookupError):
    """There is no such alert that is still open."""


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


@dataclass(frozen=True, slots=True)
class Mute:
    """A kind of alert of which nobody is told until then."""

    kind: str
    until: datetime
    reason: str
    muted_by: str
    muted_at: datetime


@dataclass(frozen=True, slots=True)
class Book:
    """Where alerts are kept: a tenant's own, or the house's, which are about all of it at once."""

    alerts: str
    mutes: str
    deliveries: str
    columns: str = ""
    values: str = ""
    where: str = ""
    key: str = ""


TENANT = Book("agent_alerts", "alert_mutes", "alert_deliveries", columns="tenant_id, ", values=":t, ",
              where="tenant_id = :t AND ", key="tenant_id, ")  # fmt: skip
HOUSE = Book("control.alerts", "control.alert_mutes", "control.alert_deliveries")
"""Read and written in a transaction that wears control."""

COLUMNS = ", ".join(Alert.__slots__)

MOMENTS = ("mailbox_difference", "model_calls", "model_repeats", "quote_answered", "unproven_mail")
"""Kinds that tell of a moment, not of what lasts: the night ends them, so that the next time is told again."""
MOMENTS_LAST = timedelta(hours=20)


def owner(tx: Tx, book: Book) -> dict[str, UUID]:
    """What the statements on a book need to say whose it is."""
    return {"t": tx.tenant_id} if book is TENANT else {}


def base(kind: str) -> str:
    """The kind without the one thing that it is about (`gmail_quota:<mailbox>`): what is muted and counted."""
    return kind.partition(":")[0]


def open(  # noqa: A001 - callers read alerts.open
    tx: Tx, kind: str, message: str, *, severity: Severity = "warning", book: Book = TENANT, **cause: Any
) -> Alert | None:
    """Open an alert; None when one of this kind is open or acknowledged already. `cause` holds numbers and ids."""
    row = tx.row(
        f"""INSERT INTO {book.alerts} ({book.columns}id, kind, severity, message, cause, opened_at)
            VALUES ({book.values}:id, :kind, :severity, :message, :cause, :now)
            ON CONFLICT ({book.key}kind) WHERE state <> 'resolved' DO NOTHING RETURNING {COLUMNS}""",
        id=tx.clock.uuid(), kind=kind, severity=severity, message=message, cause=dict(cause), now=tx.now,
        **owner(tx, book),
    )  # fmt: skip
    alert = _changed(tx, book, row, "opened")
    if alert is not None and book is TENANT:
        # somebody is to be told, and not only at the next hour
        schedule.bring_forward(tx, tx.now, extra=True)
    return alert


def acknowledge(tx: Tx, alert_id: UUID, *, by: str, book: Book = TENANT) -> Alert | None:
    """Note that a person has seen it; None when there is no such open alert."""
    row = tx.row(
        f"""UPDATE {book.alerts} SET state = 'acknowledged', acknowledged_by = :by, acknowledged_at = :now
            WHERE {book.where}id = :id AND state = 'open' RETURNING {COLUMNS}""",
        by=by, now=tx.now, id=alert_id, **owner(tx, book),
    )  # fmt: skip
    return _changed(tx, book, row, "acknowledged")


def resolve(tx: Tx, kind: str, *, by: str, book: Book = TENANT) -> Alert | None:
    """End the alert of a kind; the next time it happens a new one opens. None when there was none."""
    row = tx.row(
        f"""UPDATE {book.alerts} SET state = 'resolved', resolved_by = :by, resolved_at = :now
            WHERE {book.where}kind = :kind AND state <> 'resolved' RETURNING {COLUMNS}""",
        by=by, now=tx.now, kind=kind, **owner(tx, book),
    )  # fmt: skip
    return _changed(tx, book, row, "resolved")


def resolve_each(tx: Tx, kinds: Sequence[str], *, by: str) -> int:
    """End the tenant's alerts of some kinds in one statement; how many there were."""
    rows = tx.rows(
        f"""UPDATE agent_alerts SET state = 'resolved', resolved_by = :by, resolved_at = :now
            WHERE tenant_id = :t AND kind = ANY(:kinds) AND state <> 'resolved' RETURNING {COLUMNS}""",
        t=tx.tenant_id, kinds=list(kinds), by=by, now=tx.now,
    )  # fmt: skip
    for row in rows:
        _changed(tx, TENANT, row, "resolved")
    return len(rows)


def let_pass(tx: Tx, *, by: str) -> int:
    """End the tenant's alerts of moments that have passed; how many."""
    rows = tx.rows(
        """SELECT kind FROM agent_alerts WHERE tenant_id = :t AND state <> 'resolved' AND opened_at < :before
             AND split_part(kind, ':', 1) = ANY(:moments)""",
        t=tx.tenant_id, before=tx.now - MOMENTS_LAST, moments=list(MOMENTS),
    )  # fmt: skip
    return resolve_each(tx, [row["kind"] for row in rows], by=by)


def mute(tx: Tx, kind: str, *, until: datetime, by: str, reason: str, book: Book = TENANT) -> Mute:
    """Tell nobody of alerts of this kind until then; they open and end all the same."""
    row = tx.row(
        f"""INSERT INTO {book.mutes} ({book.columns}kind, until, reason, muted_by, muted_at)
            VALUES ({book.values}:kind, :until, :reason, :by, :now)
            ON CONFLICT ({book.key}kind) DO UPDATE SET until = excluded.until, reason = excluded.reason,
                muted_by = excluded.muted_by, muted_at = excluded.muted_at
            RETURNING kind, until, reason, muted_by, muted_at""",
        kind=base(kind), until=until, reason=reason, by=by, now=tx.now, **owner(tx, book),
    )  # fmt: skip
    assert row is not None
    _audit(tx, book, "alert.mute", base(kind), reason=reason, until=until.isoformat())
    if book is TENANT:
        # whatever is still open when it ends is told then
        schedule.bring_forward(tx, until, extra=True)
    return Mute(**row)


def unmute(tx: Tx, kind: str, *, by: str, book: Book = TENANT) -> bool:
    """Tell of alerts of this kind again, from now on; False when it was not muted."""
    gone = tx.run(f"DELETE FROM {book.mutes} WHERE {book.where}kind = :kind", kind=base(kind), **owner(tx, book))
    if gone:
        _audit(tx, book, "alert.unmute", base(kind), by=by)
        if book is TENANT:
            schedule.bring_forward(tx, tx.now, extra=True)
    return bool(gone)


def muted(tx: Tx, *, book: Book = TENANT) -> list[Mute]:
    """The kinds that nobody is told of now."""
    rows = tx.rows(
        f"""SELECT kind, until, reason, muted_by, muted_at FROM {book.mutes} WHERE {book.where}until > :now
            ORDER BY kind""",
        now=tx.now, **owner(tx, book),
    )  # fmt: skip
    return [Mute(**row) for row in rows]


def get(tx: Tx, alert_id: UUID, *, book: Book = TENANT) -> Alert | None:
    """One alert, or None."""
    row = tx.row(f"SELECT {COLUMNS} FROM {book.alerts} WHERE {book.where}id = :id", id=alert_id, **owner(tx, book))
    return _load(row) if row else None


def listed(
    tx: Tx, *, states: Sequence[str] = ("open", "acknowledged"), before: UUID | None = None, limit: int = 100,
    book: Book = TENANT,
) -> Sequence[Alert]:  # fmt: skip
    """The alerts in some states, newest first, those opened before alert `before`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM {book.alerts} WHERE {book.where}state = ANY(:states)
            AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit""",
        states=list(states), before=before, limit=limit, **owner(tx, book),
    )  # fmt: skip
    return [_load(row) for row in rows]


def counted(database: Database) -> list[Row]:
    """How many alerts of each kind and severity are not over, of all tenants and the house: kind, severity, n."""
    kinds = "split_part(kind, ':', 1) AS kind, severity, count(*) AS n"
    with database.wearing("fleet") as tx:
        rows = tx.rows(f"SELECT {kinds} FROM hourhand.agent_alerts WHERE state <> 'resolved' GROUP BY 1, 2")
    with database.wearing("control") as tx:
        own = tx.rows("""SELECT 'house.' || kind AS kind, severity, count(*) AS n FROM control.alerts
                         WHERE state <> 'resolved' GROUP BY 1, 2""")  # fmt: skip
    return [*rows, *own]


def _changed(tx: Tx, book: Book, row: Row | None, change: Change) -> Alert | None:
    """Leave the event of a change; the house's alerts, which belong to no tenant's events, leave an audit line."""
    if row is None:
        return None
    alert = _load(row)
    if book is TENANT:
        events.record(tx, f"alert.{change}", "alert", alert.id, kind=alert.kind, severity=alert.severity)
    elif change != "opened":
        audit.record_control(tx, f"alert.{change}", alert.kind, id=str(alert.id))
    return alert


def _audit(tx: Tx, book: Book, action: str, subject: str, *, reason: str | None = None, **detail: Any) -> None:
    record = audit.record if book is TENANT else audit.record_control
    record(tx, action, subject, reason=reason, **detail)


def _load(row: Row) -> Alert:
    return Alert(**{name: row[name] for name in Alert.__slots__})
