"""Gmail through Google's real SDK against the emulator: each rule of the cursor."""

from __future__ import annotations

import threading
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.ports import (
    HistoryExpired,
    Page,
)
from providers.gmail import GmailMailbox
from providers.gmail_calls import GmailCalls
from simulator.emulators.faults import refuse
from simulator.emulators.gmail import GmailAccount, GmailEmulator
from tests.hand_clock import HandClock
from tests.providers.gmail_boxes import a_grant, a_mailbox, a_raw, ids, paths

# ---- a full sync


def test_a_full_sync_brings_exact_bytes_oldest_first(
    account: GmailAccount, box: GmailMailbox, clock: HandClock
) -> None:
    delivered = []
    for number in range(120):
        delivered.append(account.deliver(a_raw(number)))
        clock.advance(minutes=1)
    pages = list(box.changes(None))
    assert ids(pages) == delivered
    assert [page.next_cursor for page in pages] == [None, None, account.history_id]
    assert [message.raw for page in pages for message in page.messages] == [a_raw(n) for n in range(120)]
    first = pages[0].messages[0]
    assert first.labels == ("INBOX", "UNREAD")
    assert first.received_at == HandClock().now()
    assert box.address() == "ana@acme.example"


def test_the_cursor_of_a_full_sync_is_taken_before_the_listing(
    gmail: GmailEmulator, account: GmailAccount, box: GmailMailbox
) -> None:
    account.deliver(a_raw(1))
    before = account.history_id
    pages = box.changes(None)
    first = next(pages)
    late = account.deliver(a_raw(2))
    assert first.next_cursor == before
    assert list(pages) == []
    asked = [urlsplit(seen.path).path.rpartition("/")[2] for seen in gmail.witness.requests if "gmail" in seen.path]
    assert asked[:2] == ["profile", "messages"]
    assert ids(list(box.changes(before))) == [late]


def test_an_empty_mailbox_gives_a_cursor_too(account: GmailAccount, box: GmailMailbox) -> None:
    assert list(box.changes(None)) == [Page((), account.history_id)]


def test_a_full_sync_of_many_pages_lists_every_id(account: GmailAccount, box: GmailMailbox) -> None:
    for number in range(1100):
        account.deliver(a_raw(number))
    already = [message_id for number, message_id in enumerate(account.messages) if number % 100]
    assert len(ids(list(box.changes(None, known=already)))) == 11


def test_what_is_known_is_not_fetched_again(gmail: GmailEmulator, account: GmailAccount, box: GmailMailbox) -> None:
    delivered = [account.deliver(a_raw(number)) for number in range(10)]
    assert ids(list(box.changes(None, known=delivered[:7]))) == delivered[7:]
    assert len(paths(gmail, "format=raw")) == 3


def test_drafts_chats_spam_and_rubbish_stay_out(account: GmailAccount, box: GmailMailbox) -> None:
    cursor = account.history_id
    for label in ("DRAFT", "CHAT", "SPAM", "TRASH"):
        account.deliver(a_raw(1), labels=(label, "UNREAD"))
    archived = account.deliver(a_raw(2), labels=())
    sent = account.send(a_raw(3))
    assert sorted(ids(list(box.changes(None)))) == sorted([archived, sent])
    assert ids(list(box.changes(cursor))) == [archived, sent]
    assert box.recent_ids(2) == {archived, sent}


# ---- what changed since


def test_changes_since_a_cursor_come_once_and_in_order(account: GmailAccount, box: GmailMailbox) -> None:
    account.deliver(a_raw(0))
    cursor = account.history_id
    delivered = [account.deliver(a_raw(number)) for number in range(1, 4)]
    account.relabel(delivered[0], remove=["UNREAD"])
    (page,) = box.changes(cursor)
    assert ids([page]) == delivered
    assert page.next_cursor is not None
    assert list(box.changes(page.next_cursor)) == [Page((), page.next_cursor)]


def test_history_ids_beyond_a_float_are_kept_exactly(account: GmailAccount, box: GmailMailbox) -> None:
    account.deliver(a_raw(1))
    assert int(float(account.history_id)) != int(account.history_id) or int(account.history_id) % 2 == 0
    for _ in range(3):
        cursor = list(box.changes(None))[-1].next_cursor
        assert cursor == account.history_id
        late = account.deliver(a_raw(2))
        assert ids(list(box.changes(cursor))) == [late]


def test_every_history_page_asks_from_the_same_start(
    gmail: GmailEmulator, account: GmailAccount, box: GmailMailbox
) -> None:
    cursor = account.history_id
    delivered = [account.deliver(a_raw(number)) for number in range(1200)]
    known = delivered[:500] + delivered[510:]
    pages = list(box.changes(cursor, known=known))
    assert ids(pages) == delivered[500:510]
    asked = [parse_qs(urlsplit(path).query) for path in paths(gmail, "/history?")]
    assert [query["startHistoryId"] for query in asked] == [[cursor]] * 3
    assert ["pageToken" in query for query in asked] == [False, True, True]


def test_a_page_with_a_token_and_no_history_does_not_end_the_sync(account: GmailAccount, box: GmailMailbox) -> None:
    cursor = account.history_id
    late = account.deliver(a_raw(1))
    account.empty_history_pages = 3
    assert ids(list(box.changes(cursor))) == [late]


