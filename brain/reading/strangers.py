"""Backscatter: true reports of failure about mail that somebody else wrote in our name."""

from __future__ import annotations

import re
from email.message import Message

from brain.reading.addresses import mailboxes
from brain.reading.authentication import organisation
from brain.reading.body import Body
from brain.reading.parse import Parsed, message_ids

_RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
_WRITERS = ("from", "sender", "return-path", "reply-to", "errors-to")
_ID = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")


def is_about_strangers(parsed: Parsed, body: Body) -> bool:
    """The returned mail is not ours: nothing in its headers names whom the report was sent to, and it is no whole mail.

    A writer elsewhere alone proves nothing, since mail is sent through aliases and services. But whatever we send
    has a Message-ID and names whom it goes to; what was made to go out in our name often has neither.
    """
    returned = _returned(body)
    if returned is None:
        return False
    head = "\n".join(str(value) for _, value in returned.raw_items()).lower()
    writers = [str(value) for name in _WRITERS for value in returned.get_all(name, [])]
    addressed = {person.address for person in mailboxes(value for name in _RECIPIENTS for value in parsed.all(name))}
    if not mailboxes(writers) or not addressed:
        return False
    if any(organisation(address.rpartition("@")[2]) in head for address in addressed):
        return False
    addressees = mailboxes(str(value) for name in ("to", "cc") for value in returned.get_all(name, []))
    has_id = any(_ID.fullmatch(each) for each in message_ids(str(returned.get("message-id", ""))))
    return not (has_id and addressees)


def _returned(body: Body) -> Message | None:
    for part in body.embedded:
        inner = part.get_payload()
        if isinstance(inner, list) and inner and isinstance(inner[0], Message):
            return inner[0]
    return None
