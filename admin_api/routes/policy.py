"""The policy: every rule in plain words, what it refused, and how much of each cap is used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from admin_api import pages
from admin_api.access import Reader, TheHouse, Who
from admin_api.answers import Told
from admin_api.fields import Given
from admin_api.once import IdempotencyKey, once
from admin_api.pages import Page
from domain import limits, violations
from domain.db import Tx
from jobs import whatif
from jobs.whatif import Change
from policy.judge import RULES
from policy.verdicts import Decision

router = APIRouter(prefix="/v1", tags=["policy"])

COUNTED_FOR = timedelta(hours=48)


class RuleShown(BaseModel):
    """A rule of the guardrails."""

    id: str
    clause: str
    sentence: str
    explanation: str
    types: list[str] | None


class ViolationShown(BaseModel):
    """Something that a rule refused or put before a person, with the action and the facts that it rested on."""

    id: UUID
    card_id: UUID
    run_id: UUID | None
    rule: str
    reason: str
    blocked: bool
    action: Mapping[str, Any]
    facts: Mapping[str, Any]
    at: datetime


class Suppose(Given):
    """Settings as they might be, and how many days back to try them."""

    settings: Annotated[dict[str, Any], Field(min_length=1, max_length=40)]
    days: Annotated[int, Field(ge=1, le=30)] = 30
    limit: Annotated[int, Field(ge=0, le=200, description="How many cards are listed; all are counted")] = 200


class ByRule(BaseModel):
    """How many cards one rule would newly stop, or no longer stop."""

    change: Change
    rule: str
    decision: Decision
    cards: int


class ChangedShown(Told):
    """One card that would be treated differently."""

    card_id: UUID
    type: str
    title: str
    at: datetime = Field(description="When it was last judged")
    change: Change
    before: Decision
    before_rule: str
    after: Decision
    rule: str = Field(description="The rule that makes the difference")
    reason: str


class WhatIfShown(BaseModel):
    """What changed settings would have come to; nothing was changed."""

    since: datetime
    tried: int
    unknown: int = Field(description="Cards that were judged before their facts were kept")
    goes_out: int = Field(description="Would newly be done")
    stopped: int = Field(description="Would no longer be done: blocked, deferred, held or asked about")
    otherwise: int = Field(description="Not done either way, for another reason")
    by_rule: list[ByRule]
    cards: list[ChangedShown]


class Counted(BaseModel):
    """What was counted under one cap in one window; `held:` counts what a send mode held back."""

    key: str
    window_start: datetime
    used: int


@router.get("/policy/rules", summary="Every rule, in the order in which verdicts are told")
def rules(_who: Who) -> Page[RuleShown]:
    return pages.whole([
        RuleShown(id=rule.id, clause=rule.clause, sentence=rule.sentence, explanation=rule.explanation,
                  types=sorted(rule.types) if rule.types is not None else None)
        for rule in RULES.values()
    ])  # fmt: skip


@router.post("/policy/what-if", summary="Try changed settings on the cards of the last days; nothing is changed",
             response_model=WhatIfShown)  # fmt: skip
def what_if(
    said: Suppose, request: Request, house: TheHouse, at: Reader, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> WhatIfShown:
        told = whatif.ask(house, tx, said.settings, days=said.days, shown=said.limit)
        return WhatIfShown(
            since=told.since, tried=told.tried, unknown=told.unknown, goes_out=told.goes_out, stopped=told.stopped,
            otherwise=told.otherwise, by_rule=[ByRule(**row) for row in whatif.rows(told)],
            cards=[ChangedShown.model_validate(each) for each in told.cards],
        )  # fmt: skip

    return once(house, at, request, idempotency_key, said, work)


@router.get("/violations", summary="What the policy refused or questioned, newest first")
def violation_list(
    house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[ViolationShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = violations.recent(tx, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row["id"], lambda row: ViolationShown(**row))


@router.get("/limits", summary="How much of each cap was used in the windows of the last two days")
def used(house: TheHouse, at: Reader) -> Page[Counted]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = limits.counted(tx, tx.now - COUNTED_FOR)
    return pages.whole([Counted(**row) for row in rows])
