"""Suppressions: who must never get mail, however their address is spelled."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain import contacts, suppressions
from domain.db import Database
from tests import build
from tests.build import VAULT


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def test_a_suppressed_address_is_found_in_any_spelling(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        assert suppressions.suppress(tx, VAULT, "Bill@Initech.Example", reason="bounced", source="webhook")
        found = suppressions.of(tx, VAULT, ["BILL@initech.example", "milton@initech.example"])
        assert {address: each.reason for address, each in found.items()} == {"BILL@initech.example": "bounced"}


def test_the_first_reason_stays_and_a_repetition_is_no_news(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        assert suppressions.suppress(tx, VAULT, "bill@initech.example", reason="bounced", source="webhook")
        assert not suppressions.suppress(tx, VAULT, "bill@initech.example", reason="manual", source="api")
        assert [each.reason for each in suppressions.listed(tx)] == ["bounced"]
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE type = 'suppression.created'") == 1


def test_an_opt_out_holds_for_every_address_of_the_person_and_a_bounce_for_one(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx)
        contacts.add_address(tx, VAULT, bill, "b@initech.example", source="mail")
        milton = build.contact(tx, email="milton@initech.example")
        contacts.add_address(tx, VAULT, milton, "m@initech.example", source="mail")
        suppressions.suppress(tx, VAULT, "b@initech.example", reason="opted_out", source="mail")
        suppressions.suppress(tx, VAULT, "m@initech.example", reason="bounced", source="webhook")
        asked = ["bill@initech.example", "b@initech.example", "milton@initech.example", "m@initech.example"]
        assert set(suppressions.of(tx, VAULT, asked)) == {asked[0], asked[1], asked[3]}


def test_an_odd_address_can_be_suppressed_too(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        assert suppressions.suppress(tx, VAULT, '"Odd One"@initech.example', reason="opted_out", source="mail")
        assert suppressions.of(tx, VAULT, ['"odd one"@INITECH.example'])


def test_a_forgotten_address_goes_on_being_refused(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        suppressions.suppress(tx, VAULT, "bill@initech.example", reason="opted_out", source="mail")
        assert suppressions.forget(tx, VAULT, "bill@initech.example")
        assert tx.value("SELECT count(*) FROM suppressions WHERE address IS NOT NULL") == 0
        assert suppressions.of(tx, VAULT, ["bill@initech.example"])


def test_the_hash_says_nothing_across_tenants(clone: Database, acme: UUID) -> None:
    globex = build.globex(clone)
    with clone.tenant(acme) as tx:
        suppressions.suppress(tx, VAULT, "bill@initech.example", reason="opted_out", source="mail")
        ours = suppressions.digest(tx, VAULT, "bill@initech.example")
    with clone.tenant(globex) as tx:
        assert suppressions.digest(tx, VAULT, "bill@initech.example") != ours
        assert suppressions.of(tx, VAULT, ["bill@initech.example"]) == {}


def test_the_event_holds_no_address(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        suppressions.suppress(tx, VAULT, "bill@initech.example", reason="manual", source="api")
        told = tx.value("SELECT string_agg(row_to_json(e)::text, '') FROM warehouse_events e")
        logged = tx.value("SELECT string_agg(row_to_json(a)::text, '') FROM audit_log a WHERE action LIKE 'supp%'")
        assert "initech" not in told + logged
