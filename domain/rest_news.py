"""News for what rests: of which accounts, or whether of all, something has changed that may wake it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain import schedule
from domain.db import Tx

LONGEST_TRANSACTION = timedelta(hours=1)
"""What falls due so soon may be in the plan of somebody who began after us and is done before us."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record that may rest; its table has the columns `client_id`, `rests_until`, `rest`, `rests_in_turn`."""

    table: str
    has_due: str
    """SQL for which of its rows `r` have anything due by :soon."""
    budgets: tuple[str, ...]
    """The settings that say how many of them an hour may do something about …"""
    also: int = 0
    """… and how many more, whatever is set."""
    key: str = "id"
    """The column that names the record."""


STALLS_PER_CYCLE = 50
"""How many stalls become next steps in one hour; the most valuable first."""

RESTING: Mapping[str, Kind] = {
    "compliance_check": Kind("compliance_checks", "r.state IN ('pending', 'reminded', 'overdue')",
                             ("compliance_reminders_per_cycle", "compliance_escalations_per_cycle")),
    "feedback_request": Kind("feedback_requests", "r.state IN ('queued', 'sent')", ("feedback_per_cycle",)),
    "quote": Kind("quotes", "r.status IN ('draft', 'sent', 'viewed')", ("quotes_per_cycle",)),
    "deal": Kind("deals", "r.state = 'open' AND r.automation", ("deal_follow_ups_per_cycle",), STALLS_PER_CYCLE),
    "order": Kind("order_processing_queue", "r.state IN ('waiting', 'exceptions', 'asked')", ("orders_per_cycle",),
                  key="order_id"),
    "contact": Kind("engagement_clocks",
                    "r.status <> 'exempt' AND (r.rests_until IS NOT NULL OR least(r.due_at, r.planned_at) <= :soon)",
                    ("touches_per_cycle",), key="contact_id"),
}  # fmt: skip
"""By the subject type of their obligations."""


def soon(tx: Tx) -> dict[str, object]:
    """The value that `Kind.has_due` speaks of."""
    return {"soon": tx.now + LONGEST_TRANSACTION}


def of(tx: Tx, client_ids: Sequence[UUID]) -> None:
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
        t=tx.tenant_id, ids=sorted(set(client_ids)), now=tx.now, **soon(tx),
    ) if client_ids else None  # fmt: skip
    if told:
        schedule.bring_forward(tx, tx.now)


def of_all(tx: Tx) -> None:
    """Something has changed by which every account is judged, such as a setting: the next plan wakes all that rests."""
    told = tx.value(
        """WITH gone AS (
               DELETE FROM rest_news WHERE tenant_id = :t AND id = ANY(ARRAY(
                   SELECT id FROM rest_news WHERE tenant_id = :t AND client_id IS NULL FOR UPDATE SKIP LOCKED)))
           INSERT INTO rest_news (tenant_id, at)
           SELECT :t, :now
           WHERE EXISTS (SELECT FROM rest_counts WHERE tenant_id = :t)
              OR EXISTS (SELECT FROM rest_changes WHERE tenant_id = :t)
              OR EXISTS (SELECT FROM agent_autonomous_runs WHERE tenant_id = :t AND finished_at IS NULL)
           RETURNING 1""",
        t=tx.tenant_id, now=tx.now,
    )  # fmt: skip
    if told:
        schedule.bring_forward(tx, tx.now)
