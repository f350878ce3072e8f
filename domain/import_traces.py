"""What imports keep of a person who is forgotten: rows about them go, however they are called there."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from domain import addresses, clients, csv_columns, csv_rows, imports
from domain.csv_columns import BrokenRow
from domain.csv_rows import Cells, Line
from domain.db import Tx
from domain.imports import Batch
from domain.traces import Traces

GONE = "it was about somebody who was erased: nothing of it is kept"


def empty(tx: Tx, contact_id: UUID | None, traces: Traces) -> int:
    """Empty what is kept of their rows, for being mended and for being undone; how many rows that were.

    Theirs are those that name one of their addresses or their id in another system, and those that made, changed or
    meant their record, or an account that is but them.
    """
    done = 0
    key = tx.value("SELECT external_id FROM contacts WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=contact_id)
    for batch in _all(tx):
        after = 0
        while rows := imports.put_aside(tx, batch.id, after=after):
            after = rows[-1]["seq"]
            raws = {row["seq"]: row["raw"] for row in rows if row["raw"] is not None}
            theirs = [seq for seq, raw in raws.items() if _is_theirs(raw, batch, traces, key)]
            done += _empty(tx, "import_id = :id AND seq = ANY(:seqs)", id=batch.id, seqs=theirs) if theirs else 0
    own = tx.rows("SELECT id FROM clients WHERE tenant_id = :t AND external_id = ANY(:keys)",
                  t=tx.tenant_id, keys=clients.keys_of_people(traces.addresses))  # fmt: skip
    return done + _empty(
        tx, "subject_id = ANY(:ids) AND (raw IS NOT NULL OR before IS NOT NULL OR after IS NOT NULL)",
        ids=[row["id"] for row in own] + ([contact_id] if contact_id else []),
    )  # fmt: skip


def _all(tx: Tx) -> Iterator[Batch]:
    before: UUID | None = None
    while some := imports.listed(tx, before=before):
        yield from some
        before = some[-1].id


def _is_theirs(raw: str, batch: Batch, traces: Traces, key: str | None) -> bool:
    if not set(traces.addresses).isdisjoint(addresses.found_in(raw)):
        return True
    return key is not None and batch.kind == "contacts" and _key(raw, batch) == key


def _key(raw: str, batch: Batch) -> str | None:
    """The id in another system that a row of contacts gives."""
    reading = batch.reading
    header = csv_columns.header(batch.kind, Cells(1, "", tuple(reading["titles"])), reading["columns"])
    row = next(csv_rows.rows(map(Line, raw.split("\n")), reading["delimiter"]), None)
    try:
        return header.told(row).get("external_id") if row else None
    except BrokenRow:
        return None


def _empty(tx: Tx, which: str, **values: object) -> int:
    return tx.run(
        f"""UPDATE import_rows SET raw = NULL, before = NULL, after = NULL,
                field = CASE WHEN raw IS NULL THEN field ELSE 'row' END,
                mend = CASE WHEN raw IS NULL THEN mend ELSE :gone END
            WHERE tenant_id = :t AND {which}""",
        gone=GONE, t=tx.tenant_id, **values,
    )  # fmt: skip
