"""P2.3.3, no spam: who must never get mail, and who must have agreed to it or be a client already."""

from __future__ import annotations

from domain.switches import OUTWARD
from policy.model import CONVERSATIONAL, Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict


@rule("no_spam.suppressed", clause="P2.3.3.suppressed", types=OUTWARD)
def suppressed_addresses_never_get_mail(facts: Facts, it: Rule) -> Verdict | None:
    """An address that the tenant suppressed, or whose owner was erased, never gets mail (To, Cc and Bcc alike).

    Of an erased person only a keyed hash is kept, so that an import can't bring them back.
    """
    return _suppressed(facts, it, ("manual", "erased"), "is suppressed")


@rule("no_spam.bounced", clause="P2.3.3.bounced", types=OUTWARD)
def bounced_addresses_never_get_mail(facts: Facts, it: Rule) -> Verdict | None:
    """An address that bounced for good never gets mail again (RFC 3463: 5.1.x and 5.2.1).

    Writing on to dead addresses is what spammers do, and mail servers judge by it.
    """
    return _suppressed(facts, it, ("bounced",), "bounced for good")


@rule("no_spam.complained", clause="P2.3.3.complained", types=OUTWARD)
def those_who_complained_never_get_mail(facts: Facts, it: Rule) -> Verdict | None:
    """Somebody who complained, or pressed the spam button (RFC 5965), never gets mail again."""
    return _suppressed(facts, it, ("complained",), "belongs to somebody who complained")


@rule("no_spam.opted_out", clause="P2.3.3.opted_out", types=OUTWARD)
def those_who_opted_out_never_get_mail(facts: Facts, it: Rule) -> Verdict | None:
    """Somebody who opted out never gets mail again, under any address that they are known by."""
    return _suppressed(facts, it, ("opted_out",), "belongs to somebody who opted out")


@rule("no_spam.relationship", clause="P8.4.relationship", types=("send_email", "follow_up", "request_feedback"))
def individual_mail_needs_an_existing_relationship(facts: Facts, it: Rule) -> Verdict | None:
    """Individual mail goes to people of existing clients; strangers are answered, never approached."""
    if facts.person is None or facts.answers:
        return None
    if facts.person.relationship != "client":
        return it.block("the account is not a client", relationship=facts.person.relationship)
    return it.nothing_against


@rule("no_spam.active_account", clause="P4.8.active_account", types=CONVERSATIONAL)
def the_people_of_an_inactive_account_are_left_alone(facts: Facts, it: Rule) -> Verdict | None:
    """Nobody is written to at an account that has become inactive; what they write themselves is answered all the same.

    A mail may have waited over the weekend while somebody closed the account.
    """
    if facts.person is None or facts.responds:
        return None
    if facts.person.account_status != "active":
        return it.block(f"the account is {facts.person.account_status}", account_status=facts.person.account_status)
    return it.nothing_against


@rule("no_spam.away", clause="P4.8.away", types=CONVERSATIONAL)
def whoever_is_away_is_written_to_when_they_are_back(facts: Facts, it: Rule) -> Verdict | None:
    """A mail to somebody who is out of office waits until they are back; what they wrote is answered at once.

    It would be answered by a machine, and lie among many on the day of their return.
    """
    if facts.person is None or facts.responds:
        return None
    back = facts.person.away_until
    if back is not None and back > facts.now:
        return it.defer(facts.when_open(back), "the contact is away", away_until=back)
    return it.nothing_against


@rule("no_spam.consent", clause="P8.4.consent", types=("broadcast_email",))
def a_broadcast_goes_to_those_who_agreed(facts: Facts, it: Rule) -> Verdict | None:
    """A broadcast goes only to people who agreed to broadcasts; being imported is no agreement."""
    if facts.person is None:
        return None
    if not facts.person.broadcast_consent:
        return it.block("the contact has not agreed to broadcasts")
    return it.nothing_against


def _suppressed(facts: Facts, it: Rule, reasons: tuple[str, ...], what: str) -> Verdict:
    if not facts.suppressed:
        return it.nothing_against
    hit = {address: reason for address, reason in facts.suppressed.items() if reason in reasons}
    if hit:
        # the reason goes into the event store, which nobody can be erased from: it names no address
        return it.block(f"a recipient {what}", recipients=hit)
    return it.nothing_against
