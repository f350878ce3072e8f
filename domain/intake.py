"""Rows into records: what a row of each kind of file says is put in by the verbs that everybody uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from domain import (
    addresses,
    clients,
    contacts,
    credit,
    csv_values,
    csv_words,
    intake_credit,
    intake_trade,
    suppressions,
)
from domain.clients import Upserted
from domain.credit import InvalidCredit
from domain.csv_values import Habits, InvalidValue
from domain.db import Tx
from domain.imports import Record
from domain.vault import Vault


class Passed(Exception):
    """A row that is well, and is left out for a reason."""


class InvalidRow(Exception):
    """A row that can't be taken in; the words before the colon name its field."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is to be taken in."""

    relationship: Literal["client", "prospect"] = "client"
    """What new accounts are: engagement mail needs an existing client relationship."""
    habits: Habits = field(default_factory=Habits)


@dataclass(frozen=True, slots=True)
class Done:
    """What a row came to: its own record, and whatever it needed beside."""

    made: Upserted
    records: tuple[Record, ...] = ()
    aside: str | None = None
    """What of the row could not be understood and was left out, and why; the words before the colon name its field."""


def names_erased(tx: Tx, vault: Vault, text: str) -> bool:
    """Whether a text holds the address of somebody who was erased."""
    found = suppressions.of(tx, vault, addresses.found_in(text))
    return any(each.reason == "erased" for each in found.values())


def put(tx: Tx, vault: Vault, kind: str, told: Mapping[str, str], options: Options) -> Done:
    """Put one row in. Raises Passed, InvalidRow and what the verbs of its kind raise."""
    return PUTS[kind](tx, vault, dict(told), options)


