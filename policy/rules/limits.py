"""P2.5, rate limits: an action over its cap waits for room and is never dropped."""

from __future__ import annotations

from policy import caps
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict


@rule("limits.type", clause="P2.5.type")
def an_action_type_keeps_to_its_own_hourly_cap(facts: Facts, it: Rule) -> Verdict | None:
    """An action type for which the tenant has set a cap runs at most so often an hour."""
    cap = facts.settings.max_actions_per_hour.get(facts.card.type)
    if cap is None:
        return it.nothing_against
    return _room(facts, it, caps.key(facts, f"type:{facts.card.type}.hour"), cap)


@rule("limits.research", clause="P2.5.research", types=("research",))
def research_keeps_to_its_hourly_cap(facts: Facts, it: Rule) -> Verdict | None:
    """Research runs at most 5 times an hour (`max_research_per_hour`)."""
    return _room(facts, it, "research.hour", facts.settings.max_research_per_hour)


@rule("limits.sandbox", clause="P2.5.sandbox", types=("run_script",))
def scripts_keep_to_their_hourly_cap(facts: Facts, it: Rule) -> Verdict | None:
    """Scripts run at most 5 times an hour (`max_sandbox_jobs_per_hour`)."""
    return _room(facts, it, "sandbox.hour", facts.settings.max_sandbox_jobs_per_hour)


def _room(facts: Facts, it: Rule, key: str, cap: int) -> Verdict:
    used = facts.taken(key, facts.hour)
    if used >= cap:
        return it.defer(facts.when_open(facts.hour[1]), f"{used} of {cap} are used up this hour", used=used, cap=cap)
    return it.allow(used=used, cap=cap)
