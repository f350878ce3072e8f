"""How the engagement promise is kept: where a clock stands, which promises are broken, the whole book counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from domain.clocks import PROMISED
from domain.db import Row, Tx
from domain.settings import TenantSettings

Status = Literal["compliant", "due_soon", "overdue", "exempt"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a clock stands right now, against the real promise."""

    status: Status
    days_overdue: int
    """Whole days since the promise fell due; 0 for whoever is not overdue."""


@dataclass(frozen=True, slots=True)
class Stats:
    """How the tenant keeps its promise. Exempt contacts are counted, and stand outside the rate."""

    compliant: int
    due_soon: int
    overdue: int
    exempt: int
    paused: int
    accounts: int
    accounts_overdue: int
    """An account's clock is its latest contact's: it is overdue when nobody there was touched in time."""

    @property
    def active(self) -> int:
        """Contacts inside the rate."""
        return self.compliant + self.due_soon + self.overdue

    @property
    def rate(self) -> float:
        """The share of active contacts inside their promise; 1 where nobody is promised anything."""
        return (self.compliant + self.due_soon) / self.active if self.active else 1.0


def status(row: Row | Mapping[str, Any], now: datetime, chosen: TenantSettings) -> Standing:
    """How a row of `engagement_clocks` (status, paused_until, due_at) stands at `now`."""
    if row["status"] == "exempt":
        return Standing("exempt", 0)
    due: datetime = row["due_at"]
    if row["status"] == "paused" and row["paused_until"] is not None:
        due = max(due, row["paused_until"])
    if due <= now:
        return Standing("overdue", (now - due).days)
    return Standing("due_soon" if due <= now + timedelta(days=chosen.due_soon_days) else "compliant", 0)


def clock_of(tx: Tx, contact_id: UUID) -> Row | None:
    """A contact's clock as it stands: what moved it last, when it is due, and where its sequence is."""
    return tx.row(
        """SELECT status, exempt_reason, paused_until, last_touch_at, last_touch_type, last_touch_by, last_reply_at,
                  due_at, follow_up_due_at, sequence_step, shadow_due_at, shadow_step, shadow_follow_up_due_at,
                  planned_at
           FROM engagement_clocks WHERE tenant_id = :t AND contact_id = :contact""",
        t=tx.tenant_id, contact=contact_id,
    )  # fmt: skip


def violations(tx: Tx, *, limit: int = 1000) -> Sequence[Row]:
    """Engagement violations: contacts past their promise, the longest first (contact_id, client_id, due_at)."""
    return tx.rows(
        f"""SELECT k.contact_id, k.client_id, {PROMISED} AS due_at FROM engagement_clocks k
            WHERE k.tenant_id = :t AND k.status <> 'exempt' AND k.due_at <= :now AND {PROMISED} <= :now
            ORDER BY k.due_at, k.contact_id LIMIT :limit""",
        t=tx.tenant_id, now=tx.now, limit=limit,
    )  # fmt: skip


def stats(tx: Tx, *, due_soon_days: int) -> Stats:
    """The whole book of clocks counted once, in one statement."""
    row = tx.row(
        f"""WITH book AS (SELECT client_id, status, {PROMISED} AS due FROM engagement_clocks k WHERE tenant_id = :t),
                 accounts AS (SELECT max(due) AS due FROM book WHERE status <> 'exempt' GROUP BY client_id)
            SELECT count(*) FILTER (WHERE status <> 'exempt' AND due > :soon) AS compliant,
                   count(*) FILTER (WHERE status <> 'exempt' AND due > :now AND due <= :soon) AS due_soon,
                   count(*) FILTER (WHERE status <> 'exempt' AND due <= :now) AS overdue,
                   count(*) FILTER (WHERE status = 'exempt') AS exempt,
                   count(*) FILTER (WHERE status = 'paused') AS paused,
                   (SELECT count(*) FROM accounts) AS accounts,
                   (SELECT count(*) FROM accounts WHERE due <= :now) AS accounts_overdue FROM book""",
        t=tx.tenant_id, now=tx.now, soon=tx.now + timedelta(days=due_soon_days),
    )  # fmt: skip
    assert row is not None
    return Stats(**row)
