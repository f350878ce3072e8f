"""What the question about an order says: one mail for all its gaps, in the contact's language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

from domain.order_exceptions import OrderException
from domain.settings import TenantSettings
from engines import greeting

TEMPLATE = "request_order_info"

QUESTION_OF = {
    "PROPERTY_ADDRESS_MISSING": "property_address",
    "BORROWER_CONTACT_MISSING": "borrower_contact",
    "PROPERTY_CONTACT_MISSING": "property_contact",
    "PRODUCT_UNKNOWN": "product",
    "LINES_MISSING": "lines",
}
"""The questions that the templates know; another detail is asked for by its name."""

MOST_QUESTIONS = 20
_UNSEEMLY = re.compile(r"[^\w\s'’()-]")


class Addressed(Protocol):
    """What of an order a question names."""

    @property
    def called(self) -> str: ...
    @property
    def contact_name(self) -> str: ...
    @property
    def languages(self) -> tuple[str | None, ...]: ...
    @property
    def company(self) -> str: ...
    @property
    def thread_subject(self) -> str: ...


def payload(each: Addressed, gaps: Sequence[OrderException], settings: TenantSettings) -> dict[str, Any]:
    """The payload of the card that asks."""
    return {
        "template": TEMPLATE,
        "language": greeting.language(each.languages, settings),
        "slots": {
            "order": each.called,
            "first_name": greeting.first_name(each.contact_name),
            "sender_name": settings.sender_name or each.company,
            "company": each.company,
            "thread_subject": re.sub(r"^(?:re:\s*)+", "", each.thread_subject, flags=re.IGNORECASE),
            "questions": [QUESTION_OF.get(gap.code, "detail") for gap in gaps[:MOST_QUESTIONS]],
            "words": [_words(gap) for gap in gaps[:MOST_QUESTIONS]],
        },
    }


def _words(gap: OrderException) -> str:
    """What a question names: the client's own words for a thing, or a detail's name; letters and figures alone."""
    told = gap.facts.get("description", "") if gap.code == "PRODUCT_UNKNOWN" else gap.field.replace("_", " ")
    return " ".join(_UNSEEMLY.sub(" ", str(told)).split())[:80]
