"""A mail folder and an mbox as a mailbox: every message, its exact bytes, once, and what is new later."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ports import HistoryExpired, NothingHappened, Page
from providers import folder, mbox
from providers.folder import FolderMailbox
from tests.hand_clock import HandClock


def a_raw(number: int, more: bytes = b"") -> bytes:
    return b"From: bo@client.example\r\nMessage-ID: <%d@client.example>\r\n%s\r\nhi %d\r\n" % (number, more, number)


def a_box(path: Path, **settings: int) -> FolderMailbox:
    return FolderMailbox(path, address="ana@acme.example", clock=HandClock(), **settings)


def raws(pages: list[Page]) -> list[bytes]:
    return [message.raw for page in pages for message in page.messages]


def broken(pages: list[Page]) -> list[str]:
    return [reason for page in pages for _, reason in page.broken]


def test_every_file_comes_with_its_exact_bytes(tmp_path: Path) -> None:
    wanted = {
        "one.eml": a_raw(1),
        "no ending": b"\xff\xfe\x00 not a mail at all",
        "deep/er/CR only.txt": b"Subject: x\r\rbody\r",
        "deep/From_ line": b"From x@y Thu Aug 22 12:36:23 2002\nSubject: kept\n\n>From here\n",
        "ünï.eml": a_raw(2),
    }
    for name, raw in wanted.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(raw)
    (tmp_path / os.fsdecode(b"\xff.eml")).write_bytes(a_raw(3))
    pages = list(a_box(tmp_path).changes(None))
    assert sorted(raws(pages)) == sorted([*wanted.values(), a_raw(3)])
    assert broken(pages) == []


def test_pages_are_bounded_and_only_the_last_has_a_cursor(tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number:02}.eml").write_bytes(a_raw(number))
    pages = list(a_box(tmp_path, page_size=10).changes(None))
    assert [len(page.messages) for page in pages] == [10, 10, 5]
    assert [page.next_cursor is None for page in pages] == [True, True, False]
    small = list(a_box(tmp_path, page_bytes=len(a_raw(1))).changes(None))
    assert max(len(page.messages) for page in small) <= 2


def test_an_unchanged_folder_brings_nothing(tmp_path: Path) -> None:
    (tmp_path / "b.eml").write_bytes(a_raw(1))
    cursor = list(a_box(tmp_path).changes(None))[-1].next_cursor
    assert list(a_box(tmp_path).changes(cursor)) == [Page((), cursor)]


def test_an_old_modification_time_does_not_hide_a_new_file(tmp_path: Path) -> None:
    (tmp_path / "b.eml").write_bytes(a_raw(1))
    cursor = list(a_box(tmp_path).changes(None))[-1].next_cursor
    (tmp_path / "a.eml").write_bytes(a_raw(2))
    os.utime(tmp_path / "a.eml", (0, 0))
    assert a_raw(2) in raws(list(a_box(tmp_path).changes(cursor)))


def test_a_file_of_the_same_tick_is_not_missed(tmp_path: Path) -> None:
    (tmp_path / "b.eml").write_bytes(a_raw(1))
    cursor = list(a_box(tmp_path).changes(None))[-1].next_cursor
    (tmp_path / "a.eml").write_bytes(a_raw(2))
    again = list(a_box(tmp_path).changes(cursor))
    assert a_raw(2) in raws(again)


def test_ids_are_stable_and_differ_between_files(tmp_path: Path) -> None:
    for name in ("a.eml", "b.eml"):
        (tmp_path / name).write_bytes(a_raw(1))
    first, second = (
        {message.provider_message_id for page in a_box(tmp_path).changes(None) for message in page.messages}
        for _ in range(2)
    )
    assert first == second
    assert len(first) == 2


def test_an_interrupted_import_goes_on_where_it_stopped(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number:02}.eml").write_bytes(a_raw(number))
    box = a_box(tmp_path, page_size=10)
    first = next(box.changes(None))
    known = [message.provider_message_id for message in first.messages]
    rest = list(a_box(tmp_path, page_size=10).changes(None, known=known))
    assert sorted(raws([first]) + raws(rest)) == sorted(a_raw(number) for number in range(30))
    assert len(raws(rest)) == 20


def test_what_can_not_be_read_is_named_and_the_others_come(tmp_path: Path) -> None:
    (tmp_path / "good.eml").write_bytes(a_raw(1))
    (tmp_path / "empty.eml").write_bytes(b"\r\n")
    (tmp_path / "link.eml").symlink_to(tmp_path / "good.eml")
    os.mkfifo(tmp_path / "pipe.eml")
    with (tmp_path / "huge.eml").open("wb") as huge:
        huge.truncate(folder.LARGEST_MESSAGE_BYTES + 1)
    (tmp_path / ".hidden").write_bytes(a_raw(2))
    (tmp_path / "half.part").write_bytes(a_raw(3))
    pages = list(a_box(tmp_path).changes(None))
    assert raws(pages) == [a_raw(1)]
    assert sorted(reason.split(":")[0] for reason in broken(pages)) == ["empty.eml", "huge.eml", "link.eml", "pipe.eml"]


def test_a_folder_that_is_not_there_is_for_now(tmp_path: Path) -> None:
    with pytest.raises(NothingHappened, match="No such file"):
        list(a_box(tmp_path / "nowhere").changes(None))


@pytest.mark.parametrize("cursor", ["", "7", "[]", '{"changed_ns": "x"}', "\x00"])
def test_a_cursor_that_can_not_be_read_asks_for_a_full_sync(cursor: str, tmp_path: Path) -> None:
    with pytest.raises(HistoryExpired):
        list(a_box(tmp_path).changes(cursor))


def test_one_message_is_found_again_by_its_id(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.eml").write_bytes(a_raw(number))
    box = a_box(tmp_path)
    (page,) = box.changes(None)
    assert box.fetch(page.messages[1].provider_message_id) == page.messages[1]
    (tmp_path / "1.eml").unlink()
    assert box.fetch(page.messages[1].provider_message_id) is None
    assert box.address() == "ana@acme.example"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"Date: Mon, 02 Mar 2026 10:00:00 +0100\r\n", datetime(2026, 3, 2, 9, tzinfo=UTC)),
        (b"Date: Mon, 02 Mar 2026 10:00:00\r\n", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        (b"DATE:\r\n Mon, 02 Mar 2026\r\n 10:00:00 +0000\r\n", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        (b"Date: Mon, 02 Mar 2099 10:00:00 +0000\r\n", datetime(2026, 3, 3, tzinfo=UTC)),
        (b"Date: yesterday\r\n", datetime(2026, 3, 3, tzinfo=UTC)),
        (b"Date: Mon, 99 Foo 99999 99:99:99 +9999\r\n", datetime(2026, 3, 3, tzinfo=UTC)),
        (b"", datetime(2026, 3, 3, tzinfo=UTC)),
    ],
    ids=repr,
)
def test_received_is_the_date_header_unless_it_is_absurd(header: bytes, expected: datetime, tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(a_raw(1, header))
    stamp = datetime(2026, 3, 3, tzinfo=UTC).timestamp()
    os.utime(tmp_path / "a.eml", (stamp, stamp))
    (page,) = a_box(tmp_path).changes(None)
    assert page.messages[0].received_at == expected


def test_recent_ids_go_by_the_time_received(tmp_path: Path) -> None:
    (tmp_path / "new.eml").write_bytes(a_raw(1, b"Date: Mon, 02 Mar 2026 08:00:00 +0000\r\n"))
    (tmp_path / "old.eml").write_bytes(a_raw(2, b"Date: Fri, 27 Feb 2026 08:00:00 +0000\r\n"))
    box = a_box(tmp_path)
    by_raw = {message.raw: message.provider_message_id for page in box.changes(None) for message in page.messages}
    (new,) = (message_id for raw, message_id in by_raw.items() if b"<1@" in raw)
    assert box.recent_ids(2) == {new}


def test_threads_and_sent_mail_are_told_from_headers(tmp_path: Path) -> None:
    (tmp_path / "1").write_bytes(a_raw(1))
    (tmp_path / "2").write_bytes(b"From: Ana <ANA@acme.example>\nReferences: <1@client.example>\n <2@x>\n\nhi")
    (tmp_path / "3").write_bytes(b"In-Reply-To: <1@client.example>\nX-Gmail-Labels: Inbox,Unread\n\nhi")
    (tmp_path / "4").write_bytes(b"X-Gmail-Labels: Spam\n\nbuy")
    (tmp_path / "5").write_bytes(b"no headers")
    (page,) = a_box(tmp_path).changes(None)
    by_raw = {message.raw[:11]: message for message in page.messages}
    assert len(by_raw) == 4
    assert len({message.provider_thread_id for message in page.messages}) == 2
    assert by_raw[b"From: Ana <"].labels == ("SENT",)
    assert by_raw[b"In-Reply-To"].labels == ("INBOX", "UNREAD")


# ---- mbox

SEPARATOR = b"From bo@client.example Mon Mar  2 09:00:00 2026\n"


def an_mbox(*messages: bytes) -> bytes:
    """As mboxrd writers do it."""
    import re

    return b"".join(
        SEPARATOR + re.sub(rb"(?m)^(>*From )", rb">\1", raw) + (b"" if raw.endswith(b"\n") else b"\n") + b"\n"
        for raw in messages
    )


def test_an_mbox_under_any_name_gives_its_messages(tmp_path: Path) -> None:
    messages = [b"Subject: 1\n\nFrom here on\n>From there\n", b"Subject: 2\n\nFrom now in 2024\n", a_raw(3)]
    path = tmp_path / "All mail"
    path.write_bytes(an_mbox(*messages))
    assert raws(list(a_box(path).changes(None))) == messages


def test_a_single_message_file_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "one.eml").write_bytes(a_raw(1))
    assert raws(list(a_box(tmp_path / "one.eml").changes(None))) == [a_raw(1)]


def test_an_unquoted_from_line_in_a_body_does_not_cut_it(tmp_path: Path) -> None:
    raw = b"Subject: 1\n\nHello\n\nFrom all of us, see you at 10:30 on the 5th\n"
    path = tmp_path / "x.mbox"
    path.write_bytes(SEPARATOR + raw + b"\n")
    assert raws(list(a_box(path).changes(None))) == [raw]


def test_a_growing_mbox_is_read_on_from_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "inbox.mbox"
    path.write_bytes(an_mbox(a_raw(1), a_raw(2)))
    cursor = list(a_box(tmp_path).changes(None))[-1].next_cursor
    with path.open("ab") as file:
        file.write(an_mbox(a_raw(3)))
    pages = list(a_box(tmp_path).changes(cursor))
    assert raws(pages) == [a_raw(3)]


def test_a_rewritten_mbox_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "inbox.mbox"
    path.write_bytes(an_mbox(a_raw(1), a_raw(2)))
    cursor = list(a_box(tmp_path).changes(None))[-1].next_cursor
    path.write_bytes(an_mbox(a_raw(2), a_raw(4), a_raw(5)))
    assert raws(list(a_box(tmp_path).changes(cursor))) == [a_raw(2), a_raw(4), a_raw(5)]


def test_an_mbox_without_a_message_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.mbox").write_bytes(b"not an mbox\n")
    assert "starts a message" in broken(list(a_box(tmp_path).changes(None)))[0]


def test_a_message_too_large_for_memory_is_named_and_the_next_one_comes() -> None:
    file = io.BytesIO(SEPARATOR + b"x" * 50 + b"\n\n" + SEPARATOR + b"Subject: 2\n\n")
    assert [raw for _, raw in mbox.split(file, largest_bytes=40)] == [None, b"Subject: 2\n"]


@settings(max_examples=150)
@given(st.lists(st.binary(max_size=60).map(lambda raw: raw.replace(b"\r", b"") + b"\n"), max_size=5))
def test_what_an_mboxrd_writer_wrote_comes_back_byte_for_byte(messages: list[bytes]) -> None:
    file = io.BytesIO(an_mbox(*messages))
    assert [raw for _, raw in mbox.split(file, largest_bytes=1000)] == messages


@settings(max_examples=150)
@given(raw=st.binary(max_size=300), header=st.binary(max_size=60))
def test_no_bytes_break_the_reading_of_headers(
    raw: bytes, header: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any")
    (path / "a").write_bytes(b"Date: " + header + b"\nFrom: " + header + b"\nReferences: " + header + b"\n" + raw)
    (page,) = a_box(path).changes(None)
    assert len(page.messages) + len(page.broken) <= 1
