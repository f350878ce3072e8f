"""What stands under a mail: name, title, company, phones, links and address of its writer."""

from __future__ import annotations

import re

from brain.reading import signature_words as words
from brain.reading.model import Fact, Signature
from brain.reading.visible_reply import is_mobile_signature

MAX_SIGNATURE_LINES = 16
MAX_LINE_CHARS = 160
LONGEST_LINE = 300
"""So much of a line is looked at: what is longer is no signature, and some patterns try every way to divide it."""

_CLOSING = re.compile(rf"^\W*(?:{'|'.join(words.CLOSINGS)})[\s,.!;:~-]*$", re.IGNORECASE)
_TITLE = re.compile("|".join(words.TITLES), re.IGNORECASE)
_COMPANY = re.compile("|".join(words.COMPANIES), re.IGNORECASE)
_STREET = re.compile("|".join(words.STREETS), re.IGNORECASE)
_POSTAL = re.compile("|".join(words.POSTAL))
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>()\[\]\"']+|\b(?:[\w-]+\.)*linkedin\.com/[^\s<>()\[\]\"']+",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"(?:\d[\s().\-/]*){7,}")
_FAX = re.compile(r"\b(?:fax|telefax|f)\s*[.:]?\s*$", re.IGNORECASE)
_NAME_WORD = r"(?:[A-ZÀ-ÖØ-ÞŁŚŻА-Я][\w'’.-]*|de|da|do|dos|das|del|la|van|von|der|den|di|le|y|e|bin|al)"
_NAME = re.compile(
    rf"^{_NAME_WORD}(?: {_NAME_WORD}){{1,4}}(?:,? (?:Ph\.?D\.?|M\.?D\.?|Esq\.?|Jr\.?|Sr\.?|MBA|CPA|PE|II|III))*$"
)
_FIRST_NAME = re.compile(r"^[A-ZÀ-ÖØ-Þ][\w'’-]{1,20}$")
_SPLIT = re.compile(r"\s*(?:\s[|•·–—/]\s|\s\|\s|\t+|\s{3,}|\s-\s)\s*")
_LABEL = re.compile(
    r"^(?:tel(?:efone?|[eé]fono|éphone)?|phone|ph|mobile|mob|cell|m[oó]vil|celular|portable|office|direct|main|fax"
    r"|e-?mail|correo|web(?:site|seite)?|t|m|o|p|d|c|w|e|f|skype|whatsapp|handy|durchwahl|gsm)\s*[.:/]",
    re.IGNORECASE,
)
_TAG = re.compile(r"^#sig#")


def find(text: str, below: str, sender_name: str, sender_address: str | None, region: str) -> Signature | None:
    """The signature at the end of `text` (quotes already cut) or under its rule (`below`)."""
    lines = _block(text, below, sender_name)
    if not lines:
        return None
    return _understand(lines, sender_name, sender_address, region)


def _block(text: str, below: str, sender_name: str) -> list[str]:
    under = [line.strip()[:MAX_LINE_CHARS] for line in below.split("\n") if line.strip()]
    above = _above(text.rstrip().split("\n"), sender_name)
    if under and len(under) <= MAX_SIGNATURE_LINES and _is_plausible(under):
        return above[-4:] + under if len(above) <= 4 else under
    return above


def _is_plausible(lines: list[str]) -> bool:
    return sum(len(line) > 120 for line in lines) <= len(lines) // 3


def _above(lines: list[str], sender_name: str) -> list[str]:
    """The last lines of the text, from the leave-taking or the writer's own name on."""
    tail = [line.strip() for line in lines if line.strip()][-MAX_SIGNATURE_LINES:]
    for index in range(len(tail) - 1, -1, -1):
        if (
            len(tail[index]) < 60
            and _CLOSING.match(tail[index])
            and all(len(line) < MAX_LINE_CHARS for line in tail[index:])
        ):
            return tail[index:]
    for index, line in enumerate(tail):
        if index and _is_own_name(line, sender_name) and all(len(rest) < 100 for rest in tail[index:]):
            return tail[index:]
    return _by_contents(tail)


def _is_own_name(line: str, sender_name: str) -> bool:
    name = sender_name.strip().lower()
    return (
        bool(name)
        and len(line) < 60
        and (line.lower().startswith(name) or line.lower().strip(" -,.") == name.split()[0])
    )


def _by_contents(tail: list[str]) -> list[str]:
    """A run of short lines at the end, if it holds a name and a way to reach it."""
    start = len(tail)
    while start and _may_belong(tail[start - 1]):
        start -= 1
    block = tail[start:]
    reachable = any(_EMAIL.search(line) or _LINK.search(line) or _DIGITS.search(line) for line in block)
    for index, line in enumerate(block):
        if _NAME.match(_clean(line)) and reachable and start + index > 0:
            return block[index:]
    return []


def _may_belong(line: str) -> bool:
    if len(line) >= 80 or line.endswith(("?", "!")):
        return False
    return not line.endswith(".") or bool(_NAME.match(_clean(line)) or (len(line) < 50 and _COMPANY.search(line)))


