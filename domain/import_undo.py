"""An import undone: what it made goes, what it changed goes back, and whatever was touched since is left alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain import clocks, events, intake, order_queue, rechecks
from domain.db import Row, Tx

CHANGED_SINCE = "it was changed since"


@dataclass(frozen=True, slots=True)
class Table:
    """Where the records of one kind of subject are, and what of others may point to them without leaning on them."""

    name: str
    column: str
    """By which other tables name it."""
    harmless: frozenset[str]
    key: str = "id"
    """By which column its records are known."""


# these go with the record; whether a card or a mail may go is asked of each
_ALWAYS = frozenset({"warehouse_events", "engagement_clocks", "kanban_cards", "outbound_messages", "erasures"})

TABLES: Mapping[str, Table] = {
    "deal": Table("deals", "deal_id", _ALWAYS | {"deal_stage_history"}),
    "order": Table(
        "orders", "order_id", _ALWAYS | {"order_lines", "order_processing_queue", "order_processing_exceptions"}
    ),
    "product": Table("products", "product_id", _ALWAYS),
    "contact": Table("contacts", "contact_id", _ALWAYS | {"contact_addresses"}),
    "credit": Table("client_credit", "client_id", frozenset(), key="client_id"),
    "client": Table("clients", "client_id", _ALWAYS),
}
"""In the order in which they are undone: what depends on another first."""


def undo(tx: Tx, deeds: Sequence[Row]) -> dict[int, str | None]:
    """Undo some lines of an import, the last first; by seq None, or the reason why a record was left alone."""
    reasons: dict[int, str | None] = {}
    for row in deeds:
        if row["outcome"] == "changed":
            reasons[row["seq"]] = _set_back(tx, TABLES[row["subject_type"]], row)
    made = [row for row in deeds if row["outcome"] == "created"]
    for subject_type, table in TABLES.items():
        some = [row for row in made if row["subject_type"] == subject_type]
        if some:
            reasons |= _remove(tx, subject_type, table, some)
    return reasons


def _set_back(tx: Tx, table: Table, row: Row) -> str | None:
    """Set the fields back that still hold what the import wrote; the others are somebody's later word."""
    now = tx.row(f"SELECT * FROM {table.name} WHERE tenant_id = :t AND {table.key} = :id FOR UPDATE",
                 t=tx.tenant_id, id=row["subject_id"])  # fmt: skip
    if now is None:
        return "it was removed since"
    if row["after"] is None:
        return "what it changed of it is not set back by itself: see its events"
    before, after = dict(row["before"] or {}), dict(row["after"] or {})
    said, stamp = before.pop("provenance", None), before.pop("updated_at", None)
    later = sorted(name for name in after if intake.plain(now[name]) != after[name])
    back = {name: before.get(name) for name in after if name not in later}
    if back:
        # a record that only this import touched is as the import found it again, and an earlier line may remove it
        only_us = not later and now["updated_at"] == row["at"]
        _write(tx, table, now, back, said, stamp=stamp if only_us else tx.now)
    return f"{CHANGED_SINCE}: {', '.join(later)}" if later else None


def _write(
    tx: Tx, table: Table, now: Row, back: Mapping[str, Any], said: Mapping[str, Any] | None, *, stamp: Any
) -> None:  # fmt: skip
    sets = ", ".join(f"{name} = :{name}" for name in back)
    values: dict[str, Any] = dict(back)
    if said is not None:
        sets += ", provenance = :provenance"
        values["provenance"] = {**now["provenance"], **{name: said.get(name) for name in back}}
        values["provenance"] = {name: each for name, each in values["provenance"].items() if each is not None}
    tx.run(
        f"UPDATE {table.name} SET {sets}, updated_at = :stamp WHERE tenant_id = :t AND {table.key} = :id",
        stamp=stamp, t=tx.tenant_id, id=now[table.key], **values,
    )  # fmt: skip
    if table.name == "contacts" and "email" in back:
        tx.run(
            """DELETE FROM contact_addresses WHERE tenant_id = :t AND contact_id = :id AND address = :address
               AND source = 'import'""",
            t=tx.tenant_id, id=now["id"], address=now["email"],
        )  # fmt: skip
        if back["email"] is None:
            clocks.exempt(tx, [now["id"]], "no_address")
    if table.name == "contacts" and "client_id" in back:
        tx.run("UPDATE engagement_clocks SET client_id = :client WHERE tenant_id = :t AND contact_id = :id",
               client=back["client_id"], t=tx.tenant_id, id=now["id"])  # fmt: skip
    if table.name == "clients" and "status" in back:
        order_queue.enter_again(tx, codes=["CLIENT_INACTIVE"], client_id=now["id"])
    if table.name in ("clients", "contacts"):
        account = "id" if table.name == "clients" else "client_id"
        rechecks.look_again(tx, [each for each in (now[account], back.get(account)) if each is not None])
    if table.name == "products":
        order_queue.product_came(tx, back.get("code") or now["code"], changed=now["id"])
    subject = table.name.removesuffix("s")
    events.record(tx, f"{subject}.set_back", subject, now[table.key], fields=sorted(back))


