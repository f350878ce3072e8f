"""What goes to somebody's own webhook of alerts: frozen when put down, tried again with back-off, given up openly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from domain import alerts, storable
from domain.alerts import TENANT, Alert, Book, owner
from domain.db import Database, Row, Tx

REST_MINUTES = (1, 5, 15, 60, 240, 720)
"""How long a delivery rests after each failed try; past the last of them it is dead."""

AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to a webhook; its id stays the same over all tries, so that the receiver knows a repetition."""

    id: UUID
    alert_id: UUID
    event: Literal["opened", "resolved"]
    body: str
    state: Literal["waiting", "sent", "dead"]
    tries: int
    next_try_at: datetime
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None


COLUMNS = ", ".join(Delivery.__slots__)


class UnknownDelivery(LookupError):
    """There is no such delivery that was given up."""


def put_down(tx: Tx, *, of: str, book: Book = TENANT) -> int:
    """Put down what is to be told and was not yet: alerts that opened, and the end of those that were told; how many.

    `of` says whose alerts they are. Nothing is put down of a kind that is muted.
    """
    rows = tx.rows(
        f"""SELECT {alerts.COLUMNS}, CASE WHEN state = 'resolved' THEN 'resolved' ELSE 'opened' END AS event
            FROM {book.alerts} a
            WHERE {book.where}(state = 'open' OR state = 'resolved' AND resolved_at > :since AND EXISTS (
                SELECT FROM {book.deliveries} d WHERE {_same(book, "d")}d.alert_id = a.id AND d.event = 'opened'))
              AND NOT EXISTS (SELECT FROM {book.deliveries} d WHERE {_same(book, "d")}d.alert_id = a.id
                  AND d.event = CASE WHEN a.state = 'resolved' THEN 'resolved' ELSE 'opened' END)
              AND NOT EXISTS (SELECT FROM {book.mutes} m WHERE {_same(book, "m")}m.kind = split_part(a.kind, ':', 1)
                  AND m.until > :now)
            ORDER BY id LIMIT :limit""",
        since=tx.now - timedelta(days=2), now=tx.now, limit=AT_ONCE, **owner(tx, book),
    )  # fmt: skip
    for row in rows:
        alert = Alert(**{name: row[name] for name in Alert.__slots__})
        tx.run(
            f"""INSERT INTO {book.deliveries} ({book.columns}id, alert_id, event, body, next_try_at, created_at)
                VALUES ({book.values}:id, :alert, :event, :body, :now, :now) ON CONFLICT DO NOTHING""",
            id=tx.clock.uuid(), alert=alert.id, event=row["event"], body=_body(alert, row["event"], of), now=tx.now,
            **owner(tx, book),
        )  # fmt: skip
    return len(rows)


def due(tx: Tx, *, book: Book = TENANT) -> list[Delivery]:
    """What is to be tried now, oldest first; held until the commit, so that nobody else tries it too."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM {book.deliveries} WHERE {book.where}state = 'waiting' AND next_try_at <= :now
            ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED""",
        now=tx.now, limit=AT_ONCE, **owner(tx, book),
    )  # fmt: skip
    return [_load(row) for row in rows]


def begin(tx: Tx, delivery: Delivery, *, lease_seconds: float, book: Book = TENANT) -> None:
    """Note the try before it is made: whoever dies in the middle of it has used it up."""
    _set(tx, delivery.id, book, tries=delivery.tries + 1, next_try_at=tx.now + timedelta(seconds=lease_seconds))


def put_off(tx: Tx, delivery: Delivery, until: datetime, *, book: Book = TENANT) -> None:
    """Leave it for later without a try; one that was begun has not used it up."""
    _set(tx, delivery.id, book, tries=delivery.tries, next_try_at=until)


def sent(tx: Tx, delivery: Delivery, *, book: Book = TENANT) -> None:
    """It was taken."""
    _set(tx, delivery.id, book, state="sent", ended_at=tx.now, last_error=None)


def failed(tx: Tx, delivery: Delivery, error: str, *, for_good: bool = False, book: Book = TENANT) -> bool:
    """It was not taken: it rests, longer each time, and is given up after the last; True when it was given up."""
    dead = for_good or delivery.tries >= len(REST_MINUTES)
    told = {"last_error": storable.text(error, 300)}
    if dead:
        _set(tx, delivery.id, book, state="dead", ended_at=tx.now, **told)
    else:
        rest = timedelta(minutes=REST_MINUTES[delivery.tries])
        _set(tx, delivery.id, book, next_try_at=tx.now + rest, **told)
    return dead


def again(tx: Tx, delivery_id: UUID, *, book: Book = TENANT) -> Delivery:
    """Put one back that was given up, to be tried from the start. Raises UnknownDelivery."""
    row = tx.row(
        f"""UPDATE {book.deliveries} SET state = 'waiting', tries = 0, next_try_at = :now, ended_at = NULL
            WHERE {book.where}id = :id AND state = 'dead' RETURNING {COLUMNS}""",
        now=tx.now, id=delivery_id, **owner(tx, book),
    )  # fmt: skip
    if row is None:
        raise UnknownDelivery(f"no delivery {delivery_id} was given up")
    return _load(row)


def listed(
    tx: Tx, *, state: str | None = None, before: UUID | None = None, limit: int = 50, book: Book = TENANT
) -> Sequence[Delivery]:  # fmt: skip
    """Deliveries, newest first, those put down before `before`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM {book.deliveries} WHERE {book.where}(CAST(:state AS text) IS NULL OR state = :state)
            AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit""",
        state=state, before=before, limit=limit, **owner(tx, book),
    )  # fmt: skip
    return [_load(row) for row in rows]


def tenants_due(database: Database, *, limit: int = 1000) -> list[UUID]:
    """The tenants that have a delivery to be tried now, the longest waiting first; one look at an index of these."""
    with database.wearing("fleet") as tx:
        rows = tx.rows(
            """SELECT tenant_id FROM hourhand.alert_deliveries WHERE state = 'waiting' AND next_try_at <= :now
               GROUP BY tenant_id ORDER BY min(next_try_at) LIMIT :limit""",
            now=tx.now, limit=limit,
        )  # fmt: skip
    return [row["tenant_id"] for row in rows]


def _body(alert: Alert, event: str, of: str) -> str:
    told = {
        "type": f"alert.{event}",
        "of": of,
        "alert": {name: getattr(alert, name) for name in Alert.__slots__},
    }
    return json.dumps(told, default=lambda value: value.isoformat() if isinstance(value, datetime) else str(value))


def _same(book: Book, alias: str) -> str:
    return f"{alias}.tenant_id = :t AND " if book is TENANT else ""


def _set(tx: Tx, delivery_id: UUID, book: Book, **values: Any) -> None:
    settings = ", ".join(f"{name} = :{name}" for name in values)
    tx.run(f"UPDATE {book.deliveries} SET {settings} WHERE {book.where}id = :id AND state = 'waiting'",
           id=delivery_id, **values, **owner(tx, book))  # fmt: skip


def _load(row: Row) -> Delivery:
    return Delivery(**{name: row[name] for name in Delivery.__slots__})
