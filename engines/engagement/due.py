"""What planning reads: the clocks that are due, with what is needed to rank them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import clocks
from engines.contract import Context
from engines.engagement import sequence

OPEN_BUSINESS = """(SELECT count(*) FROM deals d
                    WHERE d.tenant_id = :t AND d.client_id = f.client_id AND d.state = 'open')
                 + (SELECT count(*) FROM quotes q
                    WHERE q.tenant_id = :t AND q.client_id = f.client_id AND q.status IN ('sent', 'viewed'))"""
"""SQL for how much is open with account `f`: its deals and its quotes."""


@dataclass(frozen=True, slots=True)
class Due:
    """One contact whose clock is due, by its shadow where a held message has moved that."""

    contact_id: UUID
    client_id: UUID
    promise_due: datetime
    follow_up_due: datetime | None
    step: int
    thread_id: UUID | None
    thread_subject: str | None
    voided_touches: int
    shadowed: bool
    """Overdue for real, while planning has moved on because a mail was held …"""
    planned_at: datetime
    """… to this moment."""
    last_touch_at: datetime | None
    last_reply_at: datetime | None
    account_reply_at: datetime | None
    name: str
    reachable: bool
    languages: tuple[str | None, ...]
    client_name: str
    relationship: str
    client_status: str
    account_value: float
    open_business: int
    company: str
    timezone: str | None
    seen: str
    """The version of the clock that this is."""

    def next_step(self, now: datetime) -> int:
        """The mail that is due: a promise that has fallen due begins anew, whatever sequence was under way."""
        return sequence.FIRST_TOUCH if self.promise_due <= now else self.step + 1

    def due_at(self, now: datetime) -> datetime:
        """When it fell due."""
        if self.promise_due <= now or self.follow_up_due is None:
            return self.promise_due
        return self.follow_up_due

    def key(self, now: datetime) -> str:
        """The intention: this contact, this due instant, this step; a bounce makes it a new one."""
        bounced = f":{self.voided_touches}" if self.voided_touches else ""
        return f"engagement:{self.contact_id}:{self.next_step(now)}:{self.due_at(now).isoformat()}{bounced}"


def due(ctx: Context) -> list[Due]:
    """Every contact with something due who does not rest, in one statement that reads these alone."""
    rows = ctx.tx.rows(
        f"""WITH found AS (
                SELECT k.*, k.xmin::text AS seen, false AS shadowed FROM engagement_clocks k
                WHERE k.tenant_id = :t AND k.status <> 'exempt' AND k.planned_at <= :now AND k.rests_until IS NULL
                UNION ALL
                SELECT k.*, k.xmin::text, true FROM engagement_clocks k
                WHERE k.tenant_id = :t AND k.status <> 'exempt' AND k.due_at <= :now AND {clocks.PROMISED} <= :now
                  AND k.shadow_due_at > :now AND k.planned_at > :now AND k.rests_until IS NULL),
                 business AS (SELECT f.client_id, {OPEN_BUSINESS} AS n FROM (SELECT DISTINCT client_id FROM found) AS f)
            SELECT k.contact_id, k.client_id, k.voided_touches, k.seen, k.shadowed, k.planned_at,
                   k.last_touch_at, k.last_reply_at,
                   CASE WHEN k.shadowed THEN k.due_at ELSE coalesce(k.shadow_due_at, k.due_at) END AS promise_due,
                   CASE WHEN k.shadow_step IS NULL THEN k.follow_up_due_at ELSE k.shadow_follow_up_due_at END
                       AS follow_up_due,
                   coalesce(k.shadow_step, k.sequence_step) AS step, h.id AS thread_id, h.subject AS thread_subject,
                   c.name, c.email IS NOT NULL AS reachable, c.language, l.language AS client_language,
                   l.name AS client_name, l.relationship, l.status AS client_status, l.annual_value,
                   coalesce(c.timezone, l.timezone) AS timezone,
                   l.last_reply_at AS account_reply_at, coalesce(b.n, 0) AS open_business,
                   (SELECT n.name FROM tenants n WHERE n.tenant_id = :t) AS company
            FROM found k
            -- a fence: one look-up for each that is due, however few a planner believes there are in all
            JOIN LATERAL (SELECT * FROM contacts c WHERE c.tenant_id = :t AND c.id = k.contact_id OFFSET 0) c ON true
            JOIN LATERAL (SELECT * FROM clients l WHERE l.tenant_id = :t AND l.id = k.client_id OFFSET 0) l ON true
            LEFT JOIN business b ON b.client_id = k.client_id
            LEFT JOIN LATERAL (SELECT h.id, h.subject FROM mail_threads h
                               WHERE h.tenant_id = :t AND h.id = k.sequence_thread_id OFFSET 0) h
                 ON k.shadow_step IS NULL OR k.shadow_step > k.sequence_step""",
        t=ctx.tenant_id, now=ctx.now,
    )  # fmt: skip
    return [_due(row) for row in rows]


def _due(row: Mapping[Any, Any]) -> Due:
    same = {name: row[name] for name in Due.__slots__ if name not in ("languages", "account_value")}
    return Due(
        **same, languages=(row["language"], row["client_language"]), account_value=float(row["annual_value"])
    )  # fmt: skip
