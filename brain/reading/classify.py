"""Which of the classes a message belongs to: reports first, then automatic answers, then people."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from brain.reading import absence, automatic, invitations, reports, signature, understanding
from brain.reading.body import Body
from brain.reading.model import Reading
from brain.reading.parse import Parsed
from brain.reading.understanding import Understood


def classify(parsed: Parsed, body: Body, head: Reading, now: datetime | None, region: str) -> Reading:
    """Fill in class, flags and what hangs on them."""
    text = body.text()
    about = automatic.automation_of(parsed, head.subject, head.from_address)
    report = reports.report_of(parsed, body, head, text, about)
    written = head.written or now
    base = written.date() if written else None
    away = report.cls is None and not report.strange and absence.is_absence(about, head.subject, text, base)
    by_person = report.cls is None and not (report.strange or away) and not is_machine_written(about, parsed)
    found = understanding.understand(
        text,
        head.subject,
        sender_name=head.from_name,
        sender_address=head.from_address,
        written=written,
        region=region,
        by_person=by_person,
    )
    invitation = invitations.invitation_of(body)
    flags = set(about.flags) | found.flags
    if report.feedback:
        flags.add(f"feedback_{report.feedback.replace('-', '_')}")
    if report.strange:
        flags |= {"backscatter", "automatic"}
    if invitation is not None:
        flags.add("invitation")
    if body.files:
        flags.add("has_attachments")
    if head.in_reply_to or head.references:
        flags.add("reply")
    if found.task_request is not None and found.task_request.is_explicit:
        flags.add("asks_task")
    month_first = region == "US" and found.language in (None, "en")
    return replace(
        head,
        cls=report.cls or ("out_of_office" if away else _class_of(found, head, by_person)),
        flags=frozenset(flags),
        auto_submitted=about.auto_submitted,
        text=text,
        reply=found.reply,
        signature=found.signature,
        language=found.language,
        attachments=body.attachments(),
        people=head.people + signature.facts_of(found.signature, head.from_address or ""),
        bounces=report.bounces,
        complainants=report.complainants,
        original_message_ids=report.original_ids,
        return_date=absence.return_date(head.subject, text, base, month_first=month_first) if away else None,
        task_request=found.task_request,
        items=found.items,
        reference_numbers=found.reference_numbers,
        invitation=invitation,
        evidence=found.evidence,
    )


def is_machine_written(about: automatic.Automation, parsed: Parsed) -> bool:
    """Notices and newsletters: nobody asks anything there. A discussion list still carries people's words."""
    if "automatic" in about.flags:
        return True
    return bool(about.flags & {"list_mail", "bulk"}) and not parsed.has("list-post") and not parsed.has("in-reply-to")


def _class_of(found: Understood, head: Reading, by_person: bool) -> str:
    is_reply = bool(head.in_reply_to or head.references)
    if not by_person:
        return "automatic"
    return understanding.class_of(found, head.subject, is_reply)
