"""What the companies sell and what is ordered of them: by their shops, with the faults that real orders have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain import clients, contacts, credit, goals, order_exceptions, orders, products, undo
from domain.db import Tx
from domain.house import House
from domain.orders import Line
from simulator.demo import companies
from simulator.demo.companies import Company

SHOP = "the shop"
MANAGER = "rui@verdebox.example"


def open_shop(tx: Tx, company: Company) -> None:
    """The catalogue, what accounts may owe, and what the present month is to bring."""
    for told in company.told.get("products", ()):
        products.put(tx, **told)
    for told in company.told["clients"]:
        account = clients.by_name(tx, told["name"])
        if account is not None and "credit" in told:
            credit.put(tx, account.id, **told["credit"])
    first = tx.now.date().replace(day=1)
    for told in company.told.get("goals", ()):
        # the story begins weeks before the present: what is wished for spans both
        goals.put(tx, starts_on=first, ends_on=first + timedelta(days=91), **told)


def place(house: House, tenant_id: UUID, whose: str) -> str:
    """An order comes in from the company's own shop system."""
    slug, _, external_id = whose.partition("/")
    told = next(each for each in companies.told(slug)["orders"] if each["external_id"] == external_id)
    with house.database.tenant(tenant_id, actor=SHOP) as tx:
        account = clients.by_name(tx, told["client"])
        assert account is not None, "the company's own file names its clients"
        person = next(each for each in contacts.listed(tx, client_id=account.id) if each.email == _email(slug, told))
        given: dict[str, Any] = {
            name: each for name, each in told.items() if name not in ("client", "contact", "lines")
        }
        orders.put(tx, client_id=account.id, contact_id=person.id,
                   lines=[Line(code, quantity, code) for code, quantity in told["lines"]], **given)  # fmt: skip
    return f"the shop sends order {external_id} of {told['client']}"


def waive(house: House, tenant_id: UUID, whose: str) -> str:
    """Somebody answers for an order that its account's credit does not carry."""
    with house.database.tenant(tenant_id, actor=MANAGER) as tx:
        order = orders.by_external_id(tx, whose.partition("/")[2])
        found = order_exceptions.of(tx, [order.id]).get(order.id, ())
        over = next((each for each in found if each.code == "CREDIT_EXCEEDED"), None)
        if over is None:
            return ""
        order_exceptions.waive(tx, over.id, by=MANAGER, reason="their transfer is on its way")
    return f"Rui waives {over.code} of order {order.called}: {over.message}"


def take_back(house: House, tenant_id: UUID, whose: str) -> str:
    """Somebody takes back what the agent corrected."""
    with house.database.tenant(tenant_id, actor="gil@tallow-reed.example") as tx:
        order = orders.by_external_id(tx, whose.partition("/")[2])
        card = tx.value(
            """SELECT id FROM kanban_cards WHERE tenant_id = :t AND type = 'fix_order' AND subject_id = :id
               AND state = 'done' ORDER BY id DESC LIMIT 1""",
            t=tenant_id, id=str(order.id),
        )  # fmt: skip
        if card is None:
            return ""
        undo.undo(tx, card, by="gil@tallow-reed.example", reason="the discount was agreed")
    return f"Gil takes the correction of order {order.called} back"


def _email(slug: str, told: dict[str, Any]) -> str:
    people = (each for client in companies.told(slug)["clients"] for each in client["contacts"])
    return next(str(each["email"]) for each in people if each["key"] == told["contact"])
