"""P2.2, send modes: what a tenant's mode, or its host's if that is stricter, lets out of the house."""

from __future__ import annotations

from domain.settings import Mode
from domain.switches import OUTWARD
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict


@rule("modes.dry_run", clause="P2.2.dry_run", types=OUTWARD)
def a_dry_run_sends_nothing(facts: Facts, it: Rule) -> Verdict | None:
    """In dry_run nothing is sent: each message is recorded exactly as it would have gone out.

    It never goes out later; leaving dry_run plans anew.
    """
    if facts.mode is Mode.dry_run:
        return it.hold("the send mode is dry_run", mode="dry_run")
    return it.nothing_against


@rule("modes.internal_only", clause="P2.2.internal_only", types=OUTWARD)
def internal_only_sends_to_allow_listed_recipients(facts: Facts, it: Rule) -> Verdict | None:
    """In internal_only, mail goes only to allow-listed addresses and domains; other mail is recorded and held."""
    if facts.mode is not Mode.internal_only:
        return None
    if facts.holding:
        return it.hold("a recipient is not on the allow list", mode="internal_only", recipients=facts.recipients)
    return it.allow("every recipient is on the allow list", recipients=facts.recipients)


@rule("modes.limited_live", clause="P2.2.limited_live", types=OUTWARD)
def limited_live_keeps_to_a_daily_cap(facts: Facts, it: Rule) -> Verdict | None:
    """In limited_live a tenant sends at most 25 mails a day; the rest wait for the next day."""
    if facts.mode is not Mode.limited_live:
        return None
    cap = facts.settings.limited_live_emails_per_day
    used = facts.taken("emails.day.limited_live", facts.day)
    if used >= cap:
        return it.defer(facts.when_open(facts.day[1]), f"limited_live sends {cap} mails a day", used=used, cap=cap)
    return it.allow(used=used, cap=cap)


@rule("modes.limited_live_new_contacts", clause="P2.2.limited_live_new_contacts", types=OUTWARD)
def limited_live_approaches_few_new_contacts(facts: Facts, it: Rule) -> Verdict | None:
    """In limited_live at most 5 people a day are written to for the first time."""
    if facts.mode is not Mode.limited_live or facts.person is None:
        return None
    if facts.person.ever_mailed:
        return it.allow("the contact was written to before")
    cap = facts.settings.limited_live_new_contacts_per_day
    used = facts.taken("new_contacts.day.limited_live", facts.day)
    if used >= cap:
        reason = f"limited_live approaches {cap} new contacts a day"
        return it.defer(facts.when_open(facts.day[1]), reason, used=used, cap=cap)
    return it.allow(used=used, cap=cap)
