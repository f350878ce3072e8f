"""What a rule may look at: plain frozen records of one card and of everything that bears on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.cards import Card
from domain.goals import Standing
from domain.incoming import BY_MACHINES, FLAGS_OF_MACHINES
from domain.ports import OutboundMail
from domain.settings import Mode, TenantSettings
from domain.switches import OUTWARD
from policy.asking import Asking
from policy.content import Content, opt_out_page
from policy.seal import content_hash
from policy.windows import Hours

CONVERSATIONAL = frozenset({"send_email", "follow_up", "send_quote", "request_feedback", "broadcast_email"})
"""Outward types whose mail is commercial unless it answers a message; the rest carry out what a client asked for."""

NO_WINDOW = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message that the card answers or names as its evidence."""

    id: UUID
    inbound: bool
    cls: str
    flags: frozenset[str]
    from_address: str
    client_id: UUID | None
    contact_id: UUID | None
    words: str
    """What is kept of its text: subject, the first words of the reply, and what was read out of it."""
    asked: str = ""
    """The sentence in which its reader found an explicit request, if one was found."""

    @property
    def automatic(self) -> str | None:
        """What shows that a machine wrote it, or None (RFC 3834)."""
        if self.cls in BY_MACHINES:
            return self.cls
        return None if self.flags.isdisjoint(FLAGS_OF_MACHINES) else min(self.flags & FLAGS_OF_MACHINES)


@dataclass(frozen=True, slots=True)
class Thread:
    """The conversation that the card belongs to."""

    id: UUID
    person_wrote_at: datetime | None
    """When a person of the tenant last wrote in it."""
    last_heard_at: datetime | None
    """When a person on the other side last wrote in it; automatic messages don't count."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One mail to the contact, of the most recent ones."""

    at: datetime
    held: bool
    type: str
    thread_id: UUID | None


