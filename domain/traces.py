"""By what a person would be found again: addresses, a full name, telephone numbers; and any value without them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

ERASED = "[erased]"
LEAST_DIGITS = 7
"""Of a number's last digits; how it is written before them differs from country to country."""

_BETWEEN_DIGITS = r"[\s().\-/]*"
_BETWEEN_WORDS = r"(\s|\\n|=20|\.|_)+"


@dataclass(frozen=True)
class Traces:
    """What a person is known by."""

    addresses: tuple[str, ...]
    names: tuple[str, ...]
    phones: tuple[str, ...]

    @classmethod
    def of(cls, *, addresses: Sequence[str], name: str = "", phones: Sequence[str] = ()) -> Traces:
        """A single word is no name to look for everywhere: it would be found in what is about others."""
        words = name.split()
        names = (" ".join(words), f"{words[-1]}, {' '.join(words[:-1])}") if len(words) > 1 else ()
        known = tuple(sorted({each.strip().lower() for each in addresses if each.strip()}))
        return cls(known, tuple(names), tuple(each for each in phones if len(_digits(each)) >= LEAST_DIGITS))

    @classmethod
    def from_json(cls, told: str) -> Traces:
        """As `to_json` wrote them."""
        kept = json.loads(told)
        return cls(tuple(kept["addresses"]), tuple(kept["names"]), tuple(kept["phones"]))

    def to_json(self) -> str:
        """To be sealed."""
        return json.dumps({"addresses": self.addresses, "names": self.names, "phones": self.phones})

    @property
    def pattern(self) -> str:
        """One expression for all of them that PostgreSQL's `~*` and Python both understand; empty: nothing to find."""
        parts = [rf"(?<![A-Za-z0-9_.+\-]){_escaped(each)}(?![A-Za-z0-9_\-])" for each in self.addresses]
        parts += [rf"(?<!\w){_BETWEEN_WORDS.join(map(_escaped, each.split()))}(?!\w)" for each in self.names]
        parts += [rf"{_BETWEEN_DIGITS.join(_digits(each)[-10:])}(?!\d)" for each in self.phones]
        return "|".join(parts)

    def found_in(self, text: str) -> bool:
        """Whether a text speaks of them."""
        return bool(self._expression and self._expression.search(text))

    def without(self, value: Any, mark: str = ERASED) -> Any:
        """The same value without them, whatever it is made of."""
        if isinstance(value, str):
            return self._expression.sub(lambda _: mark, value) if self._expression else value
        if isinstance(value, dict):
            return {self.without(name, mark): self.without(each, mark) for name, each in value.items()}
        if isinstance(value, list):
            return [self.without(each, mark) for each in value]
        return value

    @cached_property
    def _expression(self) -> re.Pattern[str] | None:
        return re.compile(self.pattern, re.IGNORECASE) if self.pattern else None


def _escaped(word: str) -> str:
    """The word itself, as both kinds of expressions read it; quotes as JSON may write them."""
    return "".join(
        r"\\*" + re.escape(each) if each in '"\\' else each if each.isalnum() or ord(each) > 127 else f"\\{each}"
        for each in word
    )  # fmt: skip


def _digits(phone: str) -> str:
    return "".join(re.findall(r"[0-9]", phone))
