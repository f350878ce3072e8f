"""P2.3.2, research after exhaustion: curiosity comes after the work that is owed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict

RESEARCH = ("research",)


@rule("research.exhausted", clause="P2.3.2.exhausted", types=RESEARCH)
def research_waits_until_everybody_owed_was_served(facts: Facts, it: Rule) -> Verdict | None:
    """Research is done only when no engagement promise is overdue and no deal or quote waits for its follow-up.

    Discovering contacts is not research, and is always allowed.
    """
    told = {"violations_open": facts.violations_open, "follow_ups_due": facts.follow_ups_due}
    if facts.violations_open:
        return it.block(f"{facts.violations_open} engagement promises are overdue", **told)
    if facts.follow_ups_due:
        return it.block(f"{facts.follow_ups_due} follow-ups are due", **told)
    return it.allow("nothing owed is left to do", **told)


@rule("research.need", clause="P2.3.2.need", types=RESEARCH)
def research_is_done_only_where_goals_need_it(facts: Facts, it: Rule) -> Verdict | None:
    """Research is done only when the goals are behind pace or the pipeline is thin.

    Behind pace: less is achieved than the elapsed share of the target. Thin: the weighted open pipeline is below what
    the goal still needs. The card carries these figures as its evidence; without them nothing is taken to be behind.
    """
    goals, pipeline = facts.card.evidence.get("goals"), facts.card.evidence.get("pipeline")
    behind = _less(goals, "actual", _expected(goals))
    thin = _less(pipeline, "weighted", _figure(pipeline, "needed"))
    if behind or thin:
        why = "the goals are behind pace" if behind else "the pipeline is thin"
        return it.allow(why, goals=goals, pipeline=pipeline)
    return it.block("the goals are not known to be behind, nor the pipeline to be thin", goals=goals, pipeline=pipeline)


def _expected(goals: Any) -> float | None:
    target, share = _figure(goals, "target"), _figure(goals, "elapsed_share")
    return None if target is None or share is None else target * share


def _less(told: Any, name: str, than: float | None) -> bool:
    value = _figure(told, name)
    return value is not None and than is not None and value < than


def _figure(told: Any, name: str) -> float | None:
    value = told.get(name) if isinstance(told, Mapping) else None
    return float(value) if isinstance(value, int | float) else None
