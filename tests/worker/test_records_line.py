"""Files and lists from the command line: credit that comes with accounts, pages, what an undo leaves, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain import clients, contacts, credit, portable, tenants
from domain.db import Database
from tests.build import VAULT
from tests.worker.line import Line, Spoken

SHEET = ("Name,External ID,Currency,Credit limit,On bill,Net days,Balance\nInitech,k1,EUR,5000.50,yes,30,100.00\n"
         "Hooli,k2,EUR,,no,,\nUmbrella,k3,,,,,\nBroken,k4,,abc,,,\nOdd,k5,,,perhaps,,\n")  # fmt: skip


def test_credit_comes_with_accounts_and_goes_back_unless_somebody_spoke_of_it_since(
    hh: Line, clone: Database, tmp_path: Path
) -> None:
    hh("tenant", "add", "acme", "--name", "Acme")
    acme = tenants.by_slug(clone, "acme").tenant_id
    file = tmp_path / "clients.csv"
    file.write_text(SHEET)
    first = hh("import", str(file), "--kind", "clients")
    assert (first["created"], first["bad"], first["ignored_columns"]) == (3, 2, [])
    assert [each["field"] for each in first["put_aside"]] == ["credit_limit", "terms"]
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
