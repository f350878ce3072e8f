"""Tries to cross every wall, as the login role, with the tenant set, unset and empty."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from migrations import roles, walls
from tests.walls.finding import Catalogue, Finding

OURS = UUID(int=0xA)
THEIRS = UUID(int=0xB)
SOME_TIME = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a row must give a value."""

    name: str
    type: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """A relation that holds one row of each tenant (a view: shows it)."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    """The primary key; empty for a view."""


def fill(catalogue: Catalogue, only: str = "") -> list[Filled]:
    """Give every walled relation (or the one named) a row of each tenant, and the login role every right.

    Foreign keys and triggers are off meanwhile: what is tried is the wall, which must hold whatever the rows say.
    """
    catalogue.execute("SET session_replication_role = replica")
    filled = []
    for name, kind in _relations(catalogue):
        if kind != "v" and only not in ("", name):
            continue
        made = Filled(name, tuple(_columns(catalogue, name)), tuple(_key(catalogue, name)) if kind != "v" else ())
        if kind != "v":
            for tenant in (OURS, THEIRS):
                _insert(catalogue, made, tenant, 1)
        filled.append(made)
    catalogue.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA hourhand TO {roles.APP}")
    catalogue.execute("RESET session_replication_role")
    catalogue.commit()
    return filled


def cross(app: Catalogue, filled: Sequence[Filled], only: str = "") -> Iterator[Finding]:
    """Every crossing that succeeds, and every one of our own rows that we can't reach (the trial would be blind)."""
    # unset comes first: once a session has set it, the best it can be is empty
    for said, tenant in (("unset", None), ("set", str(OURS)), ("empty", "")):
        for relation in filled:
            yield from _look(app, relation, said, tenant)
            if relation.key:
                yield from _write(app, relation, said, tenant)
    yield from _guises(app, [only] if only in walls.TENANT_TABLES else list(walls.TENANT_TABLES))


def _look(app: Catalogue, relation: Filled, said: str, tenant: str | None) -> Iterator[Finding]:
    table = sql.Identifier("hourhand", relation.name)
    own = 1 if tenant else 0
    with _as_tenant(app, tenant):
        seen = _rows(app, sql.SQL("SELECT tenant_id FROM {}").format(table))
        if THEIRS in seen:
            yield Finding(relation.name, f"tenant {said}: select shows another tenant's rows")
        if seen.count(OURS) != own:
            yield Finding(relation.name, f"tenant {said}: select shows {seen.count(OURS)} of our own rows, not {own}")
    if not relation.key:
        return
    with _as_tenant(app, tenant):
        if THEIRS in _rows(app, sql.SQL("SELECT tenant_id FROM {} FOR UPDATE").format(table)):
            yield Finding(relation.name, f"tenant {said}: another tenant's rows can be locked")
    with _as_tenant(app, tenant):
        app.execute("SET LOCAL row_security = off")
        if _succeeds(app, sql.SQL("SELECT tenant_id FROM {}").format(table)):
            yield Finding(relation.name, f"tenant {said}: row_security = off shows every row")


def _write(app: Catalogue, relation: Filled, said: str, tenant: str | None) -> Iterator[Finding]:
    table = sql.Identifier("hourhand", relation.name)
    move = sql.SQL("UPDATE {} SET tenant_id = {} WHERE tenant_id = {}")
    attempts: list[tuple[str, sql.Composed, tuple[Any, ...]]] = [
        ("update", move.format(table, sql.Literal(THEIRS), sql.Literal(THEIRS)), ()),
        ("moving a row in", move.format(table, sql.Literal(OURS), sql.Literal(THEIRS)), ()),
        ("moving a row out", move.format(table, sql.Literal(THEIRS), sql.Literal(OURS)), ()),
        ("delete", sql.SQL("DELETE FROM {} WHERE tenant_id = {}").format(table, sql.Literal(THEIRS)), ()),
    ]
    for number, what in ((2, "insert"), (1, "upsert")):
        statement, values = _inserting(relation, THEIRS, number)
        if what == "upsert":
            statement += sql.SQL(" ON CONFLICT ({}) DO UPDATE SET tenant_id = excluded.tenant_id").format(
                sql.SQL(", ").join(map(sql.Identifier, relation.key))
            )
        attempts.append((what, statement, values))
    for what, statement, values in attempts:
        with _as_tenant(app, tenant):
            if _succeeds(app, statement, values):
                yield Finding(relation.name, f"tenant {said}: {what} touches another tenant's rows")
    with _as_tenant(app, tenant):
        try:
            touched = app.execute(sql.SQL("UPDATE {} SET tenant_id = tenant_id").format(table)).rowcount
        except psycopg.errors.InsufficientPrivilege:
            touched = -1  # rows that we don't own were found, and refused only when they were to be written
        if touched != (1 if tenant else 0):
            yield Finding(relation.name, f"tenant {said}: an update of everything touches {touched} rows")


