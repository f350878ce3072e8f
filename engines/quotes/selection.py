"""Selecting what to write about quotes in an hour: everything due is accounted for, the most pressing is proposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from domain.settings import TenantSettings
from engines import resting
from engines.contract import Obligation
from engines.quotes.due import Due
from engines.room import ENOUGH, Room, Wish

SEND, FOLLOW_UP = 1150, 600
"""Priority of a quote that somebody waits for, and of what each follow-up adds a hundred to."""


@dataclass
class Selection:
    """The hour's answer: what is due, and what to write."""

    obligations: list[Obligation] = field(default_factory=list)
    picks: list[Due] = field(default_factory=list)
    unwanted: list[UUID] = field(default_factory=list)
    """Drafts that a person, asked for approval, did not want sent."""


def priority(due: Due) -> int:
    """Of the card: each follow-up is more pressing than the one before."""
    return FOLLOW_UP + 100 * due.attempt if due.attempt else SEND


def select(found: Sequence[Due], *, room: Room) -> Selection:
    """Pick within the hour's budget; what can go now comes first."""
    selection, settings, now = Selection(), room.settings, room.now
    budget = room.left(settings.quotes_per_cycle, [each.key for each in found])
    wished = [(each, _wish(each)) for each in found]
    for due, its in sorted(wished, key=lambda each: (
        room.rank(each[1]) if each[1] else 0, -priority(each[0]), each[0].due_at, each[0].quote_id
    )):  # fmt: skip
        card, told = room.standing.get(due.key), _obligation(due)
        if card is not None and card.state == "rejected" and not due.attempt and due.offered_at is not None:
            selection.unwanted.append(due.quote_id)
            told = _blocked(due, "quotes.not_wanted", "whoever was asked did not want it sent")
        elif due.shadowed:
            told = resting.held(told, "quotes.held")
        elif card is not None and card.speaks(now, settings.reconsider_hours):
            told = resting.refused(told, card, "quotes.refused", settings, now)
        elif barrier := _barrier(due, now) or _no_room(due, its, room):
            told = barrier
        elif behind := _over_budget(due, budget, settings, now):
            told, budget = behind, budget - 1
            room.keep(its)
        else:
            budget -= 1
            room.take(its)
            selection.picks.append(due)
        selection.obligations.append(resting.at_rest(told, due.seen, now, due.planned_at))
    return selection


def _wish(due: Due) -> Wish | None:
    """The mail, as far as it needs room; None where it would go to nobody."""
    if due.contact_id is None:
        return None
    return Wish(due.key, "quotes", due.client_id, due.contact_id, due.timezone, priority(due), due.thread_id,
                awaited=not due.attempt)  # fmt: skip


def _no_room(due: Due, its: Wish | None, room: Room) -> Obligation | None:
    """Whether it has room beside its account's other people, and beside all mails that wait."""
    full = room.full(its) if its is not None else None
    if full is not None:
        return _deferred(due, "quotes.account_people", f"{full[0]} colleagues are written to that day", full[1])
    if (again := room.turn_away(its, room.settings.quotes_per_cycle)) is not None:
        return replace(_deferred(due, "quotes.crowd", ENOUGH, again), in_turn=True)
    return None


def _barrier(due: Due, now: datetime) -> Obligation | None:
    """What stands in the way of writing about this quote at all."""
    if due.unpriced:
        unpriced = _blocked(due, "quotes.unpriced", f"{due.unpriced} of its lines have no price: a person completes it")
        return replace(unpriced, in_short="lines of it have no price: a person completes it")
    if not due.total and not due.attempt:
        return _blocked(due, "quotes.for_nothing", "it comes to nothing: a person sets its price or withdraws it")
    if due.contact_id is None:
        return _blocked(due, "quotes.named_contact", "the quote names no contact of its account")
    if not due.attempt and due.offered_at is None:
        return _blocked(due, "quotes.not_offered", "it waits for a person to send it or to withdraw it")
    if due.client_status != "active":
        return _blocked(due, "quotes.active_account", "the account is inactive")
    if not due.reachable:
        return _blocked(due, "quotes.reachable", "the contact has no address")
    # somebody who is merely not kept in touch with has this quote all the same
    if due.attempt and due.clock == "exempt" and due.exempt_reason != "discovered":
        return _blocked(due, "quotes.reachable", f"the contact may not be reached ({due.exempt_reason})")
    if due.attempt and due.clock == "paused" and due.paused_until is not None and due.paused_until > now:
        return _deferred(due, "quotes.away", "the contact is away", due.paused_until)
    return None


def _over_budget(due: Due, budget: int, settings: TenantSettings, now: datetime) -> Obligation | None:
    reason = f"{settings.quotes_per_cycle} more pressing ones come first"
    return resting.behind(partial(_deferred, due, "quotes.budget"), reason, budget, settings.quotes_per_cycle, now)


def _blocked(due: Due, rule: str, reason: str) -> Obligation:
    return replace(_obligation(due), dedupe_key=None, disposition="blocked", rule=rule, reason=reason)


def _deferred(due: Due, rule: str, reason: str, until: datetime) -> Obligation:
    return replace(_obligation(due), dedupe_key=None, disposition="deferred", rule=rule, reason=reason, until=until)


def _obligation(due: Due) -> Obligation:
    kind = "quote_follow_up_due" if due.attempt else "quote_to_send"
    return Obligation(kind, "quote", str(due.quote_id), due.due_at, dedupe_key=due.key)
