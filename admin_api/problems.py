"""Errors as RFC 9457 problem details: each names the field and the mend, and none shows the inside of the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import exc
from starlette.exceptions import HTTPException

from domain import (
    cards,
    cases,
    clients,
    compliance_checks,
    compliance_schedules,
    contacts,
    credentials,
    credit,
    csv_rows,
    deal_stages,
    deals,
    erasures,
    exports,
    feedback,
    given_up,
    goals,
    hooks,
    idempotency,
    imports,
    keys,
    mailboxes,
    order_exceptions,
    orders,
    products,
    quotes,
    settings,
    switches,
    tasks,
    tenants,
    undo,
    uploads,
    users,
)  # fmt: skip
from domain.addresses import InvalidAddress
from domain.vault import SecretUnreadable
from jobs import approvals, connect, dead_letters, explain

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20
LATER_SECONDS = 5

STATUS: Mapping[type[Exception], int] = {
    keys.InvalidKey: 401,
    keys.InvalidRole: 422,
    tenants.UnknownTenant: 404,
    tenants.InvalidTenant: 422,
    users.InvalidUser: 422,
    users.UnknownUser: 404,
    settings.InvalidSetting: 422,
    switches.UnknownSwitch: 422,
    clients.InvalidClient: 422,
    clients.UnknownClient: 404,
    contacts.InvalidContact: 422,
    contacts.UnknownContact: 404,
    credit.InvalidCredit: 422,
    deals.InvalidDeal: 422,
    deals.UnknownDeal: 404,
    deals.IllegalDealMove: 409,
    deal_stages.InvalidStage: 422,
    deal_stages.UnknownStage: 422,
    compliance_checks.InvalidCheck: 422,
    compliance_checks.UnknownCheck: 404,
    compliance_checks.IllegalCheckMove: 409,
    compliance_schedules.InvalidSchedule: 422,
    compliance_schedules.UnknownSchedule: 404,
    goals.InvalidGoal: 422,
    goals.UnknownGoal: 404,
    order_exceptions.InvalidResolution: 422,
    order_exceptions.UnknownException: 404,
    orders.InvalidOrder: 422,
    orders.UnknownOrder: 404,
    quotes.InvalidQuote: 422,
    quotes.UnknownQuote: 404,
    quotes.IllegalQuoteMove: 409,
    feedback.InvalidFeedback: 422,
    feedback.UnknownFeedbackRequest: 404,
    feedback.IllegalFeedbackMove: 409,
    products.InvalidProduct: 422,
    products.UnknownProduct: 404,
    mailboxes.InvalidMailbox: 422,
    mailboxes.UnknownMailbox: 404,
    connect.NotOffered: 409,
    credentials.NoCredential: 404,
    given_up.UnknownLetter: 404,
    dead_letters.NotReplayable: 409,
    cases.UnknownCase: 404,
    tasks.UnknownTask: 404,
    InvalidAddress: 422,
    cards.IllegalMove: 409,
    hooks.UnknownDelivery: 404,
    undo.UnknownCard: 404,
    undo.NotUndoable: 409,
    undo.ChangedSince: 409,
    approvals.NotWaiting: 409,
    approvals.ApprovalVoid: 409,
    approvals.ApprovalExpired: 409,
    explain.NoSuchCard: 404,
    idempotency.StillRunning: 409,
    idempotency.KeyReused: 422,
    imports.UnknownImport: 404,
    imports.ImportElsewhere: 409,
    csv_rows.InvalidFile: 422,
    uploads.UnknownUpload: 404,
    uploads.UploadClosed: 409,
    uploads.UploadIncomplete: 409,
    uploads.PieceDiffers: 409,
    uploads.InvalidPiece: 422,
    uploads.TooManyUploads: 409,
    exports.UnknownExport: 404,
    erasures.UnknownErasure: 404,
    SecretUnreadable: 409,
}
"""What each declared refusal of the domain answers; its docstring is the title."""

MENDS: Mapping[int, tuple[str, str]] = {
    404: ("There is nothing at this address.", "GET /openapi.json lists every address there is."),
    405: ("This address does not take that method.", "The header Allow lists those that it takes."),
}


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    problem: str


class ProblemDetails(BaseModel):
    """An error, in the form of RFC 9457."""

    type: str = Field(description="`about:blank`: the title and the status say it all")
    title: str
    status: int
    detail: str = Field(description="What is wrong, and how to mend it")
    errors: list[FieldError] | None = Field(default=None, description="Where several fields may be wrong, each of them")


class Problem(Exception):
    """A request that cannot be served, in the words of RFC 9457."""

    def __init__(self, status: int, title: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.more = status, title, detail, more


def install(app: FastAPI) -> None:
    """Answer every declared failure as a problem; what nobody declared is answered by the envelope."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(exc.DBAPIError, _database)
    app.add_exception_handler(exc.TimeoutError, _busy)
    # lock connections are the driver's own
    app.add_exception_handler(psycopg.OperationalError, _busy)
    for kind in STATUS:
        app.add_exception_handler(kind, _declared)


