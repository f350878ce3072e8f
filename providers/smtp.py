"""Mail out through an SMTP server: at most once, because SMTP keeps neither keys nor a listing."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, parseaddr
from typing import Literal, cast

from domain.clock import Clock
from domain.ports import Accepted, FoundMail, MaybeHappened, NeverWill, NothingHappened, OutboundMail
from providers.deadlines import Deadline, GuardedSocket, PlainSocket, open_socket
from providers.resend import CARD_HEADER

Security = Literal["starttls", "ssl", "plain"]
DEFAULT_PORTS = {"starttls": 587, "ssl": 465, "plain": 25}
LONGEST_LINE = 8192
SEVEN_BIT = policy.SMTP.clone(cte_type="7bit")


class SmtpSender:
    """A MailSender over SMTP. An unknown outcome stays unknown: nobody can be asked."""

    name = "smtp"
    keeps_keys = False

    def __init__(
        self,
        host: str,
        *,
        clock: Clock,
        port: int | None = None,
        security: Security = "starttls",
        username: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._port = port or DEFAULT_PORTS[security]
        self._security = security
        self._login = (username, password) if username and password else None
        self._clock = clock
        self._tls = tls

    def send(self, mail: OutboundMail, *, deadline_seconds: float = 10.0) -> Accepted:
        """Hand `mail` over to every recipient or to none. Raises NothingHappened, MaybeHappened or NeverWill."""
        deadline = Deadline(deadline_seconds)
        content = render(mail, self._clock.now())
        sender, recipients = _envelope(mail)
        server = _Server(self._host, self._port, deadline, self._tls)
        try:
            with _as_nothing_happened():
                self._open(server)
                _require(server.mail(sender), "the sender")
                for recipient in recipients:
                    _require(server.rcpt(recipient), "a recipient")
                _require(server.docmd("DATA"), "the message", wanted=354)
                # Until the final dot has left, the server can't have the whole mail, so it may not act on it.
                server.write(content)
                server.write(b".\r\n")
            _settle(server)
        finally:
            server.hang_up()
        return Accepted(provider_id=mail.message_id)

    def find(
        self, mail: OutboundMail, *, deadline_seconds: float = 10.0, since: datetime | None = None
    ) -> FoundMail | None:
        """SMTP can't be asked. Always raises NothingHappened."""
        raise NothingHappened("SMTP keeps no listing.")

    def _open(self, server: _Server) -> None:
        server.greet(secure=self._security == "ssl")
        _hello(server)
        if self._security == "starttls":
            if not server.has_extn("starttls"):
                # Going on in the clear would show the password and the mail to whoever removed the offer.
                raise NeverWill("The SMTP server offers no STARTTLS: set its security to `ssl` or `plain`.")
            server.secure()
            _hello(server)
        if self._login is not None:
            server.login(*self._login)


def _hello(server: _Server) -> None:
    answer = server.ehlo()
    if answer[0] >= 500:
        answer = server.helo()  # a server from before 1995
    _require(answer, "our greeting")


def _settle(server: _Server) -> None:
    """Read what became of a mail whose final dot has left."""
    try:
        code, message = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise MaybeHappened(f"The server did not say whether it took the mail: {_told(error)}") from error
    if not 200 <= code < 600 or 300 <= code < 400:
        raise MaybeHappened(f"The server's answer to the mail can't be read: {message[:300]!r}")
    _require((code, message), "the mail")


