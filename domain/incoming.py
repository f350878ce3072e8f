"""One message as it was read, in the shape in which the domain takes it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain import addresses

BY_MACHINES = frozenset({"out_of_office", "bounce", "delivery_report", "complaint_report", "automatic"})
"""Classes that no person wrote: never answered, never a touch."""

FLAGS_OF_MACHINES = frozenset({"automatic", "list_mail", "bulk", "noreply"})


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that came with the message."""

    filename: str | None
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message: its bytes, where it lay, and what was understood of it. All text is storable."""

    provider_message_id: str
    provider_thread_id: str
    raw: bytes = field(repr=False)
    labels: tuple[str, ...]
    received_at: datetime
    cls: str
    flags: frozenset[str] = frozenset()
    subject: str = ""
    snippet: str = ""
    sent_at: datetime | None = None
    from_address: str | None = None
    from_name: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    people: tuple[tuple[str, str], ...] = ()
    """(name, address) of everybody in the headers who may be a person."""
    aligned: bool | None = None
    """True: the receiving server vouches for the writer's address. False: it does not. None: it said nothing."""
    disowned: bool = False
    """The domain that it claims to be from says by its own policy that it did not send it."""
    message_id: str | None = None
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()
    original_ids: tuple[str, ...] = ()
    """The Message-IDs that a report is about."""
    reading: Mapping[str, Any] = field(default_factory=dict)
    """All else that was understood, as it is stored."""
    attachments: tuple[Attached, ...] = ()
    quarantined: str | None = None

    @property
    def by_person(self) -> bool:
        """Somebody wrote it, to us."""
        return self.cls not in BY_MACHINES and not self.flags & FLAGS_OF_MACHINES

    @property
    def answered_ids(self) -> tuple[str, ...]:
        """The Message-IDs that it answers or reports on, the closest first."""
        told = [self.in_reply_to] if self.in_reply_to else []
        return tuple(dict.fromkeys([*told, *reversed(self.references), *self.original_ids]))

    @property
    def domain(self) -> str | None:
        """The writer's company domain; None for free mail and for nobody."""
        return addresses.company_domain(self.from_address) if self.from_address else None
