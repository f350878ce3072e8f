"""Feedback counted: how many answer, how they rate, how that moves from one period to the next, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.db import Tx

WINDOW = timedelta(days=90)
"""How long a period is; the one before it is as long."""


@dataclass(frozen=True, slots=True)
class Period:
    """What was asked, and what was answered, in one period."""

    asked: int
    answered: int
    """Of those that were asked in it."""
    answers: int
    """That were given in it, whenever they were asked for."""
    rated: int
    score: float | None
    """Mean of the ratings; None where nobody rated."""
    distribution: Mapping[int, int]
    """How many gave each rating, from 1 to 5."""
    negative: int
    positive: int
    recoveries: int
    """Cases that were opened because of an answer."""

    @property
    def response_rate(self) -> float:
        """The share of those asked who answered; 0 where nobody was."""
        return self.answered / self.asked if self.asked else 0.0

    @property
    def negative_share(self) -> float:
        """Of all answers; 0 where there are none."""
        return self.negative / self.answers if self.answers else 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """The tenant's feedback at one instant."""

    waiting: int
    """Requests that are queued, due or not."""
    open: int
    """Asked, and not answered yet."""
    recoveries_open: int
    """Cases opened because of an answer that nobody has closed."""
    now: Period
    before: Period

    @property
    def trend(self) -> float | None:
        """By how much the score rose since the period before; None where either has none."""
        if self.now.score is None or self.before.score is None:
            return None
        return self.now.score - self.before.score


def stats(tx: Tx, *, window: timedelta = WINDOW) -> Figures:
    """Count the tenant's feedback of the last `window` and of the one before it; three statements."""
    standing = tx.row(
        """SELECT count(*) FILTER (WHERE state = 'queued') AS waiting, count(*) FILTER (WHERE state = 'sent') AS open,
                  (SELECT count(*) FROM cases c WHERE c.tenant_id = :t AND c.state = 'open'
                   AND c.kind = 'service_recovery') AS recoveries
           FROM feedback_requests WHERE tenant_id = :t AND state IN ('queued', 'sent')""",
        t=tx.tenant_id,
    )
    assert standing is not None
    since = tx.now - window
    return Figures(standing["waiting"], standing["open"], standing["recoveries"], _period(tx, since, tx.now),
                   _period(tx, since - window, since))  # fmt: skip


def _period(tx: Tx, since: datetime, until: datetime) -> Period:
    row = tx.row(
        """SELECT a.*, b.* FROM (
               SELECT count(*) AS asked, count(answered_at) AS answered FROM feedback_requests
               WHERE tenant_id = :t AND sent_at > :since AND sent_at <= :until AND state <> 'skipped') AS a, (
               SELECT count(*) AS answers, count(rating) AS rated, avg(rating)::float8 AS score,
                      count(*) FILTER (WHERE sentiment = 'negative') AS negative,
                      count(*) FILTER (WHERE sentiment = 'positive') AS positive, count(case_id) AS recoveries,
                      count(*) FILTER (WHERE rating = 1) AS r1, count(*) FILTER (WHERE rating = 2) AS r2,
                      count(*) FILTER (WHERE rating = 3) AS r3, count(*) FILTER (WHERE rating = 4) AS r4,
                      count(*) FILTER (WHERE rating = 5) AS r5
               FROM feedback_requests
               WHERE tenant_id = :t AND answered_at > :since AND answered_at <= :until) AS b""",
        t=tx.tenant_id, since=since, until=until,
    )  # fmt: skip
    assert row is not None
    same = {name: row[name] for name in ("asked", "answered", "answers", "rated", "score", "negative", "positive",
                                         "recoveries")}  # fmt: skip
    return Period(**same, distribution={rating: row[f"r{rating}"] for rating in range(1, 6)})
