"""Many contacts at once: the rows of a file about which nothing is to be decided, in a few statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain import addresses, clients, contacts, suppressions
from domain.clients import Upserted
from domain.contacts import Contact
from domain.db import Tx
from domain.imports import Record
from domain.vault import Vault

FIELDS = ("name", "external_id", "title", "phone", "language", "timezone", "country")


@dataclass(frozen=True, slots=True)
class Sorted:
    """A file's rows, looked at together."""

    new: dict[int, dict[str, Any]]
    """The fields of those who are surely new, by the row's number."""
    known: dict[int, Contact]
    """Whom a row names and says nothing new of, its company aside."""


def at_once(
    tx: Tx, vault: Vault, told: Mapping[int, Mapping[str, str]], *, relationship: str
) -> dict[int, tuple[Upserted, tuple[Record, ...]]]:
    """Put those rows in about which nothing is to be decided; by the row's number what came of it.

    Rows that change somebody, name somebody suppressed, or name somebody whom a row above names are for
    `intake.put`, one by one; so is whatever is wrong with a row.
    """
    clients.hold(tx)
    sorted_out = _sorted(tx, vault, told)
    companies = {told[at]["company"] for at in (*sorted_out.new, *sorted_out.known) if told[at].get("company")}
    domains = {d for each in sorted_out.new.values() if (d := addresses.company_domain(each["email"]))}
    by_name, by_domain = clients.standing(tx, sorted(companies), sorted(domains))
    done = _made(tx, vault, told, sorted_out.new, by_name, by_domain, relationship)
    for at, person in sorted_out.known.items():
        company = told[at].get("company")
        # of a company that is not in the house, `intake.put` knows what becomes
        if not company or by_name.get(company) == person.client_id:
            done[at] = (Upserted(person.id, created=False), ())
    return done


def _made(
    tx: Tx, vault: Vault, told: Mapping[int, Mapping[str, str]], wished: dict[int, dict[str, Any]],
    by_name: dict[str, UUID], by_domain: dict[str, UUID], relationship: str,
) -> dict[int, tuple[Upserted, tuple[Record, ...]]]:  # fmt: skip
    records: dict[int, tuple[Record, ...]] = {}
    accounts: dict[UUID, tuple[str, str | None]] = {}
    for at, each in list(wished.items()):
        company, domain = told[at].get("company", ""), addresses.company_domain(each["email"])
        account = by_name.get(company) if company else None
        account = account or (by_domain.get(domain) if domain else None)
        if account is None:
            name = company or domain
            if name is None or not clients.in_their_spelling(name, domain):
                del wished[at]  # a person of their own, or an account whose name is to be mended first
                continue
            account = tx.clock.uuid()
            accounts[account] = name, domain
            records[at] = (Record("client", account, created=True),)
            by_name.setdefault(name, account)
            if domain:
                by_domain.setdefault(domain, account)
        each["client_id"] = account
    clients.create_each(tx, accounts, relationship=relationship)
    said = {"source": "import", "confidence": 1.0, "message_id": None, "at": tx.now.isoformat()}
    order = list(wished)
    done = contacts.create_each(tx, vault, [wished[at] for at in order], said, spread=True) if order else []
    return {at: (made, (*records.get(at, ()), Record("contact", made.id, created=True)))
            for at, made in zip(order, done, strict=True)}  # fmt: skip


def _sorted(tx: Tx, vault: Vault, told: Mapping[int, Mapping[str, str]]) -> Sorted:
    spelled = {at: each for at, row in told.items() if (each := _spelled(row))}
    mails = [each["email"] for each in spelled.values() if "email" in each]
    people, refused = contacts.by_addresses(tx, mails), suppressions.of(tx, vault, mails)
    taken = contacts.named(tx, [each["external_id"] for each in spelled.values() if "external_id" in each])
    new: dict[int, dict[str, Any]] = {}
    known: dict[int, Contact] = {}
    seen: set[str | UUID] = set()
    for at, each in spelled.items():
        email, external_id = each.get("email"), each.get("external_id")
        person = people.get(email or "")
        # by whatever a row may mean somebody whom an earlier row means, too: which is the first is not lost here
        means = (email and f"a:{email}", external_id and f"x:{external_id}", person and person.id,
                 taken.get(external_id or ""))  # fmt: skip
        keys = {each for each in means if each}
        is_first = not keys & seen
        seen |= keys
        if not is_first or email is None or email in refused or told[at].get("client_external_id"):
            continue
        if person is None and external_id not in taken:
            new[at] = each
        elif person is not None and _says_nothing_new(person, each):
            known[at] = person
    return Sorted(new, known)


def _spelled(row: Mapping[str, str]) -> dict[str, Any]:
    """What a row says in its one spelling; nothing, where something is wrong with it."""
    try:
        return contacts.spelled({name: row.get(name) for name in ("email", *FIELDS)})
    except contacts.InvalidContact:
        return {}


def _says_nothing_new(person: Contact, each: Mapping[str, Any]) -> bool:
    return all(getattr(person, name) == value for name, value in each.items())
