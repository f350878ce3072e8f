"""What is carried away: all of one tenant and nothing of another, never a secret, and it can be taken in again."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from domain import (
    blobs,
    clients,
    contacts,
    credentials,
    csv_columns,
    deals,
    keys,
    mailboxes,
    orders,
    portable,
    products,
)
from domain.db import Database
from domain.order_lines import Line
from jobs import export_tenant, import_file
from jobs.import_file import Wish
from jobs.import_sources import InMemory
from migrations import walls
from tests import build, gears
from tests.build import VAULT


def _archive(database: Database, tenant_id: UUID) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(export_tenant.run(database, tenant_id, by="test"))))


def _rows(archive: zipfile.ZipFile, table: str) -> list[dict[str, Any]]:
    return [json.loads(line, parse_float=Decimal) for line in archive.read(f"tables/{table}.jsonl").splitlines()]


def test_every_table_of_a_tenant_is_carried_away_or_left_out_for_a_reason(clone: Database) -> None:
    archive = _archive(clone, build.acme(clone))
    carried = {name.removeprefix("tables/").removesuffix(".jsonl") for name in archive.namelist()
               if name.startswith("tables/")}  # fmt: skip
    assert carried.isdisjoint(portable.TABLES_LEFT_OUT)
    assert carried | set(portable.TABLES_LEFT_OUT) == set(walls.TENANT_TABLES)
    assert all(portable.TABLES_LEFT_OUT.values())


def test_every_column_is_carried_away_and_bytes_only_where_they_are_known_to_be_no_secret(
    clone: Database, cloned: gears.Clone
) -> None:
    with psycopg.connect(cloned.admin_url) as connection:
        columns = connection.execute(
            """SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a
               JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'hourhand' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"""
        ).fetchall()
    with clone.tenant(build.acme(clone)) as tx:
        carried = {(table.name, column) for table in portable.tables(tx) for column in table.columns}
    for table, column, kind in columns:
        if table not in walls.TENANT_TABLES or table in portable.TABLES_LEFT_OUT:
            continue
        assert ((table, column) in carried) != ((table, column) in portable.COLUMNS_LEFT_OUT)
        telling = kind == "bytea" or re.search("secret|cipher|token(?!s)|password|verifier", column)
        known = portable.BYTES_THAT_ARE_NO_SECRET | set(portable.COLUMNS_LEFT_OUT)
        assert not telling or (table, column) in known, f"{table}.{column}: say whether it is a secret"


def test_an_export_has_every_row_exactly_and_no_secret(clone: Database) -> None:
    acme, globex = build.acme(clone), build.globex(clone)
    for tenant, name in ((acme, "Initech"), (globex, "Hooli")):
        with clone.tenant(tenant, actor="test") as tx:
            account = build.client(tx, name, annual_value=Decimal("90071992547.41"))
            build.contact(tx, account, f"bill@{name.lower()}.example", name='Bill "B" O\'Ñ\t\\n')
            blobs.put(tx, f"file of {name}".encode())
            credentials.put(tx, VAULT, "resend_api_key", "re_SECRET_12345678")
            issued = keys.issue(tx, VAULT, name="k", role="admin")
    archive = _archive(clone, acme)
    assert {name for name in archive.namelist() if name.startswith("sheets/")} == {
        f"sheets/{kind}.csv" for kind in csv_columns.FIELDS}  # fmt: skip
    assert [row["annual_value"] for row in _rows(archive, "clients")] == [Decimal("90071992547.41")]
    assert [row["name"] for row in _rows(archive, "contacts")] == ['Bill "B" O\'Ñ\t\\n']
    files = [name for name in archive.namelist() if name.startswith("files/")]
    assert [archive.read(name) for name in files] == [b"file of Initech"]
    manifest = json.loads(archive.read("manifest.json"))
    assert (manifest["tenant"], manifest["files"], manifest["tables"]["contacts"]["rows"]) == ("acme", 1, 1)
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"Hooli" not in everything
    assert b"SECRET" not in everything
    assert issued.secret.encode() not in everything
    assert issued.secret.split("_", 3)[3].encode() not in everything


# what a person may be called: also what a spreadsheet takes for a formula, and what CSV must quote
NAMES = st.text(
    alphabet=st.sampled_from("abZñ日'=+-@,;\"\t\n 0"), min_size=1, max_size=12
).map(lambda told: f"n{told}".strip())  # fmt: skip
ODD = st.text(alphabet=st.sampled_from("'=+-@a,\" "), min_size=1, max_size=6).map(str.strip).filter(bool)
ACCOUNTS = st.lists(
    st.tuples(NAMES | ODD, st.none() | ODD, st.sampled_from([None, "a.example", "b.example"]),
              st.decimals(0, 10**9, places=2), st.sampled_from(["client", "prospect"])),
    max_size=4, unique_by=(lambda each: each[0], lambda each: each[1] or each[0] + "\0", lambda each: each[2] or each),
)  # fmt: skip
PEOPLE = st.lists(
    st.tuples(st.integers(0, 3), NAMES, st.none() | st.sampled_from([f"p{at}@c.example" for at in range(5)]),
              st.sampled_from([None, "+12125550123", "+34600000000"]), st.sampled_from([None, "es", "pt"])),
    max_size=5, unique_by=(lambda each: (each[0], each[1]), lambda each: each[2] or each),
)  # fmt: skip


@given(ACCOUNTS, PEOPLE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10, phases=[Phase.generate])
def test_what_is_exported_and_imported_elsewhere_is_the_same(
    cluster: gears.Cluster, clone: Database, accounts: list[Any], people: list[Any]
) -> None:
    here, there = (build.tenant(clone, f"t{clone.clock.uuid().hex}", {}) for _ in range(2))
    with clone.tenant(here, actor="test") as tx:
        ids = [
            clients.upsert(
                tx, name=name, external_id=key, domain=domain, annual_value=value, relationship=relationship
            ).id
            for name, key, domain, value, relationship in accounts
        ]
        for at, name, email, phone, language in people if ids else ():
            contacts.upsert(tx, VAULT, client_id=ids[at % len(ids)], name=name, email=email, phone=phone,
                            language=language, external_id=None if email else f"={name}")  # fmt: skip
    _same_elsewhere(clone, here, there)


PRICES = st.decimals(0, 10**6, places=2) | st.decimals(0, 2000, places=2)
PRODUCTS = st.lists(
    st.tuples(st.sampled_from(["APP", "=SUM(1)", "-1", "Ñ 2"]), NAMES | ODD, PRICES, PRICES,
              st.none() | st.decimals(0, 100, places=2), st.sampled_from(["goods", "property", "inspection"]),
              st.sampled_from(["USD", "JPY", "EUR"]), st.booleans()),
    max_size=3, unique_by=lambda each: each[0],
)  # fmt: skip
ORDERS = st.lists(
    st.tuples(st.none() | st.text("'=#A1 ", min_size=1, max_size=5).map(str.strip).filter(bool),
              st.sampled_from(["draft", "new", "in_progress", "delivered", "closed", "cancelled"]),
              st.none() | PRICES, st.none() | PRICES, st.booleans(), st.sampled_from(["prepaid", "bill"]),
              st.lists(st.tuples(st.none() | st.sampled_from(["APP", "-1", "GONE"]), NAMES,
                                 st.decimals("0.001", 5000, places=3), st.none() | PRICES), max_size=2),
              st.dictionaries(st.sampled_from(["borrower_name", "property_address"]), NAMES, max_size=2)),
    max_size=3,
)  # fmt: skip
DEALS = st.lists(
    st.tuples(NAMES, st.none() | PRICES, st.sampled_from([None, "proposal", "won", "lost"]), st.booleans(),
              st.none() | st.dates(date(2020, 1, 1), date(2030, 12, 31))), max_size=3,
)  # fmt: skip


@given(PRODUCTS, ORDERS, DEALS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8, phases=[Phase.generate])
def test_products_orders_and_deals_come_in_elsewhere_as_they_went_out_here(
    clone: Database, catalogue: list[Any], ordered: list[Any], pursued: list[Any]
) -> None:
    here, there = (build.tenant(clone, f"t{clone.clock.uuid().hex}", {}) for _ in range(2))
    with clone.tenant(here, actor="test") as tx:
        account = build.client(tx, external_id="'=k")
        bill = build.contact(tx, account)
        for code, name, price, fee, tolerance, kind, currency, active in catalogue:
            whole = 0 if currency == "JPY" else 2
            products.put(tx, code=code, name=name, price=round(price, whole), tech_fee=round(fee, whole),
                         tolerance_percent=tolerance, kind=kind, currency=currency, active=active)  # fmt: skip
        for at, (number, status, fee, tech_fee, named, billing, lines, details) in enumerate(ordered):
            orders.put(tx, external_id=f"+o{at}", number=number, client_id=account, contact_id=bill if named else None,
                       status=status, fee=fee, tech_fee=tech_fee, billing=billing, details=details,
                       lines=[Line(text, quantity, code, price) for code, text, quantity, price in lines])  # fmt: skip
        for at, (title, value, stage, named, close_on) in enumerate(pursued):
            deals.put(tx, external_id=f"d{at}", title=title, client_id=account, contact_id=bill if named else None,
                      value=value, stage=stage, expected_close_on=close_on)  # fmt: skip
    _same_elsewhere(clone, here, there)


def _same_elsewhere(database: Database, here: UUID, there: UUID) -> None:
    """What one tenant exports makes the same records at another, and is no news to itself."""
    sheets = _sheets(database, here)
    for kind, content in sheets.items():
        report = import_file.run(database, VAULT, there, InMemory(content), Wish(kind, kind), by="test")
        assert (report.bad, report.skipped, report.changed) == (0, 0, 0), report.put_aside
        again = import_file.run(database, VAULT, here, InMemory(content), Wish(kind, kind), by="test")
        assert again.unchanged == again.rows == report.created, kind
    assert {kind: _rows_of(each) for kind, each in _sheets(database, there).items()} == {
        kind: _rows_of(each) for kind, each in sheets.items()
    }


def _rows_of(content: bytes) -> list[list[str]]:
    titles, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    return [titles, *sorted(rows)]


def _sheets(database: Database, tenant_id: UUID) -> dict[str, bytes]:
    with database.reading(tenant_id) as tx:
        return {kind: b"".join(export_tenant.sheet(tx, kind)) for kind in portable.SHEETS}


def test_an_export_is_of_one_moment_whatever_is_written_meanwhile(clone: Database) -> None:
    acme = build.acme(clone)
    with clone.tenant(acme, actor="test") as tx:
        build.contact(tx)
    pieces = export_tenant.run(
        clone, acme, by="test", progress=lambda name, _rows: _late(clone, acme) if name == "clients" else None
    )
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert [row["email"] for row in _rows(archive, "contacts")] == ["bill@initech.example"]


def _late(database: Database, tenant_id: UUID) -> None:
    with database.tenant(tenant_id, actor="test") as tx:
        build.contact(tx, None, "late@initech.example")


def test_a_mailbox_goes_without_its_token(clone: Database) -> None:
    acme = build.acme(clone)
    with clone.tenant(acme, actor="test") as tx:
        mailboxes.configure_folder(tx, "/mail", "ana@acme.example")
    (row,) = _rows(_archive(clone, acme), "mailboxes")
    assert row["address"] == "ana@acme.example"
    assert not {"token_ciphertext", "token_key_id"} & set(row)
