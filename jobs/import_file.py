"""A file taken in: a transaction per some rows, each noted with what it did, so that a crash loses and doubles none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy.exc import DBAPIError, OperationalError

from domain import (  # fmt: skip
    addresses,
    clients,
    contacts,
    csv_columns,
    csv_rows,
    imports,
    intake,
    intake_contacts,
    uploads,
)
from domain.clock import Clock
from domain.csv_columns import BrokenRow, Header
from domain.csv_rows import Cells, Format
from domain.csv_values import Habits
from domain.db import Database, Tx
from domain.imports import Batch, Taken
from domain.intake import InvalidRow, Options, Passed
from domain.vault import Vault
from jobs.import_sources import Counted, Held, Source

CHUNK_ROWS = 500
CHUNKS_PER_PLAN = 4
"""After so many chunks the tables have grown enough for their statements to be planned anew."""
PREVIEW_ROWS = 5_000
"""A preview holds off whoever makes new records meanwhile, so it looks no further than this."""
SHOWN = 100
"""So many rows that were not taken in are told at once; the others are asked for."""

REFUSALS = (contacts.InvalidContact, contacts.UnknownContact, clients.InvalidClient, clients.UnknownClient, InvalidRow,
            BrokenRow)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked to be taken in, and how."""

    kind: str
    filename: str
    columns: Mapping[str, str] = field(default_factory=dict)
    """Fields by column title, where the titles don't say it; empty leaves a column out."""
    options: Options = field(default_factory=Options)

    def told(self) -> dict[str, Any]:
        """As an import remembers it."""
        return {"columns": dict(self.columns), "relationship": self.options.relationship,
                "decimal": self.options.habits.decimal, "days": self.options.habits.days}  # fmt: skip


@dataclass(slots=True)
class Report:
    """What an import did so far, or would do."""

    import_id: UUID | None
    kind: str
    columns: Mapping[str, str]
    ignored_columns: tuple[str, ...]
    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    bad: int = 0
    accounts_created: int = 0
    put_aside: list[dict[str, Any]] = field(default_factory=list)
    """The first rows that were not, or not wholly, taken in: line, outcome, field and mend."""
    finished: bool = True
    resumed_after_line: int = 0


class _Undone(Exception):
    """Ends the transaction of a preview, so that nothing of it stays."""


class _Double(Exception):
    """Takes back what a row did that means what an earlier row meant: that row's line, and the record."""


def preview(
    database: Database, vault: Vault, tenant_id: UUID, source: Source, wish: Wish, *, by: str,
    most_rows: int | None = PREVIEW_ROWS,
) -> Report:  # fmt: skip
    """What taking a file in would do: the same is done with its first rows, and undone. Raises InvalidFile."""
    header, rows = _opened(source.chunks(), wish, csv_rows.format_of(source.chunks()))
    report = _report(wish, header, None)
    try:
        with database.tenant(tenant_id, actor=by) as tx:
            some = islice(rows, most_rows)
            batch = imports.start(tx, kind=wish.kind, filename=wish.filename, size=0, sha256=b"", reading={})
            tx.plan_anew()
            while chunk := list(islice(some, CHUNK_ROWS)):
                _count(report, _take(tx, vault, chunk, header, wish, batch.id))
            report.finished = next(rows, None) is None
            raise _Undone
    except _Undone:
        return report


def run(
    database: Database, vault: Vault, tenant_id: UUID, source: Source, wish: Wish, *, by: str,
    progress: Callable[[int], None] = lambda _: None, chunk_rows: int = CHUNK_ROWS,
) -> Report:  # fmt: skip
    """Take a file in; the same file, cut short before, is gone on with where it stood. Raises InvalidFile.

    New contacts fall due spread over the engagement period and have agreed to no broadcast. Raises ImportElsewhere
    where another process takes the same file in at this moment.
    """
    digest, size = _digest(source, wish)
    with database.tenant(tenant_id, actor=by) as tx:
        batch = imports.interrupted(tx, digest)
        resumed_after = batch.line if batch else 0
        if batch is None:
            batch = begin(tx, source, wish, digest, size)
    try:
        go_on(database, vault, tenant_id, source, batch, by=by, progress=progress, chunk_rows=chunk_rows)
    except csv_rows.InvalidFile as error:
        # what was changed meanwhile is another file, and nobody goes on with this one
        with database.tenant(tenant_id, actor=by) as tx:
            imports.fail(tx, batch.id, str(error))
        raise
    return told(database, tenant_id, batch.id, resumed_after_line=resumed_after)