def test_the_cursor_stands_for_no_more_than_was_listed(
    gmail: GmailEmulator, account: GmailAccount, box: GmailMailbox
) -> None:
    cursor = account.history_id
    account.empty_history_pages = 1
    first = account.deliver(a_raw(1))
    at_first_page = account.history_id
    (page,) = box.changes(cursor)
    assert (ids([page]), page.next_cursor) == ([first], at_first_page)


def test_only_the_last_page_carries_the_cursor(gmail: GmailEmulator, account: GmailAccount) -> None:
    cursor = account.history_id
    for number in range(25):
        account.deliver(a_raw(number))
    pages = list(a_mailbox(gmail, account, page_size=10).changes(cursor))
    assert [len(page.messages) for page in pages] == [10, 10, 5]
    assert [page.next_cursor for page in pages] == [None, None, account.history_id]


def test_pages_are_bounded_by_bytes_too(gmail: GmailEmulator, account: GmailAccount) -> None:
    for number in range(6):
        account.deliver(a_raw(number) + b"x" * 1000)
    box = GmailMailbox(GmailCalls(a_grant(gmail, account), api_url=gmail.url), page_bytes=2000)
    pages = list(box.changes(None))
    assert max(len(page.messages) for page in pages) == 2
    assert len(ids(pages)) == 6


def test_a_reader_that_stops_early_leaves_nothing_running(gmail: GmailEmulator, account: GmailAccount) -> None:
    for number in range(50):
        account.deliver(a_raw(number))
    pages = a_mailbox(gmail, account, page_size=5).changes(None)
    next(pages)
    del pages
    asked = len(paths(gmail, "format=raw"))
    assert asked < 20
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("gmail_")]


def test_an_expired_history_asks_for_a_full_sync(account: GmailAccount, box: GmailMailbox) -> None:
    cursor = account.history_id
    account.deliver(a_raw(1))
    account.expire_history()
    with pytest.raises(HistoryExpired):
        list(box.changes(cursor))
    pages = list(box.changes(None))
    assert len(ids(pages)) == 1
    assert ids(list(box.changes(pages[-1].next_cursor))) == []


def test_a_cursor_that_is_no_history_id_asks_for_a_full_sync(box: GmailMailbox) -> None:
    with pytest.raises(HistoryExpired):
        list(box.changes("not a number"))


def test_a_message_deleted_meanwhile_is_skipped(account: GmailAccount, box: GmailMailbox) -> None:
    cursor = account.history_id
    gone, there = account.deliver(a_raw(1)), account.deliver(a_raw(2))
    account.delete(gone)
    (page,) = box.changes(cursor)
    assert (ids([page]), page.broken) == ([there], ())
    assert box.fetch(gone) is None


def test_a_mail_taken_out_of_spam_arrives(account: GmailAccount, box: GmailMailbox) -> None:
    spam = account.deliver(a_raw(1), labels=("SPAM",))
    cursor = list(box.changes(None))[-1].next_cursor
    account.relabel(spam, add=["INBOX"], remove=["SPAM"])
    assert ids(list(box.changes(cursor))) == [spam]


def test_replies_share_their_thread(account: GmailAccount, box: GmailMailbox) -> None:
    account.deliver(a_raw(1))
    account.deliver(b"In-Reply-To: <1@client.example>\n\nhi")
    account.deliver(b"References: <1@client.example>\r\n\t<2@client.example>\r\n\r\nhi")
    account.deliver(b"References: <9@client.example>\r\n\r\nhi")
    threads = [message.provider_thread_id for page in box.changes(None) for message in page.messages]
    assert threads[0] == threads[1] == threads[2] != threads[3]


def test_recent_ids_reach_back_the_days_asked_for(account: GmailAccount, box: GmailMailbox, clock: HandClock) -> None:
    account.deliver(a_raw(1))
    clock.advance(days=3)
    young = account.deliver(a_raw(2))
    assert box.recent_ids(2) == {young}


def test_a_message_that_can_not_be_read_is_named_and_the_others_come(
    gmail: GmailEmulator, account: GmailAccount, box: GmailMailbox
) -> None:
    delivered = [account.deliver(a_raw(number)) for number in range(3)]
    gmail.break_next(replace(refuse(400, "failedPrecondition"), path=delivered[1]))
    (page,) = box.changes(None)
    assert ids([page]) == [delivered[0], delivered[2]]
    assert [broken for broken, _ in page.broken] == [delivered[1]]
    assert page.next_cursor == account.history_id


def test_two_tenants_mailboxes_stay_apart(gmail: GmailEmulator) -> None:
    boxes = {}
    for tenant in ("acme", "globex"):
        account = gmail.account(f"ana@{tenant}.example")
        for number in range(40):
            account.deliver(a_raw(number, tenant))
        boxes[tenant] = a_mailbox(gmail, account)
    got: dict[str, list[bytes]] = {}

    def sync(tenant: str) -> None:
        got[tenant] = [message.raw for page in boxes[tenant].changes(None) for message in page.messages]

    threads = [threading.Thread(target=sync, args=(tenant,)) for tenant in boxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for tenant in boxes:
        assert sorted(got[tenant]) == sorted(a_raw(number, tenant) for number in range(40))
