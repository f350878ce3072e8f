"""Rests: what is due and can't be done is left alone, counted meanwhile, and woken by what may change that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import schedule, settings
from domain.db import Tx

LONGEST = timedelta(days=1)
"""What rests is looked at again so soon, also where nothing was heard that might have woken it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record that may rest."""

    table: str
    has_due: str
    """SQL for which of its rows `r` have anything due."""
    budgets: tuple[str, ...]
    """The settings that say how many of them an hour may do something about."""


RESTING: Mapping[str, Kind] = {
    "compliance_check": Kind("compliance_checks", "r.state IN ('pending', 'reminded', 'overdue')",
                             ("compliance_reminders_per_cycle", "compliance_escalations_per_cycle")),
    "feedback_request": Kind("feedback_requests", "r.state IN ('queued', 'sent')", ("feedback_per_cycle",)),
}  # fmt: skip
"""By the subject type of their obligations."""

_NAMED = "subject_type, kind, disposition, rule, reason"

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
    seen: str
    """The version of the record that was judged, its `xmin`: one that was changed since is not laid to rest."""
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
    """When the first of them is looked at again; None: not known."""

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
    lays to rest is woken by the plan after it. Of an account about which nothing is open, nothing is written: whether
    anything rests already can't be told, as a plan may be about to commit. What was written of it before is replaced,
    so that nothing piles up while nobody plans, and never waited for.
    """
    is_open = ", ".join(f"(SELECT true FROM {each.table} r WHERE r.tenant_id = :t AND r.client_id = w.id "
                        f"AND {each.has_due} LIMIT 1)" for each in RESTING.values())  # fmt: skip
    told = tx.value(
        f"""WITH told AS (
                SELECT w.id FROM unnest(CAST(:ids AS uuid[])) AS w (id)
                WHERE coalesce({is_open}, EXISTS (
                    SELECT FROM agent_autonomous_runs WHERE tenant_id = :t AND finished_at IS NULL))),
                 gone AS (
                DELETE FROM rest_news WHERE tenant_id = :t AND id = ANY(ARRAY(
                    SELECT id FROM rest_news WHERE tenant_id = :t AND client_id = ANY(ARRAY(SELECT id FROM told))
                    FOR UPDATE SKIP LOCKED)))
            INSERT INTO rest_news (tenant_id, client_id, at) SELECT :t, id, :now FROM told RETURNING 1""",
        t=tx.tenant_id, ids=sorted(set(client_ids)), now=tx.now,
    ) if client_ids else None  # fmt: skip
    if told:
        schedule.bring_forward(tx, tx.now)


def wake(tx: Tx) -> int:
    """Before planning: wake what has rested long enough, whatever there was news of, and the next in turn; how many.

    The next in turn are as many as an hour may do: where others have room left, they move up. One statement.
    """
    chosen = settings.of(tx)
    turns = {f"{each.table}_turns": sum(int(getattr(chosen, name)) for name in each.budgets)
             for each in RESTING.values()}  # fmt: skip
    woken = ", ".join(
        f"""woken_{table} AS (
                UPDATE {table} r SET rests_until = NULL, rest = NULL, rests_in_turn = false
                WHERE r.tenant_id = :t AND {_FRESH} AND r.id = ANY(ARRAY(
                    SELECT id FROM {table} WHERE tenant_id = :t AND rests_until <= :now
                    UNION SELECT id FROM {table} WHERE tenant_id = :t AND rests_until IS NOT NULL
                          AND client_id = ANY((SELECT ids FROM accounts)::uuid[])
                    UNION (SELECT id FROM {table} WHERE tenant_id = :t AND rests_in_turn
                           ORDER BY rests_until LIMIT :{table}_turns))) RETURNING 1)"""
        for table in (each.table for each in RESTING.values())
    )
    count = " + ".join(f"(SELECT count(*) FROM woken_{each.table})" for each in RESTING.values())
    return int(tx.value(
        f"""WITH heard AS (
                DELETE FROM rest_news WHERE tenant_id = :t AND id = ANY(ARRAY(
                    -- who is replacing some of it tells the next plan
                    SELECT id FROM rest_news WHERE tenant_id = :t AND {_FRESH} FOR UPDATE SKIP LOCKED))
                RETURNING client_id),
                 accounts AS (SELECT ARRAY(SELECT DISTINCT client_id FROM heard) AS ids), {woken}
            SELECT {count}""",
        t=tx.tenant_id, run=tx.run_id, now=tx.now, **turns,
    ))  # fmt: skip


