"""What planning reads: follow-ups that are due and stalls without an answer, each off its own index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from engines.contract import Context


@dataclass(frozen=True, slots=True)
class Due:
    """A deal whose follow-up is due, by its shadow where a held message has moved that."""

    deal_id: UUID
    title: str
    stage: str
    weighted: Decimal
    """Its value times its stage's win probability."""
    due_at: datetime
    follow_ups: int
    """How many have gone out without an answer."""
    shadowed: bool
    """Overdue for real, while planning has moved on because a mail was held …"""
    planned_at: datetime | None
    """… to this moment; None: to none that is known."""
    stalled_at: datetime | None
    thread_id: UUID | None
    thread_subject: str | None
    last_activity_at: datetime
    our_turn_since: datetime | None
    quote: str | None
    """The number of a quote of it that is being followed up …"""
    quote_due_at: datetime | None
    """… and when next."""
    client_id: UUID
    client_name: str
    relationship: str
    client_status: str
    contact_id: UUID | None
    name: str | None
    reachable: bool
    clock: str | None
    exempt_reason: str | None
    paused_until: datetime | None
    languages: tuple[str | None, ...]
    timezone: str | None
    company: str
    seen: str
    """The version of the deal that this is."""

    @property
    def attempt(self) -> int:
        """Which follow-up this is; 1 for the first."""
        return self.follow_ups + 1

    @property
    def key(self) -> str:
        """The intention: this deal, this attempt, this due instant."""
        return f"deals:follow_up:{self.deal_id}:{self.attempt}:{self.due_at.isoformat()}"


@dataclass(frozen=True, slots=True)
class Stall:
    """A deal that stands still, and about which nothing was said yet."""

    id: UUID
    title: str
    stage: str
    stage_name: str
    weighted: Decimal
    stalled_at: datetime
    last_activity_at: datetime
    follow_ups: int
    follow_up_due_at: datetime | None
    our_turn_since: datetime | None
    client_id: UUID
    contact_id: UUID | None
    seen: str
    """The version of the deal that this is."""

    @property
    def key(self) -> str:
        """The intention: this deal, this stall."""
        return f"deals:stalled:{self.id}:{self.stalled_at.isoformat()}"


def follow_ups_due(ctx: Context) -> list[Due]:
    """Every deal whose follow-up is due and that does not rest, in one statement that reads these alone."""
    rows = ctx.tx.rows(
        """WITH found AS (
               SELECT d.*, d.xmin::text AS seen, false AS shadowed FROM deals d
               WHERE d.tenant_id = :t AND d.planned_at <= :now AND d.rests_until IS NULL
               UNION ALL
               SELECT d.*, d.xmin::text, true FROM deals d
               WHERE d.tenant_id = :t AND d.state = 'open' AND d.automation AND d.shadow_follow_ups IS NOT NULL
                 AND d.follow_up_due_at <= :now AND coalesce(d.planned_at > :now, true) AND d.rests_until IS NULL)
           SELECT f.id AS deal_id, f.title, f.stage, f.value * s.win_probability AS weighted, f.shadowed,
                  f.seen, f.planned_at,
                  CASE WHEN f.shadowed THEN f.follow_up_due_at ELSE f.planned_at END AS due_at,
                  CASE WHEN f.shadowed THEN f.follow_ups ELSE coalesce(f.shadow_follow_ups, f.follow_ups) END
                      AS follow_ups,
                  f.stalled_at, f.thread_id, h.subject AS thread_subject, f.last_activity_at,
                  f.our_turn_since, q.number AS quote, q.planned_at AS quote_due_at, f.client_id,
                  l.name AS client_name, l.relationship, l.status AS client_status, c.id AS contact_id, c.name,
                  c.email IS NOT NULL AS reachable, k.status AS clock, k.exempt_reason, k.paused_until, c.language,
                  l.language AS client_language, coalesce(c.timezone, l.timezone) AS timezone,
                  (SELECT n.name FROM tenants n WHERE n.tenant_id = :t) AS company
           FROM found f JOIN deal_stage_config s ON s.tenant_id = :t AND s.key = f.stage
           -- fences: one look-up for each that is due, however few a planner believes there are in all
           JOIN LATERAL (SELECT * FROM clients l WHERE l.tenant_id = :t AND l.id = f.client_id OFFSET 0) l ON true
           LEFT JOIN LATERAL (SELECT * FROM contacts c WHERE c.tenant_id = :t AND c.id = f.contact_id
                              AND c.client_id = f.client_id OFFSET 0) c ON true
           -- in the words of the index of those out of reach: everybody else costs no row
           LEFT JOIN LATERAL (SELECT * FROM engagement_clocks k WHERE k.tenant_id = :t AND k.contact_id = c.id
                              AND k.status <> 'active' OFFSET 0) k ON true
           LEFT JOIN LATERAL (SELECT subject FROM mail_threads h
                              WHERE h.tenant_id = :t AND h.id = f.thread_id OFFSET 0) h ON true
           LEFT JOIN LATERAL (SELECT q.number, q.planned_at FROM quotes q
                              WHERE q.tenant_id = :t AND q.deal_id = f.id AND q.status IN ('sent', 'viewed')
                                AND q.planned_at IS NOT NULL ORDER BY q.planned_at LIMIT 1) q ON true""",
        t=ctx.tenant_id, now=ctx.now,
    )  # fmt: skip
    return [_due(row) for row in rows]


def stalls(ctx: Context) -> list[Stall]:
    """Every stalled deal of which nothing was said yet and that does not rest, the most valuable first."""
    rows = ctx.tx.rows(
        """SELECT d.id, d.xmin::text AS seen, d.title, d.stage, s.name AS stage_name,
                  d.value * s.win_probability AS weighted, d.stalled_at, d.last_activity_at,
                  coalesce(d.shadow_follow_ups, d.follow_ups) AS follow_ups,
                  d.planned_at AS follow_up_due_at, d.our_turn_since, d.client_id, d.contact_id
           FROM deals d JOIN deal_stage_config s ON s.tenant_id = :t AND s.key = d.stage
           WHERE d.tenant_id = :t AND d.state = 'open' AND d.automation AND d.stalled_at IS NOT NULL
             AND d.stall_answered_at IS NULL AND d.rests_until IS NULL""",
        t=ctx.tenant_id,
    )  # fmt: skip
    found = [Stall(**{name: row[name] for name in Stall.__slots__}) for row in rows]
    return sorted(found, key=lambda stall: (-stall.weighted, stall.id))


def next_due(ctx: Context) -> datetime | None:
    """When the next deal has a follow-up due or begins to stand still, read off the indexes."""
    soonest: datetime | None = ctx.tx.value(
        """SELECT least(
               (SELECT min(planned_at) FROM deals WHERE tenant_id = :t AND planned_at IS NOT NULL
                AND rests_until IS NULL),
               (SELECT min(rests_until) FROM deals WHERE tenant_id = :t AND rests_until IS NOT NULL),
               (SELECT min(stalls_at) FROM deals WHERE tenant_id = :t AND state = 'open' AND stalled_at IS NULL),
               (SELECT min(stalled_at) FROM deals WHERE tenant_id = :t AND state = 'open' AND automation
                AND stalled_at IS NOT NULL AND stall_answered_at IS NULL AND rests_until IS NULL))""",
        t=ctx.tenant_id,
    )  # fmt: skip
    return soonest


def _due(row: Mapping[Any, Any]) -> Due:
    same = {name: row[name] for name in Due.__slots__ if name != "languages"}
    return Due(**same, languages=(row["language"], row["client_language"]))
