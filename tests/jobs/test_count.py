"""Counting: a small book's numbers are of this hour, a very large one's as old as they say and never over a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from domain import clocks, reflections
from domain.db import Database
from engines.engagement.engine import EngagementEngine
from jobs import cycle
from tests import build, houses
from tests.hand_clock import HandClock


def test_a_large_book_is_counted_as_often_as_its_size_allows(clone: Database, clock: HandClock) -> None:
    acme = build.acme(clone, send_mode="dry_run", figures_rows_per_hour=1)
    globex = build.globex(clone, send_mode="dry_run")

    def meet(names: str) -> None:
        for tenant in (acme, globex):
            with clone.tenant(tenant, actor="ana") as tx:
                for name in names:
                    clocks.start(tx, [build.contact(tx, build.client(tx, name), f"{name}@client.example")])

    with houses.house(clone) as house:

        def hour(later: timedelta) -> tuple[Any, Any, Any]:
            clock.advance(seconds=later.total_seconds())
            told = []
            for tenant in (acme, globex):
                cycle.run(house, tenant, kind="manual", engines=[EngagementEngine()])
                with clone.tenant(tenant) as tx:
                    row = reflections.last(tx)
                assert row is not None
                told.append(row["facts"])
            assert "counted_at" not in told[1]
            return (*(each["metrics"]["engagement.contacts_active"] for each in told), told[0]["counted_at"])

        meet("abc")
        begun = hour(timedelta(hours=1))
        assert begun[:2] == (3, 3)
        meet("de")
        assert hour(timedelta(hours=1)) == (3, 5, begun[2])
        assert hour(timedelta(hours=1)) == (3, 5, begun[2])
        again = hour(timedelta(hours=1, seconds=1))
        assert again[:2] == (5, 5)
        assert again[2] != begun[2]
