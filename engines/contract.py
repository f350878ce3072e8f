"""What an engine is: it says what is worth doing and handles what came of it; it holds no keys and judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from domain.cards import Card, Proposal
from domain.db import Tx
from domain.events import Event
from domain.rests import Group
from domain.settings import TenantSettings


@dataclass(frozen=True, slots=True)
class Context:
    """What an engine is given: one tenant, one transaction, the present instant, the tenant's settings."""

    tx: Tx
    settings: TenantSettings
    hints: tuple[Mapping[str, Any], ...] = ()
    """What the last reflection said about this hour."""

    @property
    def tenant_id(self) -> UUID:
        return self.tx.tenant_id

    @property
    def now(self) -> datetime:
        return self.tx.now


@dataclass(frozen=True, slots=True)
class Obligation:
    """Something due now. The ledger tells what became of it: by its card, or by what the engine itself says of it."""

    kind: str
    """contact_overdue, follow_up_due, order_waiting …"""
    subject_type: str
    subject_id: str
    due_at: datetime
    dedupe_key: str | None = None
    """The intention that answers it; its card's state is the disposition."""
    disposition: Literal["deferred", "blocked", "held"] | None = None
    """Where no card is proposed: what stands in the way …"""
    rule: str | None = None
    reason: str | None = None
    in_short: str | None = None
    """The reason in words that many share: by them it is counted while it rests. None: the reason is such words."""
    until: datetime | None = None
    rests_until: datetime | None = None
    """Nothing can be done before: it is not read again until then, unless it is touched or there is news of its
    account, and counted by its rule and reason meanwhile."""
    seen: str | None = None
    """The version of the record that was read: it rests only if nobody has changed it since."""
    in_turn: bool = False
    """It rests because others come first, and for no longer than these need."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An engine's answer for one hour."""

    obligations: tuple[Obligation, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    resting: tuple[Group, ...] = ()
    """What is due as well and rests since an earlier hour, counted."""

    @property
    def due(self) -> int:
        """How many things are due, those that rest included."""
        return len(self.obligations) + sum(each.resting for each in self.resting)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler did; stored on the card. `undo` holds what is needed to take it back."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    undo: Mapping[str, Any] | None = None


Handler = Callable[[Context, Card], Outcome]
"""Carries out an internal action inside the settling transaction; it reaches nothing outside the database."""


class Engine(Protocol):
    """One engine. Every method runs inside one transaction of one tenant."""

    name: str
    present: str
    """SQL for whether the tenant (:t) has anything at all that this engine looks after, told by an index alone.

    Where it has not, the engine is neither asked to plan nor for numbers: what a tenant doesn't use costs it nothing.
    """
    ripens: str
    """SQL for whether time alone has brought something about (:t, :now), told by indexes.

    It is asked of all engines at once when a cycle begins; where nothing has, the engine is not asked to `ripen`."""
    handlers: Mapping[str, Handler]
    """Internal action types and what carries them out; mail is carried out by the executor."""

    def ripen(self, ctx: Context) -> None:
        """Do what time alone brings about: a pause ends, a quote expires. Before anybody plans or counts what rests."""
        ...

    def plan(self, ctx: Context) -> Plan:
        """Everything due now and what to do about it, in a number of statements that does not grow with the data."""
        ...

    def settled(self, ctx: Context, cards: Sequence[Card]) -> None:
        """Take in that cards of this engine ended done, held, failed …, in the transaction that ended them."""
        ...

    def react(self, ctx: Context, event: Event) -> None:
        """Take in something that happened since the last cycle. May be called again after a failure."""
        ...

    def stats(self, ctx: Context) -> Mapping[str, float]:
        """Numbers for the reflection and the metrics, read at the end of each cycle."""
        ...

    def next_due(self, ctx: Context) -> datetime | None:
        """The next instant at which this engine will have something due, or None: an idle tenant costs nothing."""
        ...
