"""Central rate limits: windows that are checked and counted up in one atomic statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.db import Row, Tx


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `limit` actions under `key` in one window."""

    key: str
    window_start: datetime
    window_end: datetime
    limit: int


def take(tx: Tx, caps: Sequence[Cap]) -> Cap | None:
    """Count one action against every cap, or against none; the cap that is full, if one is.

    Rows are taken in key order, so that two takers never wait for each other in a circle.
    """
    if not caps:
        return None
    ordered = sorted(caps, key=lambda cap: cap.key)
    taken = tx.rows(
        """WITH wished AS (
               SELECT * FROM unnest(CAST(:keys AS text[]), CAST(:starts AS timestamptz[]), CAST(:limits AS int[]))
               AS w (key, window_start, most))
           INSERT INTO agent_rate_limits AS used (tenant_id, key, window_start, used)
           SELECT :tenant, key, window_start, 1 FROM wished WHERE most > 0 ORDER BY key
           ON CONFLICT (tenant_id, key, window_start) DO UPDATE SET used = used.used + 1
           WHERE used.used < (SELECT most FROM wished w WHERE w.key = excluded.key)
           RETURNING key""",
        tenant=tx.tenant_id, keys=[cap.key for cap in ordered], starts=[cap.window_start for cap in ordered],
        limits=[cap.limit for cap in ordered],
    )  # fmt: skip
    got = {row["key"] for row in taken}
    full = [cap for cap in ordered if cap.key not in got]
    if not full:
        return None
    give_back(tx, [cap for cap in ordered if cap.key in got])
    return max(full, key=lambda cap: cap.window_end)


def give_back(tx: Tx, caps: Sequence[Cap]) -> None:
    """Undo a `take` whose action certainly did not happen."""
    tx.run(
        """UPDATE agent_rate_limits u SET used = u.used - 1
           FROM unnest(CAST(:keys AS text[]), CAST(:starts AS timestamptz[])) AS w (key, window_start)
           WHERE u.tenant_id = :tenant AND u.key = w.key AND u.window_start = w.window_start AND u.used > 0""",
        tenant=tx.tenant_id, keys=[cap.key for cap in caps], starts=[cap.window_start for cap in caps],
    )  # fmt: skip


def counted(tx: Tx, since: datetime) -> Sequence[Row]:
    """What was counted under each key in the windows that began since then: key, window_start, used."""
    return tx.rows(
        """SELECT key, window_start, used FROM agent_rate_limits WHERE tenant_id = :t AND window_start >= :since
           ORDER BY key, window_start""",
        t=tx.tenant_id, since=since,
    )  # fmt: skip


def used(tx: Tx, caps: Sequence[Cap]) -> dict[str, int]:
    """How much of each cap is used, by key."""
    rows = tx.rows(
        """SELECT key, window_start, used FROM agent_rate_limits WHERE tenant_id = :tenant AND key = ANY(:keys)""",
        tenant=tx.tenant_id, keys=[cap.key for cap in caps],
    )  # fmt: skip
    starts = {cap.key: cap.window_start for cap in caps}
    return {row["key"]: row["used"] for row in rows if row["window_start"] == starts[row["key"]]}
