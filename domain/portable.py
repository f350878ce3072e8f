"""What of a tenant can be carried away: all of it, table by table as the catalogue has them, and never a secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from domain import intake_trade
from domain.db import Tx

TABLES_LEFT_OUT: Mapping[str, str] = {
    "tenant_credentials": "secrets of providers, sealed for this house alone",
    "mailbox_consents": "secrets of consents that are under way",
    "idempotent_requests": "answers to requests that may be repeated, gone within a day",
    "import_first_lines": "which lines of a file under way mean the same, gone when it is in",
    "upload_pieces": "files on their way in: what was taken in of them is exported",
    "agent_tenant_locks": "who works for the tenant at this moment",
}
"""Tables that are not exported, each with its reason; every other table of a tenant is, whoever adds it."""

COLUMNS_LEFT_OUT: Mapping[tuple[str, str], str] = {
    ("api_keys", "secret_hash"): "by it a key is recognised",
    ("mailboxes", "token_ciphertext"): "it opens the mailbox",
    ("mailboxes", "token_key_id"): "it says how the mailbox's token is sealed",
    ("erasures", "traces_ciphertext"): "by it an erased person would be found",
    ("erasures", "traces_key_id"): "it says how those traces are sealed",
    ("blobs", "bytes"): "each is a file of its own, named by its digest",
}
"""Columns that are not exported, each with its reason."""

BYTES_THAT_ARE_NO_SECRET = frozenset({
    ("audit_log", "previous_hash"), ("audit_log", "hash"), ("suppressions", "address_hash"), ("blobs", "sha256"),
    ("gmail_messages", "raw_sha256"), ("attachments", "sha256"), ("quarantine", "blob_sha256"),
    ("kanban_cards", "approval_hash"), ("outbound_messages", "content_hash"), ("imports", "sha256"),
    ("model_calls", "input_hash"), ("model_calls", "answer_hash"),
})  # fmt: skip
"""Bytes that may be read by anybody who has the rest: a new column of bytes is here or left out."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is exported."""

    name: str
    columns: tuple[str, ...]
    left_out: Mapping[str, str]


def tables(tx: Tx) -> list[Table]:
    """Every table of the tenant's that is exported, by name, as the catalogue has it now."""
    rows = tx.rows(
        """SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'hourhand'
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
           GROUP BY c.oid, c.relname HAVING bool_or(a.attname = 'tenant_id') ORDER BY c.relname"""
    )
    return [_table(row["name"], row["columns"]) for row in rows if row["name"] not in TABLES_LEFT_OUT]


def schema(tx: Tx) -> str:
    """The version of the tables' shape."""
    return str(tx.value("SELECT version_num FROM alembic_version"))


def lines(tx: Tx, table: Table) -> Iterator[str]:
    """Each row of a table as a JSON object: numbers exact, moments in RFC 3339, bytes in hexadecimal."""
    chosen = ", ".join(f't."{name}"' for name in table.columns)
    for row in tx.stream(
        f"SELECT to_jsonb(r)::text AS line FROM (SELECT {chosen} FROM {table.name} t WHERE tenant_id = :t) r",
        t=tx.tenant_id,
    ):
        yield row["line"]


def count(tx: Tx, table: Table) -> int:
    """How many rows a table has."""
    return int(tx.value(f"SELECT count(*) FROM {table.name} WHERE tenant_id = :t", t=tx.tenant_id))


def files(tx: Tx) -> Iterator[tuple[str, bytes]]:
    """Every blob by its digest in hexadecimal; one at a time is in memory."""
    for row in tx.stream("SELECT sha256, bytes FROM blobs WHERE tenant_id = :t ORDER BY sha256", batch=1,
                         t=tx.tenant_id):  # fmt: skip
        yield bytes(row["sha256"]).hex(), bytes(row["bytes"])


_WHOSE = ("client_external_id", "company", "email")
_OF_WHOM = "a.external_id AS client_external_id, a.name AS company, p.email"
_WHOM = """LEFT JOIN clients a ON a.tenant_id = {0}.tenant_id AND a.id = {0}.client_id
           LEFT JOIN contacts p ON p.tenant_id = {0}.tenant_id AND p.id = {0}.contact_id"""

