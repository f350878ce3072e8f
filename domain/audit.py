"""The audit log: who did what, when and why, append-only and chained by hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from domain.db import Tx

GENESIS = bytes(32)

REDACTION = "person.redact"
"""The line that says which others lost the words that spoke of an erased person; it stands in the chain like any."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an audit log."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str | None
    detail: Mapping[str, Any]
    hash: bytes


def record(tx: Tx, action: str, subject: str, *, reason: str | None = None, **detail: Any) -> int:
    """Append a line to the tenant's log; its number."""
    tx.run("SELECT pg_advisory_xact_lock(9, hashtext(:t))", t=str(tx.tenant_id))
    return _append(tx, "hourhand.audit_log", action, subject, reason, detail, tenant=str(tx.tenant_id))


def record_control(tx: Tx, action: str, subject: str, *, reason: str | None = None, **detail: Any) -> int:
    """Append a line to the house's own log, in a transaction that wears control; its number."""
    tx.run("SELECT pg_advisory_xact_lock(9, 0)")
    return _append(tx, "control.audit_log", action, subject, reason, detail, tenant=None)


def read(tx: Tx, *, before: int | None = None, limit: int = 100) -> list[Line]:
    """The tenant's newest lines first, those before number `before`."""
    return _read(tx, "hourhand.audit_log", before, limit)


def read_control(tx: Tx, *, before: int | None = None, limit: int = 100) -> list[Line]:
    """The house's newest lines first, in a transaction that wears control."""
    return _read(tx, "control.audit_log", before, limit)


def broken_at(tx: Tx, *, control: bool = False) -> int | None:
    """The number of the first line whose hash does not follow from the lines before it, or None."""
    table = "control.audit_log" if control else "hourhand.audit_log"
    tenant = None if control else str(tx.tenant_id)
    previous = GENESIS
    changed: list[int] = []
    redacted: set[int] = set()
    for at, row in enumerate(tx.rows(f"SELECT * FROM {table} ORDER BY seq"), start=1):
        told = (row["actor"], row["action"], row["subject"], row["reason"], row["detail"])
        if row["seq"] != at or bytes(row["previous_hash"]) != previous:
            return min([*(each for each in changed if each not in redacted), int(row["seq"])])
        if bytes(row["hash"]) != _hash(previous, tenant, row["seq"], row["at"], *told):
            changed.append(at)
        elif row["action"] == REDACTION:
            redacted.update(row["detail"]["lines"])
        previous = bytes(row["hash"])
    return next((each for each in changed if each not in redacted), None)


def _append(
    tx: Tx, table: str, action: str, subject: str, reason: str | None, detail: Mapping[str, Any], *, tenant: str | None
) -> int:
    last = tx.row(f"SELECT seq, hash FROM {table} ORDER BY seq DESC LIMIT 1")
    seq = last["seq"] + 1 if last else 1
    previous = bytes(last["hash"]) if last else GENESIS
    digest = _hash(previous, tenant, seq, tx.now, tx.actor, action, subject, reason, detail)
    column, value = ("tenant_id, ", "CAST(:tenant AS uuid), ") if tenant else ("", "")
    tx.run(
        f"""INSERT INTO {table} ({column}seq, at, actor, action, subject, reason, detail, previous_hash, hash)
            VALUES ({value}:seq, :at, :actor, :action, :subject, :reason, :detail, :previous, :hash)""",
        seq=seq, at=tx.now, actor=tx.actor, action=action, subject=subject, reason=reason, detail=dict(detail),
        previous=previous, hash=digest, **({"tenant": tenant} if tenant else {}),
    )  # fmt: skip
    return seq


def _read(tx: Tx, table: str, before: int | None, limit: int) -> list[Line]:
    rows = tx.rows(
        f"SELECT * FROM {table} WHERE CAST(:before AS bigint) IS NULL OR seq < :before ORDER BY seq DESC LIMIT :limit",
        before=before, limit=limit,
    )  # fmt: skip
    return [Line(**{name: row[name] for name in Line.__slots__}) for row in rows]


def _hash(previous: bytes, tenant: str | None, seq: int, at: datetime, *fields: Any) -> bytes:
    told = json.dumps(
        [tenant, seq, at.isoformat(), *map(_spelled, fields)], sort_keys=True, default=str, ensure_ascii=False
    )
    return hashlib.sha256(previous + told.encode()).digest()


def _spelled(told: Any) -> Any:
    """JSON as the database will give it back: there a number has one spelling, whether it was 1e16 or an integer."""
    if isinstance(told, Mapping):
        return {str(name): _spelled(each) for name, each in told.items()}
    if isinstance(told, list | tuple):
        return [_spelled(each) for each in told]
    if isinstance(told, int | float) and not isinstance(told, bool):
        number = f"{Decimal(str(told)) + 0:f}" if isinstance(told, float) else str(told)
        return {"number": number.rstrip("0").rstrip(".") if "." in number else number}
    return told
