"""Selecting whom to ask in an hour: everything due is asked, put off or skipped, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain import rests
from domain.intentions import UNDER_WAY
from domain.settings import TenantSettings
from engines import timing
from engines.contract import Obligation
from engines.feedback.due import Due
from engines.room import ENOUGH, Room, Wish

ASK, REMIND = 650, 500
"""Priority of a question and of its reminder: business comes first, and whoever is merely due may come after."""


@dataclass
class Selection:
    """The hour's answer: what is due, whom to write to, and what becomes of the rest."""

    obligations: list[Obligation] = field(default_factory=list)
    picks: list[Due] = field(default_factory=list)
    skipped: dict[UUID, str] = field(default_factory=dict)
    given_up: list[UUID] = field(default_factory=list)
    """Of whose reminder nothing becomes."""


def select(found: Sequence[Due], *, room: Room) -> Selection:
    """Pick within the hour's budget; what can go now comes first."""
    selection, standing, settings, now = Selection(), room.standing, room.settings, room.now
    under_way = [each for each in found if (card := standing.get(each.key)) and card.state in UNDER_WAY]
    budget = room.left(settings.feedback_per_cycle, [each.key for each in found])
    busy = {each.contact_id for each in under_way}
    wished = [(each, _wish(each)) for each in found]
    for due, its in sorted(wished, key=lambda each: (
        each[0].attempt, room.rank(each[1]) if each[1] else 0, each[0].due_at, each[0].request_id
    )):  # fmt: skip
        card, barrier = standing.get(due.key), None
        silent = card.silent_until(now, settings.reconsider_hours) if card is not None else None
        if not due.attempt and due.latest_at <= now:
            barrier = _blocked(due, "feedback.too_late", "it is too late to ask")
        elif due.shadowed:
            barrier = replace(_obligation(due), disposition="held", rule="feedback.held",
                              reason="the mail was held by the send mode")  # fmt: skip
        elif card is not None and card.speaks(now, settings.reconsider_hours):
            # a card that waits is judged again before it goes out; one that was refused rests
            if silent is not None and card.state != "rejected":
                barrier = replace(_obligation(due), disposition="blocked", rule=card.rule or "feedback.refused",
                                  reason=f"its card was {card.state}", until=silent)  # fmt: skip
        elif card is not None and card.state == "rejected":
            barrier = _blocked(due, "feedback.not_wanted", "whoever was asked did not want it sent")
        else:
            barrier = _barrier(due, now) or _one_at_a_time(due, busy, now) or _no_room(due, its, room)
            if barrier is None and its is not None:
                barrier = _over_budget(due, budget, settings, now)
                budget -= 1
                (room.keep if barrier else room.take)(its)
            if barrier is None:
                busy.add(due.contact_id)
                selection.picks.append(due)
        selection.obligations.append(_noted(selection, due, barrier, now) if barrier else _obligation(due))
    return selection


def _noted(selection: Selection, due: Due, barrier: Obligation, now: datetime) -> Obligation:
    """What follows for the request: it is skipped, or it rests; a reminder is not worth waiting for a person."""
    if barrier.dedupe_key is None and due.attempt and barrier.rule not in _TURNS:
        selection.given_up.append(due.request_id)
    elif barrier.dedupe_key is None and barrier.disposition == "blocked":
        selection.skipped[due.request_id] = str(barrier.reason)
    else:
        last = due.lapses_at if due.attempt else due.latest_at
        at = rests.until(now, due.request_id, barrier.until, last)
        until = (barrier.until or at) if barrier.disposition == "deferred" else None
        return replace(barrier, until=until, rests_until=at, seen=due.seen)
    return barrier


_TURNS = frozenset({"feedback.one_at_a_time", "feedback.account_people", "feedback.crowd", "feedback.budget"})
"""What keeps a request waiting for others, and for nothing else."""


def _barrier(due: Due, now: datetime) -> Obligation | None:
    """What stands in the way of asking: something for good, or something that passes."""
    lately = due.asked_at if not due.attempt and not due.insisted else None
    for stands, rule, reason in (
        (due.order_status not in ("delivered", "closed"), "feedback.delivered", f"the order is {due.order_status}"),
        (not due.of_account, "feedback.wanted", "the order is another account's"),
        (due.client_status != "active", "feedback.active_account", "the account is inactive"),
        (due.relationship != "client", "feedback.relationship", "the account is not a client"),
        (due.contact_id is None, "feedback.reachable", "nobody at the account can be written to"),
        (not due.reachable, "feedback.reachable", "the contact has no address"),
        # somebody who is merely not kept in touch with ordered this all the same
        (due.clock == "exempt" and due.exempt_reason != "discovered", "feedback.reachable",
         f"the contact may not be reached ({due.exempt_reason})"),
        (lately is not None, "feedback.asked_lately", f"the contact was asked on {lately:%Y-%m-%d}" if lately else ""),
    ):  # fmt: skip
        if stands:
            return _blocked(due, rule, reason)
    if due.case_open:
        return _deferred(due, "feedback.open_case", "a case about the account is open", None)
    if due.clock == "paused" and due.paused_until is not None and due.paused_until > now:
        return _deferred(due, "feedback.away", "the contact is away", due.paused_until)
    return None


def _one_at_a_time(due: Due, busy: set[UUID | None], now: datetime) -> Obligation | None:
    """Whether the same person is being asked about another order; that may come to nothing within the hour."""
    if due.contact_id not in busy:
        return None
    return _deferred(
        due, "feedback.one_at_a_time", "the contact is being asked about another order", timing.turn(now, 0, 1)
    )


def _wish(due: Due) -> Wish | None:
    """The mail, as far as it needs room; None where it would go to nobody."""
    if due.contact_id is None:
        return None
    return Wish(due.key, "feedback", due.client_id, due.contact_id, due.timezone, REMIND if due.attempt else ASK,
                due.thread_id)  # fmt: skip


def _no_room(due: Due, its: Wish | None, room: Room) -> Obligation | None:
    """Whether it has room beside its account's other people on its day, and beside all mails that wait."""
    full = room.full(its) if its is not None else None
    if full is not None:
        return _deferred(due, "feedback.account_people", f"{full[0]} colleagues are written to that day", full[1])
    if (again := room.turn_away(its, room.settings.feedback_per_cycle)) is not None:
        return replace(_deferred(due, "feedback.crowd", ENOUGH, again), in_turn=True)
    return None


def _over_budget(due: Due, left: int, settings: TenantSettings, now: datetime) -> Obligation | None:
    """Whether others come first, and how long they take; `left` sinks below nothing by each that was put off."""
    if left > 0:
        return None
    at = timing.turn(now, -left, settings.feedback_per_cycle)
    return replace(_deferred(due, "feedback.budget", "older ones come first", at), in_turn=True)


def _blocked(due: Due, rule: str, reason: str) -> Obligation:
    return replace(_obligation(due), dedupe_key=None, disposition="blocked", rule=rule, reason=reason)


def _deferred(due: Due, rule: str, reason: str, until: datetime | None) -> Obligation:
    return replace(_obligation(due), dedupe_key=None, disposition="deferred", rule=rule, reason=reason, until=until)


def _obligation(due: Due) -> Obligation:
    kind = "feedback_reminder_due" if due.attempt else "feedback_due"
    return Obligation(kind, "feedback_request", str(due.request_id), due.due_at, dedupe_key=due.key)
