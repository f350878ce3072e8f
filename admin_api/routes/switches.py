"""The kill switch: its levels for the house and for a tenant; a stop is answered when nothing is in flight any more."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from admin_api.access import (
    Admin,
    HouseAdmin,
    HouseOperator,
    HouseReader,
    Operator,
    Reader,
    TheHouse,
    actor_of,
)  # fmt: skip
from admin_api.answers import FlipShown, InFlightShown
from admin_api.fields import Given
from admin_api.once import IdempotencyKey, once_apart, plain
from admin_api.problems import Problem
from domain import switches
from domain.house import House
from domain.switches import Flip, Switch, UnknownSwitch
from engines.registry import ENGINES

router = APIRouter(prefix="/v1", tags=["kill switch"])

STOPPING: dict[int | str, dict[str, Any]] = {
    202: {"model": FlipShown, "description": "Nothing new starts; what is listed was still being sent"}
}


class Stop(Given):
    """Which switch, and why."""

    level: Literal["all", "mail", "engine", "action"] = "all"
    name: Annotated[str, Field(max_length=64, pattern="^[a-z_]*$")] = ""
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]

    def switch(self, tenant_id: UUID | None) -> Switch:
        """The switch that is meant. Raises UnknownSwitch: a misspelt stop must never look like one that worked."""
        if self.level == "engine" and self.name not in {engine.name for engine in ENGINES}:
            known = ", ".join(sorted(engine.name for engine in ENGINES))
            raise UnknownSwitch(f"name: there is no engine {self.name!r}; there are {known}")
        if self.level in ("all", "mail") and self.name:
            raise UnknownSwitch(f"name: the level {self.level} takes none")
        if self.level == "action" and not self.name:
            raise UnknownSwitch("name: which action type?")
        return Switch(tenant_id, self.level, self.name)


class Resume(Stop):
    """Which switch, and why; resuming everything is asked twice."""

    confirm: bool = False


class Brakes(BaseModel):
    """The brakes of the host that answers: its environment and its flag file."""

    stopped: str | None = Field(description="Why it does nothing at all, or null")
    mail_stopped: str | None = Field(description="Why it sends no mail, or null")
    send_mode: str


class HouseSwitch(BaseModel):
    """A switch of the house that was ever set, by whom, when and why."""

    switch: str
    stopped: bool
    reason: str | None
    by: str
    at: datetime | None


class HouseSwitches(BaseModel):
    """The switches of the house, and the brakes of this host."""

    house: list[HouseSwitch]
    this_host: Brakes


class Closed(BaseModel):
    """A switch that stops something for the tenant."""

    scope: Literal["house", "tenant"]
    level: str
    name: str


class TenantSwitches(BaseModel):
    """Every switch that is closed for the tenant, and the brakes of this host."""

    closed: list[Closed]
    this_host: Brakes


@router.get("/kill-switch", summary="The switches of the house, and this host's own brakes")
def house_state(house: TheHouse, _who: HouseReader) -> HouseSwitches:
    with house.database.wearing("control") as tx:
        states = [HouseSwitch.model_validate(each) for each in switches.states(tx)]
    return HouseSwitches(house=states, this_host=_brakes(house))


@router.post("/kill-switch/stop", summary="Stop the house: 200 once nothing is in flight, 202 while something is",
             response_model=FlipShown, responses=STOPPING)  # fmt: skip
def stop_house(
    asked: Stop, house: TheHouse, who: HouseOperator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    """A repetition stops again, whatever its Idempotency-Key: the answer must be true now."""
    flip = switches.stop(house.database, asked.switch(None), by=actor_of(who), reason=asked.reason)
    return _told(flip)


@router.post("/kill-switch/resume", summary="Let the house go on", response_model=FlipShown)
def resume_house(
    asked: Resume, request: Request, house: TheHouse, who: HouseAdmin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    """With an Idempotency-Key, a repetition that comes late never undoes a stop that was made in between."""
    switch = _confirmed(asked, None)

    def work() -> tuple[int, FlipShown]:
        return 200, _shown(switches.resume(house.database, switch, by=actor_of(who), reason=asked.reason))

    return once_apart(house, None, actor_of(who), request, idempotency_key, asked, work)


@router.get("/tenant/kill-switch", summary="Every switch that is closed for the tenant")
def tenant_state(house: TheHouse, at: Reader) -> TenantSwitches:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        closed = sorted(switches.closed(tx))
    shown = [Closed.model_validate(dict(zip(("scope", "level", "name"), each, strict=True))) for each in closed]
    return TenantSwitches(closed=shown, this_host=_brakes(house))


@router.post("/tenant/kill-switch/stop",
             summary="Stop the tenant: 200 once nothing is in flight, 202 while something is",
             response_model=FlipShown, responses=STOPPING)  # fmt: skip
def stop_tenant(
    asked: Stop, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    """A repetition stops again, whatever its Idempotency-Key: the answer must be true now."""
    flip = switches.stop(house.database, asked.switch(at.tenant_id), by=at.actor, reason=asked.reason)
    return _told(flip)


@router.post("/tenant/kill-switch/resume", summary="Let the tenant go on", response_model=FlipShown)
def resume_tenant(
    asked: Resume, request: Request, house: TheHouse, at: Admin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    """With an Idempotency-Key, a repetition that comes late never undoes a stop that was made in between."""
    switch = _confirmed(asked, at.tenant_id)

    def work() -> tuple[int, FlipShown]:
        return 200, _shown(switches.resume(house.database, switch, by=at.actor, reason=asked.reason))

    return once_apart(house, at.tenant_id, at.actor, request, idempotency_key, asked, work)


def _confirmed(asked: Resume, tenant_id: UUID | None) -> Switch:
    switch = asked.switch(tenant_id)
    if asked.level == "all" and not asked.confirm:
        raise Problem(409, "Resuming everything is asked twice.", "Send it again with `confirm: true`.")
    return switch


def _told(flip: Flip) -> JSONResponse:
    return JSONResponse(plain(_shown(flip)), 200 if flip.settled else 202)


def _shown(flip: Flip) -> FlipShown:
    return FlipShown(
        state="running" if not flip.stopped else "stopped" if flip.settled else "stopping",
        in_flight=[
            InFlightShown(tenant_id=each.tenant_id, card_id=each.card_id, type=each.type) for each in flip.in_flight
        ],
    )


def _brakes(house: House) -> Brakes:
    return Brakes(stopped=house.brakes.stopped(), mail_stopped=house.brakes.mail_stopped(),
                  send_mode=house.brakes.send_mode.name)  # fmt: skip
