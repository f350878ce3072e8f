"""What mail servers say when they refuse, and which reason each saying means."""

from __future__ import annotations

import re

# The first table that matches wins: narrower sayings stand above wider ones.
_SAYINGS: tuple[tuple[str, str], ...] = (
    (
        "mailbox_full",
        r"(?:mail ?box|inbox|mailfolder|account|user|disk|storage|maildir)[^.\n]{0,40}(?:\bfull\b|over ?quota|exceed\w* (?:\w+ ){0,3}quota)"
        r"|over ?quota|quota[ _](?:has been )?exceeded|exceed\w* (?:\w+ ){0,4}(?:quota|storage|disk)|insufficient (?:system )?storage"
        r"|not enough (?:storage|disk) space|out of (?:storage|disk)|mailbox size limit|quota full",
    ),
    (
        "unknown_user",
        r"(?:user|recipient|mailbox|account|address|addressee)[^.\n]{0,60}(?:\bunknown\b|not (?:be )?(?:found|known|exist)|does ?n['o]t exist"
        r"|no longer (?:valid|exists|available|in use)|not listed|is invalid|undeliverable)"
        r"|(?:unknown|no such|invalid|non-?existent|undeliverable) (?:local )?(?:user|recipient|mailbox|account|address|addressee|person)"
        r"|no (?:mailbox|account|user|recipient)[^.\n]{0,30}(?:here|by that name|found|with that)|user ?unknown|unknown ?user|nosuchuser"
        r"|recipientnotfound|mailbox unavailable|\bno such user\b",
    ),
    (
        "unknown_host",
        r"host (?:or domain name )?(?:unknown|not found)|unknown host|domain (?:name )?(?:does not exist|not found|must resolve)|nxdomain"
        r"|no such (?:domain|host)|unrouteable|(?:name service|dns)[^.\n]{0,40}(?:error|not found|failure)|null mx|nullmx",
    ),
    ("too_big", r"message (?:size|length|is too (?:large|big))[^.\n]{0,40}|too (?:large|big)|size limit"),
    ("authentication", r"\bdmarc\b|\bspf\b|\bdkim\b|authentication (?:failed|required|check)|not authenticated"),
    ("blocked", r"\bblock(?:ed|list)|\bblacklist|\bdnsbl\b|\brbl\b|spamhaus|reverse dns|\bptr\b|poor reputation|banned|barred"),
    ("spam", r"\bspam\b|\bunsolicited\b|junk mail"),
    ("relaying", r"relay(?:ing)? (?:access )?(?:denied|not permitted|not allowed|prohibited)|unable to relay"),
    ("disabled", r"(?:account|mailbox|user)[^.\n]{0,40}(?:disabled|suspended|inactive|locked|deactivated|expired)"),
    ("rate", r"too many (?:connections|messages|recipients)|rate limit|throttl|try again later"),
    ("policy", r"polic(?:y|ies)|access denied|not authori[sz]ed|permission denied|prohibited|administrative"),
)
_TABLE = tuple((reason, re.compile(pattern, re.IGNORECASE)) for reason, pattern in _SAYINGS)


def reason_in(words: str) -> str | None:
    """The first saying found in a server's answer; None when nothing is known."""
    words = words[:2_000]
    for reason, pattern in _TABLE:
        if pattern.search(words):
            return reason
    return None
