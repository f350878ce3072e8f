"""A person erased: suppressed first, then gone through table by table until a whole pass finds nothing of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from uuid import UUID

from brain.reading.parse import decode_header, headers_of, parse, part_text, walk
from domain import blobs, erasures, forgetting, import_traces, uploads
from domain.db import Database, Tx
from domain.erasures import Erasure
from domain.forgetting import Columns
from domain.traces import Traces
from domain.vault import Vault

ROWS = 500
BLOBS = 20
BLOB_BYTES = 1 << 22
"""So many bytes of files are looked into at once, and one where it alone is larger."""
MOST_PASSES = 5


class NeverEnds(Exception):
    """Something keeps writing about this person: stop the tenant's agent, then ask again."""


def _silent(_step: str, _rows: int) -> None:
    """Hears how far it came, and says nothing."""


@dataclass(frozen=True, slots=True)
class Work:
    """What forgetting one person needs."""

    database: Database
    vault: Vault
    tenant_id: UUID
    by: str
    traces: Traces


def run(
    database: Database, vault: Vault, tenant_id: UUID, *, contact_id: UUID | None = None, address: str | None = None,
    reason: str, by: str, seconds: float | None = None, progress: Callable[[str, int], None] = _silent,
) -> Erasure:  # fmt: skip
    """Forget a contact, or whoever has an address, for at most so many `seconds`; how far it came.

    Only keyed hashes of the addresses stay, so that nobody writes to them again. Raises UnknownContact, StillSending.
    """
    with database.tenant(tenant_id, actor=by) as tx:
        erasure = begin(tx, vault, contact_id=contact_id, address=address, reason=reason)
    return go_on(database, vault, tenant_id, erasure, by=by, seconds=seconds, progress=progress)


def begin(tx: Tx, vault: Vault, *, contact_id: UUID | None, address: str | None, reason: str) -> Erasure:
    """Suppress them at once, and note that they are to be forgotten. Raises UnknownContact."""
    person, traces = forgetting.known_by(tx, contact_id=contact_id, address=address)
    forgetting.suppress(tx, vault, traces)
    return erasures.begin(tx, vault, person, traces, reason=reason)


def preview(database: Database, tenant_id: UUID, *, contact_id: UUID | None, address: str | None) -> dict[str, int]:
    """How many rows of each table speak of the person now, mails and files aside. Raises UnknownContact."""
    with database.reading(tenant_id) as tx:
        _, traces = forgetting.known_by(tx, contact_id=contact_id, address=address)
        counts = {columns.table: forgetting.count(tx, columns, traces) for columns in forgetting.worded(tx)}
    return {table: rows for table, rows in counts.items() if rows}


def go_on(
    database: Database, vault: Vault, tenant_id: UUID, erasure: Erasure, *, by: str, seconds: float | None = None,
    progress: Callable[[str, int], None] = _silent,
) -> Erasure:  # fmt: skip
    """Go on with an erasure where it stands. Raises StillSending, NeverEnds."""
    ends = None if seconds is None else database.clock.monotonic() + seconds
    with database.tenant(tenant_id, actor=by) as tx:
        work = Work(database, vault, tenant_id, by, erasures.traces_of(tx, vault, erasure))
    for _ in range(MOST_PASSES):
        found = 0
        for step, does in _steps(work, erasure):
            if step in erasure.passed:
                continue
            rows = does()
            found += rows
            with database.tenant(tenant_id, actor=by) as tx:
                erasure = erasures.passed(tx, erasure, step, rows)
            progress(step, rows)
            if ends is not None and database.clock.monotonic() >= ends:
                return erasure
        with database.tenant(tenant_id, actor=by) as tx:
            if not found:
                return erasures.finish(tx, erasure)
            erasure = erasures.once_more(tx, erasure)
    raise NeverEnds(NeverEnds.__doc__)


