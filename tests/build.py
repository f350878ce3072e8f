"""Builders: plain functions that call domain verbs, so that a test says only what it is about."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain import (
    cards,
    clients,
    compliance_checks,
    compliance_generation,
    compliance_schedules,
    contacts,
    deals,
    settings,
    tenants,
    threads,
    users,
)
from domain.db import Database, Tx
from domain.vault import Vault

VAULT = Vault({"k1": bytes(range(32))})

ACME: dict[str, Any] = {
    "sender_name": "Ana Diaz",
    "sender_address": "ana@acme.example",
    "postal_address": "Acme Ltd, 1 High Street, Springfield",
    "registered_domains": ["acme.example"],
}
GLOBEX: dict[str, Any] = {
    "sender_name": "Gus Bell",
    "sender_address": "gus@globex.example",
    "postal_address": "Globex GmbH, 2 Main Street, Capital City",
    "registered_domains": ["globex.example"],
}


def acme(database: Database, **changes: Any) -> UUID:
    """The first tenant, `live` unless told otherwise; its id."""
    return tenant(database, "acme", {"send_mode": "live", **ACME, **changes})


def globex(database: Database, **changes: Any) -> UUID:
    """The second tenant, `live` unless told otherwise; its id."""
    return tenant(database, "globex", {"send_mode": "live", **GLOBEX, **changes})


def tenant(database: Database, slug: str, wished: dict[str, Any]) -> UUID:
    """Any tenant, with its settings; its id."""
    mode = wished.pop("send_mode", "dry_run")
    made = tenants.found(database, slug=slug, name=slug.capitalize(), settings=wished, by="test")
    if mode != "dry_run":
        with database.tenant(made.tenant_id, actor="test") as tx:
            settings.change(tx, {"send_mode": mode}, reason="the test is about sending")
    return made.tenant_id


def client(tx: Tx, name: str = "Initech", **fields: Any) -> UUID:
    """An account in New York with a domain of its own; its id."""
    given = {"domain": f"{name.lower().replace(' ', '-')}.example", "country": "US", "timezone": "America/New_York"}
    return clients.upsert(tx, name=name, **{**given, **fields}).id


def contact(tx: Tx, client_id: UUID | None = None, email: str | None = "bill@initech.example", **fields: Any) -> UUID:
    """A person of an account (Initech unless told otherwise), whose first touch is due at once; their id."""
    given: dict[str, Any] = {"name": email.partition("@")[0].capitalize() if email else "Nobody"}
    account = client_id or client(tx)
    return contacts.upsert(tx, VAULT, client_id=account, email=email, **{**given, **fields}).id


def deal(tx: Tx, contact_id: UUID | None = None, title: str = "New shelves", **fields: Any) -> UUID:
    """An open deal in the first stage with the account of a contact (Bill of Initech unless told otherwise); its id."""
    person = contacts.get(tx, contact_id or contact(tx))
    assert person is not None
    given: dict[str, Any] = {"client_id": person.client_id, "contact_id": person.id, "value": "1200.00"}
    return deals.put(tx, title=title, **{**given, **fields}).id


def check(
    tx: Tx, client_id: UUID, *, due_days: float = 10, required: tuple[str, ...] = ("credit_limit",)
) -> compliance_checks.Check:  # fmt: skip
    """A monthly check of an account's record, which lacks something, due so many days from now."""
    made = compliance_schedules.create(
        tx, name=f"Records {tx.clock.uuid().hex}", frequency="monthly", applies_to="client",
        anchor_on=(tx.now + timedelta(days=7)).date(), required_fields=required,
    )  # fmt: skip
    compliance_generation.generate(tx, made.id)
    [found] = compliance_checks.listed(tx, schedule_id=made.id, client_id=client_id)
    tx.run("UPDATE compliance_checks SET due_at = :due WHERE tenant_id = :t AND id = :id",
           due=tx.now + timedelta(days=due_days), t=tx.tenant_id, id=found.id)  # fmt: skip
    return compliance_checks.get(tx, found.id)


def thread(tx: Tx, **fields: Any) -> UUID:
    """A conversation that a mail of ours began; its id."""
    return threads.open_each(tx, [threads.Opening("Hello", **fields)])[0]


def user(tx: Tx, email: str = "boss@acme.example", *, role: users.Role = "manager", verified: bool = True) -> UUID:
    """A person of the tenant, verified unless told otherwise; their id."""
    made = users.add(tx, email=email, name=email.partition("@")[0].capitalize(), role=role)
    return users.verify(tx, made.id).id if verified else made.id


def proposal(tx: Tx, contact_id: UUID | None = None, *, kind: str = "follow_up", **fields: Any) -> cards.Proposal:
    """An intention of the engagement engine, due now and void in a day."""
    person = contacts.get(tx, contact_id) if contact_id else None
    given: dict[str, Any] = {
        "engine": "engagement", "title": "Touch", "subject_type": "contact", "subject_id": str(contact_id or "none"),
        "dedupe_key": f"engagement:{contact_id}:{kind}:{tx.now.isoformat()}", "due_at": tx.now,
        "latest_at": tx.now + timedelta(days=1), "client_id": person.client_id if person else None,
        "contact_id": contact_id,
        "payload": {"subject": "Hello", "text": "How are you?"} if person else {},
    }  # fmt: skip
    return cards.Proposal(type=kind, **{**given, **fields})


def card(tx: Tx, contact_id: UUID | None = None, *, state: str = "proposed", **fields: Any) -> cards.Card:
    """A card of the engagement engine, brought to `proposed` or `queued`."""
    made = cards.propose(tx, [proposal(tx, contact_id, **fields)])[0]
    return made if state == "proposed" else cards.move_one(tx, made.id, state)
