"""Feedback requests: of each order that was delivered its client is asked once what they think of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import events, rest_news, schedule, settings, storable
from domain import feedback_book as book
from domain.db import Row, Tx
from domain.events import News
from domain.feedback_book import (
    COLUMNS,
    IllegalFeedbackMove,
    InvalidFeedback,
    Request,
    UnknownFeedbackRequest,
    load,
)

__all__ = ["COLUMNS", "IllegalFeedbackMove", "InvalidFeedback", "Request", "UnknownFeedbackRequest", "get", "listed"]


def get(tx: Tx, request_id: UUID) -> Request | None:
    """One request of the tenant, or None."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM feedback_requests WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=request_id
    )
    return load(row) if row else None


def of_order(tx: Tx, order_id: UUID) -> Request | None:
    """The request about an order, if there is one."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM feedback_requests WHERE tenant_id = :t AND order_id = :id", t=tx.tenant_id, id=order_id
    )
    return load(row) if row else None


def listed(
    tx: Tx, *, state: str | None = None, sentiment: str | None = None, client_id: UUID | None = None,
    due: bool = False, before: UUID | None = None, limit: int = 50,
) -> list[Request]:  # fmt: skip
    """The tenant's requests, newest first, those made before request `before`; with `due`, those due by now."""
    filters = {"state": "queued" if due else state, "sentiment": sentiment, "client_id": client_id}
    wanted = {name: value for name, value in filters.items() if value is not None}
    where = "".join(f" AND {name} = :{name}" for name in wanted) + (" AND due_at <= :now" if due else "")
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM feedback_requests
            WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before){where}
            ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit, **({"now": tx.now} if due else {}), **wanted,
    )  # fmt: skip
    return [load(row) for row in rows]


