"""The two companies of the demonstration, read from data and founded through the same verbs as real ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from domain import (
    clients,
    clocks,
    contacts,
    credentials,
    deal_activity,
    deal_stages,
    deals,
    mailboxes,
    settings,
    tenants,
    users,
)
from domain.contacts import Contact
from domain.db import Tx
from domain.house import House
from domain.mailboxes import Grant
from simulator.demo.days import Days

FOLDER = Path(__file__).parent / "companies"
SLUGS = ("verdebox", "tallow-reed")
ACTOR = "demo"
BEFORE = timedelta(days=40)
"""So long before the story its companies were founded and their people brought in."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a client, by the name under which letters speak of them."""

    key: str
    name: str
    email: str | None
    country: str


@dataclass(frozen=True, slots=True)
class Company:
    """A company as its file tells it."""

    slug: str
    name: str
    mode: str
    sender_name: str
    address: str
    told: Mapping[str, Any] = field(repr=False)
    people: Mapping[str, Person] = field(repr=False)

    @property
    def resend_key(self) -> str:
        """Its key at the emulated provider."""
        return f"re_demo_{self.slug.replace('-', '_')}"


def told(slug: str) -> dict[str, Any]:
    """What a company's file says."""
    read_in: dict[str, Any] = json.loads((FOLDER / f"{slug}.json").read_text(encoding="utf-8"))
    return read_in


def read(slug: str, days: Days) -> Company:
    """One company; of its guest accounts only the one that has a holiday on a day of the story, if any."""
    file = told(slug)
    guest = _on_holiday(file.pop("guests", ()), days)
    file["clients"] += [guest] if guest else []
    people = {
        each["key"]: Person(each["key"], each["name"], each.get("email"), each.get("country") or client["country"])
        for client in file["clients"] for each in client["contacts"]
    }  # fmt: skip
    chosen = file["settings"]
    return Company(slug, file["name"], file["mode"], chosen["sender_name"], chosen["sender_address"], file, people)


def found(house: House, company: Company, *, refresh_token: str, webhook_secret: str) -> UUID:
    """Found it with its users, accounts, people, provider and mailbox; its tenant id."""
    made = tenants.found(
        house.database, slug=company.slug, name=company.name, settings=company.told["settings"], by=ACTOR
    )
    with house.database.tenant(made.tenant_id, actor=ACTOR) as tx:
        managers = {each["key"]: _user(tx, each) for each in company.told["users"]}
        credentials.put(tx, house.vault, "resend_api_key", company.resend_key)
        credentials.put(tx, house.vault, "resend_webhook_secret", webhook_secret)
        grant = Grant(refresh_token, "demo.apps.example", "not-a-secret")
        mailboxes.configure_gmail(tx, house.vault, company.address, grant)
        for client in company.told["clients"]:
            _client(house, tx, client, managers)
        if company.mode != "dry_run":
            settings.change(tx, {"send_mode": company.mode}, reason="the owner has read what the dry run held")
    return made.tenant_id


def remember(house: House, tenant_id: UUID, company: Company, days: Days) -> None:
    """What was before: when each person was last spoken to, told by when their promise falls due."""
    with house.database.tenant(tenant_id, actor=ACTOR) as tx:
        promise = timedelta(days=settings.of(tx).engagement_days)
        found = contacts.by_addresses(tx, [person.email for person in company.people.values() if person.email])
        for client in company.told["clients"]:
            for each in client["contacts"]:
                if not each.get("email"):
                    continue
                at = days.when(each["due"]) - promise
                kind = each.get("last", "call")
                clocks.touch(tx, found[each["email"]].id, kind, by=company.sender_name, at=at)
        for told in company.told.get("deals", ()):
            _deal(tx, told, found[str(company.people[told["contact"]].email)], days)


def _user(tx: Tx, told: Mapping[str, str]) -> UUID:
    made = users.add(tx, email=told["email"], name=told["name"], role=told["role"])  # type: ignore[arg-type]
    return users.verify(tx, made.id).id if told.get("verified", True) else made.id


def _client(house: House, tx: Tx, told: Mapping[str, Any], managers: Mapping[str, UUID]) -> None:
    account = clients.upsert(
        tx, name=told["name"], domain=told.get("domain"), country=told["country"], timezone=told.get("timezone"),
        language=told.get("language"), annual_value=told.get("value", 0), currency=told.get("currency", "EUR"),
        relationship=told.get("relationship", "client"), status=told.get("status", "active"),
        manager_id=managers.get(told.get("manager", "")),
    )  # fmt: skip
    for each in told["contacts"]:
        made = contacts.upsert(
            tx, house.vault, client_id=account.id, name=each["name"], email=each.get("email"), title=each.get("title"),
            phone=each.get("phone"), language=each.get("language"), timezone=each.get("timezone"),
            country=each.get("country"), source="import",
        )  # fmt: skip
        for alias in each.get("aliases", ()):
            contacts.add_address(tx, house.vault, made.id, alias, source="person")


def _deal(tx: Tx, told: Mapping[str, str], person: Contact, days: Days) -> None:
    """A deal, with the talk after which its next follow-up falls due when the story says."""
    closed = told["stage"] in deal_stages.CLOSED
    deal = deals.put(
        tx, external_id=told["id"], title=told["title"], value=told["value"], client_id=person.client_id,
        contact_id=person.id, stage=None if closed else told["stage"], opened_at=tx.now - BEFORE, source="import",
    )  # fmt: skip
    stage = deal_stages.of(tx)[0] if closed else deal_stages.get(tx, told["stage"])
    deal_activity.log(tx, deal.id, "call", told["said"], at=days.when(told["due"]) - stage.follow_up)
    if closed:
        deals.put(tx, external_id=told["id"], stage=told["stage"], source="import")


def _on_holiday(guests: Sequence[dict[str, Any]], days: Days) -> dict[str, Any] | None:
    """The first guest whose country rests on a business day of the story; their promise falls due that very day."""
    from policy import windows

    for name, day in (("d2", days.second), ("d3", days.third), ("d1", days.first)):
        for guest in guests:
            if windows.is_business_day(guest["country"], day) and windows.holiday(guest["country"], day):
                return {**guest, "contacts": [{**each, "due": f"{name} {each['due']}"} for each in guest["contacts"]]}
    return None
