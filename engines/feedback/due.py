"""What planning reads: requests and reminders that are due, off their indexes, with all that may stand in their way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from engines.contract import Context

TRIES = 3
"""So many times a person is asked about the mail that makes good; who has let it pass thrice does not want it."""

LOST = f"""SELECT f.id FROM kanban_cards k
    JOIN feedback_requests f ON f.tenant_id = :t AND f.id = CAST(k.subject_id AS uuid)
    WHERE k.tenant_id = :t AND k.engine = 'feedback' AND k.type = 'send_email' AND k.state IN ('expired', 'cancelled')
      AND k.state_changed_at > :now - interval '14 days' AND f.answered_at > :now - interval '14 days'
      AND (k.dedupe_key = 'feedback:recover:' || f.id AND f.sentiment = 'negative'
           AND (k.state = 'expired' OR k.rule = 'wording.current')
           OR k.dedupe_key = 'feedback:thank:' || f.id AND f.sentiment = 'positive'
           AND k.rule = 'wording.current' AND k.state_changed_at > :now - interval '3 hours')
      AND NOT EXISTS (SELECT FROM kanban_cards n
                      WHERE n.tenant_id = :t AND n.dedupe_key = k.dedupe_key AND n.id > k.id)
      AND EXISTS (SELECT FROM contacts c WHERE c.tenant_id = :t AND c.id = k.contact_id AND c.client_id = f.client_id)
      AND NOT EXISTS (SELECT FROM cases s WHERE s.tenant_id = :t AND s.id = f.case_id AND s.state <> 'open')
      AND {TRIES} > (SELECT count(*) FROM kanban_cards e WHERE e.tenant_id = :t AND e.dedupe_key = k.dedupe_key
                     AND e.state = 'expired')"""
"""SQL for those whose answer called for a mail that waited in vain, over a weekend perhaps, or was outdated.

Thanks for praise are no longer worth it once they have waited.
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A request that is due, with all that is needed to judge and to write it."""

    request_id: UUID
    order_id: UUID
    called: str
    """By what its client knows the order; empty where it has no name."""
    order_status: str
    of_account: bool
    """Whether the order is (still) that account's."""
    attempt: int
    """0: the question itself; 1: its reminder."""
    due_at: datetime
    latest_at: datetime
    insisted: bool
    shadowed: bool
    """Due for real, while planning has moved on because a mail was held."""
    lapses_at: datetime | None
    thread_id: UUID | None
    thread_subject: str | None
    client_id: UUID
    client_name: str
    client_status: str
    relationship: str
    case_open: bool
    contact_id: UUID | None
    name: str | None
    reachable: bool
    clock: str | None
    exempt_reason: str | None
    paused_until: datetime | None
    asked_at: datetime | None
    """When the same person was last asked about another order, if that was lately."""
    languages: tuple[str | None, ...]
    timezone: str | None
    company: str
    seen: str
    """The version of the request that this is."""

    @property
    def key(self) -> str:
        """The intention: this request, this attempt, this due instant."""
        what = "remind" if self.attempt else "ask"
        return f"feedback:{what}:{self.request_id}:{self.due_at.isoformat()}"

    @property
    def order(self) -> str:
        """The order's name among our own people."""
        return self.called or str(self.order_id)[-8:].upper()


