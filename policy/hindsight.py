"""Judging again what was judged before: what is kept of the facts, and the rules that other settings may sway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from domain import violations
from domain.cards import Card
from domain.ports import OutboundMail
from domain.settings import Mode, TenantSettings
from domain.switches import OUTWARD
from domain.violations import Stored
from policy import asking, windows
from policy import facts as gathering
from policy.asking import Asking
from policy.content import Content
from policy.judge import RULES
from policy.links import Link
from policy.model import Facts, Message, Person, Sent, Thread
from policy.seal import content_hash
from policy.verdicts import Verdict
from policy.windows import Hours

SWAYED = (
    "time.latest", "no_spam.hourly_cap", "no_spam.account_cap", "no_spam.campaign_cap", "no_spam.minimum_gap",
    "no_spam.follow_ups", "no_spam.send_window", "no_spam.business_day", "no_spam.public_holiday",
    "no_spam.person_writing", "sensitive.mass_recipients", "sensitive.unknown_links", "limits.type", "limits.research",
    "limits.sandbox", "modes.dry_run", "modes.internal_only", "modes.limited_live",
    "modes.limited_live_new_contacts", "approval", "feedback.asked_lately",
)  # fmt: skip
"""The rules whose answer depends on a setting; of the others the answer of that time stands."""

SETTINGS = frozenset({
    "send_mode", "allow_list", "max_emails_per_hour", "limited_live_emails_per_day",
    "limited_live_new_contacts_per_day", "max_research_per_hour", "max_sandbox_jobs_per_hour", "max_actions_per_hour",
    "max_people_per_account_per_day", "max_emails_per_campaign_per_day", "max_follow_ups", "minimum_gap_hours",
    "conversation_gap_hours", "send_window_start", "send_window_end", "mass_recipients", "autonomy",
    "latest_reply_hours", "person_silence_hours", "registered_domains", "country", "timezone", "feedback_again_days",
})  # fmt: skip
"""The settings that those rules read."""

_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Past:
    """A judgement as it was stored: the card, the instant, and what was kept of its facts."""

    card: Card
    at: datetime
    told: Mapping[str, Any]


def keep(facts: Facts) -> dict[str, Any]:
    """What it takes to ask the swayed rules about these facts again, and no more; it holds no words of a mail."""
    told: dict[str, Any] = {}
    if facts.card.not_before > facts.now:
        told["not_before"] = facts.card.not_before.isoformat()
    if facts.card.approval_expires_at is not None:
        told["asked"] = facts.card.approval_expires_at.isoformat()
    if _is_approved(facts):
        told["approved"] = facts.card.approved_by
    if not facts.outward:
        return told
    told |= {
        "to": list(facts.recipients), "zone": [facts.zone_source, facts.hours.zone.key if facts.hours else None],
        "country": facts.known_country, "answers": facts.answers,
        "wrote": _iso(facts.thread.person_wrote_at if facts.thread else None), "links": _foreign(facts),
    }  # fmt: skip
    if facts.asking is not None and facts.card.type == asking.TYPE:
        told["asks"] = [_iso(facts.asking.asked_at), facts.asking.insisted]
    if (person := facts.person) is not None:
        told |= {
            "heard": [_iso(person.last_heard_at), _iso(person.account_heard_at)], "ever": person.ever_mailed,
            "sent": [[each.at.isoformat(), each.held, each.type, _text(each.thread_id)] for each in person.sent],
            "today": [len(facts.mailed_today - {person.id}), person.id in facts.mailed_today],
        }  # fmt: skip
    return {name: value for name, value in told.items() if value not in (None, False, [], [None, None])}


def again(
    past: Past, settings: TenantSettings, *, most: Mode, used: Mapping[tuple[str, datetime], int], public_url: str
) -> Facts:  # fmt: skip
    """The facts of a past judgement under these settings. `most` is what the host allows; caps count from `used`.

    What a mode of that time held back is taken for sent, in whatever mode is asked about: so it would have been.
    """
    told, now = past.told, past.at
    outward = past.card.type in OUTWARD
    mode = min(most, settings.mode)
    recipients = tuple(told.get("to", ()))
    zone = windows.zone(settings.timezone) or ZoneInfo("UTC")
    hours = _hours(told, settings, zone) if outward else None
    wall = hours.local(now) if hours else None
    person = _person(past) if "ever" in told or "sent" in told or "today" in told or (outward and recipients) else None
    mail = OutboundMail(past.card.id, "", "", "", recipients, "", "") if outward else None
    return Facts(
        now=now, card=_card(past, mail), settings=settings, policy_version=0, mode=mode, mail=mail,
        content=Content(links=tuple(Link(*each) for each in told.get("links", ()))) if outward else None,
        own_domains=gathering.own_domains(settings, public_url), recipients=recipients,
        holding=outward and gathering.holds(mode, settings.allow_list, recipients), person=person,
        mailed_today=_today(told, person), thread=_thread(told), answered=_ANSWERED if told.get("answers") else None,
        hours=hours, zone_source=told.get("zone", ["", None])[0], wall=wall, known_country=told.get("country"),
        business_day=hours is None or wall is None or windows.is_business_day(hours.country, wall.date()),
        holiday=windows.holiday(hours.country, wall.date()) if hours and wall else None,
        hour=windows.hour_of(now), day=windows.day_of(now, zone), used=used, asking=_asking(told),
    )  # fmt: skip


def verdicts(facts: Facts, stored: Sequence[Stored]) -> list[Verdict]:
    """All verdicts under other settings: those of the swayed rules asked anew, the others as they were stored."""
    before = map(violations.told, stored)
    kept = [Verdict(each["rule"], each["decision"], each["reason"]) for each in before if each["rule"] not in SWAYED]
    asked = (RULES[name].judge(facts, RULES[name]) for name in SWAYED if RULES[name].applies_to(facts.card.type))
    return [*kept, *(verdict for verdict in asked if verdict is not None)]


def _card(past: Past, mail: OutboundMail | None) -> Card:
    """The card as it stood then, as far as the swayed rules look."""
    card = replace(past.card, state="queued", not_before=past.at, approved_by=None, approved_at=None,
                   approval_hash=None, approval_expires_at=_instant(past.told.get("asked")))  # fmt: skip
    if by := past.told.get("approved"):
        seal = content_hash(mail, card.thread_id, 0, card.payload)
        card = replace(card, approved_by=by, approved_at=past.at, approval_hash=seal)
    return card


def _asking(told: Mapping[str, Any]) -> Asking | None:
    if "asks" not in told:
        return None
    asked_at, insisted = told["asks"]
    return Asking(state="queued", reminding=False, insisted=insisted, order_status="delivered", of_account=True,
                  case_opened_at=None, asked_at=_instant(asked_at), exempt=None)  # fmt: skip


def _person(past: Past) -> Person:
    heard = past.told.get("heard", (None, None))
    sent = past.told.get("sent", ())
    return Person(
        id=past.card.contact_id or _NOBODY, client_id=past.card.client_id or _NOBODY,
        addresses=frozenset(past.told.get("to", ())), relationship="client", broadcast_consent=True,
        last_heard_at=_instant(heard[0]), account_heard_at=_instant(heard[1]), sequence_threads=frozenset(),
        sent=tuple(Sent(datetime.fromisoformat(at), False, kind, UUID(thread) if thread else None)
                   for at, _held, kind, thread in sent),
        ever_mailed=bool(past.told.get("ever") or sent),
    )  # fmt: skip


def _today(told: Mapping[str, Any], person: Person | None) -> frozenset[UUID]:
    others, self_too = told.get("today", (0, False))
    strangers = (UUID(int=number) for number in range(1, others + 1))
    return frozenset((*strangers, *((person.id,) if self_too and person else ())))


def _hours(told: Mapping[str, Any], settings: TenantSettings, own: ZoneInfo) -> Hours:
    source, key = told.get("zone", ("tenant", None))
    country = told.get("country") or settings.country
    if source in ("contact", "account"):
        zone = windows.zone(key) or own
    else:
        zone = windows.zone_in(country, own) if source == "country" else own
    return Hours(zone, country, settings.send_window_start, settings.send_window_end)


def _thread(told: Mapping[str, Any]) -> Thread | None:
    wrote = _instant(told.get("wrote"))
    return Thread(_NOBODY, wrote, None) if wrote else None


_ANSWERED = Message(_NOBODY, True, "reply", frozenset(), "", None, None, "")


def _is_approved(facts: Facts) -> bool:
    card = facts.card
    late = card.approval_expires_at is not None and card.approval_expires_at <= facts.now
    return card.approved_at is not None and not late and card.approval_hash == facts.content_hash


def _foreign(facts: Facts) -> list[list[Any]]:
    """The links that a rule minds: neither the opt-out page nor the recipient's own domain."""
    if facts.content is None:
        return []
    own = {facts.unsubscribe_url, *(address.rpartition("@")[2] for address in facts.recipients)}
    return [[link.written[:200], link.host, link.trick] for link in facts.content.links
            if link.written not in own and link.written.lower() not in own]  # fmt: skip


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _instant(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None


def _text(told: object) -> str | None:
    return str(told) if told else None
