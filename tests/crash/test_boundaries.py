"""Whatever crashes at whatever step: nothing is done twice and nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain

import pytest

from tests.crash import boundaries, laboratory
from tests.crash.laboratory import Lays, Stage
from tests.crash.mail_in import ASKING, BROKEN, Post
from tests.crash.mail_out import UNKNOWN, WEATHER, Approved, Doomed, HandedOver, Hour, SideBySide
from tests.crash.told import Notices, Notifications, Posts

SEEDS = int(os.environ.get("LAB_SEEDS", "1"))
"""For each play of each boundary. No two boundaries draw alike, so that even one of each sees all the weather."""


@dataclass(frozen=True, slots=True)
class Case:
    """The plays in which a boundary is passed; each is laid out with every seed."""

    plays: tuple[Lays, ...]
    any_passage: bool = False
    """Killed at the first passage, or at any of those that each piece of a play brings."""


SENDS = Case((Hour, partial(Approved, lists=False)), any_passage=True)
# a task or a case is carried out in the transaction that claims its card, without a reservation
CARRIES_OUT = Case((Hour, partial(Post, kinds=ASKING)), any_passage=True)
# a key that may only send leaves nothing to be looked up: then only the same key keeps a second try harmless
TRIES_AGAIN = Case((partial(Hour, weather=UNKNOWN, lists=False),))
LOOKS_UP = Case((partial(SideBySide, weather=UNKNOWN), partial(Hour, weather=UNKNOWN, lists=False)))
HOUR = Case((SideBySide,))
READS = Case((Post,), any_passage=True)
TELLS = Case((partial(Notices, weather=(None, None, WEATHER[-1])),), any_passage=True)

CASES: Mapping[str, Case] = {
    "cycle.begun": HOUR, "cycle.plan": HOUR, "cycle.act": HOUR, "cycle.react": HOUR,
    "cycle.finished": HOUR,
    "plan.proposed": HOUR, "plan.accounted": HOUR, "plan.judged": HOUR,
    "execute.claimed": CARRIES_OUT, "execute.judged": CARRIES_OUT,
    "execute.reserved": SENDS, "execute.performed": SENDS, "execute.settled": SENDS,
    **dict.fromkeys(Doomed.STEPS, Case((HandedOver, partial(HandedOver, lists=False)), any_passage=True)),
    "resolve.noticed": LOOKS_UP, "resolve.found": LOOKS_UP, "resolve.reserved": TRIES_AGAIN,
    "resolve.performed": TRIES_AGAIN, "resolve.settled": LOOKS_UP,
    "react.taken": READS,
    "reflect.written": HOUR,
    "ingest.fetched": READS, "ingest.read": READS, "ingest.stored": READS, "ingest.covered": Case((Post,)),
    "ingest.moved": Case((Post,)),
    "ingest.anew": Case((partial(Post, expires=True),)),
    "ingest.set_aside": Case((partial(Post, weather=BROKEN, expires=False),)),
    "deliver.applied": Case((Notifications,)), "deliver.committed": Case((Notifications,)),
    "notices.reserved": Case((Notices,)), "notices.performed": TELLS, "notices.settled": TELLS,
    "hooks.begun": Case((Posts,)), "hooks.performed": Case((Posts,), any_passage=True),
}  # fmt: skip


def test_every_boundary_in_the_code_has_its_case() -> None:
    assert sorted(set(CASES) - set(Doomed.STEPS)) == boundaries.of_the_house()


def test_a_boundary_whose_name_cannot_be_read_does_not_hide() -> None:
    assert list(boundaries.read('PHASES = (("plan", 1), ("act", 2))\nhouse.fault(f"cycle.{phase}")')) == [
        "cycle.plan", "cycle.act",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="line 1"):
        list(boundaries.read("house.fault(name)"))


@pytest.mark.parametrize("step", CASES)
def test_a_crash_at_any_step_does_nothing_twice_and_loses_nothing(
    step: str, stage: Stage, figures: Callable[..., None]
) -> None:
    case = CASES[step]
    found = [laboratory.run(stage, play, step, f"{at}-{seed}", any_passage=case.any_passage)
             for at, play in enumerate(case.plays) for seed in range(SEEDS)]  # fmt: skip
    lost, doubled = (list(chain.from_iterable(each)) for each in
                     ((one.lost for one in found), (one.doubled for one in found)))  # fmt: skip
    fired = sum(each.fired for each in found)
    figures("crash", boundary=step, runs=len(found), fired=fired, doubled=len(doubled), lost=len(lost))
    assert (lost, doubled) == ([], [])
    assert fired == len(found), "only boundaries that really fired count"
