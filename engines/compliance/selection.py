"""Selecting what to do about checks in an hour: everything due is accounted for, the most pressing is proposed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from domain import rests
from domain.cards import WAITING
from domain.compliance_checks import SUBJECT
from domain.compliance_validation import Standing as Due
from domain.intentions import UNDER_WAY, Standing
from domain.settings import TenantSettings
from engines import timing
from engines.compliance.shared import Request, Sharing, asked_lately, wants
from engines.contract import Obligation
from engines.room import ENOUGH, Room, Wish

REMIND, OVERDUE = "compliance_due", "compliance_overdue"

REMINDER, EACH_REMINDER, LATE = 700, 75, 100
"""Priority of a first request, what each further one adds, and what it adds that the day has passed."""


@dataclass
class Selection:
    """The hour's answer: what is due, whom to ask, and what to take to a manager."""

    obligations: list[Obligation] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    escalations: list[Due] = field(default_factory=list)
    withdrawn: list[Due] = field(default_factory=list)
    """Requests that wait, and whom nobody should be sent any more."""

    @property
    def reminders(self) -> list[Due]:
        """By which checks somebody is asked."""
        return [each.due for each in self.requests]


def priority(due: Due, now: datetime) -> int:
    """Of the request: each is more pressing than the one before; below orders, and below people who wait."""
    return min(REMINDER + EACH_REMINDER * due.reminders + (LATE if due.check.due_at <= now else 0), 1_000)


def remind_key(due: Due) -> str:
    """The intention: this check, this request, the instant at which it is due, and what it says.

    Once something else is missing, or the day has passed, it is another request.
    """
    at = due.remind_at.isoformat() if due.remind_at else ""
    late = ":late" if due.check.state == "overdue" else ""
    return f"compliance:remind:{due.check.id}:{due.reminders + 1}:{at}:{'+'.join(due.to_ask)}{late}"


def escalate_key(due: Due) -> str:
    """The intention: this check, this term."""
    at = due.check.escalate_at
    return f"compliance:escalate:{due.check.id}:{at.isoformat() if at else ''}"


def key(due: Due, now: datetime) -> str:
    """The intention that stands next for a check."""
    return escalate_key(due) if _to_escalate(due, now) else remind_key(due)


def select(found: Sequence[Due], *, room: Room, riding: Mapping[UUID, str] = MappingProxyType({})) -> Selection:
    """Pick within the hour's budgets; what can go now comes first.

    `riding` tells which checks a request asks along with another's, by the intention of that request.
    """
    selection, standing, settings, now = Selection(), room.standing, room.settings, room.now
    sharing = _waiting(found, standing, riding)
    escalations = settings.compliance_escalations_per_cycle
    reminders = room.left(settings.compliance_reminders_per_cycle, map(remind_key, found))
    wished = [(each, _wish(each, now)) for each in found]
    for due, its in sorted(wished, key=lambda each: (
        room.rank(each[1]) if each[1] else 0, -priority(each[0], now), each[0].check.due_at, each[0].check.id
    )):  # fmt: skip
        if _to_escalate(due, now):
            told = _obligation(due, OVERDUE, escalate_key(due), due.check.escalate_at or now)
            barrier = _stands(told, standing.get(escalate_key(due)), settings, now)
            if barrier is None:
                barrier = _over_budget(told, escalations, settings.compliance_escalations_per_cycle, now)
                escalations -= 1
                if barrier is None:
                    selection.escalations.append(due)
        elif due.remind_at is not None and due.remind_at <= now and due.to_ask:
            told = _obligation(due, REMIND, remind_key(due), due.remind_at)
            barrier = _outdone(told, due, standing, now)
            if barrier is not None:
                selection.withdrawn.append(due)
            else:
                barrier = (_held(told) if due.shadowed else None) or _rides(told, due, riding) or _stands(
                    told, standing.get(remind_key(due)), settings, now) or _barrier(told, due, now) or _shared(
                    told, due, sharing) or _no_room(told, its, room)  # fmt: skip
            if barrier is None and its is not None:
                barrier = _over_budget(told, reminders, settings.compliance_reminders_per_cycle, now)
                reminders -= 1
                (room.keep if barrier else room.take)(its)
                if barrier is None:
                    sharing.ask(due, remind_key(due))
        elif due.check.state == "overdue":
            told = barrier = _waits(due)
        else:
            continue
        selection.obligations.append(_at_rest(barrier, due, now) if barrier is not None else told)
    selection.requests = sharing.requests
    return selection


def crowded(found: Sequence[Due]) -> list[UUID]:
    """The accounts where somebody is to be asked because of several checks."""
    times = Counter(due.asked.id for due in found if due.asked is not None)
    return sorted({due.check.client_id for due in found if due.asked is not None and times[due.asked.id] > 1})


def _waiting(found: Sequence[Due], standing: Mapping[str, Standing], riding: Mapping[UUID, str]) -> Sharing:
    """What people are asked for by the requests that wait already."""
    sharing = Sharing()
    for due in found:
        card = standing.get(remind_key(due))
        if due.check.id in riding:
            sharing.wait(due, riding[due.check.id])
        elif card is not None and (card.state in UNDER_WAY or card.state == "uncertain"):
            sharing.wait(due, remind_key(due))
    return sharing


def _rides(told: Obligation, due: Due, riding: Mapping[UUID, str]) -> Obligation | None:
    """A request that waits asks for it along with another check's: it speaks for both."""
    key = riding.get(due.check.id)
    return replace(told, dedupe_key=key) if key is not None else None


