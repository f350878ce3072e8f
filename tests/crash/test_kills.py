"""Real processes killed or paused in the middle of sending: nothing goes out twice, and nothing is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pytest

from jobs import tick
from tests import gears
from tests.crash import kills
from tests.crash.kills import Ground
from tests.staff import CLOCK, Hand, Room

KILLS = int(os.environ.get("LAB_KILLS", "1"))
"""How many workers are killed."""
DATABASE_KILLS = int(os.environ.get("LAB_DATABASE_KILLS", "1"))
"""How many times the database is."""
SLEEPS = ("before", "after", "reckless", "anywhere")
"""Where each tenant's own worker is paused: `reckless` is the defect to be caught, `anywhere` is an ordinary worker."""


def test_workers_killed_while_sending_double_and_lose_nothing(
    cloned: gears.Clone, room: Room, figures: Callable[..., None]
) -> None:
    chance, cut_off = kills.chance("workers"), 0
    with kills.ground(cloned.url(), cloned.admin_url, room) as ground:
        hands = [ground.hire(), ground.hire()]
        for _ in range(KILLS):
            ground.new_people(chance.sample(ground.tenants, kills.TENANTS // 2))
            # whichever is sending: the other may be back before a chosen one and take all that there is to do
            cut_off += ground.wait_for_a_send_by(*hands)
            victim = next((hand for hand in hands if ground.sending(hand)), hands[0])
            CLOCK.wait(chance.random() * kills.ANSWER_SECONDS)
            victim.kill()
            hands[hands.index(victim)] = ground.hire()
        ground.settle(hands)
        found = ground.judge()
    figures("kills", victim="worker", kills=KILLS, sends_cut_off=cut_off, **asdict(found))
    assert (found.doubled, found.lost, found.reminted) == (0, 0, 0)


def test_a_database_killed_while_they_send_doubles_and_loses_nothing(room: Room, figures: Callable[..., None]) -> None:
    chance, cut_off = kills.chance("database"), 0
    with (
        kills.server() as server,
        kills.ground(server.url("hourhand_app"), server.url("postgres"), room) as ground,
    ):
        hands = [ground.hire(), ground.hire()]
        for _ in range(DATABASE_KILLS):
            ground.new_people(chance.sample(ground.tenants, kills.TENANTS // 2))
            # not by one of them: the other may be back before it and take all that there is to do
            cut_off += ground.wait_for_a_send_by(*hands)
            CLOCK.wait(chance.random() * kills.ANSWER_SECONDS)
            kills.kill_server(server)
            ground.database.dispose()
            ground.settle(hands)
        found = ground.judge()
        assert all(hand.alive for hand in hands), "they wait for it and go on by themselves"
    figures("kills", victim="postgresql", kills=DATABASE_KILLS, sends_cut_off=cut_off, **asdict(found))
    assert (found.doubled, found.lost, found.reminted) == (0, 0, 0)


@dataclass
class Night:
    """A night in which each tenant's worker was paused until another had done its work, and then woken."""

    by_account: dict[str, kills.Verdict]
    state: list[dict[str, Any]]
    """What was written down when all of them were woken."""
    state_after: list[dict[str, Any]]
    told: dict[str, list[str]]
    """What each of them logged."""


@pytest.fixture(scope="module")
def night(cluster: gears.Cluster, room: Room) -> Iterator[Night]:
    """Paused past the lease, taken over, woken: all four side by side."""
    clone = cluster.clone()
    with kills.ground(clone.url(), clone.admin_url, room, tenants=len(SLEEPS), HOURHAND_CONCURRENCY="1") as ground:
        sleepers = _put_to_sleep(ground)
        ground.expire_locks()
        successor = ground.hire(HOURHAND_CONCURRENCY="4")
        ground.settle([successor])
        state, posts = ground.state(), ground.posts()
        for hand in sleepers.values():
            hand.tell(signal.SIGCONT)
        # two of them were paused before their POST, which comes now
        ground.until(lambda: ground.posts() >= posts + 2, what=lambda: f"{ground.posts()} of {posts + 2} posts")
        for hand in sleepers.values():
            hand.wait_for("job.fence_lost")
        told = {when: hand.events() for when, hand in sleepers.items()}
        state_after = ground.state()
        by_account = {when: ground.judge(at) for at, when in enumerate(SLEEPS)}
        for hand in (*sleepers.values(), successor):
            assert hand.end()[0] == 0
        yield Night(by_account, state, state_after, told)
    cluster.retire(clone)


def _put_to_sleep(ground: Ground) -> dict[str, Hand]:
    """A worker for each way of pausing, one after another, so that each has a tenant in the order of `SLEEPS`."""
    sleepers: dict[str, Hand] = {}
    for at, when in enumerate(SLEEPS):
        if when == "anywhere":
            hand = ground.hire("--no-scheduler")
        else:
            hand = ground.staff.start(when, module="tests.crash.kills_sleeper")
        hand.up()
        ground.new_people([ground.tenants[at]])
        tick.claim(ground.database)
        if when == "anywhere":
            ground.wait_for_a_send_by(hand)
            hand.tell(signal.SIGSTOP)
        hand.wait_until_paused()
        sleepers[when] = hand
    return sleepers


def test_a_worker_paused_past_its_lease_changes_nothing_when_it_wakes(
    night: Night, figures: Callable[..., None]
) -> None:
    later = {row["id"]: row for row in night.state_after}
    assert [later[row["id"]] for row in night.state] == night.state, "its successor's word stands"
    honest = [found for when, found in night.by_account.items() if when != "reckless"]
    figures("kills", victim="paused worker", pauses=len(honest), cards=sum(found.cards for found in honest),
            doubled=sum(found.doubled for found in honest), lost=sum(found.lost for found in honest),
            repeats=sum(found.repeats for found in honest))  # fmt: skip
    assert all((found.doubled, found.lost, found.reminted) == (0, 0, 0) for found in honest)
    assert night.by_account["before"].repeats > 0, "its POST came after its successor's, under the same key"
    assert all("job.fence_lost" in told for told in night.told.values())


def test_a_new_key_after_the_pause_is_caught(night: Night) -> None:
    """The negative control: a laboratory that did not see this would prove nothing."""
    reckless = night.by_account["reckless"]
    assert (reckless.doubled, reckless.reminted) == (1, 1)
