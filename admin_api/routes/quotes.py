"""Quotes: drafting, changing and sending them, how each stands, and answers that came some other way than its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from admin_api import pages
from admin_api.access import Operator, Reader, TheHouse
from admin_api.answers import Told
from admin_api.fields import Given, Reason, Text
from admin_api.once import IdempotencyKey, once
from admin_api.pages import Page
from domain import agreements, quote_figures, quote_lines, quotes
from domain.db import Tx
from domain.quotes import Line, UnknownQuote

router = APIRouter(prefix="/v1", tags=["quotes"])

Status = Literal["draft", "sent", "viewed", "accepted", "rejected", "expired", "withdrawn"]
Amount = Annotated[str, Field(pattern=r"^\d{1,12}(\.\d{1,4})?$", description="Exact, as text: 1250.00")]
Quantity = Annotated[str, Field(pattern=r"^\d{1,9}(\.\d{1,3})?$", description="Exact, as text: 2 or 1.5")]
Percent = Annotated[str, Field(pattern=r"^\d{1,3}(\.\d{1,2})?$", description="From 0 to 100, as text")]


class LineFields(Given):
    """One line; without a price it takes the catalogue's."""

    description: Annotated[str, Field(max_length=500)] = ""
    quantity: Quantity = "1"
    code: Annotated[str | None, Field(max_length=100)] = None
    unit_price: Amount | None = None
    discount_percent: Percent = "0"
    tax_percent: Percent | None = None

    def line(self) -> Line:
        """The same as the domain takes it."""
        return Line(**self.model_dump())


class QuoteChanges(Given):
    """What is to be changed; what is left out stays. What was sent becomes a new draft."""

    contact_id: UUID | None = None
    deal_id: UUID | None = None
    title: Text = None
    currency: Annotated[str | None, Field(pattern="^[A-Za-z]{3}$")] = None
    discount_percent: Percent | None = None
    validity_days: Annotated[int | None, Field(ge=1, le=365)] = None
    terms: Annotated[str | None, Field(max_length=5_000)] = None
    lines: Annotated[list[LineFields] | None, Field(max_length=quote_lines.MOST)] = None

    def fields(self) -> dict[str, Any]:
        """What the domain takes beside the lines."""
        return self.model_dump(exclude={"lines", "client_id"})


class QuoteFields(QuoteChanges):
    """A quote to be drafted."""

    client_id: UUID


class Said(Given):
    """Who of the client said yes."""

    by: Annotated[str, Field(min_length=1, max_length=200)]


class SaidNo(Said):
    """Who of the client said no, and why."""

    reason: Reason


class Because(Given):
    """Why a quote is taken back."""

    reason: Reason


class QuoteShown(Told):
    """A quote; its amounts are decimals, told as text."""

    id: UUID
    number: str
    client_id: UUID
    contact_id: UUID | None
    deal_id: UUID | None
    title: str | None
    status: Status
    revision: int
    source: str
    currency: str
    discount_percent: Decimal
    subtotal: Decimal
    discount_amount: Decimal
    tax_amount: Decimal
    total: Decimal
    unpriced: int = Field(description="Lines without a price; one keeps it from being sent")
    validity_days: int | None
    valid_until: datetime | None
    terms: str | None
    offered_at: datetime | None = Field(description="Since when it is meant to be sent")
    sent_at: datetime | None
    first_viewed_at: datetime | None
    answered_at: datetime | None
    answered_by: str | None
    reason: str | None
    visits: int
    scans: int
    follow_ups: int
    follow_up_due_at: datetime | None
    created_at: datetime
    updated_at: datetime


class LineShown(Told):
    """One line of a quote."""

    description: str
    quantity: Decimal
    code: str | None
    unit_price: Decimal | None
    discount_percent: Decimal
    tax_percent: Decimal
    amount: Decimal | None
    product_id: UUID | None
    unmatched: bool = Field(description="A mail asked for it, and the catalogue knows nothing of the kind")


class ActivityShown(Told):
    """Something that happened around a quote."""

    kind: str
    at: datetime
    by: str
    revision: int
    card_id: UUID | None
    message_id: UUID | None
    data: Mapping[str, Any]


class QuoteWhole(QuoteShown):
    """A quote with its lines and what happened around it."""

    order_ids: Sequence[UUID] = Field(description="The order that came of it, once it is accepted")
    message_id: UUID | None = Field(description="The mail that asked for it")
    thread_id: UUID | None = Field(description="The conversation in which it is offered")
    evidence: Mapping[str, Any] = Field(description="The words that asked for it")
    lines: Sequence[LineShown]
    activities: Sequence[ActivityShown]


