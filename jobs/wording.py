"""Whether a mail that waits still says what its records say; one that does not gives way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from domain import cards, settings, sources
from domain.cards import Card, Step
from domain.db import Row, Tx
from domain.settings import TenantSettings
from engines import greeting
from policy.rules.wording import RULE, since_then

Word = tuple[str, Callable[[Row, TenantSettings], str]]

WORDS: Mapping[str, Word] = {
    "first_name": ("the contact's name", lambda now, _: greeting.first_name(now["name"] or "")),
    "client_name": ("the account's name", lambda now, _: now["client_name"] or ""),
    "company": ("the tenant's name", lambda now, _: now["company"]),
    "sender_name": ("the name that signs", lambda now, chosen: chosen.sender_name or now["company"]),
    "deal_title": ("the deal's title", lambda now, _: greeting.plain_title(now["deal_title"] or "")),
    "order": ("the order's number", lambda now, _: now["order"] or ""),
    "person": ("the name of the person whose record it is", lambda now, _: greeting.plain(now["person"] or "")),
}
"""The words of templates that stand in records: what each is called, and what an engine would fill in now."""

LANGUAGE = "the language to write in"


def outdated(card: Card, now: Row | None, chosen: TenantSettings) -> tuple[str, ...]:
    """What of a mail's words is another by now; nothing where a template left a word out, for that is never wrong."""
    slots = card.payload.get("slots")
    if now is None or not isinstance(slots, Mapping):
        return ()
    found = [called for slot, (called, word) in WORDS.items()
             if (said := slots.get(slot)) and said != word(now, chosen)]  # fmt: skip
    tongue = card.payload.get("language")
    if tongue and tongue != greeting.language((now["language"], now["client_language"]), chosen):
        found.append(LANGUAGE)
    return tuple(found)


def give_way(tx: Tx, some: Sequence[Card]) -> list[Card]:
    """Take back those of the waiting mails that are outdated; which."""
    chosen, now = settings.of(tx), sources.of(tx, some)
    found = {card.id: outdated(card, now.get(card.id), chosen) for card in some}
    steps = [Step(card_id, since_then(changed), RULE) for card_id, changed in found.items() if changed]
    return cards.move_each(tx, steps, "cancelled")
