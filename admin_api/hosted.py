"""Pages that clients are led to: what surrounds each, what it may do in a browser, and how its forms are read."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from html import escape
from typing import Annotated, Any, NamedTuple
from urllib.parse import parse_qs

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, Response

from admin_api import problems
from admin_api.problems import Problem
from domain.page_links import DeadLink

STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{width:100%;border-collapse:collapse}td,th{padding:.3rem .5rem;border-bottom:1px solid #ccc;text-align:left}"
    "td{overflow-wrap:anywhere}"
    ".n{text-align:right;white-space:nowrap}form{margin:1rem 0}input{width:100%;max-width:24rem;padding:.3rem}"
    "button{padding:.5rem 1rem;margin:.4rem .4rem 0 0}textarea{width:100%;min-height:6rem}"
    "@media(max-width:30rem){td,th{padding:.3rem .2rem;font-size:.85rem}}"
)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(sha256(STYLE.encode()).digest()).decode()
    + "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Robots-Tag": "noindex, nofollow",
}
"""The page runs nothing, fetches nothing and can be framed by nobody."""

AS_PAGES: dict[int | str, dict[str, Any]] = {"4XX": {"content": {"text/html": {"schema": {"type": "string"}}}}}
"""Errors of such pages as they are described: a browser is told them in a page."""

_SHELL = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style>{body}</html>
"""


def shell(lang: str, title: str, body: str) -> str:
    """A whole page; `title` is text, `body` is HTML."""
    return _SHELL.format(lang=lang, title=escape(title), style=STYLE, body=body)


class Opening(Problem):
    """A link that opens nothing: a person sees a page that says so, a program the problem."""


class Words(NamedTuple):
    """What a person sees behind a link that opens nothing, in one language."""

    title: str
    expired: str
    broken: str


WORDS: Mapping[str, Words] = {
    "en": Words("This page is closed", "This link has run out. Reply to the mail that it came with, and we will help.",
                "This link is not whole. Use it exactly as it stands in our mail."),
    "es": Words("Esta página está cerrada", "Este enlace ha caducado. Responda al correo en que venía y le ayudamos.",
                "Este enlace no está completo. Úselo tal como aparece en nuestro correo."),
    "pt": Words("Esta página está fechada", "Este link expirou. Responda ao e-mail em que ele veio, e nós ajudamos.",
                "Este link não está completo. Use-o exatamente como está no nosso e-mail."),
}  # fmt: skip


@contextmanager
def checked() -> Iterator[None]:
    """Answer a link that opens nothing. Raises Opening."""
    try:
        yield
    except DeadLink as dead:
        if dead.expired:
            raise Opening(410, "This link has run out.", "Ask whoever sent it for a new one.") from dead
        raise Opening(404, "This link is not one of ours.", "Use the link exactly as it stands in the mail.") from dead


def install(app: FastAPI) -> None:
    """Show people a page, and no JSON, where their link opens nothing."""
    app.add_exception_handler(Opening, _closed)


def tongue(request: Request) -> str:
    """The first language of the visitor's browser that we write; nothing of the tenant is read for it."""
    for said in request.headers.get("accept-language", "").lower().split(","):
        if (told := said.strip()[:2]) in WORDS:
            return told
    return "en"


def _closed(request: Request, error: Exception) -> Response:
    assert isinstance(error, Opening)
    if "text/html" not in request.headers.get("accept", ""):
        return problems.told(error)
    lang = tongue(request)
    words = WORDS[lang]
    said = words.expired if error.status == 410 else words.broken
    return HTMLResponse(shell(lang, words.title, f"<p>{said}</p>"), error.status, headers=HEADERS)


async def form(request: Request) -> Mapping[str, str]:
    """The fields of a form as browsers send them."""
    try:
        fields = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=20)
    except ValueError:
        # so many fields are no form of ours
        return {}
    return {name: values[0] for name, values in fields.items()}


Form = Annotated[Mapping[str, str], Depends(form)]
