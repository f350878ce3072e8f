"""What is written about a quote: a template by attempt, with number, total and validity as the record has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from domain import money
from domain.settings import TenantSettings
from engines.greeting import first_name, language
from engines.quotes.due import Due
from engines.written_days import day


def payload(due: Due, settings: TenantSettings, valid_until: datetime) -> dict[str, Any]:
    """The payload of the card that sends a quote or follows it up; the link is made when the mail is rendered."""
    tongue = language(due.languages, settings)
    told: dict[str, Any] = {
        "quote_id": str(due.quote_id),
        "revision": due.revision,
        "attempt": due.attempt,
        "valid_until": valid_until.isoformat(),
        "quote_page": {"quote_id": str(due.quote_id), "revision": due.revision, "until": valid_until.isoformat()},
        "template": f"quote_follow_up_{due.attempt}" if due.attempt else "send_quote",
        "language": tongue,
        "slots": dict(slots(due, settings, valid_until, tongue)),
        # what stands in the text stands in the record
        "backed": {"total": money.told(due.total), "valid_until": last_day(settings, valid_until).isoformat()[:10]},
    }
    if not due.attempt and due.message_id is not None:
        told["answers_message_id"] = str(due.message_id)
    if not due.attempt and due.source == "mail" and not settings.send_requested_quotes:
        told["needs_approval"] = "a mail asked for this quote"
    return told


def slots(due: Due, settings: TenantSettings, valid_until: datetime, tongue: str) -> Mapping[str, str]:
    """The words that the templates fill in, but for the link."""
    return {
        "first_name": first_name(due.name or ""),
        "number": due.number,
        "total": amount(due.total, due.currency, tongue),
        "valid_until": day(last_day(settings, valid_until), tongue),
        "sender_name": settings.sender_name or due.company,
        "company": due.company,
        "thread_subject": re.sub(r"^(?:re:\s*)+", "", due.thread_subject or "", flags=re.IGNORECASE),
    }


def amount(total: Decimal, currency: str, tongue: str) -> str:
    """An amount as it is written in a language."""
    figure = f"{money.rounded(total, currency):,f}"
    return f"{currency} {figure if tongue == 'en' else figure.translate(str.maketrans(',.', '.,'))}"


def last_day(settings: TenantSettings, valid_until: datetime) -> datetime:
    """A moment of the last day on which it holds, where the tenant is: it ends with that day's last instant."""
    return (valid_until - timedelta(microseconds=1)).astimezone(settings.zone)
