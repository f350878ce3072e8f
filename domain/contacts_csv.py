"""Contacts from a CSV file: bad rows are kept with line, field and mend, and coming again changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from domain import addresses, audit, blobs, clients, contacts, csv_rows, events, quarantine
from domain.csv_rows import Cells, InvalidFile
from domain.db import Database, Tx
from domain.vault import Vault

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "full name", "contact", "contact name", "nombre", "nome", "display name"),
    "first_name": ("first name", "firstname", "given name", "forename"),
    "last_name": ("last name", "lastname", "surname", "family name", "apellido", "apellidos", "sobrenome"),
    "email": ("email", "e mail", "mail", "email address", "e mail address", "correo", "correo electrónico", "email 1"),
    "company": ("company", "company name", "account", "account name", "client", "organization", "organisation",
                "empresa"),
    "phone": ("phone", "phone number", "telephone", "tel", "mobile", "teléfono", "telefono", "telefone"),
    "title": ("title", "job title", "position", "role", "cargo", "puesto"),
    "country": ("country", "country code", "país", "pais"),
    "timezone": ("timezone", "time zone", "tz"),
    "language": ("language", "lang", "locale", "idioma"),
    "external_id": ("external id", "externalid", "id", "contact id", "crm id", "record id"),
}  # fmt: skip
"""What each column may be called, in any letter case, with spaces, hyphens or underscores."""

CHUNK_ROWS = 200


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was not taken in: where it is, what is wrong with it, and how to mend it."""

    line: int
    field: str
    mend: str


@dataclass(slots=True)
class Report:
    """What an import did, or would do."""

    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    accounts_created: int = 0
    bad: list[BadRow] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """Which column holds which field, how many there are, and those that hold nothing that we know."""

    columns: Mapping[str, int]
    width: int
    ignored: tuple[str, ...]


class _Undone(Exception):
    """Ends the transaction of a preview, so that nothing of it stays."""


def load(
    database: Database, vault: Vault, tenant_id: UUID, content: bytes, *, filename: str, by: str, dry_run: bool = False,
    relationship: str = "client", progress: Callable[[int], None] | None = None, chunk_rows: int = CHUNK_ROWS,
) -> Report:  # fmt: skip
    """Take a file of contacts in, a transaction per some rows; with `dry_run` the same is done and undone.

    New contacts fall due spread over the engagement period and have agreed to no broadcast. What is wrong with a row
    is in the report, and the row itself in quarantine under `filename:line`. Raises InvalidFile.
    """
    table = csv_rows.rows(content)
    header = _header(next(table))
    report = Report(ignored_columns=header.ignored)
    if dry_run:
        try:
            with database.tenant(tenant_id, actor=by) as tx:
                _take(tx, vault, table, header, filename, relationship, report)
                raise _Undone
        except _Undone:
            return report
    while chunk := list(islice(table, chunk_rows)):
        with database.tenant(tenant_id, actor=by) as tx:
            _take(tx, vault, chunk, header, filename, relationship, report)
        if progress is not None:
            progress(report.rows)
    with database.tenant(tenant_id, actor=by) as tx:
        _close(tx, filename, report)
    return report


def _take(
    tx: Tx, vault: Vault, chunk: Iterable[Cells], header: Header, filename: str,
    relationship: str, report: Report,
) -> None:  # fmt: skip
    for row in chunk:
        report.rows += 1
        try:
            told = _told(row, header)
            with tx.savepoint():
                made, account_made = _upsert(tx, vault, told, relationship)
        except (contacts.InvalidContact, clients.InvalidClient) as error:
            _set_aside(tx, row, filename, str(error), report)
        except addresses.InvalidAddress as error:
            _set_aside(tx, row, filename, f"email: {error}", report)
        except DBAPIError as error:
            # the database knows a reason that we don't; its own words are the best there are
            _set_aside(tx, row, filename, f"row: {str(error.orig).splitlines()[0]}", report)
        else:
            report.created += made.created
            report.changed += bool(made.changed) and not made.created
            report.unchanged += not made.created and not made.changed
            report.accounts_created += account_made


