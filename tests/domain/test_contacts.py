"""Contacts: recognised by what is known of them, never doubled, and never written over by the less trusted."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain import contacts, suppressions
from domain.db import Database, Row, Tx
from tests import build
from tests.build import VAULT


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def test_the_same_contact_twice_is_one(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        client = build.client(tx)
        first = contacts.upsert(tx, VAULT, client_id=client, name="Bill", email="Bill@Initech.example")
        again = contacts.upsert(tx, VAULT, client_id=client, name="Bill", email=" bill@initech.EXAMPLE ")
        assert (again.id, again.created, again.changed) == (first.id, False, ())
        assert tx.value("SELECT count(*) FROM contacts") == 1
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE type LIKE 'contact.%'") == 1


def test_an_upsert_changes_only_what_is_given(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        client = build.client(tx)
        contacts.upsert(tx, VAULT, client_id=client, name="Bill", email="bill@initech.example", title="CEO")
        made = contacts.upsert(tx, VAULT, email="bill@initech.example", phone="(212) 555-0123", country="usa")
        assert made.changed == ("country", "phone")
        bill = contacts.get(tx, made.id)
        assert bill is not None
        assert (bill.name, bill.title, bill.phone, bill.country) == ("Bill", "CEO", "+12125550123", "US")


def test_mail_never_writes_over_what_a_person_typed(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        client = build.client(tx)
        bill = contacts.upsert(tx, VAULT, client_id=client, name="Bill Lumbergh", email="bill@initech.example")
        said = contacts.upsert(
            tx, VAULT, email="bill@initech.example", name="bill", title="VP", source="mail", confidence=0.7
        )
        assert said.changed == ("title",)
        found = contacts.get(tx, bill.id)
        assert found is not None
        assert (found.name, found.title) == ("Bill Lumbergh", "VP")
        assert found.provenance["title"]["source"] == "mail"
        assert found.provenance["title"]["confidence"] == 0.7


def test_a_name_that_was_guessed_from_the_address_gives_way(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        made = contacts.upsert(tx, VAULT, client_id=build.client(tx), email="bill@initech.example")
        contacts.upsert(tx, VAULT, email="bill@initech.example", name="Bill Lumbergh", source="mail")
        found = contacts.get(tx, made.id)
        assert found is not None
        assert found.name == "Bill Lumbergh"


def test_an_alias_names_the_person_and_moves_nobody(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx)
        assert contacts.add_address(tx, VAULT, bill, "b.lumbergh@initech.example", source="mail")
        again = contacts.upsert(tx, VAULT, email="b.lumbergh@initech.example", source="api")
        assert (again.id, again.changed) == (bill, ())
        assert contacts.addresses_of(tx, [bill])[bill] == ("b.lumbergh@initech.example", "bill@initech.example")
        assert set(contacts.by_addresses(tx, ["B.Lumbergh@initech.example", "nobody", "x@y.example"])) == {
            "b.lumbergh@initech.example"
        }


def test_a_new_address_by_external_id_keeps_the_old_one_known(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx, external_id="c-1")
        moved = contacts.upsert(tx, VAULT, external_id="c-1", email="bill@new.example")
        assert (moved.id, moved.changed) == (bill, ("email",))
        assert contacts.by_addresses(tx, ["bill@initech.example"])["bill@initech.example"].email == "bill@new.example"


def test_an_address_cannot_be_taken_from_another_contact(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        client = build.client(tx)
        build.contact(tx, client, external_id="c-1")
        build.contact(tx, client, "milton@initech.example", external_id="c-2")
        with pytest.raises(contacts.InvalidContact, match="email"):
            contacts.upsert(tx, VAULT, external_id="c-2", email="bill@initech.example")
        with pytest.raises(contacts.InvalidContact, match="external_id"):
            contacts.upsert(tx, VAULT, external_id="c-3", email="bill@initech.example")


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "no address"), ("country", "Narnia"), ("timezone", "Moon/Base"), ("language", "xx1"), ("phone", "12")],
)
def test_a_wrong_field_is_named(clone: Database, acme: UUID, field: str, value: str) -> None:
    with clone.tenant(acme) as tx, pytest.raises(contacts.InvalidContact, match=f"^{field}: "):
        contacts.upsert(tx, VAULT, **{"client_id": build.client(tx), "name": "Bill", field: value})  # type: ignore[arg-type]


def test_what_a_person_refused_holds_for_a_new_address_of_theirs(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx)
        suppressions.suppress(tx, VAULT, "bill@initech.example", reason="opted_out", source="mail")
        contacts.add_address(tx, VAULT, bill, "bill@home.example", source="mail")
        assert suppressions.of(tx, VAULT, ["bill@home.example"])["bill@home.example"].reason == "opted_out"


def test_a_new_contact_has_agreed_to_no_broadcast(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx)
        found = contacts.get(tx, bill)
        assert found is not None
        assert not found.broadcast_consent
        contacts.consent(tx, bill, given=True, how="signed form")
        found = contacts.get(tx, bill)
        assert found is not None
        assert found.broadcast_consent


def test_the_same_address_is_another_person_for_another_tenant(clone: Database, acme: UUID) -> None:
    globex = build.globex(clone)
    with clone.tenant(acme) as tx:
        ours = build.contact(tx)
    with clone.tenant(globex) as tx:
        assert contacts.by_addresses(tx, ["bill@initech.example"]) == {}
        theirs = build.contact(tx)
        assert theirs != ours
        assert contacts.get(tx, ours) is None


def test_a_new_contact_is_due_at_once_and_an_imported_one_within_the_period(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        client = build.client(tx)
        bill = build.contact(tx, client)
        assert _clock(tx, bill)["due_at"] == tx.now
        dues = [
            _clock(tx, build.contact(tx, client, f"p{at}@initech.example", spread=True, source="import"))["due_at"]
            for at in range(40)
        ]
        assert min(dues) >= tx.now
        assert max(dues) < tx.now + timedelta(days=21)
        assert len({(due - tx.now).days for due in dues}) > 10


def test_whoever_cannot_be_reached_is_exempt_until_they_can(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx, email=None, name="Bill", external_id="c-1")
        assert _clock(tx, bill)["exempt_reason"] == "no_address"
        contacts.upsert(tx, VAULT, external_id="c-1", email="bill@initech.example")
        assert _clock(tx, bill)["status"] == "active"


def test_a_new_contact_with_a_suppressed_address_is_exempt(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        suppressions.suppress(tx, VAULT, "bill@initech.example", reason="complained", source="webhook")
        bill = build.contact(tx)
        assert (_clock(tx, bill)["status"], _clock(tx, bill)["exempt_reason"]) == ("exempt", "complained")


def test_suppressing_an_address_exempts_whoever_is_written_to_there(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx)
        contacts.add_address(tx, VAULT, bill, "old@initech.example", source="mail")
        suppressions.suppress(tx, VAULT, "old@initech.example", reason="bounced", source="webhook")
        assert _clock(tx, bill)["status"] == "active"
        suppressions.suppress(tx, VAULT, "bill@initech.example", reason="bounced", source="webhook")
        assert _clock(tx, bill)["status"] == "exempt"


def test_a_new_address_helps_against_a_bounce_and_not_against_a_refusal(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx, external_id="c-1")
        milton = build.contact(tx, email="milton@initech.example", external_id="c-2")
        suppressions.suppress(tx, VAULT, "bill@initech.example", reason="bounced", source="webhook")
        suppressions.suppress(tx, VAULT, "milton@initech.example", reason="opted_out", source="mail")
        contacts.upsert(tx, VAULT, external_id="c-1", email="bill@new.example")
        contacts.upsert(tx, VAULT, external_id="c-2", email="milton@new.example")
        assert _clock(tx, bill)["status"] == "active"
        assert _clock(tx, milton)["status"] == "exempt"
        assert suppressions.of(tx, VAULT, ["milton@new.example"])


def test_a_contact_who_changes_accounts_takes_the_clock_along(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx)
        other = build.client(tx, "Chotchkie")
        contacts.upsert(tx, VAULT, client_id=other, email="bill@initech.example", source="mail")
        assert _clock(tx, bill)["client_id"] != other
        contacts.upsert(tx, VAULT, client_id=other, email="bill@initech.example", source="import")
        assert _clock(tx, bill)["client_id"] == other


def _clock(tx: Tx, contact_id: UUID) -> Row:
    row = tx.row("SELECT * FROM engagement_clocks WHERE contact_id = :id", id=contact_id)
    assert row is not None
    return row
