"""Uploads: files on their way in, a piece at a time, so that no request and no process ever holds a whole one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain import blobs, events, storable
from domain.db import Row, Tx

MOST_PIECES = 256
PIECE_BYTES = 1 << 20
MOST_AT_ONCE = 20
"""So many uploads of one tenant may stand at a time: they are for being taken in, not for being kept."""


class UnknownUpload(LookupError):
    """The tenant has no such upload (any more)."""


class UploadClosed(Exception):
    """An import reads this upload: begin another one."""


class UploadIncomplete(Exception):
    """A piece of this upload is missing."""


class PieceDiffers(Exception):
    """This piece came before, with other bytes."""


class InvalidPiece(Exception):
    """A piece has between one byte and a mebibyte, and a number from 1 to 256."""


class TooManyUploads(Exception):
    """Too many uploads stand already: take them in, or drop them."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as far as it has come."""

    id: UUID
    filename: str
    begun_by: str
    begun_at: datetime
    closed_at: datetime | None
    pieces: int
    size: int


_SELECT = """SELECT u.id, u.filename, u.begun_by, u.begun_at, u.closed_at, count(p.number) AS pieces,
                    coalesce(sum(p.size), 0)::bigint AS size
             FROM uploads u LEFT JOIN upload_pieces p ON p.tenant_id = u.tenant_id AND p.upload_id = u.id
             WHERE u.tenant_id = :t"""
_GROUP = "GROUP BY u.tenant_id, u.id"


def begin(tx: Tx, filename: str) -> Upload:
    """Begin a file. Raises TooManyUploads."""
    # two that begin at once are counted one after the other
    tx.run("SELECT 1 FROM tenants WHERE tenant_id = :t FOR NO KEY UPDATE", t=tx.tenant_id)
    if tx.value("SELECT count(*) FROM uploads WHERE tenant_id = :t", t=tx.tenant_id) >= MOST_AT_ONCE:
        raise TooManyUploads(f"{MOST_AT_ONCE} uploads stand already: take them in, or drop them")
    upload_id = tx.clock.uuid()
    tx.run(
        """INSERT INTO uploads (tenant_id, id, filename, begun_by, begun_at)
           VALUES (:t, :id, :filename, :by, :now)""",
        t=tx.tenant_id, id=upload_id, filename=storable.text(filename, 300), by=tx.actor, now=tx.now,
    )  # fmt: skip
    events.record(tx, "upload.begun", "upload", upload_id)
    return get(tx, upload_id)


def get(tx: Tx, upload_id: UUID) -> Upload:
    """One upload. Raises UnknownUpload."""
    row = tx.row(f"{_SELECT} AND u.id = :id {_GROUP}", t=tx.tenant_id, id=upload_id)
    if row is None:
        raise UnknownUpload(f"there is no upload {upload_id}")
    return _load(row)


