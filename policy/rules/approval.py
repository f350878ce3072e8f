"""P2.6, approval: a person says yes to what they have seen, and to nothing else."""

from __future__ import annotations

from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict


@rule("approval", clause="P2.6.approval")
def what_needs_approval_waits_for_a_person(facts: Facts, it: Rule) -> Verdict | None:
    """An action whose autonomy level is suggest or approve runs only once a person has approved it.

    So does one that its engine will not do unseen, such as a quote that was drafted from a mail.

    An approval counts for exactly what was seen: if the rendered message, its thread or the policy changes, it is void
    and asked for again. What nobody approved within 48 hours is not done any more.
    """
    level = facts.settings.autonomy.get(facts.card.type, "auto")
    if level == "auto" and facts.card.payload.get("needs_approval"):
        level = "approve"
    if level == "auto":
        return it.nothing_against
    card = facts.card
    if card.state == "awaiting_approval" and card.approval_expires_at and card.approval_expires_at <= facts.now:
        return it.expire("nobody approved it in time", level=level, asked_until=card.approval_expires_at)
    if card.approved_at is None or card.approval_hash is None:
        return it.ask(f"actions of type {card.type} need approval", level=level)
    if card.approval_expires_at is not None and card.approval_expires_at <= facts.now:
        return it.ask("its approval has expired", level=level, approved_at=card.approved_at)
    if card.approval_hash != facts.content_hash:
        reason = "it changed since it was approved, so the approval is void"
        return it.ask(reason, level=level, approved_at=card.approved_at)
    return it.allow(f"{card.approved_by} approved it", level=level, approved_at=card.approved_at)
