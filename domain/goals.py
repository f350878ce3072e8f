"""Goals: orders and revenue wished for in a period, how far they are, and whether the pipeline can still bring them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from domain import events, money
from domain.db import Row, Tx
from domain.money import InvalidMoney

Metric = Literal["orders", "revenue"]

SHARE = Decimal("0.0001")
"""How finely the elapsed share of a period is told."""


class InvalidGoal(Exception):
    """A goal is a number of orders, or revenue in a currency, above zero, from one day to another."""


class UnknownGoal(LookupError):
    """The tenant has no such goal."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal as it was set."""

    id: UUID
    metric: Metric
    starts_on: date
    ends_on: date
    """The last day that counts."""
    target: Decimal
    currency: str
    set_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How a goal stands at one moment."""

    goal: Goal
    actual: Decimal
    """Orders accepted or further, or the sum of their totals, by the day they were ordered."""
    elapsed_share: Decimal
    """0 to 1: how much of the period is over."""
    pipeline: Decimal
    """Of revenue: the weighted worth of what is still open."""

    @property
    def expected(self) -> Decimal:
        """What would be reached by now at an even pace."""
        return money.rounded(self.goal.target * self.elapsed_share)

    @property
    def needed(self) -> Decimal:
        """What the goal still needs."""
        return max(self.goal.target - self.actual, Decimal(0))

    @property
    def behind(self) -> bool:
        """Less is reached than the elapsed share of the target."""
        return self.actual < self.goal.target * self.elapsed_share

    @property
    def thin(self) -> bool:
        """The weighted open pipeline is below what the goal still needs; only revenue is weighed against it."""
        return self.goal.metric == "revenue" and self.pipeline < self.needed

    def told(self) -> dict[str, Any]:
        """The same for pages and evidence, amounts as text."""
        return {
            "metric": self.goal.metric, "starts_on": self.goal.starts_on.isoformat(),
            "ends_on": self.goal.ends_on.isoformat(), "currency": self.goal.currency,
            "target": money.told(self.goal.target), "actual": money.told(self.actual),
            "expected": money.told(self.expected), "needed": money.told(self.needed),
            "elapsed_share": money.told(self.elapsed_share), "pipeline": money.told(self.pipeline),
            "behind": self.behind, "thin": self.thin,
        }  # fmt: skip


COLUMNS = ", ".join(Goal.__slots__)


def put(
    tx: Tx, *, metric: str, starts_on: date, ends_on: date, target: Decimal | int | str, currency: str = ""
) -> Goal:  # fmt: skip
    """Set the goal of a period, or set it anew; the same again changes nothing. Raises InvalidGoal."""
    if metric not in ("orders", "revenue"):
        raise InvalidGoal(f"metric: {metric!r} is neither orders nor revenue")
    if ends_on < starts_on:
        raise InvalidGoal("ends_on: the last day comes before the first")
    if (metric == "revenue") != bool(currency):
        raise InvalidGoal("currency: revenue is counted in one, orders in none")
    try:
        spoken = money.currency(currency) if currency else ""
        wished = money.exact(target, spoken or "USD")
    except InvalidMoney as error:
        raise InvalidGoal(f"target: {error}") from error
    if wished <= 0 or (metric == "orders" and wished != wished.to_integral_value()):
        raise InvalidGoal("target: above zero, and whole for orders")
    row = tx.row(
        f"""INSERT INTO goals AS g (tenant_id, id, metric, starts_on, ends_on, target, currency, set_by, created_at,
                                    updated_at)
            VALUES (:t, :id, :metric, :starts, :ends, :target, :currency, :by, :now, :now)
            ON CONFLICT (tenant_id, metric, starts_on, ends_on, currency) DO UPDATE
                SET target = :target, set_by = :by, updated_at = :now WHERE g.target <> :target
            RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=tx.clock.uuid(), metric=metric, starts=starts_on, ends=ends_on, target=wished,
        currency=spoken, by=tx.actor, now=tx.now,
    )  # fmt: skip
    if row is None:
        return _the_same(tx, metric, starts_on, ends_on, spoken)
    goal = _load(row)
    events.record(tx, "goal.set", "goal", goal.id, metric=metric, starts_on=starts_on.isoformat(),
                  ends_on=ends_on.isoformat(), target=money.told(wished), currency=spoken)  # fmt: skip
    return goal


