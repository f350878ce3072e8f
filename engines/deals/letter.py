"""What a follow-up says: a template by attempt, in the contact's language and the tenant's tone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from domain.settings import TenantSettings
from engines.deals.due import Due
from engines.greeting import first_name, language, plain_title

ATTEMPTS = 4
"""How many different follow-ups there are to say; any further one says the last again."""


def payload(due: Due, settings: TenantSettings) -> dict[str, Any]:
    """The payload of the card for one follow-up."""
    return {
        "deal_id": str(due.deal_id),
        "attempt": due.attempt,
        "template": f"deal_follow_up_{min(due.attempt, ATTEMPTS)}",
        "language": language(due.languages, settings),
        "slots": dict(slots(due, settings)),
    }


def slots(due: Due, settings: TenantSettings) -> Mapping[str, str]:
    """The words that the templates fill in."""
    return {
        "tone": settings.deal_tone,
        "first_name": first_name(due.name or ""),
        "client_name": "" if due.client_name.casefold() == (due.name or "").casefold() else due.client_name,
        "deal_title": plain_title(due.title),
        "sender_name": settings.sender_name or due.company,
        "company": due.company,
        "thread_subject": re.sub(r"^(?:re:\s*)+", "", due.thread_subject or "", flags=re.IGNORECASE),
    }
