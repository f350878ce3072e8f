"""A takeout larger than memory: read in pages of bounded size, and after a stop only the rest."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

from domain.clock import SystemClock
from providers import mbox
from providers.folder import FolderMailbox

MIB = 1 << 20
SEPARATOR = b"From bo@client.example Mon Mar  2 09:00:00 2026\n"


def a_takeout(path: Path, messages: int) -> Path:
    with path.open("wb") as file:
        for number in range(messages):
            file.write(SEPARATOR + b"Subject: %d\nMessage-ID: <%d@client.example>\n\n" % (number, number))
            file.write((b"x" * 79 + b"\n") * 60 + b"\n")
    return path


def test_a_takeout_is_read_in_little_memory_and_goes_on_after_a_stop(tmp_path: Path) -> None:
    path = a_takeout(tmp_path / "takeout.mbox", 2000)
    assert path.stat().st_size > 9 * MIB

    def box() -> FolderMailbox:
        return FolderMailbox(path, address="ana@acme.example", clock=SystemClock(), page_bytes=MIB)

    stopped = box().changes(None)
    known = [message.provider_message_id for _ in range(5) for message in next(stopped).messages]
    del stopped
    tracemalloc.start()
    try:
        rest = [message.provider_message_id for page in box().changes(None, known=known) for message in page.messages]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(known) + len(rest) == len({*known, *rest}) == 2000
    assert 0 < len(known) < 1900
    assert peak < 5 * MIB


def test_a_line_that_never_ends_does_not_fill_the_memory() -> None:
    file = io.BytesIO(SEPARATOR + b"x" * (24 * MIB) + b"\n\n" + SEPARATOR + b"Subject: 2\n\nFrom me\n")
    tracemalloc.start()
    try:
        found = [raw for _, raw in mbox.split(file, largest_bytes=MIB)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == [None, b"Subject: 2\n\nFrom me\n"]
    assert peak < 8 * MIB


def test_a_line_longer_than_a_piece_comes_whole() -> None:
    body = b"x" * (mbox.LONGEST_LINE - 1) + b"\nFrom all of us at 10:30 in 2024\n" + b"y" * (3 * MIB) + b"\n"
    file = io.BytesIO(SEPARATOR + body + b"\n" + SEPARATOR + b"z\n")
    assert [raw for _, raw in mbox.split(file, largest_bytes=8 * MIB)] == [body, b"z\n"]