def _upsert(tx: Tx, vault: Vault, told: dict[str, str], relationship: str) -> tuple[clients.Upserted, bool]:
    company = told.get("company", "")
    email = addresses.normalise(told["email"]) if "email" in told else None
    known = contacts.by_addresses(tx, [email]).get(email) if email else None
    if known is not None and not company:
        account = clients.Upserted(known.client_id, created=False)
    else:
        account = _account(tx, company, email, told.get("name"), relationship)
    made = contacts.upsert(
        tx, vault, client_id=account.id, source="import", spread=True, name=told.get("name"), email=email,
        external_id=told.get("external_id"), title=told.get("title"), phone=told.get("phone"),
        language=told.get("language"), timezone=told.get("timezone"), country=told.get("country"),
    )  # fmt: skip
    return made, account.created


def _account(tx: Tx, company: str, email: str | None, name: str | None, relationship: str) -> clients.Upserted:
    """The account that a row belongs to: by its company, else by the address's domain, else the person's own."""
    domain = addresses.company_domain(email) if email else None
    found = clients.by_name(tx, company) if company else None
    found = found or (clients.by_domain(tx, domain) if domain else None)
    if found is not None:
        return clients.Upserted(found.id, created=False)
    if company or domain:
        return clients.upsert(tx, name=company or domain, domain=domain, relationship=relationship)
    if email is None:
        raise contacts.InvalidContact("company: give the company, or an address at its own domain")
    return clients.upsert(tx, name=name or email, external_id=f"person:{email}", relationship=relationship)


def _set_aside(tx: Tx, row: Cells, filename: str, error: str, report: Report) -> None:
    named, _, mend = error.partition(": ")
    column = named if named in (*COLUMNS, "row") else "row"
    bad = BadRow(row.line, column, mend if column == named else error)
    report.bad.append(bad)
    quarantine.note(
        tx, "csv_row", f"{filename}:{row.line}", f"line {row.line}, {bad.field}: {bad.mend}", field=bad.field,
        blob_sha256=blobs.put(tx, row.raw.encode("utf-8", errors="replace")),
    )  # fmt: skip


def _close(tx: Tx, filename: str, report: Report) -> None:
    """Free from quarantine the rows that are well now, and leave a record of the import."""
    bad = {f"{filename}:{each.line}" for each in report.bad}
    quarantine.taken_in(tx, "csv_row", sorted(quarantine.sources(tx, "csv_row", f"{filename}:") - bad))
    counts = {"rows": report.rows, "created": report.created, "changed": report.changed, "bad": len(report.bad)}
    audit.record(tx, "contacts.import", filename, counts=counts)
    events.record(tx, "contacts.imported", "import", filename, counts=counts)


def _header(first: Cells) -> Header:
    """What the first line says. Raises InvalidFile."""
    if first.broken:
        raise InvalidFile(f"line {first.line}: {first.broken}")
    meanings = {alias: name for name, aliases in COLUMNS.items() for alias in aliases}
    columns: dict[str, int] = {}
    ignored = []
    for at, title in enumerate(first.cells):
        meant = meanings.get(re.sub(r"[\s_.-]+", " ", title.lower()).strip())
        if meant is None:
            ignored.append(title)
        elif meant in columns:
            raise InvalidFile(f"columns {first.cells[columns[meant]]!r} and {title!r} both mean {meant}: rename one")
        else:
            columns[meant] = at
    if not {"email", "name", "first_name", "last_name"} & set(columns):
        raise InvalidFile(f"no column is called email or name; the first line says: {', '.join(first.cells)[:200]}")
    return Header(columns, len(first.cells), tuple(ignored))


def _told(row: Cells, header: Header) -> dict[str, str]:
    """What a row says, by field. Raises InvalidContact."""
    if row.broken:
        raise contacts.InvalidContact(f"row: {row.broken}")
    if any(row.cells[header.width :]):
        raise contacts.InvalidContact("row: more cells than the first line; put quotes around a cell with commas")
    told = {name: row.cells[at] for name, at in header.columns.items() if at < len(row.cells) and row.cells[at]}
    names = [told.pop(part) for part in ("first_name", "last_name") if part in told]
    if "name" not in told and names:
        told["name"] = " ".join(names)
    if "name" not in told and "email" not in told:
        raise contacts.InvalidContact("name: give a name or an address")
    return told
