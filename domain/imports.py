"""Imports: files that were taken in, how far each has come, and what every row of it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain import audit, events, storable
from domain.db import Row, Tx

Outcome = Literal["created", "changed", "unchanged", "skipped", "bad"]
State = Literal["running", "done", "failed", "undoing", "undone"]

LONGEST_ROW = 10_000
"""So many characters of a row that was not taken in are kept."""

MOST_STUMBLES = 5
"""An import that came no further so often in a row is given up."""

SEQ_PER_LINE = 8
"""One row makes at most so many records."""


class UnknownImport(LookupError):
    """The tenant has no such import."""


class ImportElsewhere(Exception):
    """Another process is taking this file in, or undoing it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One file that was, or is being, taken in."""

    id: UUID
    kind: str
    filename: str
    size: int
    upload_id: UUID | None
    """What it reads, where the file came through the API."""
    reading: Mapping[str, Any]
    """Encoding and delimiter, the titles, what was chosen, and the options."""
    state: State
    failure: str | None
    """Why no more of it is taken in, or undone for the moment."""
    line: int
    bytes_read: int
    """How much of the file the rows up to that line take: the others begin behind it."""
    rows: int
    created: int
    changed: int
    unchanged: int
    skipped: int
    bad: int
    accounts_created: int
    undone: int
    left_alone: int
    started_by: str
    started_at: datetime
    moved_at: datetime
    finished_at: datetime | None
    undone_by: str | None
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Record:
    """One record that a row made or changed."""

    subject_type: str
    subject_id: UUID
    created: bool
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one row."""

    line: int
    ends: int
    outcome: Outcome
    records: tuple[Record, ...] = ()
    field: str | None = None
    mend: str | None = None
    raw: str | None = None
    meant: tuple[str, UUID] | None = None
    """The record that a row which was not wholly taken in is about, where that is known: its type and its id."""

    @property
    def put_aside(self) -> Literal["bad", "skipped"] | None:
        """How a row is kept for being mended; one that came in without some field counts as such all the same."""
        return "bad" if self.outcome == "bad" else "skipped" if self.mend is not None else None


COLUMNS = ", ".join(Batch.__slots__)
_OF_A_LINE = ("seq", "line", "outcome", "type", "subject", "before", "after", "field", "mend", "raw")
_COUNTED = ("rows", "created", "changed", "unchanged", "skipped", "bad", "accounts_created")