def queue(tx: Tx, order: Row | Mapping[str, Any]) -> None:
    """An order was delivered (its id, client_id, delivered_at): its client is asked some days later.

    Told of another day, the request moves with it, as long as nobody was asked. An order that was delivered so long ago
    that it would be too late by now, as an import brings them, is not asked about.
    """
    chosen = settings.readable(tx)
    delivered_at: datetime = order["delivered_at"]
    due = delivered_at + timedelta(days=chosen.feedback_days)
    latest = due + timedelta(days=chosen.feedback_latest_days)
    if not chosen.ask_feedback or order["client_id"] is None or latest <= tx.now:
        return
    row = tx.row(
        f"""INSERT INTO feedback_requests AS f
                (tenant_id, id, order_id, client_id, due_at, latest_at, created_at, updated_at)
            VALUES (:t, :id, :order, :client, :due, :latest, :now, :now)
            ON CONFLICT (tenant_id, order_id) DO UPDATE SET due_at = excluded.due_at, latest_at = excluded.latest_at,
                client_id = excluded.client_id, updated_at = excluded.updated_at
                WHERE f.state = 'queued' AND f.due_at <> excluded.due_at RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=tx.clock.uuid(), order=order["id"], client=order["client_id"], due=due, latest=latest,
        now=tx.now,
    )  # fmt: skip
    if row is None:
        return
    book.tell(tx, load(row), "queued", due_at=due.isoformat())
    schedule.bring_forward(tx, max(due, tx.now))


def ask(tx: Tx, order_id: UUID, *, contact_id: UUID | None = None) -> Request:
    """A person wants an order asked about now, also one that was skipped; whom, where they say so.

    That the contact was asked lately does not stand in the way then; everything else still does. Raises
    UnknownFeedbackRequest, InvalidFeedback, IllegalFeedbackMove where somebody was asked already.
    """
    order = _delivered(tx, order_id)
    if contact_id is not None and not tx.value(
        "SELECT 1 FROM contacts WHERE tenant_id = :t AND id = :id AND client_id = :client",
        t=tx.tenant_id, id=contact_id, client=order["client_id"],
    ):  # fmt: skip
        raise InvalidFeedback(f"contact_id: the account has no contact {contact_id}")
    request = own(tx, order_id)
    if request.state != "queued":
        book.check_move(request, "queued")
    latest = tx.now + timedelta(days=settings.of(tx).feedback_latest_days)
    schedule.bring_forward(tx, tx.now, extra=True)
    return book.write(
        tx, request, "insisted",
        {"state": "queued", "reason": None, "insisted": True, "due_at": tx.now, "latest_at": latest,
         "shadow_sent_at": None, "contact_id": contact_id or request.contact_id, **UNASKED},
    )  # fmt: skip


UNASKED: Mapping[str, Any] = {
    "sent_at": None, "lapses_at": None, "card_id": None, "thread_id": None, "remind_at": None, "reminders": 0,
}  # fmt: skip
"""What an earlier mail left with a request, such as one that came back: asked again, the new mail counts alone."""


def of_another(tx: Tx, order_id: UUID, client_id: UUID | None) -> None:
    """An order is another account's now: whoever had it before is not asked about it, its own account is."""
    row = tx.row(
        f"""SELECT {COLUMNS} FROM feedback_requests WHERE tenant_id = :t AND order_id = :id AND state = 'queued'
              AND client_id IS DISTINCT FROM :client FOR UPDATE""",
        t=tx.tenant_id, id=order_id, client=client_id,
    )  # fmt: skip
    if row is None:
        return
    request = load(row)
    reason = "the order is another account's"
    book.cancel_waiting(tx, request, reason)
    if client_id is None:
        book.write(tx, request, "skipped", {"state": "skipped", "reason": reason}, reason=reason)
        return
    # whom it waited for, and whom a person named, were of the other account
    fresh = {"client_id": client_id, "contact_id": None, "shadow_sent_at": None}
    book.write(tx, request, "queued", fresh, due_at=request.due_at.isoformat())
    schedule.bring_forward(tx, max(request.due_at, tx.now))


def skip(tx: Tx, request_id: UUID, *, reason: str) -> Request:
    """A person does not want an order asked about; said again, it stays so. Raises as `ask`."""
    request = book.hold(tx, request_id)
    told = storable.line(reason, 500)
    if not told:
        raise InvalidFeedback("reason: say why nobody is to be asked")
    if request.state == "skipped":
        return request
    if request.state != "queued":
        raise IllegalFeedbackMove(f"the request is {request.state}: it can't be skipped any more")
    book.cancel_waiting(tx, request, "the request was skipped")
    return book.write(tx, request, "skipped", {"state": "skipped", "reason": told}, reason=told)


def own(tx: Tx, order_id: UUID) -> Request:
    """The request about a delivered order, locked, made where there is none yet. Raises as `ask`."""
    order = _delivered(tx, order_id)
    tx.run(
        """INSERT INTO feedback_requests (tenant_id, id, order_id, client_id, due_at, latest_at, created_at, updated_at)
           VALUES (:t, :id, :order, :client, :now, :latest, :now, :now) ON CONFLICT (tenant_id, order_id) DO NOTHING""",
        t=tx.tenant_id, id=tx.clock.uuid(), order=order_id, client=order["client_id"], now=tx.now,
        latest=tx.now + timedelta(days=settings.of(tx).feedback_latest_days),
    )  # fmt: skip
    found = of_order(tx, order_id)
    assert found is not None, "it has just been made where there was none"
    return book.hold(tx, found.id)


def set_aside(tx: Tx, skipped: Mapping[UUID, str]) -> int:
    """Requests that are not asked after all, each with its reason; how many were still queued."""
    rows = tx.rows(
        f"""UPDATE feedback_requests f SET state = 'skipped', reason = w.reason, shadow_sent_at = NULL,
                updated_at = :now
            FROM unnest(CAST(:ids AS uuid[]), CAST(:reasons AS text[])) AS w (id, reason)
            WHERE f.tenant_id = :t AND f.id = w.id AND f.state = 'queued' RETURNING {_F}""",
        now=tx.now, t=tx.tenant_id, ids=list(skipped), reasons=list(skipped.values()),
    ) if skipped else []  # fmt: skip
    tell_all(tx, "skipped", rows, lambda row: {"reason": row["reason"]})
    return len(rows)


def case_closed(tx: Tx, client_id: UUID, case_id: UUID) -> None:
    """A case about an account was closed: what waited for that is looked at again.

    A mail that waits to tell the client that somebody sees to it would be untrue from now on: it is not sent.
    """
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM feedback_requests
            WHERE tenant_id = :t AND client_id = :client AND case_id = :case AND recovery_card_id IS NOT NULL
            FOR UPDATE""",
        t=tx.tenant_id, client=client_id, case=case_id,
    )  # fmt: skip
    for row in rows:
        book.cancel_waiting(tx, load(row), "its case was closed", types=("send_email",), template=book.RECOVERING)
    rest_news.of(tx, [client_id])


def _delivered(tx: Tx, order_id: UUID) -> Row:
    """Raises UnknownFeedbackRequest for an order that there is not, InvalidFeedback for one that nobody has got."""
    row = tx.row("SELECT id, client_id, status, delivered_at FROM orders WHERE tenant_id = :t AND id = :id",
                 t=tx.tenant_id, id=order_id)  # fmt: skip
    if row is None:
        raise UnknownFeedbackRequest(f"there is no order {order_id} to ask about")
    if row["delivered_at"] is None or row["client_id"] is None:
        raise InvalidFeedback(f"order: it is {row['status']}, and was not delivered")
    return row


_F = ", ".join(f"f.{name}" for name in Request.__slots__)


def tell_all(tx: Tx, what: str, rows: Sequence[Row], data: Any = lambda _row: {}) -> None:
    """Leave the events of what happened to several requests at once."""
    events.record_all(tx, [
        News(f"feedback.{what}", book.SUBJECT, row["id"], row["client_id"], row["contact_id"],
             data={"order_id": str(row["order_id"]), "state": row["state"], **data(row)})
        for row in rows
    ])  # fmt: skip
