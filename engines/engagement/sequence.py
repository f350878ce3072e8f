"""A sequence: the first touch and up to four follow-ups in its thread, until somebody answers."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.settings import TenantSettings

FIRST_TOUCH = 1
"""The step of the first touch; step n + 1 is follow-up n."""


def template(step: int) -> str:
    """The template of a step."""
    return "engagement_first_touch" if step == FIRST_TOUCH else f"engagement_follow_up_{step - FIRST_TOUCH}"


def follow_up_due(settings: TenantSettings, step: int, sent_at: datetime) -> datetime | None:
    """When the step after `step` is due, or None when the sequence is at its end."""
    if step > len(settings.follow_up_days):
        return None
    return sent_at + timedelta(days=settings.follow_up_days[step - 1])
