"""Deals: where each stands and by what it is known, and a person's word that moves, closes or leaves it alone."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from admin_api import pages
from admin_api.access import Admin, Operator, Reader, TheHouse
from admin_api.answers import Told
from admin_api.fields import Given, Moment, Reason
from admin_api.once import IdempotencyKey, once
from admin_api.pages import Page
from domain import agreements, deal_activity, deal_stages, deals, pipeline
from domain.db import Tx
from domain.deal_stages import Stage
from domain.deals import Deal, UnknownDeal

router = APIRouter(prefix="/v1", tags=["deals"])


class DealShown(Told):
    """A deal as it stands."""

    id: UUID
    external_id: str | None
    client_id: UUID
    contact_id: UUID | None
    title: str
    value: Decimal
    currency: str
    stage: str
    state: Literal["open", "won", "lost"]
    reason: str | None
    expected_close_on: date | None
    owner_id: UUID | None
    automation: bool = Field(description="False: the agent leaves it to people")
    automation_reason: str | None
    next_step: str | None
    next_step_at: datetime | None
    next_step_evidence: dict[str, Any] | None
    stage_entered_at: datetime
    last_activity_at: datetime
    our_turn_since: datetime | None
    follow_ups: int = Field(description="Follow-ups without an answer")
    follow_up_due_at: datetime | None
    stalled_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None


class DealWhole(DealShown):
    """A deal, and what it has become."""

    order_ids: list[UUID] = Field(description="The orders that came of it or won it, oldest first")


class Chapter(BaseModel):
    """A stay in a stage, and what showed that the deal had come there."""

    stage: str
    from_stage: str | None
    by: str
    evidence_kind: str
    evidence_who: str
    evidence_what: str
    evidence_at: datetime
    card_id: UUID | None
    entered_at: datetime
    left_at: datetime | None
    seconds: float | None


class Happening(BaseModel):
    """Something that happened around a deal."""

    kind: str
    at: datetime
    by: str
    link: str = Field(description="How it is known to be about this deal")
    attempt: int | None
    answered_at: datetime | None
    message_id: UUID | None
    card_id: UUID | None
    voided_at: datetime | None
    words: str | None


class PipelineShown(Told):
    """The tenant's deals counted; amounts by currency, what was closed and sent over the last 90 days."""

    open: int
    stalled: int
    left_to_people: int
    value: dict[str, Decimal]
    weighted: dict[str, Decimal]
    won: int
    lost: int
    win_rate: float
    days_in_stage: dict[str, float]
    follow_ups: int
    follow_ups_answered: int
    follow_up_yield: float


class StageShown(Told):
    """A stage of the tenant's deals."""

    key: str
    name: str
    position: int
    win_probability: Decimal
    stall_days: int
    follow_up_days: int
    shown_by: list[str]


class StageFields(Given):
    """A stage as it is wished for; its place is its place in the list."""

    key: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
    name: Annotated[str, Field(min_length=1, max_length=100)]
    win_probability: Annotated[Decimal, Field(ge=0, le=1, max_digits=5, decimal_places=4)]
    stall_days: Annotated[int, Field(ge=1, le=3650)]
    follow_up_days: Annotated[int, Field(ge=1, le=3650)]
    shown_by: Annotated[list[str], Field(max_length=10, default_factory=list)]


class StagesFields(Given):
    """All stages, first to last."""

    stages: Annotated[list[StageFields], Field(min_length=1, max_length=30)]
    renamed: Annotated[dict[str, str], Field(max_length=30, default_factory=dict)]


class Moving(Given):
    """A move, and what shows it: the words go into the deal's history."""

    stage: Annotated[str, Field(min_length=1, max_length=100, description="A stage's key or name")]
    evidence: Reason


class Closing(Given):
    """Why a deal was won or lost, or is taken up again."""

    reason: Reason


class Switching(Given):
    """Whether the agent works on the deal."""

    on: bool
    reason: Annotated[str | None, Field(max_length=500)] = None


class Noting(Given):
    """What a person did about the deal."""

    kind: Literal["call", "meeting", "note"]
    words: Annotated[str, Field(min_length=1, max_length=500)]
    at: Moment | None = None


