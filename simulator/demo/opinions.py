"""What was delivered before the story begins, so that in its course clients are asked what they think of it."""

from __future__ import annotations

from datetime import timedelta

from domain import clients, contacts, orders, settings
from domain.db import Tx
from domain.orders import Line
from simulator.demo.companies import Company
from simulator.demo.days import Days


def deliver(tx: Tx, company: Company, days: Days) -> None:
    """Orders that were delivered so long ago that the question falls due when the story says."""
    wait = timedelta(days=settings.of(tx).feedback_days)
    for told in company.told.get("delivered", ()):
        person = company.people[told["contact"]]
        known = contacts.by_addresses(tx, [str(person.email)])[str(person.email)]
        account = clients.get(tx, known.client_id)
        assert account is not None, "the company's own file names its clients"
        orders.put(
            tx, external_id=told["external_id"], client_id=account.id, contact_id=known.id, status="delivered",
            currency=told["currency"], fee=told["fee"], tech_fee="0", total_amount=told["fee"],
            lines=[Line(code, quantity, code) for code, quantity in told["lines"]],
            ordered_at=days.when(told["due"]) - wait - timedelta(days=9), delivered_at=days.when(told["due"]) - wait,
        )  # fmt: skip
