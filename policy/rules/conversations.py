"""P2.3.3, no spam: one conversation at a time, which ends when they answer and pauses when a person takes part."""

from __future__ import annotations

from datetime import timedelta

from domain.switches import OUTWARD
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict

SEQUENCES = ("send_email", "follow_up")
"""What a follow-up sequence is made of."""


@rule("no_spam.one_thread", clause="P2.3.3.one_thread", types=SEQUENCES)
def one_open_follow_up_thread_per_contact(facts: Facts, it: Rule) -> Verdict | None:
    """A contact who is being followed up in one thread is not approached in a second one."""
    person = facts.person
    if person is None or facts.responds:
        return None
    running = person.sequence_threads
    if running and facts.card.thread_id not in running:
        return it.block("another follow-up thread with the contact is open", open_thread=min(running))
    return it.nothing_against


@rule("no_spam.reply_stops", clause="P2.3.3.reply_stops", types=SEQUENCES)
def a_reply_stops_every_sequence_to_the_account(facts: Facts, it: Rule) -> Verdict | None:
    """A reply from the contact, from any of their addresses or from a colleague, stops every sequence to the account.

    Nothing that was meant before the reply goes out after it; an answer to the reply itself does.
    """
    person = facts.person
    if person is None or facts.responds:
        return None
    in_thread = facts.thread.last_heard_at if facts.thread else None
    heard = max(filter(None, (person.account_heard_at, person.last_heard_at, in_thread)), default=None)
    if heard is None:
        return it.nothing_against
    last = facts.last_mailed_at
    unanswered = facts.card.type == "follow_up" and last is not None and heard > last
    if heard > facts.card.created_at or unanswered:
        return it.block("somebody at the account has replied", replied_at=heard)
    return it.allow(replied_at=heard)


@rule("no_spam.person_writing", clause="P2.3.3.person_writing", types=OUTWARD)
def the_agent_stays_out_while_a_person_is_writing(facts: Facts, it: Rule) -> Verdict | None:
    """While a person of the tenant is writing in a thread, the agent stays out of it.

    It comes back when nobody of the tenant has written there for 72 hours (a setting).
    """
    wrote = facts.thread.person_wrote_at if facts.thread else None
    if wrote is None:
        return it.nothing_against
    until = wrote + timedelta(hours=facts.settings.person_silence_hours)
    if facts.now < until:
        reason = "a person of the tenant is writing in the thread"
        return it.defer(facts.when_open(until), reason, person_wrote_at=wrote)
    return it.allow(person_wrote_at=wrote)


@rule("no_spam.automatic_message", clause="P2.3.3.automatic_message", types=OUTWARD)
def an_automatic_message_is_never_answered(facts: Facts, it: Rule) -> Verdict | None:
    """A message that a machine wrote is never answered (RFC 3834): two machines would go on for ever.

    Out-of-office notes, reports, lists, bulk mail and no-reply senders are automatic.
    """
    for message in (facts.answered, facts.in_reply_to):
        if message is not None and message.inbound and message.automatic:
            reason = "the message it answers was written by a machine"
            return it.block(reason, message_id=message.id, sign=message.automatic)
    return it.nothing_against
