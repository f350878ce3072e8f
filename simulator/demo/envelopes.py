"""Letters in their envelopes: the bytes that a mailbox would hold, replies, reports, newsletters and wreckage alike."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr

from simulator.demo import attachments
from simulator.demo.letters import Letter

WIRE = SMTP.clone(max_line_length=200)


@dataclass(frozen=True, slots=True)
class Earlier:
    """A mail that another one answers or reports on."""

    message_id: str
    subject: str
    sender: str
    to: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Addressed:
    """Everything that the letter itself leaves open."""

    sender: str
    to: Sequence[str]
    cc: Sequence[str]
    at: datetime
    message_id: str
    earlier: Earlier | None = None


def seal(letter: Letter, how: Addressed) -> bytes:
    """The message as it travels, with CRLF."""
    if letter.kind == "wreck":
        # no header line at all: what a broken gateway leaves of a message
        return letter.text.encode("latin-1", "replace").replace(b"\n", b"\r\n")
    return MADE[letter.kind](letter, how)


def _letter(letter: Letter, how: Addressed) -> bytes:
    mail = _head(letter, how)
    quoted = letter.text
    if how.earlier is not None:
        lines = "\n".join(f"> {line}".rstrip() for line in how.earlier.text.strip().splitlines())
        quoted += f"\nOn {how.earlier.at:%a, %d %b %Y at %H:%M}, {how.earlier.sender} wrote:\n{lines}\n"
    mail.set_content(quoted)
    if letter.html:
        paragraphs = "".join(f"<p>{html.escape(part)}</p>\n" for part in letter.text.strip().split("\n\n"))
        mail.add_alternative(f"<html><body>\n{paragraphs}</body></html>\n", subtype="html")
    for name in letter.attach:
        content, main, sub = attachments.content(name)
        mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes(policy=WIRE)


def _away(letter: Letter, how: Addressed) -> bytes:
    """An absence note, marked as RFC 3834 asks."""
    mail = _head(letter, how)
    mail["Auto-Submitted"] = "auto-replied"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(letter.text)
    return mail.as_bytes(policy=WIRE)


def _newsletter(letter: Letter, how: Addressed) -> bytes:
    mail = _head(letter, how)
    domain = parseaddr(how.sender)[1].rpartition("@")[2]
    mail["List-Id"] = f"<news.{domain}>"
    mail["List-Unsubscribe"] = f"<https://{domain}/leave?u=88213>"
    mail["Precedence"] = "bulk"
    mail.set_content(letter.text)
    body = "".join(f"<p>{html.escape(part)}</p>\n" for part in letter.text.strip().split("\n\n"))
    mail.add_alternative(f"<html><body><table><tr><td>\n{body}</td></tr></table></body></html>\n", subtype="html")
    return mail.as_bytes(policy=WIRE)


def _notice(letter: Letter, how: Addressed) -> bytes:
    """What a system sends by itself."""
    mail = _head(letter, how)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.text)
    for name in letter.attach:
        content, main, sub = attachments.content(name)
        mail.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return mail.as_bytes(policy=WIRE)


def _bounce(letter: Letter, how: Addressed) -> bytes:
    """A delivery status notification with the headers of the mail that failed (RFC 3464)."""
    earlier = _about(how)
    status = (
        f"Reporting-MTA: dns; mx.{earlier.to.rpartition('@')[2]}\n\n"
        f"Final-Recipient: rfc822; {earlier.to}\nAction: failed\nStatus: {letter.status}\n"
        f"Diagnostic-Code: smtp; {letter.said}\n"
    )
    return _report(letter, how, "delivery-status", "message/delivery-status", status)


def _spam_report(letter: Letter, how: Addressed) -> bytes:
    """An abuse report of a mailbox provider (RFC 5965)."""
    earlier = _about(how)
    report = (
        "Feedback-Type: abuse\nUser-Agent: Postkasten-FBL/2\nVersion: 1\n"
        f"Original-Rcpt-To: {earlier.to}\nArrival-Date: {format_datetime(earlier.at)}\n"
    )
    return _report(letter, how, "feedback-report", "message/feedback-report", report)


def _receipt(letter: Letter, how: Addressed) -> bytes:
    """A notice that a mail was displayed (RFC 8098)."""
    earlier = _about(how)
    report = (
        f"Reporting-UA: {earlier.to.rpartition('@')[2]}; Mailer\nFinal-Recipient: rfc822; {earlier.to}\n"
        f"Original-Message-ID: {earlier.message_id}\nDisposition: manual-action/MDN-sent-manually; displayed\n"
    )
    return _report(letter, how, "disposition-notification", "message/disposition-notification", report)


def _report(letter: Letter, how: Addressed, kind: str, media: str, machine: str) -> bytes:
    """Three parts: for people, for machines, and the head of the mail that it is about (RFC 6522)."""
    earlier = _about(how)
    mail = _head(letter, how, answers=False)
    mail["Auto-Submitted"] = "auto-replied"
    mail["Return-Path"] = "<>"
    mail["MIME-Version"] = "1.0"
    mail["Content-Type"] = f'multipart/report; report-type={kind}; boundary="=_{letter.id}"'
    returned = (
        f"From: {earlier.sender}\nTo: {earlier.to}\nSubject: {earlier.subject}\n"
        f"Message-ID: {earlier.message_id}\nDate: {format_datetime(earlier.at)}\n"
    )
    parts = (("text/plain; charset=utf-8", letter.text), (media, machine), ("text/rfc822-headers", returned))
    body = "".join(f"--=_{letter.id}\nContent-Type: {media}\n\n{text}\n" for media, text in parts)
    body += f"--=_{letter.id}--\n"
    head = b"".join(WIRE.fold_binary(name, value) for name, value in mail.items())
    return head + b"\r\n" + body.encode().replace(b"\n", b"\r\n")


def _head(letter: Letter, how: Addressed, *, answers: bool = True) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = how.sender
    mail["To"] = ", ".join(how.to)
    if how.cc:
        mail["Cc"] = ", ".join(how.cc)
    mail["Date"] = format_datetime(how.at)
    mail["Message-ID"] = how.message_id
    earlier = how.earlier if answers else None
    subject = letter.subject
    if not subject and earlier is not None:
        subject = earlier.subject if earlier.subject.lower().startswith("re:") else f"Re: {earlier.subject}"
    mail["Subject"] = subject
    if earlier is not None:
        mail["In-Reply-To"] = earlier.message_id
        mail["References"] = earlier.message_id
    return mail


def _about(how: Addressed) -> Earlier:
    assert how.earlier is not None, "a report is about a mail"
    return how.earlier


def named(name: str, address: str) -> str:
    """`Name <address>` for a header."""
    return formataddr((name, address))


MADE: Mapping[str, Callable[[Letter, Addressed], bytes]] = {
    "letter": _letter,
    "away": _away,
    "newsletter": _newsletter,
    "notice": _notice,
    "bounce": _bounce,
    "spam-report": _spam_report,
    "receipt": _receipt,
}
