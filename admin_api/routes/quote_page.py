"""The page of a quote behind its signed link: looking decides nothing, and a POST takes the client's yes or no."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from admin_api import hosted, quote_page, visitors
from admin_api.access import TheHouse
from admin_api.hosted import Form
from domain import contacts, quote_life, quotes, storable
from domain.db import Tx
from domain.house import House
from domain.page_links import QUOTE
from domain.quotes import IllegalQuoteMove, InvalidQuote, Quote

router = APIRouter(prefix="/q", tags=["quote page"], responses=hosted.AS_PAGES)

PATH = "/{tenant}/{quote}/{terms}/{signature}"
LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Link:
    """One revision of a quote, opened by a link that is ours and has not run out."""

    house: House
    tenant: UUID
    quote: UUID
    revision: int
    here: str

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        with self.house.database.tenant(self.tenant, actor="quote page") as tx:
            yield tx

    def found(self, tx: Tx) -> Quote | None:
        """The quote, while this is the revision that stands and nobody has taken it back."""
        quote = quotes.get(tx, self.quote)
        live = quote is not None and quote.revision == self.revision and quote.status != "withdrawn"
        return quote if live else None


def opened(tenant: UUID, quote: UUID, terms: str, signature: str, house: TheHouse, request: Request) -> Link:
    """The link, checked before anything of the tenant is read. Raises Problem."""
    with hosted.checked():
        revision = QUOTE.edition(house.vault, tenant, quote, terms, signature, now=house.clock.now())
    return Link(house, tenant, quote, revision, QUOTE.path(tenant, quote, terms, signature))


Opened = Annotated[Link, Depends(opened)]


@router.head(PATH, include_in_schema=False)
@router.get(PATH, response_class=HTMLResponse,
            summary="Shows the quote; a GET decides nothing, because mail scanners open links")  # fmt: skip
def look(link: Opened, request: Request) -> HTMLResponse:
    sign = visitors.scanner(request.method, request.headers)
    with link.transaction() as tx:
        if link.found(tx) is not None:
            quote_life.visited(tx, link.quote, link.revision, scanner=sign, looks=visitors.looks(request.headers))
        return _shown(link, tx)


@router.get(f"{PATH}/pdf", response_class=Response, summary="The same as a PDF")
def document(link: Opened) -> Response:
    with link.transaction() as tx:
        quote = link.found(tx)
        if quote is None:
            return _shown(link, tx)
        made = quote_page.document(quote_page.view(tx, quote, tx.now))
        name = "".join(each if each.isalnum() or each == "-" else "-" for each in quote.number)
    disposition = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    return Response(made, media_type="application/pdf", headers={**quote_page.HEADERS, **disposition})


@router.get(
    f"{PATH}/accept",
    status_code=303,
    response_class=RedirectResponse,
    summary="Leads to the page; a GET answers nothing",
)
@router.get(f"{PATH}/reject", status_code=303, response_class=RedirectResponse,
            summary="Leads to the page; a GET refuses nothing")  # fmt: skip
def back(link: Opened) -> RedirectResponse:
    """Whoever opens the address of their answer once more is led to the page: a GET answers nothing."""
    return RedirectResponse(link.here, 303)


@router.post(f"{PATH}/accept", response_class=HTMLResponse, summary="The client says yes; again, it says so again")
def accept(link: Opened, said: Form) -> HTMLResponse:
    with link.transaction() as tx:
        quote = link.found(tx)
        if quote is None:
            return _shown(link, tx)
        name = storable.line(said.get("name", ""), LONGEST_NAME)
        try:
            quotes.accept(tx, link.quote, by=name or _addressee(tx, quote), revision=link.revision)
        except IllegalQuoteMove:
            return _shown(link, tx, refused=True)
        return _shown(link, tx)


@router.post(f"{PATH}/reject", response_class=HTMLResponse, summary="The client says no, and why")
def reject(link: Opened, said: Form) -> HTMLResponse:
    with link.transaction() as tx:
        quote = link.found(tx)
        if quote is None:
            return _shown(link, tx)
        try:
            quotes.reject(tx, link.quote, by=_addressee(tx, quote), reason=said.get("reason", ""),
                          revision=link.revision)  # fmt: skip
        except InvalidQuote:
            told = quote_page.view(tx, quote, tx.now)
            return HTMLResponse(quote_page.page(told, link.here, problem=told.words.needs_reason), 422,
                                headers=quote_page.HEADERS)  # fmt: skip
        except IllegalQuoteMove:
            return _shown(link, tx, refused=True)
        return _shown(link, tx)


def _shown(link: Link, tx: Tx, *, refused: bool = False) -> HTMLResponse:
    """The page as it stands now, or what is shown where it was."""
    quote = link.found(tx)
    if quote is None:
        gone = quotes.get(tx, link.quote)
        lang = quote_page.language(tx, gone) if gone is not None else "en"
        return HTMLResponse(quote_page.farewell(lang), 410, headers=quote_page.HEADERS)
    told = quote_page.view(tx, quote, tx.now)
    problem = told.words.otherwise if refused and quote.answered_at is not None else ""
    return HTMLResponse(quote_page.page(told, link.here, problem=problem), 409 if refused else 200,
                        headers=quote_page.HEADERS)  # fmt: skip


def _addressee(tx: Tx, quote: Quote) -> str:
    """Whom the link was sent to: whoever has it answers in their name."""
    person = contacts.get(tx, quote.contact_id) if quote.contact_id else None
    return f"{person.name} (page)" if person is not None else "the client (page)"
