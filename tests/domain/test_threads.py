"""Conversations: known by any Message-ID in them, however long, and never taken over by another."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain import threads
from domain.db import Database
from domain.threads import News
from tests import build


@pytest.fixture
def acme(clone: Database) -> UUID:
    """A tenant."""
    return build.acme(clone)


def test_answers_find_the_conversation_by_its_keys(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        thread = build.thread(tx)
        long_id = f"<{'x' * 5000}@acme.example>"
        threads.add_keys(tx, [("<1@acme.example>", thread), (threads.key(long_id), thread)])
        found = threads.by_keys(tx, ["<1@acme.example>", threads.key(long_id), "<2@acme.example>"])
        assert {each.id for each in found.values()} == {thread}
        assert len(found) == 2


def test_a_key_that_names_a_conversation_stays_with_it(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        first, second = build.thread(tx), build.thread(tx)
        threads.add_keys(tx, [("<1@x.example>", first), ("<1@x.example>", second)])
        threads.add_keys(tx, [("<1@x.example>", second)])
        assert threads.by_keys(tx, ["<1@x.example>"])["<1@x.example>"].id == first


def test_a_batch_brings_what_is_newest_and_keeps_whose_it_is(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        bill = build.contact(tx)
        client = tx.value("SELECT client_id FROM contacts WHERE tenant_id = :t", t=acme)
        known = build.thread(tx, client_id=client, contact_id=bill)
        fresh = tx.clock.uuid()
        threads.take_in(tx, [News(known, inbound_at=tx.now), News(fresh, subject="New", is_new=True)])
        threads.take_in(tx, [News(known, person_wrote_at=tx.now), News(fresh, client_id=client)])
        one, other = threads.get(tx, known), threads.get(tx, fresh)
        assert one is not None
        assert other is not None
        assert (one.contact_id, one.last_inbound_at, one.person_wrote_at) == (bill, tx.now, tx.now)
        assert (other.subject, other.client_id, other.last_inbound_at) == ("New", client, None)


def test_the_same_message_id_names_each_tenants_own_conversation(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        threads.add_keys(tx, [("<1@x.example>", build.thread(tx))])
    with clone.tenant(build.globex(clone), actor="test") as tx:
        assert threads.by_keys(tx, ["<1@x.example>"]) == {}
