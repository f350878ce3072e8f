"""An import undone, a transaction per some records; cut short, it is gone on with by asking again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from domain import import_undo, imports
from domain.db import Database, Row
from domain.imports import Batch

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Trial:
    """What an undo would come to."""

    batch: Batch
    left: Sequence[Row]
    """The first records that would be left alone, each with the reason."""
    looked_at: int
    has_more: bool
    """Whether the import did more than was looked at."""


class _Tried(Exception):
    """Ends a trial, so that nothing of it stays."""


def run(
    database: Database, tenant_id: UUID, import_id: UUID, *, by: str, progress: Callable[[int], None] = lambda _: None,
    chunk: int = CHUNK, seconds: float | None = None,
) -> Batch:  # fmt: skip
    """Undo an import, for at most so many `seconds`; how far it came. What was touched since is left alone, and told.

    Raises UnknownImport, ImportElsewhere.
    """
    with database.tenant(tenant_id, actor=by) as tx:
        imports.begin_undo(tx, import_id)
    return go_on(database, tenant_id, import_id, by=by, progress=progress, chunk=chunk, seconds=seconds)


def go_on(
    database: Database, tenant_id: UUID, import_id: UUID, *, by: str, progress: Callable[[int], None] = lambda _: None,
    chunk: int = CHUNK, seconds: float | None = None,
) -> Batch:  # fmt: skip
    """Go on with an undo that was begun, for at most so many `seconds`. Raises ImportElsewhere."""
    ends = None if seconds is None else database.clock.monotonic() + seconds
    while True:
        with database.tenant(tenant_id, actor=by) as tx:
            tx.plan_anew()
            imports.hold(tx, import_id)
            deeds = imports.deeds(tx, import_id, limit=chunk)
            if not deeds:
                return imports.end_undo(tx, import_id)
            batch = imports.undid(tx, import_id, import_undo.undo(tx, deeds))
        progress(batch.undone + batch.left_alone)
        if ends is not None and database.clock.monotonic() >= ends:
            return batch


def preview(database: Database, tenant_id: UUID, import_id: UUID, *, by: str, most: int = 5_000) -> Trial:
    """What an undo would come to, by doing it to at most so many records and taking that back."""
    trial: Trial | None = None
    looked_at = 0
    try:
        with database.tenant(tenant_id, actor=by) as tx:
            batch = imports.begin_undo(tx, import_id)
            while looked_at < most and (deeds := imports.deeds(tx, import_id, limit=CHUNK)):
                batch = imports.undid(tx, import_id, import_undo.undo(tx, deeds))
                looked_at += len(deeds)
            trial = Trial(batch, imports.left_alone(tx, import_id), looked_at,
                          has_more=bool(imports.deeds(tx, import_id, limit=1)))  # fmt: skip
            raise _Tried
    except _Tried:
        assert trial is not None
        return trial
