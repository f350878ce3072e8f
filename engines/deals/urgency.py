"""How pressing a deal is: its worth and lateness, and a level that rises once several follow-ups brought no answer."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Literal

Urgency = Literal["normal", "high", "critical"]

LEVELS: tuple[Urgency, ...] = ("normal", "high", "critical")

BASE, WORTH, LATENESS, LEVEL = 350.0, 250.0, 150.0, 150.0
"""What every due deal has, the most that worth and lateness can add, and what each level adds."""

FULL_WORTH = 1_000_000.0
HALF_LATE_DAYS = 3.0


def urgency(attempt: int, *, stalled: bool, urgent_after: int) -> Urgency:
    """The level of follow-up `attempt` (1 for the first): it rises after the third, and once more when all stands."""
    return LEVELS[int(attempt > urgent_after) + int(stalled)]


@dataclass(frozen=True, slots=True)
class Score:
    """The points of each factor. More of a factor never gives fewer points."""

    base: float
    worth: float
    lateness: float
    level: float

    @property
    def total(self) -> int:
        """The card's priority: below that of people who wait for an answer."""
        return round(self.base + self.worth + self.lateness + self.level)

    def told(self) -> dict[str, float]:
        """Its parts, rounded, for the card's evidence."""
        return {name: round(points, 1) for name, points in asdict(self).items()} | {"total": self.total}


def priority(*, weighted: Decimal, days_late: float, level: Urgency) -> Score:
    """Score one deal: weighted value by its logarithm up to a million, lateness half at three days, and its level."""
    late = max(0.0, days_late)
    return Score(
        base=BASE,
        # only the order of cards hangs on it: here an amount may be a float
        worth=WORTH * min(1.0, math.log1p(float(max(weighted, Decimal(0)))) / math.log1p(FULL_WORTH)),
        lateness=LATENESS * late / (late + HALF_LATE_DAYS),
        level=LEVEL * LEVELS.index(level),
    )
