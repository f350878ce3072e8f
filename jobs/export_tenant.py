"""Everything of a tenant in one archive, as of one moment: a file of JSON lines per table, sheets, and the files."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import audit, csv_rows, events, portable, tenants
from domain.db import Database, Tx

PIECE_BYTES = 1 << 16


def run(
    database: Database, tenant_id: UUID, *, by: str, progress: Callable[[str, int], None] = lambda _name, _rows: None
) -> Iterator[bytes]:
    """The archive (ZIP) piece by piece, never whole in memory; `progress` hears of each table and its rows.

    All of it is read in one snapshot, so that what refers to each other is there. The audit log says that it was taken.
    """
    with database.tenant(tenant_id, actor=by) as tx:
        audit.record(tx, "tenant.export", "everything")
        events.record(tx, "tenant.exported", "tenant", tenant_id)
    with database.reading(tenant_id, actor=by) as tx:
        yield from _archive(tx, progress)


def counts(database: Database, tenant_id: UUID) -> dict[str, int]:
    """How many rows of each table an export would have."""
    with database.reading(tenant_id) as tx:
        return {table.name: portable.count(tx, table) for table in portable.tables(tx)}


def _archive(tx: Tx, progress: Callable[[str, int], None]) -> Iterator[bytes]:
    out = _Pieces()
    told: dict[str, Any] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for table in portable.tables(tx):
            rows = yield from _entry(archive, out, f"tables/{table.name}.jsonl", tx.now, _json_lines(tx, table))
            told[table.name] = {"rows": rows, "columns_left_out": dict(table.left_out)}
            progress(table.name, rows)
        for kind in portable.SHEETS:
            yield from _entry(archive, out, f"sheets/{kind}.csv", tx.now, sheet(tx, kind))
        files = 0
        for name, content in portable.files(tx):
            yield from _entry(archive, out, f"files/{name}", tx.now, [content])
            files += 1
        progress("files", files)
        manifest = {
            "tenant": tenants.current(tx).slug,
            "tenant_id": str(tx.tenant_id),
            "taken_at": tx.now.isoformat(),
            "schema": portable.schema(tx),
            "tables": told,
            "tables_left_out": dict(portable.TABLES_LEFT_OUT),
            "files": files,
        }
        text = json.dumps(manifest, indent=1).encode()
        yield from _entry(archive, out, "manifest.json", tx.now, [text])
    yield out.taken()


def _entry(
    archive: zipfile.ZipFile, out: _Pieces, name: str, at: datetime, contents: Iterable[bytes]
) -> Generator[bytes, None, int]:  # fmt: skip
    """Write one entry of the archive; how many pieces of content it had."""
    entry = zipfile.ZipInfo(name, (at.year, at.month, at.day, at.hour, at.minute, at.second))
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    count = 0
    with archive.open(entry, "w", force_zip64=True) as file:
        for content in contents:
            file.write(content)
            count += 1
            if out.size >= PIECE_BYTES:
                yield out.taken()
    return count


def _json_lines(tx: Tx, table: portable.Table) -> Iterator[bytes]:
    return (f"{line}\n".encode() for line in portable.lines(tx, table))


def sheet(tx: Tx, kind: str) -> Iterator[bytes]:
    """One of the sheets, line by line."""
    for cells in portable.sheet(tx, kind):
        out = io.StringIO()
        csv.writer(out).writerow([csv_rows.guarded(cell) for cell in cells])
        yield out.getvalue().encode()


class _Pieces(io.RawIOBase):
    """Where the archive is written: what was written is taken away piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        kept = bytes(piece)
        self._pieces.append(kept)
        self.size += len(kept)
        return len(kept)

    def taken(self) -> bytes:
        """Everything since the last time."""
        told = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return told
