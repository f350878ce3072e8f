"""Mail in, once: cursors move last, nothing is lost or doubled, and one broken message or mailbox stops no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from domain import given_up, inbox, mailboxes, quarantine
from domain.db import Database
from domain.house import Leaving
from domain.ports import Page, RawMessage
from jobs import dead_letters, ingest
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs import letters
from tests.jobs.letters import Post, hand, letter


class Killed(BaseException):
    """The process ends here."""


def box(post: Post) -> mailboxes.MailboxRow:
    with post.database.tenant(post.tenant_id) as tx:
        return mailboxes.get(tx, post.mailbox_id)


def run(post: Post) -> dict[str, int]:
    return dict(ingest.run(post.house, post.tenant_id))


def stored(post: Post) -> int:
    return int(post.value("SELECT count(*) FROM gmail_messages WHERE tenant_id = :t"))


def alerts(post: Post) -> list[str]:
    with post.database.tenant(post.tenant_id) as tx:
        rows = tx.rows("SELECT kind FROM agent_alerts WHERE tenant_id = :t AND state = 'open'", t=post.tenant_id)
    return sorted(row["kind"].partition(":")[0] for row in rows)


def test_each_message_is_stored_with_its_exact_bytes_and_once(post: Post) -> None:
    raws = [letter(number=n, subject=f"Order {n}") + bytes([0xFF, 0x00, n]) for n in range(7)]
    for raw in raws:
        post.arrives(raw)
    assert run(post)["messages"] == 7
    assert "messages" not in run(post)
    with post.database.tenant(post.tenant_id) as tx:
        messages = inbox.listed(tx)
        assert {inbox.raw(tx, each.id) for each in messages} == set(raws)
    assert box(post).cursor == post.account.history_id


def test_processing_a_message_twice_changes_nothing(post: Post) -> None:
    post.arrives(letter())
    run(post)
    counting = "SELECT count(*) FROM warehouse_events WHERE tenant_id = :t"
    before = post.value(counting)
    with post.database.tenant(post.tenant_id) as tx:
        tx.run("UPDATE mailboxes SET cursor = NULL WHERE tenant_id = :t", t=post.tenant_id)
    post.house.database.clock.wait(60)
    again = ingest.begin(post.house, post.tenant_id, box(post))
    message = next(iter(again.hand.changes(None))).messages
    ingest.take_in(again, message)
    assert (stored(post), post.value(counting)) == (1, before)


def test_every_step_boundary_is_passed(post: Post) -> None:
    post.arrives(letter())
    seen: list[str] = []

    def note(step: str) -> None:
        seen.append(step)

    ingest.run(houses.with_fault(post.house, note), post.tenant_id)
    assert {step for step in seen if step.startswith("ingest.")} == set(ingest.STEPS)


@pytest.mark.parametrize("full_sync", [True, False])
def test_a_crash_at_any_step_loses_and_doubles_nothing(clone: Database, full_sync: bool) -> None:
    with letters.post(clone) as post:
        post.hands.mailboxes[post.mailbox_id] = hand(post.gmail, post.account, page_size=2)
        if not full_sync:
            run(post)
        with clone.tenant(post.tenant_id, actor="test") as tx:
            build.contact(tx, email="bill@initech.example")
        for number in range(5):
            post.arrives(letter(number=number, subject=f"Order {number}"))
        for crash_at in range(1, 40):
            if not _dies_at(post, crash_at):
                break
        else:
            raise AssertionError("the laboratory never came through")
        assert crash_at > len(ingest.STEPS)
        assert stored(post) == 5
        assert post.value("SELECT count(*) FROM touches WHERE tenant_id = :t") == 5
        assert post.value("SELECT count(*) FROM reactions_due d JOIN warehouse_events e ON e.tenant_id = d.tenant_id "
                          "AND e.id = d.event_id WHERE e.tenant_id = :t AND e.type = 'mail.received'") == 5  # fmt: skip
        assert box(post).cursor == post.account.history_id


def _dies_at(post: Post, boundary: int) -> bool:
    """Run until the boundary of this number, counted anew in each run; False when the run came through before it."""
    left = [boundary]

    def die(step: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    try:
        ingest.run(houses.with_fault(post.house, die), post.tenant_id)
    except Killed:
        return True
    return False


def test_two_readers_of_one_mailbox_double_nothing(post: Post, clone: Database) -> None:
    with clone.tenant(post.tenant_id, actor="test") as tx:
        build.contact(tx, email="bill@initech.example")
    for number in range(30):
        post.arrives(letter(number=number, subject=f"Order {number}"))
    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(lambda _: run(post), range(3)))
    assert sum(each.get("messages", 0) for each in counts) == stored(post) == 30
    assert sum(each.get("events", 0) for each in counts) == 20
    assert box(post).cursor == post.account.history_id


def test_an_expired_history_is_answered_by_a_full_sync_that_fetches_only_what_is_missing(post: Post) -> None:
    post.arrives(letter(number=1, subject="One"))
    run(post)
    post.account.expire_history()
    post.arrives(letter(number=2, subject="Two"))
    post.account.expire_history()
    counts = run(post)
    assert (counts["full_syncs"], counts["messages"]) == (1, 1)
    assert alerts(post) == []


def test_a_history_that_expires_twice_in_a_row_is_told_and_not_repeated(post: Post, clock: HandClock) -> None:
    run(post)
    post.account.expire_history()
    run(post)
    post.account.expire_history()
    clock.advance(minutes=5)
    assert run(post)["mailboxes_failed"] == 1
    assert alerts(post) == ["mailbox_history"]
    assert box(post).back_off_until == clock.now() + timedelta(hours=1)
    clock.advance(hours=1)
    assert run(post)["full_syncs"] == 1
    assert alerts(post) == []


def test_a_revoked_grant_stops_the_polling_and_tells_a_person(post: Post) -> None:
    run(post)
    post.account.revoked = True
    post.account.tokens.clear()
    run(post)
    assert box(post).status == "revoked"
    assert "set-token" in box(post).mend
    assert alerts(post) == ["mailbox_revoked"]
    schedule = post.row("SELECT sync_enabled, gmail_due_at FROM tenant_schedule WHERE tenant_id = :t")
    assert schedule == {"sync_enabled": False, "gmail_due_at": None}
    calls = len(post.gmail.witness.requests)
    run(post)
    assert len(post.gmail.witness.requests) == calls


def test_a_new_grant_takes_the_reading_up_where_it_stood(post: Post) -> None:
    post.arrives(letter(number=1, subject="One"))
    run(post)
    post.account.revoked = True
    post.account.tokens.clear()
    run(post)
    post.account.revoked = False
    post.arrives(letter(number=2, subject="Two"))
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        mailboxes.set_token(tx, houses.VAULT, post.mailbox_id, mailboxes.Grant(post.account.refresh_token, "client"))
    assert alerts(post) == ["mailbox_revoked"]
    assert run(post)["messages"] == 1
    assert (box(post).status, alerts(post)) == ("connected", [])


def test_a_spent_quota_makes_the_mailbox_rest_and_keeps_what_came(post: Post, clock: HandClock) -> None:
    for number in range(6):
        post.arrives(letter(number=number, subject=f"Order {number}"))
    post.account.quota_per_minute = 70
    assert alerts(post) == []
    run(post)
    kept = stored(post)
    assert 0 < kept < 6
    assert box(post).cursor is None
    assert box(post).back_off_until is not None
    assert alerts(post) == ["gmail_quota"]
    assert "messages" not in run(post)
    post.account.quota_per_minute = None
    clock.advance(hours=1)
    assert run(post)["messages"] == 6 - kept
    assert (box(post).failures, alerts(post)) == (0, [])


def test_a_malformed_message_is_kept_with_its_bytes_and_reason(post: Post) -> None:
    post.arrives(b"this is not a message at all")
    post.arrives(letter())
    assert run(post)["messages"] == 2
    assert post.value("SELECT count(*) FROM gmail_messages WHERE tenant_id = :t AND quarantined IS NOT NULL") == 1


def test_what_the_database_refuses_in_a_message_is_made_storable(post: Post) -> None:
    hostile = letter("a\x00b", subject="NUL \x00 and =?utf-16?b?2AA=?=", frm='"\x00" <bill@initech.example>',
                     references="<" + "x" * 5_000 + "@y.example>")  # fmt: skip
    post.arrives(hostile)
    post.arrives(letter(number=2, subject="Next"))
    counts = run(post)
    assert counts["messages"] == 2
    assert "quarantined" not in counts


def test_a_message_that_cannot_be_stored_lies_in_quarantine_and_stops_no_other(post: Post, clone: Database) -> None:
    refuse = """ALTER TABLE hourhand.gmail_messages ADD CONSTRAINT poison CHECK (subject <> 'Poison')"""
    with _owner(clone) as connection:
        connection.execute(refuse)
    for number, subject in enumerate(["One", "Poison", "Three"]):
        post.arrives(letter(number=number, subject=subject))
    counts = run(post)
    assert (counts["messages"], counts["quarantined"]) == (2, 1)
    assert box(post).cursor == post.account.history_id
    for _ in range(quarantine.TRIES + 2):
        run(post)
    dead = post.row("SELECT attempts, blob_sha256, reason FROM quarantine WHERE tenant_id = :t")
    assert dead["attempts"] == quarantine.TRIES
    assert dead["blob_sha256"] is not None
    assert "poison" in str(dead["reason"])
    with _owner(clone) as connection:
        connection.execute("ALTER TABLE hourhand.gmail_messages DROP CONSTRAINT poison")
    assert "messages" not in run(post)
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        [lying] = given_up.listed(tx)
        dead_letters.replay(tx, lying.id)
    assert run(post)["messages"] == 1
    assert post.value("SELECT count(*) FROM quarantine WHERE tenant_id = :t AND replayed_at IS NULL") == 0


def _owner(clone: Database):  # type: ignore[no-untyped-def]
    import psycopg

    return psycopg.connect(clone.url.replace("hourhand_app", "postgres"), autocommit=True)


def test_a_mailbox_that_fails_delays_none_of_its_fellows(post: Post, clone: Database) -> None:
    other = post.gmail.account("desk@acme.example")
    with clone.tenant(post.tenant_id, actor="test") as tx:
        second = letters.connect(tx, other)
    post.hands.mailboxes[second] = hand(post.gmail, other)
    post.account.revoked = True
    other.deliver(letter())
    assert run(post)["messages"] == 1


class Haunted:
    """A mailbox whose library raises what nobody declared."""

    name = "haunted"

    def changes(self, cursor: str | None, *, known: Sequence[str] = ()) -> Iterator[Page]:
        raise RuntimeError("boo")

    def recent_ids(self, days: int) -> frozenset[str]:
        return frozenset()

    def fetch(self, provider_message_id: str) -> RawMessage | None:
        return None

    def address(self) -> str:
        return "ana@acme.example"


def test_an_undeclared_error_in_one_mailbox_is_told_and_delays_no_other(post: Post, clone: Database) -> None:
    other = post.gmail.account("desk@acme.example")
    with clone.tenant(post.tenant_id, actor="test") as tx:
        second = letters.connect(tx, other)
    post.hands.mailboxes[second] = hand(post.gmail, other)
    post.hands.mailboxes[post.mailbox_id] = Haunted()
    other.deliver(letter())
    assert run(post)["messages"] == 1
    # one, about the mailbox that failed; none about its fellow
    assert alerts(post) == ["mailbox_unreachable"]
    assert "boo" in str(box(post).status_cause)


def test_a_process_that_leaves_stops_between_two_pages_and_the_next_goes_on(post: Post) -> None:
    post.hands.mailboxes[post.mailbox_id] = hand(post.gmail, post.account, page_size=2)
    for number in range(4):
        post.arrives(letter(number=number, subject=f"Order {number}"))
    post.house.leaving.set()
    with pytest.raises(Leaving):
        run(post)
    assert (stored(post), box(post).cursor) == (2, None)
    post.house.leaving.clear()
    assert run(post)["messages"] == 2


def test_one_mail_in_two_mailboxes_is_one_event(post: Post, clone: Database) -> None:
    other = post.gmail.account("desk@acme.example")
    with clone.tenant(post.tenant_id, actor="test") as tx:
        second = letters.connect(tx, other)
        build.contact(tx, email="bill@initech.example")
    post.hands.mailboxes[second] = hand(post.gmail, other)
    post.arrives(letter())
    other.deliver(letter())
    counts = run(post)
    assert (counts["messages"], counts["copies"], counts["events"]) == (2, 1, 1)
    assert post.value("SELECT count(DISTINCT thread_id) FROM gmail_messages WHERE tenant_id = :t") == 1
    assert post.value("SELECT count(*) FROM touches WHERE tenant_id = :t") == 1


def test_answers_join_their_thread_whatever_order_they_come_in(post: Post) -> None:
    post.arrives(letter(number=3, subject="Re: Order", references="<1@initech.example> <2@initech.example>"))
    post.arrives(letter(number=2, subject="Re: Order", in_reply_to="<1@initech.example>"))
    post.arrives(letter(number=1, subject="Order"))
    run(post)
    post.arrives(letter(number=9, subject="Something else"))
    run(post)
    assert post.value("SELECT count(DISTINCT thread_id) FROM gmail_messages WHERE tenant_id = :t") == 2


def test_attachments_are_stored_by_name_type_and_bytes(post: Post) -> None:
    raw = (b"From: bill@initech.example\r\nSubject: Files\r\nMessage-ID: <f@initech.example>\r\nMIME-Version: 1.0\r\n"
           b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n'
           b'Content-Type: text/plain\r\n\r\nSee attached.\r\n--b\r\n'
           b"Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*=utf-8''d%C3%ADa.pdf\r\n"
           b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--b--\r\n")  # fmt: skip
    post.arrives(raw)
    assert run(post)["attachments"] == 1
    kept = post.row(
        """SELECT a.filename, a.content_type, b.bytes FROM attachments a
           JOIN blobs b ON b.tenant_id = a.tenant_id AND b.sha256 = a.sha256 WHERE a.tenant_id = :t"""
    )
    assert (kept["filename"], kept["content_type"], bytes(kept["bytes"])) == ("día.pdf", "application/pdf", b"%PDF-")


def test_a_batch_costs_the_same_number_of_statements_however_large(post: Post, clone: Database) -> None:
    few, many = (_statements(post, number, clone) for number in (2, 40))
    assert many <= few + 2


def _statements(post: Post, number: int, clone: Database) -> int:
    from sqlalchemy import event

    counted = [0]

    def count(*_: object) -> None:
        counted[0] += 1

    sync = ingest.begin(post.house, post.tenant_id, box(post))
    now = clone.clock.now()
    messages = [RawMessage(f"{number}-{n}", f"t{number}-{n}", letter(number=1000 * number + n, subject=f"S{n}",
                frm=f"p{n}@elsewhere.example"), (), now) for n in range(number)]  # fmt: skip
    event.listen(clone._engine, "before_cursor_execute", count)
    try:
        ingest.take_in(sync, messages)
    finally:
        event.remove(clone._engine, "before_cursor_execute", count)
    return counted[0]