def begin_uploaded(tx: Tx, upload_id: UUID, wish: Wish) -> Batch:
    """Note that an uploaded file is to be taken in; one that was cut short before is gone on with. Raises InvalidFile.

    Raises UnknownUpload, UploadIncomplete.
    """
    uploads.close(tx, upload_id)
    # by the same transaction, which holds it: whoever waits for another connection holds one, too
    source = Held(tx, upload_id)
    digest, size = _digest(source, wish)
    batch = imports.interrupted(tx, digest)
    if batch is None:
        return begin(tx, source, wish, digest, size, upload_id=upload_id)
    return imports.read_from(tx, batch, upload_id)


def begin(
    tx: Tx, source: Source, wish: Wish, digest: bytes, size: int, *, upload_id: UUID | None = None
) -> Batch:  # fmt: skip
    """Note that a file is to be taken in, once it is known how it is read. Raises InvalidFile."""
    found = csv_rows.format_of(source.chunks())
    header, _ = _opened(source.chunks(), wish, found)
    reading = {**wish.told(), "encoding": found.encoding, "delimiter": found.delimiter,
               "titles": list(header.titles), "fields": _fields(header), "ignored": list(header.ignored)}  # fmt: skip
    return imports.start(tx, kind=wish.kind, filename=wish.filename, size=size, sha256=digest, reading=reading,
                         upload_id=upload_id)  # fmt: skip


def go_on(
    database: Database, vault: Vault, tenant_id: UUID, source: Source, batch: Batch, *, by: str,
    progress: Callable[[int], None] = lambda _: None, chunk_rows: int = CHUNK_ROWS, seconds: float | None = None,
) -> Batch:  # fmt: skip
    """Take in what is left of a file, for at most so many `seconds`; how far it came.

    What it took to find where it stood counts for nothing, and for as long is worked at least: a file that is slow to
    read, too, is done in few slices. Raises ImportElsewhere, InvalidFile, UnknownUpload.
    """
    clock: Clock = database.clock
    began, wish, counted = clock.monotonic(), wish_of(batch), Counted(source)
    ends: float | None = None
    found = Format(batch.reading["encoding"], batch.reading["delimiter"])
    header, rows = _behind(counted, wish, found, batch)
    chunks = iter(lambda: list(islice(rows, chunk_rows)), [])
    for number, chunk in enumerate(chunks):
        if number == 0 and seconds is not None:
            ends = clock.monotonic() + max(seconds, clock.monotonic() - began)
        with database.tenant(tenant_id, actor=by) as tx:
            if number % CHUNKS_PER_PLAN == 0:
                tx.plan_anew()
            taken = _take(tx, vault, chunk, header, wish, batch.id)
            batch = imports.advance(tx, batch, taken, bytes_read=chunk[-1].until)
        progress(batch.rows)
        if ends is not None and clock.monotonic() >= ends:
            return batch
    if counted.size != batch.size:
        raise csv_rows.InvalidFile(f"the file ended after {counted.size} of {batch.size} bytes: it was changed or "
                                   "thrown away while it was read; send it again")  # fmt: skip
    with database.tenant(tenant_id, actor=by) as tx:
        return imports.finish(tx, batch)


def told(database: Database, tenant_id: UUID, import_id: UUID, *, resumed_after_line: int = 0) -> Report:
    """What an import did so far. Raises UnknownImport."""
    with database.tenant(tenant_id) as tx:
        batch = imports.get(tx, import_id)
        aside = imports.put_aside(tx, import_id, limit=SHOWN)
    report = Report(batch.id, batch.kind, batch.reading["fields"], tuple(batch.reading["ignored"]))
    for name in ("rows", "created", "changed", "unchanged", "skipped", "bad", "accounts_created"):
        setattr(report, name, getattr(batch, name))
    report.put_aside = [{name: row[name] for name in ("line", "outcome", "field", "mend")} for row in aside]
    report.finished, report.resumed_after_line = batch.state != "running", resumed_after_line
    return report


def wish_of(batch: Batch) -> Wish:
    """What was asked for when an import was begun."""
    reading = batch.reading
    habits = Habits(reading["decimal"], reading["days"])
    return Wish(batch.kind, batch.filename, reading["columns"], Options(reading["relationship"], habits))