def _clean(line: str) -> str:
    return _TAG.sub("", line).strip(" *_\t,~")


def _understand(lines: list[str], sender_name: str, sender_address: str | None, region: str) -> Signature | None:
    name = title = company = None
    phones: list[str] = []
    emails: list[str] = []
    links: list[str] = []
    postal: list[str] = []
    own_domain = (sender_address or "").rpartition("@")[2].partition(".")[0]
    first = True
    for raw in lines:
        line = _clean(raw[:LONGEST_LINE])
        if not line or _CLOSING.match(line) or is_mobile_signature(line):
            continue
        emails.extend(hit.lower() for hit in _EMAIL.findall(line))
        links.extend(hit.rstrip(".,;") for hit in _LINK.findall(line))
        phones.extend(phones_in(line, region))
        if _STREET.search(line) or (_POSTAL.search(line) and not _DIGITS.search(line)):
            postal.append(line)
            continue
        for piece in _pieces(line):
            if name is None and _may_be_name(piece, sender_name, first):
                name = piece
                continue
            if title is None and _TITLE.search(piece) and not _COMPANY.search(piece):
                title = piece
            elif (company is None and (_COMPANY.search(piece) or _is_domain(piece, own_domain))) or (
                company is None and name and title and _NAME.match(piece)
            ):
                company = piece
        first = False
    if not (name or title or company or phones or emails or links or postal):
        return None
    return Signature(
        text="\n".join(lines),
        name=name,
        title=title,
        company=company,
        phones=tuple(dict.fromkeys(phones)),
        emails=tuple(dict.fromkeys(emails)),
        links=tuple(dict.fromkeys(links)),
        address=", ".join(postal) or None,
    )


def _may_be_name(piece: str, sender_name: str, first: bool) -> bool:
    if _is_own_name(piece, sender_name):
        return True
    looks = _NAME.match(piece) or (first and _FIRST_NAME.match(piece))
    return bool(looks) and not _COMPANY.search(piece)


def _pieces(line: str) -> list[str]:
    """`Ana Diaz, Sales Manager | Acme Ltd` in its parts, contact data left out."""
    found = []
    for piece in _SPLIT.split(line):
        piece = _LINK.sub("", _EMAIL.sub("", piece)).strip(" ,;:<>()[]*|-–—")
        if not piece or _LABEL.match(piece) or len(piece) > 80 or _DIGITS.search(piece):
            continue
        if _NAME.match(piece):
            found.append(piece)
            continue
        head, comma, rest = piece.partition(", ")
        if comma and _NAME.match(head) and (_TITLE.search(rest) or _COMPANY.search(rest)):
            found.append(head)
            title, comma, company = rest.partition(", ")
            found.extend([title, company] if comma and _COMPANY.search(company) else [rest])
        elif comma and _TITLE.search(head) and _COMPANY.search(rest):
            found.extend([head, rest])
        else:
            found.append(piece)
    return found


def _is_domain(piece: str, domain: str) -> bool:
    squeezed = re.sub(r"\W+", "", piece).lower()
    return (
        len(domain) > 3 and len(squeezed) > 3 and (squeezed == domain.replace("-", "") or squeezed.startswith(domain))
    )


def phones_in(line: str, region: str) -> list[str]:
    """E.164 numbers of a line; fax numbers are not phones."""
    if not _DIGITS.search(line):
        return []
    import phonenumbers  # its tables take time to load, and most lines have no number

    found = []
    for hit in phonenumbers.PhoneNumberMatcher(line, region, leniency=phonenumbers.Leniency.POSSIBLE):
        if _FAX.search(line[: hit.start]):
            continue
        if not phonenumbers.is_valid_number(hit.number) and not _is_shown_as_phone(line, hit.raw_string):
            continue
        found.append(phonenumbers.format_number(hit.number, phonenumbers.PhoneNumberFormat.E164))
    return found


def _is_shown_as_phone(line: str, number: str) -> bool:
    """A number outside the numbering plans still counts when the writer calls or writes it a phone."""
    return (
        number.startswith(("+", "(")) or bool(_LABEL.match(line)) or bool(re.search(r"\d[-.]\d{3}[-.]\d{4}$", number))
    )


def facts_of(signature: Signature | None, about: str) -> tuple[Fact, ...]:
    """What the signature says about its writer, for the contact's record."""
    if signature is None:
        return ()
    facts = [
        Fact(kind, value, confidence, "signature", about)
        for kind, value, confidence in (
            ("name", signature.name, 0.7),
            ("title", signature.title, 0.7),
            ("company", signature.company, 0.6),
            ("postal_address", signature.address, 0.6),
        )
        if value
    ]
    facts.extend(Fact("phone", phone, 0.8, "signature", about) for phone in signature.phones)
    facts.extend(Fact("link", link, 0.7, "signature", about) for link in signature.links)
    facts.extend(
        Fact("address", email, 0.6, "signature", about if email == about else "") for email in signature.emails
    )
    return tuple(facts)
