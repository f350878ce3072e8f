"""Gmail through Google's real SDK against the emulator: each rule of the cursor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from domain.ports import (
    HistoryExpired,
    Page,
)
from providers.gmail import GmailMailbox
from simulator.emulators.faults import refuse
from simulator.emulators.gmail import GmailAccount, GmailEmulator
from tests.hand_clock import HandClock
from tests.providers.gmail_boxes import a_mailbox, a_raw, ids, paths


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def gmail(clock: HandClock) -> Iterator[GmailEmulator]:
    with GmailEmulator(clock=clock) as emulator:
        yield emulator


@pytest.fixture
def acme(gmail: GmailEmulator) -> GmailAccount:
    return gmail.account("ana@acme.example")


@pytest.fixture
def box(gmail: GmailEmulator, acme: GmailAccount) -> GmailMailbox:
    return a_mailbox(gmail, acme)


# ---- a full sync


def test_a_full_sync_brings_exact_bytes_oldest_first(acme: GmailAccount, box: GmailMailbox, clock: HandClock) -> None:
    delivered = []
    for number in range(120):
        delivered.append(acme.deliver(a_raw(number)))
        clock.advance(minutes=1)
    pages = list(box.changes(None))
    assert ids(pages) == delivered
    assert [page.next_cursor for page in pages] == [None, None, acme.history_id]
    assert [message.raw for page in pages for message in page.messages] == [a_raw(n) for n in range(120)]
    first = pages[0].messages[0]
    assert first.labels == ("INBOX", "UNREAD")
    assert first.received_at == HandClock().now()
    assert box.address() == "ana@acme.example"


def test_the_cursor_of_a_full_sync_is_taken_before_the_listing(
    gmail: GmailEmulator, acme: GmailAccount, box: GmailMailbox
) -> None:
    acme.deliver(a_raw(1))
    before = acme.history_id
    pages = box.changes(None)
    first = next(pages)
    late = acme.deliver(a_raw(2))
    assert first.next_cursor == before
    assert list(pages) == []
    asked = [urlsplit(seen.path).path.rpartition("/")[2] for seen in gmail.witness.requests if "gmail" in seen.path]
    assert asked[:2] == ["profile", "messages"]
    assert ids(list(box.changes(before))) == [late]


def test_an_empty_mailbox_gives_a_cursor_too(acme: GmailAccount, box: GmailMailbox) -> None:
    assert list(box.changes(None)) == [Page((), acme.history_id)]


def test_a_full_sync_of_many_pages_lists_every_id(acme: GmailAccount, box: GmailMailbox) -> None:
    for number in range(1100):
        acme.deliver(a_raw(number))
    already = [message_id for number, message_id in enumerate(acme.messages) if number % 100]
    assert len(ids(list(box.changes(None, known=already)))) == 11


def test_what_is_known_is_not_fetched_again(gmail: GmailEmulator, acme: GmailAccount, box: GmailMailbox) -> None:
    delivered = [acme.deliver(a_raw(number)) for number in range(10)]
    assert ids(list(box.changes(None, known=delivered[:7]))) == delivered[7:]
    assert len(paths(gmail, "format=raw")) == 3


def test_drafts_chats_spam_and_rubbish_stay_out(acme: GmailAccount, box: GmailMailbox) -> None:
    cursor = acme.history_id
    for label in ("DRAFT", "CHAT", "SPAM", "TRASH"):
        acme.deliver(a_raw(1), labels=(label, "UNREAD"))
    archived = acme.deliver(a_raw(2), labels=())
    sent = acme.send(a_raw(3))
    assert sorted(ids(list(box.changes(None)))) == sorted([archived, sent])
    assert ids(list(box.changes(cursor))) == [archived, sent]
    assert box.recent_ids(2) == {archived, sent}


# ---- what changed since


def test_changes_since_a_cursor_come_once_and_in_order(acme: GmailAccount, box: GmailMailbox) -> None:
    acme.deliver(a_raw(0))
    cursor = acme.history_id
    delivered = [acme.deliver(a_raw(number)) for number in range(1, 4)]
    acme.relabel(delivered[0], remove=["UNREAD"])
    (page,) = box.changes(cursor)
    assert ids([page]) == delivered
    assert page.next_cursor is not None
    assert list(box.changes(page.next_cursor)) == [Page((), page.next_cursor)]


def test_history_ids_beyond_a_float_are_kept_exactly(acme: GmailAccount, box: GmailMailbox) -> None:
    acme.deliver(a_raw(1))
    assert int(float(acme.history_id)) != int(acme.history_id) or int(acme.history_id) % 2 == 0
    for _ in range(3):
        cursor = list(box.changes(None))[-1].next_cursor
        assert cursor == acme.history_id
        late = acme.deliver(a_raw(2))
        assert ids(list(box.changes(cursor))) == [late]


def test_every_history_page_asks_from_the_same_start(
    gmail: GmailEmulator, acme: GmailAccount, box: GmailMailbox
) -> None:
    cursor = acme.history_id
    delivered = [acme.deliver(a_raw(number)) for number in range(1200)]
    known = delivered[:500] + delivered[510:]
    pages = list(box.changes(cursor, known=known))
    assert ids(pages) == delivered[500:510]
    asked = [parse_qs(urlsplit(path).query) for path in paths(gmail, "/history?")]
    assert [query["startHistoryId"] for query in asked] == [[cursor]] * 3
    assert ["pageToken" in query for query in asked] == [False, True, True]


def test_a_page_with_a_token_and_no_history_does_not_end_the_sync(acme: GmailAccount, box: GmailMailbox) -> None:
    cursor = acme.history_id
    late = acme.deliver(a_raw(1))
    acme.empty_history_pages = 3
    assert ids(list(box.changes(cursor))) == [late]


def test_the_cursor_stands_for_no_more_than_was_listed(
    gmail: GmailEmulator, acme: GmailAccount, box: GmailMailbox
) -> None:
    cursor = acme.history_id
    acme.empty_history_pages = 1
    first = acme.deliver(a_raw(1))
    at_first_page = acme.history_id
    (page,) = box.changes(cursor)
    assert (ids([page]), page.next_cursor) == ([first], at_first_page)


def test_only_the_last_page_carries_the_cursor(gmail: GmailEmulator, acme: GmailAccount) -> None:
    cursor = acme.history_id
    for number in range(25):
        acme.deliver(a_raw(number))
    pages = list(a_mailbox(gmail, acme, page_size=10).changes(cursor))
    assert [len(page.messages) for page in pages] == [10, 10, 5]
    assert [page.next_cursor for page in pages] == [None, None, acme.history_id]


def test_an_expired_history_asks_for_a_full_sync(acme: GmailAccount, box: GmailMailbox) -> None:
    cursor = acme.history_id
    acme.deliver(a_raw(1))
    acme.expire_history()
    with pytest.raises(HistoryExpired):
        list(box.changes(cursor))
    pages = list(box.changes(None))
    assert len(ids(pages)) == 1
    assert ids(list(box.changes(pages[-1].next_cursor))) == []


def test_a_cursor_that_is_no_history_id_asks_for_a_full_sync(box: GmailMailbox) -> None:
    with pytest.raises(HistoryExpired):
        list(box.changes("not a number"))


def test_a_message_deleted_meanwhile_is_skipped(acme: GmailAccount, box: GmailMailbox) -> None:
    cursor = acme.history_id
    gone, there = acme.deliver(a_raw(1)), acme.deliver(a_raw(2))
    acme.delete(gone)
    (page,) = box.changes(cursor)
    assert (ids([page]), page.broken) == ([there], ())
    assert box.fetch(gone) is None


def test_a_mail_taken_out_of_spam_arrives(acme: GmailAccount, box: GmailMailbox) -> None:
    spam = acme.deliver(a_raw(1), labels=("SPAM",))
    cursor = list(box.changes(None))[-1].next_cursor
    acme.relabel(spam, add=["INBOX"], remove=["SPAM"])
    assert ids(list(box.changes(cursor))) == [spam]


def test_replies_share_their_thread(acme: GmailAccount, box: GmailMailbox) -> None:
    acme.deliver(a_raw(1))
    acme.deliver(b"In-Reply-To: <1@client.example>\n\nhi")
    acme.deliver(b"References: <1@client.example>\r\n\t<2@client.example>\r\n\r\nhi")
    acme.deliver(b"References: <9@client.example>\r\n\r\nhi")
    threads = [message.provider_thread_id for page in box.changes(None) for message in page.messages]
    assert threads[0] == threads[1] == threads[2] != threads[3]


def test_recent_ids_reach_back_the_days_asked_for(acme: GmailAccount, box: GmailMailbox, clock: HandClock) -> None:
    acme.deliver(a_raw(1))
    clock.advance(days=3)
    young = acme.deliver(a_raw(2))
    assert box.recent_ids(2) == {young}


def test_a_message_that_can_not_be_read_is_named_and_the_others_come(
    gmail: GmailEmulator, acme: GmailAccount, box: GmailMailbox
) -> None:
    delivered = [acme.deliver(a_raw(number)) for number in range(3)]
    gmail.break_next(replace(refuse(400, "failedPrecondition"), path=delivered[1]))
    (page,) = box.changes(None)
    assert ids([page]) == [delivered[0], delivered[2]]
    assert [broken for broken, _ in page.broken] == [delivered[1]]
    assert page.next_cursor == acme.history_id


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
