"""Reports about mail: delivery status (RFC 3464), feedback (RFC 5965), read receipts, and notices in words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from brain.reading import amazon, bounces, notice_signs, notices, strangers
from brain.reading.addresses import mailboxes, normalise_address
from brain.reading.automatic import Automation
from brain.reading.body import Body
from brain.reading.model import Bounce, Reading
from brain.reading.parse import Parsed

_STATUS_PARTS = {"message/delivery-status", "message/global-delivery-status"}
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]]{1,128}@[^\s<>@,;:\"()\[\]]+")
_WANTS_NO_MORE = {"abuse", "opt-out", "opt-out-list", "fraud", "complaint", "unsubscribe", "other", ""}


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says; `cls` is None for everything else."""

    cls: str | None = None
    bounces: tuple[Bounce, ...] = ()
    complainants: tuple[str, ...] = ()
    original_ids: tuple[str, ...] = ()
    feedback: str | None = None
    strange: bool = False
    """It is about a mail that somebody else wrote."""


def report_of(parsed: Parsed, body: Body, head: Reading, text: str, about: Automation) -> Report:
    """Recognise a report; structured parts first, words last."""
    kinds = {part.get_content_type() for part in body.reports}
    if "message/feedback-report" in kinds:
        return _feedback(body, text, head)
    told = _failure_report(parsed, body, head, text, about, kinds)
    if told is not None and told.cls == "bounce" and strangers.is_about_strangers(parsed, body):
        return Report(strange=True, original_ids=told.original_ids)
    if told is None and "message/disposition-notification" in kinds:
        return Report("delivery_report", original_ids=bounces.original_ids(body, text))
    return told or Report()


def _failure_report(
    parsed: Parsed, body: Body, head: Reading, text: str, about: Automation, kinds: set[str]
) -> Report | None:
    if "amazonses" in text or '"notificationType"' in text:
        told = _amazon(text)
        if told is not None:
            return told
    structured = bool(kinds & _STATUS_PARTS) or (not kinds and _says_report(parsed, body))
    if structured:
        told = _delivery(body, text)
        if told is not None:
            return told
    if about.auto_submitted == "auto-replied" and about.is_vacation:
        return None
    if structured or _may_be_notice(parsed, head, about, kinds):
        return _in_words(parsed, body, head, text, structured)
    return None


def _may_be_notice(parsed: Parsed, head: Reading, about: Automation, kinds: set[str]) -> bool:
    """A cheap look before the words are read: most mail stops here."""
    return (
        "automatic" in about.flags
        or "message/disposition-notification" in kinds
        or parsed.has("x-failed-recipients")
        or notice_signs.is_titled(head.subject)
        or notice_signs.is_from_daemon(head.from_name, head.from_address or parsed.text("from"))
    )


def _says_report(parsed: Parsed, body: Body) -> bool:
    return bool(body.embedded) and "delivery-status" in parsed.raw("content-type").lower()


def _delivery(body: Body, text: str) -> Report | None:
    _, recipients = bounces.delivery_status(body)
    if not recipients:
        return None
    ids = bounces.original_ids(body, text)
    failed = bounces.bounces_from(recipients, ids[0] if ids else None, notices.notice_of(text).text)
    return Report("bounce" if failed else "delivery_report", failed, original_ids=ids)


def _in_words(parsed: Parsed, body: Body, head: Reading, text: str, structured: bool) -> Report | None:
    notice = notices.notice_of(text)
    own = {person.address for person in (*head.to, *head.cc)}
    if head.from_address:
        own.add(head.from_address)
    own |= {person.address for person in mailboxes(parsed.all("delivered-to")[:1])}
    sender, said = (head.from_name, head.from_address or parsed.text("from")), (notice.text, notice.returned)
    with_copy = bool(body.embedded or body.reports)
    if not structured and not notice_signs.is_notice(parsed, head.subject, sender, said, own, with_copy=with_copy):
        return None
    ids = bounces.original_ids(body, text)
    original = ids[0] if ids else None
    found = notices.bounces_in(notice, parsed, head.subject, own, original)
    if not found:
        named = (bounces.embedded_recipients(body) or notices.returned_to(notice)) - own
        if len(named) == 1:
            found = (notices.bounce_about(named.pop(), notice, head.subject, original),)
    return Report("bounce", found, original_ids=ids)


def _amazon(text: str) -> Report | None:
    kind = amazon.kind_of(text)
    if kind is None:
        return None
    ids = amazon.original_ids(text)
    if kind == "Bounce":
        return Report("bounce", amazon.bounces_in(text, ids[0] if ids else None), original_ids=ids)
    if kind == "Complaint":
        return Report("complaint_report", complainants=amazon.recipients_in(text), original_ids=ids, feedback="abuse")
    return Report("delivery_report", original_ids=ids)


def _feedback(body: Body, text: str, head: Reading) -> Report:
    """ARF: who complained about which mail; `not-spam` and authentication reports name nobody."""
    kind, named = "", []
    for part in body.reports:
        if part.get_content_type() != "message/feedback-report":
            continue
        for group in bounces.groups(part):
            kind = kind or group.get("feedback-type", "").strip().lower()
            for field in ("original-rcpt-to", "removal-recipient", "redacted-address"):
                named.extend(_ADDRESS.findall(group.get(field, "")))
    found = [address for hit in named if (address := normalise_address(hit))]
    if not found:
        found = sorted(bounces.embedded_recipients(body) - {person.address for person in head.to})
    if kind not in _WANTS_NO_MORE:
        found = []
    return Report(
        "complaint_report",
        complainants=tuple(dict.fromkeys(found)),
        original_ids=bounces.original_ids(body, text),
        feedback=kind or "abuse",
    )
