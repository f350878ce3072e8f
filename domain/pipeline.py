"""The pipeline counted: what is open and stalled, what is won, how long it takes, and what follow-ups bring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from domain.db import Tx

WINDOW = timedelta(days=90)
"""How far back closed deals, finished stages and follow-ups are counted."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The tenant's deals at one instant."""

    open: int
    stalled: int
    left_to_people: int
    """Open ones that are switched off."""
    value: Mapping[str, Decimal]
    """What is open, by currency."""
    weighted: Mapping[str, Decimal]
    """The same, each deal times its stage's win probability, to the cent."""
    won: int
    lost: int
    days_in_stage: Mapping[str, float]
    """Mean days of the stays that ended, by stage."""
    follow_ups: int
    follow_ups_answered: int

    @property
    def win_rate(self) -> float:
        """The share of closed deals that were won; 0 where none was closed."""
        return self.won / (self.won + self.lost) if self.won + self.lost else 0.0

    @property
    def follow_up_yield(self) -> float:
        """The share of follow-ups that brought an answer before the next; 0 where none went out."""
        return self.follow_ups_answered / self.follow_ups if self.follow_ups else 0.0


def stats(tx: Tx) -> Pipeline:
    """Count the tenant's deals; four statements."""
    since = tx.now - WINDOW
    book = tx.rows(
        """SELECT d.currency, count(*) AS n, count(d.stalled_at) AS stalled,
                  count(*) FILTER (WHERE NOT d.automation) AS off, sum(d.value) AS value,
                  sum(d.value * s.win_probability) AS weighted
           FROM deals d JOIN deal_stage_config s ON s.tenant_id = :t AND s.key = d.stage
           WHERE d.tenant_id = :t AND d.state = 'open' GROUP BY 1 ORDER BY 1""",
        t=tx.tenant_id,
    )  # fmt: skip
    closed = tx.row(
        """SELECT count(*) FILTER (WHERE state = 'won') AS won, count(*) FILTER (WHERE state = 'lost') AS lost
           FROM deals WHERE tenant_id = :t AND state <> 'open' AND closed_at > :since""",
        t=tx.tenant_id, since=since,
    )  # fmt: skip
    stages = tx.rows(
        """SELECT stage, avg(extract(epoch FROM duration))::float8 / 86400 AS days FROM deal_stage_history
           WHERE tenant_id = :t AND left_at > :since AND stage NOT IN ('won', 'lost') GROUP BY 1 ORDER BY 1""",
        t=tx.tenant_id, since=since,
    )  # fmt: skip
    mails = tx.row(
        """SELECT count(*) AS sent, count(answered_at) AS answered FROM deal_activities
           WHERE tenant_id = :t AND kind = 'follow_up' AND voided_at IS NULL AND at > :since""",
        t=tx.tenant_id, since=since,
    )  # fmt: skip
    assert closed is not None
    assert mails is not None
    return Pipeline(
        open=sum(row["n"] for row in book), stalled=sum(row["stalled"] for row in book),
        left_to_people=sum(row["off"] for row in book), value={row["currency"]: row["value"] for row in book},
        weighted={row["currency"]: row["weighted"].quantize(Decimal("0.01")) for row in book},
        won=closed["won"], lost=closed["lost"], days_in_stage={row["stage"]: row["days"] for row in stages},
        follow_ups=mails["sent"], follow_ups_answered=mails["answered"],
    )  # fmt: skip
