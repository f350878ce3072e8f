"""Mail that people might write, as bytes."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid


def letter(
    sender: str, to: str, subject: str, text: str, *, at: datetime, answers: str | None = None,
    attachment: bytes | None = None,
) -> bytes:  # fmt: skip
    """A message as it comes in; `answers` is the Message-ID that it replies to."""
    domain = sender.rpartition("@")[2].rstrip(">")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"], mail["Message-ID"] = format_datetime(at), make_msgid(domain=domain)
    mail["Authentication-Results"] = f"mx.google.com; dkim=pass header.d={domain}; dmarc=pass header.from={domain}"
    if answers is not None:
        mail["In-Reply-To"] = mail["References"] = answers
    mail.set_content(text)
    if attachment is not None:
        mail.add_attachment(attachment, maintype="application", subtype="pdf", filename="offer.pdf")
    return mail.as_bytes()
