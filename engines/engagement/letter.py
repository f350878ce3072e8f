"""What a touch says: its template, the contact's language, and the few words that are filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from domain.settings import TenantSettings
from engines.engagement import sequence
from engines.engagement.due import Due
from engines.greeting import first_name, language

VARIANTS = 3
"""How many ways there are to say the first touch."""


def payload(due: Due, step: int, settings: TenantSettings) -> dict[str, Any]:
    """The payload of the card for one touch."""
    return {
        "step": step,
        "template": sequence.template(step),
        "language": language(due.languages, settings),
        "slots": dict(slots(due, settings)),
    }


def slots(due: Due, settings: TenantSettings) -> Mapping[str, str | int]:
    """The words that the templates fill in."""
    return {
        # so that somebody who hears from us every few weeks doesn't read the same lines each time
        "variant": due.promise_due.toordinal() // settings.engagement_days % VARIANTS,
        "first_name": first_name(due.name),
        "client_name": "" if due.client_name.casefold() == due.name.casefold() else due.client_name,
        "sender_name": settings.sender_name or due.company,
        "company": due.company,
        "thread_subject": re.sub(r"^(?:re:\s*)+", "", due.thread_subject or "", flags=re.IGNORECASE),
    }