def listed(tx: Tx, *, before: UUID | None = None, limit: int = 100) -> Sequence[Upload]:
    """The tenant's uploads, newest first, those that came before `before`."""
    rows = tx.rows(
        f"""{_SELECT} AND (CAST(:before AS uuid) IS NULL OR u.id < :before) {_GROUP}
            ORDER BY u.id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def put(tx: Tx, upload_id: UUID, number: int, content: bytes) -> Upload:
    """Keep one piece; the same one again changes nothing.

    Raises UnknownUpload, UploadClosed, InvalidPiece, PieceDiffers.
    """
    if not 1 <= number <= MOST_PIECES or not 1 <= len(content) <= PIECE_BYTES:
        raise InvalidPiece(InvalidPiece.__doc__)
    if _held(tx, upload_id)["closed_at"] is not None:
        raise UploadClosed(UploadClosed.__doc__)
    digest = blobs.digest(content)
    known = tx.value("SELECT digest FROM upload_pieces WHERE tenant_id = :t AND upload_id = :id AND number = :number",
                     t=tx.tenant_id, id=upload_id, number=number)  # fmt: skip
    if known is None:
        tx.run(
            """INSERT INTO upload_pieces (tenant_id, upload_id, number, size, digest, content)
               VALUES (:t, :id, :number, :size, :digest, :content)""",
            t=tx.tenant_id, id=upload_id, number=number, size=len(content), digest=digest, content=content,
        )  # fmt: skip
        events.record(tx, "upload.grown", "upload", upload_id, number=number, size=len(content))
    elif bytes(known) != digest:
        raise PieceDiffers(f"piece {number} came before, with other bytes: begin another upload")
    return get(tx, upload_id)


def close(tx: Tx, upload_id: UUID) -> Upload:
    """An import begins to read it: from now on it stays as it is. Raises UnknownUpload, UploadIncomplete."""
    _held(tx, upload_id)
    complete(tx, upload_id)
    closed = tx.run("UPDATE uploads SET closed_at = :now WHERE tenant_id = :t AND id = :id AND closed_at IS NULL",
                    now=tx.now, t=tx.tenant_id, id=upload_id)  # fmt: skip
    if closed:
        events.record(tx, "upload.closed", "upload", upload_id)
    return get(tx, upload_id)


def complete(tx: Tx, upload_id: UUID) -> Upload:
    """The upload, which has every piece up to its last. Raises UnknownUpload, UploadIncomplete."""
    found = get(tx, upload_id)
    last = tx.value("SELECT max(number) FROM upload_pieces WHERE tenant_id = :t AND upload_id = :id",
                    t=tx.tenant_id, id=upload_id)  # fmt: skip
    if last is None:
        raise UploadIncomplete("piece 1 is missing: nothing was sent yet")
    if found.pieces < last:
        missing = tx.value(
            """SELECT min(n) FROM generate_series(1, CAST(:last AS int)) AS n WHERE NOT EXISTS (
                   SELECT FROM upload_pieces WHERE tenant_id = :t AND upload_id = :id AND number = n)""",
            t=tx.tenant_id, id=upload_id, last=last,
        )  # fmt: skip
        raise UploadIncomplete(f"piece {missing} is missing")
    return found


def piece(tx: Tx, upload_id: UUID, number: int) -> bytes | None:
    """One piece's bytes; None behind the last. Raises UnknownUpload."""
    content = tx.value(
        "SELECT content FROM upload_pieces WHERE tenant_id = :t AND upload_id = :id AND number = :number",
        t=tx.tenant_id, id=upload_id, number=number,
    )  # fmt: skip
    if content is None and number == 1:
        raise UnknownUpload(f"there is no upload {upload_id}")
    return None if content is None else bytes(content)


def place(tx: Tx, upload_id: UUID, behind: int) -> tuple[int, int]:
    """The piece that holds the byte behind so many others, and how many of its own stand before that one."""
    row = tx.row(
        """SELECT number, :behind - (ends - size) AS inside FROM (
               SELECT number, size, sum(size) OVER (ORDER BY number) AS ends FROM upload_pieces
               WHERE tenant_id = :t AND upload_id = :id) AS pieces
           WHERE ends > :behind ORDER BY number LIMIT 1""",
        t=tx.tenant_id, id=upload_id, behind=behind,
    )  # fmt: skip
    # behind the last piece is nothing to be read; where there is no piece at all, reading the first one says so
    return (row["number"], int(row["inside"])) if row else (MOST_PIECES + 1 if behind else 1, 0)


def drop(tx: Tx, upload_id: UUID) -> None:
    """Throw one away. Raises UnknownUpload, UploadClosed while an import reads it."""
    _held(tx, upload_id)
    if upload_id not in _idle(tx):
        raise UploadClosed("an import reads this upload: it goes when that is done")
    _drop(tx, [upload_id])


def drop_read(tx: Tx, upload_id: UUID) -> None:
    """An import is through with it: nobody needs it any more."""
    _drop(tx, [upload_id])


def drop_idle(tx: Tx) -> int:
    """Throw away all that no import is reading, whose people may be in them too; how many."""
    idle = _idle(tx)
    _drop(tx, idle)
    return len(idle)


def _idle(tx: Tx) -> list[UUID]:
    rows = tx.rows(
        """SELECT id FROM uploads u WHERE tenant_id = :t AND NOT EXISTS (
               SELECT FROM imports i WHERE i.tenant_id = u.tenant_id AND i.upload_id = u.id AND i.state = 'running')""",
        t=tx.tenant_id,
    )  # fmt: skip
    return [row["id"] for row in rows]


def _drop(tx: Tx, upload_ids: Sequence[UUID]) -> None:
    gone = tx.rows("DELETE FROM uploads WHERE tenant_id = :t AND id = ANY(:ids) RETURNING id",
                   t=tx.tenant_id, ids=list(upload_ids))  # fmt: skip
    events.record_all(tx, [events.News("upload.dropped", "upload", row["id"]) for row in gone])


def _held(tx: Tx, upload_id: UUID) -> Row:
    row = tx.row("SELECT closed_at FROM uploads WHERE tenant_id = :t AND id = :id FOR UPDATE",
                 t=tx.tenant_id, id=upload_id)  # fmt: skip
    if row is None:
        raise UnknownUpload(f"there is no upload {upload_id}")
    return row


def _load(row: Row) -> Upload:
    return Upload(**{name: row[name] for name in Upload.__slots__})