def _steps(work: Work, erasure: Erasure) -> list[tuple[str, Callable[[], int]]]:
    with work.database.tenant(work.tenant_id, actor=work.by) as tx:
        tables = forgetting.worded(tx)

    def table(columns: Columns) -> Callable[[], int]:
        return lambda: _table(work, erasure, columns)

    return [
        # first: by their id in another system, which goes with their record, kept rows are known to be theirs
        ("kept rows", lambda: _kept_rows(work, erasure)),
        ("self", lambda: _self(work, erasure)),
        ("uploads", lambda: _uploads(work)),
        ("messages", lambda: _messages(work, erasure)),
        ("blobs", lambda: _blobs(work)),
        *((columns.table, table(columns)) for columns in tables),
    ]


def _kept_rows(work: Work, erasure: Erasure) -> int:
    with work.database.tenant(work.tenant_id, actor=work.by) as tx:
        return import_traces.empty(tx, erasure.contact_id, work.traces)


def _self(work: Work, erasure: Erasure) -> int:
    if erasure.contact_id is None:
        return 0
    with work.database.tenant(work.tenant_id, actor=work.by) as tx:
        forgetting.blank_account(tx, work.traces)
        forgetting.blank_contact(tx, erasure.contact_id)
    return 1


def _uploads(work: Work) -> int:
    """Files that wait to be taken in go: one that is being read goes by itself, and they are in none that comes."""
    with work.database.tenant(work.tenant_id, actor=work.by) as tx:
        uploads.drop_idle(tx)
    return 0


def _messages(work: Work, erasure: Erasure) -> int:
    total = 0
    while True:
        with work.database.tenant(work.tenant_id, actor=work.by) as tx:
            some = forgetting.blank_messages(tx, erasure.contact_id, work.traces)
        if not some:
            return total
        total += some


def _blobs(work: Work) -> int:
    """Look into every file and every mail: in those of others, too, the person may be spoken of."""
    after, total = b"", 0
    while True:
        with work.database.tenant(work.tenant_id, actor=work.by) as tx:
            rows = forgetting.blobs_behind(tx, after, limit=BLOBS, most_bytes=BLOB_BYTES)
            speaking = [bytes(row["sha256"]) for row in rows
                        if _speaks(work.traces, bytes(row["bytes"]), is_message=row["is_message"])]  # fmt: skip
            if speaking:
                blobs.put(tx, b"")
        if speaking:
            with work.database.rewriting(work.tenant_id, actor=work.by) as tx:
                forgetting.replace_blobs(tx, speaking)
        if not rows:
            return total
        after, total = bytes(rows[-1]["sha256"]), total + len(speaking)


def _speaks(traces: Traces, content: bytes, *, is_message: bool) -> bool:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    if traces.found_in(content.decode(encoding, errors="replace")):
        return True
    return is_message and any(map(traces.found_in, _texts(parse(content).message)))


def _texts(message: Message) -> Iterator[str]:
    """The words of a mail as its reader sees them, those of mails that it carries included."""
    for values in headers_of(message).values():
        yield from map(decode_header, values)
    for part, _ in walk(message):
        yield from (decode_header(each) for values in headers_of(part).values() for each in values)
        if part.get_content_maintype() == "text":
            yield part_text(part)
        elif part.get_content_maintype() == "message" and isinstance(carried := part.get_payload(), list):
            yield from (text for each in carried if isinstance(each, Message) for text in _texts(each))


def _table(work: Work, erasure: Erasure, columns: Columns) -> int:
    """Free one table of them, some rows at a time."""
    total = 0
    while True:
        with work.database.tenant(work.tenant_id, actor=work.by) as tx:
            rows = forgetting.speaking(tx, columns, work.traces, limit=ROWS)
            if rows and columns.table == "audit_log":
                erasures.redact(tx, erasure, [row["seq"] for row in rows])
        if not rows:
            return total
        with work.database.rewriting(work.tenant_id, actor=work.by) as tx:
            done = forgetting.rewrite(tx, columns, rows, work.traces)
        total += done
        if not done:
            return total