def told(problem: Problem) -> JSONResponse:
    """A problem as a response."""
    return answer(problem.status, problem.title, problem.detail, **problem.more)


def unexpected() -> JSONResponse:
    """The answer to what nobody foresaw; the log has the rest."""
    return answer(500, "Something went wrong inside the house.", "It was recorded; the request may be tried again.")


def answer(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> JSONResponse:
    """A response in the form of `ProblemDetails`."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    sent = dict(headers or {})
    if status == 401:
        sent.setdefault("WWW-Authenticate", "Bearer")
    if status == 503:
        sent.setdefault("Retry-After", str(LATER_SECONDS))
    return JSONResponse(body, status, headers=sent, media_type=MEDIA_TYPE)


def title_of(kind: type[Exception]) -> str:
    """The first line of an error's docstring."""
    return (kind.__doc__ or kind.__name__).splitlines()[0]


def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return told(error)


def _declared(_request: Request, error: Exception) -> JSONResponse:
    kind = next(kind for kind in type(error).__mro__ if kind in STATUS)
    return answer(STATUS[kind], title_of(kind), str(error.args[0]) if error.args else title_of(kind))


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = [
        {"field": ".".join(str(part) for part in each["loc"])[:200], "problem": each["msg"]}
        for each in error.errors()[:MOST_ERRORS]
    ]
    detail = "; ".join(f"{each['field']}: {each['problem']}" for each in fields)
    return answer(422, "The request is not of the expected form.", detail, errors=fields)


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    title, mend = MENDS.get(error.status_code, (str(error.detail), str(error.detail)))
    return answer(error.status_code, title, mend, error.headers)


def _database(request: Request, error: Exception) -> JSONResponse:
    """What the database refuses is the request's fault where it says so; all else is ours, or the weather's."""
    assert isinstance(error, exc.DBAPIError)
    if isinstance(error, exc.DataError | exc.IntegrityError):
        # its own words may hold an address: only the kind of refusal is told
        state = getattr(error.orig, "sqlstate", None) or "?"
        log.warning("api.refused_by_database", route=_pattern(request), sqlstate=state)
        return answer(422, "The database can't keep a value of this request.",
                      f"A field names something that is not there, or is out of range (SQLSTATE {state}).")  # fmt: skip
    if isinstance(error, exc.OperationalError | exc.InterfaceError) or error.connection_invalidated:
        return _busy(request, error)
    raise error


def _busy(request: Request, error: Exception) -> JSONResponse:
    log.error("api.database_unavailable", route=_pattern(request), error=type(error).__name__)
    return answer(503, "The database can't be reached just now.", f"Try again in {LATER_SECONDS} seconds.")


def _pattern(request: Request) -> str:
    return str(getattr(request.scope.get("route"), "path", "?"))
