"""Whatever the bytes: an answer, soon, and nothing raised."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brain.reading import Reading, read
from tests.brain.reading import samples
from tests.brain.reading.labelled import load
from tests.brain.reading.mutants import survive


def test_mutated_messages_are_read_without_a_crash_and_in_time() -> None:
    seeds = samples.everything() + [case.raw for case in load()[::10]]
    outcome = survive(seeds, count=300, seed=20260706)
    assert outcome.crashes == []
    assert outcome.slowest_seconds < 5


@given(st.binary(max_size=400))
@settings(max_examples=150)
def test_any_bytes_are_answered(raw: bytes) -> None:
    assert isinstance(read(raw), Reading)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 100,
        b"no header at all, just words",
        b"Subject: x\n" + b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n" * 5_000,
        b"From: " + b"a@b.c, " * 20_000 + b"\n\nhello",
        b"Subject: " + b"=?utf-8?q?a?= " * 20_000 + b"\n\nhello",
        b"From: a@b.example\n\n" + b"On 1 2 " * 30_000 + b"wrote:",
        b"From: a@b.example\n\n" + (b"On Mon, 1 Jan 2026 at\n" * 4_000),
        b"From: MAILER-DAEMON@x.example\nReturn-Path: <>\nSubject: failure notice\n\n" + b"user@host.example " * 20_000,
        b"From: a@b.example\nContent-Type: text/html\n\n" + b"<div>" * 20_000 + b"x",
        b"From: a@b.example\n\n" + b"please " * 50_000,
        b"From: a@b.example\n\n" + b"12 x " * 30_000,
        b"From: a@b.example\n\n" + b"555 " * 30_000,
        b"A: b\n" * 100_000,
        b"From: a@b.example\n\n" + b"On 1 Jan 2026 a@b.example wrote:\n" * 200,
        b"From: a@b.example\n\n" + b"x\nOn 1 Jan 2026 a@b.example wrote:\n" * 3_000 + b"> y",
        b"From: MAILER-DAEMON@x.example\nReturn-Path: <>\nSubject: failure notice\n\n" + b"-" * 200_000,
        b"From: a@b.example\n\nWe would like to order:\nSe" + b" " * 400 + b"x\n",
        b"From: a@b.example\n\nWe would like to order:\ncalle " + b"a" * 500 + b"\n",
        b"From: <" + b" " * 60_000 + b"\n\nhello",
        b"From: a@b.example\n\nRegards,\n" + b"+1 415 555 0132 " * 2_000,
        b"From: a@b.example\n\nHello\n\nRegards,\nKim Client\n" + b"1" * 60_000,
        b"From: Kim" + b" " * 30_000 + b"!\n\nhello",
        b"From: a@b.example\n\n" + (b"*" * 1_900 + b"!\n") * 25,
        b"From: a@b.example\n\nFine.\n-- \nKim\nGlobex\n" + b"a" * 60_000 + b"\nBuyer\n",
    ],
    ids=range(25),
)
def test_hostile_shapes_are_answered_in_time(raw: bytes) -> None:
    import time

    started = time.process_time()
    assert isinstance(read(raw), Reading)
    assert time.process_time() - started < 5


@pytest.mark.parametrize("raw", [b"", b"\x00\x01\x02", b"just some words"])
def test_what_is_no_message_is_quarantined_with_its_reason_and_its_words(raw: bytes) -> None:
    reading = read(raw)
    assert reading.quarantined
    assert reading.text.strip() == raw.decode().replace("\x00", "").strip()


def test_a_mail_nested_without_end_keeps_its_headers() -> None:
    head = "".join(f"Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n" for at in range(2_000))
    reading = read(f"From: kim@globex.example\nSubject: deep\n{head}".encode())
    assert (reading.subject, reading.from_address) == ("deep", "kim@globex.example")


def test_many_lines_below_many_levels_are_not_held_against_each_level() -> None:
    head = "".join(f"Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n" for at in range(900))
    reading = read(f"From: kim@globex.example\nSubject: deep\n{head}".encode() + b"\nhi" * 20_000)
    assert reading.quarantined == "parts nested too deep; headers only"
    assert (reading.subject, reading.from_address) == ("deep", "kim@globex.example")


def test_many_parts_beside_each_other_are_all_read() -> None:
    parts = "".join(
        f"--d\nContent-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n\nhi\n--b{at}--\n" for at in range(1_500)
    )
    reading = read(f"From: a@b.example\nContent-Type: multipart/mixed; boundary=d\n\n{parts}--d--\n".encode())
    assert reading.quarantined is None
    assert reading.text.startswith("hi")


def test_no_text_holds_what_a_database_refuses() -> None:
    reading = read(b"From: a@b.example\nSubject: a\x00b =?utf-8?q?=ed=a0=80?=\n\nhi\x00there \xed\xa0\x80")
    for text in (reading.subject, reading.text, reading.reply):
        assert "\x00" not in text
        text.encode("utf-8")
