"""A feedback request's row and the moves it may make: how they are read, locked and written, each with its event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain import cards, events
from domain.db import Row, Tx

State = Literal["queued", "sent", "answered", "lapsed", "skipped"]
Sentiment = Literal["negative", "neutral", "positive"]

MOVES: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"sent", "skipped", "answered"}),
    # a mail that came back asked nobody
    "sent": frozenset({"answered", "lapsed", "skipped"}),
    "lapsed": frozenset({"answered"}),
    "skipped": frozenset({"queued", "answered"}),
    "answered": frozenset(),
}
"""The lifecycle; the database holds the same in `hourhand.feedback_moves`."""

SUBJECT = "feedback_request"
"""How cards and events name one."""

LONGEST = 2_000
"""So many characters of what somebody says are kept."""

RECOVERING = "service_recovery"
"""The template of the mail that makes good, and the kind of the case beside it."""

ANSWERABLE = ("sent", "answered", "lapsed")
"""Where somebody has been asked."""


class UnknownFeedbackRequest(LookupError):
    """The tenant has no such feedback request."""


class InvalidFeedback(Exception):
    """A feedback request or an answer does not hold what it needs."""


class IllegalFeedbackMove(Exception):
    """The feedback request is not where it would have to be for this."""


@dataclass(frozen=True, slots=True)
class Request:
    """A feedback request as it stands."""

    id: UUID
    order_id: UUID
    client_id: UUID
    contact_id: UUID | None
    state: State
    due_at: datetime
    latest_at: datetime
    reason: str | None
    insisted: bool
    """A person has it asked although it had been skipped."""
    sent_at: datetime | None
    lapses_at: datetime | None
    reminders: int
    remind_at: datetime | None
    card_id: UUID | None
    thread_id: UUID | None
    visits: int
    scans: int
    answered_at: datetime | None
    rating: int | None
    sentiment: Sentiment | None
    case_id: UUID | None
    recovery_card_id: UUID | None
    rests_until: datetime | None
    """Due, and nothing can be done: nobody need look at it sooner."""
    rest: Mapping[str, Any] | None
    """Its rule and reason."""
    created_at: datetime
    updated_at: datetime


COLUMNS = ", ".join(Request.__slots__)


def load(row: Row) -> Request:
    """A request from a row that has every column of `COLUMNS`."""
    return Request(**{name: row[name] for name in Request.__slots__})


def parties(tx: Tx, request: Request) -> Row:
    """Who asks about what: company, the order as the client knows it ('' where it has no name), and their language."""
    row = tx.row(
        """SELECT n.name AS company, l.language,
                  coalesce(o.number, o.external_id, '') AS called
           FROM tenants n
           JOIN clients l ON l.tenant_id = :t AND l.id = :client
           JOIN orders o ON o.tenant_id = :t AND o.id = :order WHERE n.tenant_id = :t""",
        t=tx.tenant_id, client=request.client_id, order=request.order_id,
    )  # fmt: skip
    assert row is not None, "a request goes with its order"
    return row


def hold(tx: Tx, request_id: UUID) -> Request:
    """The request, locked until the commit. Raises UnknownFeedbackRequest."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM feedback_requests WHERE tenant_id = :t AND id = :id FOR UPDATE",
        t=tx.tenant_id, id=request_id,
    )  # fmt: skip
    if row is None:
        raise UnknownFeedbackRequest(f"there is no feedback request {request_id}")
    return load(row)


def check_move(request: Request, to: State) -> None:
    """Raises IllegalFeedbackMove where the request can't go there."""
    if to not in MOVES[request.state]:
        raise IllegalFeedbackMove(f"the request is {request.state}: it can't become {to}")


def write(
    tx: Tx, request: Request, kind: str, changes: Mapping[str, Any], *, react: bool = False, **told: Any
) -> Request:  # fmt: skip
    """Write the changes with their event; the request as it stands now."""
    row = tx.row(
        f"""UPDATE feedback_requests SET {"".join(f"{name} = :{name}, " for name in changes)}updated_at = :now
            WHERE tenant_id = :t AND id = :id RETURNING {COLUMNS}""",
        now=tx.now, t=tx.tenant_id, id=request.id, **changes,
    )  # fmt: skip
    assert row is not None
    now = load(row)
    tell(tx, now, kind, react=react, before=request.state, **told)
    return now


def tell(tx: Tx, request: Request, kind: str, *, react: bool = False, **told: Any) -> None:
    """Leave the event of what happened to a request."""
    events.record(
        tx, f"feedback.{kind}", SUBJECT, request.id, client_id=request.client_id, contact_id=request.contact_id,
        react=react, order_id=str(request.order_id), state=request.state, **told,
    )  # fmt: skip


def cancel_waiting(
    tx: Tx, request: Request, reason: str, *, types: tuple[str, ...] = ("request_feedback",),
    template: str | None = None,
) -> None:  # fmt: skip
    """What still waits to be written about a request (by one `template`) is not written; what is on its way stays."""
    rows = tx.rows(
        """SELECT id FROM kanban_cards WHERE tenant_id = :t AND client_id = :client AND subject_type = :subject
             AND subject_id = :id AND type = ANY(:types)
             AND state IN ('proposed', 'queued', 'deferred', 'awaiting_approval')
             AND (CAST(:template AS text) IS NULL OR payload ->> 'template' = :template)""",
        t=tx.tenant_id, client=request.client_id, subject=SUBJECT, id=str(request.id), types=list(types),
        template=template,
    )  # fmt: skip
    cards.move(tx, [row["id"] for row in rows], "cancelled", reason=reason, rule="feedback.moved_on")
