"""Clients and contacts: idempotent upserts for live systems, and how each contact is kept in touch with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from admin_api import pages
from admin_api.access import Operator, Reader, TheHouse
from admin_api.answers import UpsertedShown
from admin_api.fields import Given, Moment, Text
from admin_api.once import IdempotencyKey, once
from admin_api.pages import Page
from domain import clients, clocks, contacts, promises, settings, users
from domain.clients import Client, InvalidClient, UnknownClient
from domain.contacts import Contact, InvalidContact, UnknownContact
from domain.db import Tx
from domain.vault import Vault

router = APIRouter(prefix="/v1", tags=["clients and contacts"])


class ClientFields(Given):
    """What is known of an account; what is left out stays as it is."""

    name: Text = None
    external_id: Text = None
    domain: Text = None
    country: Text = None
    timezone: Text = None
    language: Text = None
    relationship: Literal["client", "prospect"] | None = None
    status: Literal["active", "inactive"] | None = None
    annual_value: Annotated[Decimal | None, Field(ge=0, lt=Decimal("1e12"), decimal_places=2)] = None
    currency: Annotated[str | None, Field(pattern="^[A-Z]{3}$")] = None
    manager_id: UUID | None = None


class ContactFields(Given):
    """What is known of a person; what is left out stays as it is."""

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


class TouchFields(Given):
    """A call or a meeting that a person logs."""

    type: Literal["call", "meeting"]
    at: Moment | None = None


class Recorded(BaseModel):
    """Whether it was news."""

    recorded: bool


class ConsentFields(Given):
    """Whether a person agreed to broadcasts, and how that is known."""

    given: bool
    how: Annotated[str, Field(min_length=1, max_length=500)]


class ClockShown(BaseModel):
    """How a contact stands against the promise to keep in touch."""

    standing: Literal["compliant", "due_soon", "overdue", "exempt"]
    days_overdue: int
    status: str
    exempt_reason: str | None
    paused_until: datetime | None
    last_touch_at: datetime | None
    last_touch_type: str | None
    last_touch_by: str | None
    last_reply_at: datetime | None
    due_at: datetime
    follow_up_due_at: datetime | None
    sequence_step: int
    shadow_due_at: datetime | None = Field(description="Where planning stands after messages that the mode held")
    shadow_step: int | None
    shadow_follow_up_due_at: datetime | None
    planned_at: datetime | None


class Engagement(BaseModel):
    """How the tenant keeps its promise; exempt contacts stand outside the rate."""

    compliant: int
    due_soon: int
    overdue: int
    exempt: int
    paused: int
    accounts: int
    accounts_overdue: int
    rate: float


@router.get("/clients", summary="Accounts, oldest first")
def client_list(house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None) -> Page[Client]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = clients.listed(tx, after=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.id, lambda row: row)


@router.get("/clients/{client_id}", summary="One account")
def client(client_id: UUID, house: TheHouse, at: Reader) -> Client:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        found = clients.get(tx, client_id)
    if found is None:
        raise UnknownClient(f"there is no client {client_id}")
    return found


@router.post("/clients", summary="Make an account, or change the one that these fields name",
             response_model=UpsertedShown)  # fmt: skip
def upsert_client(
    given: ClientFields, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, given, lambda tx: put_client(tx, given))


@router.patch("/clients/{client_id}", summary="Change an account")
def change_client(client_id: UUID, given: ClientFields, house: TheHouse, at: Operator) -> UpsertedShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return put_client(tx, given, client_id=client_id)


@router.get("/contacts", summary="Contacts, oldest first")
def contact_list(
    house: TheHouse, at: Reader, client: UUID | None = None, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[Contact]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = contacts.listed(tx, client_id=client, after=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.id, lambda row: row)


@router.get("/contacts/{contact_id}", summary="One contact")
def contact(contact_id: UUID, house: TheHouse, at: Reader) -> Contact:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return _found(tx, contact_id)


@router.get("/contacts/{contact_id}/clock", summary="How a contact stands against the promise to keep in touch")
def clock(contact_id: UUID, house: TheHouse, at: Reader) -> ClockShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        row = promises.clock_of(tx, contact_id)
        if row is None:
            raise UnknownContact(f"there is no contact {contact_id}")
        standing = promises.status(row, tx.now, settings.of(tx))
    return ClockShown(standing=standing.status, days_overdue=standing.days_overdue, **row)


@router.post("/contacts", summary="Make a contact, or change the one that these fields name",
             response_model=UpsertedShown)  # fmt: skip
def upsert_contact(
    given: ContactFields, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, given, lambda tx: put_contact(tx, house.vault, given))


@router.patch("/contacts/{contact_id}", summary="Change a contact")
def change_contact(contact_id: UUID, given: ContactFields, house: TheHouse, at: Operator) -> UpsertedShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return put_contact(tx, house.vault, given, contact_id=contact_id)


@router.post("/contacts/{contact_id}/touches", summary="Log a call or a meeting", status_code=201,
             response_model=Recorded)  # fmt: skip
def log_touch(
    contact_id: UUID, given: TouchFields, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> Recorded:
        _found(tx, contact_id)
        return Recorded(recorded=clocks.touch(tx, contact_id, given.type, by=at.actor, at=given.at))

    return once(house, at, request, idempotency_key, given, work, status=201)


@router.put("/contacts/{contact_id}/consent", summary="Note whether a person agreed to broadcasts")
def consent(contact_id: UUID, said: ConsentFields, house: TheHouse, at: Operator) -> Contact:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        contacts.consent(tx, contact_id, given=said.given, how=said.how)
        return _found(tx, contact_id)


@router.get("/engagement", summary="How the promise to keep in touch is kept")
def engagement(house: TheHouse, at: Reader) -> Engagement:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        counted = promises.stats(tx, due_soon_days=settings.of(tx).due_soon_days)
    told = {name: getattr(counted, name) for name in Engagement.model_fields}
    return Engagement(**told)


def put_client(tx: Tx, given: ClientFields, *, client_id: UUID | None = None) -> UpsertedShown:
    """Upsert an account from a body. Raises InvalidClient, UnknownClient."""
    if given.manager_id is not None and users.get(tx, given.manager_id) is None:
        raise InvalidClient(f"manager_id: there is no user {given.manager_id}")
    done = clients.upsert(tx, client_id=client_id, **given.model_dump(exclude_none=True))
    return UpsertedShown(id=done.id, created=done.created, changed=list(done.changed))


def put_contact(tx: Tx, vault: Vault, given: ContactFields, *, contact_id: UUID | None = None) -> UpsertedShown:
    """Upsert a contact from a body. Raises InvalidContact, UnknownContact."""
    done = contacts.upsert(tx, vault, source="api", contact_id=contact_id, **_of_account(tx, given))
    return UpsertedShown(id=done.id, created=done.created, changed=list(done.changed))


def _of_account(tx: Tx, given: ContactFields) -> Mapping[str, Any]:
    fields = given.model_dump(exclude_none=True)
    external_id = fields.pop("client_external_id", None)
    if "client_id" in fields:
        if clients.get(tx, fields["client_id"]) is None:
            raise InvalidContact(f"client_id: there is no client {fields['client_id']}")
    elif external_id is not None:
        try:
            fields["client_id"] = clients.by_external_id(tx, external_id).id
        except UnknownClient as error:
            raise InvalidContact(f"client_external_id: {error}") from error
    return fields


def _found(tx: Tx, contact_id: UUID) -> Contact:
    found = contacts.get(tx, contact_id)
    if found is None:
        raise UnknownContact(f"there is no contact {contact_id}")
    return found
