"""The letters of the demonstration are read by the real reader as what their writers meant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from brain.reading import Reading, read
from simulator.demo import attachments, companies, dates, letters
from simulator.demo.days import Days, days_until
from simulator.demo.envelopes import Addressed, Earlier, seal
from simulator.demo.letters import Letter

AT = datetime(2026, 11, 18, 9, 5, tzinfo=UTC)
OURS = Earlier("<ours@verdebox.example>", "A quick hello", "marta@verdebox.example", "ana@client.example", "Hi Ana", AT)
FILES = ("verdebox_mailbox.txt", "verdebox_answers.txt", "tallow_reed_mailbox.txt")


def _read(letter: Letter, earlier: Earlier | None = None) -> Reading:
    how = Addressed("Ana Paz <ana@client.example>", ["marta@verdebox.example"], [], AT, "<a@client.example>", earlier)
    return read(seal(letter, how), now=AT)


def _letter(**told: Any) -> Letter:
    return Letter(**{"id": "one", "sender": "ana", "text": "Hello Marta\n", "subject": "Hello", **told})


@pytest.mark.parametrize(
    ("kind", "cls"),
    [("bounce", "bounce"), ("spam-report", "complaint_report"), ("receipt", "delivery_report"),
     ("away", "out_of_office"), ("newsletter", "automatic"), ("notice", "automatic")],
)  # fmt: skip
def test_each_kind_of_envelope_is_recognised(kind: str, cls: str) -> None:
    letter = _letter(
        kind=kind, text="I am out of the office.\n" if kind == "away" else "Nothing to see.\n", status="5.1.1"
    )
    assert _read(letter, OURS if cls.endswith(("bounce", "report")) else None).cls == cls


def test_reports_name_the_mail_that_they_are_about() -> None:
    bounce = _read(_letter(kind="bounce", status="5.1.1", said="550 5.1.1 no such user"), OURS).bounces[0]
    assert (bounce.address, bounce.original_message_id) == (OURS.to, OURS.message_id)
    assert _read(_letter(kind="spam-report"), OURS).complainants == (OURS.to,)


def test_a_wreck_is_read_as_malformed() -> None:
    assert _read(_letter(kind="wreck", text="@@@ dump @@@\n")).quarantined


def test_a_reply_quotes_what_it_answers_and_only_its_own_words_are_read() -> None:
    reading = _read(_letter(subject=""), OURS)
    assert reading.in_reply_to == OURS.message_id
    assert reading.subject == "Re: A quick hello"
    assert reading.reply.strip() == "Hello Marta"


@pytest.mark.parametrize("name", FILES)
def test_every_letter_has_a_known_writer_and_what_it_needs(name: str) -> None:
    days = days_until(AT)
    people = companies.read("tallow-reed" if name.startswith("tallow") else "verdebox", days).people
    written = letters.read(name)
    assert len({letter.id for letter in written}) == len(written)
    for letter in written:
        assert letter.sender in people or letter.sender == "me" or "@" in letter.sender, letter.id
        assert all(attachments.content(file)[0] for file in letter.attach), letter.id
        assert not letter.at or days.when(letter.at) < days.end + timedelta(days=1)


def test_absences_name_their_return_in_four_languages() -> None:
    found = {}
    for name in FILES:
        for letter in letters.read(name):
            if letter.kind == "away":
                text = dates.fill_in(letter.text, AT)
                found[letter.id] = _read(_letter(kind="away", subject=letter.subject, text=text)).return_date
    assert len(found) >= 6
    assert all(when is not None and when > date(2026, 11, 18) for when in found.values()), found


def test_a_pdf_is_one_whose_table_is_true() -> None:
    made, main, sub = attachments.content("drawing-tray-c.pdf")
    assert (main, sub) == ("application", "pdf")
    at = int(made.rsplit(b"startxref\n", 1)[1].split(b"\n", 1)[0])
    assert made[at:].startswith(b"xref\n0 6\n")
    for number, line in enumerate(made[at:].split(b"\n")[3:8], 1):
        assert made[int(line[:10]) :].startswith(b"%d 0 obj\n" % number)


@pytest.mark.parametrize("hours", range(0, 24 * 21, 5))
def test_the_story_lies_wholly_in_the_past(hours: int) -> None:
    end = datetime(2026, 12, 18, 0, 7, tzinfo=UTC) + timedelta(hours=hours)
    days = days_until(end)
    named = (days.prelude, days.first, days.second, days.third)
    assert list(named) == sorted(set(named))
    assert all(day.weekday() < 5 for day in named)
    assert max(days.moments) < end
    assert list(days.moments) == sorted(days.moments)
    assert _follow_ups_are_due_by_the_second_day(days)
    assert len([moment for moment in days.moments if moment.date() >= days.first]) >= 13


def _follow_ups_are_due_by_the_second_day(days: Days) -> bool:
    return days.prelude + timedelta(days=4) <= days.second
