"""The machine's own book: who may be written to, what was stopped, what went out; it knows no code of the house."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

WAITING = frozenset({"proposed", "queued", "deferred", "awaiting_approval"})
ENDED = frozenset({"done", "failed", "held", "blocked", "rejected", "cancelled", "expired"})
SEQUENCE = frozenset({"send_email", "follow_up"})
MAIL = SEQUENCE | {"send_quote", "request_feedback", "broadcast_email", "compliance_reminder", "request_order_info"}

Switch = tuple[str, str]
"""Level and name."""


def may_move(frm: str | None, to: str) -> bool:
    """The lifecycle of a card as the product's page tells it."""
    if frm is None or to == "proposed":
        return frm is None and to == "proposed"
    if frm == "executing":
        return to in {"done", "failed", "uncertain", "queued", "deferred"}
    if frm == "uncertain":
        return to in {"executing", "done", "failed"}
    if frm not in WAITING:
        return False
    if to == "executing":
        return frm == "queued"
    if to == "rejected":
        return frm == "awaiting_approval"
    return to in (WAITING | ENDED) - {"done", "failed"}


@dataclass
class Person:
    """A contact, as the machine knows them."""

    id: UUID
    account: str
    main: str
    zone: str
    addresses: set[str]
    consent: bool = False
    refused: dict[str, str] = field(default_factory=dict)
    """Addresses that must never get mail again, each with what was said."""
    heard_at: datetime | None = None
    away: list[tuple[datetime, datetime]] = field(default_factory=list)

    def refuse(self, why: str, address: str | None = None) -> None:
        """Never again: at one address, or, where a person said so for themselves, at all of them."""
        for each in [address] if address else sorted(self.addresses):
            self.refused.setdefault(each, why)

    def learn(self, address: str) -> None:
        """One more address; what they said for themselves holds for it too."""
        self.addresses.add(address)
        said = next((why for why in self.refused.values() if why != "bounced" and why != "manual"), None)
        if said is not None:
            self.refused.setdefault(address, said)


@dataclass(frozen=True)
class Mail:
    """A mail that really reached the provider."""

    card: UUID
    kind: str
    person: UUID
    account: str
    reserved_at: datetime
    """When its room in the caps was taken."""
    at: datetime
    """When it left."""
    mode: str
    first: bool
    """Whether the person had never been written to."""


@dataclass
class Caps:
    """What a tenant may send at most."""

    hour: int = 20
    day_limited: int = 25
    new_limited: int = 5
    people: int = 2
    kinds: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By type of card: so many an hour, counted from that mail in the book on: what went before the cap is not."""
    gap_hours: float = 72
    conversation_hours: float = 24


@dataclass
class Tenant:
    """One tenant, as the machine knows it."""

    slug: str
    id: UUID
    zone: str
    mode: str = "live"
    allowed: set[str] = field(default_factory=set)
    caps: Caps = field(default_factory=Caps)
    asks: set[str] = field(default_factory=set)
    """Types of card that a person must approve."""
    closed: set[Switch] = field(default_factory=set)
    people: dict[UUID, Person] = field(default_factory=dict)
    account_heard: dict[str, datetime] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    uncounted: set[UUID] = field(default_factory=set)
    """Cards whose mail the provider took and then said that it failed: nobody was touched."""
    trouble: dict[tuple[str, UUID], datetime] = field(default_factory=dict)
    """Bounces and complaints by card, for the breaker."""
    approved: dict[UUID, tuple[str, str]] = field(default_factory=dict)
    """What a person saw and approved: subject and text."""
    states: dict[UUID, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    """The body under each key."""
    live_key: dict[UUID, str] = field(default_factory=dict)
    """The key of each card's tries, unless all of them certainly did nothing."""

    def person_at(self, address: str) -> Person | None:
        """Whose address it is."""
        return next((each for each in self.people.values() if address in each.addresses), None)

    def settings_changed(self) -> None:
        """Another policy: what was approved under the last one is void."""
        self.approved.clear()

    def heard(self, person: Person, at: datetime) -> None:
        """Somebody wrote: every sequence to their account is over, and they are back."""
        person.heard_at = max(filter(None, (person.heard_at, at)))
        self.account_heard[person.account] = max(at, self.account_heard.get(person.account, at))

    def troubled(self, what: str, card: UUID, at: datetime) -> None:
        """A bounce or a complaint: five bounces or two complaints of a day stop the tenant's mail by themselves."""
        if (what, card) in self.trouble:
            return
        self.trouble[what, card] = at
        day = [each for each, when in self.trouble.items() if when > at - timedelta(hours=24)]
        if sum(each[0] == what for each in day) >= {"bounced": 5, "complained": 2}[what]:
            self.closed.add(("mail", ""))


@dataclass(frozen=True)
class Post:
    """One raw POST as the provider's witness saw it."""

    at: datetime
    tenant_tag: str
    sender: str
    key: str
    body: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    unsubscribe: str
    card: UUID
    acted: bool
    certainly_nothing: bool


@dataclass(frozen=True)
class Record:
    """What the house itself has on record about a posted card."""

    kind: str
    engine: str
    contact: UUID
    created_at: datetime
    latest_at: datetime
    key: str | None
    reserved_at: datetime | None
    allowed: bool
    """Whether a verdict at its execution let it go."""
    sequence: bool
    """Whether it is a step of the engagement engine's own."""
    known: bool
    """Whether any other mail to the contact was ever tried."""


def same_day(zone: str, one: datetime, other: datetime) -> bool:
    """Whether two instants lie on the same day of a zone."""
    where = ZoneInfo(zone)
    return one.astimezone(where).date() == other.astimezone(where).date()


def same_hour(one: datetime, other: datetime) -> bool:
    """Whether two instants lie in the same hour by the clock."""
    return one.replace(minute=0, second=0, microsecond=0) == other.replace(minute=0, second=0, microsecond=0)
