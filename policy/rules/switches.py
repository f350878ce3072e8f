"""P2.1, the kill switch: whatever a closed switch governs does not start, on any machine."""

from __future__ import annotations

from datetime import timedelta

from domain.switches import OUTWARD
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict

LOOK_AGAIN = timedelta(minutes=15)
"""How long a card rests that a closed switch kept from starting."""


@rule("switches.host", clause="P2.1.host")
def nothing_starts_where_the_host_is_stopped(facts: Facts, it: Rule) -> Verdict | None:
    """Nothing starts on a host that is stopped by AGENT_KILL_SWITCH or by its flag file.

    These two work without the database, so that the agent can be stopped when nothing else answers.
    """
    if facts.stopped_here:
        return it.defer(facts.now + LOOK_AGAIN, facts.stopped_here)
    return it.nothing_against


@rule("switches.host_mail", clause="P2.1.host_mail", types=OUTWARD)
def no_mail_leaves_a_host_where_mail_is_disabled(facts: Facts, it: Rule) -> Verdict | None:
    """No mail leaves a host on which EMAIL_SEND_DISABLED is set."""
    if facts.mail_stopped_here:
        return it.defer(facts.now + LOOK_AGAIN, facts.mail_stopped_here)
    return it.nothing_against


@rule("switches.house", clause="P2.1.house")
def nothing_starts_while_the_house_is_stopped(facts: Facts, it: Rule) -> Verdict | None:
    """Nothing starts for any tenant while the house's own switch is closed (`system_config.global_enabled`)."""
    return _stopped(facts, it, "all", "", "everything", scopes=("house",))


@rule("switches.tenant", clause="P2.1.tenant")
def nothing_starts_while_the_tenant_is_stopped(facts: Facts, it: Rule) -> Verdict | None:
    """Nothing starts for a tenant whose agent is switched off (`agent_enabled`)."""
    return _stopped(facts, it, "all", "", "the tenant's agent", scopes=("tenant",))


@rule("switches.mail", clause="P2.1.mail", types=OUTWARD)
def no_mail_leaves_while_mail_is_stopped(facts: Facts, it: Rule) -> Verdict | None:
    """No mail leaves while mail is switched off for the house or the tenant; a breaker closes the same switch.

    At least 5 bounces and over 2 %, or at least 2 complaints and over 0.1 % in a rolling day, pause a tenant's mail.
    """
    return _stopped(facts, it, "mail", "", "mail")


@rule("switches.engine", clause="P2.1.engine")
def nothing_starts_that_a_stopped_engine_proposed(facts: Facts, it: Rule) -> Verdict | None:
    """Nothing starts that was proposed by an engine which is switched off."""
    return _stopped(facts, it, "engine", facts.card.engine, f"the engine {facts.card.engine}")


@rule("switches.action", clause="P2.1.action")
def no_action_starts_whose_type_is_stopped(facts: Facts, it: Rule) -> Verdict | None:
    """No action starts whose type is switched off."""
    return _stopped(facts, it, "action", facts.card.type, f"actions of type {facts.card.type}")


def _stopped(
    facts: Facts, it: Rule, level: str, name: str, what: str, scopes: tuple[str, ...] = ("house", "tenant")
) -> Verdict:
    if not facts.closed:
        return it.nothing_against
    for scope in scopes:
        if (scope, level, name) in facts.closed:
            reason = f"{what} is switched off ({scope} switch)"
            return it.defer(facts.now + LOOK_AGAIN, reason, scope=scope, level=level, name=name)
    return it.nothing_against
