"""Clients and contacts: idempotent upserts for live systems, and lists."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from admin_api import pages
from admin_api.access import Operator, Reader, TheHouse
from admin_api.once import IdempotencyKey, once
from domain import clients, clocks, contacts
from domain.clients import UnknownClient, Upserted
from domain.contacts import UnknownContact
from domain.db import Tx

router = APIRouter(prefix="/v1", tags=["clients and contacts"])

Text = Annotated[str | None, Field(min_length=1, max_length=300)]


class ClientFields(BaseModel):
    """What is known of an account; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")
    name: Text = None
    external_id: Text = None
    domain: Text = None
    country: Text = None
    timezone: Text = None
    language: Text = None
    relationship: Literal["client", "prospect"] | None = None
    status: Literal["active", "inactive"] | None = None
    annual_value: Annotated[Decimal | None, Field(ge=0, lt=Decimal("1e12"))] = None
    currency: Annotated[str | None, Field(pattern="^[A-Z]{3}$")] = None


class ContactFields(BaseModel):
    """What is known of a person; what is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")
    client_id: UUID | None = None
    client_external_id: Annotated[Text, Field(description="Instead of client_id: your own id of the account")] = None
    name: Text = None
    email: Text = None
    external_id: Text = None
    title: Text = None
    phone: Text = None
    language: Text = None
    timezone: Text = None
    country: Text = None


class TouchFields(BaseModel):
    """A call or a meeting that a person logs."""

    model_config = ConfigDict(extra="forbid")
    type: Literal["call", "meeting"]
    at: AwareDatetime | None = None


@router.get("/clients", summary="Accounts, oldest first")
def client_list(house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = clients.listed(tx, after=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of([asdict(row) for row in rows], limit, lambda row: row["id"])


@router.get("/clients/{client_id}", summary="One account")
def client(client_id: UUID, house: TheHouse, at: Reader) -> clients.Client:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        found = clients.get(tx, client_id)
    if found is None:
        raise UnknownClient(f"there is no client {client_id}")
    return found


@router.post("/clients", summary="Make an account, or change the one that these fields name")
def upsert_client(
    given: ClientFields, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, given,
                lambda tx: _told(clients.upsert(tx, **given.model_dump(exclude_none=True))))  # fmt: skip


@router.patch("/clients/{client_id}", summary="Change an account")
def change_client(client_id: UUID, given: ClientFields, house: TheHouse, at: Operator) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return _told(clients.upsert(tx, client_id=client_id, **given.model_dump(exclude_none=True)))


@router.get("/contacts", summary="Contacts, oldest first")
def contact_list(
    house: TheHouse, at: Reader, client: UUID | None = None, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> dict[str, Any]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = contacts.listed(tx, client_id=client, after=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of([asdict(row) for row in rows], limit, lambda row: row["id"])


@router.get("/contacts/{contact_id}", summary="One contact")
def contact(contact_id: UUID, house: TheHouse, at: Reader) -> contacts.Contact:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        found = contacts.get(tx, contact_id)
    if found is None:
        raise UnknownContact(f"there is no contact {contact_id}")
    return found


@router.post("/contacts", summary="Make a contact, or change the one that these fields name")
def upsert_contact(
    given: ContactFields, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> dict[str, Any]:
        return _told(contacts.upsert(tx, house.vault, source="api", **_of_account(tx, given)))

    return once(house, at, request, idempotency_key, given, work)


@router.patch("/contacts/{contact_id}", summary="Change a contact")
def change_contact(contact_id: UUID, given: ContactFields, house: TheHouse, at: Operator) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        wished = _of_account(tx, given)
        return _told(contacts.upsert(tx, house.vault, source="api", contact_id=contact_id, **wished))


@router.post("/contacts/{contact_id}/touches", summary="Log a call or a meeting", status_code=201)
def log_touch(
    contact_id: UUID, given: TouchFields, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> dict[str, bool]:
        if contacts.get(tx, contact_id) is None:
            raise UnknownContact(f"there is no contact {contact_id}")
        return {"recorded": clocks.touch(tx, contact_id, given.type, by=at.actor, at=given.at)}

    return once(house, at, request, idempotency_key, given, work, status=201)


def _of_account(tx: Tx, given: ContactFields) -> dict[str, Any]:
    fields = given.model_dump(exclude_none=True)
    external_id = fields.pop("client_external_id", None)
    if external_id is not None and "client_id" not in fields:
        fields["client_id"] = clients.by_external_id(tx, external_id).id
    return fields


def _told(done: Upserted) -> dict[str, Any]:
    return {"id": str(done.id), "created": done.created, "changed": list(done.changed)}
