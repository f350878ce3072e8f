"""IMAP against a real Dovecot: every folder that matters, each message once with its exact bytes, nothing marked."""

from __future__ import annotations

import imaplib
import os
import pwd
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.ports import HistoryExpired, NeverWill, NothingHappened, Page, RawMessage, TokenRevoked
from providers.imap import ImapMailbox
from tests.hand_clock import HandClock
from tests.providers.dovecot import MAIL_USER, Dovecot

ANA, GUS = "ana@acme.example", "gus@globex.example"
ARRIVED = '"02-Mar-2026 08:00:00 +0000"'


@pytest.fixture
def program(dovecot: Dovecot) -> Iterator[imaplib.IMAP4]:
    """Ana's mail program."""
    client = dovecot.program(ANA)
    # so that its folders lie there
    client.select("INBOX")
    client.close()
    yield client
    client.shutdown()


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    """What trusts the tests' certificate."""
    return ssl.create_default_context(cafile=str(certificate))


@pytest.fixture
def box(dovecot: Dovecot, tls: ssl.SSLContext) -> ImapMailbox:
    """Ana's mailbox as we see it."""
    return a_box(dovecot, tls)


def a_box(server: Dovecot, tls: ssl.SSLContext, user: str = ANA, **bounds: float) -> ImapMailbox:
    return ImapMailbox(server.account(user), address=user, clock=HandClock(), tls=tls, **bounds)  # type: ignore[arg-type]


