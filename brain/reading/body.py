"""The text of a message and its files: which part is what was written, which came along."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message

from brain.reading.attachments import attachment_of, disposition_of, filename_of
from brain.reading.model import Attachment
from brain.reading.parse import MAX_DEPTH, MAX_PARTS, clean, decode, part_text

MAX_TEXT_CHARS = 400_000

_REPORT_PARTS = {"message/delivery-status", "message/global-delivery-status", "message/feedback-report"}
_REPORT_PARTS |= {"message/disposition-notification", "text/rfc822-headers", "text/rfc822-header"}
_LOOKS_HTML = re.compile(
    r"^\s*(?:<\?xml[^>]{0,100}>\s*)?(?:<!doctype html|<html|<head|<body|<div|<table|<meta|<p\b)",
    re.IGNORECASE,
)
_NO_HTML = re.compile(
    r"(?:does|do) not (?:support|display) html|html (?:version|format|e?mail) |view (?:this|it) in",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[a-zA-Z/][^>]{0,400}>")


@dataclass(slots=True)
class Body:
    """The pieces of one message."""

    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    files: list[Message] = field(default_factory=list)
    reports: list[Message] = field(default_factory=list)
    embedded: list[Message] = field(default_factory=list)
    calendars: list[Message] = field(default_factory=list)
    seen: int = 0

    def text(self) -> str:
        """Plain text as written; HTML turned to text only where the plain part is missing or hollow."""
        plain = "\n".join(part for part in self.plain if part.strip())
        if self.html and _is_hollow(plain):
            from brain.reading.markup import to_text  # lxml is loaded for HTML mail only

            converted = "\n".join(to_text(markup) for markup in self.html)
            if len(converted.strip()) > len(plain.strip()) or not plain.strip():
                plain = converted
        return clean(plain[:MAX_TEXT_CHARS]).replace("\r\n", "\n").replace("\r", "\n")

    def attachments(self) -> tuple[Attachment, ...]:
        return tuple(attachment_of(part) for part in self.files)


def _is_hollow(plain: str) -> bool:
    stripped = plain.strip()
    return len(stripped) < 24 or (len(stripped) < 400 and _NO_HTML.search(stripped) is not None)


def take_apart(message: Message) -> Body:
    """Sort every part of `message` into text, files, reports, embedded messages and calendars."""
    body = Body()
    _visit(message, body, 0, root=True)
    return body


def _visit(part: Message, body: Body, depth: int, root: bool = False) -> None:
    body.seen += 1
    if body.seen > MAX_PARTS or depth > MAX_DEPTH:
        return
    kind = part.get_content_type()
    if part.is_multipart() and kind.startswith("multipart/"):
        children = part.get_payload()
        for child in children if isinstance(children, list) else []:
            if isinstance(child, Message):
                _visit(child, body, depth + 1)
        return
    if kind.startswith("message/") or kind in _REPORT_PARTS:
        _visit_message(part, kind, body)
        return
    _visit_leaf(part, kind, body, root)


def _visit_message(part: Message, kind: str, body: Body) -> None:
    if kind in _REPORT_PARTS:
        body.reports.append(part)
    elif kind == "message/rfc822" or kind == "message/global":
        body.embedded.append(part)
        body.files.append(part)
    elif not part.is_multipart():
        body.files.append(part)


def _visit_leaf(part: Message, kind: str, body: Body, root: bool) -> None:
    if kind == "text/calendar" or kind == "application/ics":
        body.calendars.append(part)
        if filename_of(part):
            body.files.append(part)
        return
    disposition = disposition_of(part)
    is_text = kind.startswith(("text/", "multipart/")) or (root and not part.get("content-type"))
    if not is_text or disposition == "attachment" or (not root and filename_of(part)):
        body.files.append(part)
        return
    text = part_text(part)
    if (
        kind in ("text/html", "text/xhtml")
        or (kind != "text/plain" and _LOOKS_HTML.match(text))
        or (root and _LOOKS_HTML.match(text) and len(_TAG.findall(text[:4000])) > 3)
    ):
        body.html.append(text)
    else:
        body.plain.append(text)


def raw_text(data: bytes) -> str:
    """The best reading of bytes that are no message at all."""
    return clean(decode(data[:MAX_TEXT_CHARS], None))
