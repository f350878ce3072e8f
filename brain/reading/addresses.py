"""Mailboxes from header text: names decoded, addresses brought to one spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from brain.reading.model import Person
from brain.reading.parse import MAX_HEADER_CHARS, clean, decode_header

MAX_MAILBOXES = 1_000

# Each run of blanks and the name are taken once and for all: a header may be nothing but blanks.
_SIMPLE = re.compile(
    r'^\s*+(?:"?([^"<>,;:()\\=]*+)"?\s*+<\s*+)?([\w.!#$%&\'*+/=?^`{|}~-]+@[\w.-]+\.\w+)\s*+>?\s*+$', re.ASCII
)
_ANGLE = re.compile(r"<([^<>]{0,400})>")
_BARE = re.compile(r"[^\s<>@,;:\"()\[\]]{1,128}@(?:[^\s<>@,;:\"()\[\]]{1,255}|\[[0-9A-Fa-f.:]+\])")
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\]|\\.){0,128}"@[^\s<>@,;:"()\[\]]+')
_COMMENT = re.compile(r"\(([^()]*)\)")
_NEVER_BARE = re.compile(r"[\s<>,;()@\x00-\x1f]")
_SPACES = re.compile(r"\s+")
_NOREPLY = re.compile(
    r"no[-_.]?(?:reply|response|replies|contest(?:ar|e)|responder?)|do[-_.]?not[-_.]?(?:reply|respond)"
    r"|n[aã]o[-_.]?respond[ae]r?|ne[-_.]?pas[-_.]?repondre|(?:nicht|keine?)[-_.]?antwort\w*",
    re.IGNORECASE,
)
_ROBOT = re.compile(
    r"^(?:mailer[-_.]?daemon|postmaster|mail[-_.]?daemon|daemon|bounces?|mailerdaemon|mdaemon|listserv"
    r"|majordomo|root|autoreply|auto[-_.]?responder|notifications?|alerts?)(?:[-+_.=].*)?$",
    re.IGNORECASE,
)


def normalise_address(address: str) -> str | None:
    """Lower case, domain in its ASCII (IDNA) form; None when it is no address at all."""
    address = clean(address).strip().strip("<>").strip()
    if address[:7].lower() == "mailto:":
        address = address[7:]
    local, at, domain = address.rpartition("@")
    domain = domain.rstrip(".").lower()
    if not (at and local and domain) or len(address) > 320 or _NEVER_BARE.search(domain):
        return None
    if not local.startswith('"') and _NEVER_BARE.search(local):
        return None
    if not domain.isascii():
        domain = _to_ascii(domain)
    return f"{local.lower()}@{domain}"


def _to_ascii(domain: str) -> str:
    import idna  # only needed for the rare domain beyond ASCII

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError, ValueError):
        return domain


def mailboxes(values: Iterable[str]) -> tuple[Person, ...]:
    """The mailboxes of one or more address headers, once each, in order."""
    found: dict[str, Person] = {}
    for value in values:
        for person in _mailboxes_of(value[:MAX_HEADER_CHARS]):
            if person.address not in found or (person.name and not found[person.address].name):
                found[person.address] = person
            if len(found) >= MAX_MAILBOXES:
                return tuple(found.values())
    return tuple(found.values())


def _mailboxes_of(value: str) -> Iterator[Person]:
    simple = _SIMPLE.match(value)
    if simple and "=?" not in value:
        yield Person(_tidy_name(simple[1] or ""), simple[2].lower())
        return
    for piece in _split(value):
        person = _one(piece)
        if person is not None:
            yield person


def _split(value: str) -> Iterator[str]:
    """Split at commas and semicolons outside quotes, comments and angle brackets; drop group names."""
    start = depth = 0
    quoted = angle = False
    previous = ""
    for index, char in enumerate(value):
        if quoted:
            quoted = not (char == '"' and previous != "\\")
        elif char == '"':
            quoted = True
        elif char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        elif char == "<":
            angle = True
        elif char == ">":
            angle = False
        elif not angle and not depth:
            if char in ",;":
                yield value[start:index]
                start = index + 1
            elif char == ":" and "@" not in value[start:index]:
                start = index + 1
        previous = "" if previous == "\\" and char == "\\" else char
    yield value[start:]


def _one(piece: str) -> Person | None:
    angle = _ANGLE.findall(piece)
    raw = next((hit for hit in reversed(angle) if "@" in hit), None)
    if raw is not None:
        name = piece[: piece.rfind("<" if "<" + raw in piece else raw)]
        if not name.strip():
            name = " ".join(_COMMENT.findall(piece))
    else:
        hit = _QUOTED_LOCAL.search(piece) or _BARE.search(piece)
        if hit is None:
            return None
        raw = hit[0]
        name = " ".join(_COMMENT.findall(piece)) or piece[: hit.start()]
    if "," in raw or ":" in raw:  # an RFC 822 route `<@relay:user@host>`
        raw = re.split(r"[,:]", raw)[-1]
    address = normalise_address(decode_header(raw))
    return Person(_tidy_name(decode_header(name)), address) if address else None


def _tidy_name(name: str) -> str:
    name = _COMMENT.sub(" ", name).replace("\\", "").strip()
    name = name.strip("\"' \t<>")
    return clean(_SPACES.sub(" ", name))[:200]


def is_noreply(address: str | None) -> bool:
    """An address that asks not to be written to."""
    return bool(address and _NOREPLY.search(address.partition("@")[0]))


def is_robot(address: str | None) -> bool:
    """An address behind which a mail system sits."""
    return bool(address and _ROBOT.match(address.rpartition("@")[0]))
