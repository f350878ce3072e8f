"""The tenant's own people: whom alerts and escalations reach, once their address is known to be theirs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from admin_api import pages
from admin_api.access import Admin, Operator, TheHouse
from admin_api.fields import Address, Given
from admin_api.once import IdempotencyKey, once
from admin_api.pages import Page
from domain import users
from domain.addresses import InvalidAddress
from domain.db import Tx
from domain.users import Role, User

router = APIRouter(prefix="/v1/users", tags=["users"])


class NewUser(Given):
    """A person of the tenant."""

    email: Address
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
    role: Role


@router.get("", summary="The tenant's people, by name")
def listed(house: TheHouse, at: Operator) -> Page[User]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return pages.whole(users.listed(tx))


@router.post("", summary="Add a person, or change the name and role of the one with that address",
             response_model=User)  # fmt: skip
def add(
    given: NewUser, request: Request, house: TheHouse, at: Admin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> User:
        try:
            return users.add(tx, email=given.email, name=given.name, role=given.role)
        except InvalidAddress as error:
            raise users.InvalidUser(f"email: {error}") from error

    return once(house, at, request, idempotency_key, given, work)


@router.post("/{user_id}/verify",
             summary="Say that the address is the person's own; notices go to verified people only",
             response_model=User)  # fmt: skip
def verify(
    user_id: UUID, request: Request, house: TheHouse, at: Admin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, None, lambda tx: users.verify(tx, user_id))
