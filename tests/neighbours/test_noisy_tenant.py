"""A noisy tenant: a thousand times the load of its neighbours, or a provider that hangs, costs them no hour."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from datetime import datetime

from domain.db import Database
from simulator.clock import ShiftedClock
from tests import gears
from tests.hand_clock import HandClock
from tests.neighbours.estate import SLOT, Box, Estate, Hanging, at_the_next_hour, estate, until

LOAD = int(os.environ.get("LAB_LOAD", "20"))
"""How many times its neighbours' load the noisy tenant has."""
LONG = LOAD >= 1_000
NEIGHBOURS = 12 if LONG else 4
HOURS = 8 if LONG else 1
PEOPLE = 2
WITHOUT_CAPS = {"touches_per_cycle": 100_000, "max_emails_per_hour": 100_000, "sends_per_second": 1_000}


def hang(made: Estate, clock: HandClock, hanging: Hanging) -> datetime:
    """The noisy tenant is in the middle of its hour, and stays there; the moment of that hour's beat."""
    made.hands.senders[made.noisy] = hanging
    hanging.done_meanwhile = lambda: sum(len(outcomes) for outcomes in made.outcomes())
    made.acquaint(made.noisy, PEOPLE)
    clock.advance(hours=1)
    struck = made.claim()
    assert hanging.holding.wait(180)
    return struck


def test_a_tenant_that_hangs_in_its_hour_costs_its_neighbours_none(clone: Database, clock: HandClock) -> None:
    clock.at(SLOT)
    hanging = Hanging()
    with estate(clone, others=3) as made:
        # a clock that is moved on in the middle of an hour would be that hour's deadline
        made.wait_for_neighbours(hang(made, clock, hanging))
        for _ in range(3):
            clock.advance(hours=1)
            for tenant_id in made.others:
                made.acquaint(tenant_id, 1)
            made.wait_for_neighbours(made.claim())
        assert {outcome for outcomes in made.outcomes() for outcome in outcomes} == {"completed"}
        assert hanging.seen == [], "it still hangs"
        hanging.let_go.set()


def test_where_all_hours_pass_through_one_thread_the_neighbours_would_wait(clone: Database, clock: HandClock) -> None:
    """The control: the same look at the same estate sees a house in which one tenant can hold up everybody."""
    clock.at(SLOT)
    hanging = Hanging(seconds=1.0)
    with estate(clone, others=3, cycles=1) as made:
        hang(made, clock, hanging)
        clock.advance(hours=1)
        for tenant_id in made.others:
            made.acquaint(tenant_id, 1)
        made.wait_for_neighbours(made.claim())
    assert hanging.seen[0] == 0


def test_a_mailbox_that_hangs_keeps_nobody_elses_from_being_read(clone: Database, clock: HandClock) -> None:
    clock.at(SLOT)
    with estate(clone, others=3) as made:
        hanging = Box(let_go=made.house.leaving)
        made.connect(made.noisy, hanging)
        boxes = [Box() for _ in made.others]
        for tenant_id, box in zip(made.others, boxes, strict=True):
            made.connect(tenant_id, box)
        for poll in range(1, 6):
            clock.advance(minutes=5)
            made.claim()
            assert until(lambda poll=poll: all(box.read >= poll for box in boxes)), (poll, boxes)  # type: ignore[misc]
        assert (hanging.begun, hanging.read) == (1, 0), "it is read by one at a time"


def test_a_tenant_with_many_times_the_load_costs_its_neighbours_no_cycle(
    cloned: gears.Clone, figures: Callable[..., None]
) -> None:
    clock = ShiftedClock.starting(SLOT)
    database = Database(cloned.url(), clock)
    with estate(database, others=NEIGHBOURS, cycles=4, **WITHOUT_CAPS) as made:
        alone = [second for _ in range(HOURS) for second in hour(made, clock)]
        made.acquaint(made.noisy, PEOPLE * LOAD)
        beside = [second for _ in range(HOURS) for second in hour(made, clock)]
        outcomes = made.outcomes()
        assert outcomes == [["completed"] * 2 * HOURS] * NEIGHBOURS, outcomes
    database.dispose()
    figures(
        "neighbours", load=LOAD, neighbours=NEIGHBOURS, hours=HOURS, missed=0, noisy_people=PEOPLE * LOAD,
        p95_alone_seconds=round(p95(alone), 3), p95_beside_seconds=round(p95(beside), 3),
        ratio=round(p95(beside) / p95(alone), 2),
    )  # fmt: skip


def hour(made: Estate, clock: ShiftedClock) -> list[float]:
    """The next slot comes, with new people for everybody; how long each neighbour's cycle took from there."""
    for tenant_id in made.others:
        made.acquaint(tenant_id, PEOPLE)
    clock.shift += at_the_next_hour(clock.now())
    return made.wait_for_neighbours(made.claim())


def p95(seconds: list[float]) -> float:
    """The nineteenth of twenty."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]
