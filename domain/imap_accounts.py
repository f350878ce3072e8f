"""Where an IMAP mailbox is and who opens it, kept as a URL without its password."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import quote, unquote, urlsplit

Security = Literal["tls", "starttls", "plain"]
SECURITIES: tuple[str, ...] = get_args(Security)
DEFAULT_PORTS: dict[Security, int] = {"tls": 993, "starttls": 143, "plain": 143}
SCHEMES: dict[Security, str] = {"tls": "imaps", "starttls": "imap+starttls", "plain": "imap+plain"}
BY_SCHEME = {scheme: security for security, scheme in SCHEMES.items()}


class InvalidAccount(ValueError):
    """An IMAP account needs its host, user and password, and a security that its host allows."""


@dataclass(frozen=True, slots=True)
class ImapAccount:
    """What it takes to open an IMAP mailbox. Making one raises InvalidAccount."""

    host: str
    user: str
    password: str = field(repr=False)
    security: Security = "tls"
    port: int = 0
    """0 stands for the usual one: 993 with TLS from the start, else 143."""

    def __post_init__(self) -> None:
        for name in ("host", "user", "password"):
            told = getattr(self, name)
            if not told.strip() or not told.isprintable():
                raise InvalidAccount(f"{name}: it must not be empty, nor hold what can't be printed")
        if not self.host.isascii() or set(self.host) & set(" /@[]%#?\\"):
            raise InvalidAccount(f"host: {self.host!r} is no host name")
        if self.security not in SECURITIES:
            raise InvalidAccount(f"security: {self.security!r} is none of {', '.join(SECURITIES)}")
        if not 0 <= self.port <= 65535:
            raise InvalidAccount(f"port: {self.port} is none")
        if self.security == "plain" and not is_loopback(self.host):
            raise InvalidAccount("security: mail is read without encryption on this machine alone; use tls or starttls")

    @property
    def true_port(self) -> int:
        """The port to connect to."""
        return self.port or DEFAULT_PORTS[self.security]

    @property
    def source(self) -> str:
        """The account as a URL, without its password."""
        host = f"[{self.host}]" if ":" in self.host else self.host.lower()
        return f"{SCHEMES[self.security]}://{quote(self.user, safe='')}@{host}:{self.true_port}"


def read(source: str, password: str) -> ImapAccount:
    """The account whose `source` this is. Raises InvalidAccount."""
    told = urlsplit(source)
    if told.scheme not in BY_SCHEME:
        raise InvalidAccount(f"{source!r} is no IMAP account")
    return ImapAccount(told.hostname or "", unquote(told.username or ""), password, BY_SCHEME[told.scheme],
                       told.port or 0)  # fmt: skip


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
