"""Whatever happens in whatever order: nothing leaves that must not, and every record adds up."""

from __future__ import annotations

import os
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests import gears
from tests.machine.machine import Machine
from tests.machine.stage import open_stage

STEPS = int(os.environ.get("LAB_STEPS", "200"))
"""How many steps in all; the long form takes 20,000."""
STEPS_EACH = 50


def test_no_order_of_events_breaks_a_promise(cluster: gears.Cluster, figures: Callable[..., None]) -> None:
    with open_stage(cluster) as stage:
        bound = type("TwoTenants", (Machine,), {"stage": stage})
        run_state_machine_as_test(
            bound,
            settings=settings(
                max_examples=STEPS // 30 + 1, stateful_step_count=STEPS_EACH,
                suppress_health_check=list(HealthCheck), phases=(Phase.generate,), report_multiple_bugs=False,
            ),
        )  # fmt: skip
        figures("machine", **stage.counts)