def lay(tx: Tx, subject_type: str, some: Sequence[Rest]) -> int:
    """Lay records to rest; how many. Whatever touches one, or its rest being over, wakes it.

    Who is changed while a plan is made may be free to go: the version that was read decides, as nothing else moves with
    every change.
    """
    if not some:
        return 0
    kind = RESTING[subject_type]
    return tx.run(
        f"""UPDATE {kind.table} r SET rests_until = w.until, rest = w.rest, rests_in_turn = w.in_turn
            FROM unnest(CAST(:ids AS uuid[]), CAST(:untils AS timestamptz[]), CAST(:rests AS jsonb[]),
                        CAST(:turns AS boolean[]), CAST(:seens AS text[])) AS w (id, until, rest, in_turn, seen)
            WHERE r.tenant_id = :t AND r.id = w.id AND r.xmin::text = w.seen AND {kind.has_due}""",
        t=tx.tenant_id, ids=[each.subject_id for each in some], untils=[each.until for each in some],
        rests=[{"kind": each.kind, "disposition": each.disposition, "rule": each.rule, "reason": each.reason}
               for each in some], turns=[each.in_turn for each in some], seens=[each.seen for each in some],
    )  # fmt: skip


def counted(tx: Tx, subject_type: str) -> tuple[Group, ...]:
    """How many of these rest, by what they rest for, as `wake` left it: what is laid to rest later is not among them.

    One statement for all subjects, which reads the counts alone.
    """
    if COUNTED not in tx.memo:
        tx.memo[COUNTED] = _count(tx)
    return tuple(each for each in tx.memo[COUNTED] if each.subject_type == subject_type)


COUNTED = "rests.counted"
"""Where a transaction remembers what rested when it began to plan."""


def _count(tx: Tx) -> list[Group]:
    rows = tx.rows(
        f"""WITH gone AS (DELETE FROM rest_changes WHERE tenant_id = :t RETURNING *),
                 net AS (SELECT {_NAMED}, sum(change)::int AS change, min(until) AS until FROM gone GROUP BY {_NAMED}),
                 anew AS (
                     INSERT INTO rest_counts AS c (tenant_id, {_NAMED}, resting, since, until)
                     SELECT :t, {_NAMED}, change, :now, until FROM net
                     ON CONFLICT (tenant_id, {_NAMED}) DO UPDATE
                     SET resting = c.resting + excluded.resting,
                         until = CASE WHEN c.resting = 0 OR c.until <= :now THEN excluded.until
                                      ELSE least(c.until, excluded.until) END,
                         since = CASE WHEN c.resting = 0 THEN excluded.since ELSE c.since END
                     RETURNING {_NAMED}, resting, since, until),
                 emptied AS (
                     DELETE FROM rest_counts WHERE tenant_id = :t AND resting = 0
                        AND ({_NAMED}) NOT IN (SELECT {_NAMED} FROM net))
            SELECT {_NAMED}, resting, since, CASE WHEN until > :now THEN until END AS until FROM (
                SELECT * FROM anew
                UNION ALL
                SELECT {_NAMED}, resting, since, until FROM rest_counts c
                WHERE c.tenant_id = :t AND ({_NAMED}) NOT IN (SELECT {_NAMED} FROM net)) AS told
            WHERE resting > 0 AND {_FRESH} ORDER BY {_NAMED}""",
        t=tx.tenant_id, now=tx.now, run=tx.run_id,
    )  # fmt: skip
    return [Group(**row) for row in rows]
