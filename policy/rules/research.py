"""P2.3.2, research after exhaustion: curiosity comes after the work that is owed."""

from __future__ import annotations

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
    """Research is done only when a goal is behind pace or the pipeline is thin.

    Behind pace: less is reached than the elapsed share of the target. Thin: the weighted open pipeline is below what
    the goal still needs. Where no goal is set, nothing is taken to be behind.
    """
    told = [standing.told() for standing in facts.goals]
    behind = next((standing for standing in facts.goals if standing.behind), None)
    if behind is not None:
        return it.allow(f"the goal for {behind.goal.metric} is behind pace", goals=told)
    if any(standing.thin for standing in facts.goals):
        return it.allow("the pipeline is thin", goals=told)
    return it.block("no goal is behind its pace, and the pipeline is not thin", goals=told)