SHEETS: Mapping[str, tuple[Sequence[str], str]] = {
    "clients": (
        ("external_id", "name", "domain", "country", "timezone", "language", "relationship", "status", "annual_value",
         "currency", "terms", "credit_limit", "net_days", "outstanding_balance"),
        # a sheet has one currency in a row: credit in another one is in its table alone
        """SELECT c.*, k.terms, k.credit_limit, k.net_days, k.outstanding_balance FROM clients c
           LEFT JOIN client_credit k ON k.tenant_id = c.tenant_id AND k.client_id = c.id AND k.currency = c.currency
           WHERE c.tenant_id = :t ORDER BY c.id""",
    ),
    "contacts": (
        ("external_id", "name", "email", "client_external_id", "company", "phone", "title", "language", "timezone",
         "country"),
        # the blank record of who was erased would be a person of that name elsewhere
        """SELECT c.*, a.name AS company, a.external_id AS client_external_id FROM contacts c
            JOIN clients a ON a.tenant_id = c.tenant_id AND a.id = c.client_id
            WHERE c.tenant_id = :t AND c.erased_at IS NULL ORDER BY c.id""",
    ),
    "products": (
        ("external_id", "code", "name", "kind", "price", "tech_fee", "tolerance_percent", "currency", "active"),
        "SELECT * FROM products WHERE tenant_id = :t ORDER BY id",
    ),
    "orders": (
        ("external_id", "number", *_WHOSE, "status", "billing", "currency", "fee", "tech_fee", "total_amount",
         "ordered_at", "delivered_at", "product", "description", "quantity", "unit_price", *intake_trade.DETAILS),
        # a row holds one line: of an order with more, its table has them all
        f"""SELECT o.*, {_OF_WHOM}, l.code AS product, l.description, l.quantity, l.unit_price,
                   {", ".join(f"o.details ->> '{name}' AS {name}" for name in intake_trade.DETAILS)}
            FROM orders o {_WHOM.format("o")}
            LEFT JOIN order_lines l ON l.tenant_id = o.tenant_id AND l.order_id = o.id
                AND (l.code IS NOT NULL OR l.product_id IS NULL)
                AND NOT EXISTS (SELECT FROM order_lines m WHERE m.tenant_id = o.tenant_id AND m.order_id = o.id
                                  AND m.position <> l.position)
            WHERE o.tenant_id = :t AND o.external_id IS NOT NULL ORDER BY o.id""",
    ),
    "deals": (
        ("external_id", "title", *_WHOSE, "value", "currency", "stage", "expected_close_on"),
        f"""SELECT d.external_id, d.title, {_OF_WHOM}, d.value, d.currency, d.expected_close_on,
                   CASE WHEN d.state = 'open' THEN d.stage ELSE d.state END AS stage
            FROM deals d {_WHOM.format("d")}
            WHERE d.tenant_id = :t AND d.external_id IS NOT NULL ORDER BY d.id""",
    ),
}  # fmt: skip
"""The tables that `hourhand import` reads, in the order in which it should be given them.

Orders and deals that no other system has a name for would not be known again: they are in their tables alone.
"""


def sheet(tx: Tx, kind: str) -> Iterator[list[str]]:
    """One of the sheets, its titles first; what a spreadsheet would take for a formula is guarded by the writer."""
    titles, query = SHEETS[kind]
    yield list(titles)
    for row in tx.stream(query, t=tx.tenant_id):
        yield [_cell(row[name]) for name in titles]


def _cell(value: Any) -> str:
    """A value as an import reads it, in one way only."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        told = format(value.normalize(), "f")
        # 1.125 may be a thousand and more; 1.1250 may not
        return f"{told}0" if len(told.partition(".")[2]) == 3 else told
    return value.isoformat() if isinstance(value, date) else str(value)


def _table(name: str, columns: Sequence[str]) -> Table:
    left_out = {column: why for (table, column), why in COLUMNS_LEFT_OUT.items() if table == name}
    return Table(name, tuple(column for column in columns if column not in left_out), left_out)