def requests(ctx: Context) -> list[Due]:
    """Feedback requests due, and reminders due, those that rest left out, in one statement that reads these alone."""
    rows = ctx.tx.rows(
        """WITH found AS (
               SELECT f.*, f.xmin::text AS seen, CASE f.state WHEN 'queued' THEN 0 ELSE 1 END AS attempt,
                      CASE f.state WHEN 'queued' THEN f.due_at ELSE f.remind_at END AS moment
               FROM feedback_requests f WHERE f.tenant_id = :t AND f.planned_at <= :now AND f.rests_until IS NULL)
           SELECT f.id AS request_id, f.order_id, coalesce(o.number, o.external_id) AS called,
                  o.status AS order_status, coalesce(o.client_id = f.client_id, false) AS of_account, f.attempt, f.seen,
                  f.moment AS due_at, f.latest_at, f.insisted,
                  f.shadow_sent_at IS NOT NULL AS shadowed, f.lapses_at, f.thread_id, h.subject AS thread_subject,
                  f.client_id, l.name AS client_name, l.status AS client_status, l.relationship,
                  EXISTS (SELECT FROM cases s WHERE s.tenant_id = :t AND s.client_id = f.client_id
                          AND s.state = 'open') AS case_open,
                  c.id AS contact_id, c.name, coalesce(c.email IS NOT NULL, false) AS reachable, k.status AS clock,
                  k.exempt_reason, k.paused_until, c.language, l.language AS client_language,
                  coalesce(c.timezone, l.timezone) AS timezone,
                  greatest(
                      (SELECT max(r.sent_at) FROM feedback_requests r WHERE r.tenant_id = :t AND r.contact_id = c.id
                         AND r.sent_at > :since AND r.id <> f.id AND r.state <> 'skipped'),
                      (SELECT max(r.shadow_sent_at) FROM feedback_requests r WHERE r.tenant_id = :t
                         AND r.contact_id = c.id AND r.shadow_sent_at > :since AND r.id <> f.id)) AS asked_at,
                  (SELECT n.name FROM tenants n WHERE n.tenant_id = :t) AS company
           FROM found f
           -- fences: one look-up for each that is due, however few a planner believes there are in all
           JOIN LATERAL (SELECT * FROM orders o WHERE o.tenant_id = :t AND o.id = f.order_id OFFSET 0) o ON true
           JOIN LATERAL (SELECT * FROM clients l WHERE l.tenant_id = :t AND l.id = f.client_id OFFSET 0) l ON true
           LEFT JOIN LATERAL (SELECT subject FROM mail_threads h
                              WHERE h.tenant_id = :t AND h.id = f.thread_id OFFSET 0) h ON true
           -- worked out apart: inside the look-up it would keep the wall from using an index
           CROSS JOIN LATERAL (SELECT coalesce(f.contact_id, o.contact_id) AS named OFFSET 0) w
           LEFT JOIN LATERAL (
               -- whom the order names; where it names nobody, whoever of the account was heard from last
               (SELECT p.* FROM contacts p WHERE p.tenant_id = :t AND p.id = w.named OFFSET 0)
               UNION ALL
               (SELECT p.* FROM contacts p
                LEFT JOIN engagement_clocks e ON e.tenant_id = :t AND e.contact_id = p.id
                WHERE p.tenant_id = :t AND p.client_id = f.client_id AND p.email IS NOT NULL AND w.named IS NULL
                ORDER BY e.last_reply_at DESC NULLS LAST, p.id LIMIT 1)) c ON c.client_id = f.client_id
           -- in the words of the index of those out of reach: everybody else costs no row
           LEFT JOIN LATERAL (SELECT * FROM engagement_clocks k WHERE k.tenant_id = :t AND k.contact_id = c.id
                              AND k.status <> 'active' OFFSET 0) k ON true""",
        t=ctx.tenant_id, now=ctx.now, since=ctx.now - timedelta(days=ctx.settings.feedback_again_days),
    )  # fmt: skip
    return [_due(row) for row in rows]


def next_due(ctx: Context) -> datetime | None:
    """When the next request or reminder is due or gives up waiting; read off the indexes. What was lost is due now."""
    soonest: datetime | None = ctx.tx.value(
        f"""SELECT least(
               (SELECT min(planned_at) FROM feedback_requests WHERE tenant_id = :t AND planned_at IS NOT NULL),
               (SELECT min(lapses_at) FROM feedback_requests WHERE tenant_id = :t AND state = 'sent'),
               CASE WHEN EXISTS ({LOST}) THEN CAST(:now AS timestamptz) END)""",
        t=ctx.tenant_id, now=ctx.now,
    )  # fmt: skip
    return soonest


def _due(row: Mapping[Any, Any]) -> Due:
    same = {name: row[name] for name in Due.__slots__ if name not in ("languages", "called")}
    return Due(**same, called=row["called"] or "", languages=(row["language"], row["client_language"]))
