"""What a request says: one mail for all that a record lacks, in the language of whoever is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.compliance_validation import Standing as Due
from domain.settings import TenantSettings
from engines.compliance.shared import Request
from engines.greeting import first_name, language, plain
from engines.written_days import day

TEMPLATE = "compliance_reminder"


def payload(request: Request, settings: TenantSettings, now: datetime) -> dict[str, Any]:
    """The payload of the card that asks; `also` has the other checks whose gaps it asks for, each with its count."""
    due, asked = request.due, request.due.asked
    assert asked is not None, "a request without anybody to ask is not proposed"
    tongue = language((asked.language, due.account_language), settings)
    also = {str(each.check.id): each.reminders + 1 for each in request.also}
    return {
        "check_id": str(due.check.id),
        "attempt": due.reminders + 1,
        **({"also": also} if also else {}),
        "asked_id": str(asked.id),
        "gaps": list(request.gaps),
        "template": TEMPLATE,
        "language": tongue,
        "slots": dict(slots(due, settings, tongue, now)) | {"gaps": list(request.gaps)},
        # what stands in the text stands in the record
        "backed": {"due_on": due.check.due_on.isoformat()},
    }


def slots(due: Due, settings: TenantSettings, tongue: str, now: datetime) -> Mapping[str, Any]:
    """The words that the template fills in."""
    check, asked = due.check, due.asked
    assert asked is not None
    of_another = check.contact_id is not None and check.contact_id != asked.id
    return {
        "first_name": first_name(asked.name),
        "gaps": list(due.to_ask),
        "of_account": check.contact_id is None,
        "of_another": of_another,
        "person": plain(due.person or "") if of_another else "",
        "again": due.reminders > 0,
        "late": check.due_at <= now,
        "due": day(check.due_on, tongue),
        "sender_name": settings.sender_name or due.company,
        "company": due.company,
        "thread_subject": re.sub(r"^(?:re:\s*)+", "", due.thread_subject or "", flags=re.IGNORECASE),
    }
