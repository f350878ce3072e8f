"""What models cost, as data: a table by name and day, a dear line for names it doesn't know, and the worst case."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal
from pathlib import Path

from domain.models import RULEBOOK, Prompt, Usage

TABLE = Path(__file__).parent / "prices.json"

MICRO = Decimal("0.000001")
OVERHEAD_TOKENS = 600
"""What a provider adds to a prompt by itself (roles, the schema's own instructions), at most."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens of each kind."""

    input: Decimal
    output: Decimal
    cached: Decimal
    written: Decimal

    def cost(self, usage: Usage) -> Decimal:
        """What a call cost, rounded up to a millionth of a dollar."""
        total = (
            self.input * usage.tokens_in
            + self.output * usage.tokens_out
            + self.cached * usage.tokens_cached
            + self.written * usage.tokens_written
        )
        return (total / 1_000_000).quantize(MICRO, ROUND_UP)

    def worst(self, prompt: Prompt) -> tuple[Decimal, int]:
        """The most that a call can cost and consume: no text has more tokens than bytes, and all are written anew."""
        read = most_tokens(prompt)
        dearest = max(self.input, self.written)
        total = (dearest * read + self.output * prompt.most_tokens) / 1_000_000
        return total.quantize(MICRO, ROUND_UP), read + prompt.most_tokens


def of(model: str, on: date | None = None) -> Price:
    """The price of a model by its provider/name, on a day or as it will stay; for unknown names the provider's dearest.

    Raises KeyError.
    """
    table = _table()
    lines = table.get(model) or table[f"{model.partition('/')[0]}/*"]
    begun = [price for begins, price in lines if on is None or begins <= on]
    return begun[-1] if begun else lines[0][1]


def as_of() -> date:
    """The day on which the table was last compared with what providers publish."""
    return date.fromisoformat(json.loads(TABLE.read_text(encoding="utf-8"))["as_of"])


def cheapest(models: tuple[str, ...]) -> str:
    """The cheapest of some models by what they write."""
    return min(models, key=lambda model: of(model).output if model != RULEBOOK else Decimal(0))


def most_tokens(prompt: Prompt) -> int:
    """A number of tokens that no tokenizer exceeds for a prompt and its schema."""
    said = (prompt.system, prompt.user, json.dumps(dict(prompt.schema), ensure_ascii=False))
    return sum(len(each.encode()) for each in said) + OVERHEAD_TOKENS


def likely_tokens(text: str) -> int:
    """About how many tokens a text has in the languages that we write, rather more than fewer."""
    return -(-len(text.encode()) // 3)


@functools.cache
def _table() -> dict[str, tuple[tuple[date, Price], ...]]:
    """By name the prices one after the other, each with the day from which on it holds."""
    told = json.loads(TABLE.read_text(encoding="utf-8"))
    return {
        model: tuple((date.fromisoformat(line.get("from", "2000-01-01")), _price(line))
                     for line in (lines if isinstance(lines, list) else [lines]))
        for model, lines in told["models"].items()
    }  # fmt: skip


def _price(line: Mapping[str, str]) -> Price:
    return Price(*(Decimal(line[name]) for name in ("input", "output", "cached", "written")))
