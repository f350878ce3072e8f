"""Writes that may be repeated: the work, its stored answer and its Idempotency-Key are one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Header, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from admin_api.access import Seat
from domain import idempotency
from domain.db import Tx
from domain.house import House

IdempotencyKey = Annotated[
    str | None,
    Header(min_length=1, max_length=256, description="A repetition with the same key is answered as the first"),
]


def once(
    house: House, at: Seat, request: Request, key: str | None, body: BaseModel | None, work: Callable[[Tx], Any], *,
    status: int = 200,
) -> JSONResponse:  # fmt: skip
    """Do `work` in one transaction of the tenant and answer what it returns; again with the same key, only answer.

    Raises idempotency.KeyReused, idempotency.StillRunning.
    """
    route = f"{request.method} {request.url.path}"
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        if key is None:
            return JSONResponse(jsonable_encoder(work(tx)), status)
        told = body.model_dump_json().encode() if body is not None else b""
        if earlier := idempotency.claim(tx, route=route, key=key, body=told):
            return JSONResponse(earlier.body, earlier.status, headers={"Idempotent-Replayed": "true"})
        answer = jsonable_encoder(work(tx))
        idempotency.complete(tx, route=route, key=key, status=status, body=answer)
    return JSONResponse(answer, status)
