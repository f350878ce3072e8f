"""Products, orders and deals from live systems: idempotent, one or many at a time, by their external reference."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from admin_api.access import Operator, TheHouse
from admin_api.answers import BulkDone, UpsertedShown
from admin_api.fields import Given, Moment, Text
from admin_api.once import IdempotencyKey, once
from admin_api.routes.bulk import Rows, take
from domain import clients, contacts, deals, orders, products, users
from domain.clients import UnknownClient
from domain.db import Tx
from domain.order_lines import Line

router = APIRouter(prefix="/v1", tags=["products, orders and deals"])

Amount = Annotated[Decimal | None, Field(ge=0, lt=Decimal("1e12"), decimal_places=4)]
Currency = Annotated[str | None, Field(pattern="^[A-Z]{3}$")]
Status = Literal["draft", "new", "accepted", "in_progress", "delivered", "closed", "cancelled"]


class ProductFields(Given):
    """What is known of a product; what is left out stays as it is."""

    code: Text = None
    name: Text = None
    external_id: Text = None
    kind: Literal["goods", "property", "inspection"] | None = None
    price: Amount = None
    tech_fee: Amount = None
    tolerance_percent: Annotated[Decimal | None, Field(ge=0, le=100, decimal_places=2)] = None
    currency: Currency = None
    active: bool | None = None


class Account(Given):
    """Whose it is."""

    client_id: UUID | None = None
    client_external_id: Annotated[Text, Field(description="Instead of client_id: your own id of the account")] = None
    contact_id: UUID | None = None


class LineFields(Given):
    """One line of an order."""

    description: Annotated[str, Field(min_length=1, max_length=500)]
    quantity: Annotated[Decimal, Field(gt=0, lt=Decimal("1e9"), decimal_places=3)] = Decimal(1)
    code: Text = None
    unit_price: Amount = None


class OrderFields(Account):
    """What is known of an order; what is left out stays as it is. `lines` take the place of those that are there."""

    external_id: Text = None
    number: Text = None
    status: Status | None = None
    billing: Literal["prepaid", "bill"] | None = None
    currency: Currency = None
    fee: Amount = None
    tech_fee: Amount = None
    total_amount: Amount = None
    ordered_at: Moment | None = None
    delivered_at: Moment | None = None
    details: dict[str, Annotated[str, Field(max_length=500)] | None] | None = None
    lines: Annotated[list[LineFields] | None, Field(max_length=200)] = None


class DealFields(Account):
    """What is known of a deal; what is left out stays as it is."""

    external_id: Text = None
    title: Text = None
    value: Amount = None
    currency: Currency = None
    stage: Annotated[Text, Field(description="A stage's key or name, or won or lost")] = None
    expected_close_on: Annotated[date | None, Field(ge=date(2000, 1, 1), lt=date(2200, 1, 1))] = None
    owner_id: UUID | None = None


@router.post("/products", summary="Make a product, or change the one that these fields name",
             response_model=UpsertedShown)  # fmt: skip
def upsert_product(
    given: ProductFields, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, given, lambda tx: _put_product(tx, given))


@router.patch("/products/{product_id}", summary="Change a product")
def change_product(product_id: UUID, given: ProductFields, house: TheHouse, at: Operator) -> UpsertedShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return _put_product(tx, given, product_id=product_id)


@router.post("/products/bulk", summary="Make or change many products; each row is answered by itself",
             response_model=BulkDone)  # fmt: skip
def many_products(
    given: Rows, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, given,
                lambda tx: take(tx, given.rows, ProductFields, lambda fields: _put_product(tx, fields)))  # fmt: skip


@router.post("/orders", summary="Make an order, or change the one of this external_id",
             response_model=UpsertedShown)  # fmt: skip
def upsert_order(
    given: OrderFields, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, given, lambda tx: _put_order(tx, given))


@router.patch("/orders/{order_id}", summary="Change an order")
def change_order(order_id: UUID, given: OrderFields, house: TheHouse, at: Operator) -> UpsertedShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return _put_order(tx, given, order_id=order_id)


@router.post("/orders/bulk", summary="Make or change many orders; each row is answered by itself",
             response_model=BulkDone)  # fmt: skip
def many_orders(
    given: Rows, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, given,
                lambda tx: take(tx, given.rows, OrderFields, lambda fields: _put_order(tx, fields)))  # fmt: skip


@router.post("/deals", summary="Make a deal, or change the one of this external_id",
             response_model=UpsertedShown)  # fmt: skip
def upsert_deal(
    given: DealFields, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, given, lambda tx: _put_deal(tx, given))


@router.patch("/deals/{deal_id}", summary="Change a deal")
def change_deal(deal_id: UUID, given: DealFields, house: TheHouse, at: Operator) -> UpsertedShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return _put_deal(tx, given, deal_id=deal_id)


@router.post("/deals/bulk", summary="Make or change many deals; each row is answered by itself",
             response_model=BulkDone)  # fmt: skip
def many_deals(
    given: Rows, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, given,
                lambda tx: take(tx, given.rows, DealFields, lambda fields: _put_deal(tx, fields)))  # fmt: skip


def _put_product(tx: Tx, given: ProductFields, *, product_id: UUID | None = None) -> UpsertedShown:
    return _shown(products.put(tx, product_id=product_id, **given.model_dump(exclude_none=True)))


def _put_order(tx: Tx, given: OrderFields, *, order_id: UUID | None = None) -> UpsertedShown:
    fields = _of_account(tx, given, orders.InvalidOrder)
    lines = fields.pop("lines", None)
    told = None if lines is None else [Line(**each) for each in lines]
    return _shown(orders.put(tx, order_id=order_id, lines=told, source="api", **fields))


def _put_deal(tx: Tx, given: DealFields, *, deal_id: UUID | None = None) -> UpsertedShown:
    fields = _of_account(tx, given, deals.InvalidDeal)
    if given.owner_id is not None and users.get(tx, given.owner_id) is None:
        raise deals.InvalidDeal(f"owner_id: there is no user {given.owner_id}")
    return _shown(deals.put(tx, deal_id=deal_id, source="api", **fields))


def _of_account(tx: Tx, given: Account, refusal: type[Exception]) -> dict[str, Any]:
    fields = given.model_dump(exclude_none=True)
    external_id = fields.pop("client_external_id", None)
    if given.client_id is not None and clients.get(tx, given.client_id) is None:
        raise refusal(f"client_id: there is no client {given.client_id}")
    if given.contact_id is not None and contacts.get(tx, given.contact_id) is None:
        raise refusal(f"contact_id: there is no contact {given.contact_id}")
    if given.client_id is None and external_id is not None:
        try:
            fields["client_id"] = clients.by_external_id(tx, external_id).id
        except UnknownClient as error:
            raise refusal(f"client_external_id: {error}") from error
    return fields


def _shown(done: Any) -> UpsertedShown:
    return UpsertedShown(id=done.id, created=done.created, changed=list(done.changed))
