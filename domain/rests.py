"""Rests: what is due and can't be done is left alone, counted meanwhile, and woken by what may change that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import schedule
from domain.db import Tx

LONGEST = timedelta(days=1)
"""What rests is looked at again so soon, also where nothing was heard that might have woken it."""

RESTING: Mapping[str, tuple[str, str]] = {
    "compliance_check": ("compliance_checks", "r.state IN ('pending', 'reminded', 'overdue')"),
    "feedback_request": ("feedback_requests", "r.state IN ('queued', 'sent')"),
}
"""The subjects that may rest: their table, and SQL for which of its rows `r` have anything due."""

_AWAKE = "rests_until = NULL, rest = NULL, rests_in_turn = false"

# a run that a crash cut short has accounted for what rested; planned again, it neither wakes nor counts anybody twice
_FRESH = "NOT EXISTS (SELECT FROM run_obligations WHERE tenant_id = :t AND run_id = CAST(:run AS uuid))"


@dataclass(frozen=True, slots=True)
class Rest:
    """What one record is laid to rest for."""

    subject_id: UUID
    kind: str
    """Of the obligation that stays."""
    disposition: str
    rule: str
    reason: str
    """Words that many share: what rests is counted by them."""
    until: datetime
    in_turn: bool = False
    """Nothing but others that come first stands in the way."""


@dataclass(frozen=True, slots=True)
class Group:
    """How many rest for the same reason."""

    subject_type: str
    kind: str
    disposition: str
    rule: str
    reason: str
    resting: int
    since: datetime
    until: datetime | None

    @property
    def name(self) -> str:
        """What stands in the ledger for all of them."""
        return f"resting, {self.disposition} by {self.rule}: {self.reason}"


def until(now: datetime, *moments: datetime | None) -> datetime:
    """How long something may rest: to the first of these moments that is to come, and no longer than `LONGEST`."""
    return min([now + LONGEST, *(each for each in moments if each is not None and each > now)])


def news(tx: Tx, client_ids: Sequence[UUID]) -> None:
    """Something has changed at these accounts that may wake what rests about them: the next plan hears of it.

    It is written down, rather than done, because a plan that is being made right now reads the world as it was: what it
    lays to rest is woken by the plan after it. Where nothing rests, nothing is written.
    """
    told = tx.value(
        """INSERT INTO rest_news (tenant_id, client_id, at) SELECT :t, unnest(CAST(:ids AS uuid[])), :now
           WHERE EXISTS (SELECT FROM rest_counts WHERE tenant_id = :t)
              OR EXISTS (SELECT FROM rest_changes WHERE tenant_id = :t)
              OR EXISTS (SELECT FROM agent_autonomous_runs WHERE tenant_id = :t AND finished_at IS NULL)
           RETURNING 1""",
        t=tx.tenant_id, ids=sorted(set(client_ids)), now=tx.now,
    ) if client_ids else None  # fmt: skip
    if told:
        schedule.bring_forward(tx, tx.now)


def hear(tx: Tx) -> int:
    """Wake whatever rests about accounts that there was news of; of how many records. One statement."""
    woken = ", ".join(
        f"""{table} AS (UPDATE {table} r SET {_AWAKE} WHERE r.tenant_id = :t AND r.rests_until IS NOT NULL
                AND r.client_id = ANY((SELECT ids FROM accounts)::uuid[]) RETURNING 1)"""
        for table, _ in RESTING.values()
    )
    count = " + ".join(f"(SELECT count(*) FROM {table})" for table, _ in RESTING.values())
    return int(tx.value(
        f"""WITH heard AS (DELETE FROM rest_news WHERE tenant_id = :t AND {_FRESH} RETURNING client_id),
                 accounts AS (SELECT ARRAY(SELECT DISTINCT client_id FROM heard) AS ids), {woken}
            SELECT {count}""",
        t=tx.tenant_id, run=tx.run_id,
    ))  # fmt: skip


def end(tx: Tx, subject_type: str, *, in_turn: int) -> int:
    """Wake what has rested long enough, and the next `in_turn` of those that wait for nothing but their turn.

    How many; one statement, off two indexes.
    """
    table, _ = RESTING[subject_type]
    return tx.run(
        f"""UPDATE {table} r SET {_AWAKE}
            WHERE r.tenant_id = :t AND {_FRESH} AND r.id = ANY(ARRAY(
                SELECT id FROM {table} WHERE tenant_id = :t AND rests_until <= :now
                UNION (SELECT id FROM {table} WHERE tenant_id = :t AND rests_in_turn
                       ORDER BY rests_until LIMIT :in_turn)))""",
        t=tx.tenant_id, run=tx.run_id, now=tx.now, in_turn=in_turn,
    )  # fmt: skip


def lay(tx: Tx, subject_type: str, some: Sequence[Rest]) -> int:
    """Lay records to rest; how many. Whatever touches one, or its rest being over, wakes it."""
    if not some:
        return 0
    table, has_due = RESTING[subject_type]
    return tx.run(
        f"""UPDATE {table} r SET rests_until = w.until, rest = w.rest, rests_in_turn = w.in_turn
            FROM unnest(CAST(:ids AS uuid[]), CAST(:untils AS timestamptz[]), CAST(:rests AS jsonb[]),
                        CAST(:turns AS boolean[])) AS w (id, until, rest, in_turn)
            WHERE r.tenant_id = :t AND r.id = w.id AND {has_due}""",
        t=tx.tenant_id, ids=[each.subject_id for each in some], untils=[each.until for each in some],
        rests=[{"kind": each.kind, "disposition": each.disposition, "rule": each.rule, "reason": each.reason}
               for each in some], turns=[each.in_turn for each in some],
    )  # fmt: skip


def counted(tx: Tx, subject_type: str) -> list[Group]:
    """How many of them rest, by what they rest for; one statement that reads the counts alone."""
    rows = tx.rows(
        f"""WITH gone AS (DELETE FROM rest_changes WHERE tenant_id = :t AND subject_type = :subject RETURNING *),
                 net AS (SELECT kind, disposition, rule, reason, sum(change)::int AS change, max(until) AS until
                         FROM gone GROUP BY 1, 2, 3, 4),
                 anew AS (
                     INSERT INTO rest_counts AS c (tenant_id, subject_type, kind, disposition, rule, reason, resting,
                                                   since, until)
                     SELECT :t, :subject, kind, disposition, rule, reason, change, :now, until FROM net
                     ON CONFLICT (tenant_id, subject_type, kind, disposition, rule, reason) DO UPDATE
                     SET resting = c.resting + excluded.resting, until = greatest(c.until, excluded.until),
                         since = CASE WHEN c.resting = 0 THEN excluded.since ELSE c.since END
                     RETURNING kind, disposition, rule, reason, resting, since, until)
            SELECT * FROM (
                SELECT * FROM anew
                UNION ALL
                SELECT kind, disposition, rule, reason, resting, since, until FROM rest_counts c
                WHERE c.tenant_id = :t AND c.subject_type = :subject
                  AND NOT EXISTS (SELECT FROM net n WHERE (n.kind, n.disposition, n.rule, n.reason)
                                  = (c.kind, c.disposition, c.rule, c.reason))) AS told
            WHERE resting > 0 AND {_FRESH} ORDER BY kind, disposition, rule, reason""",
        t=tx.tenant_id, subject=subject_type, now=tx.now, run=tx.run_id,
    )  # fmt: skip
    return [Group(subject_type, **row) for row in rows]
