"""Contacts from a CSV file: every usual form is read, bad rows are told and kept, and coming again changes nothing."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import blobs, clients, contacts, contacts_csv, csv_rows, quarantine, suppressions
from domain.contacts_csv import BadRow, Report
from domain.db import Database
from tests import build
from tests.build import VAULT

FILE = b"""Name,E-Mail,Company,Phone,Job Title,Country,Time Zone,Lang,External ID
Bill Lumbergh,Bill@Initech.example,Initech,+1 212 555 0123,VP,US,America/New_York,en,c-1
"Milton, Waddams",milton@initech.example,Initech,,,Spain,,es,c-2
Ana,ana@gmail.com,,,,,,,
"""


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def _load(clone: Database, tenant: UUID, content: bytes, *, dry_run: bool = False) -> Report:
    return contacts_csv.load(clone, VAULT, tenant, content, filename="people.csv", by="root", dry_run=dry_run)


def test_a_file_becomes_contacts_with_their_accounts(clone: Database, acme: UUID) -> None:
    report = _load(clone, acme, FILE)
    assert (report.rows, report.created, report.accounts_created, report.bad) == (3, 3, 2, [])
    with clone.tenant(acme) as tx:
        found = contacts.by_addresses(tx, ["bill@initech.example", "milton@initech.example", "ana@gmail.com"])
        bill, milton, ana = found.values() if len(found) == 3 else pytest.fail("a contact is missing")
        found_bill = found["bill@initech.example"]
        assert (found_bill.phone, found_bill.title, found_bill.timezone) == ("+12125550123", "VP", "America/New_York")
        assert found["milton@initech.example"].name == "Milton, Waddams"
        assert found["milton@initech.example"].country == "ES"
        assert len({bill.client_id, milton.client_id, ana.client_id}) == 2
        assert {each.name for each in clients.listed(tx)} == {"Initech", "Ana"}


def test_coming_again_changes_nothing(clone: Database, acme: UUID) -> None:
    _load(clone, acme, FILE)
    again = _load(clone, acme, FILE)
    assert (again.created, again.changed, again.unchanged, again.accounts_created) == (0, 0, 3, 0)


def test_an_import_never_agrees_to_broadcasts_for_anybody(clone: Database, acme: UUID) -> None:
    _load(clone, acme, FILE.replace(b"External ID", b"Broadcast Consent").replace(b"c-1", b"yes"))
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT count(*) FROM contacts WHERE broadcast_consent") == 0


def test_an_import_spreads_first_due_dates(clone: Database, acme: UUID) -> None:
    lines = "\n".join(f"p{at}@initech.example" for at in range(60))
    _load(clone, acme, f"email\n{lines}\n".encode())
    with clone.tenant(acme) as tx:
        days = [row["due_at"] - tx.now for row in tx.rows("SELECT due_at FROM engagement_clocks")]
        assert timedelta(0) <= min(days)
        assert max(days) < timedelta(days=21)
        assert len({each.days for each in days}) > 12


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [b",", b";", b"\t"])
def test_every_form_of_the_same_table_reads_alike(newline: bytes, mark: bytes, delimiter: bytes) -> None:
    table = b'name,email,title\nBill,bill@initech.example,"a\nb"\n\nAna,ana@initech.example,\n'
    content = mark + table.replace(b",", delimiter).replace(b"\n", newline)
    assert [(row.line, row.cells) for row in csv_rows.rows(content)] == [
        (1, ("name", "email", "title")),
        (2, ("Bill", "bill@initech.example", "a\nb")),
        (5, ("Ana", "ana@initech.example", "")),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_names_survive_the_usual_encodings(encoding: str) -> None:
    assert list(csv_rows.rows("name\nJosé Núñez\n".encode(encoding)))[1].cells == ("José Núñez",)


def test_a_bad_row_is_told_by_line_field_and_mend_and_stops_no_other(clone: Database, acme: UUID) -> None:
    report = _load(
        clone, acme,
        b"name,email,country,phone\n"
        b"Bill,bill at initech,US,\n"
        b"Milton,milton@initech.example,Narnia,\n"
        b"Ana,ana@initech.example,US,12\n"
        b",,US,\n"
        b"Bob,bob@initech.example,US,+12125550123,too,many\n"
        b'"Peter,peter@initech.example,US,\n'
        b"Samir,samir@initech.example,US,\n",
    )  # fmt: skip
    assert [(each.line, each.field) for each in report.bad] == [
        (2, "email"), (3, "country"), (4, "phone"), (5, "name"), (6, "row"), (7, "row"),
    ]  # fmt: skip
    mend = "'Narnia' is not a country: give its two-letter code, such as US or ES"
    assert report.bad[1] == BadRow(3, "country", mend)
    assert (report.rows, report.created) == (7, 1)


def test_a_bad_row_is_kept_until_the_file_comes_again_mended(clone: Database, acme: UUID) -> None:
    _load(clone, acme, b"name,email\nBill,bill at initech\n")
    with clone.tenant(acme) as tx:
        (kept,) = quarantine.listed(tx)
        assert (kept.kind, kept.source, kept.field) == ("csv_row", "people.csv:2", "email")
        assert kept.reason.startswith("line 2, email: ")
        assert kept.blob_sha256 is not None
        assert blobs.get(tx, kept.blob_sha256) == b"Bill,bill at initech"
    _load(clone, acme, b"name,email\nBill,bill@initech.example\n")
    with clone.tenant(acme) as tx:
        assert quarantine.listed(tx) == []


def test_a_preview_says_what_the_import_then_does_and_leaves_nothing(clone: Database, acme: UUID) -> None:
    content = FILE + b"Bad,not an address,,,,,,,\n"
    preview = _load(clone, acme, content, dry_run=True)
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT (SELECT count(*) FROM contacts) + (SELECT count(*) FROM quarantine)") == 0
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE type LIKE 'contact%'") == 0
    assert _load(clone, acme, content) == preview
    assert preview.created == 3


def test_an_unknown_column_is_told_and_left_out(clone: Database, acme: UUID) -> None:
    assert _load(clone, acme, b"email,Shoe Size\nbill@initech.example,44\n").ignored_columns == ("Shoe Size",)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"shoe size\n44\n", "no column is called email or name"),
        (b"email,E-mail\na,b\n", "both mean email"),
        (b'"email\n', "never closed"),
        (b"\xff\xfea", "UTF-16"),
    ],
)
def test_a_file_that_is_no_table_is_refused_as_a_whole(clone: Database, acme: UUID, content: bytes, told: str) -> None:
    with pytest.raises(csv_rows.InvalidFile, match=told):
        _load(clone, acme, content)


def test_first_and_last_names_become_one(clone: Database, acme: UUID) -> None:
    _load(clone, acme, b"First Name,Surname,email\nBill,Lumbergh,bill@initech.example\n")
    with clone.tenant(acme) as tx:
        assert contacts.by_addresses(tx, ["bill@initech.example"])["bill@initech.example"].name == "Bill Lumbergh"


def test_an_imported_person_who_refused_stays_refused(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        suppressions.suppress(tx, VAULT, "bill@initech.example", reason="opted_out", source="mail")
    _load(clone, acme, FILE)
    with clone.tenant(acme) as tx:
        bill = contacts.by_addresses(tx, ["bill@initech.example"])["bill@initech.example"]
        assert tx.value("SELECT status FROM engagement_clocks WHERE contact_id = :id", id=bill.id) == "exempt"


def test_a_large_file_is_taken_in_by_transactions_of_some_rows(clone: Database, acme: UUID) -> None:
    seen: list[int] = []
    content = b"email\n" + b"".join(b"p%d@initech.example\n" % at for at in range(9))
    contacts_csv.load(clone, VAULT, acme, content, filename="f", by="root", progress=seen.append, chunk_rows=4)
    assert seen == [4, 8, 9]


@given(st.binary(max_size=400))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_any_bytes_are_rows_or_no_table(content: bytes) -> None:
    try:
        found = list(csv_rows.rows(b"email,name\n" + content))
    except csv_rows.InvalidFile:
        return
    assert found[0].cells[:1] in (("email",), ("email,name",))
    assert [row.line for row in found] == sorted({row.line for row in found})
