"""What is written about feedback: the question with its page, its reminder, a word of thanks, and what makes good."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.db import Row
from domain.feedback_book import RECOVERING, Request
from domain.settings import TenantSettings
from engines.feedback.due import Due
from engines.greeting import first_name, language

THANKING = "feedback_thanks"
"""The template of the mail that thanks; `feedback_book.RECOVERING` is that of the one that makes good."""


def payload(due: Due, settings: TenantSettings, until: datetime) -> dict[str, Any]:
    """The payload of the card that asks or reminds; the link is made when the mail is rendered."""
    return {
        "feedback_request_id": str(due.request_id),
        "order_id": str(due.order_id),
        "attempt": due.attempt,
        "feedback_page": {"request_id": str(due.request_id), "until": until.isoformat()},
        "template": "feedback_reminder" if due.attempt else "feedback_request",
        "language": language(due.languages, settings),
        "slots": _slots(due.name, due.client_name, due.company, due.called, due.thread_subject, settings),
    }


def recovery(
    request: Request, about: Row, settings: TenantSettings, *, person_informed: bool, disputed: bool = False
) -> dict[str, Any]:  # fmt: skip
    """The payload of the card that writes to a dissatisfied client; a person looks at it unless the tenant says so.

    With `person_informed` it says that it is being looked at, which must be so when it goes out. Where it is `disputed`
    whether they are dissatisfied, a person looks at it whatever the tenant says.
    """
    told = _reply(request, about, settings, RECOVERING)
    told["slots"] |= {"person_informed": person_informed}
    if disputed:
        told["needs_approval"] = "the rating and the words beside it disagree"
    elif not settings.send_service_recovery:
        told["needs_approval"] = "a dissatisfied client is written to"
    return told


def thanks(request: Request, about: Row, settings: TenantSettings) -> dict[str, Any]:
    """The payload of the card that thanks for praise."""
    return _reply(request, about, settings, THANKING)


def _reply(request: Request, about: Row, settings: TenantSettings, template: str) -> dict[str, Any]:
    slots = _slots(about["name"], about["client_name"], about["company"], about["called"], about["thread_subject"],
                   settings)  # fmt: skip
    return {
        "feedback_request_id": str(request.id), "order_id": str(request.order_id), "template": template,
        # it answers what they said: no reply of a colleague's ends it
        "responds_to": "feedback",
        "language": language((about["language"], about["client_language"]), settings), "slots": slots,
    }  # fmt: skip


def _slots(
    name: str | None, client_name: str, company: str, called: str, subject: str | None, settings: TenantSettings
) -> dict[str, Any]:  # fmt: skip
    said: Mapping[str, Any] = {
        "first_name": first_name(name or ""),
        "client_name": client_name,
        "order": called,
        "sender_name": settings.sender_name or company,
        "company": company,
        "thread_subject": re.sub(r"^(?:re:\s*)+", "", subject or "", flags=re.IGNORECASE),
    }
    return dict(said)
