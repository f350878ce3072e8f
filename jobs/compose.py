"""A card's mail, rendered: the same card, contact, thread and settings always give the same bytes."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from email.utils import formataddr
from typing import NamedTuple
from uuid import UUID

from brain import rulebook
from domain import drafts, outbound, quote_links, sources, threads
from domain.cards import Card
from domain.db import Row, Tx
from domain.house import House
from domain.page_links import FEEDBACK
from domain.ports import OutboundMail
from domain.settings import TenantSettings
from domain.switches import OUTWARD
from jobs import wording

LONGEST_TAG = 256
REFERENCES = 10
"""How many earlier Message-IDs a References header carries."""

OPT_OUT = {
    "en": "If you would rather not hear from us, you can unsubscribe here: {url}",
    "es": "Si prefiere no recibir nuestros mensajes, puede darse de baja aquí: {url}",
    "pt": "Se preferir não receber nossas mensagens, pode cancelar a inscrição aqui: {url}",
}


class Unsendable(Exception):
    """The card cannot become a mail: something that it needs is missing."""


class Composed(NamedTuple):
    """What there is of some cards' mails."""

    mails: dict[UUID, OutboundMail]
    failures: dict[UUID, Unsendable]
    """Why a card has none."""
    outdated: dict[UUID, tuple[str, ...]]
    """What of the words that it was written in is another by now."""


def compose(house: House, tx: Tx, cards: Sequence[Card], settings: TenantSettings) -> Composed:
    """The mail of each outward card; two queries for any number of cards."""
    outward = [card for card in cards if card.type in OUTWARD]
    found = sources.of(tx, outward)
    earlier = threads.said(tx, [card.thread_id for card in outward if card.thread_id])
    mails: dict[UUID, OutboundMail] = {}
    failures: dict[UUID, Unsendable] = {}
    for card in outward:
        try:
            before = earlier.get(card.thread_id, []) if card.thread_id else []
            mails[card.id] = _mail(house, tx.tenant_id, card, settings, found.get(card.id), before)
        except (Unsendable, rulebook.TemplateFailed) as error:
            failures[card.id] = Unsendable(str(error))
    changed = {card.id: wording.outdated(card, found.get(card.id), settings) for card in outward}
    return Composed(mails, failures, changed)


def unsubscribe_url(house: House, tenant_id: UUID, contact_id: UUID) -> str:
    """The address of a contact's own opt-out page: signed, so that nobody can opt others out."""
    signature = house.vault.sign("unsubscribe", f"{tenant_id}:{contact_id}")
    return f"{house.public_url}/u/{tenant_id}/{contact_id}/{signature}"


def _mail(
    house: House, tenant_id: UUID, card: Card, settings: TenantSettings, contact: Row | None, earlier: Sequence[Row]
) -> OutboundMail:
    if "@" not in settings.sender_address:
        raise Unsendable("the tenant has no sender_address: set it with `hourhand tenant set`")
    if contact is None or contact["contact_id"] is None or card.contact_id is None:
        raise Unsendable("the card is about no contact of this tenant")
    to = tuple(card.payload.get("to") or ([contact["email"]] if contact["email"] else []))
    if not to:
        raise Unsendable("the contact has no address")
    language = card.payload.get("language") or settings.language
    page = _page(house, tenant_id, card)
    subject, body = _words(card, language, page)
    if not subject.strip() or not body.strip():
        raise Unsendable("the card has no subject or no text")
    url = unsubscribe_url(house, tenant_id, card.contact_id)
    text = _with_footer(body, settings, language, url)
    if earlier and not subject.lower().startswith("re:"):
        subject = f"Re: {earlier[0]['subject'] or subject}".replace("Re: Re:", "Re:")
    mail = OutboundMail(
        card_id=card.id,
        idempotency_key="",
        message_id=f"<{card.id}@{settings.sender_address.rsplit('@', 1)[1]}>",
        sender=formataddr((settings.sender_name, settings.sender_address)),
        to=to,
        cc=tuple(card.payload.get("cc", ())),
        bcc=tuple(card.payload.get("bcc", ())),
        subject=" ".join(subject.split()),
        text=text,
        html=_html(text, [each for each in (url, page) if each]),
        reply_to=settings.reply_to or None,
        headers=_headers(card, url, [row["rfc_message_id"] for row in earlier]),
        tags={"card": str(card.id), "tenant": str(tenant_id), **_intent(card)},
    )
    # the key is bound to the bytes: other bytes can never travel under it
    return replace(mail, idempotency_key=f"hh-{card.id.hex}-{outbound.content_hash(mail).hex()[:16]}")


