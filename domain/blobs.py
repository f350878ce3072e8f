"""Blobs: bytes by their own hash, stored once per tenant however often they arrive."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from domain.db import Tx


def digest(content: bytes) -> bytes:
    """The SHA-256 by which bytes are known."""
    return hashlib.sha256(content).digest()


def put(tx: Tx, content: bytes) -> bytes:
    """Store bytes; their digest."""
    return put_all(tx, [content])[0]


def put_all(tx: Tx, contents: Iterable[bytes]) -> list[bytes]:
    """Store several in one statement; their digests, in order."""
    given = list(contents)
    digests = [digest(content) for content in given]
    # in order of their digests: two batches that share blobs then can't wait for each other in a ring
    fresh = dict(sorted(zip(digests, given, strict=True)))
    if fresh:
        tx.run(
            """INSERT INTO blobs (tenant_id, sha256, size, bytes, created_at)
               SELECT :t, b.sha256, length(b.bytes), b.bytes, :now
               FROM unnest(CAST(:digests AS bytea[]), CAST(:contents AS bytea[])) AS b (sha256, bytes)
               ON CONFLICT DO NOTHING""",
            t=tx.tenant_id, now=tx.now, digests=list(fresh), contents=list(fresh.values()),
        )  # fmt: skip
    return digests


def get(tx: Tx, sha256: bytes) -> bytes | None:
    """The bytes of a digest, or None."""
    content = tx.value(
        "SELECT bytes FROM blobs WHERE tenant_id = :t AND sha256 = :digest", t=tx.tenant_id, digest=sha256
    )
    return bytes(content) if content is not None else None
