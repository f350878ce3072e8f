"""Errors as RFC 9457 problem details: each names the field and the mend, and none shows the inside of the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from domain import cards, clients, contacts, idempotency, keys, settings, switches, tenants
from domain.addresses import InvalidAddress
from jobs import approvals, explain

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[Exception], int] = {
    keys.InvalidKey: 401,
    keys.InvalidRole: 422,
    tenants.UnknownTenant: 404,
    tenants.InvalidTenant: 422,
    settings.InvalidSetting: 422,
    switches.UnknownSwitch: 422,
    clients.InvalidClient: 422,
    clients.UnknownClient: 404,
    contacts.InvalidContact: 422,
    contacts.UnknownContact: 404,
    InvalidAddress: 422,
    cards.IllegalMove: 409,
    approvals.NotWaiting: 409,
    approvals.ApprovalVoid: 409,
    explain.NoSuchCard: 404,
    idempotency.StillRunning: 409,
    idempotency.KeyReused: 422,
}


class Problem(Exception):
    """A request that cannot be served, in the words of RFC 9457."""

    def __init__(self, status: int, title: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.more = status, title, detail, more


def install(app: FastAPI) -> None:
    """Answer every failure as a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
    for kind in STATUS:
        app.add_exception_handler(kind, _declared)


def answer(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    """A problem as a response."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return answer(error.status, error.title, error.detail, headers, **error.more)


def _declared(_request: Request, error: Exception) -> JSONResponse:
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return answer(status, (type(error).__doc__ or "").splitlines()[0], str(error), headers)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = [
        {"field": ".".join(str(part) for part in each["loc"]), "problem": each["msg"]} for each in error.errors()[:20]
    ]
    detail = "; ".join(f"{each['field']}: {each['problem']}" for each in fields)
    return answer(422, "The request is not of the expected form.", detail, errors=fields)


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return answer(error.status_code, str(error.detail), str(error.detail), error.headers)


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("api.error", path=request.url.path, error=type(error).__name__, exc_info=error)
    return answer(500, "Something went wrong inside the house.", "It was recorded; the request may be tried again.")
