"""The append-only event store: every change leaves its event in the transaction that made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import storable
from domain.db import Row, Tx


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as it is stored in `warehouse_events`."""

    id: UUID
    at: datetime
    type: str
    subject_type: str
    subject_id: str
    actor: str
    client_id: UUID | None = None
    contact_id: UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


def record(
    tx: Tx,
    event_type: str,
    subject_type: str,
    subject_id: UUID | str,
    /,
    *,
    client_id: UUID | None = None,
    contact_id: UUID | None = None,
    react: bool = False,
    **data: Any,
) -> UUID:
    """Store one event; with `react`, an engine will take it in during the next React phase."""
    event_id = tx.clock.uuid()
    tx.run(
        f"""WITH told AS (
            INSERT INTO warehouse_events
                (tenant_id, id, at, type, subject_type, subject_id, actor, run_id, client_id, contact_id, data)
            VALUES (:tenant, :id, :now, :type, :subject_type, :subject_id, :actor, :run, :client, :contact, :data)
            RETURNING tenant_id, id)
        {"INSERT INTO reactions_due (tenant_id, event_id, not_before) SELECT tenant_id, id, :now FROM told"
         if react else "SELECT 1 FROM told"}""",
        tenant=tx.tenant_id, id=event_id, now=tx.now, type=event_type, subject_type=subject_type,
        subject_id=str(subject_id), actor=tx.actor, run=tx.run_id, client=client_id, contact=contact_id,
        data=dict(data),
    )  # fmt: skip
    return event_id


@dataclass(frozen=True, slots=True)
class News:
    """One event of many that are told at once."""

    type: str
    subject_type: str
    subject_id: UUID | str
    client_id: UUID | None = None
    contact_id: UUID | None = None
    react: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)


def record_all(tx: Tx, news: Sequence[News]) -> None:
    """Store many events in one statement, in their order."""
    if not news:
        return
    tx.run(
        """WITH told AS (
            INSERT INTO warehouse_events
                (tenant_id, id, at, type, subject_type, subject_id, actor, run_id, client_id, contact_id, data)
            SELECT :tenant, n.id, :now, n.type, n.subject_type, n.subject_id, :actor, :run, n.client_id, n.contact_id,
                   n.data
            FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:subject_types AS text[]),
                CAST(:subject_ids AS text[]), CAST(:clients AS uuid[]), CAST(:contacts AS uuid[]),
                CAST(:datas AS jsonb[])) AS n (id, type, subject_type, subject_id, client_id, contact_id, data)
            RETURNING tenant_id, id)
        INSERT INTO reactions_due (tenant_id, event_id, not_before)
        SELECT t.tenant_id, t.id, :now FROM told t
        JOIN unnest(CAST(:ids AS uuid[]), CAST(:reacts AS boolean[])) AS r (id, react) ON r.id = t.id AND r.react""",
        tenant=tx.tenant_id, now=tx.now, actor=tx.actor, run=tx.run_id, ids=[tx.clock.uuid() for _ in news],
        types=[each.type for each in news], subject_types=[each.subject_type for each in news],
        subject_ids=[str(each.subject_id) for each in news], clients=[each.client_id for each in news],
        contacts=[each.contact_id for each in news], datas=[dict(each.data) for each in news],
        reacts=[each.react for each in news],
    )  # fmt: skip


def due(tx: Tx, *, limit: int) -> list[tuple[Event, int]]:
    """Events that still wait for a reaction, oldest first, each with the number of failed tries."""
    rows = tx.rows(
        """SELECT e.id, e.at, e.type, e.subject_type, e.subject_id, e.actor, e.client_id, e.contact_id, e.data,
                  d.attempts
           FROM reactions_due d JOIN warehouse_events e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
           WHERE d.tenant_id = :tenant AND d.not_before <= :now ORDER BY d.event_id LIMIT :limit""",
        tenant=tx.tenant_id, now=tx.now, limit=limit,
    )  # fmt: skip
    return [(_event(row), row["attempts"]) for row in rows]


def since(tx: Tx, after: UUID, *, limit: int = 200) -> list[Event]:
    """Events with ids past `after`, oldest first; ids rise with time, but a slow transaction's come to light late."""
    rows = tx.rows(
        """SELECT id, at, type, subject_type, subject_id, actor, client_id, contact_id, data FROM warehouse_events
           WHERE tenant_id = :t AND id > :after ORDER BY id LIMIT :limit""",
        t=tx.tenant_id, after=after, limit=limit,
    )  # fmt: skip
    return [_event(row) for row in rows]


def story(tx: Tx, subject_type: str, subject_id: str) -> Sequence[Row]:
    """Everything that happened to one subject, oldest first: at, type, actor, data."""
    return tx.rows(
        """SELECT at, type, actor, data FROM warehouse_events
           WHERE tenant_id = :t AND subject_type = :type AND subject_id = :id ORDER BY id""",
        t=tx.tenant_id, type=subject_type, id=subject_id,
    )  # fmt: skip


def reacted(tx: Tx, event_ids: Sequence[UUID]) -> None:
    """Strike events off the list; call it in the transaction that holds their reactions."""
    tx.run("DELETE FROM reactions_due WHERE tenant_id = :t AND event_id = ANY(:ids)", t=tx.tenant_id, ids=event_ids)


def reaction_failed(tx: Tx, event_id: UUID, error: str, *, retry_seconds: float) -> int:
    """Note a failed reaction and try it again later; the number of tries so far."""
    attempts = tx.value(
        """UPDATE reactions_due SET attempts = attempts + 1, last_error = :error, not_before = :later
           WHERE tenant_id = :tenant AND event_id = :id RETURNING attempts""",
        tenant=tx.tenant_id, id=event_id, error=storable.text(error, 500),
        later=tx.now + timedelta(seconds=retry_seconds),
    )  # fmt: skip
    return int(attempts or 0)


def react_again(tx: Tx, told: str) -> bool:
    """Have an event, by its id in letters, taken in once more; False when there is none (any more)."""
    kept = tx.run(
        """INSERT INTO reactions_due (tenant_id, event_id, not_before)
           SELECT tenant_id, id, :now FROM warehouse_events WHERE tenant_id = :t AND id::text = :told
           ON CONFLICT DO NOTHING""",
        now=tx.now, t=tx.tenant_id, told=told,
    )  # fmt: skip
    return bool(kept)


def tell_again(tx: Tx, event_type: str, subject_type: str, subject_id: str) -> bool:
    """Have the newest event of a kind about a subject taken in once more; False when there is none (any more)."""
    kept = tx.run(
        """INSERT INTO reactions_due (tenant_id, event_id, not_before)
           SELECT tenant_id, id, :now FROM warehouse_events
           WHERE tenant_id = :t AND subject_type = :subject_type AND subject_id = :subject AND type = :type
           ORDER BY at DESC LIMIT 1 ON CONFLICT DO NOTHING""",
        now=tx.now, t=tx.tenant_id, subject_type=subject_type, subject=subject_id, type=event_type,
    )  # fmt: skip
    return bool(kept)


def _event(row: Row) -> Event:
    return Event(**{name: row[name] for name in Event.__slots__})
