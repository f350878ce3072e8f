"""The catalogue as clients speak of it: which product the words of a mail mean, if they mean just one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from domain import products
from domain.db import Tx
from domain.products import Product

LARGEST = 2_000
"""Of larger catalogues only codes are recognised, not names."""


def sold(tx: Tx) -> list[Product]:
    """What is sold at present; empty where the catalogue is too large to be compared by name."""
    found = products.listed(tx, active=True, limit=LARGEST + 1)
    return found if len(found) <= LARGEST else []


def meant(words: str, catalogue: Sequence[Product]) -> Product | None:
    """The one product whose code or whole name stands in these words; None where it is none or several."""
    heard = _tokens(words)
    spoken = f" {' '.join(heard)} "
    by_code = [each for each in catalogue if f" {' '.join(_tokens(each.code))} " in spoken]
    if by_code:
        return by_code[0] if len(by_code) == 1 else None
    named = [(len(name), each) for each in catalogue if (name := _stems(each.name)) and name <= _stems(words)]
    longest = max((length for length, _ in named), default=0)
    best = [each for length, each in named if length == longest]
    return best[0] if len(best) == 1 else None


def _stems(text: str) -> frozenset[str]:
    """Words without their plural's s: "boxes" and "box", "cajas" and "caja" are the same thing."""
    return frozenset(re.sub(r"(?<=\w{3})e?s$", "", word) for word in _tokens(text))


def _tokens(text: str) -> list[str]:
    spelled = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"[a-z0-9]+", "".join(each for each in spelled if not unicodedata.combining(each)))
