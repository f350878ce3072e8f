"""Files that are taken in: nothing twice, nothing lost, every row accounted for, and all of it can be taken back."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain import clients, clocks, contacts, deal_activity, imports, suppressions
from domain.csv_rows import InvalidFile
from domain.db import Database
from domain.imports import ImportElsewhere
from jobs import import_file, undo_import
from jobs.import_file import Report, Wish
from jobs.import_sources import InMemory
from tests import build
from tests.build import VAULT
from tests.hand_clock import HandClock

FILE = b"""Name,E-Mail,Company,Phone,Job Title,Country,Time Zone,Lang,External ID
Bill Lumbergh,Bill@Initech.example,Initech,+1 212 555 0123,VP,US,America/New_York,en,c-1
"Milton, Waddams",milton@initech.example,Initech,,,Spain,,es,c-2
Ana,ana@gmail.com,,,,,,,
"""
PEOPLE = Wish("contacts", "people.csv")


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def _load(clone: Database, tenant: UUID, content: bytes, *, dry_run: bool = False, kind: str = "contacts") -> Report:
    wish = replace(PEOPLE, kind=kind)
    if dry_run:
        return import_file.preview(clone, VAULT, tenant, InMemory(content), wish, by="root")
    return import_file.run(clone, VAULT, tenant, InMemory(content), wish, by="root", chunk_rows=3)


def _counts(report: Report) -> tuple[int, ...]:
    return report.created, report.changed, report.unchanged, report.skipped, report.bad


def _id(report: Report) -> UUID:
    assert report.import_id is not None
    return report.import_id


def test_a_file_becomes_contacts_with_their_accounts(clone: Database, acme: UUID) -> None:
    report = _load(clone, acme, FILE)
    assert (report.rows, report.created, report.accounts_created, report.put_aside) == (3, 3, 2, [])
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
    assert (_counts(again), again.accounts_created) == ((0, 0, 3, 0, 0), 0)


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
    assert [(each["line"], each["field"]) for each in report.put_aside] == [
        (2, "email"), (3, "country"), (4, "phone"), (5, "name"), (6, "row"), (7, "row"),
    ]  # fmt: skip
    assert report.put_aside[1]["mend"] == "'Narnia' is not a country: give its two-letter code, such as US or ES"
    assert (report.rows, report.created, report.bad) == (7, 1, 6)


def test_bad_rows_come_back_as_a_file_that_is_imported_once_mended(clone: Database, acme: UUID) -> None:
    report = _load(clone, acme, b'Name;Mail\n"Bill; VP";bill at initech\nAna;ana@initech.example\n')
    with clone.tenant(acme) as tx:
        rows = list(import_file.errors_file(tx, imports.get(tx, _id(report))))
    assert rows[0] == ["Name", "Mail", "Import line", "Import reason"]
    assert rows[1][:3] == ["Bill; VP", "bill at initech", "2"]
    out = io.StringIO()
    csv.writer(out).writerows([rows[0], ["Bill; VP", "bill@initech.example", *rows[1][2:]]])
    mended = _load(clone, acme, out.getvalue().encode())
    assert _counts(mended) == (1, 0, 0, 0, 0)
    assert mended.ignored_columns == ("Import line", "Import reason")


def test_nothing_in_the_file_of_bad_rows_is_a_formula_to_a_spreadsheet(clone: Database, acme: UUID) -> None:
    report = _load(clone, acme, b'email,=1+1\n"=HYPERLINK(""x""),=2,\n-2+3,=2\n')
    with clone.tenant(acme) as tx:
        rows = list(import_file.errors_file(tx, imports.get(tx, _id(report))))
    assert len(rows) == 3
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_a_preview_says_what_the_import_then_does_and_leaves_nothing(clone: Database, acme: UUID) -> None:
    content = FILE + b"Bad,not an address,,,,,,,\n"
    preview = _load(clone, acme, content, dry_run=True)
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT (SELECT count(*) FROM contacts) + (SELECT count(*) FROM imports)") == 0
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE type LIKE 'contact%'") == 0
    assert replace(_load(clone, acme, content), import_id=None) == preview
    assert preview.created == 3


def test_a_file_that_is_no_table_of_its_kind_is_refused_and_leaves_nothing(clone: Database, acme: UUID) -> None:
    with pytest.raises(InvalidFile, match="no column is called"):
        _load(clone, acme, b"shoe size\n44\n")
    with clone.tenant(acme) as tx:
        assert imports.listed(tx) == []


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


def test_a_person_who_was_erased_is_not_taken_in_again(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        suppressions.suppress(tx, VAULT, "bill@initech.example", reason="erased", source="person")
    report = _load(clone, acme, FILE)
    assert _counts(report) == (2, 0, 0, 1, 0)
    assert "erased" in report.put_aside[0]["mend"]
    # nor written down in a row that is left out, for whatever reason
    _load(
        clone, acme, b"name,email,country\nBill,bill@initech.example,Narnia\nBill Lumbergh <bill@initech.example>,x,\n"
    )
    _load(clone, acme, b"id,deal,email\nd-1,Bill's,bill@initech.example\n", kind="deals")
    with clone.tenant(acme) as tx:
        kept = tx.rows("SELECT raw, mend FROM import_rows WHERE outcome IN ('bad', 'skipped')")
        assert len(kept) == 4
        assert not [row for row in kept if "bill" in str(row).lower()]


def test_what_a_person_typed_is_never_overwritten_and_the_row_says_so(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        bill = build.contact(tx, title="Boss")
    report = _load(clone, acme, b"email,title\nbill@initech.example,VP\n")
    assert _counts(report) == (0, 0, 0, 1, 0)
    with clone.tenant(acme) as tx:
        found = contacts.get(tx, bill)
        assert found is not None
        assert found.title == "Boss"


def test_clients_are_recognised_by_key_domain_or_name(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        build.client(tx, "Initech")
    content = ("Kundennummer;Firma;Webseite;Jahresumsatz;Währung\n"
               "k1;Initech;https://www.initech.example/about;1.250.000,50;eur\nk2;Hooli;;;\n").encode()  # fmt: skip
    assert _counts(_load(clone, acme, content, kind="clients")) == (1, 1, 0, 0, 0)
    assert _counts(_load(clone, acme, content, kind="clients")) == (0, 0, 2, 0, 0)
    with clone.tenant(acme) as tx:
        assert str(clients.by_external_id(tx, "k1").annual_value) == "1250000.50"
        assert len(clients.listed(tx)) == 2


def test_an_import_that_was_cut_short_goes_on_behind_its_last_row(clone: Database, acme: UUID) -> None:
    content = b"email\n" + b"".join(b"p%d@initech.example\n" % at for at in range(10))

    def give_up(rows: int) -> None:
        if rows >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file.run(clone, VAULT, acme, InMemory(content), PEOPLE, by="root", chunk_rows=3, progress=give_up)
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT count(*) FROM contacts") == 6
    report = _load(clone, acme, content)
    assert (report.resumed_after_line, report.rows, report.created) == (7, 10, 10)
    with clone.tenant(acme) as tx:
        assert [batch.state for batch in imports.listed(tx)] == ["done"]


def test_two_processes_never_take_in_the_same_rows(clone: Database, acme: UUID) -> None:
    content = b"email\n" + b"".join(b"p%d@initech.example\n" % at for at in range(6))

    def meddle(rows: int) -> None:
        if rows == 3:
            import_file.run(clone, VAULT, acme, InMemory(content), PEOPLE, by="other", chunk_rows=3)

    with pytest.raises(ImportElsewhere):
        import_file.run(clone, VAULT, acme, InMemory(content), PEOPLE, by="root", chunk_rows=3, progress=meddle)
    with clone.tenant(acme) as tx:
        (batch,) = imports.listed(tx)
        assert (batch.state, batch.rows, batch.created) == ("done", 6, 6)


def test_an_undo_leaves_nothing_of_an_import(clone: Database, acme: UUID) -> None:
    report = _load(clone, acme, FILE)
    trial = undo_import.preview(clone, acme, _id(report), by="root")
    batch = undo_import.run(clone, acme, _id(report), by="root", chunk=2)
    assert (batch.state, batch.undone, batch.left_alone) == ("undone", 5, 0)
    assert (trial.batch.undone, trial.looked_at, trial.left) == (5, 5, [])
    with clone.tenant(acme) as tx:
        for table in ("contacts", "clients", "contact_addresses", "engagement_clocks"):
            assert tx.value(f"SELECT count(*) FROM {table}") == 0, table
    with pytest.raises(ImportElsewhere, match="nothing to undo"):
        undo_import.run(clone, acme, _id(report), by="root")


def test_an_undo_sets_back_what_it_changed_and_leaves_what_people_did_since(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        account = build.client(tx)
        bill = build.contact(tx, account, source="import", title="VP", phone="+12125550100")
        build.contact(tx, account, "milton@initech.example", source="import")
    report = _load(
        clone, acme,
        b"email,title,phone,name\nbill@initech.example,Director,+12125550123,Bill\nnew@initech.example,,,New\n"
        b"ana@initech.example,,,Ana\npeter@initech.example,,,Peter\n",
    )  # fmt: skip
    clock.move_to(clock.now() + timedelta(hours=1))
    with clone.tenant(acme, actor="person") as tx:
        contacts.upsert(tx, VAULT, contact_id=bill, phone="+12125550199", source="person")
        known = contacts.by_addresses(tx, ["new@initech.example", "ana@initech.example"])
        clocks.touch(tx, known["new@initech.example"].id, "call", by="person")
        contacts.consent(tx, known["ana@initech.example"].id, given=True, how="on paper")
    trial = undo_import.preview(clone, acme, _id(report), by="root")
    batch = undo_import.run(clone, acme, _id(report), by="root")
    assert (batch.undone, batch.left_alone) == (trial.batch.undone, trial.batch.left_alone) == (1, 3)
    with clone.tenant(acme) as tx:
        found = contacts.get(tx, bill)
        assert found is not None
        assert (found.title, found.phone, found.name) == ("VP", "+12125550199", "Bill")
        assert set(contacts.by_addresses(tx, ["new@initech.example", "ana@initech.example", "peter@initech.example"])
                   ) == {"new@initech.example", "ana@initech.example"}  # fmt: skip
        left = imports.left_alone(tx, _id(report))
    # a trial says beforehand which they are, and why
    assert left == trial.left
    assert [row["called"] for row in left] == ["bill@initech.example", "new@initech.example", "ana@initech.example"]
    reasons = {row["line"]: row["undo_reason"] for row in left}
    assert reasons == {2: "it was changed since: phone", 3: "touches are about it", 4: "it was changed since"}


def test_the_other_tenant_sees_no_import(clone: Database, acme: UUID) -> None:
    report = _load(clone, acme, FILE)
    with clone.tenant(build.globex(clone)) as tx, pytest.raises(imports.UnknownImport):
        imports.get(tx, _id(report))


def test_products_orders_and_deals_come_in_by_the_same_way_and_go_again(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        build.contact(tx)
    files = {
        "products": "SKU;Nombre;Precio\nAPP-1;Tasación;1.250,50\n;Nada;1\n",
        "orders": "Pedido;Cliente;Producto;Total;Fecha;Menge\nA-1;Initech;APP-1;1250,50;2026-02-27;1\n"
        "A-2;Nobody;APP-1;1;2026-02-27;1\nA-3;Initech;;abc;2026-02-27;1\n",
        "deals": "id,deal,email,value,stage\nd-1,Renewal,bill@initech.example,1200.00,\nd-2,X,x@initech.example,1,\n"
        "d-3,Boxes,bill@initech.example,13000,Closed Won\n",
    }
    done = {}
    for kind, content in files.items():
        done[kind] = _load(clone, acme, content.encode(), kind=kind)
        again = _load(clone, acme, content.encode(), kind=kind)
        assert (again.created, again.changed, again.unchanged) == (0, 0, done[kind].created), kind
    assert {kind: _counts(report) for kind, report in done.items()} == {
        "products": (1, 0, 0, 0, 1), "orders": (1, 0, 0, 0, 2), "deals": (2, 0, 0, 0, 1),
    }  # fmt: skip
    assert [row["field"] for row in done["orders"].put_aside] == ["company", "total_amount"]
    left = undo_import.run(clone, acme, _id(done["products"]), by="root")
    assert (left.undone, left.left_alone) == (0, 1)
    for kind, made in (("orders", 1), ("deals", 2)):
        batch = undo_import.run(clone, acme, _id(done[kind]), by="root")
        assert (batch.undone, batch.left_alone) == (made, 0), kind


def test_a_second_row_of_an_order_never_takes_the_place_of_the_first_ones_line(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        build.contact(tx)
    rows = ["A-1,Initech,Appraisal,1", "A-2,Initech,x,1", "A-3,Initech,x,1", "A-1,Initech,Photos,2"]
    content = ("number,company,description,quantity\n" + "\n".join(rows) + "\n").encode()

    def give_up(rows: int) -> None:
        raise KeyboardInterrupt

    # the second stands in a later transaction, and in another process
    with pytest.raises(KeyboardInterrupt):
        import_file.run(clone, VAULT, acme, InMemory(content), replace(PEOPLE, kind="orders"), by="root", chunk_rows=3,
                        progress=give_up)  # fmt: skip
    report = _load(clone, acme, content, kind="orders")
    assert (report.resumed_after_line, _counts(report)) == (4, (3, 0, 0, 1, 0))
    assert [(row["line"], row["field"]) for row in report.put_aside] == [(5, "row")]
    assert _counts(_load(clone, acme, content, kind="orders", dry_run=True)) == (0, 0, 3, 1, 0)
    with clone.tenant(acme) as tx:
        lines = tx.rows("SELECT description FROM order_lines ORDER BY description")
        assert [row["description"] for row in lines] == ["Appraisal", "x", "x"]


def test_a_row_that_names_a_new_company_comes_to_the_same_among_others_and_alone(clone: Database, acme: UUID) -> None:
    people = b"email,company\nana@gmail.com,%s\nbo@gmail.com,%s\n"
    _load(clone, acme, people % (b"", b""))
    among = _load(clone, acme, people % (b"New", b"New"))
    _load(clone, acme, b"email,company\nana@gmail.com,Newer\n")
    with clone.tenant(acme) as tx:
        found = contacts.by_addresses(tx, ["ana@gmail.com", "bo@gmail.com"])
        homes = {email: clients.get(tx, each.client_id) for email, each in found.items()}
    assert {email: each and each.name for email, each in homes.items()} == {
        "ana@gmail.com": "Newer", "bo@gmail.com": "New"}  # fmt: skip
    assert (_counts(among), among.accounts_created) == ((0, 2, 0, 0, 0), 1)


def test_an_undo_keeps_a_deal_that_somebody_spoke_about(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="test") as tx:
        build.contact(tx)
    report = _load(clone, acme, b"id,deal,email\nd-1,One,bill@initech.example\nd-2,Two,bill@initech.example\n",
                   kind="deals")  # fmt: skip
    with clone.tenant(acme, actor="person") as tx:
        spoken = tx.value("SELECT id FROM deals WHERE external_id = 'd-1'")
        deal_activity.log(tx, spoken, "note", "They want a discount.")
    batch = undo_import.run(clone, acme, _id(report), by="root")
    assert (batch.undone, batch.left_alone) == (1, 1)
    with clone.tenant(acme) as tx:
        assert [row["id"] for row in tx.rows("SELECT id FROM deals")] == [spoken]