class FiguresShown(Told):
    """The tenant's quotes counted; what was sent and answered over the last 90 days."""

    drafts: int = Field(description="That are meant to be sent, or that a mail asked for")
    open: int
    viewed: int
    value: Mapping[str, Decimal] = Field(description="What is open, by currency")
    sent: int
    accepted: int
    rejected: int
    expired: int
    accepted_rate: float
    hours_to_answer: float


@router.get("/quotes", summary="Quotes, newest first")
def quote_list(
    house: TheHouse, at: Reader, status: Status | None = None, client_id: UUID | None = None,
    deal_id: UUID | None = None, due: Annotated[bool, Query(description="Only whose follow-up is due by now")] = False,
    limit: pages.Limit = 50, cursor: pages.Cursor = None,
) -> Page[QuoteShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = quotes.listed(tx, status=status, client_id=client_id, deal_id=deal_id, due=due,
                             before=pages.uuid_after(cursor), limit=limit + 1)  # fmt: skip
    return pages.of(rows, limit, lambda row: row.id, QuoteShown.model_validate)


@router.get("/quotes/stats", summary="Quotes counted: what waits, what is open and for how much, what was answered")
def stats(house: TheHouse, at: Reader) -> FiguresShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return FiguresShown.model_validate(quote_figures.stats(tx))


@router.get("/quotes/{quote_id}", summary="A quote with its lines and what happened around it")
def quote(quote_id: UUID, house: TheHouse, at: Reader) -> QuoteWhole:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return whole(tx, quote_id)


@router.post("/quotes", summary="Draft a quote", response_model=QuoteWhole, status_code=201)
def draft(
    given: QuoteFields, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> QuoteWhole:
        lines = [each.line() for each in given.lines or ()]
        made = quotes.draft(tx, client_id=given.client_id, lines=lines, source="api", **given.fields())
        return whole(tx, made.id)

    return once(house, at, request, idempotency_key, given, work, status=201)


@router.patch("/quotes/{quote_id}", summary="Change a quote; what was sent becomes a new draft",
              response_model=QuoteWhole)  # fmt: skip
def change(
    quote_id: UUID, given: QuoteChanges, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    lines = None if given.lines is None else [each.line() for each in given.lines]
    verb = _verb(quote_id, lambda tx: quotes.change(tx, quote_id, lines=lines, **given.fields()))
    return once(house, at, request, idempotency_key, given, verb)


@router.post("/quotes/{quote_id}/send", summary="Have a draft sent at the next hour", response_model=QuoteWhole)
def send(
    quote_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    verb = _verb(quote_id, lambda tx: quotes.offer(tx, quote_id))
    return once(house, at, request, idempotency_key, None, verb)


@router.post("/quotes/{quote_id}/accept", summary="Note that the client said yes", response_model=QuoteWhole)
def accept(
    quote_id: UUID, said: Said, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    verb = _verb(quote_id, lambda tx: quotes.accept(tx, quote_id, by=said.by))
    return once(house, at, request, idempotency_key, said, verb)


@router.post("/quotes/{quote_id}/reject", summary="Note that the client said no, and why", response_model=QuoteWhole)
def reject(
    quote_id: UUID, said: SaidNo, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    verb = _verb(quote_id, lambda tx: quotes.reject(tx, quote_id, by=said.by, reason=said.reason))
    return once(house, at, request, idempotency_key, said, verb)


@router.post("/quotes/{quote_id}/withdraw", summary="Take a quote back: its page is gone", response_model=QuoteWhole)
def withdraw(
    quote_id: UUID, said: Because, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    verb = _verb(quote_id, lambda tx: quotes.withdraw(tx, quote_id, reason=said.reason))
    return once(house, at, request, idempotency_key, said, verb)


def whole(tx: Tx, quote_id: UUID) -> QuoteWhole:
    """A quote with all that is known of it. Raises UnknownQuote."""
    found = quotes.get(tx, quote_id)
    if found is None:
        raise UnknownQuote(f"there is no quote {quote_id}")
    return QuoteWhole(
        **QuoteShown.model_validate(found).model_dump(),
        order_ids=agreements.orders_of(tx, quotes=[quote_id]).get(quote_id, []),
        message_id=found.message_id,
        thread_id=found.thread_id,
        evidence=found.evidence,
        lines=[LineShown.model_validate(line) for line in quote_lines.of(tx, [quote_id]).get(quote_id, ())],
        activities=[ActivityShown.model_validate(dict(row)) for row in quotes.activities(tx, quote_id)],
    )


def _verb(quote_id: UUID, does: Callable[[Tx], object]) -> Callable[[Tx], QuoteWhole]:
    """What a verb did, told as the whole quote."""

    def work(tx: Tx) -> QuoteWhole:
        does(tx)
        return whole(tx, quote_id)

    return work
