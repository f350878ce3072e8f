"""What the companies' own people do meanwhile: they approve, edit and refuse cards, and stop mail for a while."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain import cards, switches
from domain.cards import Card
from domain.db import Tx
from domain.house import House
from domain.switches import Switch
from jobs import approvals
from simulator.demo import records, trade

MANAGER = "rui@verdebox.example"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a person does at a moment of the story."""

    at: str
    """As `Days.when` reads it."""
    slug: str
    does: Callable[[House, UUID, str], str]
    """The sentence that tells it; empty when there was nothing to do."""
    whose: str = ""
    """The name of the contact whose waiting card it is about."""


def approve(house: House, tenant_id: UUID, whose: str) -> str:
    """Look at a waiting card and say yes to exactly that."""
    with house.database.tenant(tenant_id, actor=MANAGER) as tx:
        card = _waiting(tx, whose)
        if card is None:
            return ""
        shown = approvals.show(house, tx, card.id)
        approvals.approve(house, tx, card.id, seen=shown.seen, by=MANAGER)
    return f"Rui approves the {_short(card)}"


def promise_a_discount(house: House, tenant_id: UUID, whose: str) -> str:
    """Write a discount into a waiting card, and approve that."""
    with house.database.tenant(tenant_id, actor=MANAGER) as tx:
        card = _waiting(tx, whose)
        if card is None:
            return ""
        words = approvals.show(house, tx, card.id).text.partition("\n-- \n")[0].rstrip()
        text = f"{words}\n\nPS: Order this week and you get a 10 % discount.\n"
        shown = approvals.edit(house, tx, card.id, changes={"text": text}, by=MANAGER)
        approvals.approve(house, tx, card.id, seen=shown.seen, by=MANAGER)
    return f"Rui writes a discount into the {_short(card)}"


def reject(house: House, tenant_id: UUID, whose: str) -> str:
    """Refuse a waiting card with a reason."""
    with house.database.tenant(tenant_id, actor=MANAGER) as tx:
        card = _waiting(tx, whose)
        if card is None:
            return ""
        approvals.reject(tx, card.id, by=MANAGER, reason="I see him at the fair on Thursday")
    return f"Rui refuses the {_short(card)}"


def stop_mail(house: House, tenant_id: UUID, _whose: str) -> str:
    """Close the company's mail switch."""
    flip = switches.stop(house.database, Switch(tenant_id, "mail"), by=MANAGER, reason="stock-taking")
    return f"Rui stops all mail: {'nothing is in flight' if flip.settled else 'still stopping'}"


def resume_mail(house: House, tenant_id: UUID, _whose: str) -> str:
    """Open it again."""
    switches.resume(house.database, Switch(tenant_id, "mail"), by=MANAGER, reason="stock-taking is over")
    return "Rui lets mail out again"


def _short(card: Card) -> str:
    told = card.title.partition(" (")[0].replace("Follow-up 1:", "follow-up to")
    return told.replace("Make good on", "mail that makes good on")


def _waiting(tx: Tx, whose: str) -> Card | None:
    found = cards.listed(tx, state="awaiting_approval", limit=200)
    return next((card for card in found if whose in card.title), None)


DEEDS: Sequence[Deed] = (
    Deed("d1 08:40", "verdebox", trade.place, "verdebox/VB-2041"),
    Deed("d1 09:20", "verdebox", trade.place, "verdebox/VB-2042"),
    Deed("d1 09:40", "verdebox", trade.place, "verdebox/VB-2043"),
    Deed("d1 10:30", "verdebox", approve, "Declan Roche"),
    Deed("d1 11:40", "verdebox", approve, "Pieter Vos"),
    Deed("d1 14:30", "tallow-reed", trade.place, "tallow-reed/TR-7719"),
    Deed("d1 15:10", "tallow-reed", trade.place, "tallow-reed/TR-7720"),
    Deed("d2 09:30", "verdebox", trade.waive, "verdebox/VB-2043"),
    Deed("d2 09:50", "verdebox", approve, "Rosa Cifuentes"),
    Deed("d2 10:10", "verdebox", reject, "Luc Paillard"),
    Deed("d2 10:20", "verdebox", promise_a_discount, "Manon Delcourt"),
    Deed("d2 10:40", "verdebox", approve, "Celeste Ramires"),
    Deed("d2 11:20", "verdebox", records.fill_in, "bart@kiekendief.example +31201234567"),
    Deed("d2 13:50", "verdebox", stop_mail),
    Deed("d2 15:35", "verdebox", resume_mail),
    Deed("d2 16:20", "tallow-reed", trade.take_back, "tallow-reed/TR-7720"),
    Deed("d2 18:50", "verdebox", approve, "Casey Lindqvist"),
)
"""Follow-ups of the prelude wait by the morning of the second day, whatever the weekday."""
