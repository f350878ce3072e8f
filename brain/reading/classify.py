"""Which of the classes a message belongs to: reports first, then automatic answers, then people."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from brain.reading import absence, automatic, bounces
from brain.reading.body import Body
from brain.reading.model import Reading
from brain.reading.parse import Parsed


def classify(parsed: Parsed, body: Body, head: Reading, now: datetime | None, region: str) -> Reading:
    """Fill in class, flags and what hangs on them."""
    text = body.text()
    about = automatic.automation_of(parsed, head.subject, head.from_address)
    ids = bounces.original_ids(body, text) if body.reports or body.embedded else ()
    failed = bounces.bounces_of(body, ids)
    cls = _class_of(parsed, body, head, about, text, bool(failed))
    return replace(
        head,
        cls=cls,
        flags=about.flags,
        auto_submitted=about.auto_submitted,
        text=text,
        reply=text.strip(),
        attachments=body.attachments(),
        bounces=failed,
        original_message_ids=ids,
    )


def _class_of(
    parsed: Parsed, body: Body, head: Reading, about: automatic.Automation, text: str, failed: bool
) -> str:
    kinds = {part.get_content_type() for part in body.reports}
    if "message/feedback-report" in kinds:
        return "complaint_report"
    if kinds & {"message/delivery-status", "message/global-delivery-status"}:
        return "bounce" if failed else "delivery_report"
    if "message/disposition-notification" in kinds:
        return "delivery_report"
    if absence.is_absence(about, head.subject, text):
        return "out_of_office"
    if "automatic" in about.flags:
        return "automatic"
    if head.in_reply_to or head.references:
        return "reply"
    return "automatic" if about.flags & {"list_mail", "bulk"} else "other"
