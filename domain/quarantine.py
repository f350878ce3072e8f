"""Quarantine: what could not be taken in, kept with its reason, tried again a few times, then replayed by a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from domain import storable
from domain.db import Row, Tx

Kind = Literal["message", "webhook", "event", "csv_row", "job"]

TRIES = 5
"""Past so many failures an item is a dead letter: it is left alone until a person replays it."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in quarantine."""

    id: UUID
    kind: Kind
    source: str
    """What names it where it came from: mailbox and message id, event id, file and line."""
    reason: str
    field: str | None
    blob_sha256: bytes | None
    attempts: int
    created_at: datetime
    replayed_at: datetime | None

    @property
    def is_dead(self) -> bool:
        """It is not tried again by itself."""
        return self.attempts >= TRIES


COLUMNS = ", ".join(Item.__slots__)


def note(
    tx: Tx, kind: Kind, source: str, reason: str, *, field: str | None = None, blob_sha256: bytes | None = None
) -> int:  # fmt: skip
    """Keep a thing that could not be taken in, or count one more failure of it; the number of failures so far."""
    return int(tx.value(
        """INSERT INTO quarantine AS q (tenant_id, id, kind, source, reason, field, blob_sha256, created_at)
           VALUES (:t, :id, :kind, :source, :reason, :field, :blob, :now)
           ON CONFLICT (tenant_id, kind, source) DO UPDATE SET attempts = q.attempts + 1, reason = excluded.reason,
               field = excluded.field, blob_sha256 = coalesce(excluded.blob_sha256, q.blob_sha256), replayed_at = NULL
           RETURNING attempts""",
        t=tx.tenant_id, id=tx.clock.uuid(), kind=kind, source=source, reason=storable.text(reason, 1000), field=field,
        blob=blob_sha256, now=tx.now,
    ))  # fmt: skip


def put(tx: Tx, *, kind: Kind, source: str, reason: str, attempts: int = TRIES) -> None:
    """Lay a thing with the dead letters whose failures were counted elsewhere."""
    note(tx, kind, source, reason)
    tx.run(
        "UPDATE quarantine SET attempts = :attempts WHERE tenant_id = :t AND kind = :kind AND source = :source",
        attempts=attempts, t=tx.tenant_id, kind=kind, source=source,
    )  # fmt: skip


def waiting(tx: Tx, kind: Kind, prefix: str, *, limit: int = 100) -> Sequence[Item]:
    """What is to be tried again among the sources that begin with `prefix`, oldest first; dead letters are not."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM quarantine WHERE tenant_id = :t AND kind = :kind AND starts_with(source, :prefix)
            AND replayed_at IS NULL AND attempts < :tries ORDER BY created_at, id LIMIT :limit""",
        t=tx.tenant_id, kind=kind, prefix=prefix, tries=TRIES, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def sources(tx: Tx, kind: Kind, prefix: str) -> frozenset[str]:
    """Every source of a kind that begins with `prefix` and was not taken in since, dead letters included."""
    rows = tx.rows(
        """SELECT source FROM quarantine WHERE tenant_id = :t AND kind = :kind AND starts_with(source, :prefix)
           AND replayed_at IS NULL""",
        t=tx.tenant_id, kind=kind, prefix=prefix,
    )  # fmt: skip
    return frozenset(row["source"] for row in rows)


def taken_in(tx: Tx, kind: Kind, taken: Sequence[str]) -> int:
    """These sources were taken in after all; how many had been in quarantine."""
    if not taken:
        return 0
    return tx.run(
        """UPDATE quarantine SET replayed_at = :now
           WHERE tenant_id = :t AND kind = :kind AND source = ANY(:taken) AND replayed_at IS NULL""",
        t=tx.tenant_id, kind=kind, taken=list(taken), now=tx.now,
    )  # fmt: skip


def put_back(tx: Tx, item_id: UUID, *, still_waits: bool) -> None:
    """Count an item's failures from nothing again; unless it `still_waits` here, whoever fails on it notes it anew."""
    tx.run(
        """UPDATE quarantine SET attempts = 0, replayed_at = CASE WHEN :waits THEN NULL ELSE :now END
           WHERE tenant_id = :t AND id = :id""",
        waits=still_waits, now=tx.now, t=tx.tenant_id, id=item_id,
    )  # fmt: skip


def listed(tx: Tx, *, before: UUID | None = None, limit: int = 100) -> Sequence[Item]:
    """What is in quarantine, newest first, those that came before item `before`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM quarantine WHERE tenant_id = :t AND replayed_at IS NULL
            AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def _load(row: Row) -> Item:
    blob = row["blob_sha256"]
    told = {name: row[name] for name in Item.__slots__} | {"blob_sha256": bytes(blob) if blob is not None else None}
    return Item(**told)
