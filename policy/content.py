"""What a rendered message says, found once and judged by many rules; pure text in, plain findings out."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.ports import OutboundMail
from policy import letters, links, moments, numbers, phrases, promises
from policy.links import Link
from policy.promises import NO_BACKING, Backing

_TAG = re.compile(r"<[^>]*>")
_HIDDEN = re.compile(r"(?is)<(style|script|head|title)\b.*?</\1\s*>|<!--.*?-->")
_ACTIVE = re.compile(
    r"(?i)<\s*(script|img|picture|video|audio|iframe|frame|object|embed|applet|form|input|button|link|meta|base|svg|math|style)\b"
    r"|\bon[a-z]{3,20}\s*=|url\s*\(|@import"
)


@dataclass(frozen=True, slots=True)
class Content:
    """The findings of one message. Excerpts are short, and a secret or personal number is never among them."""

    links: tuple[Link, ...] = ()
    active_html: str | None = None
    """HTML that fetches, runs or asks for something."""
    payment_details: tuple[str, ...] = ()
    credentials: int = 0
    personal_numbers: tuple[str, ...] = ()
    legal_threats: tuple[str, ...] = ()
    prices: tuple[tuple[str, Decimal], ...] = ()
    free_of_charge: tuple[str, ...] = ()
    discounts: tuple[str, ...] = ()
    percentages: tuple[Decimal, ...] = ()
    deadlines: tuple[tuple[str, str], ...] = ()
    backing: Backing = NO_BACKING


def read(mail: OutboundMail, payload: Mapping[str, Any], *, own_words: tuple[str, ...] = ()) -> Content:
    """Search a message's subject, text and HTML.

    `own_words` are the tenant's own lines (its postal address), whose numbers are no secrets.
    """
    shown = f"{mail.subject}\n{mail.text}"
    found = list(links.of_text(shown))
    if mail.html:
        visible = html.unescape(_TAG.sub(" ", _HIDDEN.sub(" ", mail.html)))
        if _squashed(visible) != _squashed(mail.text):
            shown = f"{shown}\n{visible}"
            found += links.of_text(visible)
        found += links.of_html(mail.html)
    for own in own_words:
        if own:
            shown = shown.replace(own, " ")
    plain = letters.plain(shown)
    discounts = phrases.DISCOUNTS.found(plain)
    return Content(
        links=tuple(dict.fromkeys(found)),
        active_html=_active(mail.html or ""),
        payment_details=phrases.PAYMENT_DETAILS.found(plain),
        credentials=len(phrases.CREDENTIALS.found(plain)),
        personal_numbers=numbers.found(plain),
        legal_threats=phrases.LEGAL_THREATS.found(plain),
        prices=promises.prices(plain),
        free_of_charge=phrases.FREE_OF_CHARGE.found(plain),
        discounts=discounts,
        percentages=promises.percentages(plain) if discounts else (),
        deadlines=moments.deadlines(plain),
        backing=promises.backing(payload),
    )


def _active(source: str) -> str | None:
    """The first tag that fetches, runs or asks for something."""
    return next((tag[:60] for tag in links.tags(source) if _ACTIVE.search(tag)), None)


def _squashed(text: str) -> str:
    return "".join(text.split())
