"""P2.9, the instant: nobody is asked for what they may just have told."""

from __future__ import annotations

from datetime import timedelta

from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict

READING = timedelta(hours=1)
"""Until then what they wrote has been read, and the question is asked no more if that answers it."""


@rule("order_info.just_heard", clause="P2.9.order_info", types=("request_order_info", "compliance_reminder"))
def what_the_account_has_just_written_is_read_before_it_is_asked(facts: Facts, it: Rule) -> Verdict | None:
    """A question about an order or a record waits an hour when somebody at the account has written since it was meant.

    Their mail may hold the answer, and to be asked for what one has just told embarrasses both.
    """
    person = facts.person
    heard = max(filter(None, (person.account_heard_at, person.last_heard_at)), default=None) if person else None
    if heard is None or heard <= facts.card.created_at or facts.now >= heard + READING:
        return it.nothing_against
    return it.defer(facts.when_open(heard + READING), "the account has just written", heard_at=heard)