def digest_of(chunks: Iterable[bytes], wish: Wish) -> tuple[bytes, int]:
    """What a file and the wish are known by, and how many bytes it has."""
    known = hashlib.sha256(json.dumps([wish.kind, wish.told()], sort_keys=True).encode())
    size = 0
    for chunk in chunks:
        known.update(chunk)
        size += len(chunk)
    return known.digest(), size


def errors_file(tx: Tx, batch: Batch) -> Iterator[list[str]]:
    """The rows that were left out, under the file's own titles, each with its line and reason: mended, it is imported.

    The two columns that are added are left out when it comes back.
    """
    titles = list(batch.reading["titles"])
    while titles and titles[-1] in csv_columns.ADDED:
        # it was such a file itself: the reasons are those of this time
        titles.pop()
    yield [*map(csv_rows.guarded, titles), *csv_columns.ADDED]
    after = 0
    while rows := imports.put_aside(tx, batch.id, after=after):
        for row in rows:
            cells = _split(row["raw"] or "", batch, len(titles))[: len(titles)]
            yield [*cells, str(row["line"]), f"{row['field']}: {row['mend']}"]
        after = rows[-1]["seq"]


def _split(raw: str, batch: Batch, width: int) -> list[str]:
    """The cells of a row as it stood; one that can't be split stands whole in its first."""
    row = next(csv_rows.rows(map(csv_rows.Line, raw.split("\n")), batch.reading["delimiter"]), None)
    cells = [raw] if row is None or row.broken else row.cells
    return [*map(csv_rows.guarded, cells), *[""] * (width - len(cells))]


def _digest(source: Source, wish: Wish) -> tuple[bytes, int]:
    return digest_of(source.chunks(), wish)


def _opened(chunks: Iterable[bytes], wish: Wish, found: Format) -> tuple[Header, Iterator[Cells]]:
    rows = csv_rows.rows(csv_rows.lines(chunks, found.encoding), found.delimiter)
    first = next(rows, None)
    if first is None:
        raise csv_rows.InvalidFile("the file is empty")
    return csv_columns.header(wish.kind, first, wish.columns), rows


def _behind(source: Source, wish: Wish, found: Format, batch: Batch) -> tuple[Header, Iterator[Cells]]:
    """The rows that were not taken in yet."""
    if not batch.line:
        return _opened(source.chunks(), wish, found)
    titles = Cells(1, "", tuple(batch.reading["titles"]))
    lines = csv_rows.lines(source.chunks(batch.bytes_read), found.encoding, behind=batch.bytes_read)
    rows = csv_rows.rows(lines, found.delimiter, first_line=batch.line + 1)
    return csv_columns.header(wish.kind, titles, wish.columns), rows


def _take(
    tx: Tx, vault: Vault, chunk: Iterable[Cells], header: Header, wish: Wish, import_id: UUID
) -> list[Taken]:  # fmt: skip
    """Take some rows in."""
    rows = list(chunk)
    is_many = wish.kind == "contacts" and len(rows) > 1
    made = _at_once(tx, vault, rows, header, wish, import_id) if is_many else {}
    return [made.get(at) or _row(tx, vault, row, header, wish, import_id) for at, row in enumerate(rows)]


def _at_once(
    tx: Tx, vault: Vault, rows: list[Cells], header: Header, wish: Wish, import_id: UUID
) -> dict[int, Taken]:  # fmt: skip
    """Those of the rows that are plain, put in together; none, where the database refuses one of them."""
    told = {at: said for at, row in enumerate(rows) if (said := _said(header, row)) is not None}
    try:
        with tx.savepoint():
            done = intake_contacts.at_once(tx, vault, told, relationship=wish.options.relationship)
            meant = {made.id: rows[at].line for at, (made, _) in done.items()}
            earlier = imports.first_lines(tx, import_id, meant)
    except OperationalError:
        raise
    except (DBAPIError, *REFUSALS):
        return {}
    # a row that means what an earlier one meant is left to be told so by itself; these say nothing new
    return {at: Taken(rows[at].line, rows[at].ends, "created" if made.created else "unchanged", records)
            for at, (made, records) in done.items() if made.id not in earlier}  # fmt: skip