def _shared(told: Obligation, due: Due, sharing: Sharing) -> Obligation | None:
    """What another request asks for already is not asked for once more; None where this check is to ask itself."""
    left = sharing.left(due)
    at, waits_for = sharing.leader(due), sharing.waits_for(due)
    if at is not None and (left or waits_for is not None):
        key = remind_key(sharing.requests[at].due)
        sharing.join(at, due, key)
        return replace(told, dedupe_key=key)
    if left:
        return None
    if waits_for is not None:
        return replace(told, dedupe_key=waits_for)
    until = min(ends for want, ends in asked_lately(due).items() if want in wants(due))
    return _put_off(told, "compliance.asked_already", "they were asked for the same lately", until)


def _at_rest(told: Obligation, due: Due, now: datetime) -> Obligation:
    """What nothing can be done about rests, to the next moment at which something else falls due at the latest."""
    if told.disposition is None:
        return told
    check = due.check
    at = rests.until(now, check.id, told.until, check.due_at, check.escalate_at, due.remind_at)
    return replace(told, rests_until=at, seen=due.seen)


def _to_escalate(due: Due, now: datetime) -> bool:
    at = due.check.escalate_at
    return due.check.state == "overdue" and at is not None and at <= now


def _stands(told: Obligation, card: Standing | None, settings: TenantSettings, now: datetime) -> Obligation | None:
    """What the card says that stands on the board for it: one under way speaks for itself, one refused rests."""
    if card is None or not card.speaks(now, settings.reconsider_hours):
        return None
    silent = card.silent_until(now, settings.reconsider_hours)
    if silent is None:
        return told
    return replace(told, disposition="blocked", rule=card.rule or "compliance.refused",
                   reason=f"its card was {card.state}", until=silent)  # fmt: skip


def _held(told: Obligation) -> Obligation:
    return replace(told, disposition="held", rule="compliance.held", reason="its request was held by the send mode")


def _outdone(told: Obligation, due: Due, standing: Mapping[str, Standing], now: datetime) -> Obligation | None:
    """What has come to stand in the way of a request that still waits, and won't go by itself."""
    card = standing.get(remind_key(due))
    barrier = _barrier(told, due, now) if card is not None and card.state in WAITING else None
    return barrier if barrier is not None and barrier.disposition == "blocked" else None


def _barrier(told: Obligation, due: Due, now: datetime) -> Obligation | None:
    """What stands in the way of asking anybody."""
    if due.account_status != "active":
        return _blocked(told, "compliance.active_account", "the account is inactive")
    if due.relationship != "client":
        return _blocked(told, "compliance.existing_relationship", "the account is a prospect, not yet a client")
    if due.asked is None:
        return _blocked(told, "compliance.reachable", "nobody at the account can be written to")
    if due.asked.paused_until is not None and due.asked.paused_until > now:
        return _put_off(told, "compliance.away", "whoever would be asked is away", due.asked.paused_until)
    return None


def _wish(due: Due, now: datetime) -> Wish | None:
    """The request, as far as it needs room; None where there is nobody to ask."""
    if due.asked is None:
        return None
    return Wish(remind_key(due), "compliance", due.account_id, due.asked.id, due.asked.timezone, priority(due, now),
                awaited=True)  # fmt: skip


def _no_room(told: Obligation, its: Wish | None, room: Room) -> Obligation | None:
    """Whether it has room beside its account's other people on its day, and beside all mails that wait."""
    full = room.full(its) if its is not None else None
    if full is not None:
        return _put_off(told, "compliance.account_people", f"{full[0]} colleagues are written to that day", full[1])
    if (again := room.turn_away(its, room.settings.compliance_reminders_per_cycle)) is not None:
        return replace(_put_off(told, "compliance.crowd", ENOUGH, again), in_turn=True)
    return None


def _over_budget(told: Obligation, left: int, an_hour: int, now: datetime) -> Obligation | None:
    """Whether others come first, and how long they take; `left` sinks below nothing by each that was put off."""
    if left > 0:
        return None
    at = timing.turn(now, -left, an_hour)
    return replace(_put_off(told, "compliance.budget", "more pressing ones come first", at), in_turn=True)


def _waits(due: Due) -> Obligation:
    """Past its day, and nothing to be done about it in this hour."""
    check = due.check
    told = _obligation(due, OVERDUE, None, check.due_at)
    if check.escalate_at is None:
        return _blocked(told, "compliance.left_to_people", "its escalation was taken back: a person sees to it")
    if due.remind_at is not None:
        until = min(due.remind_at, check.escalate_at)
        return _put_off(told, "compliance.waiting_for_answer", "its people were asked", until)
    reason = "its people were asked often enough" if due.reminders else "only our own people can fill in what it lacks"
    return _put_off(told, "compliance.waiting_for_answer", reason, check.escalate_at)


def _blocked(told: Obligation, rule: str, reason: str) -> Obligation:
    return replace(told, dedupe_key=None, disposition="blocked", rule=rule, reason=reason)


def _put_off(told: Obligation, rule: str, reason: str, until: datetime) -> Obligation:
    return replace(told, dedupe_key=None, disposition="deferred", rule=rule, reason=reason, until=until)


def _obligation(due: Due, kind: str, which: str | None, at: datetime) -> Obligation:
    return Obligation(kind, SUBJECT, str(due.check.id), at, dedupe_key=which)
