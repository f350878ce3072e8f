"""What asks for a person: tasks, cases, and what could not be taken in; and who must never get mail."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from admin_api import pages
from admin_api.access import Operator, Reader, TheHouse
from admin_api.answers import LetterShown, QuarantineShown, SuppressionShown
from admin_api.fields import LATEST, Address, Given
from admin_api.once import IdempotencyKey, once
from admin_api.pages import Page
from domain import cases, given_up, quarantine, suppressions, tasks
from domain.cases import Case
from domain.db import Tx
from domain.tasks import Task
from jobs import dead_letters

router = APIRouter(prefix="/v1", tags=["attention"])


class Suppress(Given):
    """An address that must never get mail."""

    address: Address


class News(BaseModel):
    """Whether it was news."""

    news: bool


class Finish(Given):
    """How a task ended."""

    state: Literal["done", "cancelled"] = "done"


class Close(Given):
    """How a case ended."""

    outcome: Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")]


@router.get("/tasks", summary="Tasks for people, the soonest due first")
def task_list(
    house: TheHouse, at: Reader, state: Literal["open", "done", "cancelled"] = "open", limit: pages.Limit = 50,
    cursor: pages.Cursor = None,
) -> Page[Task]:  # fmt: skip
    after = pages.moment_and_uuid_after(cursor)
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        # a task without a due time stands behind all others, at a moment that no task has
        place = None if after is None else (None if after[0] == _NEVER else after[0], after[1])
        rows = tasks.listed(tx, state=state, after=place, limit=limit + 1)
    return pages.of(rows, limit, lambda row: (row.due_at or _NEVER, row.id), lambda row: row)


@router.post("/tasks/{task_id}/finish", summary="End a task", response_model=Task)
def finish(
    task_id: UUID, said: Finish, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, said, lambda tx: tasks.finish(tx, task_id, state=said.state))


@router.get("/cases", summary="Cases, newest first")
def case_list(
    house: TheHouse, at: Reader, state: Literal["open", "closed"] = "open", limit: pages.Limit = 50,
    cursor: pages.Cursor = None,
) -> Page[Case]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = cases.listed(tx, state=state, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.id, lambda row: row)


@router.post("/cases/{case_id}/close", summary="Close a case, saying how it ended", response_model=Case)
def close(
    case_id: UUID, said: Close, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, said, lambda tx: cases.close(tx, case_id, outcome=said.outcome))


@router.get("/suppressions", summary="Who must never get mail, newest first")
def suppression_list(
    house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[SuppressionShown]:  # fmt: skip
    after = pages.moment_after(cursor)
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        before = None if after is None else (after[0], _hash(after[1]))
        rows = suppressions.listed(tx, before=before, limit=limit + 1)
    return pages.of(rows, limit, lambda row: (row.created_at, bytes(row.address_hash).hex()), SuppressionShown.of)


@router.post("/suppressions", summary="Never write to an address again", status_code=201, response_model=News)
def suppress(
    given: Suppress, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> News:
        news = suppressions.suppress(tx, house.vault, given.address, reason="manual", source=at.actor)
        return News(news=news)

    return once(house, at, request, idempotency_key, given, work, status=201)


@router.get("/quarantine", summary="What could not be taken in, with its reason, newest first")
def quarantine_list(
    house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[QuarantineShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = quarantine.listed(tx, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.id, QuarantineShown.of)


@router.get("/dead-letters", summary="What was given up after five tries, of whatever kind, newest first")
def letters(
    house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[LetterShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = given_up.listed(tx, before=pages.moment_and_uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: (row.since, row.id), LetterShown.model_validate)


@router.post("/dead-letters/{letter_id}/replay", summary="Put it back, once, to be tried from the start",
             response_model=LetterShown)  # fmt: skip
def replay(
    letter_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, None,
                lambda tx: LetterShown.model_validate(dead_letters.replay(tx, letter_id)))  # fmt: skip


_NEVER = LATEST.replace(year=LATEST.year - 1)


def _hash(told: str) -> bytes:
    try:
        return bytes.fromhex(told)
    except ValueError as error:
        raise pages.not_ours() from error
