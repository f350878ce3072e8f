"""Each rule's cases: what is laid out in the database, and what the rule then says of which card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module

from domain.cards import Card
from policy.verdicts import Decision
from tests.policy.world import World

Arrange = Callable[[World], Card]


@dataclass(frozen=True, slots=True)
class Case:
    """One situation: the card that it ends in, and what the rule named says of it."""

    rule: str
    decision: Decision
    arrange: Arrange
    until: datetime | None = None
    """With defer: the instant that the verdict names."""
    overall: Decision | None = None
    """What all rules together come to, where that is not this rule's decision."""
    tampered: bool = False
    """The mail is not what our own composer writes, so that only a broken composer could bring it about."""

    @property
    def name(self) -> str:
        """Its name in the test run."""
        return f"{self.rule}-{self.decision}-{self.arrange.__name__}"


CASES: list[Case] = []


def case(
    rule: str, decision: Decision, *, until: str | None = None, overall: Decision | None = None,
    tampered: bool = False,
) -> Callable[[Arrange], Arrange]:  # fmt: skip
    """Enter a function as a case; `until` is in UTC."""

    def enter(arrange: Arrange) -> Arrange:
        at = datetime.fromisoformat(f"{until}+00:00") if until else None
        CASES.append(Case(rule, decision, arrange, at, overall, tampered))
        return arrange

    return enter


def all_cases() -> list[Case]:
    """Every case of every family."""
    for family in ("brakes", "words", "grounds", "people", "pacing", "texts", "drafts", "feedback", "compliance"):
        import_module(f"tests.policy.cases_of_{family}")
    return CASES
