"""Selecting the follow-ups of an hour: everything due is accounted for, the most pressing of it is proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from domain.intentions import UNDER_WAY, Standing
from domain.rest_news import STALLS_PER_CYCLE
from domain.settings import TenantSettings
from engines import resting
from engines.contract import Obligation
from engines.deals.due import Due, Stall
from engines.deals.urgency import Score, Urgency, priority, urgency

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


def select_follow_ups(
    found: Sequence[Due], stalls: Sequence[Stall], *, standing: Mapping[str, Standing], settings: TenantSettings,
    now: datetime,
) -> Selection:  # fmt: skip
    """Rank what is due and pick within the hour's budget; `standing` is the newest card of each intention."""
    selection = Selection()
    budget = settings.deal_follow_ups_per_cycle - sum(
        1 for each in found
        if (card := standing.get(each.key)) and card.state in UNDER_WAY and card.not_before <= now
    )  # fmt: skip
    ranked = sorted((_rated(each, settings, now) for each in found),
                    key=lambda pick: (-pick.score.total, pick.due.due_at, pick.due.deal_id))  # fmt: skip
    for pick in ranked:
        due, told, card = pick.due, _obligation(pick.due), standing.get(pick.due.key)
        if due.shadowed:
            told = resting.held(told, "deals.held")
        elif card is not None and card.speaks(now, settings.reconsider_hours):
            told = resting.refused(told, card, "deals.refused", settings, now)
        elif barrier := _barrier(due, now):
            told = barrier
        elif behind := _over_budget(due, budget, settings, now):
            told, budget = behind, budget - 1
        else:
            budget -= 1
            selection.picks.append(pick)
        selection.obligations.append(resting.at_rest(told, due.seen, now, due.planned_at))
    _answer_stalls(selection, stalls, standing, settings, now)
    return selection


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
