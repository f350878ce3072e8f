"""Verbatim quotes: whether words really stand in a text, and exactly as they stand there."""

from __future__ import annotations

import re
import unicodedata

SHORTEST = 3


def find(quote: str, text: str) -> str | None:
    """The words of `text` that `quote` repeats, or None.

    Line breaks, runs of blanks and the form of accents may differ; a letter may not.
    """
    words = unicodedata.normalize("NFC", quote).split()
    if len("".join(words)) < SHORTEST:
        return None
    pattern = r"\s+".join(re.escape(word) for word in words)
    found = re.search(pattern, unicodedata.normalize("NFC", text))
    return found.group() if found is not None else None
