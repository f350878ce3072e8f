"""Mail that may be anybody's stops what presses on an account, begins no conversation and puts nothing off for long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import cards
from domain.cards import Card
from domain.db import Tx
from jobs import ingest
from tests import build
from tests.domain.test_deal_activity import followed_up
from tests.domain.test_deals import of
from tests.engines import hours
from tests.hand_clock import HandClock
from tests.jobs.letters import Post, letter

BADLY_SET_UP = "mx.acme.example; spf=pass smtp.mailfrom=bounce.example; dkim=none"


def test_a_promise_that_is_due_stays_due_however_much_is_planted(post: Post, bill: UUID, clock: HandClock) -> None:
    [waiting] = _proposed(post)
    for number in (1, 2):
        _planted(post, number)
        state = "SELECT state FROM kanban_cards WHERE tenant_id = :t AND id = :i"
        assert post.value(state, i=waiting.id) == "cancelled"
        [waiting] = _proposed(post)
        clock.advance(hours=1)
    assert post.value("SELECT last_reply_at FROM clients WHERE tenant_id = :t") is None


def test_follow_ups_and_reminders_are_put_off_once_however_much_is_planted(
    post: Post, bill: UUID, clock: HandClock
) -> None:
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        running, ended = build.deal(tx, bill, "Running"), build.deal(tx, bill, "Ended")
        for deal in (running, ended):
            followed_up(tx, deal, 1)
        tx.run("UPDATE deals SET follow_up_due_at = NULL WHERE tenant_id = :t AND id = :id", t=post.tenant_id, id=ended)
        check = build.check(tx, of(tx, running).client_id).id
        tx.run("UPDATE compliance_checks SET state = 'reminded', last_reminded_at = :now, remind_at = :later "
               "WHERE tenant_id = :t AND id = :id", t=post.tenant_id, id=check, now=tx.now,
               later=tx.now + timedelta(days=2))  # fmt: skip
        moved, interval = of(tx, running).last_activity_at, timedelta(days=5)
        assert of(tx, running).follow_up_due_at == moved + interval
    reminders = []
    for number in range(4):
        clock.advance(days=3)
        _planted(post, number)
        reminders.append(
            post.value("SELECT remind_at FROM compliance_checks WHERE tenant_id = :t AND id = :i", i=check)
        )
    assert len(set(reminders)) == 1
    assert reminders[0] > clock.now() - timedelta(days=9)
    with post.database.tenant(post.tenant_id) as tx:
        assert _follow_ups(tx, running) == (0, moved + 2 * interval, moved)
        assert _follow_ups(tx, ended) == (1, None, moved)


def _proposed(post: Post) -> list[Card]:
    with post.database.tenant(post.tenant_id) as tx:
        return list(cards.propose(tx, hours.ENGINE.plan(hours.context(tx)).proposals))


def _planted(post: Post, number: int) -> None:
    post.arrives(letter(frm="Bill <bill@initech.example>", number=number, authentication_results=BADLY_SET_UP))
    ingest.run(post.house, post.tenant_id)
    assert post.message()["word_of"] == "doubtful"


def _follow_ups(tx: Tx, deal: UUID) -> tuple[int, datetime | None, Any]:
    found = of(tx, deal)
    return found.follow_ups, found.follow_up_due_at, found.last_activity_at
