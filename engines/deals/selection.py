"""Selecting the follow-ups of an hour: everything due is accounted for, the most pressing of it is proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from domain.intentions import Standing
from domain.rest_news import STALLS_PER_CYCLE
from domain.settings import TenantSettings
from engines import resting
from engines.contract import Obligation
from engines.deals.due import Due, Stall
from engines.deals.urgency import Score, Urgency, priority, urgency
from engines.room import ENOUGH, Room, Wish

FOLLOW_UP, STALLED = "deal_follow_up_due", "deal_stalled"


@dataclass(frozen=True, slots=True)
class Pick:
    """A deal to be followed up now."""

    due: Due
    level: Urgency
    score: Score


@dataclass
class Selection:
    """The hour's answer: what is due, whom to follow up, and which stalls to answer."""

    obligations: list[Obligation] = field(default_factory=list)
    picks: list[Pick] = field(default_factory=list)
    stalls: list[Stall] = field(default_factory=list)
    unwanted: list[UUID] = field(default_factory=list)
    """Deals of whose stall a person wants nothing said."""


def select_follow_ups(found: Sequence[Due], stalls: Sequence[Stall], *, room: Room) -> Selection:
    """Rank what is due and pick within the hour's budget; what can go now comes first."""
    selection, settings, now = Selection(), room.settings, room.now
    budget = room.left(settings.deal_follow_ups_per_cycle, [each.key for each in found])
    rated = [(pick := _rated(each, settings, now), _wish(pick)) for each in found]
    for pick, its in sorted(rated, key=lambda each: (
        room.rank(each[1]) if each[1] else 0, -each[0].score.total, each[0].due.due_at, each[0].due.deal_id
    )):  # fmt: skip
        due, told, card = pick.due, _obligation(pick.due), room.standing.get(pick.due.key)
        if due.shadowed:
            told = resting.held(told, "deals.held")
        elif card is not None and card.speaks(now, settings.reconsider_hours):
            told = resting.refused(told, card, "deals.refused", settings, now)
        elif barrier := _barrier(due, now) or _no_room(due, its, room):
            told = barrier
        elif behind := _over_budget(due, budget, settings, now):
            told, budget = behind, budget - 1
            room.keep(its)
        else:
            budget -= 1
            room.take(its)
            selection.picks.append(pick)
        selection.obligations.append(resting.at_rest(told, due.seen, now, due.planned_at))
    _answer_stalls(selection, stalls, room.standing, settings, now)
    return selection


def _wish(pick: Pick) -> Wish | None:
    """The follow-up, as far as it needs room; None where it would go to nobody."""
    due = pick.due
    if due.contact_id is None:
        return None
    return Wish(due.key, "deals", due.client_id, due.contact_id, due.timezone, pick.score.total, due.thread_id)


def _no_room(due: Due, its: Wish | None, room: Room) -> Obligation | None:
    """Whether it has room beside its account's other people, and beside all mails that wait."""
    full = room.full(its) if its is not None else None
    if full is not None:
        return _deferred(due, "deals.account_people", f"{full[0]} colleagues are written to that day", full[1])
    if (again := room.turn_away(its, room.settings.deal_follow_ups_per_cycle)) is not None:
        return replace(_deferred(due, "deals.crowd", ENOUGH, again), in_turn=True)
    return None


def _rated(due: Due, settings: TenantSettings, now: datetime) -> Pick:
    level = urgency(due.attempt, stalled=due.stalled_at is not None, urgent_after=settings.deal_urgent_after)
    late = (now - due.due_at) / timedelta(days=1)
    return Pick(due, level, priority(weighted=due.weighted, days_late=late, level=level))


def _answer_stalls(
    selection: Selection, stalls: Sequence[Stall], standing: Mapping[str, Standing], settings: TenantSettings,
    now: datetime,
) -> None:  # fmt: skip
    left = STALLS_PER_CYCLE
    for stall in stalls:
        card = standing.get(stall.key)
        if card is not None and card.state == "rejected":
            selection.unwanted.append(stall.id)  # a person has seen it and wants nothing said
            continue
        told = Obligation(STALLED, "deal", str(stall.id), stall.stalled_at, dedupe_key=stall.key)
        if card is not None and card.speaks(now, settings.reconsider_hours):
            told = resting.refused(told, card, "deals.refused", settings, now)
        else:
            behind = resting.behind(partial(_later, told), f"{STALLS_PER_CYCLE} more valuable stalls come first", left,
                                    STALLS_PER_CYCLE, now)  # fmt: skip
            left -= 1
            if behind is None:
                selection.stalls.append(stall)
            told = behind or told
        selection.obligations.append(resting.at_rest(told, stall.seen, now))


def _later(told: Obligation, reason: str, at: datetime) -> Obligation:
    return replace(told, dedupe_key=None, disposition="deferred", rule="deals.budget", reason=reason, until=at)


def _barrier(due: Due, now: datetime) -> Obligation | None:
    """What stands in the way of writing about this deal at all."""
    if due.relationship != "client":
        return _blocked(due, "deals.existing_relationship", "the account is a prospect, not yet a client")
    if due.client_status != "active":
        return _blocked(due, "deals.active_account", "the account is inactive")
    if due.contact_id is None:
        return _blocked(due, "deals.named_contact", "the deal names no contact of its account")
    if not due.reachable:
        return _blocked(due, "deals.reachable", "the contact has no address")
    if due.clock == "exempt":
        return _blocked(due, "deals.reachable", f"the contact may not be reached ({due.exempt_reason})")
    if due.our_turn_since is not None:
        return replace(
            _blocked(due, "deals.our_turn", f"their mail of {due.our_turn_since:%Y-%m-%d} waits for an answer of ours"),
            in_short="a mail of theirs waits for an answer of ours",
        )
    if due.quote is not None and due.quote_due_at is not None:
        follows = _deferred(due, "deals.quote_out", f"its quote {due.quote} is being followed up",
                            max(due.quote_due_at, _next_hour(now)))  # fmt: skip
        return replace(follows, in_short="a quote of it is being followed up")
    if due.clock == "paused" and due.paused_until is not None and due.paused_until > now:
        return _deferred(due, "deals.away", "the contact is away", due.paused_until)
    return None


def _over_budget(due: Due, budget: int, settings: TenantSettings, now: datetime) -> Obligation | None:
    reason = f"{settings.deal_follow_ups_per_cycle} more pressing follow-ups come first"
    return resting.behind(
        partial(_deferred, due, "deals.budget"), reason, budget, settings.deal_follow_ups_per_cycle, now
    )


def _next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _blocked(due: Due, rule: str, reason: str) -> Obligation:
    return replace(_obligation(due), dedupe_key=None, disposition="blocked", rule=rule, reason=reason)


def _deferred(due: Due, rule: str, reason: str, until: datetime) -> Obligation:
    return replace(_obligation(due), dedupe_key=None, disposition="deferred", rule=rule, reason=reason, until=until)


def _obligation(due: Due) -> Obligation:
    return Obligation(FOLLOW_UP, "deal", str(due.deal_id), due.due_at, dedupe_key=due.key)
