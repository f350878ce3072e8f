"""An mbox file taken apart into its messages, byte for byte; only the quoting of `From ` lines is undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

# The line that starts a message: `From `, an address, and a date as asctime or a takeout writes it.
SEPARATOR = re.compile(rb"From \S*[ \t].*\d{1,2}:\d\d(?::\d\d)?\b.*\d{4}\s*")
QUOTED = re.compile(rb"(?m)^>(>*From )")
BLANK = (b"\n", b"\r\n")
LONGEST_LINE = 1 << 20
"""A line is read in pieces of this size: one that never ends may not fill the memory."""


def split(file: BinaryIO, *, largest_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield (offset, message) from where `file` stands; None stands for one larger than `largest_bytes`.

    What precedes the first separator is no message.
    """
    offset = file.tell()
    start: int | None = None
    lines: list[bytes] = []
    size = 0
    after_blank = True
    at_line_start = True
    while line := file.readline(LONGEST_LINE):
        if after_blank and line.startswith(b"From ") and SEPARATOR.fullmatch(line):
            if start is not None:
                yield start, _message(lines, size, largest_bytes)
            start, lines, size = offset, [], 0
        elif start is not None:
            size += len(line)
            if size <= largest_bytes:
                lines.append(line)
        # a piece in the middle of an endless line is neither empty nor a separator
        after_blank = at_line_start and line in BLANK
        at_line_start = line.endswith(b"\n")
        offset += len(line)
    if start is not None:
        yield start, _message(lines, size, largest_bytes)


def _message(lines: list[bytes], size: int, largest_bytes: int) -> bytes | None:
    if size > largest_bytes:
        return None
    if lines and lines[-1] in BLANK:
        # The empty line before the next separator belongs to the file, not to the message.
        lines.pop()
    return QUOTED.sub(rb"\1", b"".join(lines))