def _said(header: Header, row: Cells) -> dict[str, str] | None:
    try:
        said = header.told(row)
    except BrokenRow:
        return None
    if header.double(row):
        return None
    names = [said.pop(part) for part in ("first_name", "last_name") if part in said]
    return {"name": " ".join(names), **said} if names else said


def _row(tx: Tx, vault: Vault, row: Cells, header: Header, wish: Wish, import_id: UUID) -> Taken:
    taken = _tried(tx, vault, row, header, wish, import_id)
    if taken.raw is not None and intake.names_erased(tx, vault, taken.raw):
        # nothing of a person who is forgotten is written down again, not for being mended either
        return replace(taken, field="row", mend="it names somebody who was erased: nothing of it is kept", raw=None)
    return taken


def _tried(tx: Tx, vault: Vault, row: Cells, header: Header, wish: Wish, import_id: UUID) -> Taken:
    try:
        said = header.told(row)
        if double := header.double(row):
            # it came back with the rows that were mended, and nobody said that it is to count now
            return _aside(row, "skipped", double)
        with tx.savepoint():
            done = intake.put(tx, vault, wish.kind, said, wish.options)
            if earlier := imports.first_lines(tx, import_id, {done.made.id: row.line}):
                raise _Double(earlier[done.made.id], done.made.id)
    except _Double as double:
        line, meant = double.args
        return replace(_aside(row, "skipped", _DOUBLE[wish.kind].format(line)), meant=(wish.kind[:-1], meant))
    except Passed as reason:
        return replace(_aside(row, "skipped", str(reason)), raw=None)
    except REFUSALS as error:
        return _aside(row, "bad", str(error))
    except addresses.InvalidAddress as error:
        return _aside(row, "bad", f"email: {error}")
    except OperationalError:
        raise
    except DBAPIError as error:
        # the database knows a reason that we don't; its own words are the best there are
        return _aside(row, "bad", f"row: {str(error.orig).splitlines()[0]}")
    made = done.made
    if made.kept and not made.changed:
        mend = f"{made.kept[0]}: what a person said stands ({', '.join(made.kept)})"
        return replace(_aside(row, "skipped", mend, records=done.records), meant=(wish.kind[:-1], made.id))
    outcome: imports.Outcome = "created" if made.created else "changed" if made.changed else "unchanged"
    if done.aside:
        # it counts as what came in; what didn't is told, and the row kept for being mended
        told = _aside(row, outcome, done.aside, records=done.records)
        return replace(told, meant=(wish.kind[:-1], made.id))
    return Taken(row.line, row.ends, outcome, done.records)


_FIRST_COUNTS = "of several rows the first counts; where it is this one, put it into a file without this reason"
_ONE_LINE = ("a row holds one line, and this one would take the place of that one's; give each order one row, or put "
             "its lines in by the API")  # fmt: skip
_DOUBLE: Mapping[str, str] = {
    **{f"{each}s": f"row: {csv_columns.DOUBLE.format(each)}{{}}: {_FIRST_COUNTS}"
       for each in ("client", "contact", "product", "deal")},
    "orders": f"row: {csv_columns.DOUBLE.format('order')}{{}}: {_ONE_LINE}",
}  # fmt: skip
"""Why a row is left out that means what an earlier one meant, by the kind of the file."""


def _aside(
    row: Cells, outcome: imports.Outcome, why: str, records: tuple[imports.Record, ...] = ()
) -> Taken:  # fmt: skip
    named, colon, mend = why.partition(": ")
    known = bool(colon) and " " not in named
    return Taken(row.line, row.ends, outcome, records, named if known else "row", mend if known else why, row.raw)


def _report(wish: Wish, header: Header, import_id: UUID | None) -> Report:
    return Report(import_id, wish.kind, _fields(header), header.ignored)


def _fields(header: Header) -> dict[str, str]:
    return {header.titles[at]: name for name, at in header.columns.items()}


def _count(report: Report, taken: list[Taken]) -> None:
    for each in taken:
        report.rows += 1
        setattr(report, each.outcome, getattr(report, each.outcome) + 1)
        if report.kind != "clients":
            report.accounts_created += sum(r.created and r.subject_type == "client" for r in each.records)
        if each.put_aside and len(report.put_aside) < SHOWN:
            report.put_aside.append(
                {"line": each.line, "outcome": each.put_aside, "field": each.field, "mend": each.mend}
            )
