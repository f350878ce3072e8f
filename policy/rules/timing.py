"""P2.9, the instant: nothing is done before its time, and nothing after its latest."""

from __future__ import annotations

from datetime import timedelta

from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict


@rule("time.latest", clause="P2.9.latest")
def nothing_is_done_after_its_latest_time(facts: Facts, it: Rule) -> Verdict | None:
    """An action whose latest time has passed expires; it is never done late.

    By default that is 24 hours after its due time, and 8 for a reply: a greeting that was meant for yesterday
    embarrasses more than none. A reply that a person is asked to approve may wait for them: they see what they send.
    """
    latest = facts.card.latest_at
    if facts.card.approval_expires_at is None and facts.answers:
        latest = min(latest, facts.card.due_at + timedelta(hours=facts.settings.latest_reply_hours))
    if latest <= facts.now:
        return it.expire("its latest time has passed", latest_at=latest)
    return it.allow(latest_at=latest)


@rule("time.not_before", clause="P2.9.not_before")
def nothing_is_done_before_its_time(facts: Facts, it: Rule) -> Verdict | None:
    """An action waits for its due time, and for the end of a deferral or a snooze."""
    if facts.card.not_before > facts.now:
        return it.defer(facts.card.not_before, "its time has not come", not_before=facts.card.not_before)
    return it.nothing_against
