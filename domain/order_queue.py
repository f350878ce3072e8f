"""The order queue: where the checking of each order stands, and when it is looked at next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import events, order_exceptions, schedule
from domain.db import Row, Tx

OPEN = ("waiting", "exceptions", "asked")
"""What still has to become something: the rest is valid or closed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One order's place in the queue."""

    order_id: UUID
    state: str
    """waiting: to be checked; exceptions: something is wrong; asked: the client was asked; valid; closed."""
    due_at: datetime | None
    round: int
    entered_at: datetime
    checked_at: datetime | None
    valid_at: datetime | None
    asked_at: datetime | None
    held_mode: str | None


COLUMNS = ", ".join(Entry.__slots__)


def enter(tx: Tx, order_id: UUID) -> None:
    """An order is to be checked, for the first time or anew: as soon as a cycle can."""
    tx.run(
        """INSERT INTO order_processing_queue AS q (tenant_id, order_id, client_id, state, due_at, entered_at)
           SELECT :t, o.id, o.client_id, 'waiting', :now, :now FROM orders o WHERE o.tenant_id = :t AND o.id = :id
           ON CONFLICT (tenant_id, order_id) DO UPDATE SET state = 'waiting', due_at = :now, round = q.round + 1,
               entered_at = CASE WHEN q.state IN ('valid', 'closed') THEN :now ELSE q.entered_at END, valid_at = NULL
           WHERE q.state <> 'waiting'""",
        t=tx.tenant_id, id=order_id, now=tx.now,
    )  # fmt: skip
    schedule.bring_forward(tx, tx.now, extra=True)


def of_another(tx: Tx, order_id: UUID, client_id: UUID) -> None:
    """The order is this account's now, wherever its checking stands: what wakes it is news of this account."""
    tx.run(
        "UPDATE order_processing_queue SET client_id = :client WHERE tenant_id = :t AND order_id = :id",
        client=client_id, t=tx.tenant_id, id=order_id,
    )  # fmt: skip


def enter_again(tx: Tx, *, codes: Sequence[str], client_id: UUID) -> list[UUID]:
    """Have an account's orders checked anew that an exception of one of `codes` keeps back; which they are."""
    rows = tx.rows(
        """SELECT DISTINCT e.order_id FROM order_processing_exceptions e
           JOIN orders o ON o.tenant_id = e.tenant_id AND o.id = e.order_id
           WHERE e.tenant_id = :t AND e.state = 'open' AND e.code = ANY(:codes)
             AND o.client_id = :client""",
        t=tx.tenant_id, codes=list(codes), client=client_id,
    )  # fmt: skip
    for row in rows:
        enter(tx, row["order_id"])
    return [row["order_id"] for row in rows]


def product_came(tx: Tx, code: str, *, changed: UUID | None = None) -> int:
    """Have the orders checked anew that a product, made or changed just now, may free; how many there are.

    They are those whose exception names its code, and of one that was there before (`changed`) those that order it:
    what it requires and costs is what they may be found wrong by. A new one costs one look at an index where there are
    none, a changed one a look at each order that something is wrong with.
    """
    return tx.run(
        """UPDATE order_processing_queue q SET state = 'waiting', due_at = :now, round = q.round + 1
           WHERE q.tenant_id = :t AND q.state IN ('exceptions', 'asked') AND q.order_id = ANY(ARRAY(
               SELECT e.order_id FROM order_processing_exceptions e
               WHERE e.tenant_id = :t AND e.state = 'open' AND e.product_code = :code
               UNION
               -- a fence: by what is open, as a product may stand in any number of orders that are long over
               SELECT w.order_id FROM order_processing_queue w
               JOIN LATERAL (SELECT FROM order_lines l WHERE l.tenant_id = :t AND l.order_id = w.order_id
                             AND l.product_id = CAST(:changed AS uuid) OFFSET 0) l ON true
               WHERE w.tenant_id = :t AND w.state IN ('exceptions', 'asked') AND CAST(:changed AS uuid) IS NOT NULL))
        """,
        t=tx.tenant_id, now=tx.now, code=code, changed=changed,
    )  # fmt: skip


