"""P2.3.4, sensitive actions: nothing is promised that no record backs."""

from __future__ import annotations

from domain.switches import OUTWARD
from policy import moments
from policy.content import Content
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict

DISCOUNT_NAMES = frozenset({"discount", "discounts", "discount_percent", "discount_amount", "rebate"})


@rule("sensitive.price_promise", clause="P2.3.4.price_promise", types=OUTWARD)
def no_price_is_named_that_no_record_backs(facts: Facts, it: Rule) -> Verdict | None:
    """Every amount of money in a mail is one that a record holds; nothing is said to be free unless a record says so.

    The engine that proposes the card puts those figures beside the text (`payload.backed`); a model can't.
    """
    content = facts.content
    if content is None:
        return None
    backing = content.backing
    loose = [words for words, amount in content.prices if amount not in backing.amounts]
    if loose:
        return it.block(f"no record backs the amount {loose[0]}", found=loose[:3])
    if content.free_of_charge and 0 not in backing.amounts:
        return it.block("no record says that it is free", found=content.free_of_charge)
    return it.nothing_against


@rule("sensitive.discount_promise", clause="P2.3.4.discount_promise", types=OUTWARD)
def no_discount_is_offered_that_no_record_backs(facts: Facts, it: Rule) -> Verdict | None:
    """No mail offers a discount that no record holds."""
    content = facts.content
    if content is None or not content.discounts:
        return it.nothing_against if content is not None else None
    backing = content.backing
    known = bool(backing.names & DISCOUNT_NAMES)
    if not known or any(percent not in backing.amounts for percent in content.percentages):
        return it.block("no record backs the discount", found=content.discounts)
    return it.allow("a record backs the discount", found=content.discounts)


@rule("sensitive.deadline_promise", clause="P2.3.4.deadline_promise", types=OUTWARD)
def no_deadline_is_promised_that_no_record_backs(facts: Facts, it: Rule) -> Verdict | None:
    """No mail promises that something will be done by a time, or guarantees it, unless a record says so."""
    content = facts.content
    if content is None or not content.deadlines:
        return it.nothing_against if content is not None else None
    loose = [words for words, when in content.deadlines if not _backed(facts, content, when)]
    if loose:
        return it.block(f"no record backs the promise “{loose[0]}”", found=loose[:3])
    return it.allow("a record backs the deadline", found=[words for words, _ in content.deadlines])


def _backed(facts: Facts, content: Content, when: str) -> bool:
    backing = content.backing
    if not when:
        return bool(backing.names & {"guarantee", "warranty"})
    if any(word in when for word in backing.words if len(word) > 3):
        return True
    wall = facts.wall or facts.now
    day = moments.dated(when, wall.date())
    return day is not None and day in backing.dates
