"""Why a mail came back, and what follows: our own table from RFC 3463 codes and servers' words to actions."""

from __future__ import annotations

import re
from typing import NamedTuple


class Action(NamedTuple):
    """What a reason means for the address."""

    permanent: bool
    suppress: bool
    says: str


ACTIONS: dict[str, Action] = {
    "unknown_user": Action(True, True, "There is no such mailbox."),
    "unknown_host": Action(True, True, "The domain does not exist or takes no mail."),
    "disabled": Action(True, False, "The mailbox is disabled or suspended, perhaps for a while."),
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
    "rate": Action(True, False, "We sent too fast or too much."),
    "undefined": Action(True, False, "The report gives no reason that we know."),
    "delayed": Action(False, False, "Delivery is delayed and still being tried."),
}

# RFC 3463 subject and detail; the class digit (4 or 5) settles permanence.
_BY_STATUS: dict[str, str] = {
    "1.0": "undefined",
    "1.1": "unknown_user",
    "1.2": "unknown_host",
    "1.3": "unknown_user",
    "1.4": "unknown_user",
    "1.6": "moved",
    "1.7": "content",
    "1.8": "authentication",
    "1.9": "content",
    "1.10": "unknown_host",
    "2.0": "undefined",
    "2.1": "disabled",
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


def reason_of(status: str, words: str) -> str:
    """The reason behind a failed recipient: the server's words where they are clear, else its code."""
    from brain.reading.reason_words import reason_in

    spoken = reason_in(words)
    code = STATUS.search(status)
    coded = _BY_STATUS.get(f"{int(code[2])}.{int(code[3])}", "undefined") if code else "undefined"
    if spoken is None:
        return coded
    return spoken


def action_of(reason: str, status: str) -> Action:
    """The row of the table, softened for a code of class 4: nothing transient suppresses."""
    action = ACTIONS[reason]
    if status.startswith("4"):
        return Action(False, False, action.says)
    return action
