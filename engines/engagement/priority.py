"""Whom to touch first: a score of 0 to 1000 from lateness, the account's worth, open business and the last reply."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

LATENESS, VALUE, BUSINESS, RECENCY = 400.0, 250.0, 200.0, 150.0
"""The most that each factor can give."""

HALF_LATE_DAYS = 7.0
FULL_VALUE = 1_000_000.0
HALF_BUSINESS = 2.0
REPLY_HALF_LIFE_DAYS = 45.0


@dataclass(frozen=True, slots=True)
class Score:
    """The points of each factor. More of a factor never gives fewer points."""

    lateness: float
    value: float
    business: float
    recency: float

    @property
    def total(self) -> int:
        """The card's priority."""
        return round(self.lateness + self.value + self.business + self.recency)

    def told(self) -> dict[str, float]:
        """Its parts, rounded, for the card's evidence."""
        return {name: round(points, 1) for name, points in asdict(self).items()} | {"total": self.total}


def score(
    *, days_overdue: float, account_value: float, open_business: int, days_since_reply: float | None
) -> Score:  # fmt: skip
    """Score one contact.

    Lateness is worth half of its points at 7 days and approaches all of them; account value (yearly, in the account's
    currency) grows with its logarithm up to a million; two open deals or quotes are worth half of theirs; a reply is
    worth half as much every 45 days. No reply at all gives none.
    """
    late, value, business = max(0.0, days_overdue), max(0.0, account_value), max(0, open_business)
    ago = None if days_since_reply is None else max(0.0, days_since_reply)
    return Score(
        lateness=LATENESS * late / (late + HALF_LATE_DAYS),
        value=VALUE * min(1.0, math.log1p(value) / math.log1p(FULL_VALUE)),
        business=BUSINESS * business / (business + HALF_BUSINESS),
        recency=0.0 if ago is None else RECENCY * 0.5 ** (ago / REPLY_HALF_LIFE_DAYS),
    )
