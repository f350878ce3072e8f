"""Erasures: whom somebody asked to be forgotten, how far that has come, and that it was done; never who it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import audit, events, storable
from domain.db import Row, Tx
from domain.traces import Traces
from domain.vault import Sealed, Vault


class UnknownErasure(LookupError):
    """The tenant has no such erasure."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One person who is being forgotten."""

    id: UUID
    contact_id: UUID | None
    asked_by: str
    reason: str
    asked_at: datetime
    passed: Sequence[str]
    found: Mapping[str, int]
    finished_at: datetime | None


COLUMNS = ", ".join(Erasure.__slots__)


def begin(tx: Tx, vault: Vault, contact_id: UUID | None, traces: Traces, *, reason: str) -> Erasure:
    """Note that somebody is to be forgotten; by what they are found is sealed until it is done."""
    erasure_id = tx.clock.uuid()
    sealed = vault.seal(tx.tenant_id, _purpose(erasure_id), traces.to_json())
    row = tx.row(
        f"""INSERT INTO erasures (tenant_id, id, contact_id, traces_ciphertext, traces_key_id, asked_by, reason,
                asked_at)
            VALUES (:t, :id, :contact, :sealed, :key, :by, :reason, :now) RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=erasure_id, contact=contact_id, sealed=sealed.ciphertext, key=sealed.key_id, by=tx.actor,
        reason=traces.without(storable.text(reason, 500)), now=tx.now,
    )  # fmt: skip
    assert row is not None
    return _load(row)


def get(tx: Tx, erasure_id: UUID) -> Erasure:
    """One erasure. Raises UnknownErasure."""
    row = tx.row(f"SELECT {COLUMNS} FROM erasures WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=erasure_id)
    if row is None:
        raise UnknownErasure(f"there is no erasure {erasure_id}")
    return _load(row)


def listed(tx: Tx, *, before: UUID | None = None, limit: int = 100) -> Sequence[Erasure]:
    """The tenant's erasures, newest first, those that were asked for before `before`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM erasures WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before)
            ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def unfinished(tx: Tx) -> Sequence[Erasure]:
    """Those that were cut short, oldest first."""
    rows = tx.rows(
        f"SELECT {COLUMNS} FROM erasures WHERE tenant_id = :t AND finished_at IS NULL ORDER BY id", t=tx.tenant_id
    )
    return [_load(row) for row in rows]


def traces_of(tx: Tx, vault: Vault, erasure: Erasure) -> Traces:
    """By what the person is found. Raises UnknownErasure once it is done, SecretUnreadable."""
    row = tx.row(
        "SELECT traces_ciphertext, traces_key_id FROM erasures WHERE tenant_id = :t AND id = :id",
        t=tx.tenant_id, id=erasure.id,
    )  # fmt: skip
    if row is None or row["traces_ciphertext"] is None:
        raise UnknownErasure("this person is forgotten already")
    sealed = Sealed(bytes(row["traces_ciphertext"]), row["traces_key_id"])
    return Traces.from_json(vault.open(tx.tenant_id, _purpose(erasure.id), sealed))


def passed(tx: Tx, erasure: Erasure, step: str, found: int) -> Erasure:
    """A step is done; in it so many rows spoke of the person."""
    row = tx.row(
        f"""UPDATE erasures SET passed = array_append(passed, :step),
                found = found || jsonb_build_object(CAST(:step AS text),
                                                    coalesce(CAST(found ->> :step AS int), 0) + CAST(:found AS int))
            WHERE tenant_id = :t AND id = :id RETURNING {COLUMNS}""",
        step=step, found=found, t=tx.tenant_id, id=erasure.id,
    )  # fmt: skip
    assert row is not None
    return _load(row)


def once_more(tx: Tx, erasure: Erasure) -> Erasure:
    """Go through every table again: something was still written while the last pass was under way."""
    row = tx.row(
        f"""UPDATE erasures SET passed = ARRAY['self', 'uploads', 'messages']
            WHERE tenant_id = :t AND id = :id RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=erasure.id,
    )  # fmt: skip
    assert row is not None
    return _load(row)


def redact(tx: Tx, erasure: Erasure, lines: Sequence[int]) -> None:
    """Say in the audit log which of its lines are about to lose words, so that this is no tampering."""
    audit.record(tx, audit.REDACTION, str(erasure.id), lines=list(lines))


def finish(tx: Tx, erasure: Erasure) -> Erasure:
    """Nothing is left of the person, nor of what they were found by."""
    row = tx.row(
        f"""UPDATE erasures SET traces_ciphertext = NULL, traces_key_id = NULL, finished_at = :now
            WHERE tenant_id = :t AND id = :id RETURNING {COLUMNS}""",
        now=tx.now, t=tx.tenant_id, id=erasure.id,
    )  # fmt: skip
    assert row is not None
    found: dict[str, Any] = {name: count for name, count in row["found"].items() if count}
    audit.record(tx, "person.erase", str(erasure.id), reason=erasure.reason, found=found)
    events.record(tx, "person.erased", "erasure", erasure.id, contact_id=erasure.contact_id, found=found)
    return _load(row)


def _purpose(erasure_id: UUID) -> str:
    return f"erasure:{erasure_id}"


def _load(row: Row) -> Erasure:
    return Erasure(**{name: row[name] for name in Erasure.__slots__})
