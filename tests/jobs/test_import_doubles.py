"""Several rows of one file that mean the same record: the first of them counts, the others are told and kept."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from uuid import UUID

import pytest

from domain import contacts, imports
from domain.db import Database
from jobs import import_file
from jobs.import_file import Report, Wish
from jobs.import_sources import InMemory
from tests import build
from tests.build import VAULT

PEOPLE = Wish("contacts", "people.csv")

CONTACTS = """name,email,External ID,company
Bill,Bill@Initech.example,c-1,Initech
Milton,milton@initech.example,,Initech
Bob,bob@initech.example,,Initech
Bill the other,bill@initech.example,,
Slydell,bob slydell at home,,Initech
Nobody,,,Initech
Bill the third,b2@initech.example,c-1,Initech
Milton,milton@initech.example,,Initech
Nobody,,,Initech
Ana,ana@initech.example,,Initech
"""
"""The same by address, by the id of another system, by name alone; in one transaction of three rows and in others."""

FILES = {
    "contacts": (CONTACTS, {5: 2, 8: 2, 9: 3, 10: 7}),
    "clients": (
        "id,name,domain,value\nk1,Initech,,1\n,Hooli,hooli.example,1\nk3,Umbrella,,\nk1,Initech Ltd,,2\n"
        ",Hooli Inc,www.hooli.example,3\n",
        {5: 2, 6: 3},
    ),
    "products": ("id,sku,name,price\np1,A,Desk,1.00\n,B,Lamp,1.00\n,C,Chair,1.00\n,a,Desk,2.00\np1,D,Desk,3.00\n",
                 {5: 2, 6: 2}),
    "orders": (
        "number,company,description,quantity\nA-1,Initech,Appraisal,1\nA-2,Initech,x,1\nA-3,Initech,x,1\n"
        "A-1,Initech,Photos,2\n",
        {5: 2},
    ),
    "deals": ("id,deal,company,value\nd-1,One,Initech,1.00\nd-2,Two,Initech,1.00\nd-3,Three,Initech,1.00\n"
              "d-1,Uno,Initech,2.00\n", {5: 2}),
}  # fmt: skip
"""A file of each kind, and which of its lines mean what an earlier one means."""


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def _load(clone: Database, tenant: UUID, content: str, kind: str, *, dry_run: bool = False) -> Report:
    wish = replace(PEOPLE, kind=kind)
    if dry_run:
        return import_file.preview(clone, VAULT, tenant, InMemory(content.encode()), wish, by="root")
    return import_file.run(clone, VAULT, tenant, InMemory(content.encode()), wish, by="root", chunk_rows=3)


def _doubles(report: Report) -> dict[int, int]:
    """Which lines were left out for an earlier one, and for which."""
    told = {row["line"]: row["mend"] for row in report.put_aside if row["outcome"] == "skipped"}
    return {line: int(mend.partition(" as line ")[2].partition(":")[0]) for line, mend in told.items()}


@pytest.mark.parametrize("kind", list(FILES))
def test_the_first_row_that_means_a_record_counts_and_coming_again_tells_the_same(
    clone: Database, acme: UUID, kind: str
) -> None:
    if kind in ("orders", "deals"):
        with clone.tenant(acme, actor="test") as tx:
            build.client(tx)
    content, doubles = FILES[kind]
    preview = _load(clone, acme, content, kind, dry_run=True)
    first = _load(clone, acme, content, kind)
    assert (_doubles(first), first.changed, first.skipped) == (doubles, 0, len(doubles))
    again = _load(clone, acme, content, kind)
    assert (again.created, again.changed, again.unchanged) == (0, 0, first.created)
    assert [each.put_aside for each in (preview, again)] == [first.put_aside, first.put_aside]
    assert f"the same {kind[:-1]} as line 2" in first.put_aside[0]["mend"]
    with clone.tenant(acme) as tx:
        kept = [row["raw"] for row in imports.put_aside(tx, first.import_id or acme) if row["outcome"] == "skipped"]
        assert kept == [content.splitlines()[line - 1] for line in doubles]
        # what is needed while a file is under way goes with its end
        assert tx.value("SELECT count(*) FROM import_first_lines") == 0


def test_a_double_does_not_take_the_firsts_place_when_the_mended_rows_come_back(clone: Database, acme: UUID) -> None:
    first = _load(clone, acme, CONTACTS, "contacts")
    with clone.tenant(acme) as tx:
        left_out = list(import_file.errors_file(tx, imports.get(tx, first.import_id or acme)))
    assert [row[:2] for row in left_out[1:3]] == [
        ["Bill the other", "bill@initech.example"], ["Slydell", "bob slydell at home"]]  # fmt: skip
    out = io.StringIO()
    csv.writer(out).writerows(left_out)
    mended = out.getvalue().replace("bob slydell at home", "slydell@initech.example")
    report = _load(clone, acme, mended, "contacts")
    assert (report.created, report.changed, report.skipped) == (1, 0, 4)
    # what is left out once more comes back as it was, with this time's lines and reasons
    with clone.tenant(acme) as tx:
        again = list(import_file.errors_file(tx, imports.get(tx, report.import_id or acme)))
    assert [row[:4] + row[5:] for row in again] == [row[:4] + row[5:] for row in left_out if row[0] != "Slydell"]
    assert _load(clone, acme, CONTACTS, "contacts").changed == 0
    # a row whose reason somebody took out counts
    content = "name,email,Import reason\nWilliam,bill@initech.example,\n"
    assert _load(clone, acme, content, "contacts").changed == 1


def test_a_double_is_known_after_a_crash_too(clone: Database, acme: UUID) -> None:
    def give_up(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file.run(clone, VAULT, acme, InMemory(CONTACTS.encode()), PEOPLE, by="root", chunk_rows=3,
                        progress=give_up)  # fmt: skip
    report = _load(clone, acme, CONTACTS, "contacts")
    assert (report.resumed_after_line, _doubles(report)) == (4, {5: 2, 8: 2, 9: 3, 10: 7})


def test_rows_that_are_put_in_together_never_come_before_an_earlier_one_of_the_same_person(
    clone: Database, acme: UUID
) -> None:
    with clone.tenant(acme, actor="test") as tx:
        account = build.client(tx)
        bill = build.contact(tx, account, source="import", external_id="c-1")
        contacts.add_address(tx, VAULT, bill, "alias@initech.example", source="import")
    # by an alias, by an id alone, by a key of the account: none of these rows is plain, the ones below them are
    content = "name,email,id,title\n,alias@initech.example,,VP\n,bill@initech.example,,\nAna,ana@initech.example,,\n"
    report = import_file.run(clone, VAULT, acme, InMemory(content.encode()), PEOPLE, by="root")
    assert (report.changed, report.created, _doubles(report)) == (1, 1, {3: 2})
    content = "name,email,id,title\nBill,,c-1,CEO\n,bill@initech.example,,\n"
    report = import_file.run(clone, VAULT, acme, InMemory(content.encode()), PEOPLE, by="root")
    assert (report.changed, _doubles(report)) == (1, {3: 2})
