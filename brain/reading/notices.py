"""Delivery failures told in plain words, without a structured report: whom do they name, and why?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from brain.reading.addresses import is_robot, mailboxes, normalise_address
from brain.reading.model import Bounce
from brain.reading.notice_signs import is_forwarded, unquoted
from brain.reading.parse import Parsed
from brain.reading.reasons import action_of, reason_of, status_of

MAX_NOTICE_CHARS = 20_000
MAX_ADDRESSES = 500

# The line above the copy of the returned mail, without the rule around it; or the copy's own first line.
_END = re.compile(
    r"(?:this|below|here|following|the following|attachment|enclosed)[^\n]{0,40}(?:copy|part|headers?|beginning"
    r"|text)[^\n]{0,30}(?:original|message|mail|headers)[^\n]*"
    r"|below (?:this|the next) line is a copy[^\n]*|(?:(?:header|headers|text|body|start|copy|first \d+ \w+) "
    r")?(?:of )?(?:the |your )?"
    r"(?:original|returned|unsent|undelivered|bounced|rejected|failed|old) (?:message|mail|e-?mail|letter)(?: "
    r"(?!was|that|has|is|could)[^\n]{0,60})?"
    r"|(?:message|original|returned|unsent) (?:headers?|message|text|contents?)(?: (?:follows?|below|headers?))?"
    r"|forwarded message[^\n]*|message header (?:follows|removed)"
    r"|old message|unsent message below|returned mail|message truncated|message removed",
    re.IGNORECASE,
)
_COPY_STARTS = re.compile(
    r"[>\s]*+(?:return-path|received|x-received|dkim-signature|delivered-to|arc-seal|x-google-[\w-]+):",
    re.IGNORECASE,
)
_RULE = "> \t*-=_:.|"
_ADDRESS = re.compile(r"[^\s<>@,;:\"'()\[\]=|*]{1,80}@[\w-]+(?:\.[\w-]+)*")
_NOT_THIS = re.compile(
    r"(?:mail from|(?<!generated )(?<!expanded )from|sender|envelope-from|contact|reply-to|return-path|message-?id"
    r"|identifier|f=|generated response to|write to|e-?mail (?:us )?at|mail to postmaster"
    r"|sent by|queue id|help|support|assistance|questions?|abuse|via)\W{0,4}(?:is |to |at )?[<\[\"'(]*$",
    re.IGNORECASE,
)
_ID_LINE = re.compile(
    r"message-?id|^\s*(?:from|date|subject|in-reply-to|references|reply-to|cc)\s*:|mts-id|^\s*(?:id|by)\b"
    r"|reporting-mta",
    re.IGNORECASE,
)
_HELPS = re.compile(r"(?:support|help-?desk|abuse|noc|hostmaster|webmaster|customer-?service)@")
_TO_LINE = re.compile(r"^\s*to\s*:", re.IGNORECASE)
_DELAY = re.compile(
    r"(?:has |is |been |message |delivery )(?:being )?delayed|not (?:yet )?been delivered (?:to|because|after)|has "
    r"not yet been delivered|delivery attempts will continue"
    r"|will (?:be )?(?:retr(?:y|ied)|continue|try again|keep trying)|warning message only|temporary (?:failure"
    r"|problem)|retried for|postponed|still (?:being )?(?:trying|queued)|could not send mail for past",
    re.IGNORECASE,
)
_GAVE_UP = re.compile(
    r"given up|giving up|permanent (?:fatal )?(?:error|failure)|(?<!fails )permanently|will not be retried",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Notice:
    """The words of a report, without the copy of the returned mail."""

    text: str
    returned: str


def notice_of(text: str) -> Notice:
    """Cut the copy of the original mail off; text that starts with it is left whole."""
    text = text[:200_000]
    at = 0
    for line in text.split("\n"):
        if at > 20 and _ends_notice(line) and len(text[:at].strip()) > 20:
            return Notice(text[: min(at, MAX_NOTICE_CHARS)], text[at:])
        at += len(line) + 1
    return Notice(text[:MAX_NOTICE_CHARS], "")


def _ends_notice(line: str) -> bool:
    if _COPY_STARTS.match(line):
        return True
    core = line[:300].strip(_RULE)
    return 8 < len(core) < 160 and _END.fullmatch(core) is not None


def bounces_in(
    notice: Notice, parsed: Parsed, subject: str, own: Iterable[str], original: str | None
) -> tuple[Bounce, ...]:
    """The recipients that the words name, each with the words said about it."""
    text = unquoted(notice.text) if is_forwarded(subject) else notice.text
    stated = [person.address for person in mailboxes(parsed.all("x-failed-recipients"))]
    places = _places(text, set(own) - set(stated)) or _places(text, set())
    wanted = stated or list(dict.fromkeys(address for address, _ in places))
    if not wanted:
        wanted = _from_subject(subject, set(own))
    found = []
    for address in wanted[:MAX_ADDRESSES]:
        words = _words_about(address, text, places, alone=len(wanted) == 1)
        found.append(_bounce(address, words, text, subject, original, alone=len(wanted) == 1))
    return tuple(found)


def bounce_about(address: str, notice: Notice, subject: str, original: str | None) -> Bounce:
    """The only recipient there is, whom the words need not name."""
    return _bounce(address, notice.text[:1_500], notice.text, subject, original, alone=True)


def _places(text: str, own: set[str]) -> list[tuple[str, int]]:
    """Every address that may be a failed recipient, with where it stands."""
    found: list[tuple[str, int]] = []
    weak: list[tuple[str, int]] = []
    for hit in _ADDRESS.finditer(text):
        start = text.rfind("\n", 0, hit.start()) + 1
        before = text[max(start, hit.start() - 160) : hit.start()]
        if _NOT_THIS.search(before) or _ID_LINE.search(before):
            continue
        address = normalise_address(_tidy(hit[0]))
        if (
            address
            and address not in own
            and "." in address.rpartition("@")[2]
            and not _HELPS.match(address)
            and not is_robot(address)
        ):
            (weak if _TO_LINE.match(before) else found).append((address, hit.start()))
        if len(found) > 4 * MAX_ADDRESSES:
            break
    return found or weak


def _tidy(address: str) -> str:
    lowered = address.lower()
    for prefix in ("mailto:", "smtp=", "rfc822;"):
        if lowered.startswith(prefix):
            return address[len(prefix) :]
    return address


def _from_subject(subject: str, own: set[str]) -> list[str]:
    return [address for address, _ in _places(subject, own)]


def returned_to(notice: Notice) -> set[str]:
    """Whom the returned copy was addressed to, as far as it is quoted."""
    hit = re.search(r"^[>\s]*to:[ \t]*(.*(?:\n[ \t]+.*)*)", notice.returned[:8_000], re.IGNORECASE | re.MULTILINE)
    return {person.address for person in mailboxes([hit[1]])} if hit else set()


def _words_about(address: str, text: str, places: list[tuple[str, int]], alone: bool) -> str:
    if alone:
        first = next((at for found, at in places if found == address), 0)
        line = text.rfind("\n", 0, first) + 1
        return text[line : line + 1_500]
    pieces = []
    for index, (found, at) in enumerate(places):
        if found != address:
            continue
        end = next((where for other, where in places[index + 1 :] if other != address), at + 800)
        pieces.append(
            text[text.rfind("\n", 0, at) + 1 : min(max(text.rfind("\n", at, end), at + len(address)), at + 800)]
        )
    return "\n".join(pieces)[:2_000]


def _bounce(address: str, words: str, text: str, subject: str, original: str | None, alone: bool) -> Bounce:
    delayed = bool(
        _DELAY.search(text) or re.search(r"\bdelay|warning\b", subject, re.IGNORECASE)
    ) and not _GAVE_UP.search(words)
    status = status_of("", words) or (status_of("", text) if alone else "")
    if delayed and not status.startswith("4"):
        status = "4.0.0"
    status = status or "5.0.0"
    reason = reason_of(status, words, text if alone else words, address)
    if reason == "undefined" and alone:
        reason = reason_of(status, text, text, address)
    if delayed:
        reason = "delayed"
    row = action_of(reason, status)
    return Bounce(address, row.permanent, row.suppress, status, reason, original, " ".join(words.split())[:500])
