"""No silence: every obligation due this hour with what became of it; the list is stored with the run and adds up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.db import Row, Tx

DISPOSITIONS = (
    "acted", "blocked", "deferred", "held", "awaiting_approval", "in_flight", "failed", "uncertain", "expired",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Due:
    """An obligation as an engine reported it."""

    kind: str
    subject_type: str
    subject_id: str
    due_at: datetime
    dedupe_key: str | None
    disposition: str | None
    rule: str | None
    reason: str | None
    until: datetime | None
    count: int = 1
    of_many: bool = False
    """It stands for all that rest for one reason, which were not looked at one by one."""


def count(tx: Tx, run_id: UUID) -> int:
    """How much the run's lines count."""
    return int(tx.value("SELECT coalesce(sum(count), 0) FROM run_obligations WHERE tenant_id = :t AND run_id = :run",
                        t=tx.tenant_id, run=run_id))  # fmt: skip


def open_lines(tx: Tx, run_id: UUID, dues: Sequence[Due]) -> int:
    """Write a line for every obligation, each tied to the newest card of its intention; what the run's lines count now.

    Again after a crash, the lines that are there stay, and count.
    """
    if not dues:
        return 0
    lines = tx.value(
        """WITH due AS (
               SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:subject_types AS text[]),
                   CAST(:subject_ids AS text[]), CAST(:dues AS timestamptz[]), CAST(:keys AS text[]),
                   CAST(:dispositions AS text[]), CAST(:rules AS text[]), CAST(:reasons AS text[]),
                   CAST(:untils AS timestamptz[]), CAST(:counts AS int[]), CAST(:manies AS boolean[]))
               AS d (kind, subject_type, subject_id, due_at, dedupe_key, disposition, rule, reason, until, count,
                     of_many)),
           newest AS (
               SELECT DISTINCT ON (dedupe_key) dedupe_key, id FROM kanban_cards
               WHERE tenant_id = :t AND dedupe_key = ANY(:keys) ORDER BY dedupe_key, state_changed_at DESC, id DESC),
           made AS (
           INSERT INTO run_obligations (tenant_id, run_id, kind, subject_type, subject_id, due_at, disposition, rule,
                                        reason, until, card_id, count, of_many)
           SELECT :t, :run, d.kind, d.subject_type, d.subject_id, d.due_at, coalesce(d.disposition, 'deferred'),
                  coalesce(d.rule, 'cycle.not_reached'), coalesce(d.reason, 'not reached in this cycle'), d.until, n.id,
                  d.count, d.of_many
           FROM due d LEFT JOIN newest n USING (dedupe_key)
           ON CONFLICT (tenant_id, run_id, kind, subject_id) DO NOTHING RETURNING count)
           SELECT coalesce((SELECT sum(count) FROM made), 0)
                + coalesce((SELECT sum(count) FROM run_obligations WHERE tenant_id = :t AND run_id = :run), 0)""",
        t=tx.tenant_id, run=run_id, kinds=[d.kind for d in dues], subject_types=[d.subject_type for d in dues],
        subject_ids=[d.subject_id for d in dues], dues=[d.due_at for d in dues], keys=[d.dedupe_key for d in dues],
        dispositions=[d.disposition for d in dues], rules=[d.rule for d in dues], reasons=[d.reason for d in dues],
        untils=[d.until for d in dues], counts=[d.count for d in dues],
        manies=[d.of_many for d in dues],
    )  # fmt: skip
    return int(lines)


def close_lines(tx: Tx, run_id: UUID) -> None:
    """Bring every line that has a card to what the card's state says."""
    tx.run(
        """UPDATE run_obligations o SET rule = c.rule, reason = c.reason,
               until = CASE WHEN c.state IN ('proposed', 'queued', 'deferred') THEN c.not_before
                            WHEN c.state = 'awaiting_approval' THEN c.approval_expires_at
                            WHEN c.state = 'uncertain' THEN c.resolve_after END,
               disposition = CASE c.state
                   WHEN 'done' THEN 'acted' WHEN 'held' THEN 'held' WHEN 'executing' THEN 'in_flight'
                   WHEN 'failed' THEN 'failed' WHEN 'uncertain' THEN 'uncertain' WHEN 'expired' THEN 'expired'
                   WHEN 'awaiting_approval' THEN 'awaiting_approval'
                   WHEN 'blocked' THEN 'blocked' WHEN 'rejected' THEN 'blocked' WHEN 'cancelled' THEN 'blocked'
                   ELSE 'deferred' END
           FROM kanban_cards c
           WHERE o.tenant_id = :t AND o.run_id = :run AND c.tenant_id = :t AND c.id = o.card_id""",
        t=tx.tenant_id, run=run_id,
    )  # fmt: skip


def lines(tx: Tx, run_id: UUID) -> list[Row]:
    """The run's ledger."""
    return list(
        tx.rows(
            """SELECT kind, subject_type, subject_id, due_at, disposition, rule, reason, until, card_id, count
               FROM run_obligations WHERE tenant_id = :t AND run_id = :run ORDER BY due_at, kind, subject_id""",
            t=tx.tenant_id, run=run_id,
        )
    )  # fmt: skip
