"""Delivery reports: who could not be reached, for good or for now, and which mail it was about (RFC 3464)."""

from __future__ import annotations

import re
from email.message import Message

from brain.reading.addresses import mailboxes, normalise_address
from brain.reading.body import Body, take_apart
from brain.reading.model import Bounce
from brain.reading.parse import decode_header, headers_of, message_ids, payload
from brain.reading.reason_words import reason_in
from brain.reading.reasons import action_of, reason_of, status_of

_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,40})\s*:[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_ID_LINE = re.compile(r"^(?:[> ]|\|)*Message-ID:[ \t]*\n?[ \t]*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]]{1,128}@[^\s<>@,;:\"()\[\]]+")
MAX_RECIPIENTS = 2_000


def delivery_status(body: Body) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Per-message and per-recipient groups of every message/delivery-status part, field names in lower case."""
    general: list[dict[str, str]] = []
    recipients: list[dict[str, str]] = []
    for part in body.reports or _inner_reports(body):
        if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        for group in groups(part):
            if "final-recipient" in group or "original-recipient" in group or "action" in group:
                recipients.append(group)
            elif group:
                general.append(group)
    return general, recipients[:MAX_RECIPIENTS]


def _inner_reports(body: Body) -> list[Message]:
    """Scanners wrap a whole report into another message: look one level deeper."""
    found: list[Message] = []
    for part in body.embedded[:3]:
        children = part.get_payload()
        for child in children if isinstance(children, list) else []:
            if isinstance(child, Message) and child.get_content_type() == "multipart/report":
                found.extend(take_apart(child).reports)
    return found


def groups(part: Message) -> list[dict[str, str]]:
    children = part.get_payload()
    if isinstance(children, list):
        found = []
        for child in children:
            if isinstance(child, Message):
                found.append({name: values[0] for name, values in headers_of(child).items()})
                inner = child.get_payload()
                if isinstance(inner, str) and inner.strip():
                    found.extend(_fields_of(inner))
        return [group for group in found if group]
    return _fields_of(payload(part).decode("utf-8", "replace"))


def _fields_of(text: str) -> list[dict[str, str]]:
    return [
        {name.lower(): value for name, value in reversed(_FIELD.findall(block))}
        for block in re.split(r"\n[ \t]*\n", text)
        if block.strip()
    ]


def bounces_from(recipients: list[dict[str, str]], original: str | None, notice: str) -> tuple[Bounce, ...]:
    """Every recipient that a structured report names as failed or delayed; `notice` is its part for people."""
    found: dict[str, Bounce] = {}
    for group in recipients:
        bounce = _bounce_from(group, original, notice, alone=len(recipients) == 1)
        if bounce is not None:
            found.setdefault(bounce.address, bounce)
    return tuple(found.values())


def _bounce_from(group: dict[str, str], original: str | None, notice: str, alone: bool) -> Bounce | None:
    action = group.get("action", "").strip().lower().partition(" ")[0].strip(";,.")
    if action in ("delivered", "relayed", "expanded"):
        return None
    diagnostic = " ".join(decode_header(group.get("diagnostic-code", "")).split())
    address = _recipient(group)
    status = status_of(group.get("status", ""), diagnostic)
    if status.startswith("2"):
        return None
    words = diagnostic
    if reason_in(words) is None:
        words = f"{diagnostic} {_said_of(address, notice, alone)}"
    if not status:
        status = status_of("", words) or ("4.0.0" if action == "delayed" else "5.0.0")
    reason = "delayed" if action == "delayed" else reason_of(status, words, f"{diagnostic}\n{notice}", address)
    if reason == "unknown_user" and alone and reason_in(notice) == "mailbox_full":
        reason = "mailbox_full"  # the two halves of the report disagree: believe the one that spares the address
    row = action_of(reason, "4" if action == "delayed" else status)
    return Bounce(address, row.permanent, row.suppress, status, reason, original, diagnostic[:500])


def _said_of(address: str, notice: str, alone: bool) -> str:
    """What the part for people says about one recipient."""
    at = notice.lower().find(address) if address else -1
    if at < 0:
        return notice[:1_500] if alone else ""
    if alone:
        return notice[:2_000]
    said = notice[at : at + 300]
    others = (hit.start() for hit in _ADDRESS.finditer(said, len(address)) if hit[0].lower() != address)
    return said[: next(others, len(said))]


def _recipient(group: dict[str, str]) -> str:
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        value = group.get(name, "")
        value = value.partition(";")[2] if ";" in value else value
        hit = _ADDRESS.search(value)
        if hit:
            return normalise_address(hit[0]) or ""
    return ""


def original_ids(body: Body, text: str) -> tuple[str, ...]:
    """The Message-IDs of the mail a report is about, wherever it quotes them."""
    found: list[str] = []
    for part in body.embedded:
        children = part.get_payload()
        for child in children if isinstance(children, list) else []:
            if isinstance(child, Message):
                found.extend(message_ids(str(child.get("message-id", "") or "")))
    for part in body.reports:
        kind = part.get_content_type()
        if kind.startswith("text/rfc822-header") or not part.is_multipart():
            found.extend(_ID_LINE.findall(payload(part).decode("utf-8", "replace")))
    if not found:
        found.extend(_ID_LINE.findall(text))
    return tuple(dict.fromkeys(found))


def embedded_recipients(body: Body) -> set[str]:
    """Whom the returned copy was addressed to."""
    found: set[str] = set()
    for part in body.embedded:
        children = part.get_payload()
        for child in children if isinstance(children, list) else []:
            if isinstance(child, Message):
                found |= {person.address for person in mailboxes(str(value) for value in child.get_all("to", []))}
    for part in body.reports:
        if part.get_content_type().startswith("text/rfc822-header"):
            text = payload(part).decode("utf-8", "replace")
            hit = re.search(r"^to:[ \t]*(.*(?:\n[ \t]+.*)*)", text, re.IGNORECASE | re.MULTILINE)
            found |= {person.address for person in mailboxes([hit[1]])} if hit else set()
    return found
