"""Repeated requests: the same key with the same body is answered as the first time, and done once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.db import Tx

ABANDONED_SECONDS = 120
"""A request that was claimed so long ago and never answered died with its process: the next one takes it over."""


class KeyReused(Exception):
    """This Idempotency-Key was used for another request body: use a new key for a new request."""


class StillRunning(Exception):
    """The first request with this Idempotency-Key has not been answered yet: ask again in a moment."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first request was answered."""

    status: int
    body: Any


def claim(tx: Tx, *, route: str, key: str, body: bytes, house: bool = False) -> Answer | None:
    """Take a request on; None when it is new and must be done, else the answer that it already got.

    Claim, do and `complete` in one transaction where that is possible: a repetition then waits for it. With `house`
    the transaction wears control. Raises KeyReused, StillRunning.
    """
    table, mine, values = _where(tx, house)
    digest = hashlib.sha256(body).digest()
    column, value = ("", "") if house else ("tenant_id, ", ":t, ")
    fresh = tx.run(
        f"""INSERT INTO {table} ({column}key, route, request_hash, created_at) VALUES ({value}:key, :route, :hash, :now)
            ON CONFLICT DO NOTHING""",
        key=key, route=route, hash=digest, now=tx.now, **values,
    )  # fmt: skip
    if fresh:
        return None
    row = tx.row(
        f"""SELECT request_hash, status, response, created_at FROM {table}
            WHERE {mine} AND route = :route AND key = :key FOR UPDATE""",
        route=route, key=key, **values,
    )  # fmt: skip
    if row is None:
        raise StillRunning(StillRunning.__doc__)
    if bytes(row["request_hash"]) != digest:
        raise KeyReused(KeyReused.__doc__)
    if row["status"] is not None:
        return Answer(row["status"], _unwrap(row["response"]))
    if tx.now - row["created_at"] < timedelta(seconds=ABANDONED_SECONDS):
        raise StillRunning(StillRunning.__doc__)
    tx.run(f"UPDATE {table} SET created_at = :now WHERE {mine} AND route = :route AND key = :key",
           now=tx.now, route=route, key=key, **values)  # fmt: skip
    return None


def complete(tx: Tx, *, route: str, key: str, status: int, body: Any, house: bool = False) -> None:
    """Store what a claimed request was answered."""
    table, mine, values = _where(tx, house)
    tx.run(
        f"UPDATE {table} SET status = :status, response = :body WHERE {mine} AND route = :route AND key = :key",
        status=status, body={"body": body}, route=route, key=key, **values,
    )  # fmt: skip


def release(tx: Tx, *, route: str, key: str, house: bool = False) -> None:
    """Give up a claim whose request failed before it did anything, so that it may be tried again."""
    table, mine, values = _where(tx, house)
    tx.run(f"DELETE FROM {table} WHERE {mine} AND route = :route AND key = :key AND status IS NULL",
           route=route, key=key, **values)  # fmt: skip


def _where(tx: Tx, house: bool) -> tuple[str, str, dict[str, Any]]:
    if house:
        return "control.idempotent_requests", "true", {}
    return "hourhand.idempotent_requests", "tenant_id = :t", {"t": tx.tenant_id}


def _unwrap(stored: Mapping[str, Any] | None) -> Any:
    # wrapped, because a bare list or null is no JSON object
    return stored["body"] if stored else None
