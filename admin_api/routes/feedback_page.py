"""The page that asks for feedback, behind its signed link: looking records nothing, and a POST takes the answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from admin_api import feedback_page, hosted, visitors
from admin_api.access import TheHouse
from admin_api.hosted import Form
from domain import contacts, feedback, feedback_answers, feedback_life
from domain.db import Tx
from domain.feedback_answers import Said
from domain.feedback_book import IllegalFeedbackMove, InvalidFeedback
from domain.feedback_book import Request as Asked
from domain.house import House
from domain.page_links import FEEDBACK

router = APIRouter(prefix="/f", tags=["feedback page"], responses=hosted.AS_PAGES)

PATH = "/{tenant}/{asked}/{terms}/{signature}"


@dataclass(frozen=True, slots=True)
class Link:
    """A feedback request, opened by a link that is ours and has not run out."""

    house: House
    tenant: UUID
    asked: UUID
    here: str

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        with self.house.database.tenant(self.tenant, actor="feedback page") as tx:
            yield tx


def opened(tenant: UUID, asked: UUID, terms: str, signature: str, house: TheHouse) -> Link:
    """The link, checked before anything of the tenant is read. Raises Problem."""
    with hosted.checked():
        FEEDBACK.edition(house.vault, tenant, asked, terms, signature, now=house.clock.now())
    return Link(house, tenant, asked, FEEDBACK.path(tenant, asked, terms, signature))


Opened = Annotated[Link, Depends(opened)]


@router.head(PATH, include_in_schema=False)
@router.get(PATH, response_class=HTMLResponse,
            summary="Asks for a rating; a GET records none, because mail scanners open links")  # fmt: skip
def look(link: Opened, request: Request) -> HTMLResponse:
    sign = visitors.scanner(request.method, request.headers)
    with link.transaction() as tx:
        if feedback.get(tx, link.asked) is not None:
            feedback_life.visited(tx, link.asked, scanner=sign)
        return _shown(link, tx, request)


@router.post(
    PATH, response_class=HTMLResponse, summary="Takes the rating and the words beside it; again, it changes them"
)
def answer(link: Opened, given: Form, request: Request) -> HTMLResponse:
    with link.transaction() as tx:
        found = feedback.get(tx, link.asked)
        if found is None or not feedback_page.is_open(tx, found):
            return _shown(link, tx, request, status=409)
        told = given.get("rating", "")
        if told not in ("1", "2", "3", "4", "5"):
            return _shown(link, tx, request, status=422, wrong=True)
        said = Said("page", _addressee(tx, found), rating=int(told), comment=given.get("comment"),
                    contact_id=found.contact_id)  # fmt: skip
        try:
            feedback_answers.record(tx, link.asked, said)
        except (IllegalFeedbackMove, InvalidFeedback):
            return _shown(link, tx, request, status=409)
        return _shown(link, tx, request)


def _shown(link: Link, tx: Tx, request: Request, *, status: int = 200, wrong: bool = False) -> HTMLResponse:
    """The page as it stands now, or what is shown where it was."""
    found = feedback.get(tx, link.asked)
    if found is None:
        return HTMLResponse(feedback_page.farewell(hosted.tongue(request)), 410, headers=hosted.HEADERS)
    told = feedback_page.view(tx, found)
    problem = told.words.wrong if wrong else ""
    return HTMLResponse(feedback_page.page(told, link.here, problem=problem), status, headers=hosted.HEADERS)


def _addressee(tx: Tx, found: Asked) -> str:
    """Whom the link was sent to: whoever has it answers in their name."""
    person = contacts.get(tx, found.contact_id) if found.contact_id else None
    return f"{person.name} (page)" if person is not None else "the client (page)"
