"""Compliance: what records must hold by when, how each check of it stands, and a person's word about one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from admin_api import pages
from admin_api.access import Admin, Operator, Reader, TheHouse
from admin_api.answers import Told
from admin_api.fields import Given, Reason
from admin_api.once import IdempotencyKey, once
from admin_api.pages import Page
from domain import (
    compliance_changes,
    compliance_dates,
    compliance_figures,
    compliance_generation,
    compliance_life,
    compliance_validation,
)
from domain import compliance_checks as checks
from domain import compliance_schedules as schedules
from domain.compliance_checks import Check, IllegalCheckMove
from domain.compliance_figures import Figures
from domain.compliance_schedules import Schedule
from domain.db import Tx

router = APIRouter(prefix="/v1/compliance", tags=["compliance"])

Frequency = Literal["monthly", "quarterly", "semi_annual", "annual"]
AppliesTo = Literal["client", "contact"]
State = Literal["pending", "reminded", "overdue", "escalated", "completed", "waived", "withdrawn"]
Day = Annotated[date, Field(ge=compliance_dates.EARLIEST, le=compliance_dates.LATEST)]
FieldNames = Annotated[list[Annotated[str, Field(max_length=40)]], Field(min_length=1, max_length=20)]
Filter = Annotated[
    dict[str, bool | str | list[str]],
    Field(description="By status, relationship, country, language, min_annual_value, managed, has_orders, "
                      "orders_on_bill, may_order_on_bill and, of contacts, has_address"),
]  # fmt: skip


class ScheduleFields(Given):
    """Something to be required of records."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    frequency: Frequency
    applies_to: AppliesTo
    anchor_on: Day = Field(description="The day of its first period; every other counts from it")
    required_fields: FieldNames
    filter: Annotated[Filter, Field(default_factory=dict)]


class ScheduleChanges(Given):
    """What is to be changed; what is left out stays. Its open checks are judged by it at once."""

    name: Annotated[str | None, Field(min_length=1, max_length=120)] = None
    required_fields: FieldNames | None = None
    filter: Filter | None = None
    active: bool | None = None


class Because(Given):
    """Why."""

    reason: Reason


class ScheduleShown(Told):
    """A schedule as it stands."""

    id: UUID
    name: str
    frequency: Frequency
    applies_to: AppliesTo
    anchor_on: date
    required_fields: Sequence[str]
    filter: Mapping[str, Any]
    active: bool
    next_on: date = Field(description="The day on which the period falls whose checks are made next")
    reviewing: bool = Field(description="Some of its open checks are still to be judged by its last change")
    created_at: datetime
    updated_at: datetime


class ScheduleChanged(ScheduleShown):
    """A schedule after a change, and what that did to its open checks at once; of very many the rest follows hourly."""

    withdrawn: int = Field(description="It is switched off, or not about their record any more")
    reopened: int = Field(description="It was switched on, or is about their record again")
    judged: int = Field(description="By other required fields")
    completed: int = Field(description="Of the reopened and judged: whole by what is required now")


class CheckShown(Told):
    """A check as it stands."""

    id: UUID
    schedule_id: UUID
    client_id: UUID
    contact_id: UUID | None = Field(description="null: it is the account's own record that is checked")
    period: date = Field(description="The day on which it falls by the calendar")
    due_on: date = Field(description="That day, or the next business day where they are")
    due_at: datetime
    state: State
    required: Sequence[str]
    missing: Sequence[str]
    validated_at: datetime
    evidence: Mapping[str, Any] = Field(description="Of a completed one: which fields, and where they are known from")
    reminders: int
    last_reminded_at: datetime | None
    remind_at: datetime | None
    asked_id: UUID | None
    heard_at: datetime | None
    escalate_at: datetime | None
    escalated_at: datetime | None
    task_id: UUID | None
    closed_at: datetime | None
    closed_by: str | None
    reason: str | None = Field(description="Why it was waived or withdrawn")
    rests_until: datetime | None = Field(description="Due, and nothing can be done: it is looked at again then")
    rest: Mapping[str, Any] | None = Field(description="Why it rests: rule and reason, and under `also` any other")
    created_at: datetime
    updated_at: datetime


class Generated(BaseModel):
    """How many checks were made."""

    checks: int


class FiguresShown(BaseModel):
    """Checks as they stand, and those closed in the last 90 days."""

    due: int
    overdue: int
    escalated: int
    completed: int
    on_time: int
    waived: int
    withdrawn: int
    on_time_share: float = Field(description="Of what was to be completed lately and is over, or should be")


class ScheduleFigures(FiguresShown):
    """The figures of one schedule."""

    schedule_id: UUID
    name: str


class Stats(FiguresShown):
    """The figures of all schedules together, and of each."""

    schedules: list[ScheduleFigures]


@router.get("/schedules", summary="What is required of which records, and how often")
def schedule_list(house: TheHouse, at: Reader) -> list[ScheduleShown]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return [ScheduleShown.model_validate(each) for each in schedules.listed(tx)]


