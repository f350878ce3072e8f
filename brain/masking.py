"""Masks for personal data: what must not leave is named by a mark, and put back into the answer on its way in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

Identity = Callable[[str], bool]
"""Whether a piece of text is an identity, card or account number, by its own check digits."""

_ADDRESS = re.compile(r"[\w.!#$%&'*+=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"(?<![\w])(?:[A-Z]{2}\d{2}[ ]?|[XYZxyz][ -]?|\+|\()?\d(?:[\d .()/-]{4,32}[\dKkA-Za-z])(?!\w)")
_WITH_LETTERS = re.compile(r"(?<![\w.])[A-Za-z\d]{2}\.[A-Za-z\d]{3}\.[A-Za-z\d]{3}/[A-Za-z\d]{4}-\d{2}(?!\w)")
"""Brazil's CNPJ, in which letters may stand since 2026."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}")
_MARK = re.compile(r"\[\[(?:NAME|ADDRESS|PHONE|ID)_\d+\]\]")
SHORTEST_NAME = 3
PHONE_DIGITS = range(7, 16)


class Mask:
    """The marks of one question. One mask serves one prompt and its answer, and is then forgotten."""

    def __init__(self, names: Iterable[str], *, is_identity: Identity) -> None:
        self._is_identity = is_identity
        self._names = _patterns(names)
        self._marks: dict[str, str] = {}

    def hide(self, text: str) -> str:
        """The text with a mark for every name, address, phone and identity number."""
        for kind, find in (
            ("ADDRESS", _addresses),
            ("ID", self._identities),
            ("PHONE", _phones),
            ("NAME", self._named),
        ):
            for found in sorted(set(find(text)), key=len, reverse=True):
                text = text.replace(found, self._mark(kind, found))
        return text

    def show(self, text: str) -> str:
        """A text of ours or an answer with the marks put back."""
        return _MARK.sub(lambda hit: self._behind(hit[0]), text)

    def show_in_json(self, text: str) -> str:
        """The same where the text is JSON, in whose strings a mark's own quotes must be escaped."""
        return _MARK.sub(lambda hit: json.dumps(self._behind(hit[0]), ensure_ascii=False)[1:-1], text)

    def _behind(self, mark: str) -> str:
        return next((value for value, known in self._marks.items() if known == mark), mark)

    def _mark(self, kind: str, value: str) -> str:
        if value not in self._marks:
            count = sum(mark.startswith(f"[[{kind}_") for mark in self._marks.values())
            self._marks[value] = f"[[{kind}_{count + 1}]]"
        return self._marks[value]

    def _identities(self, text: str) -> Iterator[str]:
        return (hit for hit in _numbers(text) if self._is_identity(hit))

    def _named(self, text: str) -> Iterator[str]:
        if self._names is not None:
            yield from (hit[0] for hit in self._names.finditer(text))


def _patterns(names: Iterable[str]) -> re.Pattern[str] | None:
    """Whole names first, then their parts: somebody is greeted by one of them."""
    known: Sequence[str] = [" ".join(name.split()) for name in names if name and name.strip()]
    parts = {part for name in known for part in re.split(r"[\s,]+", name) if len(part) >= SHORTEST_NAME}
    wanted = sorted({*(name for name in known if len(name) >= SHORTEST_NAME), *parts}, key=len, reverse=True)
    if not wanted:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(re.escape(each) for each in wanted)})(?!\w)", re.IGNORECASE)


def _addresses(text: str) -> Iterator[str]:
    return (hit[0] for hit in _ADDRESS.finditer(text))


def _numbers(text: str) -> Iterator[str]:
    for pattern in (_WITH_LETTERS, _NUMBER):
        yield from (hit[0].strip() for hit in pattern.finditer(text))


def _phones(text: str) -> Iterator[str]:
    for hit in _numbers(text):
        digits = sum(each.isdigit() for each in hit)
        if digits in PHONE_DIGITS and not _DATE.fullmatch(hit) and not hit[-1].isalpha():
            yield hit
