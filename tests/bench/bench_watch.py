"""PF1: what one look of the watch over a hundred thousand tenants costs, quiet ones and some that need a person."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import psycopg

from domain.db import Database
from jobs import alarms, watch
from tests import gears, houses
from tests.bench import fleet
from tests.hand_clock import A_MONDAY, HandClock

TENANTS = 100_000
TROUBLED = 200
LOOKS = 7


def test_a_look_over_the_whole_fleet_costs_little(
    cloned: gears.Clone, clock: HandClock, figures: Callable[..., None]
) -> None:
    fleet.settle(cloned, TENANTS, A_MONDAY)
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO hourhand.tenant_rollup (tenant_id, hour, cycles_completed, actions_planned, emails_sent,
                   contacts_compliant, contacts_clocked)
               SELECT tenant_id, %(at)s - make_interval(hours => ago), 1, 3, 2, 95, 100
               FROM hourhand.tenants, generate_series(0, 23) ago""",
            {"at": A_MONDAY},
        )
        connection.execute(
            """UPDATE hourhand.tenant_rollup SET contacts_compliant = 50 WHERE hour = %(at)s AND tenant_id IN (
                   SELECT tenant_id FROM hourhand.tenants ORDER BY tenant_id LIMIT %(troubled)s)""",
            {"at": A_MONDAY, "troubled": TROUBLED},
        )
        connection.execute("VACUUM ANALYZE hourhand.tenant_rollup")
    clock.move_to(A_MONDAY)
    database = Database(cloned.url(), clock)
    with houses.house(database) as house:
        assert len(watch.find(database, alarms.ALARMS)) == TROUBLED
        began = clock_now()
        told = watch.run(house)
        first = clock_now() - began
        assert told["opened"] == TROUBLED
        seconds = []
        for _ in range(LOOKS):
            began = clock_now()
            assert watch.run(house)["opened"] == 0
            seconds.append(clock_now() - began)
    database.dispose()
    quiet = statistics.median(seconds)
    figures("watch", tenants=TENANTS, opened=TROUBLED, first_look_seconds=round(first, 2),
            quiet_look_seconds=round(quiet, 3))  # fmt: skip


def clock_now() -> float:
    """Seconds on the machine's own clock, whatever the house's says."""
    from domain.clock import SystemClock

    return SystemClock().monotonic()
