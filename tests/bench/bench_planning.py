"""Hours of a tenant with 200,000 contacts, 50,000 deals and 20,000 quotes, and of ten times as many: planned, idle."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.db import Database
from tests import gears
from tests.hand_clock import HandClock
from tests.jobs.test_planning_cost import measure, measure_idle
from tests.volume import Size


@pytest.mark.parametrize("times", [1, 10])
def test_planning_a_large_book(
    clone: Database, cloned: gears.Clone, clock: HandClock, figures: Callable[..., None], times: int
) -> None:
    measure(clone, cloned, clock, figures, Size(200_000 * times, 50_000 * times, 20_000 * times))


@pytest.mark.parametrize("times", [1, 10])
def test_an_idle_hour_of_a_large_book(
    clone: Database, cloned: gears.Clone, clock: HandClock, figures: Callable[..., None], times: int
) -> None:
    measure_idle(clone, cloned, clock, figures, Size(200_000 * times, 50_000 * times, 20_000 * times))
