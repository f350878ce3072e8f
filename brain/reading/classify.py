"""Which of the classes a message belongs to: reports first, then automatic answers, then people."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from brain.reading import absence, automatic, reports, visible_reply
from brain.reading.body import Body
from brain.reading.model import Reading
from brain.reading.parse import Parsed


def classify(parsed: Parsed, body: Body, head: Reading, now: datetime | None, region: str) -> Reading:
    """Fill in class, flags and what hangs on them."""
    text = body.text()
    about = automatic.automation_of(parsed, head.subject, head.from_address)
    report = reports.report_of(parsed, body, head, text, about)
    cls = report.cls or _class_of(head, about, text)
    return replace(
        head,
        cls=cls,
        flags=about.flags,
        auto_submitted=about.auto_submitted,
        text=text,
        reply=visible_reply.cut(text).reply,
        attachments=body.attachments(),
        bounces=report.bounces,
        original_message_ids=report.original_ids,
        complainants=report.complainants,
    )


def _class_of(head: Reading, about: automatic.Automation, text: str) -> str:
    if absence.is_absence(about, head.subject, text):
        return "out_of_office"
    if "automatic" in about.flags:
        return "automatic"
    if head.in_reply_to or head.references:
        return "reply"
    return "automatic" if about.flags & {"list_mail", "bulk"} else "other"
