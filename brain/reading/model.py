"""What reading one message yields: plain frozen records, no behaviour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

CLASSES = (
    "reply",
    "new_request",
    "quote_request",
    "order",
    "order_update",
    "feedback_answer",
    "out_of_office",
    "bounce",
    "delivery_report",
    "complaint_report",
    "complaint",
    "unsubscribe",
    "task_request",
    "automatic",
    "other",
)


EXPLICIT = 0.6


class Person(NamedTuple):
    """A name and a normalised address (lower case, domain in its ASCII form)."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """One recipient that a delivery report speaks of."""

    address: str
    """Normalised; empty when the report names nobody."""
    permanent: bool
    suppress: bool
    """True when our own reason → action table says never to write there again."""
    status: str
    """RFC 3463 code such as `5.1.1`, or empty."""
    reason: str
    """A word of `reasons.ACTIONS`, such as `unknown_user` or `mailbox_full`."""
    original_message_id: str | None = None
    diagnostic: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with the message."""

    filename: str
    content_type: str
    size: int
    sha256: str
    content: bytes = field(repr=False, default=b"")
    inline: bool = False
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Authentication:
    """What the receiving server itself found out about the sender (RFC 8601)."""

    server: str | None = None
    spf: str | None = None
    dkim: str | None = None
    dmarc: str | None = None
    aligned: bool | None = None
    """True: From is proven. False: it is not. None: the receiving server said nothing."""

    @property
    def disowned(self) -> bool:
        """The writer's own domain says by its policy (RFC 7489) that it did not send this.

        Weaker signs (no SPF, a softfail, a failure that a forwarder causes) leave open whose mail it is.
        """
        return self.aligned is False and self.dmarc == "fail"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing learnt about a person, with how sure we are and where it stood."""

    kind: str
    """name, address, phone, title, company, link, postal_address."""
    value: str
    confidence: float
    source: str
    """header:from, header:cc, signature …"""
    about: str
    """The normalised address of the person it is about; empty when unknown."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What stood under a message."""

    text: str
    name: str | None = None
    title: str | None = None
    company: str | None = None
    phones: tuple[str, ...] = ()
    """E.164."""
    emails: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    address: str | None = None


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """The writer asks a person to do something: the words themselves, and by when."""

    span: str
    due: dt.datetime | None = None
    call: bool = False
    """True when somebody is asked to ring the writer."""
    confidence: float = 0.0
    """0 to 1; from `EXPLICIT` on it is an explicit request, below it only looks like one."""

    @property
    def is_explicit(self) -> bool:
        return self.confidence >= EXPLICIT


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order or of a request for a quote."""

    description: str
    quantity: float | None = None
    unit: str | None = None
    code: str | None = None
    unit_price: float | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """A calendar part (RFC 5545)."""

    method: str
    uid: str | None = None
    summary: str | None = None
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    organizer: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything understood of one message. Absent things are None or empty, never invented."""

    cls: str = "other"
    flags: frozenset[str] = frozenset()
    subject: str = ""
    from_name: str = ""
    from_address: str | None = None
    sender: Person | None = None
    reply_to: tuple[Person, ...] = ()
    to: tuple[Person, ...] = ()
    cc: tuple[Person, ...] = ()
    bcc: tuple[Person, ...] = ()
    date: dt.datetime | None = None
    """Aware, in UTC."""
    written: dt.datetime | None = None
    """The same moment in the writer's own offset: what "tomorrow" is counted from."""
    message_id: str | None = None
    """With angle brackets, as are all message ids here."""
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    auto_submitted: str | None = None
    is_noreply: bool = False
    text: str = field(repr=False, default="")
    """The whole body as plain text."""
    reply: str = field(repr=False, default="")
    """What the writer wrote this time: quote, forward and signature cut off."""
    signature: Signature | None = None
    attachments: tuple[Attachment, ...] = ()
    contacts: tuple[Person, ...] = ()
    """Everybody in the headers, once each, the writer first."""
    people: tuple[Fact, ...] = ()
    authentication: Authentication = Authentication()
    bounces: tuple[Bounce, ...] = ()
    complainants: tuple[str, ...] = ()
    """Who pressed "spam", when a feedback report names them."""
    original_message_ids: tuple[str, ...] = ()
    """Message ids that a delivery, complaint or automatic report is about."""
    return_date: dt.date | None = None
    task_request: TaskRequest | None = None
    items: tuple[Item, ...] = ()
    reference_numbers: tuple[str, ...] = ()
    invitation: Invitation | None = None
    language: str | None = None
    evidence: Mapping[str, str] = field(default_factory=dict)
    """The words of the message that made a class or flag, by its name."""
    quarantined: str | None = None
    """Why the message is malformed; whatever could be read is given all the same."""
