"""Quotes counted: what waits, what is open and for how much, what was answered, and how long that took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from domain.db import Tx

WINDOW = timedelta(days=90)
"""How far back quotes that were sent are counted."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The tenant's quotes at one instant."""

    drafts: int
    """That are meant to be sent, or that a mail asked for."""
    open: int
    viewed: int
    """Of the open ones."""
    value: Mapping[str, Decimal]
    """What is open, by currency."""
    sent: int
    accepted: int
    rejected: int
    expired: int
    hours_to_answer: float
    """Mean, of those that were answered; 0 where none was."""

    @property
    def accepted_rate(self) -> float:
        """The share of what came to an end that was accepted; 0 where nothing did."""
        ended = self.accepted + self.rejected + self.expired
        return self.accepted / ended if ended else 0.0


def stats(tx: Tx) -> Figures:
    """Count the tenant's quotes; three statements."""
    book = tx.rows(
        """SELECT currency, count(*) AS n, count(*) FILTER (WHERE status = 'viewed') AS viewed, sum(total) AS value
           FROM quotes WHERE tenant_id = :t AND status IN ('sent', 'viewed') GROUP BY 1 ORDER BY 1""",
        t=tx.tenant_id,
    )
    ended = tx.row(
        """SELECT count(*) AS sent, count(*) FILTER (WHERE status = 'accepted') AS accepted,
                  count(*) FILTER (WHERE status = 'rejected') AS rejected,
                  count(*) FILTER (WHERE status = 'expired') AS expired,
                  coalesce(avg(extract(epoch FROM answered_at - sent_at)) / 3600, 0)::float8 AS hours
           FROM quotes WHERE tenant_id = :t AND sent_at > :since""",
        t=tx.tenant_id, since=tx.now - WINDOW,
    )  # fmt: skip
    drafts = tx.value(
        """SELECT count(*) FROM quotes
           WHERE tenant_id = :t AND status = 'draft' AND (offered_at IS NOT NULL OR message_id IS NOT NULL)""",
        t=tx.tenant_id,
    )
    assert ended is not None
    return Figures(
        drafts=drafts, open=sum(row["n"] for row in book), viewed=sum(row["viewed"] for row in book),
        value={row["currency"]: row["value"] for row in book}, sent=ended["sent"], accepted=ended["accepted"],
        rejected=ended["rejected"], expired=ended["expired"], hours_to_answer=ended["hours"],
    )  # fmt: skip
