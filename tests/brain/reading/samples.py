"""Messages of every sort that the tests need, written by us."""

from __future__ import annotations

from email.message import EmailMessage

BOUNDARY = "=_part"


def dsn(
    *,
    recipient: str = "ana@globex.example",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <ana@globex.example>: Recipient address rejected: User unknown",
    action: str = "failed",
    note: str = "The mail system could not deliver your message.",
    original_id: str = "<card-1@acme.example>",
) -> bytes:
    """A delivery status report (RFC 3464) about one recipient."""
    return (
        "Return-Path: <>\n"
        "From: Mail Delivery System <MAILER-DAEMON@mx.acme.example>\n"
        "To: agent@acme.example\n"
        "Subject: Undelivered Mail Returned to Sender\n"
        "Date: Mon, 06 Jul 2026 09:00:00 +0200\n"
        "Message-ID: <report-1@mx.acme.example>\n"
        "Auto-Submitted: auto-replied\n"
        "MIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{BOUNDARY}"\n'
        "\n"
        f"--{BOUNDARY}\nContent-Type: text/plain; charset=us-ascii\n\n{note}\n\n"
        f"--{BOUNDARY}\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.acme.example\n\n"
        f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: {diagnostic}\n\n"
        f"--{BOUNDARY}\nContent-Type: message/rfc822\n\n"
        f"From: Agent <agent@acme.example>\nTo: {recipient}\nSubject: Hello\nMessage-ID: {original_id}\n\nHello Ana\n\n"
        f"--{BOUNDARY}--\n"
    ).encode()


def notice(body: str, *, subject: str = "failure notice", sender: str = "MAILER-DAEMON@mx.acme.example") -> bytes:
    """A failure told in words only."""
    return (
        f"Return-Path: <>\nFrom: {sender}\nTo: agent@acme.example\nSubject: {subject}\n"
        f"Date: Mon, 06 Jul 2026 09:00:00 +0200\n\n{body}\n"
    ).encode()


def feedback_report(kind: str = "abuse") -> bytes:
    """A complaint in the abuse reporting format (RFC 5965)."""
    return (
        "From: feedback@isp.example\nTo: abuse@acme.example\nSubject: FW: Hello\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type=feedback-report; boundary="{BOUNDARY}"\n\n'
        f"--{BOUNDARY}\nContent-Type: text/plain\n\nThis is an email abuse report.\n\n"
        f"--{BOUNDARY}\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: {kind}\nUser-Agent: Loop/1.0\nVersion: 1\nOriginal-Rcpt-To: <ana@globex.example>\n\n"
        f"--{BOUNDARY}\nContent-Type: message/rfc822\n\n"
        "From: agent@acme.example\nTo: ana@globex.example\nSubject: Hello\nMessage-ID: "
        "<card-7@acme.example>\n\nHello\n\n"
        f"--{BOUNDARY}--\n"
    ).encode()


def plain(body: str, *, subject: str = "Hello", headers: dict[str, str] | None = None) -> bytes:
    """A mail of a person."""
    message = EmailMessage()
    message["From"] = "Kim Client <kim@globex.example>"
    message["To"] = "Office <office@acme.example>"
    message["Date"] = "Mon, 06 Jul 2026 09:00:00 +0200"
    message["Message-ID"] = "<kim-1@globex.example>"
    message["Subject"] = subject
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(body)
    return message.as_bytes()


def html(markup: str) -> bytes:
    """A mail without a plain part."""
    return (
        "From: kim@globex.example\nTo: office@acme.example\nSubject: Re: Hello\nMIME-Version: 1.0\n"
        "Content-Type: text/html; charset=utf-8\n\n" + markup
    ).encode()


def with_files() -> bytes:
    """A PDF with a name in RFC 2231 segments, a picture in the text, and an attached mail."""
    return (
        "From: kim@globex.example\nTo: office@acme.example\nSubject: papers\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/mixed; boundary="{BOUNDARY}"\n\n'
        f"--{BOUNDARY}\nContent-Type: text/plain; charset=utf-8\n\nsee attached\n\n"
        f"--{BOUNDARY}\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n"
        "Content-Disposition: attachment;\n filename*0*=utf-8''informe%20a;\n filename*1*=%C3%B1o;\n "
        "filename*2=.pdf\n\n"
        "JVBERi0xLjQK\n\n"
        f'--{BOUNDARY}\nContent-Type: image/png; name="=?utf-8?q?logo_caf=C3=A9.png?="\nContent-ID: <logo@x>\n'
        "Content-Disposition: inline\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n\n"
        f"--{BOUNDARY}\nContent-Type: message/rfc822\n\nFrom: a@b.example\nSubject: older mail\n\nbody\n\n"
        f"--{BOUNDARY}--\n"
    ).encode()


def invitation() -> bytes:
    """A calendar request."""
    return (
        "From: kim@globex.example\nTo: office@acme.example\nSubject: Invitation: site visit\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/alternative; boundary="{BOUNDARY}"\n\n'
        f"--{BOUNDARY}\nContent-Type: text/plain\n\nYou are invited.\n\n"
        f"--{BOUNDARY}\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\n\n"
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y//EN\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:visit-1\n"
        "DTSTAMP:20260706T070000Z\nDTSTART:20260709T080000Z\nDTEND:20260709T090000Z\nSUMMARY:Site visit\n"
        "ORGANIZER:mailto:kim@globex.example\nEND:VEVENT\nEND:VCALENDAR\n\n"
        f"--{BOUNDARY}--\n"
    ).encode()


def everything() -> list[bytes]:
    """One of each, for the mutants."""
    return [
        dsn(),
        dsn(status="4.4.7", action="delayed"),
        notice(
            "<ana@globex.example>:\n550 5.1.1 no such user (in reply to RCPT TO)\n\n--- Below this line is a copy.\n\nX"
        ),
        feedback_report(),
        plain(
            "Hi,\n\nplease call me tomorrow at 3pm.\n\nBest regards,\nKim Client\nBuyer, Globex Inc.\n+1 415 555 0132"
        ),
        plain(
            "Ok\n\nOn Mon, 6 Jul 2026 at 08:00, Office <office@acme.example> wrote:\n> Hello\n> there",
            subject="Re: Hello",
        ),
        plain("Estoy fuera hasta el 20 de julio.", headers={"Auto-Submitted": "auto-replied"}),
        html("<div>Thanks<br>Kim</div><blockquote><p>older</p></blockquote><img src='https://t.example/p.gif'>"),
        with_files(),
        invitation(),
    ]
