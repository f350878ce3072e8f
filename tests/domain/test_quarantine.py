"""Quarantine and blobs: kept with the reason, tried five times, replayed by a person; bytes stored once."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain import blobs, quarantine, storable
from domain.db import Database
from domain.quarantine import TRIES
from tests import build


@pytest.fixture
def acme(clone: Database) -> UUID:
    """A tenant."""
    return build.acme(clone)


def test_after_five_failures_an_item_is_a_dead_letter_until_it_is_replayed(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        tries = [quarantine.note(tx, "message", "box/1", f"reason {n}\x00") for n in range(TRIES)]
        assert tries == [1, 2, 3, 4, 5]
        assert quarantine.waiting(tx, "message", "box/") == []
        [item] = quarantine.listed(tx)
        assert (item.is_dead, item.reason) == (True, "reason 4\ufffd")
        quarantine.put_back(tx, item.id, still_waits=True)
        assert [each.source for each in quarantine.waiting(tx, "message", "box/")] == ["box/1"]


def test_what_was_taken_in_is_no_longer_listed(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        quarantine.note(tx, "message", "box/1", "broken")
        assert quarantine.taken_in(tx, "message", ["box/1", "box/2"]) == 1
        assert quarantine.listed(tx) == []
        assert quarantine.sources(tx, "message", "box/") == frozenset()


def test_the_same_bytes_are_stored_once_per_tenant(clone: Database, acme: UUID) -> None:
    content = bytes(range(256)) * 10
    with clone.tenant(acme, actor="test") as tx:
        first, empty, again = blobs.put_all(tx, [content, b"", content])
        assert first == again == blobs.put(tx, content)
        assert (blobs.get(tx, first), blobs.get(tx, empty)) == (content, b"")
        assert tx.value("SELECT count(*) FROM blobs WHERE tenant_id = :t", t=acme) == 2
    with clone.tenant(build.globex(clone), actor="test") as tx:
        assert blobs.get(tx, first) is None


def test_foreign_text_is_made_storable_wherever_it_stands() -> None:
    told = {"a\x00": ["x\ud800", ("y", {"z": "\x00"})], "n": 1, "none": None}
    assert storable.value(told) == {"a\ufffd": ["x\ufffd", ["y", {"z": "\ufffd"}]], "n": 1, "none": None}
    assert storable.text("abc", 2) == "ab"
    assert storable.optional("") is None
