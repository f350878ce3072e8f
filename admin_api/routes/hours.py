"""The hours: runs with their ledgers, reflections, violations, alerts and suppressions."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from admin_api import pages
from admin_api.access import Operator, Reader, TheHouse
from admin_api.once import IdempotencyKey, once
from admin_api.problems import Problem
from domain import alerts, ledger, quarantine, reflections, runs, suppressions, violations
from domain.db import Tx
from jobs import explain

router = APIRouter(prefix="/v1", tags=["hours"])


class Suppress(BaseModel):
    """An address that must never get mail."""

    model_config = ConfigDict(extra="forbid")
    address: Annotated[str, Field(min_length=3, max_length=320)]


@router.get("/runs", summary="Cycles, newest first")
def run_list(house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = runs.recent(tx, before=pages.number_after(cursor), limit=limit + 1)
    return pages.of([dict(row) for row in rows], limit, lambda row: row["cycle_number"])


@router.get("/runs/{run_id}", summary="One cycle with its ledger: every obligation due and what became of it")
def run(run_id: UUID, house: TheHouse, at: Reader) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        found = runs.get(tx, run_id)
        if found is None:
            raise Problem(404, "There is no such run.", f"run_id: {run_id}")
        return {**dict(found), "ledger": [dict(line) for line in ledger.lines(tx, run_id)]}


@router.get("/cycle/explain", summary="What a cycle would do now and why; nothing is done")
def look(house: TheHouse, at: Reader) -> dict[str, Any]:
    return explain.cycle(house, at.tenant_id)


@router.get("/reflections", summary="Hourly reflections, newest first")
def reflection_list(
    house: TheHouse, at: Reader, limit: pages.Limit = 24, cursor: pages.Cursor = None
) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = reflections.recent(tx, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of([dict(row) for row in rows], limit, lambda row: row["id"])


@router.get("/violations", summary="What the policy refused or questioned, newest first")
def violation_list(house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = violations.recent(tx, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row["id"])


@router.get("/alerts", summary="Open and acknowledged alerts")
def alert_list(house: TheHouse, at: Reader) -> list[alerts.Alert]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return list(alerts.listed(tx))


@router.post("/alerts/{alert_id}/acknowledge", summary="Say that a person has seen it")
def acknowledge(
    alert_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> dict[str, Any]:
        seen = alerts.acknowledge(tx, alert_id, by=at.actor)
        if seen is None:
            raise Problem(404, "There is no such open alert.", f"alert_id: {alert_id}")
        return asdict(seen)

    return once(house, at, request, idempotency_key, None, work)


@router.get("/suppressions", summary="Who must never get mail, newest first")
def suppression_list(
    house: TheHouse, at: Reader, limit: pages.Limit = 50, before: AwareDatetime | None = None
) -> dict[str, Any]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = suppressions.listed(tx, before=before, limit=limit + 1)
    shown = [{**asdict(row), "address_hash": bytes(row.address_hash).hex()} for row in rows]
    return {"items": shown[:limit], "next": shown[limit - 1]["created_at"] if len(shown) > limit else None}


@router.post("/suppressions", summary="Never write to an address again", status_code=201)
def suppress(
    given: Suppress, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, given, lambda tx: {
        "news": suppressions.suppress(tx, house.vault, given.address, reason="manual", source=at.actor)
    }, status=201)  # fmt: skip


@router.get("/quarantine", summary="What could not be taken in, with its reason, newest first")
def quarantine_list(
    house: TheHouse, at: Reader, limit: pages.Limit = 50, before: AwareDatetime | None = None
) -> dict[str, Any]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = quarantine.listed(tx, before=before, limit=limit + 1)
    shown = [
        {**asdict(row), "blob_sha256": None if row.blob_sha256 is None else bytes(row.blob_sha256).hex()}
        for row in rows
    ]
    return {"items": shown[:limit], "next": shown[limit - 1]["created_at"] if len(shown) > limit else None}
