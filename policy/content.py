"""What a rendered message says, found once and judged by many rules; pure text in, plain findings out."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from domain.ports import OutboundMail
from policy import letters, links, moments, numbers, phrases, promises
from policy.links import Link
from policy.promises import NO_BACKING, Backing

_TAG = re.compile(r"<[^<>]*>")
_WRAPPED = re.compile(r"(?<!\n)\r?\n(?![\r\n])")
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
    """Search a message's subject, text and HTML, and find what its card says that records stand behind.

    `own_words` mean nothing by themselves: the tenant's postal address, the account's name. Nor does the address of the
    opt-out page, whose ids hold every combination of letters and figures sooner or later ("7cad" is no amount).
    """
    found = search(mail.subject, mail.text, mail.html or "", (*own_words, opt_out_page(mail) or ""))
    backed = promises.backing(payload)
    return replace(found, backing=backed) if backed is not NO_BACKING else found


def opt_out_page(mail: OutboundMail) -> str | None:
    """The opt-out page that the mail itself names; no engine or model writes that header."""
    targets = (target.strip().strip("<>") for target in mail.headers.get("List-Unsubscribe", "").split(","))
    return next((target for target in targets if target.startswith("http")), None)


# a card is judged when it is planned and again when it goes out, and says the same both times
@functools.lru_cache(maxsize=1024)
def search(subject: str, text: str, source: str, own_words: tuple[str, ...]) -> Content:
    """The findings of a subject, a text and its HTML."""
    shown = f"{subject}\n{text}"
    found = list(links.of_text(shown))
    if source and _squashed(html.unescape(_TAG.sub("", source))) != _squashed(text):
        # with and without a gap for each tag, so that a word can't hide behind one
        readings = (html.unescape(_TAG.sub(gap, source)) for gap in (" ", ""))
        shown = "\n".join((shown, *readings))
        found += links.of_text(shown)
    found += links.of_html(source)
    for own in own_words:
        if own:
            shown = shown.replace(own, " them ")
    # lines of one paragraph are one sentence; an empty line ends it
    plain = _WRAPPED.sub(" ", letters.plain(shown))
    discounts = phrases.DISCOUNTS.found(plain)
    return Content(
        links=tuple(dict.fromkeys(found)),
        active_html=_active(source),
        payment_details=phrases.PAYMENT_DETAILS.found(plain),
        credentials=len(phrases.CREDENTIALS.found(plain)),
        personal_numbers=numbers.found(plain),
        legal_threats=phrases.LEGAL_THREATS.found(plain),
        prices=promises.prices(plain),
        free_of_charge=phrases.FREE_OF_CHARGE.found(plain),
        discounts=discounts,
        percentages=promises.percentages(plain) if discounts else (),
        deadlines=moments.deadlines(plain),
    )


def _active(source: str) -> str | None:
    """The first tag that fetches, runs or asks for something."""
    return next((tag[:60] for tag in links.tags(source) if _ACTIVE.search(tag)), None)


def _squashed(text: str) -> str:
    return "".join(text.split())
