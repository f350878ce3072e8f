"""Feedback: which requests are due, what clients said, answers that came some other way, and how it all counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from admin_api import pages
from admin_api.access import Operator, Reader, TheHouse
from admin_api.answers import Told
from admin_api.fields import Given, Reason
from admin_api.once import IdempotencyKey, once
from admin_api.pages import Page
from domain import feedback, feedback_answers, feedback_book, feedback_figures
from domain.db import Tx
from domain.feedback import UnknownFeedbackRequest
from domain.feedback_answers import Feeling, Said

router = APIRouter(prefix="/v1", tags=["feedback"])

State = Literal["queued", "sent", "answered", "lapsed", "skipped"]
Sentiment = Literal["negative", "neutral", "positive"]


class RequestShown(Told):
    """A feedback request: one for each order that was delivered."""

    id: UUID
    order_id: UUID
    client_id: UUID
    contact_id: UUID | None
    state: State
    due_at: datetime
    latest_at: datetime = Field(description="Past it nobody is asked any more")
    reason: str | None = Field(description="Why it was skipped")
    insisted: bool
    sent_at: datetime | None
    lapses_at: datetime | None
    reminders: int
    remind_at: datetime | None
    card_id: UUID | None
    thread_id: UUID | None
    visits: int
    scans: int
    answered_at: datetime | None
    rating: int | None = Field(description="From 1 to 5; none where they answered in words alone")
    sentiment: Sentiment | None
    case_id: UUID | None = Field(description="Opened because of the answer")
    recovery_card_id: UUID | None = Field(description="The mail that makes good")
    rests_until: datetime | None = Field(description="Due, and nothing can be done: it is looked at again then")
    rest: Mapping[str, Any] | None = Field(description="Why it rests: rule and reason, and under `also` any other")
    created_at: datetime
    updated_at: datetime


class AnswerShown(Told):
    """One thing that was said."""

    id: UUID
    contact_id: UUID | None
    at: datetime
    channel: Literal["page", "mail", "person"]
    by: str
    rating: int | None
    comment: str | None
    sentiment: Sentiment | None
    read_by: str | None = Field(description="What the sentiment rests on: rating, rulebook, or a model's name")
    span: str | None
    message_id: UUID | None
    counts: bool


class RequestWhole(RequestShown):
    """A request with everything that was said to it, newest first."""

    answers: Sequence[AnswerShown]


class AnswerGiven(Given):
    """An answer that a person of the tenant was given, by telephone for instance."""

    by: Annotated[str, Field(min_length=1, max_length=200, description="Who of the client said so")]
    rating: Annotated[int | None, Field(ge=1, le=5)] = None
    comment: Annotated[str | None, Field(max_length=feedback_book.LONGEST)] = None
    sentiment: Sentiment | None = None

    def said(self, by: str) -> Said:
        """The same as the domain takes it."""
        feeling = Feeling(self.sentiment, by) if self.sentiment else None
        return Said("person", self.by, rating=self.rating, comment=self.comment, feeling=feeling)


class AskGiven(Given):
    """Whom to ask; left out, it is whom the order names."""

    contact_id: UUID | None = None


class Because(Given):
    """Why nobody is to be asked."""

    reason: Reason


class PeriodShown(BaseModel):
    """What was asked and answered in one period."""

    asked: int
    answered: int
    answers: int
    rated: int
    score: float | None
    distribution: Mapping[int, int]
    negative: int
    positive: int
    recoveries: int
    response_rate: float
    negative_share: float


class FiguresShown(BaseModel):
    """The last 90 days, and the 90 before."""

    waiting: int
    open: int
    recoveries_open: int
    now: PeriodShown
    before: PeriodShown
    trend: float | None = Field(description="By how much the score rose since the period before")


@router.get("/feedback-requests", summary="Feedback requests, newest first; with due, those that are due")
def request_list(
    house: TheHouse, at: Reader, state: State | None = None, sentiment: Sentiment | None = None,
    client_id: UUID | None = None, due: Annotated[bool, Query(description="Only what is due by now")] = False,
    limit: pages.Limit = 50, cursor: pages.Cursor = None,
) -> Page[RequestShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = feedback.listed(tx, state=state, sentiment=sentiment, client_id=client_id, due=due,
                               before=pages.uuid_after(cursor), limit=limit + 1)  # fmt: skip
    return pages.of(rows, limit, lambda row: row.id, RequestShown.model_validate)


@router.get("/feedback-requests/{request_id}", summary="A feedback request with what was said to it")
def request(request_id: UUID, house: TheHouse, at: Reader) -> RequestWhole:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return whole(tx, request_id)


@router.post("/feedback-requests/{request_id}/answer", summary="Record an answer that came some other way",
             response_model=RequestWhole)  # fmt: skip
def answer(
    request_id: UUID, given: AnswerGiven, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    verb = _verb(request_id, lambda tx: feedback_answers.record(tx, request_id, given.said(at.actor)))
    return once(house, at, request, idempotency_key, given, verb)


@router.post("/feedback-requests/{request_id}/skip", summary="Have nobody asked about an order",
             response_model=RequestWhole)  # fmt: skip
def skip(
    request_id: UUID, given: Because, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    verb = _verb(request_id, lambda tx: feedback.skip(tx, request_id, reason=given.reason))
    return once(house, at, request, idempotency_key, given, verb)


@router.post("/orders/{order_id}/ask-feedback", summary="Have an order asked about now, also one that was skipped",
             response_model=RequestWhole)  # fmt: skip
def ask(
    order_id: UUID, given: AskGiven, request: Request, house: TheHouse, at: Operator,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> RequestWhole:
        return whole(tx, feedback.ask(tx, order_id, contact_id=given.contact_id).id)

    return once(house, at, request, idempotency_key, given, work)


@router.get("/feedback/stats", summary="Response rate, score, distribution, trend, and what came of bad answers")
def stats(house: TheHouse, at: Reader) -> FiguresShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        told = feedback_figures.stats(tx)
    return FiguresShown(
        waiting=told.waiting, open=told.open, recoveries_open=told.recoveries_open, now=_period(told.now),
        before=_period(told.before), trend=told.trend,
    )  # fmt: skip


def whole(tx: Tx, request_id: UUID) -> RequestWhole:
    """A request with all that is known of it. Raises UnknownFeedbackRequest."""
    found = feedback.get(tx, request_id)
    if found is None:
        raise UnknownFeedbackRequest(f"there is no feedback request {request_id}")
    answers = feedback_answers.of(tx, [request_id]).get(request_id, ())
    return RequestWhole(
        **RequestShown.model_validate(found).model_dump(),
        answers=[AnswerShown.model_validate(each) for each in answers],
    )


def _period(told: feedback_figures.Period) -> PeriodShown:
    return PeriodShown(**asdict(told), response_rate=told.response_rate, negative_share=told.negative_share)


def _verb(request_id: UUID, does: Callable[[Tx], object]) -> Callable[[Tx], RequestWhole]:
    """What a verb did, told as the whole request."""

    def work(tx: Tx) -> RequestWhole:
        does(tx)
        return whole(tx, request_id)

    return work
