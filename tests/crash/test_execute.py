"""Whatever crashes at whatever step: nothing is sent twice and nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from domain.db import Database
from jobs.execute import STEPS
from simulator.emulators.resend import ResendEmulator
from tests.crash import laboratory
from tests.hand_clock import HandClock

SEEDS = int(os.environ.get("LAB_SEEDS", "20"))
EXECUTE = laboratory.boundaries("execute")
RESOLVE = laboratory.boundaries("resolve")


@pytest.fixture
def resend(clock: HandClock) -> Iterator[ResendEmulator]:
    clock.advance(hours=6)
    with ResendEmulator(clock=clock) as emulator:
        yield emulator


def test_the_boundaries_are_the_steps_of_the_executor() -> None:
    assert sorted(EXECUTE) == sorted(f"execute.{step}" for step in STEPS)


@pytest.mark.parametrize("step", [*EXECUTE, *RESOLVE])
def test_a_crash_at_any_step_sends_nothing_twice_and_loses_nothing(
    step: str, clone: Database, clock: HandClock, resend: ResendEmulator
) -> None:
    # a key that may only send leaves nothing to be looked up: then only the same key keeps a second try harmless
    lists = step == "resolve.found" or step.startswith("execute.")
    found = [laboratory.run(clone, clock, resend, step, seed, listing=lists) for seed in range(SEEDS)]
    assert all(each.fired for each in found), "only boundaries that really fired count"
    assert [(each.lost, each.doubled, each.unkeyed_repeats) for each in found] == [(0, 0, 0)] * SEEDS


def test_a_new_key_for_each_try_is_caught(clone: Database, clock: HandClock, resend: ResendEmulator) -> None:
    found = [
        laboratory.run(clone, clock, resend, "execute.performed", seed, sender=laboratory.NewKeyEachTry, listing=False)
        for seed in range(4)
    ]
    assert sum(each.doubled + each.unkeyed_repeats for each in found) > 0
