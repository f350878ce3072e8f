"""Whether the process lives, whether it can work, and its figures for Prometheus."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError

from admin_api.access import TheHouse
from admin_api.once import plain

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether the database answers, and whether anything is stopped. Why it is stopped takes a key to see."""

    status: Literal["ready", "unavailable"]
    database_schema: str | None = Field(description="The version of the database's schema")
    stopped: bool = Field(description="The house's kill switch, the environment or the flag file stops all work")
    mail_stopped: bool = Field(description="No mail is sent from this host")


UNAVAILABLE: dict[int | str, dict[str, Any]] = {
    503: {"model": Readiness, "description": "The database can't be reached"}
}


@router.get("/healthz", summary="The process answers")
async def health() -> Health:
    """Needs no thread, so that it answers while all of them wait."""
    return Health()


@router.get("/readyz", summary="The database answers", response_model=Readiness, responses=UNAVAILABLE)
def ready(house: TheHouse) -> JSONResponse:
    version, closed = None, False
    try:
        with house.database.wearing("control") as tx:
            version = tx.value("SELECT version_num FROM hourhand.alembic_version")
            closed = tx.value("SELECT value FROM hourhand.system_config WHERE key = 'global_enabled'") is False
    except SQLAlchemyError:
        # that it can't be reached is the very answer
        version = None
    told = Readiness(
        status="ready" if version else "unavailable",
        database_schema=version,
        stopped=closed or house.brakes.stopped() is not None,
        mail_stopped=closed or house.brakes.mail_stopped() is not None,
    )
    return JSONResponse(plain(told), 200 if version else 503)


@router.get("/metrics", summary="Figures for Prometheus, of the whole house and of nobody in it",
            response_class=PlainTextResponse)  # fmt: skip
def metrics(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.app.state.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")