def _remove(tx: Tx, subject_type: str, table: Table, rows: Sequence[Row]) -> dict[int, str | None]:
    """Remove the records that nothing has touched or leans on."""
    by_id: dict[UUID, Row] = {row["subject_id"]: row for row in rows}
    ids = list(by_id)
    # whoever is about to act for one of them holds its card
    tx.run(f"SELECT 1 FROM kanban_cards WHERE tenant_id = :t AND {_in_cards(table)} ORDER BY id FOR UPDATE",
           t=tx.tenant_id, ids=ids, names=[str(each) for each in ids])  # fmt: skip
    found = tx.rows(
        f"SELECT id, updated_at FROM {table.name} WHERE tenant_id = :t AND id = ANY(:ids) ORDER BY id FOR UPDATE",
        t=tx.tenant_id, ids=ids,
    )  # fmt: skip
    standing = {row["id"]: row["updated_at"] for row in found}
    reasons = _leaned_on(tx, table, ids)
    for each, updated_at in standing.items():
        if updated_at != by_id[each]["at"]:
            reasons[each] = CHANGED_SINCE
    gone = [each for each in standing if each not in reasons]
    tx.run(f"DELETE FROM {table.name} WHERE tenant_id = :t AND id = ANY(:ids)", t=tx.tenant_id, ids=gone)
    events.record_all(tx, [events.News(f"{subject_type}.removed", subject_type, each) for each in gone])
    return {by_id[each]["seq"]: reasons.get(each) for each in ids}


def _leaned_on(tx: Tx, table: Table, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Which of the records something else is about, and what."""
    asked = dict.fromkeys(_tables_with(tx, table.column) - table.harmless, "true")
    by_column = table.column in ("client_id", "contact_id")
    if by_column:
        asked["outbound_messages"] = "state <> 'held'"
    if "feedback_requests" in asked:
        # what an order's delivery queued goes with it, until somebody was asked
        asked["feedback_requests"] = "state NOT IN ('queued', 'skipped')"
    acted = tx.rows(
        f"""SELECT DISTINCT {table.column if by_column else "CAST(subject_id AS uuid)"} AS id FROM kanban_cards
            WHERE tenant_id = :t AND {_in_cards(table)} AND state IN ('executing', 'done', 'failed', 'uncertain')""",
        t=tx.tenant_id, ids=list(ids), names=[str(each) for each in ids],
    )  # fmt: skip
    if table.name == "clients":
        # what the same row said of its credit goes with it, unless somebody spoke or ordered on it since
        asked["client_credit"] = """updated_at <> (SELECT l.updated_at FROM clients l
            WHERE l.tenant_id = client_credit.tenant_id AND l.id = client_credit.client_id)"""
    if table.name == "contacts":
        asked["contact_addresses"] = "source <> 'import'"
    reasons: dict[UUID, str] = {row["id"]: "kanban cards are about it" for row in acted}
    for other, which in asked.items():
        rows = tx.rows(
            f"SELECT DISTINCT {table.column} AS id FROM {other} WHERE tenant_id = :t AND {table.column} = ANY(:ids) "
            f"AND {which}",
            t=tx.tenant_id, ids=list(ids),
        )  # fmt: skip
        for row in rows:
            reasons.setdefault(row["id"], f"{other.replace('_', ' ')} are about it")
    return reasons


def _in_cards(table: Table) -> str:
    """Which cards are about records of a table: by their own column, else by their subject."""
    named = "subject_id = ANY(:names) AND CAST(:ids AS uuid[]) IS NOT NULL"
    return f"{table.column} = ANY(:ids)" if table.column in ("client_id", "contact_id") else named


def _tables_with(tx: Tx, column: str) -> frozenset[str]:
    """Every table of the tenant's that has a column of this name: a table that comes later counts by itself."""
    key = f"tables with {column}"
    if key not in tx.memo:
        rows = tx.rows(
            """SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = :column AND NOT a.attisdropped
               WHERE n.nspname = 'hourhand' AND c.relkind IN ('r', 'p') AND NOT c.relispartition""",
            column=column,
        )
        tx.memo[key] = frozenset(row["name"] for row in rows)
    names: frozenset[str] = tx.memo[key]
    return names