def judged_otherwise(tx: Tx, codes: Sequence[str]) -> int:
    """What exceptions of these codes are judged by has changed for all: have their orders checked anew; how many."""
    entered = tx.run(
        """UPDATE order_processing_queue q SET state = 'waiting', due_at = :now, round = q.round + 1
           WHERE q.tenant_id = :t AND q.state IN ('exceptions', 'asked') AND EXISTS (
               SELECT FROM order_processing_exceptions e WHERE e.tenant_id = :t AND e.order_id = q.order_id
               AND e.state = 'open' AND e.code = ANY(:codes))""",
        t=tx.tenant_id, now=tx.now, codes=list(codes),
    )  # fmt: skip
    if entered:
        schedule.bring_forward(tx, tx.now)
    return entered


def look_again(tx: Tx, order_ids: Sequence[UUID]) -> int:
    """Something has happened around these orders: those that rest are read by the next plan; how many did."""
    return tx.run(
        """UPDATE order_processing_queue SET rests_until = NULL, rest = NULL, rests_in_turn = false
           WHERE tenant_id = :t AND order_id = ANY(:ids) AND rests_until IS NOT NULL""",
        t=tx.tenant_id, ids=list(order_ids),
    ) if order_ids else 0  # fmt: skip


def looked_at(tx: Tx, order_ids: Sequence[UUID], *, again_at: datetime) -> None:
    """Something was proposed for these orders: should nothing come of it, they are looked at again then."""
    if order_ids:
        tx.run(
            """UPDATE order_processing_queue SET due_at = :again
               WHERE tenant_id = :t AND order_id = ANY(:ids) AND state = 'exceptions' AND due_at <= :now""",
            again=again_at, t=tx.tenant_id, ids=list(order_ids), now=tx.now,
        )  # fmt: skip


def close(tx: Tx, order_id: UUID, *, reason: str) -> None:
    """An order needs no checking any more: it was cancelled, or went on without."""
    closed = tx.run(
        """UPDATE order_processing_queue SET state = 'closed', due_at = NULL
           WHERE tenant_id = :t AND order_id = :id AND state IN ('waiting', 'exceptions', 'asked')""",
        t=tx.tenant_id, id=order_id,
    )  # fmt: skip
    if closed:
        order_exceptions.settle(tx, order_id, reason=reason)


def checked(tx: Tx, order_id: UUID, state: str, *, due_at: datetime | None = None) -> None:
    """What a check came to: `valid`, `exceptions` or `asked` (until `due_at`)."""
    tx.run(
        """UPDATE order_processing_queue SET state = :state, due_at = :due, checked_at = :now,
                  valid_at = CASE WHEN :state = 'valid' THEN :now END
           WHERE tenant_id = :t AND order_id = :id""",
        state=state, due=due_at, now=tx.now, t=tx.tenant_id, id=order_id,
    )  # fmt: skip


def asked(tx: Tx, order_id: UUID, card_id: UUID, fields: Sequence[str], *, held_mode: str | None) -> None:
    """The client was asked for these gaps, or would have been (`held_mode`); the answer is waited for."""
    tx.run(
        """UPDATE order_processing_queue SET state = 'asked', asked_at = :now, held_mode = :mode
           WHERE tenant_id = :t AND order_id = :id AND state IN ('waiting', 'exceptions', 'asked')""",
        now=tx.now, mode=held_mode, t=tx.tenant_id, id=order_id,
    )  # fmt: skip
    order_exceptions.asked(tx, order_id, card_id, fields)


def wait_until(tx: Tx, order_id: UUID, due_at: datetime) -> None:
    """Set how long an answer is waited for."""
    tx.run(
        "UPDATE order_processing_queue SET due_at = :due WHERE tenant_id = :t AND order_id = :id AND state = 'asked'",
        due=due_at, t=tx.tenant_id, id=order_id,
    )  # fmt: skip


