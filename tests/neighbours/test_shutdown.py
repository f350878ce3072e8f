"""SIGTERM at any instant: the process ends in time, leaves nothing half done, and the next one does the rest."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict

from simulator.emulators.anthropic import AnthropicEmulator
from simulator.emulators.faults import Fault
from tests import gears
from tests.crash import kills
from tests.crash.kills import Ground
from tests.staff import CLOCK, Room

TERMS = int(os.environ.get("LAB_TERMS", "2"))
"""How many processes are told to end."""
PROMISE_SECONDS = 20
WITHIN_SECONDS = 1.5
"""How long after its first send a process is told to end at the latest."""


def test_a_told_process_ends_in_time_and_leaves_nothing_half_done(
    cloned: gears.Clone, room: Room, figures: Callable[..., None]
) -> None:
    chance, took, left = kills.chance("shutdown"), [], 0
    with kills.ground(cloned.url(), cloned.admin_url, room, tenants=4) as ground:
        hand = ground.hire()
        for at in range(TERMS):
            ground.new_people()
            if at % 4:
                ground.wait_for_a_send_by(hand)
            hand.up()
            CLOCK.wait(chance.random() * WITHIN_SECONDS)
            code, seconds = hand.end()
            took.append(seconds)
            assert (code, seconds < PROMISE_SECONDS) == (0, True), hand.told()
            assert _half_done(ground) == []
            left += bool(ground.unfinished())
            hand = ground.hire()
        ground.settle([hand])
        found = ground.judge()
        assert hand.end()[0] == 0
    figures("shutdown", terms=TERMS, with_work_left=left, slowest_seconds=round(max(took), 2), **asdict(found))
    assert (found.doubled, found.lost, found.reminted, found.repeats) == (0, 0, 0, 0)


QUESTION_SECONDS = 4
"""How long the last question may take at most; the model never answers it."""


def test_a_process_told_to_end_while_a_model_is_silent_ends_in_time_and_leaves_nothing_half_done(
    cloned: gears.Clone, room: Room, figures: Callable[..., None]
) -> None:
    with kills.ground(cloned.url(), cloned.admin_url, room, tenants=1) as ground:
        with AnthropicEmulator(clock=ground.database.clock) as claude:
            claude.break_next(Fault("hang", times=1_000))
            hand = ground.hire(
                ANTHROPIC_API_KEY="sk-ant-none", ANTHROPIC_BASE_URL=claude.url,
                HOURHAND_MODEL_DEADLINE_SECONDS=str(QUESTION_SECONDS),
            )  # fmt: skip
            hand.up()
            ground.new_people(each=1)
            ground.until(claude.asked, what=hand.told)
            code, seconds = hand.end()
        assert (code, seconds < PROMISE_SECONDS) == (0, True), hand.told()
        assert _half_done(ground) == []
        calls = ground.look("SELECT outcome, count(*) AS n FROM model_calls GROUP BY outcome")
        assert [each["outcome"] for each in calls] == ["timeout"]
        assert ground.look("SELECT reserved_usd FROM model_budgets WHERE reserved_usd <> 0") == []
        # the next has no model, and does what was left by templates
        hand = ground.hire()
        ground.settle([hand])
        found = ground.judge()
        assert hand.end()[0] == 0
    figures("shutdown with a model", seconds=round(seconds, 2), **asdict(found))
    assert (found.doubled, found.lost) == (0, 0)


def _half_done(ground: Ground) -> list[dict[str, object]]:
    """What nobody would take up, while no process runs: each row says what it is."""
    written = ground.look("SELECT count(*) AS n FROM kanban_cards WHERE state = 'done'")[0]["n"]
    told = [{"what": "mail not written down", "n": ground.posts() - written}] if ground.posts() != written else []
    return told + ground.look(
        """SELECT 'card ' || state AS what, count(*) AS n FROM kanban_cards
           WHERE state IN ('executing', 'uncertain') GROUP BY state
           UNION ALL SELECT 'lock', count(*) FROM agent_tenant_locks HAVING count(*) > 0
           UNION ALL SELECT 'job doing', count(*) FROM procrastinate_jobs WHERE status = 'doing' HAVING count(*) > 0
           UNION ALL SELECT 'open run without its job', count(*) FROM agent_autonomous_runs r
                     WHERE finished_at IS NULL AND NOT EXISTS (
                         SELECT FROM procrastinate_jobs j
                         WHERE status = 'todo' AND (j.args ->> 'tenant_id')::uuid = r.tenant_id)
                     HAVING count(*) > 0"""
    )
