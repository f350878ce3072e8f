"""The policy: every rule in plain words, what it refused, and how much of each cap is used."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from admin_api import pages
from admin_api.access import Reader, TheHouse, Who
from admin_api.pages import Page
from domain import limits, violations
from policy.judge import RULES

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
