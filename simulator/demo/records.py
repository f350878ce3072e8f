"""What the companies require of their records, and what their people fill in when the agent has asked for it."""

from __future__ import annotations

from uuid import UUID

from domain import compliance_schedules, contacts
from domain.db import Tx
from domain.house import House
from simulator.demo.companies import Company
from simulator.demo.days import Days

MANAGER = "rui@verdebox.example"


def require(tx: Tx, company: Company, days: Days) -> None:
    """Put down what must be there by when; the story begins when some of that is late already."""
    for told in company.told.get("compliance", ()):
        given = {name: each for name, each in told.items() if name != "falls"}
        compliance_schedules.create(tx, anchor_on=days.when(told["falls"]).date(), **given)


def fill_in(house: House, tenant_id: UUID, whose: str) -> str:
    """Somebody puts down what a contact has told on the telephone."""
    address, _, phone = whose.partition(" ")
    with house.database.tenant(tenant_id, actor=MANAGER) as tx:
        person = contacts.by_addresses(tx, [address])[address]
        contacts.upsert(tx, house.vault, contact_id=person.id, phone=phone, title="Brewer")
    return f"Rui puts down {person.name}'s telephone and role"