def remove(tx: Tx, goal_id: UUID) -> None:
    """Give a goal up. Raises UnknownGoal."""
    if not tx.run("DELETE FROM goals WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=goal_id):
        raise UnknownGoal(f"there is no goal {goal_id}")
    events.record(tx, "goal.removed", "goal", goal_id)


def listed(tx: Tx, *, before: UUID | None = None, limit: int = 50) -> list[Goal]:
    """The tenant's goals, newest first, those set before goal `before`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM goals WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before)
            ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def standings(tx: Tx, zone: ZoneInfo, goal_ids: Sequence[UUID] | None = None) -> list[Standing]:
    """How each goal stands whose period is running, or each of `goal_ids`; its days are those of `zone`.

    One statement; a period's orders are counted off their index alone.
    """
    rows = tx.rows(
        f"""WITH chosen AS (
                SELECT g.*, CAST(starts_on AS timestamp) AT TIME ZONE :zone AS began,
                       CAST(ends_on + 1 AS timestamp) AT TIME ZONE :zone AS over
                FROM goals g WHERE g.tenant_id = :t AND CASE WHEN CAST(:ids AS uuid[]) IS NULL
                    THEN g.ends_on >= :today AND g.starts_on <= :today ELSE g.id = ANY(:ids) END)
            SELECT {", ".join(f"c.{name}" for name in Goal.__slots__)}, c.began, c.over,
                   CASE WHEN c.metric = 'orders' THEN a.orders ELSE a.revenue END AS actual, p.pipeline
            FROM chosen c
            CROSS JOIN LATERAL (
                SELECT count(*)::numeric AS orders, coalesce(sum(o.total_amount), 0) AS revenue FROM orders o
                WHERE o.tenant_id = :t AND o.ordered_at >= c.began AND o.ordered_at < c.over
                  AND o.status IN ('accepted', 'in_progress', 'delivered', 'closed')
                  AND (c.currency = '' OR o.currency = c.currency)) AS a
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(d.value * s.win_probability), 0) AS pipeline FROM deals d
                JOIN deal_stage_config s ON s.tenant_id = d.tenant_id AND s.key = d.stage
                WHERE d.tenant_id = :t AND d.state = 'open' AND d.currency = c.currency) AS p
            ORDER BY c.ends_on, c.metric, c.id""",
        t=tx.tenant_id, zone=zone.key, today=tx.now.astimezone(zone).date(),
        ids=None if goal_ids is None else list(goal_ids),
    )  # fmt: skip
    return [_standing(tx.now, row) for row in rows]


def _standing(now: datetime, row: Row) -> Standing:
    goal, began, over = _load(row), row["began"], row["over"]
    elapsed = min(max(now - began, timedelta(0)), over - began)
    share = (Decimal(elapsed // TICK) / Decimal((over - began) // TICK)).quantize(SHARE)
    return Standing(goal, row["actual"], share, money.rounded(row["pipeline"], goal.currency))


TICK = timedelta(microseconds=1)


def _the_same(tx: Tx, metric: str, starts_on: date, ends_on: date, currency: str) -> Goal:
    rows: Sequence[Row] = tx.rows(
        f"""SELECT {COLUMNS} FROM goals WHERE tenant_id = :t AND metric = :metric AND starts_on = :starts
              AND ends_on = :ends AND currency = :currency""",
        t=tx.tenant_id, metric=metric, starts=starts_on, ends=ends_on, currency=currency,
    )  # fmt: skip
    return _load(rows[0])


def _load(row: Row) -> Goal:
    return Goal(**{name: row[name] for name in Goal.__slots__})
