"""Orders, requests for quotes, complaints and wishes to be left alone, sentence by sentence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from brain.reading import intent_words as words
from brain.reading import order_words


@dataclass(frozen=True, slots=True)
class Intent:
    """One intent's patterns, compiled."""

    name: str
    stems: tuple[str, ...]
    strong: re.Pattern[str]
    never: re.Pattern[str]

    def holds(self, sentence: str) -> bool:
        """`sentence`, folded, says it."""
        if not any(stem in sentence for stem in self.stems):
            return False
        return self.strong.search(sentence) is not None and self.never.search(sentence) is None


def fold(text: str) -> str:
    """Lower case without accents: people write `presupuesto` and `orcamento` as their keyboard lets them."""
    lowered = text.replace("’", "'")
    if lowered.isascii():
        return lowered
    return "".join(char for char in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(char))


def _compiled(name: str, sayings: words.Sayings) -> Intent:
    return Intent(
        name,
        tuple(dict.fromkeys(fold(stem) for stem in sayings.stems.split(", "))),
        re.compile(fold("|".join(sayings.strong))),
        re.compile(fold("|".join(sayings.never)) if sayings.never else r"(?!)"),
    )


_INTENTS = tuple(
    _compiled(name, sayings)
    for name, sayings in (
        ("unsubscribe", words.UNSUBSCRIBE),
        ("complaint", words.COMPLAINT),
        ("order_update", order_words.ORDER_UPDATE),
        ("quote_request", words.QUOTE),
        ("order", order_words.ORDER),
    )
)


def found_in(sentences: Sequence[str], subject: str) -> dict[str, str]:
    """Each intent that holds, with the first sentence that shows it."""
    found: dict[str, str] = {}
    for sentence in (*sentences, subject):
        lowered = fold(sentence.lower())
        for intent in _INTENTS:
            if intent.name not in found and intent.holds(lowered):
                found[intent.name] = sentence
    return found
