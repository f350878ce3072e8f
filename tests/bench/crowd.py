"""Tenants with contacts whose touch is due, laid down at once: what a cycle and the executor are measured on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from domain import cards, clocks
from domain.db import Database
from tests import build, gears

MONDAY = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""An hour at which mail may go out."""


def with_contacts_due(database: Database, slug: str, contacts: int, mode: str) -> UUID:
    """A tenant with as many contacts, each of an account of its own and due for its first touch; its id."""
    tenant_id = build.tenant(database, slug, {**build.ACME, "send_mode": mode, "max_emails_per_hour": 1_000_000,
                                              "sends_per_second": 1_000})  # fmt: skip
    with database.tenant(tenant_id) as tx:
        told = [
            {"t": tenant_id, "client": tx.clock.uuid(), "contact": tx.clock.uuid(), "domain": f"c{at}.example",
             "email": f"person@c{at}.example", "now": tx.now}
            for at in range(contacts)
        ]  # fmt: skip
        tx.run_many(
            """INSERT INTO clients (tenant_id, id, name, domain, country, timezone, created_at, updated_at)
               VALUES (:t, :client, :domain, :domain, 'US', 'UTC', :now, :now)""",
            told,
        )
        tx.run_many(
            """INSERT INTO contacts (tenant_id, id, client_id, email, name, created_at, updated_at)
               VALUES (:t, :contact, :client, :email, 'Pat Doe', :now, :now)""",
            told,
        )
        tx.run_many(
            """INSERT INTO contact_addresses (tenant_id, address, contact_id, source, created_at)
               VALUES (:t, :email, :contact, 'import', :now)""",
            told,
        )
        clocks.start(tx, [row["id"] for row in tx.rows("SELECT id FROM contacts WHERE tenant_id = :t", t=tenant_id)])
    return tenant_id


def with_mail_queued(database: Database, slug: str, mails: int) -> UUID:
    """A live tenant with as many first touches queued; its id."""
    tenant_id = with_contacts_due(database, slug, mails, "live")
    with database.tenant(tenant_id) as tx:
        people = tx.rows("SELECT id, client_id FROM contacts WHERE tenant_id = :t ORDER BY id", t=tenant_id)
        made = cards.propose(tx, [
            build.proposal(tx, row["id"], kind="send_email", latest_at=tx.now + timedelta(days=1),
                           payload={"subject": "Hello", "text": TEXT, "step": 1})
            for row in people
        ])  # fmt: skip
        cards.move(tx, [card.id for card in made], "queued")
    return tenant_id


TEXT = (
    "Dear Pat,\n\nit has been a while since we spoke. Is there anything that we can do for you?\n\nBest regards\nAna\n"
)


def analyse(cloned: gears.Clone) -> None:
    """Count what is stored for the planner, as autovacuum would; test clusters have none."""
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute("ANALYZE")
