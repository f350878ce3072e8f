"""P2.3.5, recipient truth: mail goes to the person whom the card is about, and to nobody else."""

from __future__ import annotations

from domain.switches import OUTWARD
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict


@rule("recipient_truth.own_contact", clause="P2.3.5.own_contact", types=OUTWARD)
def a_message_goes_only_to_the_contact_it_is_about(facts: Facts, it: Rule) -> Verdict | None:
    """A message goes only to addresses that belong to the tenant's own contact record which the card is about.

    To, Cc and Bcc alike: no text, model or import can make the agent write to somebody else.
    """
    person = facts.person
    if person is None:
        return it.block("the card is about no contact of this tenant")
    if facts.card.client_id is not None and facts.card.client_id != person.client_id:
        return it.block("the contact no longer belongs to the card's account")
    if not facts.recipients:
        return it.block("the contact has no address")
    if not person.addresses.issuperset(facts.recipients):
        strange = [address for address in facts.recipients if address not in person.addresses]
        return it.block("a recipient is none of the contact's own addresses", recipients=strange)
    return it.allow(recipients=facts.recipients)
