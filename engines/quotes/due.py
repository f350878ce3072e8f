"""What planning reads: drafts that wait to go out or for a person, and follow-ups that are due, off their indexes."""

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
    """A quote about which something is due, with all that is needed to write about it."""

    quote_id: UUID
    number: str
    revision: int
    source: str
    currency: str
    total: Decimal
    unpriced: int
    validity_days: int | None
    valid_until: datetime | None
    offered_at: datetime | None
    created_at: datetime
    attempt: int
    """0: the quote itself; else which follow-up."""
    due_at: datetime
    shadowed: bool
    """Due for real, while planning has moved on because a mail was held …"""
    planned_at: datetime | None
    """… to this moment; None: to none that is known."""
    message_id: UUID | None
    thread_id: UUID | None
    thread_subject: str | None
    client_id: UUID
    client_name: str
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
    """The version of the quote that this is."""

    @property
    def key(self) -> str:
        """The intention: this revision, this attempt, this due instant."""
        what = f"follow_up:{self.attempt}" if self.attempt else "send"
        return f"quotes:{what}:{self.quote_id}:{self.revision}:{self.due_at.isoformat()}"


_ABOUT = """f.id AS quote_id, f.number, f.revision, f.source, f.currency, f.total, f.unpriced, f.validity_days,
    f.valid_until, f.offered_at, f.created_at, f.message_id, h.id AS thread_id, h.subject AS thread_subject,
    f.client_id, l.name AS client_name, l.status AS client_status, c.id AS contact_id, c.name,
    c.email IS NOT NULL AS reachable,
    k.status AS clock, k.exempt_reason, k.paused_until, c.language, l.language AS client_language,
    coalesce(c.timezone, l.timezone) AS timezone,
    (SELECT n.name FROM tenants n WHERE n.tenant_id = :t) AS company"""

_JOINED = """JOIN LATERAL (SELECT * FROM clients l WHERE l.tenant_id = :t AND l.id = f.client_id OFFSET 0) l ON true
    LEFT JOIN LATERAL (SELECT * FROM contacts c WHERE c.tenant_id = :t AND c.id = f.contact_id
                       AND c.client_id = f.client_id OFFSET 0) c ON true
    -- in the words of the index of those out of reach: everybody else costs no row
    LEFT JOIN LATERAL (SELECT * FROM engagement_clocks k WHERE k.tenant_id = :t AND k.contact_id = c.id
                       AND k.status <> 'active' OFFSET 0) k ON true
    LEFT JOIN LATERAL (SELECT d.thread_id FROM deals d WHERE d.tenant_id = :t AND d.id = f.deal_id
                       AND d.contact_id = f.contact_id AND f.thread_id IS NULL OFFSET 0) d ON true
    -- worked out apart: inside the look-up it would keep the wall from using an index
    CROSS JOIN LATERAL (SELECT coalesce(f.thread_id, d.thread_id) AS thread OFFSET 0) w
    LEFT JOIN LATERAL (SELECT id, subject FROM mail_threads h
                       WHERE h.tenant_id = :t AND h.id = w.thread OFFSET 0) h ON true"""
"""With the conversation it goes out in: its own, else that of its deal, if that is with the same contact."""


_DRAFTS = """SELECT q.*, q.xmin::text AS seen, q.shadow_sent_at IS NOT NULL AS shadowed, 0 AS attempt,
        coalesce(q.offered_at, q.created_at) AS moment
    FROM quotes q WHERE q.tenant_id = :t AND q.status = 'draft'
      AND (q.offered_at IS NOT NULL OR q.message_id IS NOT NULL) AND q.rests_until IS NULL"""
"""Every draft that is meant to be sent, or that a mail asked for and a person has yet to complete."""

_FOLLOW_UPS = """SELECT q.*, q.xmin::text, false, coalesce(q.shadow_follow_ups, q.follow_ups) + 1, q.planned_at
    FROM quotes q WHERE q.tenant_id = :t AND q.planned_at <= :now AND q.rests_until IS NULL"""
"""Every quote whose follow-up is due, by its shadow where a held message has moved that."""

_HELD = """SELECT q.*, q.xmin::text, true, q.follow_ups + 1, q.follow_up_due_at
    FROM quotes q WHERE q.tenant_id = :t AND q.status IN ('sent', 'viewed') AND q.shadow_follow_ups IS NOT NULL
      AND q.follow_up_due_at <= :now AND coalesce(q.planned_at > :now, true) AND q.rests_until IS NULL"""
"""Every quote whose follow-up is due for real, while planning has moved on because one was held."""


def due(ctx: Context) -> list[Due]:
    """Every quote about which something is due and that does not rest, in one statement that reads these alone."""
    rows = ctx.tx.rows(
        f"""WITH found AS ({_DRAFTS} UNION ALL {_FOLLOW_UPS} UNION ALL {_HELD})
            SELECT {_ABOUT}, f.seen, f.shadowed, f.planned_at, f.attempt, f.moment AS due_at FROM found f {_JOINED}""",
        t=ctx.tenant_id, now=ctx.now,
    )  # fmt: skip
    return [_due(row) for row in rows]


def next_due(ctx: Context) -> datetime | None:
    """When the next follow-up is due, a quote expires, or a draft waits to go out; read off the indexes."""
    soonest: datetime | None = ctx.tx.value(
        """SELECT least(
               (SELECT min(planned_at) FROM quotes WHERE tenant_id = :t AND planned_at IS NOT NULL
                AND rests_until IS NULL),
               (SELECT min(rests_until) FROM quotes WHERE tenant_id = :t AND rests_until IS NOT NULL),
               (SELECT min(valid_until) FROM quotes WHERE tenant_id = :t AND status IN ('sent', 'viewed')),
               (SELECT min(offered_at) FROM quotes WHERE tenant_id = :t AND status = 'draft'
                AND offered_at IS NOT NULL AND shadow_sent_at IS NULL AND rests_until IS NULL))""",
        t=ctx.tenant_id,
    )  # fmt: skip
    return soonest


def _due(row: Mapping[Any, Any]) -> Due:
    same = {name: row[name] for name in Due.__slots__ if name != "languages"}
    return Due(**same, languages=(row["language"], row["client_language"]))
