"""An hour of the engagement engine without policy or post: what it proposes goes out, or is held, at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from domain import cards, clocks, executions, outbound, settings
from domain.cards import Card
from domain.db import Database, Tx
from domain.events import Event
from domain.outbound import Frozen
from domain.ports import OutboundMail
from engines.contract import Context, Plan
from engines.engagement.engine import EngagementEngine
from tests import build
from tests.hand_clock import HandClock

ENGINE = EngagementEngine()


def context(tx: Tx) -> Context:
    """What the engine is given."""
    return Context(tx, settings.of(tx))


def planned(database: Database, tenant: UUID) -> Plan:
    """What the engine says this hour, nothing carried out."""
    with database.tenant(tenant) as tx:
        return ENGINE.plan(context(tx))


def hour(database: Database, tenant: UUID, *, ends: Literal["done", "held"] = "done") -> list[Card]:
    """Plan once and bring every new card to its end; the cards as they ended."""
    with database.tenant(tenant) as tx:
        made = cards.propose(tx, ENGINE.plan(context(tx)).proposals)
        return [carry_out(tx, card) if ends == "done" else hold(tx, card) for card in made]


def carry_out(tx: Tx, card: Card) -> Card:
    """The mail goes out: reserved, settled, the contact touched, the engine told."""
    cards.move_one(tx, card.id, "queued")
    thread = card.thread_id or build.thread(tx, client_id=card.client_id, contact_id=card.contact_id)
    tx.run("UPDATE kanban_cards SET thread_id = :thread WHERE id = :id", thread=thread, id=card.id)
    key = f"key-{card.id}"
    mine = executions.reserve(tx, card, owner="test", fence=1, lease_seconds=15, idempotency_key=key)
    mail = OutboundMail(
        card.id, key, f"<{card.id}@acme.example>", "ana@acme.example", ("p@initech.example",), "Hi", "Hi"
    )
    outbound.record_each(tx, [Frozen(mine, mail, "live", thread)], state="reserved", provider="resend")
    done = executions.settle(tx, mine, "done", provider_id="p-1")
    assert done.contact_id is not None
    clocks.mailed(tx, {done.id: done.contact_id})
    ENGINE.settled(context(tx), [done])
    return done


def hold(tx: Tx, card: Card) -> Card:
    """The mode holds the mail back."""
    held = cards.move_one(tx, card.id, "held")
    ENGINE.settled(context(tx), [held])
    return held


def days(
    database: Database, tenant: UUID, clock: HandClock, count: int, *, each: Callable[[], object] = lambda: None,
    ends: Literal["done", "held"] = "done",
) -> list[tuple[datetime, Card]]:  # fmt: skip
    """Let days pass, with one planned hour in each; every card that ended, with its moment."""
    ended = []
    for _ in range(count):
        ended += [(clock.now(), card) for card in hour(database, tenant, ends=ends)]
        each()
        clock.advance(days=1)
    return ended


def steps(ended: Sequence[tuple[datetime, Card]], begun: datetime) -> list[tuple[int, int]]:
    """(day, step) of each mail."""
    return [((at - begun).days, card.payload["step"]) for at, card in ended]


def received(event_id: UUID, message_id: UUID, at: datetime, client_id: UUID | None = None) -> Event:
    """The event of a mail that came in."""
    return Event(event_id, at, "mail.received", "message", str(message_id), "system", client_id)
