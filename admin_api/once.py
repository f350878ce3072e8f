"""Writes that may be repeated: done once for each Idempotency-Key, and answered alike every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, TypeAdapter

from admin_api.access import Seat
from domain import idempotency
from domain.db import Tx
from domain.house import House
from domain.idempotency import Answer

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=256, pattern=r"^[\x20-\x7e]+$",
        description="A repetition with the same key and body is done once and answered as the first; with another body "
        "it is refused (422), and while the first is still at work too (409).",
    ),
]  # fmt: skip


def once(
    house: House, at: Seat, request: Request, key: str | None, body: BaseModel | None, work: Callable[[Tx], Any], *,
    status: int = 200, remembered: Callable[[Any], Any] = lambda answer: answer,
) -> JSONResponse:  # fmt: skip
    """Do `work` in one transaction of the tenant and answer what it returns; again with the same key, only answer.

    The work, its stored answer and the claim are one commit. `remembered` is what is stored of the answer, where a part
    of it must not be. Raises idempotency.KeyReused, idempotency.StillRunning.
    """
    route, told = _asked(request, body)
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        if key is not None and (earlier := idempotency.claim(tx, route=route, key=key, body=told)):
            return _again(earlier)
        answer = work(tx)
        if key is not None:
            idempotency.complete(tx, route=route, key=key, status=status, body=plain(remembered(answer)))
    return JSONResponse(plain(answer), status)


def once_apart(
    house: House, tenant_id: UUID | None, actor: str, request: Request, key: str | None, body: BaseModel | None,
    work: Callable[[], tuple[int, Any]], *, remembered: Callable[[Any], Any] = lambda answer: answer,
) -> JSONResponse:  # fmt: skip
    """The same for work that commits by itself, of a tenant or (without one) of the house; it returns (status, answer).

    The claim is committed first, and given up when the work raises. A process that dies in between leaves it claimed
    for two minutes; then a repetition does the work. Raises idempotency.KeyReused, idempotency.StillRunning.
    """
    route, told = _asked(request, body)
    if key is None:
        status, answer = work()
        return JSONResponse(plain(answer), status)
    of_house = tenant_id is None
    with _transaction(house, tenant_id, actor) as tx:
        if earlier := idempotency.claim(tx, route=route, key=key, body=told, house=of_house):
            return _again(earlier)
    try:
        status, answer = work()
    except BaseException:
        with _transaction(house, tenant_id, actor) as tx:
            idempotency.release(tx, route=route, key=key, house=of_house)
        raise
    with _transaction(house, tenant_id, actor) as tx:
        idempotency.complete(tx, route=route, key=key, status=status, body=plain(remembered(answer)), house=of_house)
    return JSONResponse(plain(answer), status)


def plain(value: Any) -> Any:
    """An answer as JSON holds it, exactly as its model describes it."""
    kind: Any = type(value)
    return _adapter(kind).dump_python(value, mode="json")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _asked(request: Request, body: BaseModel | None) -> tuple[str, bytes]:
    told = body.model_dump_json(exclude_unset=True).encode() if body is not None else b""
    return f"{request.method} {request.url.path}", told


def _again(earlier: Answer) -> JSONResponse:
    return JSONResponse(earlier.body, earlier.status, headers={"Idempotent-Replayed": "true"})


@contextmanager
def _transaction(house: House, tenant_id: UUID | None, actor: str) -> Iterator[Tx]:
    if tenant_id is None:
        with house.database.wearing("control", actor=actor) as tx:
            yield tx
    else:
        with house.database.tenant(tenant_id, actor=actor) as tx:
            yield tx
