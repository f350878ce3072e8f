"""Selecting whom to ask in an hour: everything due is asked, put off or skipped, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.intentions import UNDER_WAY, Standing
from domain.settings import TenantSettings
from engines.contract import Obligation
from engines.feedback.due import Due

ASK, REMIND = 650, 500
"""Priority of a question and of its reminder: business comes first, and whoever is merely due may come after."""

LOOK_AGAIN = timedelta(hours=24)
"""How soon a request that waits for a case is looked at again; it is at once when the case is closed."""


@dataclass
class Selection:
    """The hour's answer: what is due, whom to write to, and what becomes of the rest."""

    obligations: list[Obligation] = field(default_factory=list)
    picks: list[Due] = field(default_factory=list)
    skipped: dict[UUID, str] = field(default_factory=dict)
    put_off: dict[UUID, datetime] = field(default_factory=dict)
    given_up: list[UUID] = field(default_factory=list)
    """Of whose reminder nothing becomes."""


def select(
    found: Sequence[Due], *, standing: Mapping[str, Standing], settings: TenantSettings, now: datetime
) -> Selection:  # fmt: skip
    """Pick within the hour's budget; `standing` is the newest card of each intention."""
    selection = Selection()
    under_way = [each for each in found if (card := standing.get(each.key)) and card.state in UNDER_WAY]
    budget = settings.feedback_per_cycle - sum(standing[each.key].not_before <= now for each in under_way)
    busy = {each.contact_id for each in under_way}
    for due in sorted(found, key=lambda each: (each.attempt, each.due_at, each.request_id)):
        card, barrier = standing.get(due.key), None
        if not due.attempt and due.latest_at <= now:
            barrier = _blocked(due, "feedback.too_late", "it is too late to ask")
        elif due.shadowed or (card is not None and card.speaks(now, settings.reconsider_hours)):
            # a card that waits is judged again before it goes out; one that was refused rests
            pass
        elif card is not None and card.state == "rejected":
            barrier = _blocked(due, "feedback.not_wanted", "whoever was asked did not want it sent")
        else:
            barrier = _barrier(due, now) or _turn(due, busy, budget, settings, now)
            if barrier is None:
                budget -= 1
                busy.add(due.contact_id)
                selection.picks.append(due)
        if barrier is not None:
            _note(selection, due, barrier)
        selection.obligations.append(barrier or _obligation(due))
    return selection


def _note(selection: Selection, due: Due, barrier: Obligation) -> None:
    """What follows for the request: it is skipped, it waits, or it takes its turn another hour."""
    if due.attempt and barrier.rule not in _TURNS:
        # a reminder is not worth waiting for
        selection.given_up.append(due.request_id)
    elif barrier.disposition == "blocked":
        selection.skipped[due.request_id] = str(barrier.reason)
    elif barrier.until is not None and barrier.rule not in _TURNS:
        selection.put_off[due.request_id] = barrier.until


_TURNS = frozenset({"feedback.one_at_a_time", "feedback.budget"})
"""What keeps a request waiting for the next hour, and no longer."""


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
        return _deferred(due, "feedback.open_case", "a case about the account is open", now + LOOK_AGAIN)
    if due.clock == "paused" and due.paused_until is not None and due.paused_until > now:
        return _deferred(due, "feedback.away", "the contact is away", due.paused_until)
    return None


def _turn(
    due: Due, busy: set[UUID | None], budget: int, settings: TenantSettings, now: datetime
) -> Obligation | None:  # fmt: skip
    """Whether it is this one's turn in this hour."""
    later = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if due.contact_id in busy:
        return _deferred(due, "feedback.one_at_a_time", "the contact is being asked about another order", later)
    if budget <= 0:
        return _deferred(due, "feedback.budget", f"{settings.feedback_per_cycle} older ones come first", later)
    return None


def _blocked(due: Due, rule: str, reason: str) -> Obligation:
    return replace(_obligation(due), dedupe_key=None, disposition="blocked", rule=rule, reason=reason)


def _deferred(due: Due, rule: str, reason: str, until: datetime) -> Obligation:
    return replace(_obligation(due), dedupe_key=None, disposition="deferred", rule=rule, reason=reason, until=until)


def _obligation(due: Due) -> Obligation:
    kind = "feedback_reminder_due" if due.attempt else "feedback_due"
    return Obligation(kind, "feedback_request", str(due.request_id), due.due_at, dedupe_key=due.key)
