"""Orders: how each stands, what is wrong with it, and what people decide about that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from admin_api.fields import Given, Moment, Reason
from admin_api.once import IdempotencyKey, once
from admin_api.pages import Page
from domain import clients, credit, order_exceptions, order_lines, order_queue, orders, products
from domain.clients import UnknownClient
from domain.db import Tx
from domain.order_exceptions import Handling
from domain.orders import UnknownOrder
from domain.products import UnknownProduct

router = APIRouter(prefix="/v1", tags=["orders"])

Status = Literal["draft", "new", "accepted", "in_progress", "delivered", "closed", "cancelled"]
QueueState = Literal["waiting", "exceptions", "asked", "valid", "closed"]
ExceptionState = Literal["open", "fixed", "resolved", "waived"]
Code = Annotated[str | None, Query(pattern="^[A-Z_]{3,60}$", description="Only those with this code")]


class OrderShown(Told):
    """An order; its amounts are decimals, told as text."""

    id: UUID
    external_id: str | None
    number: str | None
    client_id: UUID | None
    contact_id: UUID | None
    status: Status
    source: str
    billing: Literal["prepaid", "bill"]
    currency: str
    fee: Decimal | None
    tech_fee: Decimal | None
    total_amount: Decimal | None
    credit_reserved: Decimal
    details: Mapping[str, str]
    evidence: Mapping[str, Any]
    deal_id: UUID | None = Field(description="The deal that it came of, or that was won by it")
    quote_id: UUID | None = Field(description="The accepted quote that it came of")
    revision: int
    ordered_at: datetime
    delivered_at: datetime | None
    created_at: datetime
    updated_at: datetime


class LineShown(Told):
    """One line of an order."""

    description: str
    quantity: Decimal
    code: str | None
    unit_price: Decimal | None
    product_id: UUID | None


class ExceptionShown(Told):
    """Something that is or was wrong with an order."""

    id: UUID
    order_id: UUID
    code: str
    field: str
    handling: Handling
    message: str
    facts: Mapping[str, Any]
    state: ExceptionState
    asked_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    reason: str | None


class EntryShown(Told):
    """Where the checking of an order stands."""

    order_id: UUID
    state: QueueState
    due_at: datetime | None = Field(description="When it is looked at next; null: once something comes in")
    round: int
    entered_at: datetime
    checked_at: datetime | None
    valid_at: datetime | None
    asked_at: datetime | None
    held_mode: str | None


class OrderWhole(OrderShown):
    """An order with its lines, its place in the queue, and everything that is wrong with it now."""

    lines: Sequence[LineShown]
    queue: EntryShown | None
    exceptions: Sequence[ExceptionShown]


class ProductShown(Told):
    """A product of the catalogue."""

    id: UUID
    external_id: str | None
    code: str
    name: str
    kind: Literal["goods", "property", "inspection"]
    currency: str
    price: Decimal
    tech_fee: Decimal
    tolerance_percent: Decimal | None
    requirements: Sequence[str] | None
    active: bool
    created_at: datetime
    updated_at: datetime


class CreditShown(Told):
    """What an account may owe, owes, and has reserved."""

    client_id: UUID
    terms: Literal["prepaid", "bill"]
    net_days: int | None
    currency: str
    credit_limit: Decimal | None
    outstanding_balance: Decimal
    reserved: Decimal
    available: Decimal | None
    updated_at: datetime


class Move(Given):
    """Where an order goes; `new` confirms a draft."""

    to: Literal["new", "in_progress", "delivered", "closed", "cancelled"]
    reason: Reason | None = None
    at: Moment | None = None


class Decision(Given):
    """Why an exception is closed."""

    reason: Reason


Amount = Annotated[str, Field(pattern=r"^-?\d{1,12}(\.\d{1,4})?$", description="Exact, as text: 1250.00")]


class CreditFields(Given):
    """What is to be set of an account's credit; what is left out stays."""

    terms: Literal["prepaid", "bill"] | None = None
    credit_limit: Amount | None = None
    outstanding_balance: Amount | None = None
    net_days: Annotated[int, Field(ge=0, le=365)] | None = None
    currency: Annotated[str, Field(pattern="^[A-Za-z]{3}$")] | None = None


