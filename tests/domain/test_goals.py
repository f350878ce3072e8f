"""Goals: pace against the elapsed share of the period, in the tenant's own days, and a pipeline that is thin or not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from domain import goals, orders
from domain.db import Database
from tests import build
from tests.hand_clock import HandClock

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def test_a_goal_is_behind_when_less_is_reached_than_the_elapsed_share(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    today = clock.now().astimezone(NEW_YORK).date()
    first, last = today.replace(day=1), today.replace(day=28)
    with clone.tenant(acme) as tx:
        account = build.client(tx)
        for at in range(3):
            orders.put(
                tx, external_id=f"o-{at}", client_id=account, fee="100", total_amount="100.10", status="accepted"
            )
        orders.put(tx, external_id="eur", client_id=account, currency="EUR", total_amount="900", status="closed")
        orders.put(tx, external_id="new", client_id=account, fee="900", total_amount="900")
        goals.put(tx, metric="revenue", starts_on=first, ends_on=last, target="100000", currency="usd")
        goals.put(tx, metric="orders", starts_on=first, ends_on=last, target="4")
        count, revenue = goals.standings(tx, NEW_YORK)
        assert (revenue.actual, revenue.needed) == (Decimal("300.30"), Decimal("99699.70"))
        assert (revenue.behind, revenue.thin) == (True, True)
        assert revenue.elapsed_share == revenue.elapsed_share.quantize(Decimal("0.0001"))
        assert (int(count.actual), count.behind, count.thin) == (4, False, False)
    clock.advance(days=60)
    with clone.tenant(acme) as tx:
        assert goals.standings(tx, NEW_YORK) == []
        assert goals.standings(tx, NEW_YORK, [count.goal.id])[0].elapsed_share == 1


def test_a_day_belongs_to_the_period_as_the_tenant_counts_days(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        account = build.client(tx)
        late = clock.now().replace(hour=2)
        orders.put(tx, external_id="o", client_id=account, total_amount="5", status="accepted", ordered_at=late)
        day = late.date()
        goal = goals.put(tx, metric="orders", starts_on=day, ends_on=day, target=1)
        assert goals.standings(tx, ZoneInfo("UTC"), [goal.id])[0].actual == 1
        assert goals.standings(tx, NEW_YORK, [goal.id])[0].actual == 0


def test_a_goal_set_again_is_the_same_goal(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        span: dict[str, Any] = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 3, 31)}
        first = goals.put(tx, metric="orders", target=10, **span)
        assert goals.put(tx, metric="orders", target=10, **span) == first
        assert goals.put(tx, metric="orders", target=12, **span).id == first.id
        assert [goal.target for goal in goals.listed(tx)] == [12]
        goals.remove(tx, first.id)
        with pytest.raises(goals.UnknownGoal):
            goals.remove(tx, first.id)
        for wrong in ({"target": 0}, {"target": "1.5"}, {"currency": "USD"}, {"metric": "revenue"},
                      {"ends_on": date(2025, 1, 1)}, {"metric": "profit"}):  # fmt: skip
            with pytest.raises(goals.InvalidGoal):
                goals.put(tx, **{"metric": "orders", "target": 10, **span, **wrong})
