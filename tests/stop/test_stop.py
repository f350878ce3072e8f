"""Stop means stop: once a flip has returned, nothing that it governs reaches the provider, from any process."""

from __future__ import annotations

import os
import random
import signal
import statistics
from collections.abc import Callable, Iterator
from time import monotonic_ns
from uuid import UUID

import pytest

from domain import switches
from domain.switches import Switch
from tests import gears
from tests.stop.laboratory import TYPES, Laboratory, between, governs, laboratory

FLIPS = int(os.environ.get("LAB_FLIPS", "1"))
"""Sixths of the stops of each family; the long form has 50, which is 300 stops of each."""
SENDERS = 4 if FLIPS == 1 else 8
FAMILIES: dict[str, Callable[[random.Random, list[UUID]], Switch]] = {
    "global": lambda _chance, _tenants: Switch(None, "all"),
    "tenant": lambda chance, tenants: Switch(chance.choice(tenants), "all"),
    "engine": lambda chance, tenants: Switch(chance.choice([None, *tenants]), "engine", "engagement"),
    "mail": lambda chance, tenants: Switch(chance.choice([None, *tenants]), "mail"),
    "action": lambda chance, tenants: Switch(chance.choice([None, *tenants]), "action", chance.choice(TYPES)),
}


@pytest.fixture
def sending(cluster: gears.Cluster) -> Iterator[tuple[Laboratory, list[UUID]]]:
    """Two processes that send as fast as they can, one tenant a thread."""
    with laboratory(cluster) as lab:
        tenants = [lab.tenant(f"t{at}") for at in range(SENDERS)]
        for half in (tenants[: SENDERS // 2], tenants[SENDERS // 2 :]):
            lab.process(half)
        ends = lab.clock.monotonic() + 60
        while {post.tenant_id for post in lab.all_posts()} != set(tenants):
            assert lab.clock.monotonic() < ends, "every tenant sends"
            lab.clock.wait(0.05)
        yield lab, tenants


def test_nothing_arrives_after_a_stop_has_returned(
    sending: tuple[Laboratory, list[UUID]], figures: Callable[..., None]
) -> None:
    """Every level, of the house and of a tenant; a process that is paused meanwhile; and a flag alone, as a control."""
    lab, tenants = sending
    assert _late_starts(lab, tenants, figures) == 0
    _a_paused_process_is_named(lab, tenants)
    assert _late_starts_by_flag_alone(lab, figures) > 0, "it must be seen to fail, or this laboratory proves nothing"


def _late_starts(lab: Laboratory, tenants: list[UUID], figures: Callable[..., None]) -> int:
    chance = random.Random(1)
    flips: dict[str, list[tuple[Switch, int, int, int, int]]] = {family: [] for family in FAMILIES}
    for done in range(6 * FLIPS):
        if done % 20 == 19:
            lab.tidy()
        for family, choose in FAMILIES.items():
            switch, begun = choose(chance, tenants), monotonic_ns()
            lab.clock.wait(0.02 + chance.random() * 0.03)
            asked = monotonic_ns()
            flip = lab.stop(switch)
            returned = monotonic_ns()
            assert flip.settled, flip.in_flight
            lab.clock.wait(0.015)
            flips[family].append((switch, begun, asked, returned, monotonic_ns()))
            lab.resume(switch)
    posts, late, before = lab.all_posts(), 0, 0
    for family, told in flips.items():
        theirs = sum(len(between(posts, begun, returned)) for _s, begun, _a, returned, _r in told)
        starts = [
            (switch, post)
            for switch, _begun, _asked, returned, resumed in told
            for post in between(posts, returned, resumed)
            if governs(switch, post)
        ]
        took = statistics.median((returned - asked) / 1e6 for _s, _b, asked, returned, _r in told)
        figures("stop", family=family, stops=len(told), sends_before=theirs, late_starts=len(starts),
                median_ms=round(took, 1), senders=len(tenants))  # fmt: skip
        late, before = late + len(starts), before + theirs
    assert before > 6 * FLIPS, f"the senders were at work: {before} sends before {6 * FLIPS * len(FAMILIES)} stops"
    return late


def _a_paused_process_is_named(lab: Laboratory, tenants: list[UUID]) -> None:
    """SIGSTOP in mid-send: the stop names its card; no other tenant waits; once it goes on, the stop settles."""
    slow, others, paused = tenants[0], set(tenants[SENDERS // 2 :]), lab.processes[0]
    switch = Switch(slow, "all")
    lab.resend.hold(slow)
    assert lab.resend.arrived.wait(60)
    paused.send_signal(signal.SIGSTOP)
    lab.until_paused(paused)
    begun = monotonic_ns()
    flip = lab.stop(switch, timeout_seconds=0.2)
    assert (flip.settled, {card.tenant_id for card in flip.in_flight}) == (False, {slow})
    ends = lab.clock.monotonic() + 60
    while not {post.tenant_id for post in lab.posts(begun)} >= others:
        assert lab.clock.monotonic() < ends, "the other process goes on sending"
        lab.clock.wait(0.02)
    lab.resend.hold(UUID(int=0))
    lab.resend.let_go.set()
    assert not lab.stop(switch, timeout_seconds=0.2).settled, "answered or not, it has not let go"
    paused.send_signal(signal.SIGCONT)
    assert lab.stop(switch).settled
    returned = monotonic_ns()
    lab.clock.wait(0.05)
    assert [post for post in lab.posts(returned) if governs(switch, post)] == []
    lab.resume(switch)


def _late_starts_by_flag_alone(lab: Laboratory, figures: Callable[..., None]) -> int:
    """The negative control: a switch that only commits its flag lets sends through that had read the old one."""
    late, stops = 0, 0
    while stops < 200 and not (late and stops >= FLIPS):
        switch = Switch(None, "all")
        switches.write(lab.database, switch, stopped=True, by="test", reason="flag alone")
        returned = monotonic_ns()
        lab.clock.wait(0.1)
        late += len(lab.posts(returned))
        lab.resume(switch)
        stops += 1
        # on a crowded machine senders take a while to begin again, and a stop of nobody shows nothing
        resumed, ends = monotonic_ns(), lab.clock.monotonic() + 60
        while not lab.posts(resumed) and lab.clock.monotonic() < ends:
            lab.clock.wait(0.01)
    figures("stop", control="a flag alone", stops=stops, late_starts=late)
    return late