@router.get("/orders", summary="Orders, newest first")
def order_list(
    house: TheHouse, at: Reader, status: Status | None = None, client_id: UUID | None = None,
    limit: pages.Limit = 50, cursor: pages.Cursor = None,
) -> Page[OrderShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = orders.listed(tx, status=status, client_id=client_id, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.id, OrderShown.model_validate)


@router.get("/orders/{order_id}", summary="An order with its lines and what is wrong with it")
def order(order_id: UUID, house: TheHouse, at: Reader) -> OrderWhole:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return whole(tx, order_id)


@router.post("/orders/{order_id}/move", summary="Move an order on, or confirm a draft", response_model=OrderWhole)
def move(
    order_id: UUID, said: Move, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> OrderWhole:
        orders.move(tx, order_id, said.to, reason=said.reason, at=said.at)
        return whole(tx, order_id)

    return once(house, at, request, idempotency_key, said, work)


@router.get("/order-queue", summary="The orders that are being checked, newest first; the open ones unless one asks")
def queue(
    house: TheHouse, at: Reader, state: QueueState | None = None, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[EntryShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = order_queue.listed(tx, state=state, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.order_id, EntryShown.model_validate)


@router.get("/order-exceptions", summary="What is wrong with orders, newest first")
def exception_list(
    house: TheHouse, at: Reader, state: ExceptionState = "open", code: Code = None, order_id: UUID | None = None,
    limit: pages.Limit = 50, cursor: pages.Cursor = None,
) -> Page[ExceptionShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = order_exceptions.listed(tx, state=state, code=code, order_id=order_id,
                                       before=pages.uuid_after(cursor), limit=limit + 1)  # fmt: skip
    return pages.of(rows, limit, lambda row: row.id, ExceptionShown.model_validate)


@router.post("/order-exceptions/{exception_id}/resolve", summary="Its cause is mended: the order is checked again",
             response_model=ExceptionShown)  # fmt: skip
def resolve(
    exception_id: UUID, said: Decision, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> ExceptionShown:
        done = order_exceptions.resolve(tx, exception_id, by=at.actor, reason=said.reason)
        return ExceptionShown.model_validate(done)

    return once(house, at, request, idempotency_key, said, work)


@router.post("/order-exceptions/{exception_id}/waive", summary="Let it pass as it is, while its facts are the same",
             response_model=ExceptionShown)  # fmt: skip
def waive(
    exception_id: UUID, said: Decision, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> ExceptionShown:
        done = order_exceptions.waive(tx, exception_id, by=at.actor, reason=said.reason)
        return ExceptionShown.model_validate(done)

    return once(house, at, request, idempotency_key, said, work)


@router.get("/products", summary="The catalogue, oldest first")
def product_list(
    house: TheHouse, at: Reader, active: bool | None = None, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[ProductShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = products.listed(tx, active=active, after=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.id, ProductShown.model_validate)


@router.get("/products/{product_id}", summary="One product")
def product(product_id: UUID, house: TheHouse, at: Reader) -> ProductShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        found = products.get(tx, product_id)
    if found is None:
        raise UnknownProduct(f"there is no product {product_id}")
    return ProductShown.model_validate(found)


@router.get("/clients/{client_id}/credit", summary="What an account may owe, owes, and has reserved; null: never said")
def credit_of(client_id: UUID, house: TheHouse, at: Reader) -> CreditShown | None:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        if clients.get(tx, client_id) is None:
            raise UnknownClient(f"there is no client {client_id}")
        found = credit.get(tx, client_id)
    return CreditShown.model_validate(found) if found else None


@router.put("/clients/{client_id}/credit", summary="Set an account's terms, limit and balance",
            response_model=CreditShown)  # fmt: skip
def put_credit(
    client_id: UUID, given: CreditFields, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> CreditShown:
        return CreditShown.model_validate(credit.put(tx, client_id, **given.model_dump()))

    return once(house, at, request, idempotency_key, given, work)


def whole(tx: Tx, order_id: UUID) -> OrderWhole:
    """An order with all that is known of it. Raises UnknownOrder."""
    found = orders.get(tx, order_id)
    if found is None:
        raise UnknownOrder(f"there is no order {order_id}")
    entry = order_queue.get(tx, order_id)
    return OrderWhole(
        **OrderShown.model_validate(found).model_dump(),
        lines=[LineShown.model_validate(line) for line in order_lines.of(tx, [order_id]).get(order_id, ())],
        queue=EntryShown.model_validate(entry) if entry else None,
        exceptions=[ExceptionShown.model_validate(each)
                    for each in order_exceptions.of(tx, [order_id]).get(order_id, ())],
    )  # fmt: skip
