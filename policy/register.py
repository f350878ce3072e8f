"""The register of rules: each has an id, the clause that it keeps, its card types and its sentence."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.violations import UNSAID
from policy.model import Facts
from policy.verdicts import Verdict

Judging = Callable[[Facts, "Rule"], Verdict | None]


class DoubledRule(Exception):
    """Two rules have the same id."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A rule, and the words in which it answers. Where it does not bear on a card it answers None."""

    id: str
    clause: str
    types: frozenset[str] | None
    """The card types that it is about; None means all."""
    judge: Judging
    nothing_against: Verdict = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nothing_against", Verdict(self.id, "allow", UNSAID["reason"]))

    def applies_to(self, card_type: str) -> bool:
        """Whether the rule is about cards of this type."""
        return self.types is None or card_type in self.types

    def allow(self, reason: str = UNSAID["reason"], **facts: Any) -> Verdict:
        """Say that the rule has nothing against it."""
        # some forty times a card: past NamedTuple's own constructor, which costs as much again
        return tuple.__new__(Verdict, (self.id, "allow", reason, facts, None))

    def block(self, reason: str, **facts: Any) -> Verdict:
        """Say that it must not be done."""
        return Verdict(self.id, "block", reason, facts)

    def hold(self, reason: str, **facts: Any) -> Verdict:
        """Say that it is to be recorded as though done, and never done."""
        return Verdict(self.id, "hold", reason, facts)

    def ask(self, reason: str, **facts: Any) -> Verdict:
        """Say that a person must approve it first."""
        return Verdict(self.id, "needs_approval", reason, facts)

    def expire(self, reason: str, **facts: Any) -> Verdict:
        """Say that it is too late for it."""
        return Verdict(self.id, "expire", reason, facts)

    def defer(self, until: datetime, reason: str, **facts: Any) -> Verdict:
        """Say that it must wait, and until when."""
        return Verdict(self.id, "defer", reason, facts, until)

    def renew(self, reason: str, **facts: Any) -> Verdict:
        """Say that it is no longer what would be proposed: it gives way, and its engine proposes it anew."""
        return Verdict(self.id, "renew", reason, facts)

    @property
    def sentence(self) -> str:
        """The rule in plain words: the first paragraph of its docstring."""
        return " ".join(self.explanation.split("\n\n")[0].split())

    @property
    def explanation(self) -> str:
        """The whole docstring: what, why, and the standard it comes from."""
        return inspect.getdoc(self.judge) or ""


RULES: list[Rule] = []
"""Every rule that has been registered."""


def rule(rule_id: str, *, clause: str, types: Collection[str] | None = None) -> Callable[[Judging], Judging]:
    """Register a pure function as a rule. Raises DoubledRule."""

    def enter(judge: Judging) -> Judging:
        if any(each.id == rule_id for each in RULES):
            raise DoubledRule(rule_id)
        RULES.append(Rule(rule_id, clause, frozenset(types) if types is not None else None, judge))
        return judge

    return enter
