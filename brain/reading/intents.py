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

    def stems_in(self, text: str) -> list[str]:
        """The stems that a whole text holds: only they need be sought in its sentences."""
        return [stem for stem in self.stems if stem in text]

    def holds(self, sentence: str, stems: Sequence[str]) -> bool:
        """`sentence`, folded, says it; `stems` are those of the text that it stands in."""
        for stem in stems:
            if stem in sentence:
                return self.strong.search(sentence) is not None and self.never.search(sentence) is None
        return False


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
        # every saying begins with a word: no other place of the sentence need be looked at
        re.compile(rf"(?<!\w)(?:{fold('|'.join(sayings.strong))})"),
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
    told = [(fold(sentence.lower()), sentence) for sentence in (*sentences, subject)]
    whole = "\n".join(lowered for lowered, _ in told)
    for intent in _INTENTS:
        stems = intent.stems_in(whole)
        said = next((sentence for lowered, sentence in told if intent.holds(lowered, stems)), None) if stems else None
        if said is not None:
            found[intent.name] = said
    return found
