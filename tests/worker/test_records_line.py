"""Files and lists from the command line: credit that comes with accounts, pages, what an undo leaves, and why."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from domain import clients, contacts, credit, portable, tenants
from domain.db import Database
from tests.build import VAULT
from tests.worker.line import Line, Spoken

SHEET = ("Name,External ID,Currency,Credit limit,On bill,Net days,Balance\nInitech,k1,EUR,5000.50,yes,30,100.00\n"
         "Hooli,k2,EUR,,no,,\nUmbrella,k3,,,,,\n")  # fmt: skip
ODD = """Company,Record ID,Billing,Payment terms,Credit limit,Balance,Open balance,Annual value
Quick,q1,weekly,Net 30,"5,000.00",9.00,"(1,250.50)",
Shop,q2,weekly,COD,,9.00,-,
Receipt,q3,weekly,Due on receipt,100,9.00,5,
Odd,q4,weekly,whenever,700,9.00,10,
Limitless,q5,weekly,Net 15,unlimited,9.00,10,
Silent,q6,weekly,n/a,,9.00,0.00,
Bad,q7,weekly,Net 30,1,9.00,1,lots
"""


def test_credit_comes_with_accounts_and_goes_back_unless_somebody_spoke_of_it_since(
    hh: Line, clone: Database, tmp_path: Path
) -> None:
    hh("tenant", "add", "acme", "--name", "Acme")
    acme = tenants.by_slug(clone, "acme").tenant_id
    file = tmp_path / "clients.csv"
    file.write_text(SHEET)
    first = hh("import", str(file), "--kind", "clients")
    assert (first["created"], first["bad"], first["ignored_columns"], first["put_aside"]) == (3, 0, [], [])
    again = hh("import", str(file), "--kind", "clients")
    assert (again["unchanged"], again["changed"], again["created"]) == (3, 0, 0)
    stands = hh("clients", "show", "k1")["credit"]
    assert [stands[name] for name in ("terms", "credit_limit", "available", "net_days", "currency")] == [
        "bill", "5000.50", "4900.50", 30, "EUR"]  # fmt: skip
    with clone.tenant(acme) as tx:
        carried = {row[0]: row[-4:] for row in portable.sheet(tx, "clients")}
    assert (carried["k1"], carried["k3"]) == (["bill", "5000.5", "30", "100"], [""] * 4)
    file.write_text("id,name,credit limit\nk1,Initech,9000.00\nk2,Hooli,10.00\nk3,Umbrella,20.00\n")
    second = hh("import", str(file), "--kind", "clients")
    assert second["changed"] == 3
    with clone.tenant(acme, actor="person") as tx:
        hooli = clients.by_external_id(tx, "k2").id
        credit.put(tx, hooli, credit_limit="12.00")
    tried = hh("imports", "undo", second["import_id"], "--dry-run")
    assert [(each["called"], each["undo_reason"]) for each in tried["left"]] == [
        ("Hooli", "it was changed since: credit_limit")]  # fmt: skip
    code, said, _ = hh.plain("imports", "undo", second["import_id"], "--dry-run")
    assert (code, "credit Hooli: it was changed since: credit_limit" in said) == (0, True)
    assert hh("imports", "undo", second["import_id"])["left"] == tried["left"]
    assert hh("clients", "show", "Initech")["credit"]["credit_limit"] == "5000.50"
    with pytest.raises(Spoken, match="nothing to undo"):
        hh("imports", "undo", second["import_id"])
    # what came with an account goes with it; Hooli's was spoken of
    left = hh("imports", "undo", first["import_id"])["left"]
    assert [each["called"] for each in left] == ["Hooli"]
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT count(*) FROM client_credit") == 1


def test_an_account_comes_in_without_the_credit_that_cant_be_read_and_gets_it_once_mended(
    hh: Line, clone: Database, tmp_path: Path
) -> None:
    hh("tenant", "add", "acme", "--name", "Acme")
    acme = tenants.by_slug(clone, "acme").tenant_id
    file = tmp_path / "clients.csv"
    file.write_text(ODD)
    tried = hh("import", str(file), "--kind", "clients", "--dry-run")
    first = hh("import", str(file), "--kind", "clients")
    assert [(told["created"], told["bad"], told["skipped"]) for told in (tried, first)] == [(6, 1, 0)] * 2
    assert tried["put_aside"] == first["put_aside"]
    assert first["ignored_columns"] == ["Billing", "Balance"]
    assert [(each["line"], each["outcome"], each["field"]) for each in first["put_aside"]] == [
        (5, "skipped", "terms"), (6, "skipped", "credit_limit"), (8, "bad", "annual_value")]  # fmt: skip
    assert "'whenever'" in first["put_aside"][0]["mend"]
    assert "nothing of its credit was taken in" in first["put_aside"][0]["mend"]
    with clone.tenant(acme) as tx:
        found = {each.name: credit.get(tx, each.id) for each in clients.listed(tx)}
    stands = {name: each and (each.terms, each.net_days, each.credit_limit, each.outstanding_balance)
              for name, each in found.items()}  # fmt: skip
    assert stands == {
        "Quick": ("bill", 30, Decimal(5000), Decimal("-1250.50")), "Shop": None,
        "Receipt": ("bill", 0, Decimal(100), Decimal(5)), "Odd": None, "Limitless": None, "Silent": None}  # fmt: skip
    # once more the same: what can't be read is told again, and nothing is doubled
    again = hh("import", str(file), "--kind", "clients")
    assert (again["unchanged"], again["bad"], again["put_aside"]) == (6, 1, first["put_aside"])
    _, left, _ = hh.plain("imports", "errors", first["import_id"])
    assert left.count("\n") == 4
    file.write_text(left.replace("whenever", "45 days").replace("unlimited", "9000").replace("lots", "1000"))
    mended = hh("import", str(file), "--kind", "clients")
    assert (mended["created"], mended["changed"], mended["put_aside"]) == (1, 2, [])
    assert hh("clients", "show", "Odd")["credit"]["net_days"] == 45
    # an account that has credit keeps it where a later file's can't be read
    file.write_text("Company,Record ID,Terms,Net days,Credit limit\nOdd,q4,Net 30,60,1\nQuick,q1,,500,1\n")
    later = hh("import", str(file), "--kind", "clients")
    assert (later["unchanged"], [each["field"] for each in later["put_aside"]]) == (2, ["net_days", "net_days"])
    assert hh("clients", "show", "Odd")["credit"]["credit_limit"] == "700.00"
    for batch in (mended, first):
        assert hh("imports", "undo", batch["import_id"])["left"] == []
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT (SELECT count(*) FROM clients) + (SELECT count(*) FROM client_credit)") == 0


def test_lists_go_on_where_a_page_ended(hh: Line, clone: Database) -> None:
    hh("tenant", "add", "acme", "--name", "Acme")
    with clone.tenant(tenants.by_slug(clone, "acme").tenant_id, actor="test") as tx:
        for at in range(3):
            account = clients.upsert(tx, name=f"Client {at}").id
            contacts.upsert(tx, VAULT, client_id=account, email=f"p{at}@client-{at}.example")
    for group, name in (("clients", "name"), ("contacts", "email")):
        code, said, noted = hh.plain(group, "list", "-n", "2", "--json")
        page = hh(group, "list", "-n", "2")
        rest = hh(group, "list", "-n", "2", "--after", page[-1]["id"])
        assert (code, len(page), len(rest), f"--after {page[-1]['id']}" in noted, said != "") == (0, 2, 1, True, True)
        assert len({each[name] for each in (*page, *rest)}) == 3
    assert [each["email"] for each in hh("contacts", "list", "--client", str(account))] == ["p2@client-2.example"]
    assert hh("clients", "show", "Client 2")["contacts"][0]["email"] == "p2@client-2.example"
    assert (hh("products", "list"), hh("orders", "list"), hh("deals", "list")) == ([], [], [])
    with pytest.raises(Spoken, match="no client 'Nobody'"):
        hh("clients", "show", "Nobody")
    # of two tenants one is to be named; the alerts of the house are nobody's
    hh("tenant", "add", "globex", "--name", "Globex")
    with pytest.raises(Spoken, match="--house"):
        hh("alerts", "list")
    assert hh("alerts", "list", "--house") == []
