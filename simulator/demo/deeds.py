"""What the companies' own people do meanwhile: they approve, edit and refuse cards, and stop mail for a while."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain import cards, switches
from domain.house import House
from domain.switches import Switch
from jobs import approvals

MANAGER = "rui@verdebox.example"


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a person does at a moment of the story."""

    at: str
    """As `Days.when` reads it."""
    slug: str
    does: Callable[[House, UUID], str]
    """The sentence that tells it; empty when there was nothing to do."""


def approve_first(house: House, tenant_id: UUID) -> str:
    """Look at the first waiting card and say yes to exactly that."""
    with house.database.tenant(tenant_id, actor=MANAGER) as tx:
        waiting = cards.listed(tx, state="awaiting_approval", limit=100)
        if not waiting:
            return ""
        shown = approvals.show(house, tx, waiting[-1].id)
        approvals.approve(house, tx, shown.card.id, seen=shown.seen, by=MANAGER)
    return f"Rui reads “{shown.card.title}” and approves it"


def promise_a_discount(house: House, tenant_id: UUID) -> str:
    """Write a discount into a waiting card, and approve that."""
    with house.database.tenant(tenant_id, actor=MANAGER) as tx:
        waiting = cards.listed(tx, state="awaiting_approval", limit=100)
        if not waiting:
            return ""
        card = waiting[-1]
        told = approvals.show(house, tx, card.id).text.partition("\n-- ")[0]
        text = told.rstrip() + "\n\nPS: Answer this week and we take 10 % discount off your next order.\n"
        shown = approvals.edit(house, tx, card.id, changes={"text": text}, by=MANAGER)
        approvals.approve(house, tx, card.id, seen=shown.seen, by=MANAGER)
    return f"Rui adds a discount to “{card.title}” and approves it"


def reject_one(house: House, tenant_id: UUID) -> str:
    """Refuse the oldest waiting card with a reason."""
    with house.database.tenant(tenant_id, actor=MANAGER) as tx:
        waiting = cards.listed(tx, state="awaiting_approval", limit=100)
        if len(waiting) < 2:
            return ""
        card = approvals.reject(tx, waiting[-1].id, by=MANAGER, reason="I see them at the fair on Thursday")
    return f"Rui refuses “{card.title}”: he sees them at the fair"


def stop_mail(house: House, tenant_id: UUID) -> str:
    """Close the company's mail switch."""
    flip = switches.stop(house.database, Switch(tenant_id, "mail"), by=MANAGER, reason="stock-taking")
    return f"Rui stops all mail for stock-taking ({'nothing in flight' if flip.settled else 'stopping'})"


def resume_mail(house: House, tenant_id: UUID) -> str:
    """Open it again."""
    switches.resume(house.database, Switch(tenant_id, "mail"), by=MANAGER, reason="stock-taking is over")
    return "Rui lets mail out again"


DEEDS: Sequence[Deed] = (
    Deed("d1 10:40", "verdebox", approve_first),
    Deed("d1 15:20", "verdebox", reject_one),
    Deed("d2 13:50", "verdebox", stop_mail),
    Deed("d2 15:35", "verdebox", resume_mail),
    Deed("d2 15:50", "verdebox", promise_a_discount),
    Deed("d3 08:50", "verdebox", approve_first),
)