def letter(number: int, *, size: int = 0) -> bytes:
    head = f"From: Bo <bo@client.example>\r\nMessage-ID: <{number}@client.example>\r\nSubject: Order {number}\r\n"
    return head.encode() + b"Date: Mon, 02 Mar 2026 08:00:00 +0000\r\n\r\nHello\r\n" + b"x" * 70 * (size // 70)


def put(program: imaplib.IMAP4, folder: str, raw: bytes, flags: str = "") -> None:
    assert program.append(folder, flags, ARRIVED, raw)[0] == "OK"


def messages(pages: list[Page]) -> list[RawMessage]:
    return [message for page in pages for message in page.messages]


def read(box: ImapMailbox, cursor: str | None = None, known: tuple[str, ...] = ()) -> tuple[list[RawMessage], str]:
    pages = list(box.changes(cursor, known=known))
    assert not any(page.broken for page in pages)
    assert all(page.next_cursor is None for page in pages[:-1])
    assert pages[-1].next_cursor is not None
    return messages(pages), pages[-1].next_cursor


def test_every_folder_is_read_but_drafts_spam_rubbish_and_shared_ones(program: imaplib.IMAP4, box: ImapMailbox) -> None:
    program.create('"Entw&APw-rfe f&APw-r Kunden"')
    program.create("Trash/Old")
    program.create("Public/Team")
    folders = ("INBOX", "Sent", "Archive", '"Entw&APw-rfe f&APw-r Kunden"', "Drafts", "Junk", "Trash", "Trash/Old",
               "Public/Team")  # fmt: skip
    for number, folder in enumerate(folders):
        put(program, folder, letter(number))
    put(program, "INBOX", letter(20), r"\Draft")
    found, cursor = read(box)
    told = {message.raw.split(b"\r\n")[2].decode(): message.labels for message in found}
    assert told == {
        "Subject: Order 0": ("INBOX", "UNREAD"),
        "Subject: Order 1": ("SENT", "UNREAD"),
        "Subject: Order 2": ("UNREAD",),
        "Subject: Order 3": ("UNREAD",),
    }
    assert read(box, cursor) == ([], cursor)


def test_reading_marks_nothing_as_read(program: imaplib.IMAP4, box: ImapMailbox) -> None:
    put(program, "INBOX", letter(1))
    put(program, "INBOX", letter(2), r"\Seen")
    found, _ = read(box)
    assert [message.labels for message in found] == [("INBOX", "UNREAD"), ("INBOX",)]
    program.select("INBOX", readonly=True)
    assert program.search(None, "UNSEEN")[1] == [b"1"]


def test_bytes_come_exactly_as_they_lie_there(dovecot: Dovecot, program: imaplib.IMAP4, box: ImapMailbox) -> None:
    strange = [
        letter(1) + b"\xff\xfe \t \r\n.\r\nFrom here\r\n\r\n\r\n",
        letter(2) + b"no end",
        letter(3) + b"a lone\rCR, and }{5}\r\n) A1 OK (\r\n",
        b"Subject: no body",
        b"\r\nno header\r\n",
    ]
    for number, raw in enumerate(strange):
        deliver(dovecot, number, raw)
    program.noop()
    found, _ = read(box)
    assert sorted(message.raw for message in found) == sorted(strange)
    assert len({message.provider_message_id for message in found}) == len(strange)


def test_only_what_arrived_since_is_read_again(program: imaplib.IMAP4, box: ImapMailbox) -> None:
    put(program, "INBOX", letter(1))
    first, cursor = read(box)
    put(program, "INBOX", letter(2))
    put(program, "Sent", letter(3))
    program.create("New")
    put(program, "New", letter(4))
    found, later = read(box, cursor)
    assert {message.raw for message in found} == {letter(2), letter(3), letter(4)}
    assert not {each.provider_message_id for each in first} & {each.provider_message_id for each in found}
    assert found[0].received_at == first[0].received_at
    program.delete("New")
    assert read(box, later)[0] == []


def test_a_moved_or_copied_message_stays_the_same(program: imaplib.IMAP4, box: ImapMailbox) -> None:
    # so that its UID is another one there
    put(program, "Archive", letter(9))
    put(program, "INBOX", letter(1))
    put(program, "INBOX", b"Subject: without an id\r\n\r\nHello\r\n")
    before, cursor = read(box)
    program.select("INBOX")
    program.copy("1:2", "Archive")
    together, _ = read(box)
    program.store("1:2", "+FLAGS", r"\Deleted")
    program.expunge()
    after, _ = read(box, cursor)
    names = {message.provider_message_id for message in before}
    assert len(names) == len(before) == len(together) == 3
    assert {message.provider_message_id for message in after} == {
        message.provider_message_id for message in before if message.raw != letter(9)
    }


def test_what_is_deleted_before_it_is_fetched_is_gone(
    dovecot: Dovecot, program: imaplib.IMAP4, tls: ssl.SSLContext
) -> None:
    for number in (1, 2, 3):
        put(program, "INBOX", letter(number, size=5 << 20))
    pages = a_box(dovecot, tls, page_size=1).changes(None)
    found = [next(pages)]
    program.select("INBOX")
    program.store("3", "+FLAGS", r"\Deleted")
    program.expunge()
    found += pages
    assert {message.raw for message in messages(found)} == {letter(number, size=5 << 20) for number in (1, 2)}
    assert not any(page.broken for page in found)
    assert found[-1].next_cursor is not None


def test_new_uids_ask_for_a_full_sync_that_fetches_only_the_missing(program: imaplib.IMAP4, box: ImapMailbox) -> None:
    program.create("Orders")
    put(program, "Orders", letter(1))
    before, cursor = read(box)
    program.delete("Orders")
    program.create("Orders")
    put(program, "Orders", letter(1))
    put(program, "Orders", letter(2))
    with pytest.raises(HistoryExpired, match="Orders"):
        list(box.changes(cursor))
    found, _ = read(box, None, tuple(message.provider_message_id for message in before))
    assert [message.raw for message in found] == [letter(2)]
    for unreadable in ("{}", "17", "{"):
        with pytest.raises(HistoryExpired):
            list(box.changes(unreadable))


def test_each_tenants_password_opens_its_own_mailbox_alone(
    dovecot: Dovecot, program: imaplib.IMAP4, tls: ssl.SSLContext
) -> None:
    put(program, "INBOX", letter(1))
    assert len(read(a_box(dovecot, tls, ANA))[0]) == 1
    assert read(a_box(dovecot, tls, GUS))[0] == []
    wrong = dovecot.account(ANA, password=dovecot.account(GUS).password)
    with pytest.raises(TokenRevoked, match="user and password"):
        list(ImapMailbox(wrong, address=ANA, clock=HandClock(), tls=tls).changes(None))


def test_the_server_must_be_who_it_says(dovecot: Dovecot, tls: ssl.SSLContext) -> None:
    with pytest.raises(NeverWill, match="certificate"):
        list(ImapMailbox(dovecot.account(), address=ANA, clock=HandClock()).changes(None))
    after_starttls = ImapMailbox(dovecot.account(security="starttls"), address=ANA, clock=HandClock(), tls=tls)
    assert read(after_starttls)[0] == []


def test_what_came_before_the_server_vanished_is_kept(
    dovecot: Dovecot, program: imaplib.IMAP4, tls: ssl.SSLContext
) -> None:
    for number in (1, 2, 3):
        put(program, "INBOX", letter(number, size=5 << 20))
    box = a_box(dovecot, tls, page_size=1)
    pages = box.changes(None)
    found = [next(pages)]
    dovecot.vanish()
    with pytest.raises(NothingHappened):
        found.extend(pages)
    assert found[0].messages[0].raw == letter(1, size=5 << 20)
    assert all(page.next_cursor is None for page in found)
    with pytest.raises(NothingHappened, match="reached"):
        box.recent_ids(2)


def test_a_thousand_messages_come_in_pages_and_after_a_stop_only_the_rest(
    dovecot: Dovecot, program: imaplib.IMAP4, tls: ssl.SSLContext
) -> None:
    for number in range(1000):
        deliver(dovecot, number, letter(number))
    program.noop()
    box = a_box(dovecot, tls, page_size=100)
    pages = box.changes(None)
    kept = messages([next(pages) for _ in range(4)])
    del pages
    known = tuple(message.provider_message_id for message in kept)
    rest, _ = read(box, None, known)
    assert (len(kept), len(rest)) == (400, 600)
    assert {message.raw for message in kept + rest} == {letter(number) for number in range(1000)}


def test_a_sync_out_of_time_goes_on_where_it_stopped(
    dovecot: Dovecot, program: imaplib.IMAP4, tls: ssl.SSLContext
) -> None:
    for number in range(500):
        deliver(dovecot, number, letter(number))
    put(program, "Sent", letter(500))
    box = a_box(dovecot, tls, sync_seconds=0.0)
    cursor, found = None, []
    for _ in range(5):
        some, cursor = read(box, cursor)
        found.append(len(some))
    assert sum(found) == 501
    assert max(found) == 200
    assert read(a_box(dovecot, tls), cursor) == ([], cursor)


def test_the_last_days_are_listed_for_comparison_and_fetched_one_by_one(
    program: imaplib.IMAP4, box: ImapMailbox
) -> None:
    put(program, "INBOX", letter(1))
    assert program.append("Archive", "", '"20-Feb-2026 08:00:00 +0000"', letter(2))[0] == "OK"
    put(program, "Trash", letter(3))
    assert program.append("INBOX", r"\Draft", ARRIVED, letter(4))[0] == "OK"
    (recent,) = box.recent_ids(2)
    found = box.fetch(recent)
    assert found is not None
    assert found.raw == letter(1)
    assert found.provider_message_id == recent
    program.select("INBOX")
    program.store("1", "+FLAGS", r"\Deleted")
    program.expunge()
    assert box.fetch(recent) is None
    assert box.fetch("never heard of") is None
    assert box.address() == ANA


def deliver(server: Dovecot, number: int, raw: bytes, user: str = ANA) -> None:
    """As a delivery agent does: a file in the maildir, byte for byte."""
    folder = server.folder / "mail" / user / "new"
    path = folder / f"{1_772_438_400 + number}.M{number}P1.host"
    path.write_bytes(raw)
    nobody = pwd.getpwnam(MAIL_USER)
    os.chown(path, nobody.pw_uid, nobody.pw_gid)
