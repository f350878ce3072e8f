"""Resting: what is due and can't be done in the next hour is not read again until that may have changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain import rests
from domain.intentions import Standing
from domain.settings import TenantSettings
from engines import timing
from engines.contract import Obligation


def at_rest(told: Obligation, seen: str, now: datetime, *moments: datetime | None) -> Obligation:
    """The same, resting to the first of these moments, or to what it says itself, if anything stands in its way."""
    if told.disposition is None:
        return told
    return replace(told, rests_until=rests.until(now, UUID(told.subject_id), told.until, *moments), seen=seen)


def held(told: Obligation, rule: str) -> Obligation:
    """Due for real, while planning has moved on because its mail was held."""
    return replace(told, disposition="held", rule=rule, reason="its mail was held by the send mode")


def refused(told: Obligation, card: Standing, rule: str, settings: TenantSettings, now: datetime) -> Obligation:
    """What the card says that stands on the board for it: one under way speaks for itself, one refused rests."""
    silent = card.silent_until(now, settings.reconsider_hours)
    if silent is None:
        return told
    return replace(told, disposition="blocked", rule=card.rule or rule, reason=f"its card was {card.state}",
                   until=silent)  # fmt: skip


def behind(
    put_off: Callable[[str, datetime], Obligation], reason: str, left: int, an_hour: int, now: datetime
) -> Obligation | None:
    """Whether others come first, and how long they take; `left` sinks below nothing by each that was put off."""
    return None if left > 0 else replace(put_off(reason, timing.turn(now, -left, an_hour)), in_turn=True)
