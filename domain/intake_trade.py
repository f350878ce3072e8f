"""Rows of products, orders and deals into records, each by the verb that everybody uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from domain import clients, contacts, csv_values, csv_words, deal_stages, deals, orders, products
from domain.clients import Upserted
from domain.csv_values import Habits, InvalidValue
from domain.db import Tx
from domain.order_lines import Line

DETAILS = ("property_address", "borrower_name", "borrower_email", "borrower_phone", "property_contact_name",
           "property_contact_phone")  # fmt: skip
"""Columns of an order that are kept among its details."""


class InvalidTrade(Exception):
    """A row of products, orders or deals that can't be taken in; the words before the colon name its field."""


REFUSALS = (InvalidTrade, products.InvalidProduct, products.UnknownProduct, orders.InvalidOrder, orders.UnknownOrder,
            deals.InvalidDeal, deals.UnknownDeal, deals.IllegalDealMove, deal_stages.UnknownStage)  # fmt: skip


def product(tx: Tx, told: Mapping[str, str], habits: Habits) -> Upserted:
    """Put a product in. Raises InvalidTrade and what its verb raises."""
    given: dict[str, Any] = dict(told)
    for name in ("price", "tech_fee", "tolerance_percent"):
        if name in given:
            given[name] = _number(name, told[name], habits)
    if "active" in given:
        given["active"] = given["active"].casefold() not in ("no", "false", "0", "inactive", "não", "nein", "non")
    return _told(products.put(tx, **given))


def order(tx: Tx, told: Mapping[str, str], habits: Habits) -> Upserted:
    """Put an order in, with at most one line. Raises InvalidTrade and what its verb raises."""
    key = order_key(told)
    if not key:
        raise InvalidTrade("external_id: give each order its id or number, by which it is known when it comes again")
    given: dict[str, Any] = {name: told[name] for name in ("number", "currency") if name in told}
    given |= {name: csv_words.meant("orders", name, told[name]) or told[name].lower().replace(" ", "_")
              for name in ("status", "billing") if name in told}  # fmt: skip
    given |= {name: _number(name, told[name], habits) for name in ("fee", "tech_fee", "total_amount") if name in told}
    given |= {name: _moment(name, told[name], habits) for name in ("ordered_at", "delivered_at") if name in told}
    details = {name: told[name] for name in DETAILS if name in told}
    made = orders.put(
        tx, external_id=key, lines=_lines(told, habits), details=details or None, source="import",
        client_id=_client(tx, told), contact_id=_contact(tx, told), **given,
    )  # fmt: skip
    return _told(made)


def order_key(told: Mapping[str, str]) -> str | None:
    """By what an order is known when it comes again."""
    return told.get("external_id") or told.get("number")


def deal(tx: Tx, told: Mapping[str, str], habits: Habits) -> Upserted:
    """Put a deal in. Raises InvalidTrade and what its verb raises."""
    if not told.get("external_id"):
        raise InvalidTrade("external_id: give each deal its id, by which it is known when it comes again")
    given: dict[str, Any] = {name: told[name] for name in ("external_id", "title", "currency") if name in told}
    if "stage" in told:
        given["stage"] = _stage(tx, told["stage"])
    if "value" in told:
        given["value"] = _number("value", told["value"], habits)
    if "expected_close_on" in told:
        given["expected_close_on"] = _day("expected_close_on", told["expected_close_on"], habits)
    return _told(deals.put(tx, client_id=_client(tx, told), contact_id=_contact(tx, told), source="import",
                           spread=True, **given))  # fmt: skip


PUTS: Mapping[str, Callable[[Tx, Mapping[str, str], Habits], Upserted]] = {
    "products": product, "orders": order, "deals": deal,
}  # fmt: skip


def _told(made: Any) -> Upserted:
    return Upserted(made.id, made.created, tuple(made.changed))


def _lines(told: Mapping[str, str], habits: Habits) -> list[Line] | None:
    code, description = told.get("product"), told.get("description")
    if not code and not description:
        return None
    quantity = _number("quantity", told["quantity"], habits) if "quantity" in told else 1
    price = _number("unit_price", told["unit_price"], habits) if "unit_price" in told else None
    return [Line(description or str(code), quantity, code, price)]


def _stage(tx: Tx, told: str) -> str:
    """A stage as the tenant calls it, or `won` and `lost` as other systems call them."""
    closed = csv_words.meant("deals", "stage", told)
    ours = closed and told.strip().casefold() in {stage.name.casefold() for stage in deal_stages.of(tx)}
    return closed if closed and not ours else told


def _client(tx: Tx, told: Mapping[str, str]) -> UUID | None:
    key, name = told.get("client_external_id"), told.get("company")
    if key:
        found = clients.recognised(tx, {"external_id": key})
        if found is None:
            raise InvalidTrade(f"client_external_id: there is no client {key!r}: import the clients first")
        return found.id
    if name:
        found = clients.by_name(tx, name)
        if found is None:
            raise InvalidTrade(f"company: there is no client called {name!r}: import the clients first")
        return found.id
    person = _person(tx, told)
    return person.client_id if person else None


def _contact(tx: Tx, told: Mapping[str, str]) -> UUID | None:
    person = _person(tx, told)
    return person.id if person else None


def _person(tx: Tx, told: Mapping[str, str]) -> contacts.Contact | None:
    if not told.get("email"):
        return None
    found = contacts.recognised(tx, email=told["email"])
    if found is None:
        raise InvalidTrade(f"email: nobody is known by {told['email']!r}: import the contacts first")
    return found


def _number(name: str, told: str, habits: Habits) -> Any:
    try:
        return csv_values.number(told, habits)
    except InvalidValue as error:
        raise InvalidTrade(f"{name}: {error}") from error


def _day(name: str, told: str, habits: Habits) -> Any:
    try:
        return csv_values.day(told, habits)
    except InvalidValue as error:
        raise InvalidTrade(f"{name}: {error}") from error


def _moment(name: str, told: str, habits: Habits) -> datetime:
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        return datetime.combine(_day(name, told, habits), time(0), UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