class _Server(smtplib.SMTP):
    """smtplib's client on a socket that keeps to one deadline."""

    def __init__(self, host: str, port: int, deadline: Deadline, tls: ssl.SSLContext | None) -> None:
        super().__init__(local_hostname="[127.0.0.1]", timeout=max(0.001, deadline.seconds))
        self._host = host  # smtplib sets it when it connects by itself; its TLS code reads it
        self._port = port
        self._deadline = deadline
        self._context = tls

    def greet(self, *, secure: bool) -> None:
        plain = open_socket(self._host, self._port, self._deadline)
        self.sock = _guard(plain, self._deadline)
        if secure:
            self._wrap(plain)
        code, message = self.getreply()
        if code != 220:
            self.close()
            raise smtplib.SMTPConnectError(code, message)

    def secure(self) -> None:
        code, message = self.docmd("STARTTLS")
        if code != 220:
            raise smtplib.SMTPResponseException(code, message)
        self._wrap(cast("GuardedSocket", self.sock).plain)
        # What was said in the clear is forgotten (RFC 3207).
        self.file = None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False

    def getreply(self) -> tuple[int, bytes]:
        """The server's answer, all its lines. smtplib's own takes half a line for a whole one."""
        assert self.sock is not None
        self.file = self.file or self.sock.makefile("rb")
        said: list[bytes] = []
        while True:
            line = self.file.readline(LONGEST_LINE)
            if not line.endswith(b"\n"):
                raise smtplib.SMTPServerDisconnected("the answer broke off" if line else "the connection was closed")
            said.append(line[4:].strip())
            if line[3:4] != b"-":
                code = int(line[:3]) if line[:3].isdigit() else -1
                return code, b"\n".join(said)

    def write(self, data: bytes) -> None:
        assert self.sock is not None
        self.sock.sendall(data)

    def hang_up(self) -> None:
        if self.sock is not None:
            try:
                self.write(b"QUIT\r\n")
            except OSError:
                self.close()
        self.close()

    def _wrap(self, plain: object) -> None:
        context = self._context or ssl.create_default_context()
        sock = cast("socket.socket", plain)
        sock.settimeout(self._deadline.require())
        self.sock = _guard(context.wrap_socket(sock, server_hostname=self._host), self._deadline)


def render(mail: OutboundMail, at: datetime) -> bytes:
    """The mail as SMTP carries it: CRLF, 7 bit, dots doubled, ending in CRLF. Raises NeverWill on a bad header."""
    message = EmailMessage(policy=SEVEN_BIT)
    try:
        message["From"] = mail.sender
        message["To"] = ", ".join(mail.to)
        if mail.cc:
            message["Cc"] = ", ".join(mail.cc)
        if mail.reply_to:
            message["Reply-To"] = mail.reply_to
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(at)
        message["Message-ID"] = mail.message_id
        message[CARD_HEADER] = str(mail.card_id)
        for name, value in mail.headers.items():
            message[name] = value
        message.set_content(mail.text)
        if mail.html is not None:
            message.add_alternative(mail.html, subtype="html")
        content = message.as_bytes()
    except (ValueError, MessageError) as error:
        raise NeverWill(f"The mail can't be written as a message: {error}") from error
    content = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    content = re.sub(rb"(?m)^\.", b"..", content)
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def _envelope(mail: OutboundMail) -> tuple[str, list[str]]:
    sender = _address(parseaddr(mail.sender)[1])
    recipients = [_address(address) for _, address in getaddresses([*mail.to, *mail.cc, *mail.bcc])]
    return sender, list(dict.fromkeys(recipients))


def _address(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or re.search(r"[\s<>\x00-\x1f]", address):
        raise NeverWill("The mail has a sender or recipient that is no address.")
    try:
        return f"{local.encode('ascii').decode()}@{domain.encode('idna').decode()}"
    except UnicodeError as error:
        raise NeverWill("An address outside ASCII needs a server with SMTPUTF8.") from error


def _require(answer: tuple[int, bytes], what: str, *, wanted: int = 250) -> None:
    code, message = answer
    if code == wanted or (wanted == 250 and 200 <= code < 300):
        return
    told = f"The SMTP server refused {what}: {code} {message.decode('utf-8', 'replace')[:300]}"
    # 421 and the other 4xx mean later; 5xx means never (RFC 5321, 4.2.1).
    raise NeverWill(told) if code >= 500 else NothingHappened(told)


@contextmanager
def _as_nothing_happened() -> Iterator[None]:
    """Whatever breaks in here breaks before the server can have the whole mail."""
    try:
        yield
    except smtplib.SMTPNotSupportedError as error:
        raise NeverWill(f"The SMTP server can't do what is set: {error}") from error
    except smtplib.SMTPResponseException as error:
        message = error.smtp_error if isinstance(error.smtp_error, bytes) else str(error.smtp_error).encode()
        _require((error.smtp_code, message), "the connection or the login")
        raise NothingHappened(f"The SMTP server answered out of turn: {error.smtp_code}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise NothingHappened(f"The mail did not reach the SMTP server: {_told(error)}") from error


def _guard(sock: socket.socket, deadline: Deadline) -> socket.socket:
    """A guarded socket, under the type that smtplib declares."""
    return cast("socket.socket", GuardedSocket(cast("PlainSocket", sock), deadline))


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
