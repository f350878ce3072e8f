"""The page on which a client rates an order: five buttons and room for words, in the client's language."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from admin_api import hosted
from admin_api.feedback_words import WORDS, Words
from domain import contacts, feedback_answers, feedback_book, settings, storable
from domain.db import Tx
from domain.feedback_book import Request


@dataclass(frozen=True, slots=True)
class View:
    """Everything that the page shows."""

    request: Request
    lang: str
    company: str
    order: str
    """As the client knows it; empty where it has no name."""
    comment: str
    """What was said on the page before."""
    open: bool
    """Whether an answer is (still) taken."""

    @property
    def words(self) -> Words:
        return WORDS[self.lang]


def view(tx: Tx, request: Request) -> View:
    """What there is to show of a request."""
    row = feedback_book.parties(tx, request)
    person = contacts.get(tx, request.contact_id) if request.contact_id else None
    said = ((person.language if person else None) or row["language"] or settings.readable(tx).language)[:2].lower()
    answers = feedback_answers.of(tx, [request.id]).get(request.id, ())
    on_page = next((each for each in answers if each.channel == "page"), None)
    return View(
        request, said if said in WORDS else "en", storable.line(row["company"], 500), storable.line(row["called"], 500),
        (on_page.comment or "") if on_page else "", open=is_open(tx, request),
    )  # fmt: skip


def is_open(tx: Tx, request: Request) -> bool:
    """Whether an answer is taken: nobody answers what was never asked, nor changes what was settled long ago."""
    return request.state in feedback_book.ANSWERABLE and feedback_answers.changeable(tx, request)


def page(told: View, here: str, *, problem: str = "") -> str:
    """The page. `here` is its own path, which takes the answer; `problem` is what was wrong with one."""
    words, request = told.words, told.request
    said = []
    if problem:
        said.append(f"<strong>{escape(problem)}</strong>")
    if request.state == "answered":
        said.append(f"<strong>{words.sorry if request.sentiment == 'negative' else words.thanks}</strong>")
        if request.rating is not None:
            said.append(escape(words.given.format(rating=request.rating)))
    if not told.open and request.state == "answered":
        said.append(words.settled)
    if not told.open and request.state != "answered":
        # whose mail came back, or of whom nobody has asked anything (yet)
        said.append(words.closed)
    lead = "".join(f"<p>{each}</p>" for each in said)
    question = words.question.format(order=told.order) if told.order else words.title
    body = f"<h1>{escape(question)}</h1><p>{escape(told.company)}</p>{lead}"
    return hosted.shell(told.lang, f"{words.title} · {told.company}", body + (_form(told, here) if told.open else ""))


def farewell(lang: str) -> str:
    """What is shown where a page was."""
    words = WORDS[lang]
    return hosted.shell(lang, words.title, f"<p>{words.gone}</p>")


def _form(told: View, here: str) -> str:
    words = told.words
    buttons = "".join(
        f'<button name="rating" value="{rating}">{rating} {escape(meaning)}</button>'
        for rating, meaning in enumerate(words.scale, start=1)
    )
    lead = words.change if told.request.state == "answered" else words.choose
    return (
        f'<form method="post" action="{here}"><p><label>{words.comment}<br>'
        f'<textarea name="comment" maxlength="{feedback_book.LONGEST}">{escape(told.comment)}</textarea></label></p>'
        f"<p>{lead}<br>{buttons}</p></form>"
    )