def plain(value: Any) -> Any:
    """A field's value as an import remembers it."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return str(value) if isinstance(value, Decimal | UUID) else value


def record(subject_type: str, made: Upserted, after: Callable[[], Mapping[str, Any]]) -> tuple[Record, ...]:
    """The line that an import keeps of a record, where it made or changed it; `after` is what stands there now."""
    if not made.created and not made.changed:
        return ()
    if made.created:
        return (Record(subject_type, made.id, created=True),)
    now = after()
    written = {name: plain(now[name]) for name in made.changed}
    return (Record(subject_type, made.id, created=False, before=plain(made.before), after=written),)


def _client(tx: Tx, _vault: Vault, told: dict[str, str], options: Options) -> Done:
    owing = {name: told.pop(name) for name in intake_credit.FIELDS if name in told}
    given: dict[str, Any] = dict(told)
    if "annual_value" in given:
        try:
            given["annual_value"] = csv_values.number(told["annual_value"], options.habits)
        except InvalidValue as error:
            raise InvalidRow(f"annual_value: {error}") from error
        if not 0 <= given["annual_value"] < Decimal("1e12"):
            raise InvalidRow("annual_value: it must be at least 0 and below 1,000,000,000,000")
    for name in ("relationship", "status"):
        if name in given:
            given[name] = csv_words.meant("clients", name, told[name]) or told[name].lower()
    if "domain" in given:
        given["domain"] = _host(given["domain"])
    if "relationship" not in given and clients.recognised(tx, given) is None:
        given["relationship"] = options.relationship
    made = clients.upsert(tx, **given)
    owes, aside = Upserted(made.id, created=False), None
    try:
        owes = intake_credit.put(tx, made, owing, given.get("currency"), options.habits)
    except InvalidCredit as error:
        # orders and contacts name the account: it is not lost for that
        aside = f"{error}; nothing of its credit was taken in"
    records = record("client", made, lambda: _fields(clients.get(tx, made.id)))
    if not made.created:
        # that of a new account goes with it
        records += record("credit", owes, lambda: _fields(credit.get(tx, made.id)))
    return Done(replace(made, changed=(*made.changed, *owes.changed)), records, aside)


def _contact(tx: Tx, vault: Vault, told: dict[str, str], options: Options) -> Done:
    names = [told.pop(part) for part in ("first_name", "last_name") if part in told]
    if "name" not in told and names:
        told["name"] = " ".join(names)
    if "name" not in told and "email" not in told:
        raise InvalidRow("name: give a name or an address")
    email = addresses.normalise(told["email"]) if "email" in told else None
    if email:
        refused = suppressions.of(tx, vault, [email]).get(email)
        if refused is not None and refused.reason == "erased":
            raise Passed("email: this person was erased, and is not taken in again")
    company, client_key = told.pop("company", ""), told.pop("client_external_id", "")
    known = contacts.recognised(tx, email=email, external_id=told.get("external_id"))
    if client_key:
        account = _keyed(tx, client_key, company, options)
    elif known is not None and not company:
        account = Upserted(known.client_id, created=False)
    else:
        account = _account(tx, company, email, told.get("name"), options)
    # by nothing but a name a person is known within the account alone
    nameless = email is None and "external_id" not in told
    by_name = contacts.by_name(tx, account.id, told["name"]) if nameless else None
    said: dict[str, Any] = {name: told.get(name) for name in _OF_A_CONTACT}
    made = contacts.upsert(tx, vault, client_id=account.id, source="import", spread=True, email=email,
                           contact_id=by_name.id if by_name else None, **said)  # fmt: skip
    return Done(made, record("client", account, lambda: _fields(clients.get(tx, account.id)))
                + record("contact", made, lambda: _fields(contacts.get(tx, made.id))))  # fmt: skip


_OF_A_CONTACT = ("name", "external_id", "title", "phone", "language", "timezone", "country")


def _keyed(tx: Tx, client_key: str, company: str, options: Options) -> Upserted:
    """The account by its key in another system, made under its name where it is not there yet."""
    found = clients.recognised(tx, {"external_id": client_key, "name": company})
    if found is not None and found.external_id == client_key:
        return Upserted(found.id, created=False)
    if not company:
        raise InvalidRow(f"client_external_id: there is no client {client_key!r}: import the clients first, or name it")
    return clients.upsert(tx, external_id=client_key, name=company, relationship=options.relationship)


def _account(tx: Tx, company: str, email: str | None, name: str | None, options: Options) -> Upserted:
    """The account that a row belongs to: by its company, else by the address's domain, else the person's own."""
    domain = addresses.company_domain(email) if email else None
    found = clients.by_name(tx, company) if company else None
    found = found or (clients.by_domain(tx, domain) if domain else None)
    if found is not None:
        return Upserted(found.id, created=False)
    if company or domain:
        return clients.upsert(tx, name=company or domain, domain=domain, relationship=options.relationship)
    if email is None:
        raise InvalidRow("company: give the company, or an address at its own domain")
    [key] = clients.keys_of_people([email])
    return clients.upsert(tx, name=name or email, external_id=key, relationship=options.relationship)


def _host(told: str) -> str:
    """A web site's host, where a whole address of a page was given."""
    return told.split("://", 1)[-1].split("/", 1)[0]


def _fields(found: Any) -> Mapping[str, Any]:
    return {name: getattr(found, name) for name in type(found).__slots__}


Put = Callable[[Tx, Vault, dict[str, str], Options], Done]


def _trade(kind: str, subject_type: str) -> Put:
    def put_one(tx: Tx, _vault: Vault, told: dict[str, str], options: Options) -> Done:
        try:
            made = intake_trade.PUTS[kind](tx, told, options.habits)
        except intake_trade.REFUSALS as error:
            raise InvalidRow(str(error.args[0])) from error
        # what stood there is not kept: an undo tells of it, and leaves it
        touched = (Record(subject_type, made.id, created=made.created),) if made.created or made.changed else ()
        return Done(made, touched)

    return put_one


PUTS: Mapping[str, Put] = {
    "clients": _client, "contacts": _contact, "products": _trade("products", "product"),
    "orders": _trade("orders", "order"), "deals": _trade("deals", "deal"),
}  # fmt: skip
"""How a row of each kind of file is put in."""
