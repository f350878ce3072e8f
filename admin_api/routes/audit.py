"""The audit logs, a tenant's and the house's: who did what, when and why; and whether the chain holds."""

from __future__ import annotations

from fastapi import APIRouter

from admin_api import pages
from admin_api.access import HouseReader, Reader, TheHouse
from admin_api.answers import AuditLine, Chain
from admin_api.pages import Page
from domain import audit

router = APIRouter(prefix="/v1", tags=["audit"])


@router.get("/audit", summary="The tenant's audit log, newest first")
def log(house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None) -> Page[AuditLine]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        lines = audit.read(tx, before=pages.number_after(cursor), limit=limit + 1)
    return pages.of(lines, limit, lambda line: line.seq, AuditLine.of)


@router.get("/audit/verify", summary="Whether the tenant's log is whole, and where it breaks if not")
def verify(house: TheHouse, at: Reader) -> Chain:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        broken = audit.broken_at(tx)
    return Chain(intact=broken is None, broken_at=broken)


@router.get("/house/audit", summary="The house's own audit log, newest first")
def house_log(
    house: TheHouse, _who: HouseReader, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[AuditLine]:  # fmt: skip
    with house.database.wearing("control") as tx:
        lines = audit.read_control(tx, before=pages.number_after(cursor), limit=limit + 1)
    return pages.of(lines, limit, lambda line: line.seq, AuditLine.of)


@router.get("/house/audit/verify", summary="Whether the house's log is whole, and where it breaks if not")
def verify_house(house: TheHouse, _who: HouseReader) -> Chain:
    with house.database.wearing("control") as tx:
        broken = audit.broken_at(tx, control=True)
    return Chain(intact=broken is None, broken_at=broken)
