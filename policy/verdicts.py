"""What judging comes to: one verdict per rule, and the strictest of them for the card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from domain.violations import UNSAID, Stored

Decision = Literal["allow", "hold", "needs_approval", "defer", "renew", "block", "expire"]

STRICTEST_FIRST: tuple[Decision, ...] = (
    "expire", "block", "renew", "defer", "hold", "needs_approval", "allow",
)  # fmt: skip
"""A mode holds what would otherwise go out, so everything stricter is said first and nothing is asked of a person."""

_RANK: Mapping[str, int] = {decision: rank for rank, decision in enumerate(STRICTEST_FIRST)}
_AS_IT_IS = frozenset({str, int, float, bool, type(None)})
"""What JSON has as well; `type` tells faster than `isinstance`, and some two hundred facts are stored per card."""

NO_FACTS: Mapping[str, Any] = MappingProxyType({})


class Verdict(NamedTuple):
    """One rule's answer about one card, with the facts that it used. A tuple, for some forty are made per card."""

    rule: str
    decision: Decision
    reason: str
    facts: Mapping[str, Any] = NO_FACTS
    until: datetime | None = None
    """With defer: when to look again."""

    def stored(self) -> Stored:
        """Its form in `card_verdicts.verdicts`: what is as ever is left out (`domain.violations.told`)."""
        kept: dict[str, Any] = {"rule": self.rule}
        if self.decision != UNSAID["decision"]:
            kept["decision"] = self.decision
        if self.reason != UNSAID["reason"]:
            kept["reason"] = self.reason
        if self.facts:
            kept["facts"] = {
                name: each if type(each) in _AS_IT_IS else _plain(each) for name, each in self.facts.items()
            }
        if self.until:
            kept["until"] = self.until.isoformat()
        return kept if len(kept) > 1 else self.rule


@dataclass(frozen=True)
class Judgement:
    """Every rule's verdict on a card, and the one that decides."""

    verdicts: tuple[Verdict, ...]

    @cached_property
    def deciding(self) -> Verdict:
        """The strictest verdict; of several deferrals the one that ends last."""
        return deciding(self.verdicts)

    @property
    def decision(self) -> Decision:
        return self.deciding.decision


def deciding(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict that decides for the card."""
    strictest = min({verdict.decision for verdict in verdicts}, key=_RANK.__getitem__)
    same = [verdict for verdict in verdicts if verdict.decision == strictest]
    return max(same, key=lambda v: v.until.timestamp() if v.until else 0.0)


def _plain(value: Any) -> Any:
    """A fact in the shapes that JSON has."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Set):
        return sorted(_plain(each) for each in value)
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    return str(value)
