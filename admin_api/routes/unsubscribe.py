"""One-click unsubscribe (RFC 8058): a signed link whose GET only asks, and whose POST acts at once, without a login."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from admin_api.access import TheHouse
from admin_api.problems import Problem
from domain import contacts, deliveries, settings
from domain.db import Tx
from domain.house import House

router = APIRouter(prefix="/u", tags=["unsubscribe"])


class Words(NamedTuple):
    """What the page says, in one language."""

    title: str
    question: str
    button: str
    done: str


WORDS: Mapping[str, Words] = {
    "en": Words("Unsubscribe", "Do you want to stop getting mail from us?", "Unsubscribe",
                "Done. You will not get mail from us any more."),
    "es": Words("Darse de baja", "¿Quiere dejar de recibir nuestros correos?", "Darme de baja",
                "Hecho. No recibirá más correos nuestros."),
    "pt": Words("Cancelar inscrição", "Quer deixar de receber nossos e-mails?", "Cancelar",
                "Feito. Não receberá mais e-mails nossos."),
}  # fmt: skip

PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><p>{words}</p>{form}</html>
"""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Robots-Tag": "noindex",
}


@router.get("/{tenant}/{contact}/{signature}", response_class=HTMLResponse,
            summary="Asks; a GET changes nothing, because mail scanners open links")  # fmt: skip
def ask(tenant: UUID, contact: UUID, signature: str, house: TheHouse) -> HTMLResponse:
    _check(house, tenant, contact, signature)
    with house.database.tenant(tenant, actor="unsubscribe link") as tx:
        lang = _language(tx, contact)
    words = WORDS[lang]
    form = f'<form method="post"><button>{words.button}</button></form>'
    return HTMLResponse(PAGE.format(lang=lang, title=words.title, words=words.question, form=form), headers=HEADERS)


@router.post("/{tenant}/{contact}/{signature}", response_class=HTMLResponse, summary="Opts out at once (RFC 8058)")
def opt_out(tenant: UUID, contact: UUID, signature: str, house: TheHouse) -> HTMLResponse:
    """Whatever the body says. A repetition says the same again."""
    _check(house, tenant, contact, signature)
    with house.database.tenant(tenant, actor="unsubscribe link") as tx:
        lang = _language(tx, contact)
        for address in contacts.addresses_of(tx, [contact]).get(contact, ()):
            deliveries.opted_out(tx, house.vault, address, source="one-click")
    words = WORDS[lang]
    return HTMLResponse(PAGE.format(lang=lang, title=words.title, words=words.done, form=""), headers=HEADERS)


def _check(house: House, tenant: UUID, contact: UUID, signature: str) -> None:
    if not house.vault.verify("unsubscribe", f"{tenant}:{contact}", signature):
        raise Problem(404, "This link is not one of ours.", "Use the link exactly as it stands in the mail.")


def _language(tx: Tx, contact_id: UUID) -> str:
    """The person's own language, else the tenant's, where we speak it."""
    found = contacts.get(tx, contact_id)
    told = (found.language if found else None) or settings.readable(tx).language
    return told if told in WORDS else "en"
