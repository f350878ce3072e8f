"""The caps that a card counts against; rules look at them, the executor takes from them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from domain.limits import Cap
from domain.settings import Mode
from policy.model import Facts

Window = tuple[datetime, datetime]


def limits_for(facts: Facts) -> tuple[Cap, ...]:
    """Every cap that the card takes one from when it runs (or is held: a trial run paces itself like a real one)."""
    limits = _of_mail(facts) if facts.outward else []
    if (cap := facts.settings.max_actions_per_hour.get(facts.card.type)) is not None:
        limits.append(_limit(key(facts, f"type:{facts.card.type}.hour"), facts.hour, cap))
    if facts.card.type == "research":
        limits.append(_limit("research.hour", facts.hour, facts.settings.max_research_per_hour))
    if facts.card.type == "run_script":
        limits.append(_limit("sandbox.hour", facts.hour, facts.settings.max_sandbox_jobs_per_hour))
    return tuple(limits)


def keys_of(card_type: str, client_id: object, campaign: str | None) -> set[str]:
    """Every key that a card of this kind could count under, whatever its mode: what has to be read for it."""
    keys = {"emails.hour", "emails.day.limited_live", "new_contacts.day.limited_live", f"type:{card_type}.hour",
            "research.hour", "sandbox.hour"}  # fmt: skip
    if client_id is not None:
        keys.add(f"account:{client_id}.day")
    if campaign is not None:
        keys.add(f"campaign:{campaign}.day")
    return keys | {f"held:{each}" for each in keys}


def key(facts: Facts, name: str) -> str:
    """The key that a cap is counted under: held mail has counters of its own."""
    return f"held:{name}" if facts.holding else name


def campaign_of(payload: Mapping[str, object], subject_type: str, subject_id: str) -> str | None:
    """The campaign that a card belongs to, or None."""
    told = payload.get("campaign_id")
    return str(told) if told else subject_id if subject_type == "campaign" else None


def _of_mail(facts: Facts) -> list[Cap]:
    settings = facts.settings
    limits = [_limit(key(facts, "emails.hour"), facts.hour, settings.max_emails_per_hour)]
    if facts.mode is Mode.limited_live:
        limits.append(_limit("emails.day.limited_live", facts.day, settings.limited_live_emails_per_day))
        if facts.person is not None and not facts.person.ever_mailed:
            cap = settings.limited_live_new_contacts_per_day
            limits.append(_limit("new_contacts.day.limited_live", facts.day, cap))
    person = facts.person
    if person is not None and person.id not in facts.mailed_today:
        # people are counted, not mails: a second mail to the same person takes nothing
        cap = settings.max_people_per_account_per_day
        limits.append(_limit(key(facts, f"account:{person.client_id}.day"), facts.day, cap))
    campaign = campaign_of(facts.card.payload, facts.card.subject_type, facts.card.subject_id)
    if campaign is not None:
        cap = settings.max_emails_per_campaign_per_day
        limits.append(_limit(key(facts, f"campaign:{campaign}.day"), facts.day, cap))
    return limits


def _limit(key: str, window: Window, cap: int) -> Cap:
    return Cap(key, window[0], window[1], cap)
