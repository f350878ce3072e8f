"""What a tenant does not want to keep goes after its time, and what is needed of it stays."""

from __future__ import annotations

from datetime import timedelta

from domain import events, settings
from jobs import cleanup, cycle, ingest
from tests import build
from tests.hand_clock import HandClock
from tests.jobs import letters
from tests.jobs.letters import Post


def test_nothing_goes_unless_the_tenant_says_so_and_then_only_what_is_old(post: Post, clock: HandClock) -> None:
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        build.contact(tx)
        events.record(tx, "noted", "x", "old")
    post.arrives(letters.letter("A long story."))
    ingest.run(post.house, post.tenant_id)
    cycle.run(post.house, post.tenant_id)
    clock.advance(days=40)
    cleanup.run(post.house)
    assert post.value("SELECT count(*) FROM gmail_messages WHERE raw_size > 0") == 1
    assert post.value("SELECT count(*) FROM agent_autonomous_runs") == 1
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        settings.change(tx, {"keep_message_days": 30, "keep_event_days": 30, "keep_run_days": 30,
                             "keep_verdict_days": 30})  # fmt: skip
        young = events.record(tx, "noted", "x", "young")
    cleanup.run(post.house)
    message = post.message()
    assert (message["raw_size"], message["snippet"], message["from_address"]) == (0, None, "bill@initech.example")
    assert post.value("SELECT count(*) FROM blobs WHERE size > 0") == 0
    assert post.value("SELECT count(*) FROM agent_autonomous_runs") == 0
    assert post.value("SELECT count(*) FROM card_verdicts") == 0
    with post.database.tenant(post.tenant_id) as tx:
        before = tx.now - timedelta(days=30)
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE at < :before", before=before) == 0
        kept = {row["id"] for row in tx.rows("SELECT id FROM warehouse_events WHERE type = 'noted'")}
    assert kept == {young}
    # a mail that was emptied is not fetched again
    ingest.run(post.house, post.tenant_id)
    assert post.message()["raw_size"] == 0
