"""Central rate limits: windows that are checked and counted up in one atomic statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from domain.db import Row, Tx


class Cap(NamedTuple):
    """At most `limit` actions under `key` in one window."""

    key: str
    window_start: datetime
    window_end: datetime
    limit: int


def take(tx: Tx, caps: Sequence[Cap]) -> Cap | None:
    """Count one action against every cap, or against none; the cap that is full, if one is."""
    return take_each(tx, [caps])[0]


def take_each(tx: Tx, wishes: Sequence[Sequence[Cap]]) -> list[Cap | None]:
    """Count several actions in their order, each against every cap of its own or against none; whose cap is full.

    For each action the full cap that lasts longest, or None where it was counted.
    """
    used = _held_counts(tx, {(cap.key, cap.window_start) for wish in wishes for cap in wish})
    refused: list[Cap | None] = []
    taken: Counter[tuple[str, datetime]] = Counter()
    for wish in wishes:
        full = [cap for cap in wish if used[cap.key, cap.window_start] >= cap.limit]
        refused.append(max(full, key=lambda cap: cap.window_end) if full else None)
        if not full:
            counted = {(cap.key, cap.window_start) for cap in wish}
            used.update(counted)
            taken.update(counted)
    if taken:
        tx.run(
            """UPDATE agent_rate_limits u SET used = u.used + w.more
               FROM unnest(CAST(:keys AS text[]), CAST(:starts AS timestamptz[]), CAST(:more AS int[]))
                    AS w (key, window_start, more)
               WHERE u.tenant_id = :tenant AND u.key = w.key AND u.window_start = w.window_start""",
            tenant=tx.tenant_id, keys=[key for key, _ in taken], starts=[start for _, start in taken],
            more=list(taken.values()),
        )  # fmt: skip
    return refused


def _held_counts(tx: Tx, windows: Collection[tuple[str, datetime]]) -> Counter[tuple[str, datetime]]:
    """What is used in each window; nobody else can count there before the commit.

    Rows are taken in order, so that two takers never wait for each other in a circle.
    """
    if not windows:
        return Counter()
    ordered = sorted(windows)
    rows = tx.rows(
        """INSERT INTO agent_rate_limits AS used (tenant_id, key, window_start, used)
           SELECT :tenant, key, window_start, 0
           FROM unnest(CAST(:keys AS text[]), CAST(:starts AS timestamptz[])) AS w (key, window_start)
           ORDER BY key, window_start
           ON CONFLICT (tenant_id, key, window_start) DO UPDATE SET used = used.used
           RETURNING key, window_start, used""",
        tenant=tx.tenant_id, keys=[key for key, _ in ordered], starts=[start for _, start in ordered],
    )  # fmt: skip
    return Counter({(row["key"], row["window_start"]): row["used"] for row in rows})


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
