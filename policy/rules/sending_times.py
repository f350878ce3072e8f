"""P2.3.3, no spam: mail arrives in the recipient's own working hours, on their business days, not on their holidays."""

from __future__ import annotations

from domain.switches import OUTWARD
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict


@rule("no_spam.send_window", clause="P2.3.3.send_window", types=OUTWARD)
def mail_goes_out_within_the_recipients_send_window(facts: Facts, it: Rule) -> Verdict | None:
    """Mail goes out between 08:30 and 17:30 on the recipient's own clock; what comes up outside waits for the opening.

    The zone is the contact's, else the account's, else that of their country, else the tenant's.
    """
    hours, wall = facts.hours, facts.wall
    if hours is None or wall is None:
        return None
    if not hours.in_window(wall):
        return it.defer(
            hours.next_open(facts.now), f"it is {wall:%H:%M} where the recipient is", zone=hours.zone.key,
            zone_from=facts.zone_source, window=(hours.start, hours.end),
        )  # fmt: skip
    return it.allow(zone=hours.zone.key, zone_from=facts.zone_source)


@rule("no_spam.business_day", clause="P2.3.3.business_day", types=OUTWARD)
def mail_goes_out_on_business_days(facts: Facts, it: Rule) -> Verdict | None:
    """Mail goes out on the business days of the recipient's country, whose weekend may not be Saturday and Sunday."""
    if facts.hours is None or facts.wall is None:
        return None
    country = facts.hours.country
    if not facts.business_day:
        return it.defer(facts.when_open(facts.now), f"{facts.wall:%A} is no business day in {country}", country=country)
    return it.allow(country=country)


@rule("no_spam.public_holiday", clause="P2.3.3.public_holiday", types=OUTWARD)
def no_mail_on_the_recipients_public_holidays(facts: Facts, it: Rule) -> Verdict | None:
    """No mail goes out on a public holiday of the recipient's country."""
    if facts.hours is None:
        return None
    country = facts.hours.country
    if facts.holiday is not None:
        until = facts.when_open(facts.now)
        return it.defer(until, f"it is {facts.holiday} in {country}", country=country, holiday=facts.holiday)
    return it.allow(country=country)
