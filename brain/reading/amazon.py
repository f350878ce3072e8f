"""Amazon SES tells bounces, complaints and deliveries as JSON inside a mail: read it though lines were folded."""

from __future__ import annotations

import re

from brain.reading.addresses import normalise_address
from brain.reading.model import Bounce
from brain.reading.reasons import action_of, reason_of, status_of

_KIND = re.compile(r'"(?:notificationType|eventType)"\s*:\s*"(Bounce|Complaint|Delivery)"')
_RECIPIENT = re.compile(r'\{[^{}]*"emailAddress"\s*:\s*"([^"]+)"[^{}]*\}')
_STATUS = re.compile(r'"status"\s*:\s*"([^"]+)"')
_DIAGNOSTIC = re.compile(r'"diagnosticCode"\s*:\s*"((?:[^"\\]|\\.)*)"')
_TRANSIENT = re.compile(r'"bounceType"\s*:\s*"Transient"')
_MESSAGE_ID = re.compile(r'"name"\s*:\s*"Message-I[Dd]"\s*,\s*"value"\s*:\s*"(<[^"]+>)"')


def kind_of(text: str) -> str | None:
    """`Bounce`, `Complaint`, `Delivery`, or None when the text is no such notice."""
    if not text.lstrip().startswith("{"):
        return None
    hit = _KIND.search(text[:20_000])
    return hit[1] if hit else None


def original_ids(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(text[:50_000].replace("\n", ""))))


def recipients_in(text: str) -> tuple[str, ...]:
    found = (normalise_address(hit[1]) for hit in _RECIPIENT.finditer(text[:50_000].replace("\n", "")))
    return tuple(dict.fromkeys(address for address in found if address))


def bounces_in(text: str, original: str | None) -> tuple[Bounce, ...]:
    """One entry a bounced recipient."""
    flat = text[:50_000].replace("\n", "")
    transient = bool(_TRANSIENT.search(flat))
    found: dict[str, Bounce] = {}
    for hit in _RECIPIENT.finditer(flat):
        address = normalise_address(hit[1])
        if not address:
            continue
        stated, said = _STATUS.search(hit[0]), _DIAGNOSTIC.search(hit[0])
        words = said[1] if said else ""
        status = status_of(stated[1] if stated else "", words) or ("4.0.0" if transient else "5.0.0")
        reason = reason_of(status, words, "", address)
        row = action_of(reason, "4" if transient else status)
        found[address] = Bounce(address, row.permanent, row.suppress, status, reason, original, words[:500])
    return tuple(found.values())
