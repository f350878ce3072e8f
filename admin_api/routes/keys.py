"""Keys of the API, a tenant's and the house's, and a tenant's provider secrets; no secret is ever shown again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from admin_api import pages
from admin_api.access import Admin, HouseAdmin, TheHouse, actor_of
from admin_api.answers import KeyIssued
from admin_api.fields import Given, Moment
from admin_api.once import IdempotencyKey, once, once_apart
from admin_api.pages import Page
from admin_api.problems import Problem
from domain import credentials, keys
from domain.db import Tx
from domain.keys import Role
from providers import resend_webhooks

router = APIRouter(prefix="/v1", tags=["keys"])

KeyId = Annotated[str, Path(pattern="^[0-9a-f]{12}$")]


class NewKey(Given):
    """A key to issue."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]
    role: Role
    expires_at: Moment | None = None


class Secret(Given):
    """A provider's secret; it is stored sealed and never shown again."""

    secret: Annotated[str, Field(min_length=1, max_length=4_000, pattern=r"\S")]


@router.get("/keys", summary="The tenant's API keys, newest first, without anything secret")
def listed(house: TheHouse, at: Admin) -> Page[keys.Key]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return pages.whole(keys.listed(tx))


@router.post("/keys", summary="Issue a key; it is shown this once", status_code=201, response_model=KeyIssued)
def issue(
    asked: NewKey, request: Request, house: TheHouse, at: Admin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> KeyIssued:
        _check_end(tx, asked)
        issued = keys.issue(tx, house.vault, name=asked.name, role=asked.role, expires_at=asked.expires_at)
        return KeyIssued(key_id=issued.key_id, key=issued.secret)

    return once(house, at, request, idempotency_key, asked, work, status=201, remembered=_without_key)


@router.delete("/keys/{key_id}", summary="End a key at once", status_code=204)
def revoke(key_id: KeyId, house: TheHouse, at: Admin) -> Response:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        if not keys.revoke(tx, key_id, reason="ended through the API"):
            raise _no_key(key_id)
    return Response(status_code=204)


@router.get("/house/keys", summary="The house's own keys, newest first")
def listed_house(house: TheHouse, who: HouseAdmin) -> Page[keys.Key]:
    with house.database.wearing("control", actor=actor_of(who)) as tx:
        return pages.whole(keys.listed_house(tx))


@router.post("/house/keys", summary="Issue a key of the house; it is shown this once", status_code=201,
             response_model=KeyIssued)  # fmt: skip
def issue_house(
    asked: NewKey, request: Request, house: TheHouse, who: HouseAdmin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work() -> tuple[int, KeyIssued]:
        with house.database.wearing("control", actor=actor_of(who)) as tx:
            _check_end(tx, asked)
            issued = keys.issue_house(tx, house.vault, name=asked.name, role=asked.role, expires_at=asked.expires_at)
        return 201, KeyIssued(key_id=issued.key_id, key=issued.secret)

    return once_apart(house, None, actor_of(who), request, idempotency_key, asked, work, remembered=_without_key)


@router.delete("/house/keys/{key_id}", summary="End a key of the house at once", status_code=204)
def revoke_house(key_id: KeyId, house: TheHouse, who: HouseAdmin) -> Response:
    with house.database.wearing("control", actor=actor_of(who)) as tx:
        if not keys.revoke_house(tx, key_id, reason="ended through the API"):
            raise _no_key(key_id)
    return Response(status_code=204)


@router.get("/credentials", summary="Which provider secrets are stored, never what they are")
def stored(house: TheHouse, at: Admin) -> Page[credentials.Stored]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return pages.whole(credentials.listed(tx))


@router.put("/credentials/{name}", summary="Store or replace a provider secret, sealed", status_code=204)
def store(name: credentials.Name, given: Secret, house: TheHouse, at: Admin) -> Response:
    if name == "resend_webhook_secret":
        try:
            resend_webhooks.check_secret(given.secret.strip())
        except resend_webhooks.WebhookSecretInvalid as error:
            raise Problem(422, "This is no webhook secret.", f"secret: {error}") from error
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        credentials.put(tx, house.vault, name, given.secret)
    return Response(status_code=204)


@router.delete("/credentials/{name}", summary="Forget a provider secret", status_code=204)
def forget(name: credentials.Name, house: TheHouse, at: Admin) -> Response:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        if not credentials.remove(tx, name):
            raise credentials.NoCredential(f"{name} is not stored for this tenant")
    return Response(status_code=204)


def _check_end(tx: Tx, asked: NewKey) -> None:
    if asked.expires_at is not None and asked.expires_at <= tx.now:
        raise Problem(422, "The key would have ended already.", "expires_at: give a moment to come, or leave it out.")


def _without_key(issued: KeyIssued) -> KeyIssued:
    return issued.model_copy(update={"key": None})


def _no_key(key_id: str) -> Problem:
    return Problem(404, "There is no such key to end.", f"key_id: {key_id} is unknown, or was ended before.")
