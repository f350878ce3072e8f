"""Many clients or contacts in one request: each row is taken in by itself, and a wrong one stops none of the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field, ValidationError
from sqlalchemy.exc import DataError, IntegrityError

from admin_api.access import Operator, TheHouse
from admin_api.answers import BulkDone, BulkLine, UpsertedShown
from admin_api.fields import Given
from admin_api.once import IdempotencyKey, once
from admin_api.routes.people import ClientFields, ContactFields, put_client, put_contact
from domain import deal_stages, deals, orders, products
from domain.addresses import InvalidAddress
from domain.clients import InvalidClient, UnknownClient
from domain.contacts import InvalidContact, UnknownContact
from domain.db import Tx

router = APIRouter(prefix="/v1", tags=["clients and contacts"])

MOST_ROWS = 500

Fields = TypeVar("Fields", bound=Given)
REFUSALS = (
    InvalidClient, UnknownClient, InvalidContact, UnknownContact, InvalidAddress, products.InvalidProduct,
    products.UnknownProduct, orders.InvalidOrder, orders.UnknownOrder, deals.InvalidDeal, deals.UnknownDeal,
    deals.IllegalDealMove, deal_stages.UnknownStage,
)  # fmt: skip


class Rows(Given):
    """Rows, each in the form that a single one is given in. They are checked one by one."""

    rows: Annotated[list[Any], Field(min_length=1, max_length=MOST_ROWS)]


@router.post("/clients/bulk", summary="Make or change many accounts; each row is answered by itself",
             response_model=BulkDone)  # fmt: skip
def many_clients(
    given: Rows, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> BulkDone:
        return take(tx, given.rows, ClientFields, lambda fields: put_client(tx, fields))

    return once(house, at, request, idempotency_key, given, work)


@router.post("/contacts/bulk", summary="Make or change many contacts; each row is answered by itself",
             response_model=BulkDone)  # fmt: skip
def many_contacts(
    given: Rows, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> BulkDone:
        return take(tx, given.rows, ContactFields, lambda fields: put_contact(tx, house.vault, fields))

    return once(house, at, request, idempotency_key, given, work)


def take(tx: Tx, rows: list[Any], kind: type[Fields], put: Callable[[Fields], UpsertedShown]) -> BulkDone:
    """Take rows in, each by itself: what `put` refuses of one is its answer."""
    lines = [_line(tx, at, row, kind, put) for at, row in enumerate(rows)]
    return BulkDone(
        created=sum(line.created for line in lines),
        changed=sum(bool(line.changed) and not line.created for line in lines),
        unchanged=sum(line.id is not None and not line.created and not line.changed for line in lines),
        refused=sum(line.id is None for line in lines),
        rows=lines,
    )


def _line(tx: Tx, at: int, row: Any, kind: type[Fields], put: Callable[[Fields], UpsertedShown]) -> BulkLine:
    try:
        fields = kind.model_validate_json(_json(row))
        with tx.savepoint():
            done = put(fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "row"
        return BulkLine(row=at, field=field[:200], mend=first["msg"])
    except REFUSALS as error:
        field, colon, mend = str(error.args[0]).partition(": ")
        known = colon and field in kind.model_fields
        return BulkLine(row=at, field=field if known else "row", mend=mend if known else str(error.args[0]))
    except (DataError, IntegrityError):
        return BulkLine(row=at, field="row", mend="it refers to something that does not exist, or is out of range")
    return BulkLine(row=at, id=done.id, created=done.created, changed=done.changed)


def _json(row: Any) -> bytes:
    """The row as it stood, so that it is read as in a single request."""
    return json.dumps(row).encode()
