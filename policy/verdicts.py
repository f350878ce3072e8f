"""What judging comes to: one verdict per rule, and the strictest of them for the card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from domain.limits import Cap as Limit

__all__ = ["Decision", "Judgement", "Limit", "STRICTEST_FIRST", "Verdict", "deciding"]

Decision = Literal["allow", "hold", "needs_approval", "defer", "block", "expire"]

STRICTEST_FIRST: tuple[Decision, ...] = ("expire", "block", "defer", "hold", "needs_approval", "allow")
"""A mode holds what would otherwise go out, so everything stricter is said first and nothing is asked of a person."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's answer about one card, with the facts that it used."""

    rule: str
    decision: Decision
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    until: datetime | None = None
    """With defer: when to look again."""

    def stored(self) -> dict[str, Any]:
        """Its form in `card_verdicts.verdicts`."""
        return {
            "rule": self.rule,
            "decision": self.decision,
            "reason": self.reason,
            "facts": dict(self.facts),
            "until": self.until.isoformat() if self.until else None,
        }


@dataclass(frozen=True, slots=True)
class Judgement:
    """Every rule's verdict on a card, and the one that decides."""

    verdicts: tuple[Verdict, ...]
    limits: tuple[Limit, ...] = ()
    """Caps that the executor takes from, atomically, when it reserves."""

    @property
    def deciding(self) -> Verdict:
        """The strictest verdict; of several deferrals the one that ends last."""
        return deciding(self.verdicts)

    @property
    def decision(self) -> Decision:
        return self.deciding.decision


def deciding(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that decides for the card."""
    strictest = min(verdicts, key=lambda v: STRICTEST_FIRST.index(v.decision)).decision
    same = [verdict for verdict in verdicts if verdict.decision == strictest]
    return max(same, key=lambda v: v.until.timestamp() if v.until else 0.0)