@router.get("/schedules/{schedule_id}", summary="A schedule")
def schedule(schedule_id: UUID, house: TheHouse, at: Reader) -> ScheduleShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return ScheduleShown.model_validate(schedules.get(tx, schedule_id))


@router.post("/schedules", summary="Require something of records", response_model=ScheduleShown, status_code=201)
def create(
    given: ScheduleFields, request: Request, house: TheHouse, at: Admin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> ScheduleShown:
        return _schedule(schedules.create(tx, **given.model_dump()))

    return once(house, at, request, idempotency_key, given, work, status=201)


@router.patch("/schedules/{schedule_id}", summary="Change a schedule, or switch it off or on",
              response_model=ScheduleChanged)  # fmt: skip
def change(
    schedule_id: UUID, given: ScheduleChanges, request: Request, house: TheHouse, at: Admin,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> ScheduleChanged:
        done = compliance_changes.change(tx, schedule_id, **given.model_dump(exclude_none=True))
        return ScheduleChanged(**_schedule(done.schedule).model_dump(), **dataclasses.asdict(done.reviewed))

    return once(house, at, request, idempotency_key, given, work)


@router.post("/schedules/{schedule_id}/generate", summary="Make the next checks of a schedule whose window is open",
             response_model=Generated)  # fmt: skip
def generate(
    schedule_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> Generated:
        return Generated(checks=compliance_generation.generate(tx, schedule_id))

    return once(house, at, request, idempotency_key, None, work)


@router.get("/checks", summary="Checks, newest first")
def check_list(
    house: TheHouse, at: Reader, state: State | None = None, schedule_id: UUID | None = None,
    client_id: UUID | None = None, contact_id: UUID | None = None, limit: pages.Limit = 50,
    cursor: pages.Cursor = None,
) -> Page[CheckShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = checks.listed(tx, state=state, schedule_id=schedule_id, client_id=client_id, contact_id=contact_id,
                             before=pages.uuid_after(cursor), limit=limit + 1)  # fmt: skip
    return pages.of(rows, limit, lambda row: row.id, CheckShown.model_validate)


@router.get("/checks/{check_id}", summary="A check")
def check(check_id: UUID, house: TheHouse, at: Reader) -> CheckShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return _check(checks.get(tx, check_id))


@router.post("/checks/{check_id}/validate", summary="Look at the record now; a check with nothing missing is completed",
             response_model=CheckShown)  # fmt: skip
def validate(
    check_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    verb = _verb(lambda tx: compliance_validation.complete(tx, check_id))
    return once(house, at, request, idempotency_key, None, verb)


@router.post("/checks/{check_id}/complete", summary="Complete a check whose record holds all that is required",
             response_model=CheckShown)  # fmt: skip
def complete(
    check_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> CheckShown:
        done = compliance_validation.complete(tx, check_id)
        if done.state != "completed":
            raise IllegalCheckMove(f"the check is {done.state}: {', '.join(done.missing) or 'nothing'} is missing")
        return _check(done)

    return once(house, at, request, idempotency_key, None, work)


@router.post("/checks/{check_id}/remind", summary="Have what is missing asked for at the next hour",
             response_model=CheckShown)  # fmt: skip
def remind(
    check_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, None, _verb(lambda tx: checks.remind(tx, check_id)))


@router.post("/checks/{check_id}/escalate", summary="Have what is overdue taken to the manager at the next hour",
             response_model=CheckShown)  # fmt: skip
def escalate(
    check_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, None, _verb(lambda tx: compliance_life.hasten(tx, check_id)))


@router.post("/checks/{check_id}/waive", summary="Let a check be, for a reason", response_model=CheckShown)
def waive(
    check_id: UUID, given: Because, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    verb = _verb(lambda tx: checks.waive(tx, check_id, by=at.actor, reason=given.reason))
    return once(house, at, request, idempotency_key, given, verb)


@router.post("/checks/{check_id}/reopen", summary="Take a waiver back", response_model=CheckShown)
def reopen(
    check_id: UUID, given: Because, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    verb = _verb(lambda tx: checks.reopen(tx, check_id, reason=given.reason))
    return once(house, at, request, idempotency_key, given, verb)


@router.get("/stats", summary="What is due, overdue and waived, and how much of it was in time, by schedule")
def stats(house: TheHouse, at: Reader) -> Stats:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        told, known = compliance_figures.stats(tx), schedules.listed(tx)
    return Stats(
        **_figures(compliance_figures.total(told)),
        schedules=[ScheduleFigures(schedule_id=each.id, name=each.name, **_figures(told.get(each.id, Figures())))
                   for each in known],
    )  # fmt: skip


def _figures(told: Figures) -> dict[str, Any]:
    return {name: getattr(told, name) for name in FiguresShown.model_fields}


def _schedule(found: Schedule) -> ScheduleShown:
    return ScheduleShown.model_validate(found)


def _check(found: Check) -> CheckShown:
    return CheckShown.model_validate(found)


def _verb(does: Callable[[Tx], Check]) -> Callable[[Tx], CheckShown]:
    """What a verb made of a check."""
    return lambda tx: _check(does(tx))
