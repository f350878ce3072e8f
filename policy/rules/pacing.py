"""P2.3.3, no spam: how much mail there may be, per hour, account and campaign, and to one person."""

from __future__ import annotations

from datetime import timedelta

from domain.switches import OUTWARD
from policy import caps
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict


@rule("no_spam.hourly_cap", clause="P2.3.3.hourly_cap", types=OUTWARD)
def a_tenant_sends_no_more_than_its_hourly_cap(facts: Facts, it: Rule) -> Verdict | None:
    """A tenant sends at most so many mails an hour (20 unless set otherwise); the rest wait for the next hour."""
    cap = facts.settings.max_emails_per_hour
    used = facts.taken(caps.key(facts, "emails.hour"), facts.hour)
    if used >= cap:
        return it.defer(facts.when_open(facts.hour[1]), f"{cap} mails went out this hour", used=used, cap=cap)
    return it.allow(used=used, cap=cap)


@rule("no_spam.account_cap", clause="P2.3.3.account_cap", types=OUTWARD)
def few_people_of_one_account_are_written_to_on_one_day(facts: Facts, it: Rule) -> Verdict | None:
    """At most two people of one account get mail on one day: colleagues talk to each other."""
    person = facts.person
    if person is None:
        return None
    cap = facts.settings.max_people_per_account_per_day
    others = len(facts.mailed_today) - (person.id in facts.mailed_today)
    if others >= cap:
        until = facts.when_open(facts.day[1])
        return it.defer(until, f"{others} people of the account were written to today", people=others, cap=cap)
    return it.allow(people=others, cap=cap)


@rule("no_spam.campaign_cap", clause="P2.3.3.campaign_cap", types=OUTWARD)
def a_campaign_sends_no_more_than_its_daily_cap(facts: Facts, it: Rule) -> Verdict | None:
    """A campaign sends at most so many mails a day, so that it never crowds out the mail that people wait for."""
    campaign = caps.campaign_of(facts.card.payload, facts.card.subject_type, facts.card.subject_id)
    if campaign is None:
        return None
    cap = facts.settings.max_emails_per_campaign_per_day
    used = facts.taken(caps.key(facts, f"campaign:{campaign}.day"), facts.day)
    if used >= cap:
        until = facts.when_open(facts.day[1])
        return it.defer(until, f"the campaign sent {used} mails today", campaign=campaign, used=used, cap=cap)
    return it.allow(campaign=campaign, used=used, cap=cap)


@rule("no_spam.minimum_gap", clause="P2.3.3.minimum_gap", types=OUTWARD)
def no_second_mail_to_one_contact_within_its_minimum_gap(facts: Facts, it: Rule) -> Verdict | None:
    """A contact gets no second mail within 72 hours of the last, or 24 inside a live conversation.

    A conversation is live while the contact has written since our last mail, or within the ordinary gap. A mail whose
    outcome is not known counts as one that arrived.
    """
    last = facts.last_mailed_at
    if last is None:
        return it.nothing_against
    live = facts.live_conversation
    hours = facts.settings.conversation_gap_hours if live else facts.settings.minimum_gap_hours
    over = last + timedelta(hours=hours)
    if facts.now < over:
        reason = f"the last mail to the contact is less than {hours:g} hours old"
        return it.defer(facts.when_open(over), reason, last_mailed_at=last, gap_hours=hours, live_conversation=live)
    return it.allow(last_mailed_at=last, gap_hours=hours, live_conversation=live)


@rule("no_spam.follow_ups", clause="P2.3.3.follow_ups", types=("follow_up",))
def a_sequence_has_at_most_four_follow_ups(facts: Facts, it: Rule) -> Verdict | None:
    """A mail that stays unanswered is followed up four times at most; silence is an answer too."""
    if facts.person is None:
        return None
    sent, cap = _follow_ups_sent(facts), facts.settings.max_follow_ups
    if sent >= cap:
        return it.block(f"{sent} follow-ups went unanswered", sent=sent, cap=cap)
    return it.allow(sent=sent, cap=cap)


def _follow_ups_sent(facts: Facts) -> int:
    """Follow-ups since the sequence began or somebody last answered, as the sent mail itself tells."""
    person, thread = facts.person, facts.card.thread_id
    heard = max(filter(None, (person.last_heard_at, person.account_heard_at)), default=None) if person else None
    count = 0
    for each in person.sent if person else ():
        if (each.held and not facts.holding) or (thread is not None and each.thread_id not in (None, thread)):
            continue
        if each.type != "follow_up" or (heard is not None and each.at <= heard):
            break
        count += 1
    return count
