"""Judging one card: every rule is asked, none is skipped, and the strictest answer decides."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Mapping

from policy import register
from policy.model import Facts
from policy.register import Judging, Rule
from policy.rules import FAMILIES
from policy.seal import content_hash
from policy.verdicts import Judgement

__all__ = ["CLAUSES", "RULES", "content_hash", "judge", "sentence"]

_ORDER = [family.__name__ for family in FAMILIES]
RULES: Mapping[str, Rule] = {
    rule.id: rule for rule in sorted(register.RULES, key=lambda rule: _ORDER.index(rule.judge.__module__))
}
"""Every rule by its id, in the order in which verdicts are told."""

CLAUSES: Mapping[str, tuple[str, ...]] = {
    clause: tuple(rule.id for rule in RULES.values() if rule.clause == clause)
    for clause in dict.fromkeys(rule.clause for rule in RULES.values())
}
"""Every clause of the guardrails, with the rules that keep it."""


def judge(facts: Facts) -> Judgement:
    """Ask every rule about such cards, without stopping at the first refusal, so that "why?" has every answer."""
    asks, rules = _rules_for(facts.card.type)
    # without a loop of ours, which took as long as a third of the rules
    answers = map(operator.call, asks, itertools.repeat(facts), rules)
    return Judgement(tuple(filter(None, answers)))


def sentence(rule_id: str) -> str:
    """A rule in plain words; the id itself where there is no such rule (any more)."""
    rule = RULES.get(rule_id)
    return rule.sentence if rule else rule_id


@functools.cache
def _rules_for(card_type: str) -> tuple[tuple[Judging, ...], tuple[Rule, ...]]:
    rules = tuple(rule for rule in RULES.values() if rule.applies_to(card_type))
    return tuple(rule.judge for rule in rules), rules
