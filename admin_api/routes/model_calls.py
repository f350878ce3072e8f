"""The brain: which models a tenant asks, what is left of today's budget, and every call with its figures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from admin_api import pages
from admin_api.access import Admin, Reader, TheHouse
from admin_api.pages import Page
from admin_api.problems import Problem
from domain import model_calls
from domain.db import Row
from jobs import brain_status

router = APIRouter(prefix="/v1", tags=["brain"])

Word = Annotated[str | None, Query(max_length=40, pattern="^[a-z_]+$")]


class ModelInOrder(BaseModel):
    """One model that may be asked."""

    model: str
    ready: bool = Field(description="Whether there is a key for it")


class Budget(BaseModel):
    """Today's budget for models; calls under way count at their worst."""

    day: date
    usd: Decimal
    usd_per_day: Decimal
    tokens: int
    tokens_per_day: int
    cheaper_model_is_due: bool
    renewed_at: datetime


class Counted(BaseModel):
    """Calls of the last day that were alike."""

    model: str
    question: str
    outcome: str
    calls: int
    tokens_in: int
    tokens_out: int
    cost_usd: Decimal
    slowest_ms: int | None


class Brain(BaseModel):
    """How a tenant's brain stands."""

    first: str = Field(description="What answers first: a model, or rulebook")
    order: list[ModelInOrder]
    other_orders: Mapping[str, list[str]]
    cheaper: str
    budget: Budget
    prices_as_of: date
    contents_kept: bool
    personal_data_masked: bool
    last_day: list[Counted]


class ModelCall(BaseModel):
    """One call of a model, made or not made."""

    id: UUID
    run_id: UUID | None
    card_id: UUID | None
    message_id: UUID | None
    question: str
    prompt_version: str
    model: str
    outcome: str
    reason: str | None
    tokens_in: int
    tokens_cached: int
    tokens_written: int
    tokens_out: int
    cost_usd: Decimal
    latency_ms: int | None
    masked: bool
    started_at: datetime
    finished_at: datetime | None
    deferred_until: datetime | None

    @classmethod
    def of(cls, row: Row) -> ModelCall:
        """The call as it is shown."""
        return cls(**{name: row[name] for name in cls.model_fields})


class Contents(BaseModel):
    """What was said in a call."""

    prompt: str
    answer: str
    expires_at: datetime


@router.get("/brain", summary="Which models are asked, and what is left of today's budget")
def status(house: TheHouse, at: Reader) -> Brain:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return Brain.model_validate(brain_status.status(house, tx))


@router.get("/model-calls", summary="Calls of models, newest first")
def listed(
    house: TheHouse, at: Reader, question: Word = None, outcome: Word = None, card_id: UUID | None = None,
    limit: pages.Limit = 50, cursor: pages.Cursor = None,
) -> Page[ModelCall]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = model_calls.recent(tx, question=question, outcome=outcome, card_id=card_id,
                                  before=pages.uuid_after(cursor), limit=limit + 1)  # fmt: skip
    return pages.of(rows, limit, lambda row: row["id"], ModelCall.of)


@router.get("/model-calls/{call_id}/contents", summary="What was said in a call, where the tenant lets it be kept")
def contents(call_id: UUID, house: TheHouse, at: Admin) -> Contents:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        found = model_calls.contents(tx, call_id)
    if found is None:
        raise Problem(404, "What was said in this call is not kept.", f"call_id: {call_id}")
    return Contents(**found)
