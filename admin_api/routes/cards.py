"""Cards: the list of what the agent means to do, does and did; why; and a person's yes or no."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from admin_api import pages
from admin_api.access import Operator, Reader, TheHouse
from admin_api.once import IdempotencyKey, once
from domain import cards
from jobs import approvals, explain

router = APIRouter(prefix="/v1/cards", tags=["cards"])

State = Literal[
    "proposed", "queued", "executing", "done", "failed", "uncertain", "held", "blocked", "deferred", "awaiting_approval",
    "rejected", "cancelled", "expired",
]  # fmt: skip


class Approve(BaseModel):
    """A yes to what was shown."""

    model_config = ConfigDict(extra="forbid")
    seen: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="`seen` of the card as it was shown")]


class Reject(BaseModel):
    """A no, and why."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Snooze(BaseModel):
    """Not before a later moment."""

    model_config = ConfigDict(extra="forbid")
    until: AwareDatetime


class Edit(BaseModel):
    """Other words for a waiting card."""

    model_config = ConfigDict(extra="forbid")
    subject: Annotated[str | None, Field(min_length=1, max_length=300)] = None
    text: Annotated[str | None, Field(min_length=1, max_length=20_000)] = None


@router.get("", summary="Cards, newest first")
def listed(
    house: TheHouse, at: Reader, state: State | None = None, contact: UUID | None = None,
    limit: pages.Limit = 50, cursor: pages.Cursor = None, type: Annotated[str | None, Query(max_length=40)] = None,
) -> dict[str, Any]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = cards.listed(
            tx, state=state, contact_id=contact, type=type, before=pages.uuid_after(cursor), limit=limit + 1
        )
    return pages.of([_shown(card) for card in rows], limit, lambda card: card["id"])


@router.get("/{card_id}", summary="One card")
def one(card_id: UUID, house: TheHouse, at: Reader) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        card = cards.get(tx, card_id)
    if card is None:
        raise explain.NoSuchCard(f"no card {card_id}")
    return _shown(card)


@router.get(
    "/{card_id}/why", summary="Why it was sent, held or refused: its story and every rule's verdict with its facts"
)
def why(card_id: UUID, house: TheHouse, at: Reader) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return explain.why(tx, card_id)


@router.get("/{card_id}/preview", summary="A waiting card as it would go out now, with the hash that an approval needs")
def preview(card_id: UUID, house: TheHouse, at: Operator) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return _preview(approvals.show(house, tx, card_id))


@router.post("/{card_id}/approve", summary="Approve exactly what was shown")
def approve(
    card_id: UUID, said: Approve, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, said,
                lambda tx: _shown(approvals.approve(house, tx, card_id, seen=said.seen, by=at.actor)))  # fmt: skip


@router.post("/{card_id}/reject", summary="Refuse it, with a reason")
def reject(
    card_id: UUID, said: Reject, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, said,
                lambda tx: _shown(approvals.reject(tx, card_id, by=at.actor, reason=said.reason)))  # fmt: skip


@router.post("/{card_id}/snooze", summary="Leave it waiting, out of sight until a moment")
def snooze(
    card_id: UUID, said: Snooze, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, said,
                lambda tx: _shown(approvals.snooze(tx, card_id, until=said.until)))  # fmt: skip


@router.patch("/{card_id}", summary="Change a waiting card's words; an approval that it had is void")
def edit(card_id: UUID, said: Edit, house: TheHouse, at: Operator) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return _preview(approvals.edit(house, tx, card_id, changes=said.model_dump(exclude_none=True), by=at.actor))


def _shown(card: cards.Card) -> dict[str, Any]:
    told = asdict(card)
    del told["approval_hash"], told["owner"], told["fence"]
    return told


def _preview(shown: approvals.Shown) -> dict[str, Any]:
    return {"card_id": shown.card.id, "seen": shown.seen, "to": shown.to, "subject": shown.subject, "text": shown.text,
            "reason": shown.reason, "expires_at": _iso(shown.card.approval_expires_at)}  # fmt: skip


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
