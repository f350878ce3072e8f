"""Every clause of the policy, allowing and stopping, through the one door: real rows, a real SDK, stored verdicts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain import cards, runs
from domain.switches import OUTWARD
from engines.registry import ENGINES
from jobs import explain
from jobs.execute import Work, execute
from policy.judge import RULES
from policy.verdicts import Decision
from simulator.emulators.resend import ResendEmulator
from tests import houses
from tests.hand_clock import HandClock
from tests.policy.cases import Case, all_cases
from tests.policy.world import World, entered
from tests.reused import Reused

ENDS: dict[Decision, str] = {
    "allow": "done", "block": "blocked", "defer": "deferred", "hold": "held", "needs_approval": "awaiting_approval",
    "expire": "expired", "renew": "cancelled",
}  # fmt: skip

CARRIED_OUT = OUTWARD | {kind for engine in ENGINES for kind in engine.handlers}

CASES = [case for case in all_cases() if RULES[case.rule].clause.startswith("P2.3.") and not case.tampered]


@pytest.fixture
def resend(clock: HandClock) -> Iterator[ResendEmulator]:
    with ResendEmulator(clock=clock) as emulator:
        yield emulator


@pytest.fixture
def world(reused: Reused, clock: HandClock, resend: ResendEmulator) -> Iterator[World]:
    hands = houses.TestHands()
    with entered(reused, clock, hands) as world:
        houses.resend_for(hands, resend, world.tenant_id, "re_acme")
        yield world


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_card_ends_where_its_rule_sends_it(world: World, resend: ResendEmulator, case: Case) -> None:
    card = case.arrange(world)
    state = _execute(world, card.id)
    with world.tx() as tx:
        told = explain.why(tx, card.id)
    [said] = [v for v in told["judgements"][-1]["verdicts"] if v["rule"] == case.rule]
    assert (said["decision"], said["sentence"]) == (case.decision, RULES[case.rule].sentence)
    assert isinstance(said["facts"], dict)
    expected = ENDS[case.overall or case.decision]
    if expected == "done" and card.type not in CARRIED_OUT:
        expected = "failed"  # allowed, but no engine of today carries it out, and the card says so
    assert state == expected == told["card"]["state"]
    assert len(resend.sent("re_acme")) == int(expected == "done" and told["mail"] is not None)


def test_every_clause_is_shown_allowing_and_stopping() -> None:
    """What our own composer always writes can only be broken by a broken composer: that is judged in policy's tests."""
    clauses = {rule.clause for rule in RULES.values() if rule.clause.startswith("P2.3.")}
    shown = {(RULES[case.rule].clause, case.decision == "allow") for case in CASES}
    composers = {RULES[case.rule].clause for case in all_cases() if case.tampered}
    assert {clause for clause in clauses if (clause, True) not in shown} == set()
    assert {clause for clause in clauses if (clause, False) not in shown} <= composers


def _execute(world: World, card_id: object) -> str:
    house = world.house
    held = house.locks.acquire(world.tenant_id)
    assert held is not None
    with house.database.tenant(world.tenant_id, fence=held.fence) as tx:
        [card] = [each for each in cards.listed(tx, limit=200) if each.id == card_id]
        if card.state in ("proposed", "deferred"):
            cards.move(tx, [card.id], "queued")
        run = runs.begin(tx, kind="manual", fence=held.fence, holder="test-1", mode="live", model="none",
                         deadline_minutes=5)  # fmt: skip
    assert run is not None
    return execute(Work(house, ENGINES, held, run.id), [card.id])[card.id]