def start(
    tx: Tx, *, kind: str, filename: str, size: int, sha256: bytes, reading: Mapping[str, Any],
    upload_id: UUID | None = None,
) -> Batch:  # fmt: skip
    """Begin to take a file in."""
    row = tx.row(
        f"""INSERT INTO imports (tenant_id, id, kind, filename, size, upload_id, sha256, reading, started_by,
                started_at, moved_at)
            VALUES (:t, :id, :kind, :filename, :size, :upload, :sha, :reading, :by, :now, :now) RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=tx.clock.uuid(), kind=kind, filename=storable.text(filename, 300), size=size, sha=sha256,
        upload=upload_id, reading=storable.value(reading), by=tx.actor, now=tx.now,
    )  # fmt: skip
    assert row is not None
    return _load(row)


def interrupted(tx: Tx, sha256: bytes) -> Batch | None:
    """The import of the same file, read in the same way, that was cut short; None when there is none."""
    row = tx.row(
        f"""SELECT {COLUMNS} FROM imports WHERE tenant_id = :t AND sha256 = :sha AND state = 'running'
            ORDER BY id DESC LIMIT 1""",
        t=tx.tenant_id, sha=sha256,
    )  # fmt: skip
    return _load(row) if row else None


def read_from(tx: Tx, batch: Batch, upload_id: UUID) -> Batch:
    """The file was sent once more: what is left of it is read from there."""
    row = tx.row(f"UPDATE imports SET upload_id = :upload WHERE tenant_id = :t AND id = :id RETURNING {COLUMNS}",
                 upload=upload_id, t=tx.tenant_id, id=batch.id)  # fmt: skip
    assert row is not None
    return _load(row)


def under_way(tx: Tx) -> Batch | None:
    """What the worker is to go on with, sent through the API and not done, or being undone.

    The oldest, but those that stumbled stand behind the others: nobody's file is in everybody's way.
    """
    row = tx.row(
        f"""SELECT {COLUMNS} FROM imports WHERE tenant_id = :t AND state IN ('running', 'undoing')
              AND (upload_id IS NOT NULL OR state = 'undoing') ORDER BY stumbles, id LIMIT 1""",
        t=tx.tenant_id,
    )  # fmt: skip
    return _load(row) if row else None


def get(tx: Tx, import_id: UUID) -> Batch:
    """One import. Raises UnknownImport."""
    row = tx.row(f"SELECT {COLUMNS} FROM imports WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=import_id)
    if row is None:
        raise UnknownImport(f"there is no import {import_id}")
    return _load(row)


def listed(tx: Tx, *, before: UUID | None = None, limit: int = 100) -> Sequence[Batch]:
    """The tenant's imports, newest first, those that came before `before`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM imports WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before)
            ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def advance(tx: Tx, batch: Batch, taken: Sequence[Taken], *, bytes_read: int) -> Batch:
    """Note what some rows did, in the transaction that did it, and by how much of the file they are over.

    Raises ImportElsewhere when another was here first.
    """
    counts = {name: sum(each.outcome == name for each in taken) for name in _COUNTED[1:-1]}
    counts["rows"] = len(taken)
    counts["accounts_created"] = sum(
        record.created and record.subject_type == "client" for each in taken for record in each.records
    ) if batch.kind != "clients" else 0  # fmt: skip
    row = tx.row(
        f"""UPDATE imports SET line = :line, bytes_read = :bytes_read, moved_at = :now, stumbles = 0, failure = NULL,
                {", ".join(f"{n} = {n} + :{n}" for n in _COUNTED)}
            WHERE tenant_id = :t AND id = :id AND state = 'running' AND line = :expected RETURNING {COLUMNS}""",
        line=max((each.ends for each in taken), default=batch.line), now=tx.now, t=tx.tenant_id, id=batch.id,
        expected=batch.line, bytes_read=bytes_read, **counts,
    )  # fmt: skip
    if row is None:
        raise ImportElsewhere(ImportElsewhere.__doc__)
    _keep(tx, batch, [line for each in taken for line in _lines(each)])
    return _load(row)


def _keep(tx: Tx, batch: Batch, lines: Sequence[Mapping[str, Any]]) -> None:
    tx.run(
        """INSERT INTO import_rows (tenant_id, import_id, seq, line, outcome, subject_type, subject_id, before, after,
               at, field, mend, raw)
           SELECT :t, :id, w.seq, w.line, w.outcome, w.type, w.subject, w.before, w.after, :now, w.field, w.mend, w.raw
           FROM unnest(CAST(:seq AS bigint[]), CAST(:line AS bigint[]), CAST(:outcome AS text[]), CAST(:type AS text[]),
                    CAST(:subject AS uuid[]), CAST(:before AS jsonb[]), CAST(:after AS jsonb[]), CAST(:field AS text[]),
                    CAST(:mend AS text[]), CAST(:raw AS text[]))
                AS w (seq, line, outcome, type, subject, before, after, field, mend, raw)""",
        t=tx.tenant_id, id=batch.id, now=tx.now, **{name: [line[name] for line in lines] for name in _OF_A_LINE},
    )  # fmt: skip


def first_lines(tx: Tx, import_id: UUID, lines: Mapping[UUID, int]) -> dict[UUID, int]:
    """Note which line means each record; of those that an earlier line meant, that line is given back."""
    rows = tx.rows(
        """WITH noted AS (
               INSERT INTO import_first_lines (tenant_id, import_id, subject_id, line)
               SELECT :t, :id, w.subject_id, w.line
               FROM unnest(CAST(:subjects AS uuid[]), CAST(:lines AS bigint[])) AS w (subject_id, line)
               ON CONFLICT DO NOTHING)
           SELECT subject_id, line FROM import_first_lines
           WHERE tenant_id = :t AND import_id = :id AND subject_id = ANY(:subjects)""",
        t=tx.tenant_id, id=import_id, subjects=list(lines), lines=list(lines.values()),
    )  # fmt: skip
    return {row["subject_id"]: row["line"] for row in rows}


def _forget_first_lines(tx: Tx, import_id: UUID) -> None:
    tx.run("DELETE FROM import_first_lines WHERE tenant_id = :t AND import_id = :id", t=tx.tenant_id, id=import_id)


def finish(tx: Tx, batch: Batch) -> Batch:
    """The whole file was taken in."""
    row = tx.row(
        f"""UPDATE imports SET state = 'done', finished_at = :now
            WHERE tenant_id = :t AND id = :id AND state = 'running' AND line = :line RETURNING {COLUMNS}""",
        now=tx.now, t=tx.tenant_id, id=batch.id, line=batch.line,
    )  # fmt: skip
    if row is None:
        raise ImportElsewhere(ImportElsewhere.__doc__)
    _forget_first_lines(tx, batch.id)
    done = _load(row)
    counts = {name: getattr(done, name) for name in _COUNTED}
    audit.record(tx, "import.done", str(batch.id), kind=batch.kind, filename=batch.filename, counts=counts)
    events.record(tx, "import.done", "import", batch.id, kind=batch.kind, counts=counts)
    return done


def fail(tx: Tx, import_id: UUID, failure: str) -> None:
    """Take no more of a file in, or back, and tell the reason; an undo of what came of it may be asked for again."""
    told = storable.text(failure, 1000)
    state = tx.value("SELECT state FROM imports WHERE tenant_id = :t AND id = :id FOR UPDATE",
                     t=tx.tenant_id, id=import_id)  # fmt: skip
    if state not in ("running", "undoing"):
        return
    tx.run(
        """UPDATE imports SET state = 'failed', failure = :failure, finished_at = coalesce(finished_at, :now)
           WHERE tenant_id = :t AND id = :id""",
        failure=told, now=tx.now, t=tx.tenant_id, id=import_id,
    )  # fmt: skip
    _forget_first_lines(tx, import_id)
    word = "import.failed" if state == "running" else "import.undo_failed"
    audit.record(tx, word, str(import_id), failure=told)
    events.record(tx, word, "import", import_id, failure=told)


def give_up_still(tx: Tx, before: datetime) -> int:
    """Give up files of this machine's that were cut short and that nobody went on with since; how many."""
    rows = tx.rows(
        """SELECT id FROM imports WHERE tenant_id = :t AND state = 'running' AND upload_id IS NULL
             AND moved_at < :before""",
        t=tx.tenant_id, before=before,
    )  # fmt: skip
    for row in rows:
        fail(tx, row["id"], f"it was cut short, and nobody went on with it since {before:%Y-%m-%d}: import the file "
             "again, what is in already is recognised")  # fmt: skip
    return len(rows)


def stumble(tx: Tx, import_id: UUID, failure: str) -> None:
    """Note that nothing came of going on with it, or its undo, for a reason nobody foresaw; too often: it failed."""
    stumbles = tx.value(
        """UPDATE imports SET stumbles = stumbles + 1, failure = :failure
           WHERE tenant_id = :t AND id = :id AND state IN ('running', 'undoing') RETURNING stumbles""",
        failure=storable.text(failure, 1000), t=tx.tenant_id, id=import_id,
    )  # fmt: skip
    if stumbles is not None and stumbles >= MOST_STUMBLES:
        fail(tx, import_id, failure)


def put_aside(tx: Tx, import_id: UUID, *, after: int = 0, limit: int = 1000) -> Sequence[Row]:
    """Rows that were not, or not wholly, taken in, bad ones and skipped ones, in the file's order."""
    return tx.rows(
        """SELECT seq, line, outcome, field, mend, raw FROM import_rows
           WHERE tenant_id = :t AND import_id = :id AND outcome IN ('bad', 'skipped') AND seq > :after
           ORDER BY seq LIMIT :limit""",
        t=tx.tenant_id, id=import_id, after=after, limit=limit,
    )  # fmt: skip


def deeds(tx: Tx, import_id: UUID, *, limit: int) -> Sequence[Row]:
    """What rows made or changed and was not gone through by an undo yet, the last first."""
    return tx.rows(
        """SELECT seq, line, outcome, subject_type, subject_id, before, after, at FROM import_rows
           WHERE tenant_id = :t AND import_id = :id AND outcome IN ('created', 'changed') AND undo IS NULL
           ORDER BY seq DESC LIMIT :limit""",
        t=tx.tenant_id, id=import_id, limit=limit,
    )  # fmt: skip


def left_alone(tx: Tx, import_id: UUID, *, limit: int = 100) -> Sequence[Row]:
    """What an undo left as it is, with the reason, and what people call it."""
    return tx.rows(
        """SELECT r.line, r.subject_type, r.subject_id, r.undo_reason,
                  CASE r.subject_type
                      WHEN 'client' THEN (SELECT name FROM clients s WHERE s.tenant_id = :t AND s.id = r.subject_id)
                      WHEN 'credit' THEN (SELECT name FROM clients s WHERE s.tenant_id = :t AND s.id = r.subject_id)
                      WHEN 'contact' THEN (SELECT coalesce(email, name) FROM contacts s
                                           WHERE s.tenant_id = :t AND s.id = r.subject_id)
                      WHEN 'product' THEN (SELECT code FROM products s WHERE s.tenant_id = :t AND s.id = r.subject_id)
                      WHEN 'order' THEN (SELECT coalesce(number, external_id) FROM orders s
                                         WHERE s.tenant_id = :t AND s.id = r.subject_id)
                      WHEN 'deal' THEN (SELECT title FROM deals s WHERE s.tenant_id = :t AND s.id = r.subject_id)
                  END AS called
           FROM import_rows r
           WHERE r.tenant_id = :t AND r.import_id = :id AND r.undo = 'left_alone' ORDER BY r.seq LIMIT :limit""",
        t=tx.tenant_id, id=import_id, limit=limit,
    )  # fmt: skip


def hold(tx: Tx, import_id: UUID) -> None:
    """Keep everybody else from going on with an import until this transaction ends."""
    tx.run("SELECT 1 FROM imports WHERE tenant_id = :t AND id = :id FOR UPDATE", t=tx.tenant_id, id=import_id)


def begin_undo(tx: Tx, import_id: UUID) -> Batch:
    """Begin to undo an import, or go on with it. Raises UnknownImport, ImportElsewhere."""
    row = tx.row(
        f"""UPDATE imports SET state = 'undoing', undone_by = coalesce(undone_by, :by), stumbles = 0, failure = NULL
            WHERE tenant_id = :t AND id = :id AND state IN ('running', 'done', 'failed', 'undoing')
            RETURNING {COLUMNS}""",
        by=tx.actor, t=tx.tenant_id, id=import_id,
    )  # fmt: skip
    if row is None:
        raise ImportElsewhere(f"this import is {get(tx, import_id).state}: there is nothing to undo")
    _forget_first_lines(tx, import_id)
    return _load(row)


def undid(tx: Tx, import_id: UUID, reasons: Mapping[int, str | None]) -> Batch:
    """Note what became of some lines of an undo, by their seq: None is undone, else why it was left alone."""
    tx.run(
        """UPDATE import_rows r SET undo = CASE WHEN w.reason IS NULL THEN 'undone' ELSE 'left_alone' END,
               undo_reason = w.reason
           FROM unnest(CAST(:seqs AS bigint[]), CAST(:reasons AS text[])) AS w (seq, reason)
           WHERE r.tenant_id = :t AND r.import_id = :id AND r.seq = w.seq AND r.undo IS NULL""",
        seqs=list(reasons), reasons=list(reasons.values()), t=tx.tenant_id, id=import_id,
    )  # fmt: skip
    row = tx.row(
        f"""UPDATE imports SET undone = undone + :undone, left_alone = left_alone + :left, moved_at = :now,
                stumbles = 0, failure = NULL
            WHERE tenant_id = :t AND id = :id AND state = 'undoing' RETURNING {COLUMNS}""",
        undone=sum(reason is None for reason in reasons.values()), now=tx.now,
        left=sum(reason is not None for reason in reasons.values()), t=tx.tenant_id, id=import_id,
    )  # fmt: skip
    if row is None:
        raise ImportElsewhere(ImportElsewhere.__doc__)
    return _load(row)


def end_undo(tx: Tx, import_id: UUID) -> Batch:
    """Everything was gone through."""
    row = tx.row(
        f"""UPDATE imports SET state = 'undone', undone_at = :now WHERE tenant_id = :t AND id = :id
            AND state = 'undoing' RETURNING {COLUMNS}""",
        now=tx.now, t=tx.tenant_id, id=import_id,
    )  # fmt: skip
    if row is None:
        raise ImportElsewhere(ImportElsewhere.__doc__)
    done = _load(row)
    audit.record(tx, "import.undo", str(import_id), undone=done.undone, left_alone=done.left_alone)
    events.record(tx, "import.undone", "import", import_id, undone=done.undone, left_alone=done.left_alone)
    return done


def _lines(taken: Taken) -> Iterator[dict[str, Any]]:
    blank = dict.fromkeys(("type", "subject", "before", "after", "field", "mend", "raw"))
    base = {**blank, "line": taken.line}
    if taken.put_aside:
        told: dict[str, Any] = {"field": taken.field, "mend": storable.optional(taken.mend, 1000)}
        raw = storable.optional(taken.raw, LONGEST_ROW)
        told["type"], told["subject"] = taken.meant or (None, None)
        yield {**base, **told, "seq": taken.line * SEQ_PER_LINE, "outcome": taken.put_aside, "raw": raw}
    for at, record in enumerate(taken.records, 1):
        yield {**base, "seq": taken.line * SEQ_PER_LINE + at, "outcome": "created" if record.created else "changed",
               "type": record.subject_type, "subject": record.subject_id, "before": dict(record.before) or None,
               "after": dict(record.after) or None}  # fmt: skip


def _load(row: Row) -> Batch:
    return Batch(**{name: row[name] for name in Batch.__slots__})
