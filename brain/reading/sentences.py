"""A mail's own words, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

MAX_CHARS = 12_000
MAX_SENTENCE_CHARS = 500

_END = re.compile(
    r"(?<=[.!?…])[\"')\]]*\s+(?=[\"'(\[¿¡]*[A-ZÀ-ÖØ-ÞА-Я0-9¿¡])|(?<=[.!?])\s*$|\n\s*\n|\n(?=\s*(?:[-*•·]"
    r"|\d{1,2}[.)])\s)"
)
_ABBREVIATION = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Sr|Sra|Dra|Prof|St|No|Nr|Nº|approx|ca|z\.B|bzw|e\.g|i\.e|Jr|Inc|Ltd|Co|Fr|Hr|M|Mme|Av|Apr"
    r"|Jan|Feb|Mar|Jun|Jul|Aug|Sep|Oct|Nov|Dec|p\.m|a\.m|\d)\.$"
)
_QUOTED = re.compile(r"^\s*>")
_GREETING = re.compile(
    r"^(?:(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|hola|buen(?:os|as) (?:d[ií]as|tardes|noches)"
    r"|buenas|estimad[oa]s?|querid[oa]s?|ol[aá]|bom dia|boa (?:tarde|noite)|prezad[oa]s?|car[oa]s?|exm[oa]s?\.?"
    r"|hallo|guten (?:tag|morgen|abend)|sehr geehrte[rs]?|liebe[rs]?|moin|bonjour|bonsoir|salut|cher|chère|madame"
    r"|monsieur)\b[^.\n!?]{0,60}?[,!:.\n]\s*)+",
    re.IGNORECASE,
)


def own_words(reply: str, signature: str | None) -> str:
    """The reply without quoted lines, greeting and signature."""
    # a gap where something was quoted, or words from before and after it would be told as one sentence
    text = "\n".join("" if _QUOTED.match(line) else line for line in reply[:MAX_CHARS].split("\n"))
    if signature:
        at = text.rstrip().rfind(signature.split("\n", 1)[0])
        if at > 0 and at > len(text) - len(signature) - 200:
            text = text[:at]
    return text.strip()


def split(text: str) -> Iterator[str]:
    """Sentences of `text`, wrapped lines joined, greetings left out."""
    for paragraph in re.split(r"\n\s*\n", text[:MAX_CHARS]):
        joined = _unwrap(paragraph)
        for line in joined.split("\n"):
            yield from _sentences(_GREETING.sub("", line.strip()))


def _unwrap(paragraph: str) -> str:
    """Lines broken by a mail program at a fixed width become one again; list items stay apart."""
    lines = paragraph.split("\n")
    if len(lines) < 2:
        return paragraph
    joined = [lines[0].strip()]
    for before, line in pairwise(lines):
        stripped = line.strip()
        wrapped = len(before) >= 45 and stripped[:1].isalnum() and not re.match(r"\d{1,4}\s*[.)x×]", stripped)
        if wrapped and not before.rstrip().endswith((":", ".", "!", "?")):
            joined[-1] += " " + stripped
        else:
            joined.append(stripped)
    return "\n".join(joined)


def _sentences(line: str) -> Iterator[str]:
    pending = ""
    for piece in _END.split(line):
        piece = f"{pending} {piece}".strip() if pending else piece.strip()
        pending = ""
        if _ABBREVIATION.search(piece) and len(piece) < 300:
            pending = piece
            continue
        if piece:
            yield piece[:MAX_SENTENCE_CHARS]
    if pending:
        yield pending[:MAX_SENTENCE_CHARS]
