"""Alerts of a tenant and of the house: seen, ended, muted for a while; and what was posted of them to a webhook."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from admin_api import pages
from admin_api.access import HouseOperator, HouseReader, Operator, Reader, TheHouse, actor_of
from admin_api.fields import Given, Moment, Reason
from admin_api.once import IdempotencyKey, once, once_apart
from admin_api.pages import Page
from admin_api.problems import Problem
from domain import alerts, hooks
from domain.alerts import HOUSE, TENANT, Alert, Book, Mute
from domain.db import Tx
from domain.hooks import Delivery

router = APIRouter(prefix="/v1", tags=["attention"])

Kind = Annotated[str, Path(max_length=60, pattern="^[a-z_.]+$", description="The kind, without the one thing it names")]
State = Literal["open", "acknowledged", "resolved"]


class Silence(Given):
    """Until when nobody is told, and why."""

    until: Moment
    reason: Reason


class Posted(BaseModel):
    """What was, or will be, posted of an alert; one that was given up is `dead`."""

    id: UUID
    alert_id: UUID
    event: Literal["opened", "resolved"]
    state: Literal["waiting", "sent", "dead"]
    tries: int
    next_try_at: datetime
    last_error: str | None
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, delivery: Delivery) -> Posted:
        """The delivery as it is shown."""
        return cls(**{name: getattr(delivery, name) for name in cls.model_fields})


@router.get("/alerts", summary="Alerts, newest first; the open and acknowledged ones unless told otherwise")
def listed(
    house: TheHouse, at: Reader, state: State | None = None, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[Alert]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return _page(tx, TENANT, state, limit, cursor)


@router.post("/alerts/{alert_id}/acknowledge", summary="Say that a person has seen it", response_model=Alert)
def acknowledge(
    alert_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, None, lambda tx: _acknowledge(tx, TENANT, alert_id, at.actor))


@router.post("/alerts/{alert_id}/resolve", summary="End an alert; should it happen again, a new one opens",
             response_model=Alert)  # fmt: skip
def resolve(
    alert_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, None, lambda tx: _resolve(tx, TENANT, alert_id, at.actor))


@router.get("/alerts/mutes", summary="The kinds of alerts that nobody is told of now")
def mutes(house: TheHouse, at: Reader) -> Page[Mute]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return pages.whole(alerts.muted(tx))


@router.put("/alerts/mutes/{kind}", summary="Tell nobody of alerts of a kind until a moment; they open all the same")
def mute(kind: Kind, said: Silence, house: TheHouse, at: Operator) -> Mute:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return alerts.mute(tx, kind, until=said.until, by=at.actor, reason=said.reason)


@router.delete("/alerts/mutes/{kind}", summary="Tell of alerts of a kind again", status_code=204)
def unmute(kind: Kind, house: TheHouse, at: Operator) -> None:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        alerts.unmute(tx, kind, by=at.actor)


@router.get("/alerts/deliveries", summary="What was posted of alerts to the tenant's webhook, newest first")
def deliveries(
    house: TheHouse, at: Reader, state: Literal["waiting", "sent", "dead"] | None = None, limit: pages.Limit = 50,
    cursor: pages.Cursor = None,
) -> Page[Posted]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = hooks.listed(tx, state=state, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.id, Posted.of)


@router.post("/alerts/deliveries/{delivery_id}/replay", summary="Post one again that was given up",
             response_model=Posted)  # fmt: skip
def replay(
    delivery_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    return once(house, at, request, idempotency_key, None, lambda tx: Posted.of(hooks.again(tx, delivery_id)))


@router.get("/house/alerts", summary="The alerts about all of it at once, newest first")
def of_the_house(
    house: TheHouse, who: HouseReader, state: State | None = None, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[Alert]:  # fmt: skip
    with house.database.wearing("control", actor=actor_of(who)) as tx:
        return _page(tx, HOUSE, state, limit, cursor)


@router.get("/house/alerts/mutes", summary="The kinds of the house's alerts that nobody is told of now")
def mutes_of_the_house(house: TheHouse, who: HouseReader) -> Page[Mute]:
    with house.database.wearing("control", actor=actor_of(who)) as tx:
        return pages.whole(alerts.muted(tx, book=HOUSE))


@router.put("/house/alerts/mutes/{kind}", summary="Tell nobody of the house's alerts of a kind until a moment")
def mute_for_the_house(kind: Kind, said: Silence, house: TheHouse, who: HouseOperator) -> Mute:
    with house.database.wearing("control", actor=actor_of(who)) as tx:
        return alerts.mute(tx, kind, until=said.until, by=actor_of(who), reason=said.reason, book=HOUSE)


@router.delete("/house/alerts/mutes/{kind}", summary="Tell of the house's alerts of a kind again", status_code=204)
def unmute_for_the_house(kind: Kind, house: TheHouse, who: HouseOperator) -> None:
    with house.database.wearing("control", actor=actor_of(who)) as tx:
        alerts.unmute(tx, kind, by=actor_of(who), book=HOUSE)


@router.post("/house/alerts/{alert_id}/acknowledge", summary="Say that a person has seen it", response_model=Alert)
def acknowledge_for_the_house(
    alert_id: UUID, request: Request, house: TheHouse, who: HouseOperator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work() -> tuple[int, Alert]:
        with house.database.wearing("control", actor=actor_of(who)) as tx:
            return 200, _acknowledge(tx, HOUSE, alert_id, actor_of(who))

    return once_apart(house, None, actor_of(who), request, idempotency_key, None, work)


@router.post("/house/alerts/{alert_id}/resolve", summary="End an alert; should it happen again, a new one opens",
             response_model=Alert)  # fmt: skip
def resolve_for_the_house(
    alert_id: UUID, request: Request, house: TheHouse, who: HouseOperator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work() -> tuple[int, Alert]:
        with house.database.wearing("control", actor=actor_of(who)) as tx:
            return 200, _resolve(tx, HOUSE, alert_id, actor_of(who))

    return once_apart(house, None, actor_of(who), request, idempotency_key, None, work)


def _page(tx: Tx, book: Book, state: State | None, limit: int, cursor: str | None) -> Page[Alert]:
    states = [state] if state else ["open", "acknowledged"]
    rows = alerts.listed(tx, states=states, before=pages.uuid_after(cursor), limit=limit + 1, book=book)
    return pages.of(rows, limit, lambda row: row.id, lambda row: row)


def _acknowledge(tx: Tx, book: Book, alert_id: UUID, by: str) -> Alert:
    seen = alerts.acknowledge(tx, alert_id, by=by, book=book)
    if seen is None:
        raise _unknown(alert_id)
    return seen


def _resolve(tx: Tx, book: Book, alert_id: UUID, by: str) -> Alert:
    found = alerts.get(tx, alert_id, book=book)
    ended = alerts.resolve(tx, found.kind, by=by, book=book) if found and found.state != "resolved" else None
    if ended is None:
        raise _unknown(alert_id)
    return ended


def _unknown(alert_id: UUID) -> Problem:
    return Problem(404, "There is no such open alert.", f"alert_id: {alert_id}")
