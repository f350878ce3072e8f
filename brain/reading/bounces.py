"""Delivery reports: who could not be reached, for good or for now, and which mail it was about (RFC 3464)."""

from __future__ import annotations

import re
from email.message import Message

from brain.reading.addresses import normalise_address
from brain.reading.body import Body
from brain.reading.model import Bounce
from brain.reading.parse import decode_header, headers_of, message_ids, payload
from brain.reading.reasons import STATUS, action_of, reason_of

_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{1,40})\s*:[ \t]*(.*(?:\n[ \t]+.*)*)", re.MULTILINE)
_ID_LINE = re.compile(r"^(?:[> ]|\|)*Message-ID:[ \t]*\n?[ \t]*(<[^<>\s]+>)", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]]+@[^\s<>@,;:\"()\[\]]+")
MAX_RECIPIENTS = 2_000


def delivery_status(body: Body) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Per-message and per-recipient groups of every message/delivery-status part, field names in lower case."""
    general: list[dict[str, str]] = []
    recipients: list[dict[str, str]] = []
    for part in body.reports:
        if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        for group in _groups(part):
            if "final-recipient" in group or "original-recipient" in group or "action" in group:
                recipients.append(group)
            elif group:
                general.append(group)
    return general, recipients[:MAX_RECIPIENTS]


def _groups(part: Message) -> list[dict[str, str]]:
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


def bounces_of(body: Body, ids: tuple[str, ...]) -> tuple[Bounce, ...]:
    """Every recipient that a structured report names as failed or delayed."""
    _, recipients = delivery_status(body)
    found: dict[str, Bounce] = {}
    for group in recipients:
        bounce = _bounce_from(group, ids[0] if ids else None)
        if bounce is not None:
            found.setdefault(bounce.address, bounce)
    return tuple(found.values())


def _bounce_from(group: dict[str, str], original: str | None) -> Bounce | None:
    action = group.get("action", "").strip().lower().partition(" ")[0].strip(";,.")
    if action in ("delivered", "relayed", "expanded"):
        return None
    diagnostic = " ".join(decode_header(group.get("diagnostic-code", "")).split())
    status = _status_of(group.get("status", ""), diagnostic, action)
    if status.startswith("2"):
        return None
    address = _recipient(group)
    reason = "delayed" if action == "delayed" else reason_of(status, diagnostic)
    row = action_of(reason, "4" if action == "delayed" else status)
    return Bounce(address, row.permanent, row.suppress, status, reason, original, diagnostic[:500])


def _status_of(stated: str, diagnostic: str, action: str) -> str:
    hit = STATUS.search(stated) or STATUS.search(diagnostic)
    if hit:
        return hit[0]
    return "4.0.0" if action == "delayed" else "5.0.0" if action == "failed" else ""


def _recipient(group: dict[str, str]) -> str:
    for name in ("final-recipient", "original-recipient", "x-actual-recipient"):
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
