"""A quote's row and the moves it may make: how they are read, locked and written, each change with its event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from domain import cards, events, rest_news
from domain.db import Row, Tx
from domain.quote_lines import InvalidQuote

__all__ = ["InvalidQuote"]

Status = Literal["draft", "sent", "viewed", "accepted", "rejected", "expired", "withdrawn"]

MOVES: Mapping[str, frozenset[str]] = {
    "draft": frozenset({"sent", "withdrawn"}),
    # changed after it was sent, a quote is a draft again, in a new revision
    "sent": frozenset({"viewed", "accepted", "rejected", "expired", "draft", "withdrawn"}),
    "viewed": frozenset({"accepted", "rejected", "expired", "draft", "withdrawn"}),
    "expired": frozenset({"draft"}),
    "accepted": frozenset(),
    "rejected": frozenset(),
    "withdrawn": frozenset(),
}
"""The lifecycle; the database holds the same in `hourhand.quote_moves`."""

OPEN = ("sent", "viewed")
"""Where the client has it and has not answered yet."""

LONGEST = 500
"""So many characters of a text about a quote are kept; of its terms ten times as many."""


class UnknownQuote(LookupError):
    """The tenant has no such quote."""


class IllegalQuoteMove(Exception):
    """The quote is not where it would have to be for this."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote as it stands, without its lines."""

    id: UUID
    number: str
    client_id: UUID
    contact_id: UUID | None
    deal_id: UUID | None
    title: str | None
    status: Status
    revision: int
    """Rises with every change of what a client may have seen; each has a link of its own."""
    source: str
    currency: str
    discount_percent: Decimal
    subtotal: Decimal
    discount_amount: Decimal
    tax_amount: Decimal
    total: Decimal
    unpriced: int
    """Lines without a price; one is enough to keep it from going out."""
    validity_days: int | None
    valid_until: datetime | None
    terms: str | None
    evidence: Mapping[str, Any]
    message_id: UUID | None
    thread_id: UUID | None
    offered_at: datetime | None
    sent_at: datetime | None
    first_viewed_at: datetime | None
    answered_at: datetime | None
    answered_by: str | None
    reason: str | None
    visits: int
    scans: int
    follow_ups: int
    follow_up_due_at: datetime | None
    shadow_sent_at: datetime | None
    created_at: datetime
    updated_at: datetime


COLUMNS = ", ".join(Quote.__slots__)

FRESH: Mapping[str, Any] = {
    "valid_until": None, "offered_at": None, "sent_at": None, "first_viewed_at": None, "visits": 0, "scans": 0,
    "follow_ups": 0, "follow_up_due_at": None, "shadow_sent_at": None, "shadow_follow_ups": None,
    "shadow_follow_up_due_at": None,
}  # fmt: skip
"""What a draft has that nobody has seen."""

SETTLED: Mapping[str, Any] = {
    "follow_up_due_at": None, "shadow_follow_ups": None, "shadow_follow_up_due_at": None, "shadow_sent_at": None,
    "offered_at": None,
}  # fmt: skip
"""What a quote has about which nothing more is to be done."""


def load(row: Row) -> Quote:
    """A quote from a row that has every column of `COLUMNS`."""
    return Quote(**{name: row[name] for name in Quote.__slots__})


def hold(tx: Tx, quote_id: UUID) -> Quote:
    """The quote, locked until the commit. Raises UnknownQuote."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM quotes WHERE tenant_id = :t AND id = :id FOR UPDATE", t=tx.tenant_id, id=quote_id
    )
    if row is None:
        raise UnknownQuote(f"there is no quote {quote_id}")
    return load(row)


def check_move(quote: Quote, to: Status) -> None:
    """Raises IllegalQuoteMove where the quote can't go there."""
    if to not in MOVES[quote.status]:
        raise IllegalQuoteMove(f"quote {quote.number} is {quote.status}: it can't become {to}")


