"""P5.5, feedback: at the instant of asking, or of making good, it is judged again whether the mail should go."""

from __future__ import annotations

from datetime import timedelta

from domain.feedback_book import RECOVERING
from policy import asking
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict

ASKING = ("request_feedback",)

CASE_OPENS = timedelta(hours=1)
"""The next cycle may open the case that the mail speaks of."""

CLAIMING = ("send_email",)

READING = timedelta(hours=1)
"""Until then what they wrote has been read, and a complaint in it has its case."""


@rule("feedback.wanted", clause="P5.5.wanted", types=ASKING)
def feedback_is_asked_for_a_delivered_order_and_once(facts: Facts, it: Rule) -> Verdict | None:
    """A client is asked about an order that was delivered, once, and only while the question still stands.

    Somebody may have answered, or a person may have decided against it, since the mail was meant.
    """
    if facts.card.subject_type != asking.SUBJECT:
        return None
    now = facts.asking
    if now is None:
        return it.block("there is no such request (any more)")
    if now.order_status not in ("delivered", "closed"):
        return it.block(f"the order is {now.order_status}", order_status=now.order_status)
    if not now.of_account:
        return it.block("the order is another account's")
    reminds = bool(facts.told("attempt"))
    if now.state != ("sent" if reminds else "queued") or (reminds and not now.reminding):
        return it.block("the question no longer stands", state=now.state, reminder=reminds)
    return it.allow(order_status=now.order_status)


@rule("feedback.open_case", clause="P5.5.open_case", types=ASKING)
def nobody_is_asked_while_a_case_is_open(facts: Facts, it: Rule) -> Verdict | None:
    """Nobody is asked what they think while a case about their account is open: the question would mock them."""
    if facts.asking is None:
        return None
    if facts.asking.case_opened_at is not None:
        until = facts.when_open(facts.now + timedelta(days=1))
        return it.defer(until, "a case about the account is open", opened_at=facts.asking.case_opened_at)
    return it.nothing_against


@rule("feedback.asked_lately", clause="P5.5.asked_lately", types=ASKING)
def nobody_is_asked_twice_within_ninety_days(facts: Facts, it: Rule) -> Verdict | None:
    """Nobody is asked for feedback twice within 90 days (a setting), however many orders they get.

    A person of the tenant may have an order asked about all the same.
    """
    now = facts.asking
    if now is None:
        return None
    days = facts.settings.feedback_again_days
    lately = now.asked_at is not None and now.asked_at > facts.now - timedelta(days=days)
    if lately and not now.insisted and not facts.told("attempt"):
        return it.block(f"the contact was asked less than {days} days ago", asked_at=now.asked_at, days=days)
    return it.nothing_against


@rule("feedback.reachable", clause="P5.5.reachable", types=ASKING)
def who_may_not_be_reached_is_not_asked(facts: Facts, it: Rule) -> Verdict | None:
    """Somebody who may not be reached, whatever for, is not asked either."""
    if facts.asking is None:
        return None
    if facts.asking.exempt is not None:
        return it.block(f"the contact may not be reached ({facts.asking.exempt})", exempt=facts.asking.exempt)
    return it.nothing_against


@rule("feedback.just_heard", clause="P5.5.just_heard", types=ASKING)
def what_the_account_has_just_written_is_read_before_it_is_asked_more(facts: Facts, it: Rule) -> Verdict | None:
    """The question waits an hour when somebody at the account has written since it was meant.

    Their mail may be a complaint, and to be asked how it went while one complains embarrasses both.
    """
    person = facts.person
    if facts.asking is None or person is None:
        return None
    heard = max(filter(None, (person.account_heard_at, person.last_heard_at)), default=None)
    if heard is None or heard <= facts.card.created_at or facts.now >= heard + READING:
        return it.nothing_against
    return it.defer(facts.when_open(heard + READING), "the account has just written", heard_at=heard)


@rule("feedback.other_business", clause="P5.5.other_business", types=ASKING)
def nobody_is_reminded_of_feedback_in_the_middle_of_other_business(facts: Facts, it: Rule) -> Verdict | None:
    """Nobody is reminded of a question of ours while they are being followed up about something of theirs."""
    person = facts.person
    if facts.asking is None or person is None or not facts.told("attempt"):
        return None
    others = person.sequence_threads - {facts.card.thread_id}
    if others:
        return it.block("another follow-up thread with the contact is open", open_thread=min(others))
    return it.nothing_against


@rule("feedback.seen_to", clause="P5.5.seen_to", types=CLAIMING)
def nobody_is_told_that_we_look_into_it_unless_a_case_is_open(facts: Facts, it: Rule) -> Verdict | None:
    """A mail that says we are looking into it goes only while a case about that very order is open.

    The case has a card of its own, which may be switched off, capped, refused or taken back: until it stands the mail
    waits, and at its latest instant it is let go.
    """
    claims = (facts.told("slots") or {}).get("person_informed")
    if facts.card.subject_type != asking.SUBJECT or facts.told("template") != RECOVERING or not claims:
        return None
    if facts.asking is None:
        return it.block("there is no such request (any more)")
    if facts.told("needs_approval") and facts.card.approved_at is None:
        return it.nothing_against  # a person is asked meanwhile, and once they agreed it is judged again
    if not facts.asking.seen_to:
        return it.defer(facts.when_open(facts.now + CASE_OPENS), "no case about it is open")
    return it.allow("a case about it is open")