def _guises(app: Catalogue, tables: Sequence[str]) -> Iterator[Finding]:
    """The login role becomes nobody but whom it may wear, and each guise sees what its doors list and no more."""
    everybody = _rows(app, sql.SQL("SELECT rolname FROM pg_roles"))
    for role in sorted(set(everybody) - {roles.APP, *roles.WORN}):
        with _as_tenant(app, None):
            if _succeeds(app, sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)), counting=False):
                yield Finding(role, "the login role can become it")
    for table in walls.CONTROL_TABLES:
        with _as_tenant(app, str(OURS)):
            if _succeeds(app, sql.SQL("SELECT 1 FROM {}").format(sql.Identifier("control", table)), counting=False):
                yield Finding(f"control.{table}", "is read without wearing control")
    doors = {(table, role) for table, role, *_ in walls.DOORS}
    for role in roles.WORN:
        for table in tables:
            with _as_tenant(app, None):
                app.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
                look = sql.SQL("SELECT tenant_id FROM {}").format(sql.Identifier("hourhand", table))
                if (table, role) not in doors and _succeeds(app, look, counting=False):
                    yield Finding(table, f"{role} may look without a door")


def _as_tenant(app: Catalogue, tenant: str | None) -> Any:
    return _Attempt(app, tenant)


class _Attempt:
    """A transaction that is always undone, entered as the process enters it."""

    def __init__(self, app: Catalogue, tenant: str | None) -> None:
        self._app, self._tenant = app, tenant
        self._transaction = app.transaction(force_rollback=True)

    def __enter__(self) -> None:
        self._transaction.__enter__()
        if self._tenant is not None:
            self._app.execute("SELECT set_config('app.tenant_id', %s, true)", (self._tenant,))

    def __exit__(self, *raised: Any) -> Any:
        return self._transaction.__exit__(*raised)


def _succeeds(
    app: Catalogue, statement: sql.SQL | sql.Composed, values: Sequence[Any] = (), *, counting: bool = True
) -> bool:  # fmt: skip
    """Whether a statement was let through and (where rows count) touched any; only a refusal counts as refused."""
    try:
        with app.transaction():
            touched = app.execute(statement, values).rowcount
    except psycopg.errors.InsufficientPrivilege:
        return False
    except psycopg.IntegrityError:
        # a key was asked, so the row was reached: no wall stood before it
        return True
    return touched > 0 if counting else True


def _rows(app: Catalogue, query: sql.SQL | sql.Composed) -> list[Any]:
    return [row[0] for row in app.execute(query)]


def _relations(catalogue: Catalogue) -> list[tuple[str, str]]:
    rows = catalogue.execute(
        """SELECT c.relname AS name, c.relkind::text AS kind FROM pg_class c
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
           WHERE c.relnamespace = 'hourhand'::regnamespace AND c.relkind IN ('r', 'p', 'v')
           ORDER BY c.relkind, c.relname"""
    )
    return [(row.name, row.kind) for row in rows]


def _columns(catalogue: Catalogue, table: str) -> Iterator[Column]:
    """The columns that a row can't do without, each with the words that its CHECK allows."""
    rows = catalogue.execute(
        """SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type,
                  (SELECT string_agg(pg_get_constraintdef(k.oid), ' ') FROM pg_constraint k
                   WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]) AS checked
           FROM pg_attribute a WHERE a.attrelid = ('hourhand.' || quote_ident(%s))::regclass AND a.attnum > 0
             AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''""",
        (table,),
    )
    for row in rows:
        choices = re.findall(r"'([^']*)'::text", row.checked) if row.checked and "ARRAY[" in row.checked else []
        yield Column(row.name, row.type, tuple(choices))


def _key(catalogue: Catalogue, table: str) -> Iterator[str]:
    rows = catalogue.execute(
        """SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid
             AND a.attnum = ANY(i.indkey)
           WHERE i.indisprimary AND i.indrelid = ('hourhand.' || quote_ident(%s))::regclass""",
        (table,),
    )
    yield from (row.name for row in rows)


def _insert(catalogue: Catalogue, relation: Filled, tenant: UUID, number: int) -> None:
    catalogue.execute(*_inserting(relation, tenant, number))


def _inserting(relation: Filled, tenant: UUID, number: int) -> tuple[sql.Composed, tuple[Any, ...]]:
    values = tuple(_value(column, tenant, number) for column in relation.columns)
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier("hourhand", relation.name),
        sql.SQL(", ").join(sql.Identifier(column.name) for column in relation.columns),
        sql.SQL(", ").join(sql.Placeholder() * len(values)),
    )
    return statement, values


def _value(column: Column, tenant: UUID, number: int) -> Any:
    """A value of the column's kind, another for each tenant and number."""
    if column.name == "tenant_id":
        return tenant
    if column.choices:
        return column.choices[0]
    mark = tenant.int * 10 + number
    values: dict[str, Any] = {
        "uuid": UUID(int=mark), "text": f"row-{mark}", "bytea": mark.to_bytes(32), "jsonb": Jsonb({}), "text[]": [],
        "timestamp with time zone": SOME_TIME, "date": SOME_TIME.date(), "integer": mark, "bigint": mark,
        "boolean": True, "numeric": number,
    }  # fmt: skip
    return values[column.type]