def write(
    tx: Tx, quote: Quote, kind: str, changes: Mapping[str, Any], *, by: str | None = None, react: bool = False,
    data: Mapping[str, Any] | None = None, **told: Any,
) -> Quote:  # fmt: skip
    """Write the changes with their activity and event; the quote as it stands now.

    `data` is kept with the activity, `told` goes into the event.
    """
    row = tx.row(
        f"""UPDATE quotes SET {"".join(f"{name} = :{name}, " for name in changes)}updated_at = :now
            WHERE tenant_id = :t AND id = :id RETURNING {COLUMNS}""",
        now=tx.now, t=tx.tenant_id, id=quote.id, **changes,
    )  # fmt: skip
    assert row is not None
    now = load(row)
    note(tx, now, kind, by=by, data=data)
    tell(tx, now, kind, react=react, before=quote.status, **told)
    return now


def note(
    tx: Tx, quote: Quote, kind: str, *, by: str | None = None, data: Mapping[str, Any] | None = None,
    message_id: UUID | None = None,
) -> None:  # fmt: skip
    """Add to what happened around a quote; a message is noted once."""
    tx.run(
        """INSERT INTO quote_activities (tenant_id, id, quote_id, revision, kind, at, by, message_id, data)
           VALUES (:t, :id, :quote, :revision, :kind, :now, :by, :message, :data) ON CONFLICT DO NOTHING""",
        t=tx.tenant_id, id=tx.clock.uuid(), quote=quote.id, revision=quote.revision, kind=kind, now=tx.now,
        by=by or tx.actor, message=message_id, data=dict(data or {}),
    )  # fmt: skip


def tell(tx: Tx, quote: Quote, kind: str, *, react: bool = False, **told: Any) -> None:
    """Leave the event of what happened to a quote; what waits for it at its account hears of it."""
    rest_news.of(tx, [quote.client_id])
    events.record(
        tx, f"quote.{kind}", "quote", quote.id, client_id=quote.client_id, contact_id=quote.contact_id, react=react,
        number=quote.number, revision=quote.revision, status=quote.status, **told,
    )  # fmt: skip


def deal_of(tx: Tx, quote: Quote, *, deciding: bool = False) -> str | None:
    """The deal that hears of the quote; where it is `deciding`, only if no other quote of the deal is still open."""
    if quote.deal_id is None:
        return None
    others = deciding and tx.value(
        """SELECT 1 FROM quotes WHERE tenant_id = :t AND deal_id = :deal AND id <> :id AND status IN ('sent', 'viewed')
           LIMIT 1""",
        t=tx.tenant_id, deal=quote.deal_id, id=quote.id,
    )  # fmt: skip
    return None if others else str(quote.deal_id)


def cancel_waiting(tx: Tx, quote: Quote, reason: str) -> None:
    """What still waits to be done about a quote is not done any more. Raises IllegalQuoteMove while it is on its way.

    A mail that nobody knows the fate of may have reached the client: until that is known, the offer stays as it is.
    """
    rows = tx.rows(
        """SELECT id, state FROM kanban_cards WHERE tenant_id = :t AND client_id = :client AND subject_type = 'quote'
             AND subject_id = :id
             AND state IN ('proposed', 'queued', 'deferred', 'awaiting_approval', 'executing', 'uncertain')""",
        t=tx.tenant_id, client=quote.client_id, id=str(quote.id),
    )  # fmt: skip
    if quote.status == "draft" and any(row["state"] in ("executing", "uncertain") for row in rows):
        raise IllegalQuoteMove(f"quote {quote.number} is on its way at this moment: ask again once that is settled")
    waiting: Sequence[UUID] = [row["id"] for row in rows if row["state"] not in ("executing", "uncertain")]
    cards.move(tx, waiting, "cancelled", reason=reason, rule="quotes.moved_on")


def cancel_waiting_of(tx: Tx, some: Sequence[Quote], reason: str) -> None:
    """What still waits to be done about quotes that their clients have had is not done any more; in two statements."""
    if not some:
        return
    rows = tx.rows(
        """SELECT c.id FROM unnest(CAST(:clients AS uuid[]), CAST(:ids AS text[])) AS w (client_id, id)
           JOIN kanban_cards c ON c.tenant_id = :t AND c.client_id = w.client_id AND c.subject_type = 'quote'
             AND c.subject_id = w.id AND c.state IN ('proposed', 'queued', 'deferred', 'awaiting_approval')""",
        t=tx.tenant_id, clients=[each.client_id for each in some], ids=[str(each.id) for each in some],
    )  # fmt: skip
    cards.move(tx, [row["id"] for row in rows], "cancelled", reason=reason, rule="quotes.moved_on")
