"""Selecting the next contacts to touch: everything due is accounted for, the best of it is proposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from domain.sequences import KEEPS_IN_TOUCH
from domain.settings import TenantSettings
from engines import resting
from engines.contract import Obligation
from engines.engagement import sequence
from engines.engagement.due import Due
from engines.engagement.priority import Score, score
from engines.room import ENOUGH, Room, Wish

PATIENCE_DAYS = 7
"""How long a colleague's live conversation may put a promise off."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A contact to be touched now."""

    due: Due
    score: Score


@dataclass
class Selection:
    """The hour's answer: what is due, and whom to touch."""

    obligations: list[Obligation] = field(default_factory=list)
    picks: list[Pick] = field(default_factory=list)


def select_next_contacts_to_touch(found: Sequence[Due], *, room: Room) -> Selection:
    """Rank what is due and pick within the hour's budget and each account's daily number of people.

    What can go now comes first. Cards that are ready and still wait their turn use up the budget, so that no more are
    made than can go out.
    """
    selection, settings, now = Selection(), room.settings, room.now
    budget = room.left(settings.touches_per_cycle)
    scored = [(pick := Pick(each, rate(each, now)), wish(pick, now)) for each in found]
    for pick, its in sorted(scored, key=lambda each: (
        room.rank(each[1]), -each[0].score.total, each[0].due.due_at(now), each[0].due.contact_id
    )):  # fmt: skip
        due, key = pick.due, pick.due.key(now)
        card, told = room.standing.get(key), _obligation(due, now, dedupe_key=key)
        if due.shadowed:
            told = resting.held(told, "engagement.held")
        elif card is not None and card.speaks(now, settings.reconsider_hours):
            told = resting.refused(told, card, "engagement.refused", settings, now)
        elif barrier := _barrier(due, settings, now) or _no_room(due, its, room, now):
            told = barrier
        elif behind := _over_budget(due, budget, settings, now):
            told, budget = behind, budget - 1
            room.keep(its)
        else:
            budget -= 1
            room.take(its)
            selection.picks.append(pick)
        selection.obligations.append(resting.at_rest(told, due.seen, now, due.planned_at))
    return selection


def rate(due: Due, now: datetime) -> Score:
    """The score of one contact."""
    reply = due.last_reply_at
    return score(
        days_overdue=(now - due.due_at(now)) / timedelta(days=1),
        account_value=due.account_value,
        open_business=due.open_business,
        days_since_reply=None if reply is None else (now - reply) / timedelta(days=1),
    )


def wish(pick: Pick, now: datetime) -> Wish:
    """The touch, as far as it needs room."""
    due = pick.due
    follows = due.next_step(now) != sequence.FIRST_TOUCH
    return Wish(due.key(now), KEEPS_IN_TOUCH, due.client_id, due.contact_id, due.timezone, pick.score.total,
                due.thread_id if follows else None)  # fmt: skip


def _barrier(due: Due, settings: TenantSettings, now: datetime) -> Obligation | None:
    """What stands in the way of writing to this contact at all."""
    if due.relationship != "client":
        return _blocked(due, now, "engagement.existing_relationship", "the account is a prospect, not yet a client")
    if due.client_status != "active":
        return _blocked(due, now, "engagement.active_account", "the account is inactive")
    if not due.reachable:
        return _blocked(due, now, "engagement.reachable", "the contact has no address")
    if due.account_reply_at is not None and due.due_at(now) > now - timedelta(days=PATIENCE_DAYS):
        quiet = due.account_reply_at + timedelta(hours=settings.conversation_gap_hours)
        if quiet > now:
            reason = "somebody at the account has just answered"
            return _deferred(due, now, "engagement.account_conversation", reason, quiet)
    return None


def _no_room(due: Due, its: Wish, room: Room, now: datetime) -> Obligation | None:
    """Whether it has room beside its account's other people, and beside all mails that wait."""
    full = room.full(its)
    if full is not None:
        others, until = full
        return _deferred(due, now, "engagement.account_people", f"{others} colleagues are written to that day", until)
    if (again := room.turn_away(its, room.settings.touches_per_cycle)) is not None:
        return replace(_deferred(due, now, "engagement.crowd", ENOUGH, again), in_turn=True)
    return None


def _over_budget(due: Due, budget: int, settings: TenantSettings, now: datetime) -> Obligation | None:
    reason = f"{settings.touches_per_cycle} more urgent touches come first"
    put_off = partial(_deferred, due, now, "engagement.budget")
    return resting.behind(put_off, reason, budget, settings.touches_per_cycle, now)


def _blocked(due: Due, now: datetime, rule: str, reason: str) -> Obligation:
    return replace(_obligation(due, now), disposition="blocked", rule=rule, reason=reason)


def _deferred(due: Due, now: datetime, rule: str, reason: str, until: datetime) -> Obligation:
    return replace(_obligation(due, now), disposition="deferred", rule=rule, reason=reason, until=until)


def _obligation(due: Due, now: datetime, dedupe_key: str | None = None) -> Obligation:
    kind = "contact_overdue" if due.next_step(now) == sequence.FIRST_TOUCH else "follow_up_due"
    return Obligation(kind, "contact", str(due.contact_id), due.due_at(now), dedupe_key=dedupe_key)
