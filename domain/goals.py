"""Goals: orders and revenue wished for in a period, how far they are, and whether the pipeline can still bring them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
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
    tx: Tx, *, metric: Metric, starts_on: date, ends_on: date, target: Decimal | int | str, currency: str = ""
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


def standings(tx: Tx, zone: ZoneInfo) -> list[Standing]:
    """How each goal stands whose period is running, its days being those of `zone`."""
    today = tx.now.astimezone(zone).date()
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM goals WHERE tenant_id = :t AND ends_on >= :today AND starts_on <= :today
            ORDER BY ends_on, metric, id""",
        t=tx.tenant_id, today=today,
    )  # fmt: skip
    return [standing(tx, _load(row), zone) for row in rows]


def standing(tx: Tx, goal: Goal, zone: ZoneInfo) -> Standing:
    """How one goal stands."""
    began, over = _bounds(goal, zone)
    counted = "count(*)" if goal.metric == "orders" else "coalesce(sum(total_amount), 0)"
    actual = tx.value(
        f"""SELECT {counted} FROM orders WHERE tenant_id = :t AND ordered_at >= :began AND ordered_at < :over
              AND status IN ('accepted', 'in_progress', 'delivered', 'closed')
              AND (:currency = '' OR currency = :currency)""",
        t=tx.tenant_id, began=began, over=over, currency=goal.currency,
    )  # fmt: skip
    elapsed = min(max(tx.now - began, timedelta(0)), over - began)
    share = (_microseconds(elapsed) / _microseconds(over - began)).quantize(SHARE)
    pipeline = weighted_pipeline(tx, goal.currency) if goal.metric == "revenue" else Decimal(0)
    return Standing(goal, Decimal(actual), share, pipeline)


def weighted_pipeline(tx: Tx, currency: str) -> Decimal:
    """The worth of open deals in a currency, each weighed by how likely its stage makes it."""
    weighted = tx.value(
        """SELECT coalesce(sum(d.value * s.win_probability), 0) FROM deals d
           JOIN deal_stage_config s ON s.tenant_id = d.tenant_id AND s.key = d.stage
           WHERE d.tenant_id = :t AND d.state = 'open' AND d.currency = :currency""",
        t=tx.tenant_id, currency=currency,
    )  # fmt: skip
    return money.rounded(Decimal(weighted), currency)


def _bounds(goal: Goal, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moment of the period, and the first after it."""
    return (datetime.combine(goal.starts_on, time.min, zone),
            datetime.combine(goal.ends_on + timedelta(days=1), time.min, zone))  # fmt: skip


def _microseconds(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(microseconds=1))


def _the_same(tx: Tx, metric: str, starts_on: date, ends_on: date, currency: str) -> Goal:
    rows: Sequence[Row] = tx.rows(
        f"""SELECT {COLUMNS} FROM goals WHERE tenant_id = :t AND metric = :metric AND starts_on = :starts
              AND ends_on = :ends AND currency = :currency""",
        t=tx.tenant_id, metric=metric, starts=starts_on, ends=ends_on, currency=currency,
    )  # fmt: skip
    return _load(rows[0])


def _load(row: Row) -> Goal:
    return Goal(**{name: row[name] for name in Goal.__slots__})
