"""The kill switch: its levels for the house and for a tenant; a stop is answered when nothing is in flight any more."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from admin_api.access import HouseAdmin, HouseReader, Operator, Reader, TheHouse
from admin_api.problems import Problem
from domain import switches
from domain.house import House
from domain.switches import Flip, Switch

router = APIRouter(tags=["kill switch"])

Name = Annotated[str, Field(max_length=64, pattern="^[a-z_]*$")]


class Stop(BaseModel):
    """Which switch, and why."""

    model_config = ConfigDict(extra="forbid")
    level: Literal["all", "mail", "engine", "action"] = "all"
    name: Name = ""
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class Resume(Stop):
    """Which switch, and why; resuming everything is asked twice."""

    confirm: bool = False


@router.get("/v1/kill-switch", summary="The switches of the house, and this host's own brakes")
def house_state(house: TheHouse, _who: HouseReader) -> dict[str, Any]:
    with house.database.wearing("control") as tx:
        return {"house": switches.states(tx), **_local(house)}


@router.post("/v1/kill-switch/stop", summary="Stop the house: 200 once nothing is in flight, 202 while something is")
def stop_house(asked: Stop, house: TheHouse, who: HouseAdmin) -> JSONResponse:
    switch = Switch(None, asked.level, asked.name)
    return _told(switches.stop(house.database, switch, by=f"key:{who.name}", reason=asked.reason))


@router.post("/v1/kill-switch/resume", summary="Let the house go on")
def resume_house(asked: Resume, house: TheHouse, who: HouseAdmin) -> JSONResponse:
    if asked.level == "all" and not asked.confirm:
        raise Problem(409, "Resuming everything is asked twice.", "Send it again with `confirm: true`.")
    switch = Switch(None, asked.level, asked.name)
    return _told(switches.resume(house.database, switch, by=f"key:{who.name}", reason=asked.reason))


@router.get("/v1/tenant/kill-switch", summary="Every switch that is closed for the tenant")
def tenant_state(house: TheHouse, at: Reader) -> dict[str, Any]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        closed = sorted(switches.closed(tx))
    return {
        "closed": [{"scope": scope, "level": level, "name": name} for scope, level, name in closed],
        **_local(house),
    }


@router.post(
    "/v1/tenant/kill-switch/stop", summary="Stop the tenant: 200 once nothing is in flight, 202 while something is"
)
def stop_tenant(asked: Stop, house: TheHouse, at: Operator) -> JSONResponse:
    switch = Switch(at.tenant_id, asked.level, asked.name)
    return _told(switches.stop(house.database, switch, by=at.actor, reason=asked.reason))


@router.post("/v1/tenant/kill-switch/resume", summary="Let the tenant go on")
def resume_tenant(asked: Resume, house: TheHouse, at: Operator) -> JSONResponse:
    if asked.level == "all" and not asked.confirm:
        raise Problem(409, "Resuming everything is asked twice.", "Send it again with `confirm: true`.")
    switch = Switch(at.tenant_id, asked.level, asked.name)
    return _told(switches.resume(house.database, switch, by=at.actor, reason=asked.reason))


def _told(flip: Flip) -> JSONResponse:
    state = "stopped" if flip.stopped and flip.settled else "stopping" if flip.stopped else "running"
    body = {
        "state": state,
        "in_flight": [
            {"tenant_id": str(each.tenant_id), "card_id": str(each.card_id), "type": each.type}
            for each in flip.in_flight
        ],
    }
    return JSONResponse(body, 200 if flip.settled else 202)


def _local(house: House) -> dict[str, Any]:
    return {"this_host": {"stopped": house.brakes.stopped(), "mail_stopped": house.brakes.mail_stopped(),
                          "send_mode": house.brakes.send_mode.name}}  # fmt: skip