def _intent(card: Card) -> dict[str, str]:
    """What the mail is for, in the letters that a tag may have: of a forgotten card the provider still tells that."""
    told = base64.urlsafe_b64encode(card.dedupe_key.encode()).rstrip(b"=").decode()
    return {"type": card.type, "engine": card.engine, **({"intent": told} if len(told) <= LONGEST_TAG else {})}


def _page(house: House, tenant_id: UUID, card: Card) -> str | None:
    """The address of the hosted page that the card leads to, if it leads to one."""
    if (told := card.payload.get("quote_page")) is not None:
        page = quote_links.address(house.vault, house.public_url, tenant_id, UUID(told["quote_id"]),
                                   int(told["revision"]), datetime.fromisoformat(told["until"]))  # fmt: skip
    elif (told := card.payload.get("feedback_page")) is not None:
        page = FEEDBACK.address(house.vault, house.public_url, tenant_id, UUID(told["request_id"]), 1,
                                datetime.fromisoformat(told["until"]))  # fmt: skip
    else:
        return None
    if len(page) > rulebook.SLOT_CHARACTERS:
        raise Unsendable("the public address of the house is so long that no link to a page would fit")
    return page


def _words(card: Card, language: str, page: str | None) -> tuple[str, str]:
    """Subject and text: what a person or an engine wrote out, and the template for the rest."""
    subject, text = str(card.payload.get("subject") or ""), str(card.payload.get("text") or "")
    template = str(card.payload.get("template") or "")
    # a person who edits a draft may leave the mark in it
    text = text.replace(drafts.PAGE, page or "")
    if not template:
        return subject, text
    slots = card.payload.get("slots", {})
    draft = rulebook.write(template, language, {**slots, "link": page} if page else slots)
    return subject or draft.subject, text or drafts.words(card.payload).replace(drafts.PAGE, page or "") or draft.text


def _headers(card: Card, url: str, earlier: Sequence[str]) -> dict[str, str]:
    headers = {
        # RFC 8058: both headers, and the address acts on a POST without further ado
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "X-Hourhand-Card": str(card.id),
    }
    if not card.approved_by:
        # RFC 3834: no person looked at it, and other machines should not answer it
        headers["Auto-Submitted"] = "auto-replied" if card.payload.get("answers_message_id") else "auto-generated"
    if earlier:
        headers["In-Reply-To"] = earlier[-1]
        headers["References"] = " ".join(earlier[-REFERENCES:])
    return headers


def _with_footer(body: str, settings: TenantSettings, language: str, url: str) -> str:
    lines = [body.rstrip(), "", "-- "]
    if settings.postal_address:
        lines.append(settings.postal_address)
    lines.append(OPT_OUT.get(language, OPT_OUT["en"]).format(url=url))
    return "\n".join(lines) + "\n"


def _html(text: str, urls: Sequence[str]) -> str:
    shown = html.escape(text.strip())
    for url in map(html.escape, urls):
        shown = shown.replace(url, f'<a href="{url}">{url}</a>')
    paragraphs = (part.replace("\n", "<br>\n") for part in shown.split("\n\n"))
    return "<html><body>\n" + "\n".join(f"<p>{part}</p>" for part in paragraphs) + "\n</body></html>\n"