@router.get("/deals", summary="Deals, oldest first")
def deal_list(
    house: TheHouse, at: Reader, state: Literal["open", "won", "lost"] | None = None,
    stage: Annotated[str | None, Query(max_length=100)] = None, client: UUID | None = None,
    stalled: bool | None = None, due: Annotated[bool, Query(description="Only whose follow-up is due by now")] = False,
    limit: pages.Limit = 50, cursor: pages.Cursor = None,
) -> Page[DealShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        key = deal_stages.named(tx, stage).key if stage else None
        rows = deals.listed(tx, state=state, stage=key, client_id=client, stalled=stalled, due=due,
                            after=pages.uuid_after(cursor), limit=limit + 1)  # fmt: skip
    return pages.of(rows, limit, lambda row: row.id, DealShown.model_validate)


@router.get("/deals/{deal_id}", summary="One deal")
def deal(deal_id: UUID, house: TheHouse, at: Reader) -> DealWhole:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        told = _shown(_found(tx, deal_id)).model_dump()
        return DealWhole(**told, order_ids=agreements.orders_of(tx, deals=[deal_id]).get(deal_id, []))


@router.get("/deals/{deal_id}/history", summary="Where a deal has been, for how long, and why it moved")
def deal_history(deal_id: UUID, house: TheHouse, at: Reader) -> Page[Chapter]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        _found(tx, deal_id)
        return pages.whole([Chapter(**row) for row in deals.history(tx, deal_id)])


@router.get("/deals/{deal_id}/activity", summary="What happened around a deal lately, newest first")
def deal_activities(deal_id: UUID, house: TheHouse, at: Reader) -> Page[Happening]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        _found(tx, deal_id)
        return pages.whole([Happening(**row) for row in deal_activity.listed(tx, deal_id)])


@router.post("/deals/{deal_id}/stage", summary="Move a deal, saying what shows it", response_model=DealShown)
def move(
    deal_id: UUID, given: Moving, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> DealShown:
        return _shown(deals.advance(tx, deal_id, given.stage, evidence=deals.by_person(tx, given.evidence)))

    return once(house, at, request, idempotency_key, given, work)


@router.post("/deals/{deal_id}/win", summary="Close a deal as won", response_model=DealShown)
def win(
    deal_id: UUID, given: Closing, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> DealShown:
        told = deals.by_person(tx, given.reason)
        return _shown(deals.win(tx, deal_id, evidence=told, reason=given.reason))

    return once(house, at, request, idempotency_key, given, work)


@router.post("/deals/{deal_id}/lose", summary="Close a deal as lost, saying why", response_model=DealShown)
def lose(
    deal_id: UUID, given: Closing, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> DealShown:
        told = deals.by_person(tx, given.reason)
        return _shown(deals.lose(tx, deal_id, evidence=told, reason=given.reason))

    return once(house, at, request, idempotency_key, given, work)


@router.post("/deals/{deal_id}/reopen", summary="Take a closed deal up again", response_model=DealShown)
def reopen(
    deal_id: UUID, given: Closing, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> DealShown:
        return _shown(deals.reopen(tx, deal_id, evidence=deals.by_person(tx, given.reason)))

    return once(house, at, request, idempotency_key, given, work)


@router.put("/deals/{deal_id}/automation", summary="Let the agent work on a deal, or leave it to people")
def automation(deal_id: UUID, given: Switching, house: TheHouse, at: Operator) -> DealShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return _shown(deals.switch(tx, deal_id, on=given.on, reason=given.reason))


@router.post("/deals/{deal_id}/activity", summary="Log a call, a meeting or a note", status_code=201,
             response_model=DealShown)  # fmt: skip
def log(
    deal_id: UUID, given: Noting, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> DealShown:
        deal_activity.log(tx, deal_id, given.kind, given.words, at=given.at)
        return _shown(_found(tx, deal_id))

    return once(house, at, request, idempotency_key, given, work, status=201)


@router.get("/pipeline", summary="The tenant's deals counted")
def pipeline_counted(house: TheHouse, at: Reader) -> PipelineShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return PipelineShown.model_validate(pipeline.stats(tx))


@router.get("/deal-stages", summary="The stages of the tenant's deals, in their order")
def stages(house: TheHouse, at: Reader) -> Page[StageShown]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return pages.whole([StageShown.model_validate(asdict(stage)) for stage in deal_stages.of(tx)])


@router.put("/deal-stages", summary="Set the stages; `renamed` says where deals of a stage that goes are moved")
def set_stages(given: StagesFields, house: TheHouse, at: Admin) -> Page[StageShown]:
    wished = [Stage(position=0, **{**each.model_dump(), "shown_by": tuple(each.shown_by)}) for each in given.stages]
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        made = deal_stages.configure(tx, wished, renamed=given.renamed)
    return pages.whole([StageShown.model_validate(asdict(stage)) for stage in made])


def _shown(found: Deal) -> DealShown:
    return DealShown.model_validate(found)


def _found(tx: Tx, deal_id: UUID) -> Deal:
    found = deals.get(tx, deal_id)
    if found is None:
        raise UnknownDeal(f"there is no deal {deal_id}")
    return found
