"""Goals: what is wished for in a period, and how far it is."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from admin_api import pages
from admin_api.access import Operator, Reader, TheHouse
from admin_api.answers import Told
from admin_api.fields import EARLIEST, LATEST, Given
from admin_api.once import IdempotencyKey, once
from admin_api.pages import Page
from domain import goals, settings
from domain.db import Tx
from domain.goals import Standing

router = APIRouter(prefix="/v1", tags=["goals"])

Day = Annotated[date, Field(ge=EARLIEST.date(), lt=LATEST.date())]


class GoalShown(Told):
    """A goal, and how it stands; amounts are decimals, told as text."""

    id: UUID
    metric: Literal["orders", "revenue"]
    starts_on: date
    ends_on: date
    target: Decimal
    currency: str
    actual: Decimal
    expected: Decimal = Field(description="What would be reached by now at an even pace")
    needed: Decimal
    elapsed_share: Decimal
    pipeline: Decimal = Field(description="The open deals' worth, each weighed by its likelihood")
    behind: bool
    thin: bool
    set_by: str
    updated_at: datetime

    @classmethod
    def of(cls, standing: Standing) -> GoalShown:
        """The goal as it is shown."""
        own = {name: getattr(standing.goal, name) for name in goals.Goal.__slots__ if name in cls.model_fields}
        return cls(**own, **{name: getattr(standing, name) for name in cls.model_fields if name not in own})


class GoalFields(Given):
    """A goal; the same metric and period again sets it anew."""

    metric: Literal["orders", "revenue"]
    starts_on: Day
    ends_on: Day
    target: Annotated[str, Field(pattern=r"^\d{1,12}(\.\d{1,2})?$")]
    currency: Annotated[str, Field(pattern="^[A-Za-z]{3}$")] | None = None


class Removed(Told):
    """That a goal is given up."""

    removed: bool


@router.get("/goals", summary="Goals, newest first, each with how it stands")
def goal_list(
    house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[GoalShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = goals.listed(tx, before=pages.uuid_after(cursor), limit=limit + 1)
        told = {each.goal.id: each for each in
                goals.standings(tx, settings.readable(tx).zone, [row.id for row in rows])}  # fmt: skip
    return pages.of(rows, limit, lambda row: row.id, lambda row: GoalShown.of(told[row.id]))


@router.post("/goals", summary="Set a goal", status_code=201, response_model=GoalShown)
def put(
    given: GoalFields, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> GoalShown:
        told = given.model_dump()
        goal = goals.put(tx, **{**told, "currency": told["currency"] or ""})
        return GoalShown.of(goals.standings(tx, settings.readable(tx).zone, [goal.id])[0])

    return once(house, at, request, idempotency_key, given, work, status=201)


@router.delete("/goals/{goal_id}", summary="Give a goal up", response_model=Removed)
def remove(
    goal_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> Removed:
        goals.remove(tx, goal_id)
        return Removed(removed=True)

    return once(house, at, request, idempotency_key, None, work)