@dataclass(frozen=True, slots=True)
class Person:
    """The contact that the card is about, with its account."""

    id: UUID
    client_id: UUID
    addresses: frozenset[str]
    relationship: str
    broadcast_consent: bool
    last_heard_at: datetime | None
    """When the contact last wrote."""
    account_heard_at: datetime | None
    """When anybody at the account last wrote."""
    sequence_threads: frozenset[UUID]
    """The threads of follow-up sequences that still run, whichever engine's."""
    sent: tuple[Sent, ...]
    """The latest mails to the contact, newest first; held ones too, marked so."""
    ever_mailed: bool
    account_status: str = "active"
    away_until: datetime | None = None
    """When the contact is back, as an out-of-office note or a person says."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The compliance check that the card names, as its record has it."""

    check_id: UUID
    client_id: UUID
    state: str
    due_at: datetime
    account_id: UUID
    """Whose the record is now: its person may have moved to another account since the check was made."""
    account_status: str
    relationship: str
    missing: frozenset[str]
    """What the record lacks now of all that open checks require of it, whenever they were last looked at."""
    reviewed: bool = True
    """Whether it was judged by its schedule as that stands; a change may bear on more checks than an hour judges."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a rule may look at for one card, read at one instant."""

    now: datetime
    card: Card
    settings: TenantSettings
    policy_version: int
    mode: Mode
    """The stricter of the host's and the tenant's."""
    closed: frozenset[tuple[str, str, str]] = frozenset()
    """Closed switches as (scope, level, name)."""
    stopped_here: str | None = None
    """Why this host does nothing at all (environment, flag file)."""
    mail_stopped_here: str | None = None
    """Why this host sends no mail."""
    mail: OutboundMail | None = None
    """The rendered message; None for internal actions, and where nothing was rendered."""
    content: Content | None = None
    own_domains: frozenset[str] = frozenset()
    """Where links may lead: the tenant's registered domains, and the one that it writes from."""
    own_pages: frozenset[str] = frozenset()
    """Addresses of hosted pages that stand in the mail."""
    recipients: tuple[str, ...] = ()
    """To, Cc and Bcc alike, normalised; what is no address stays as it was written."""
    holding: bool = False
    """Whether the mode keeps this very message inside, so that caps and gaps count held mail too."""
    suppressed: Mapping[str, str] = field(default_factory=dict)
    """Recipients that must never get mail, with the reason."""
    person: Person | None = None
    mailed_today: frozenset[UUID] = frozenset()
    """People of the account who were mailed today, in the tenant's time zone."""
    thread: Thread | None = None
    answered: Message | None = None
    """The message that the card is an answer to, as its engine says (`payload.answers_message_id`)."""
    in_reply_to: Message | None = None
    """The message that the mail's In-Reply-To names, where it is one that came through a mailbox."""
    evidence: Message | None = None
    """The message that the card names as its evidence."""
    deadline: Deadline | None = None
    """The compliance check that the card names as its ground, where the tenant has it."""
    hours: Hours | None = None
    """The recipient's own hours; None for internal actions."""
    known_country: str | None = None
    """The contact's or the account's own country, where one is known."""
    zone_source: str = ""
    """How the recipient's zone is known: contact, account, country or tenant."""
    wall: datetime | None = None
    """The time on the recipient's wall."""
    business_day: bool = True
    holiday: str | None = None
    hour: tuple[datetime, datetime] = NO_WINDOW
    day: tuple[datetime, datetime] = NO_WINDOW
    """The tenant's own day."""
    used: Mapping[tuple[str, datetime], int] = field(default_factory=dict)
    """What has been taken from each cap, by key and start of its window."""
    violations_open: int = 0
    """Engagement promises that are overdue (read for research only)."""
    goals: tuple[Standing, ...] = ()
    """How the tenant's running goals stand (read for research only)."""
    follow_ups_due: int = 0
    """Follow-ups that are due and not done (read for research only)."""
    outdated: tuple[str, ...] = ()
    """What of the words that the mail was written in is another in its records by now."""
    asking: Asking | None = None
    """The feedback request that the card asks or reminds of, or makes good, as it stands now."""

    answers: bool = field(init=False)
    """Whether the mail answers a message that came in; a follow-up never does, whatever it hangs below."""
    unsubscribe_url: str | None = field(init=False)
    """The opt-out page that the mail itself names."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "unsubscribe_url", opt_out_page(self.mail) if self.mail else None)
        answered = self.answered
        answers = answered is not None and answered.inbound and self.card.type != "follow_up"
        object.__setattr__(self, "answers", answers)

    @property
    def outward(self) -> bool:
        """Whether the action leaves the house as mail."""
        return self.card.type in OUTWARD

    @property
    def responds(self) -> bool:
        """Whether it answers something that they said, by mail or on a page of ours: such a mail is no sequence."""
        return self.answers or bool(self.card.payload.get("responds_to"))

    @property
    def commercial(self) -> bool:
        """Whether the mail advertises: all that is not an answer to somebody or a service that they asked for."""
        return self.card.type in CONVERSATIONAL and not self.answers

    @property
    def last_mailed_at(self) -> datetime | None:
        """When the contact last got a mail. In a mode that holds, held ones count: a trial run paces itself."""
        if self.person is None:
            return None
        return next((each.at for each in self.person.sent if self.holding or not each.held), None)

    @property
    def content_hash(self) -> bytes:
        """What an approval of this card, as it stands, would be bound to."""
        return content_hash(self.mail, self.card.thread_id, self.policy_version, self.card.payload)

    @property
    def live_conversation(self) -> bool:
        """Whether the contact wrote since our last mail, or within the ordinary gap."""
        heard = self.person.last_heard_at if self.person else None
        if heard is None:
            return False
        last = self.last_mailed_at
        recently = (self.now - heard).total_seconds() <= self.settings.minimum_gap_hours * 3600
        return recently or last is None or heard > last

    def taken(self, key: str, window: tuple[datetime, datetime]) -> int:
        """How much of a cap is used in a window."""
        return self.used.get((key, window[0]), 0)

    def when_open(self, at: datetime) -> datetime:
        """The first instant from `at` on that lies in the recipient's hours."""
        return self.hours.next_open(at) if self.hours is not None else at

    def told(self, name: str) -> Any:
        """A value of the card's payload, or of its evidence."""
        return self.card.payload.get(name, self.card.evidence.get(name))
