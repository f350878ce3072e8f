"""P5.6, compliance: at the instant of asking it is judged again whether the record still lacks what is asked for."""

from __future__ import annotations

from datetime import timedelta

from domain.compliance_checks import SUBJECT
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict

NEXT_HOUR = timedelta(hours=1)
"""By then a further part of its checks was judged."""


@rule("compliance.wanted", clause="P5.6.wanted", types=("compliance_reminder",))
def only_what_a_client_still_owes_us_is_asked_for(facts: Facts, it: Rule) -> Verdict | None:
    """Details are asked of an active client while their check stands, and only those that the record lacks now.

    An import may have brought them since, somebody may have let the check be or switched its schedule off, and the
    account may have left.
    """
    if facts.card.subject_type != SUBJECT:
        return None
    check, told = facts.deadline, facts.told("check_id")
    if check is None or str(check.check_id) != facts.card.subject_id:
        return it.block("there is no such check (any more)", check_id=told)
    if facts.card.client_id != check.account_id:
        return it.block("its record is another account's now", check_id=told)
    if check.state not in ("pending", "reminded", "overdue"):
        return it.block(f"its check is {check.state}", check_id=told, state=check.state)
    if check.account_status != "active":
        return it.block(f"the account is {check.account_status}", account_status=check.account_status)
    if check.relationship != "client":
        return it.block("the account is not a client", relationship=check.relationship)
    if not check.reviewed:
        return it.defer(facts.now + NEXT_HOUR, "its schedule was changed: it is still to be judged by that")
    return _as_it_is_written(facts, it)


def _as_it_is_written(facts: Facts, it: Rule) -> Verdict:
    check, gaps, slots = facts.deadline, facts.told("gaps"), facts.told("slots")
    assert check is not None
    asked = sorted(str(each) for each in gaps) if isinstance(gaps, list) else []
    known = [each for each in asked if each not in check.missing]
    if known or not asked:
        return it.block("it asks for what the record holds, or nobody requires of it any more", known=known)
    if check.due_at <= facts.now and not (isinstance(slots, dict) and slots.get("late")):
        return it.block("it speaks of the day as one to come, and that has passed", due_at=check.due_at)
    return it.allow("the record lacks what it asks for", asked=asked)
