"""Ratings in words: stars, marks out of five or ten, and a lone figure; each as one from 1 to 5, or none at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

_SPELLED = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "cero": 0, "una": 1, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "siete": 7,
    "ocho": 8, "nueve": 9, "diez": 10, "uma": 1, "um": 1, "duas": 2, "dois": 2, "quatro": 4, "sete": 7, "oito": 8,
    "nove": 9, "dez": 10,
}  # fmt: skip
_FIGURE = rf"(?P<mark>\d{{1,3}}(?:[.,]\d)?|{'|'.join(_SPELLED)})"
_AFTER = (
    r"(?=\s*(?:$|[.,;:!?)\n]|(?:stars?|estrellas?|estrelas?|points?|puntos?|pontos?|for|and|but|because|from|overall|"
    r"y|e|pero|mas|para|por|porque|en|em|com|con)\b))"
)
"""What may follow a mark; a noun there means that so many of so many things are spoken of."""

_OUT_OF = re.compile(
    rf"(?<![\w/.,-]){_FIGURE}\s*(?:/|out of|of|de|sobre|em)\s*(?P<scale>5|five|cinco|10|ten|diez|dez|100)(?![\w/%])"
    rf"{_AFTER}"
)
_STARS = re.compile(rf"(?<![\w/.,-]){_FIGURE}[\s-]*(?:stars?|estrellas?|estrelas?)\b")
_NAMED = re.compile(
    rf"\b(?:rat(?:e|ing|ed)|score|mark|puntuacion|calificacion|valoracion|nota|avaliacao|pontuacao)"
    rf"(?:\s+(?:is|es|e|of|de|you|them|it|us|a|an|un|una|um|uma|final))*\s*[:=]?\s*{_FIGURE}(?![\w/%-])"
)
_LONE = re.compile(r"\W*(?P<mark>\d{1,2})\W*")
_BELOW_ZERO = re.compile(r"\s*[-\u2212]\d")
_SIGNS = re.compile("[★⭐🌟]+")
_DATED = re.compile(r"\b(?:on|since|el|del|dia|em|no|until|till|desde|hasta|ate|before|antes)\s*$")
_DENIED = re.compile(
    r"\b(?:not|never|no|nao|nunca|jamas|cannot|\w+n't|hardly|neither|nor|ni|nem|nobody|none|nadie|ninguem|far from"
    r"|anything but|instead of|less than|short of|lejos de|longe de|en vez de|em vez de|competitor|competitors"
    r"|competencia|concorrencia)\b(?:(?!\b(?:and|but|so|y|e|pero|mas|only|just|solo|apenas|doubt|duda|duvida)\b)"
    r"[^.!?,;:\n]){0,40}$"
)
"""A denial that nothing has ended before the mark: no comma, and no word that begins another thought."""
_TAKEN_BACK = re.compile(
    r"\s*(?:\w+\s*)?\?|[\s,.!-]*(?:i |we |but |and )*(?:would |will |i'd |we'd |i'll |we'll )?(?:never|not)\b"
    r"(?: \w+){0,2} (?:again|recommend)"
)
"""What turns the mark before it round: a question, or that they won't come again."""

LONGEST = 4_000


def rating_in(words: str) -> int | None:
    """The rating from 1 to 5 that somebody gives in their words; of several the lowest, None where there is none."""
    found = list(_ratings(words[:LONGEST]))
    return min(found) if found else None


def _ratings(words: str) -> Iterator[int]:
    for signs in _SIGNS.finditer(words):
        if len(signs.group()) <= 5:
            yield len(signs.group())
    plain = _plain(words)
    first = next((line for line in plain.splitlines() if line.strip()), "")
    if (lone := _LONE.fullmatch(first)) and not _BELOW_ZERO.match(first):
        yield from _scaled(Decimal(lone["mark"]), None)
    for pattern in (_OUT_OF, _STARS, _NAMED):
        for found in pattern.finditer(plain):
            before, behind = plain[max(0, found.start() - 60) : found.start()], plain[found.end() : found.end() + 60]
            slashed = "/" in found.group() and _DATED.search(before)
            if slashed or _DENIED.search(before) or _TAKEN_BACK.match(behind):
                continue
            scale = found["scale"] if pattern is _OUT_OF else "5" if pattern is _STARS else None
            yield from _scaled(_number(found["mark"]), None if scale is None else _number(scale))


def _scaled(mark: Decimal, scale: Decimal | None) -> Iterator[int]:
    """A mark on a scale as one of five; without a scale, up to five it is of five, up to ten of ten."""
    scale = scale or (Decimal(5) if mark <= 5 else Decimal(10))
    if mark > scale:
        return
    of_five = (mark * 5 / scale).quantize(Decimal(1), ROUND_HALF_UP)
    yield max(1, int(of_five))


def _number(told: str) -> Decimal:
    return Decimal(_SPELLED[told]) if told in _SPELLED else Decimal(told.replace(",", "."))


def _plain(words: str) -> str:
    lowered = unicodedata.normalize("NFKD", words.lower().replace("’", "'"))
    return "".join(each for each in lowered if not unicodedata.combining(each))
