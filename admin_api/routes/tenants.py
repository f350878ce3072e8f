"""Tenants, their settings (modes, caps, allow-lists), their people's keys and their provider credentials."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from admin_api import pages
from admin_api.access import Admin, HouseAdmin, HouseReader, Operator, Reader, TheHouse
from admin_api.once import IdempotencyKey, once
from admin_api.problems import Problem
from domain import audit, credentials, keys, settings, tenants
from domain.keys import Role

router = APIRouter(prefix="/v1", tags=["tenants"])


class Found(BaseModel):
    """A new tenant; it starts in dry_run."""

    model_config = ConfigDict(extra="forbid")
    slug: Annotated[str, Field(max_length=63)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    settings: dict[str, Any] = {}


class Change(BaseModel):
    """Settings by name; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    settings: Annotated[dict[str, Any], Field(min_length=1)]
    reason: Annotated[str | None, Field(max_length=500)] = None


class NewKey(BaseModel):
    """A key to issue."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=100)]
    role: Role
    expires_at: AwareDatetime | None = None


class Credential(BaseModel):
    """A provider's secret; it is stored sealed and never shown again."""

    model_config = ConfigDict(extra="forbid")
    secret: Annotated[str, Field(min_length=1, max_length=4_000)]


@router.get("/tenants", summary="Every tenant, by slug")
def listed(house: TheHouse, _who: HouseReader, limit: pages.Limit = 50, after: str = "") -> dict[str, Any]:
    rows = tenants.listed(house.database, after=after, limit=limit + 1)
    items = [_shown(tenant) for tenant in rows[:limit]]
    return {"items": items, "next": items[-1]["slug"] if len(rows) > limit else None}


@router.post("/tenants", summary="Found a tenant", status_code=201)
def found(asked: Found, house: TheHouse, who: HouseAdmin) -> dict[str, Any]:
    made = tenants.found(
        house.database, slug=asked.slug, name=asked.name, settings=asked.settings, by=f"key:{who.name}"
    )
    return _shown(made)


@router.get("/tenant", summary="The tenant with all its settings, defaults included")
def own(house: TheHouse, at: Reader) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return {**_shown(tenants.current(tx)), "settings": settings.of(tx).model_dump(mode="json")}


@router.patch("/tenant/settings", summary="Change settings: send mode, caps, allow-lists, autonomy and the rest")
def change(asked: Change, house: TheHouse, at: Operator) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        changed = settings.change(tx, asked.settings, reason=asked.reason)
        return {"settings": changed.model_dump(mode="json"), "policy_version": settings.policy_version(tx)}


@router.get("/audit", summary="The tenant's audit log, newest first")
def log(house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        lines = audit.read(tx, before=pages.number_after(cursor), limit=limit + 1)
    return pages.of([_line(line) for line in lines], limit, lambda line: line["seq"])


@router.get("/house/audit", summary="The house's own audit log, newest first")
def house_log(
    house: TheHouse, _who: HouseReader, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> dict[str, Any]:
    with house.database.wearing("control") as tx:
        lines = audit.read_control(tx, before=pages.number_after(cursor), limit=limit + 1)
    return pages.of([_line(line) for line in lines], limit, lambda line: line["seq"])


@router.get("/keys", summary="The tenant's API keys, without anything secret")
def key_list(house: TheHouse, at: Admin) -> list[keys.Key]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return list(keys.listed(tx))


@router.post("/keys", summary="Issue a key; it is shown this once", status_code=201)
def issue(asked: NewKey, house: TheHouse, at: Admin) -> dict[str, str]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        issued = keys.issue(tx, house.vault, name=asked.name, role=asked.role, expires_at=asked.expires_at)
    return {"key_id": issued.key_id, "key": issued.secret}


@router.delete("/keys/{key_id}", summary="End a key at once")
def revoke(key_id: str, house: TheHouse, at: Admin) -> dict[str, bool]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        if not keys.revoke(tx, key_id, reason="api"):
            raise Problem(404, "There is no such key to end.", f"key_id: {key_id!r} is unknown or was ended before.")
    return {"revoked": True}


@router.get("/credentials", summary="Which provider secrets are stored, never what they are")
def credential_list(house: TheHouse, at: Admin) -> list[dict[str, Any]]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return [asdict(each) for each in credentials.listed(tx)]


@router.put("/credentials/{name}", summary="Store a provider secret, sealed")
def put_credential(
    name: Annotated[str, Field(pattern="^[a-z_]{1,64}$")], given: Credential, request: Request, house: TheHouse, at: Admin,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def store(tx: Any) -> dict[str, str]:
        credentials.put(tx, house.vault, name, given.secret)
        return {"stored": name}

    return once(house, at, request, idempotency_key, given, store)


def _shown(tenant: tenants.Tenant) -> dict[str, Any]:
    return asdict(tenant)


def _line(line: audit.Line) -> dict[str, Any]:
    return {**asdict(line), "hash": bytes(line.hash).hex()}
