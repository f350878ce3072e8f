"""Cards: the list of what the agent means to do, does and did; why; and a person's yes or no."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator

from admin_api import pages
from admin_api.access import Operator, Reader, TheHouse
from admin_api.answers import CardShown, Preview, Why
from admin_api.fields import Given, Moment
from admin_api.once import IdempotencyKey, once
from admin_api.pages import Page
from domain import cards, undo
from domain.cards import Card
from domain.db import Tx
from engines.registry import ENGINES
from jobs import approvals, explain, resolve

router = APIRouter(prefix="/v1", tags=["cards"])

State = Literal[
    "proposed", "queued", "executing", "done", "failed", "uncertain", "held", "blocked", "deferred",
    "awaiting_approval", "rejected", "cancelled", "expired",
]  # fmt: skip


class Approve(Given):
    """A yes to what was shown."""

    seen: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="`seen` of the card's preview")]


class Reject(Given):
    """A no, and why."""

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


class Resolve(Given):
    """What a person found out about a mail of which nobody knew, and how."""

    arrived: bool
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


class Undo(Given):
    """Why it is taken back."""

    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


class Snooze(Given):
    """Not before a later moment, at most 30 days from now."""

    until: Moment


class Edit(Given):
    """Other words for a waiting card."""

    subject: Annotated[str | None, Field(min_length=1, max_length=300, pattern=r"^[^\r\n]+$")] = None
    text: Annotated[str | None, Field(min_length=1, max_length=20_000, pattern=r"\S")] = None

    @model_validator(mode="after")
    def _something(self) -> Edit:
        if self.subject is None and self.text is None:
            raise ValueError("give a subject, a text, or both")
        return self


@router.get("/cards", summary="Cards, newest first")
def listed(
    house: TheHouse, at: Reader, state: State | None = None, contact: UUID | None = None,
    type: Annotated[str | None, Query(max_length=40, pattern="^[a-z_]+$")] = None,  # noqa: A002 - the field's own word
    limit: pages.Limit = 50, cursor: pages.Cursor = None,
) -> Page[CardShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = cards.listed(
            tx, state=state, contact_id=contact, kind=type, before=pages.uuid_after(cursor), limit=limit + 1
        )
    return pages.of(rows, limit, lambda card: card.id, CardShown.model_validate)


@router.get("/approvals", summary="Cards that wait for a person, newest first; each has its preview")
def waiting(house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None) -> Page[CardShown]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = cards.listed(tx, state="awaiting_approval", before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda card: card.id, CardShown.model_validate)


@router.get("/cards/{card_id}", summary="One card")
def one(card_id: UUID, house: TheHouse, at: Reader) -> CardShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return CardShown.model_validate(_found(tx, card_id))


@router.get("/cards/{card_id}/why",
            summary="Why it was sent, held or refused: its story and every rule's verdict with its facts")  # fmt: skip
def why(card_id: UUID, house: TheHouse, at: Reader) -> Why:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return Why.model_validate(explain.why(tx, card_id))


@router.get("/cards/{card_id}/preview",
            summary="A waiting card as it would go out now, with the hash that an approval needs")  # fmt: skip
def preview(card_id: UUID, house: TheHouse, at: Operator) -> Preview:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        _found(tx, card_id)
        return _preview(approvals.show(house, tx, card_id))


@router.post("/cards/{card_id}/approve", summary="Approve exactly what was shown", response_model=CardShown)
def approve(
    card_id: UUID, said: Approve, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> CardShown:
        _found(tx, card_id)
        return CardShown.model_validate(approvals.approve(house, tx, card_id, seen=said.seen, by=at.actor))

    return once(house, at, request, idempotency_key, said, work)


@router.post("/cards/{card_id}/reject", summary="Refuse it, with a reason", response_model=CardShown)
def reject(
    card_id: UUID, said: Reject, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> CardShown:
        _found(tx, card_id)
        return CardShown.model_validate(approvals.reject(tx, card_id, by=at.actor, reason=said.reason))

    return once(house, at, request, idempotency_key, said, work)


@router.post("/cards/{card_id}/snooze", summary="Leave it waiting, out of sight until a moment",
             response_model=CardShown)  # fmt: skip
def snooze(
    card_id: UUID, said: Snooze, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> CardShown:
        _found(tx, card_id)
        return CardShown.model_validate(approvals.snooze(tx, card_id, until=said.until))

    return once(house, at, request, idempotency_key, said, work)


@router.post("/cards/{card_id}/resolve", summary="Say whether an uncertain card's mail went out",
             response_model=CardShown)  # fmt: skip
def settle(
    card_id: UUID, said: Resolve, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> CardShown:
        _found(tx, card_id)
        told = resolve.say(tx, ENGINES, card_id, arrived=said.arrived, by=at.actor, reason=said.reason)
        return CardShown.model_validate(told)

    return once(house, at, request, idempotency_key, said, work)


@router.post("/cards/{card_id}/undo",
             summary="Take back what it changed; repeated, or already taken back, it stays as it is",
             response_model=CardShown)  # fmt: skip
def take_back(
    card_id: UUID, said: Undo, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> CardShown:
        return CardShown.model_validate(undo.undo(tx, card_id, by=at.actor, reason=said.reason))

    return once(house, at, request, idempotency_key, said, work)


@router.patch("/cards/{card_id}", summary="Change a waiting card's words; an approval that it had is void")
def edit(card_id: UUID, said: Edit, house: TheHouse, at: Operator) -> Preview:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        _found(tx, card_id)
        return _preview(approvals.edit(house, tx, card_id, changes=said.model_dump(exclude_none=True), by=at.actor))


def _found(tx: Tx, card_id: UUID) -> Card:
    """Raises NoSuchCard, which a card of another tenant is too."""
    card = cards.get(tx, card_id)
    if card is None:
        raise explain.NoSuchCard(f"no card {card_id}")
    return card


def _preview(shown: approvals.Shown) -> Preview:
    return Preview(
        card_id=shown.card.id, seen=shown.seen, to=list(shown.to), subject=shown.subject, text=shown.text,
        reason=shown.reason, expires_at=shown.card.approval_expires_at,
    )  # fmt: skip
