"""Tenants: found one, see it, and change what it has set: send mode, caps, allow-lists, autonomy and the rest."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from admin_api import pages
from admin_api.access import Admin, HouseAdmin, HouseReader, Reader, TheHouse, actor_of
from admin_api.answers import SettingsShown, TenantShown, TenantWhole
from admin_api.fields import Given
from admin_api.once import IdempotencyKey, once_apart
from admin_api.pages import Page
from domain import settings, tenants

router = APIRouter(prefix="/v1", tags=["tenants"])


class Found(Given):
    """A new tenant; it starts in dry_run."""

    slug: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9-]{0,62}$")]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    settings: dict[str, Any] = Field(default_factory=dict)


class Rename(Given):
    """Another name; the slug stays."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


class Change(Given):
    """Settings by name, as `GET /v1/tenant` shows them; what is left out stays."""

    settings: Annotated[dict[str, Any], Field(min_length=1)]
    reason: Annotated[str | None, Field(max_length=500)] = None


@router.get("/tenants", summary="Every tenant, by slug")
def listed(
    house: TheHouse, _who: HouseReader, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[TenantShown]:  # fmt: skip
    rows = tenants.listed(house.database, after=pages.text_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.slug, TenantShown.of)


@router.post("/tenants", summary="Found a tenant", status_code=201, response_model=TenantShown)
def found(
    asked: Found, request: Request, house: TheHouse, who: HouseAdmin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work() -> tuple[int, TenantShown]:
        made = tenants.found(
            house.database, slug=asked.slug, name=asked.name, settings=asked.settings, by=actor_of(who)
        )
        return 201, TenantShown.of(made)

    return once_apart(house, None, actor_of(who), request, idempotency_key, asked, work)


@router.get("/tenant", summary="The tenant with all its settings, defaults included")
def own(house: TheHouse, at: Reader) -> TenantWhole:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        shown = TenantShown.of(tenants.current(tx))
        return TenantWhole(**shown.model_dump(), settings=settings.of(tx))


@router.patch("/tenant", summary="Rename the tenant")
def rename(asked: Rename, house: TheHouse, at: Admin) -> TenantShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        tenants.rename(tx, asked.name)
        return TenantShown.of(tenants.current(tx))


@router.patch("/tenant/settings", summary="Change settings: send mode, caps, allow-lists, autonomy and the rest")
def change(asked: Change, house: TheHouse, at: Admin) -> SettingsShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        changed = settings.change(tx, asked.settings, reason=asked.reason)
        return SettingsShown(settings=changed, policy_version=settings.policy_version(tx))
