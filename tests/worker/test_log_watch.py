"""The watch over the suite's log: it sees what must not be there, and is itself no reason for a test to fail."""

from __future__ import annotations

import logging

import pytest
import structlog

from tests import log_watch
from tests.jobs.letters import letter
from tests.log_watch import LogWatch

LEAKS = {
    "an address": "mail to bill.lumbergh+tps@initech.example failed",
    "a phone": "call +56 9 8765 4321 back",
    "a phone as it is written at home": "call (212) 555-0134 back",
    "a key": "the key is sk-" + "ant-test",
    "a key of ours": "the key is hh_" + "0" * 32 + "_k1_" + "A" * 43,
    "a body": "said: If you would like to go on, simply reply and I will pick it up where we left it.",
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_line_that_was_not_scrubbed_is_seen_and_not_repeated(leak: str) -> None:
    watch = LogWatch()
    watch.look(f"2026-03-02 [info] something.happened because {LEAKS[leak]}")
    found = watch.forget()
    assert found
    assert LEAKS[leak] not in "".join(found)


def test_what_the_process_scrubs_from_its_lines_is_not_there_to_be_seen() -> None:
    before = log_watch.WATCH.lines
    structlog.get_logger("test").warning("something.happened", detail=LEAKS["an address"], body=LEAKS["a body"])
    logging.getLogger("a.library").warning("%s", LEAKS["a key of ours"])
    assert log_watch.WATCH.lines == before + 2
    assert log_watch.WATCH.found == []


def test_what_somebody_wrote_in_a_letter_is_seen_under_whatever_name_it_is_logged() -> None:
    words = "It would be splendid not to find notes like this one any longer"
    letter(f"Dear people,\n{words}, thank you.")
    structlog.get_logger("test").info("something.happened", reason=f"they wrote {words}, thank you.")
    [found] = log_watch.WATCH.forget()
    assert "a body" in found
    assert "splendid" not in found
