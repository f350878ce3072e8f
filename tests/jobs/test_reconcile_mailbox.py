"""The hourly comparison of mailboxes with what is stored: differences are mended and told, arrivals are none."""

from __future__ import annotations

from jobs import ingest, reconcile_mailbox
from tests.hand_clock import HandClock
from tests.jobs.letters import Post, letter


def run(post: Post) -> dict[str, int]:
    return dict(ingest.run(post.house, post.tenant_id))


def differences(post: Post) -> int:
    alerts = "SELECT count(*) FROM agent_alerts WHERE tenant_id = :t AND kind LIKE 'mailbox_difference%'"
    return int(post.value(alerts))


def test_the_hourly_comparison_fetches_what_was_missed_and_says_so(post: Post, clock: HandClock) -> None:
    missed = post.arrives(letter(number=1, subject="Missed"))
    clock.advance(hours=1)
    run(post)
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        tx.run("DELETE FROM gmail_messages WHERE tenant_id = :t AND gmail_message_id = :m",
               t=post.tenant_id, m=missed)  # fmt: skip
    assert "messages" not in run(post)
    counts = reconcile_mailbox.run(post.house, post.tenant_id)
    assert (counts["missed"], counts["messages"]) == (1, 1)
    assert differences(post) == 1
    assert reconcile_mailbox.run(post.house, post.tenant_id)["missed"] == 0


def test_what_arrives_between_sync_and_comparison_is_no_difference(post: Post, clock: HandClock) -> None:
    run(post)
    clock.advance(minutes=1)
    post.arrives(letter())
    counts = reconcile_mailbox.run(post.house, post.tenant_id)
    assert (counts["missed"], counts["arriving"], counts["messages"]) == (0, 1, 1)
    assert differences(post) == 0
