"""A file that is taken in a slice at a time: how far each gets, and that it is the whole file in the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from domain import imports, uploads
from domain.csv_rows import InvalidFile
from domain.db import Database
from jobs import import_file
from jobs.import_file import Wish
from jobs.import_sources import InMemory, OnDisk, Uploaded
from tests import build
from tests.build import VAULT
from tests.hand_clock import HandClock

PEOPLE = Wish("contacts", "people.csv")


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


class _Slow:
    """A file whose every reading takes twenty seconds, wherever it begins."""

    def __init__(self, content: bytes, clock: HandClock) -> None:
        self.content, self.clock = content, clock
        self.begun: list[int] = []

    def chunks(self, behind: int = 0) -> Iterator[bytes]:
        """The bytes that stand behind so many others."""
        self.begun.append(behind)
        self.clock.advance(seconds=20)
        yield self.content[behind:]


def test_a_slice_gets_on_however_long_it_reads_to_where_it_stood(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme, actor="test") as tx:
        build.contact(tx)
    content = b"number,company,description\n" + b"".join(b"A-%d,Initech,x\n" % at for at in range(8))
    source = _Slow(content, clock)
    with clone.tenant(acme, actor="test") as tx:
        batch = import_file.begin(tx, source, replace(PEOPLE, kind="orders"), b"digest", len(content))
    source.begun.clear()

    def wait(_rows: int) -> None:
        clock.advance(seconds=15)

    for done in (4, 8):
        batch = import_file.go_on(clone, VAULT, acme, source, batch, by="root", chunk_rows=2, seconds=8.0,
                                  progress=wait)  # fmt: skip
        assert (batch.rows, batch.created) == (done, done)
    # no row is read twice, not to know the orders that stand in it either
    assert source.begun == [0, len(content[: content.index(b"A-4")])]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_slice_reads_nothing_of_what_was_taken_in_before(
    clone: Database, acme: UUID, clock: HandClock, encoding: str
) -> None:
    rows = [f"p{at}@initech.example,Ñandú {at}\r\n" for at in range(6)]
    content = ("email,name\r\n" + "".join(rows)).encode(encoding)
    source = _Slow(content, clock)
    with clone.tenant(acme, actor="test") as tx:
        batch = import_file.begin(tx, source, PEOPLE, b"digest", len(content))
    source.begun.clear()

    def wait(_rows: int) -> None:
        clock.advance(seconds=30)

    for done in (2, 4, 6):
        batch = import_file.go_on(clone, VAULT, acme, source, batch, by="root", chunk_rows=2, seconds=0.0,
                                  progress=wait)  # fmt: skip
        assert (batch.rows, batch.created) == (done, done)
    batch = import_file.go_on(clone, VAULT, acme, source, batch, by="root", seconds=0.0)
    size = [len(("email,name\r\n" + "".join(rows[:at])).encode(encoding)) for at in (2, 4, 6)]
    assert (batch.state, source.begun) == ("done", [0, *size])
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT count(*) FROM contacts WHERE name LIKE 'Ñandú _'") == 6


def test_a_file_that_is_changed_while_it_is_taken_in_has_failed_and_comes_in_anew(
    clone: Database, acme: UUID, tmp_path: Path
) -> None:
    path = tmp_path / "people.csv"
    # longer than what is read ahead of the first rows
    lines = [b"email,note\n", *(b"p%d@initech.example,%s\n" % (at, b"x" * 4000) for at in range(80))]
    path.write_bytes(b"".join(lines))

    def shorten(rows: int) -> None:
        path.write_bytes(b"".join(lines[:71]))

    with pytest.raises(InvalidFile, match="was changed"):
        import_file.run(clone, VAULT, acme, OnDisk(path), PEOPLE, by="root", chunk_rows=5, progress=shorten)
    again = import_file.run(clone, VAULT, acme, OnDisk(path), PEOPLE, by="root")
    assert (again.resumed_after_line, again.rows, again.unchanged) == (0, 70, 70)
    with clone.tenant(acme) as tx:
        assert [batch.state for batch in imports.listed(tx)] == ["done", "failed"]


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
    source = Uploaded(clone, acme, upload)
    for behind in (0, 3, 6, 7, 23, 24):
        assert b"".join(source.chunks(behind)) == b"email\na@initech.example\n"[behind:]
