"""Rests: what is due and can't be done is left alone, counted meanwhile, and woken by what may change that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import rest_news, settings
from domain.db import Tx
from domain.rest_news import RESTING, Kind

LONGEST = timedelta(days=1)
"""What rests is looked at again so soon, also where nothing was heard that might have woken it."""

_NAMED = "subject_type, kind, disposition, rule, reason"

# a run that a crash cut short has accounted for what rested; planned again, it neither wakes nor counts anybody twice
_FRESH = "NOT EXISTS (SELECT FROM run_obligations WHERE tenant_id = :t AND run_id = CAST(:run AS uuid))"


@dataclass(frozen=True, slots=True)
class Cause:
    """What something rests for, in words that many share: what rests is counted by them."""

    kind: str
    """Of the obligation that stays."""
    disposition: str
    rule: str
    reason: str

    def told(self) -> dict[str, Any]:
        """As it is stored with the record."""
        return {"kind": self.kind, "disposition": self.disposition, "rule": self.rule, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Rest:
    """One record that is laid to rest."""

    subject_id: UUID
    causes: tuple[Cause, ...]
    """One for each thing that is due about it."""
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


def until(now: datetime, subject_id: UUID, *moments: datetime | None) -> datetime:
    """How long something may rest: to the first of these moments that is to come, and no longer than `LONGEST`.

    A crowd that is laid to rest in one hour is not read again in one hour: each member has its own share of the day, by
    its id, of at least half of it.
    """
    share = int.from_bytes(hashlib.sha256(subject_id.bytes).digest()[:4]) / 2**32
    longest = LONGEST * (1 + share) / 2
    return min([now + longest, *(each for each in moments if each is not None and each > now)])


def wake(tx: Tx) -> int:
    """Before planning: wake what has rested long enough, whatever there was news of, and the next in turn; how many.

    The next in turn are as many as an hour may do: where others have room left, they move up. Whatever somebody else
    holds at this moment is not waited for: the news of its account stays for the next plan. One statement.
    """
    chosen = settings.of(tx)
    turns = {f"{each.table}_turns": each.also + sum(int(getattr(chosen, name)) for name in each.budgets)
             for each in RESTING.values()}  # fmt: skip
    woken = ", ".join(_woken(each) for each in RESTING.values())
    missed = " UNION ALL ".join(f"SELECT client_id FROM missed_{each.table}" for each in RESTING.values())
    count = " + ".join(f"(SELECT count(*) FROM woken_{each.table})" for each in RESTING.values())
    return int(tx.value(
        f"""WITH news AS (
                -- who is replacing some of it tells the next plan
                SELECT id, client_id FROM rest_news WHERE tenant_id = :t AND {_FRESH} FOR UPDATE SKIP LOCKED),
                 {woken},
                 missed AS ({missed}),
                 heard AS (
                DELETE FROM rest_news n WHERE n.tenant_id = :t AND n.id = ANY(ARRAY(
                    SELECT id FROM news WHERE CASE WHEN client_id IS NULL THEN NOT EXISTS (SELECT FROM missed)
                                                   ELSE client_id NOT IN (SELECT client_id FROM missed) END)))
            SELECT {count}""",
        t=tx.tenant_id, run=tx.run_id, now=tx.now, **turns,
    ))  # fmt: skip


def _woken(kind: Kind) -> str:
    """SQL of what is woken in one table: those meant, of these whoever nobody holds, and the others, who are missed."""
    table, key = kind.table, kind.key
    return f"""
        meant_{table} AS (
            SELECT {key} AS id, client_id FROM {table} WHERE tenant_id = :t AND rests_until <= :now
            -- fences: without news nobody who rests is so much as looked at
            UNION SELECT r.* FROM (SELECT DISTINCT client_id FROM news WHERE client_id IS NOT NULL) a
                  CROSS JOIN LATERAL (SELECT {key}, client_id FROM {table} WHERE tenant_id = :t
                                      AND client_id = a.client_id AND rests_until IS NOT NULL OFFSET 0) r
            UNION SELECT r.* FROM (SELECT 1 FROM news WHERE client_id IS NULL LIMIT 1) a
                  CROSS JOIN LATERAL (SELECT {key}, client_id FROM {table} WHERE tenant_id = :t
                                      AND rests_until IS NOT NULL OFFSET 0) r
            UNION (SELECT {key}, client_id FROM {table} WHERE tenant_id = :t AND rests_in_turn
                   ORDER BY rests_until LIMIT :{table}_turns)),
        free_{table} AS (
            SELECT {key} AS id FROM {table} WHERE tenant_id = :t AND {_FRESH}
               AND {key} = ANY(ARRAY(SELECT id FROM meant_{table})) FOR NO KEY UPDATE SKIP LOCKED),
        woken_{table} AS (
            UPDATE {table} SET rests_until = NULL, rest = NULL, rests_in_turn = false
            WHERE tenant_id = :t AND {key} = ANY(ARRAY(SELECT id FROM free_{table})) RETURNING 1),
        missed_{table} AS (
            SELECT client_id FROM meant_{table} m WHERE client_id IS NOT NULL
               AND NOT EXISTS (SELECT FROM free_{table} f WHERE f.id = m.id))"""


def lay(tx: Tx, some: Mapping[str, Sequence[Rest]]) -> int:
    """Lay records to rest, by their subject types; how many. Whatever touches one, or its rest being over, wakes it.

    Who is changed while a plan is made may be free to go: the version that was read decides, as nothing else moves with
    every change. Whoever somebody else holds is not waited for, and stays awake. One statement.
    """
    laid, values = [], {"t": tx.tenant_id, **rest_news.soon(tx)}
    for subject_type, each in some.items():
        kind = RESTING[subject_type]
        laid.append(_laid(kind))
        values |= {f"{kind.table}_{name}": column for name, column in _columns(each).items()}
    if not laid:
        return 0
    count = " + ".join(f"(SELECT count(*) FROM laid_{RESTING[subject_type].table})" for subject_type in some)
    return int(tx.value(f"WITH {', '.join(laid)} SELECT {count}", **values))


def _laid(kind: Kind) -> str:
    """SQL that lays records of one table to rest."""
    table, key = kind.table, kind.key
    return f"""laid_{table} AS (
        UPDATE {table} r SET rests_until = w.until, rest = w.rest, rests_in_turn = w.in_turn
        FROM (SELECT w.* FROM unnest(CAST(:{table}_ids AS uuid[]), CAST(:{table}_untils AS timestamptz[]),
                  CAST(:{table}_rests AS jsonb[]), CAST(:{table}_turns AS boolean[]), CAST(:{table}_seens AS text[]))
                  AS w (id, until, rest, in_turn, seen)
              JOIN {table} r ON r.tenant_id = :t AND r.{key} = w.id AND r.xmin::text = w.seen AND {kind.has_due}
              FOR NO KEY UPDATE OF r SKIP LOCKED) AS w
        WHERE r.tenant_id = :t AND r.{key} = w.id RETURNING 1)"""


def _columns(some: Sequence[Rest]) -> dict[str, Any]:
    return {
        "ids": [each.subject_id for each in some], "untils": [each.until for each in some],
        "rests": [{**each.causes[0].told(), "also": [cause.told() for cause in each.causes[1:]]} for each in some],
        "turns": [each.in_turn for each in some], "seens": [each.seen for each in some],
    }  # fmt: skip


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