def stop_waiting(tx: Tx) -> int:
    """Where no answer came in time a person has to see to it; how many orders that are now."""
    rows = tx.rows(
        """UPDATE order_processing_queue SET state = 'exceptions', due_at = NULL
           WHERE tenant_id = :t AND state = 'asked' AND due_at <= :now RETURNING order_id""",
        t=tx.tenant_id, now=tx.now,
    )  # fmt: skip
    order_exceptions.hand_over(tx, [row["order_id"] for row in rows], "the client was asked and has not answered")
    events.record_all(tx, [events.News("order.unanswered", "order", row["order_id"]) for row in rows])
    return len(rows)


def forget_held(tx: Tx, mode: str) -> int:
    """Questions that were kept inside under another mode than `mode` were never asked; how many orders had one."""
    rows = tx.rows(
        """UPDATE order_processing_queue SET state = 'exceptions', due_at = NULL, asked_at = NULL, held_mode = NULL
           WHERE tenant_id = :t AND state IN ('asked', 'exceptions') AND held_mode <> :mode RETURNING order_id""",
        t=tx.tenant_id, mode=mode,
    )  # fmt: skip
    order_exceptions.unasked(tx, [row["order_id"] for row in rows])
    return len(rows)


def get(tx: Tx, order_id: UUID) -> Entry | None:
    """One order's place in the queue, or None where it was never to be checked."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM order_processing_queue WHERE tenant_id = :t AND order_id = :id",
        t=tx.tenant_id, id=order_id,
    )  # fmt: skip
    return _load(row) if row else None


def listed(tx: Tx, *, state: str | None = None, before: UUID | None = None, limit: int = 50) -> list[Entry]:
    """The queue, newest orders first, those behind order `before`; what is open unless a state is named."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM order_processing_queue WHERE tenant_id = :t AND state = ANY(:states)
              AND (CAST(:before AS uuid) IS NULL OR order_id < :before) ORDER BY order_id DESC LIMIT :limit""",
        t=tx.tenant_id, states=[state] if state else list(OPEN), before=before, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def next_due(tx: Tx) -> datetime | None:
    """The earliest moment at which an order is to be looked at, off the indexes."""
    soonest: datetime | None = tx.value(
        """SELECT least(
               (SELECT min(due_at) FROM order_processing_queue
                WHERE tenant_id = :t AND state IN ('waiting', 'exceptions', 'asked') AND rests_until IS NULL),
               (SELECT min(due_at) FROM order_processing_queue WHERE tenant_id = :t AND state = 'asked'),
               (SELECT min(rests_until) FROM order_processing_queue WHERE tenant_id = :t
                AND rests_until IS NOT NULL))""",
        t=tx.tenant_id,
    )  # fmt: skip
    return soonest


def figures(tx: Tx, *, since: datetime) -> Row:
    """What stands in the queue, and what was checked, found valid, found wrong and corrected since."""
    row = tx.row(
        """SELECT q.*, d.*, f.* FROM (
               SELECT count(*) AS open, count(*) FILTER (WHERE state = 'waiting') AS waiting,
                      count(*) FILTER (WHERE state = 'asked') AS asked,
                      count(*) FILTER (WHERE state = 'exceptions') AS with_exceptions
               FROM order_processing_queue WHERE tenant_id = :t AND state IN ('waiting', 'exceptions', 'asked')) AS q,
             (SELECT count(*) AS valid, coalesce(avg(extract(epoch FROM valid_at - entered_at)) / 3600, 0) AS hours
              FROM order_processing_queue WHERE tenant_id = :t AND valid_at > :since) AS d,
             (SELECT count(*) AS fixed FROM order_processing_exceptions
              WHERE tenant_id = :t AND state = 'fixed' AND closed_at > :since) AS f""",
        t=tx.tenant_id, since=since,
    )  # fmt: skip
    assert row is not None
    return row


def patience(asked_at: datetime, days: float) -> datetime:
    """Until when an answer is waited for."""
    return asked_at + timedelta(days=days)


def _load(row: Row) -> Entry:
    return Entry(**{name: row[name] for name in Entry.__slots__})
