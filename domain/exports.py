"""Exports: that somebody may fetch everything of the tenant for a while, and how often it was fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import audit, events
from domain.db import Row, Tx

FETCHABLE = timedelta(hours=24)


class UnknownExport(LookupError):
    """The tenant has no such export, or its time to be fetched is over."""


@dataclass(frozen=True, slots=True)
class Export:
    """Leave to fetch everything."""

    id: UUID
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    fetched: int
    fetched_at: datetime | None
    fetched_by: str | None
    """Who fetched it last; the audit log knows each time."""


COLUMNS = ", ".join(Export.__slots__)


def ask(tx: Tx) -> Export:
    """Leave to fetch everything of the tenant within a day."""
    row = tx.row(
        f"""INSERT INTO exports (tenant_id, id, asked_by, asked_at, expires_at)
            VALUES (:t, :id, :by, :now, :expires) RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=tx.clock.uuid(), by=tx.actor, now=tx.now, expires=tx.now + FETCHABLE,
    )  # fmt: skip
    assert row is not None
    made = _load(row)
    audit.record(tx, "tenant.export_asked", str(made.id))
    events.record(tx, "export.asked", "export", made.id)
    return made


def fetch(tx: Tx, export_id: UUID) -> Export:
    """Note that it is being fetched. Raises UnknownExport."""
    row = tx.row(
        f"""UPDATE exports SET fetched = fetched + 1, fetched_at = :now, fetched_by = :by
            WHERE tenant_id = :t AND id = :id AND expires_at > :now RETURNING {COLUMNS}""",
        now=tx.now, by=tx.actor, t=tx.tenant_id, id=export_id,
    )  # fmt: skip
    if row is None:
        raise UnknownExport(f"there is no export {export_id} to be fetched (any more): ask for one")
    audit.record(tx, "tenant.export_fetched", str(export_id))
    events.record(tx, "export.fetched", "export", export_id)
    return _load(row)


def listed(tx: Tx, *, before: UUID | None = None, limit: int = 100) -> Sequence[Export]:
    """The tenant's exports, newest first, those that were asked for before `before`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM exports WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before)
            ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def _load(row: Row) -> Export:
    return Export(**{name: row[name] for name in Export.__slots__})
