"""Why a mail came back, and what follows: our own table from RFC 3463 codes and servers' words to actions."""

from __future__ import annotations

import re
from typing import NamedTuple

from brain.reading.reason_words import reason_in, refused_after_data


class Action(NamedTuple):
    """What a reason means for the address."""

    permanent: bool
    suppress: bool
    says: str


ACTIONS: dict[str, Action] = {
    "unknown_user": Action(True, True, "There is no such mailbox."),
    "unknown_host": Action(True, True, "The domain does not exist or takes no mail."),
    "disabled": Action(True, False, "The mailbox is disabled or suspended, perhaps for a while."),
    "closed": Action(True, True, "The mailbox is disabled and accepts nothing (5.2.1)."),
    "moved": Action(True, True, "The mailbox has moved away."),
    "mailbox_full": Action(True, False, "The mailbox is full: it may have room tomorrow."),
    "too_big": Action(True, False, "The message was too large for the mailbox."),
    "filtered": Action(True, False, "The recipient's own filter turned the message away."),
    "policy": Action(True, False, "The receiver refused by policy: our reputation, not the address."),
    "blocked": Action(True, False, "Our server or domain is blocked: our reputation, not the address."),
    "spam": Action(True, False, "The message was taken for spam: our content, not the address."),
    "authentication": Action(True, False, "SPF, DKIM or DMARC failed: our set-up, not the address."),
    "relaying": Action(True, False, "The server would not relay: our route, not the address."),
    "content": Action(True, False, "The content or its format was refused."),
    "system": Action(True, False, "The receiving system failed."),
    "network": Action(True, False, "The receiving host could not be reached."),
    "expired": Action(True, False, "Delivery was tried for too long without success."),
    "sender": Action(True, False, "Our sender address was refused, not the recipient."),
    "rate": Action(True, False, "We sent too fast or too much."),
    "undefined": Action(True, False, "The report gives no reason that we know."),
    "delayed": Action(False, False, "Delivery is delayed and still being tried."),
}

# RFC 3463 subject and detail; the class digit (4 or 5) settles permanence.
_BY_STATUS: dict[str, str] = {
    "1.0": "unknown_user",
    "1.1": "unknown_user",
    "1.2": "unknown_host",
    "1.3": "unknown_user",
    "1.4": "unknown_user",
    "1.6": "moved",
    "1.7": "sender",
    "1.8": "sender",
    "1.9": "content",
    "1.10": "unknown_host",
    "2.0": "undefined",
    "2.1": "closed",
    "2.2": "mailbox_full",
    "2.3": "too_big",
    "2.4": "system",
    "3.0": "system",
    "3.1": "mailbox_full",
    "3.2": "system",
    "3.3": "system",
    "3.4": "too_big",
    "3.5": "system",
    "4.0": "network",
    "4.1": "network",
    "4.2": "network",
    "4.3": "system",
    "4.4": "unknown_host",
    "4.5": "rate",
    "4.6": "system",
    "4.7": "expired",
    "5.0": "system",
    "5.1": "system",
    "5.2": "system",
    "5.3": "rate",
    "5.4": "system",
    "6.0": "content",
    "6.1": "content",
    "6.2": "content",
    "6.3": "content",
    "6.5": "content",
    "7.0": "policy",
    "7.1": "policy",
    "7.2": "policy",
    "7.7": "policy",
    "7.8": "policy",
    "7.13": "disabled",
    "7.17": "moved",
    "7.18": "moved",
    "7.20": "authentication",
    "7.21": "authentication",
    "7.22": "authentication",
    "7.23": "authentication",
    "7.24": "authentication",
    "7.25": "blocked",
    "7.26": "authentication",
    "7.27": "content",
}

STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY_CODE = re.compile(r"(?<![\d.])([45])[0-5]\d(?=[ \t:\-#]|$)", re.MULTILINE)
_PROOF = re.compile(
    r"(?<![\d.])5\.1\.[1-46](?!\d)|mailbox unavailable|have an? \S+ account|invalid recipient", re.IGNORECASE
)
_SECOND_HAND = re.compile(r"\[user unknown\]|^\s*recipient not found\s*$", re.IGNORECASE | re.MULTILINE)
_SENDER_REFUSED = re.compile(
    r"after MAIL FROM|in reply to MAIL FROM|> From:\s+Domain is invalid|>>> MAIL F[^\n]*\n<<< 5",
    re.IGNORECASE,
)
# Codes whose meaning no wording overrules, because only one thing can be meant.
_FIRM = {"mailbox_full", "sender"}
_NAMES_ADDRESS = {"unknown_user", "unknown_host", "closed", "moved"}
# Carriers that answer "user unknown" after the text was sent, when it is the customer's own filter that speaks.
_FILTERS_SAY_UNKNOWN = ("docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp", "vodafone.ne.jp", "au.com")


def status_of(stated: str, words: str) -> str:
    """The code that tells most: what the refusing server spoke, else the report's own, else from a reply code."""
    spoken = STATUS.search(words)
    written = STATUS.search(stated)
    if spoken and not (written and _is_vague(spoken[0])):
        return spoken[0]
    if written:
        return written[0]
    reply = _REPLY_CODE.search(words)
    return f"{reply[1]}.0.0" if reply else ""


def _is_vague(status: str) -> bool:
    return status[1:] in (".0.0", ".3.0", ".5.0")


def reason_of(status: str, words: str, transcript: str = "", address: str = "") -> str:
    """The reason behind a failed recipient: the server's words where they are clear, else its code."""
    code = STATUS.search(status)
    coded = _BY_STATUS.get(f"{int(code[2])}.{int(code[3])}") if code else None
    if coded is None and code and code[2] == "1":
        coded = "unknown_user"
    if coded in _FIRM:
        return str(coded)
    spoken = reason_in(words)
    unproven = spoken == "unknown_user" and coded not in _NAMES_ADDRESS
    if unproven and (_is_hearsay(words, transcript, address) or _is_filter_speaking(address, transcript)):
        return "filtered"
    if spoken in ("unknown_user", "unknown_host") and _SENDER_REFUSED.search(transcript):
        return "sender"
    if spoken == "policy" and coded not in (None, "undefined", "system"):
        return str(coded)
    if spoken is None:
        return coded or "undefined"
    if coded == "unknown_user" and spoken in ("policy", "expired", "network", "disabled"):
        return coded
    return spoken


def _is_hearsay(words: str, transcript: str, address: str) -> bool:
    """A remote server's bare "550 unknown" proves nothing unless it was the answer to naming the recipient.

    Filters say the same after they have seen the text. A server that speaks of its own mailboxes gives no reply code.
    """
    if _PROOF.search(transcript) or _PROOF.search(words) or f"<{address}>: User unknown" in words:
        return False
    if address and f"({address}... " in transcript.lower():
        return False  # a gateway's summary of the answer to naming the recipient
    if refused_after_data(transcript) or _SECOND_HAND.search(words):
        return True
    quoted = any(_REPLY_CODE.search(line) and reason_in(line) == "unknown_user" for line in words.splitlines())
    return quoted and not re.search(r"\bRCPT\b", transcript)


def _is_filter_speaking(address: str, transcript: str) -> bool:
    if not address.endswith(_FILTERS_SAY_UNKNOWN):
        return False
    return "RCPT TO" not in transcript and f"<{address}>: User unknown" not in transcript


def action_of(reason: str, status: str) -> Action:
    """The row of the table, softened for a code of class 4: nothing transient suppresses."""
    action = ACTIONS[reason]
    if status.startswith("4"):
        return Action(False, False, action.says)
    return action
