"""Who vouches for the sender: the receiving server's own Authentication-Results (RFC 8601), nothing else."""

from __future__ import annotations

import re

from brain.reading.model import Authentication
from brain.reading.parse import Parsed

_RESULT = re.compile(r"\b(spf|dkim|dmarc)\s*=\s*([a-z]+)", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]*\)")
_PROPERTY = re.compile(r"\b(?:header\.(d|i|from)|smtp\.(mailfrom|helo))\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)
_BY = re.compile(r"\bby\s+([\w.-]+)", re.IGNORECASE)


def authenticate(parsed: Parsed, from_address: str | None) -> Authentication:
    """Read the topmost Authentication-Results, if the server that received the mail wrote it.

    A header with another server's name came along with the mail, so it proves nothing.
    """
    values = parsed.all("authentication-results")
    if not values:
        return Authentication()
    value = _COMMENT.sub(" ", values[0].replace("\n", " "))
    server = _server_of(value)
    if not _is_receiver(server, parsed):
        return Authentication(server=server or None)
    found: dict[str, str] = {}
    proven: set[str] = set()
    for clause in value.split(";"):
        hit = _RESULT.search(clause)
        if hit is None:
            continue
        method, result = hit[1].lower(), hit[2].lower()
        if found.get(method) != "pass":
            found[method] = result
        if result == "pass" and method in ("spf", "dkim"):
            proven |= _domains(clause, method)
    aligned = _aligned(found, proven, from_address)
    return Authentication(server or None, found.get("spf"), found.get("dkim"), found.get("dmarc"), aligned)


def _server_of(value: str) -> str:
    head = value.partition(";")[0].strip()
    return "" if "=" in head else (head.split() or [""])[0].lower()


def _is_receiver(server: str, parsed: Parsed) -> bool:
    """The server that wrote the header must be the one that took the mail in last."""
    received = parsed.all("received")
    if not received:
        return True
    hosts = [hit[1].lower() for value in received[:3] if (hit := _BY.search(value))]
    if not server:  # Microsoft's header names no server
        return any(host.endswith(("outlook.com", "office365.com", "microsoft.com")) for host in hosts)
    own = organisation(server)
    # Inside Google a mail is handed over by 2002:… addresses before mx.google.com is named.
    return any(organisation(host) == own for host in hosts)


def _domains(clause: str, method: str) -> set[str]:
    found = set()
    for header, smtp, value in _PROPERTY.findall(clause):
        if method == "dkim" and header.lower() in ("d", "i"):
            found.add(value.rpartition("@")[2].lower())
        if method == "spf" and smtp.lower() == "mailfrom":
            found.add(value.rpartition("@")[2].lower())
    return found


def _aligned(found: dict[str, str], proven: set[str], from_address: str | None) -> bool | None:
    if not from_address or not found:
        return None
    if found.get("dmarc") == "pass":
        return True
    own = organisation(from_address.rpartition("@")[2])
    return any(organisation(domain) == own for domain in proven)


def organisation(host: str) -> str:
    """The registrable domain of a host (public suffix list, offline)."""
    labels = host.strip(".").lower().split(".")
    if len(labels) <= 2:
        return ".".join(labels)
    from brain.reading.suffixes import registrable  # loads the suffix list, so only when it matters

    return registrable(".".join(labels))
