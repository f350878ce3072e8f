"""The hours: runs with their ledgers, reflections, what a cycle would do now, and a cycle out of turn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from admin_api import pages
from admin_api.access import Operator, Reader, TheHouse
from admin_api.once import IdempotencyKey, once
from admin_api.pages import Page
from admin_api.problems import Problem
from domain import ledger, reflections, runs, schedule, switches
from domain.db import Row, Tx
from jobs import explain, tick

router = APIRouter(prefix="/v1", tags=["hours"])


class RunShown(BaseModel):
    """One cycle: how it went, block by block, and what it cost."""

    id: UUID
    cycle_number: int
    kind: str
    slot_at: datetime | None
    phase: str
    work_blocks: list[Mapping[str, Any]]
    outcome: str | None
    holder: str
    mode: str
    model: str
    idle_hours: int
    started_at: datetime
    deadline_at: datetime
    finished_at: datetime | None
    duration_ms: int | None
    planned: int
    executed: int
    blocked: int
    deferred: int
    failed: int
    held: int
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    errors: list[Mapping[str, Any]]

    @classmethod
    def of(cls, row: Row) -> RunShown:
        """The run as it is shown."""
        return cls(**{name: row[name] for name in cls.model_fields})


class LedgerLine(BaseModel):
    """An obligation that was due in a run, and what became of it."""

    kind: str
    subject_type: str
    subject_id: str
    due_at: datetime
    disposition: str
    rule: str | None
    reason: str | None
    until: datetime | None
    card_id: UUID | None
    count: int = Field(description="Of how many: what rests is told of by its reason, and not one by one")


class RunWhole(BaseModel):
    """A run with its ledger: every obligation that was due."""

    run: RunShown
    ledger: list[LedgerLine]


class ReflectionShown(BaseModel):
    """What an hour came to: its computed facts, their phrasing, and hints for the next one."""

    id: UUID
    run_id: UUID
    period_start: datetime
    period_end: datetime
    facts: Mapping[str, Any]
    text: str
    hints: list[Any]
    phrased_by: str
    created_at: datetime

    @classmethod
    def of(cls, row: Row) -> ReflectionShown:
        """The reflection as it is shown."""
        return cls(**{name: row[name] for name in cls.model_fields})


class Prospect(BaseModel):
    """A card that a cycle would judge now, and what the rules would say of it."""

    title: str
    type: str
    new: bool
    due_at: datetime
    decision: str
    rule: str
    reason: str
    until: datetime | None


class Outlook(BaseModel):
    """What a cycle would do at this moment."""

    stopped: str | None = Field(description="Why this host does nothing at all, or null")
    closed_switches: list[str]
    obligations: int
    cards: list[Prospect]


class Enqueued(BaseModel):
    """A cycle out of turn: it starts at `not_before` or within seconds after, by the next beat of the ticker."""

    not_before: datetime = Field(description="Extra cycles are at least five minutes apart")
    stopped_by: list[str] = Field(description="Switches that will keep it from doing anything")


@router.get("/runs", summary="Cycles, newest first")
def run_list(house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None) -> Page[RunShown]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = runs.recent(tx, before=pages.number_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row["cycle_number"], RunShown.of)


@router.get("/runs/{run_id}", summary="One cycle with its ledger: every obligation due and what became of it")
def run(run_id: UUID, house: TheHouse, at: Reader) -> RunWhole:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        found = runs.get(tx, run_id)
        if found is None:
            raise Problem(404, "There is no such run.", f"run_id: {run_id}")
        return RunWhole(run=RunShown.of(found), ledger=[LedgerLine(**line) for line in ledger.lines(tx, run_id)])


@router.post("/cycle", summary="Run a cycle out of turn, soon", status_code=202, response_model=Enqueued)
def run_now(
    request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> Enqueued:
        schedule.bring_forward(tx, tx.now, extra=True)
        line = schedule.standing(tx)
        last = line["last_cycle_at"] if line else None
        starts = max(tx.now, last + tick.EXTRA_APART) if last else tx.now
        closed = switches.closed(tx)
        stopping = sorted(f"{scope}:{level}" for scope, level, _ in closed if level == "all")
        return Enqueued(not_before=starts, stopped_by=stopping + _local(house.brakes.stopped()))

    return once(house, at, request, idempotency_key, None, work, status=202)


@router.get("/cycle/explain", summary="What a cycle would do now and why; nothing is done")
def look(house: TheHouse, at: Reader) -> Outlook:
    return Outlook.model_validate(explain.cycle(house, at.tenant_id))


@router.get("/reflections", summary="Hourly reflections, newest first")
def reflection_list(
    house: TheHouse, at: Reader, limit: pages.Limit = 24, cursor: pages.Cursor = None
) -> Page[ReflectionShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = reflections.recent(tx, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row["id"], ReflectionShown.of)


def _local(why: str | None) -> list[str]:
    return [f"this host: {why}"] if why else []
