"""A file that is taken in a slice at a time: how far each gets, and that it is the whole file in the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from domain import imports, uploads
from domain.csv_rows import InvalidFile
from domain.db import Database
from jobs import import_file
from jobs.import_file import Wish
from jobs.import_sources import InMemory
from tests import build
from tests.build import VAULT
from tests.hand_clock import HandClock

PEOPLE = Wish("contacts", "people.csv")


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


class _Slow:
    """A file whose every reading takes twenty seconds."""

    def __init__(self, content: bytes, clock: HandClock) -> None:
        self.content, self.clock, self.readings = content, clock, 0

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning."""
        self.readings += 1
        self.clock.advance(seconds=20)
        yield self.content


def test_a_slice_gets_on_however_long_it_reads_to_where_it_stood(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme, actor="test") as tx:
        build.contact(tx)
    content = b"number,company,description\n" + b"".join(b"A-%d,Initech,x\n" % at for at in range(8))
    source = _Slow(content, clock)
    with clone.tenant(acme, actor="test") as tx:
        batch = import_file.begin(tx, source, replace(PEOPLE, kind="orders"), b"digest", len(content))
    source.readings = 0

    def wait(_rows: int) -> None:
        clock.advance(seconds=15)

    for done in (4, 8):
        batch = import_file.go_on(clone, VAULT, acme, source, batch, by="root", chunk_rows=2, seconds=8.0,
                                  progress=wait)  # fmt: skip
        assert (batch.rows, batch.created) == (done, done)
    # the orders of earlier rows are seen in the same reading
    assert source.readings == 2


def test_a_file_that_ends_too_early_is_not_done(clone: Database, acme: UUID) -> None:
    content = b"email\n" + b"".join(b"p%d@initech.example\n" % at for at in range(10))
    with clone.tenant(acme, actor="test") as tx:
        batch = import_file.begin(tx, InMemory(content), PEOPLE, b"digest", len(content))
    with pytest.raises(InvalidFile, match="ended after"):
        import_file.go_on(clone, VAULT, acme, InMemory(content[:60]), batch, by="root")
    with clone.tenant(acme) as tx:
        assert imports.get(tx, batch.id).state == "running"


def test_an_upload_is_looked_into_by_the_connection_that_holds_it(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        upload = uploads.begin(tx, "people.csv").id
        uploads.put(tx, upload, 1, b"email\n")
        uploads.put(tx, upload, 2, b"a@initech.example\n")
        # no other one sees it yet
        assert import_file.begin_uploaded(tx, upload, PEOPLE).size == 24
