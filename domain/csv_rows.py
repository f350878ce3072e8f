"""Rows of a CSV file as people save them, a few lines in memory: any newline, any usual delimiter and encoding."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

MOST_LINES_PER_ROW = 50
"""A quoted field may hold line breaks; a row that runs on for longer has an opening quote that is never closed."""

MOST_CHARACTERS_PER_LINE = 100_000

_NO_UTF16 = "the file says it is UTF-16 and is not: {}"
_DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])\s*", re.IGNORECASE)
_DISGUISED = re.compile(r"'+[=+\-@\t\r]")


class InvalidFile(Exception):
    """The file as a whole cannot be read as a table: it needs a line of column names and rows below it."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One row, with the number of the line that it starts on (the first line is 1) and its text as it stood."""

    line: int
    raw: str
    cells: tuple[str, ...]
    broken: str | None = None
    """Why it could not be split into cells, or None."""
    ends: int = 0
    """The number of its last line."""


@dataclass(frozen=True, slots=True)
class Format:
    """How a file's bytes are read as rows."""

    encoding: str
    delimiter: str


def format_of(chunks: Iterable[bytes]) -> Format:
    """Find out how a file is to be read, in one pass over it. Raises InvalidFile."""
    encoding, utf8, head = "", codecs.getincrementaldecoder("utf-8")(), b""
    utf16 = codecs.getincrementaldecoder("utf-16")()
    for chunk in chunks:
        marked = len(head) < 2 and (head + chunk[:2]).startswith((b"\xff\xfe", b"\xfe\xff"))
        if marked:
            encoding = "utf-16"
        if encoding == "utf-16":
            # whole, here: a letter that is none must not be met when half of the rows are taken in
            _letters(utf16, head + chunk if marked else chunk)
        elif not encoding:
            try:
                utf8.decode(chunk)
            except UnicodeDecodeError:
                encoding = "cp1252"
        if len(head) < MOST_CHARACTERS_PER_LINE:
            head += chunk[:MOST_CHARACTERS_PER_LINE]
    if encoding == "utf-16":
        _letters(utf16, b"", whole=True)
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InvalidFile("this is a spreadsheet or an archive: save the sheet as CSV first")
    encoding = encoding or ("utf-8-sig" if _is_whole(utf8) else "cp1252")
    # the head may end within a letter, which is no matter for the line of titles
    first = next((line for line in lines([head], encoding, whole=len(head) < MOST_CHARACTERS_PER_LINE)
                  if line.strip()), None)  # fmt: skip
    if first is None:
        raise InvalidFile("the file is empty")
    said = _SEPARATOR_LINE.fullmatch(first)
    return Format(encoding, said[1] if said else _delimiter(first))


def lines(chunks: Iterable[bytes], encoding: str, *, whole: bool = True) -> Iterator[str]:
    """The lines of a file without their ends: CR, LF and CRLF alike. Raises InvalidFile.

    Without `whole` the chunks are but the beginning of a file, which may end within a letter. What a line has over
    MOST_CHARACTERS_PER_LINE and one is not kept.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict" if encoding == "utf-16" else "replace")
    newlines = io.IncrementalNewlineDecoder(decoder, translate=True)
    left = ""
    try:
        for chunk in chunks:
            *ended, left = (left + newlines.decode(chunk).replace("\x00", "")).split("\n")
            yield from (line[: MOST_CHARACTERS_PER_LINE + 1] for line in ended)
            left = left[: MOST_CHARACTERS_PER_LINE + 1]
        *ended, left = (left + newlines.decode(b"", whole)).split("\n")
    except UnicodeDecodeError as error:
        raise InvalidFile(_NO_UTF16.format(error.reason)) from error
    yield from ended
    if left:
        yield left


def rows(source: Iterable[str], delimiter: str, *, after_line: int = 0) -> Iterator[Cells]:
    """Every row that is not blank; the first is the column names, the others those behind `after_line`."""
    coming = iter(source)
    window: deque[str] = deque()
    at, titled = 1, False
    while _fill(window, coming):
        blank = not window[0].strip(f"{delimiter} \t") or (at == 1 and _SEPARATOR_LINE.fullmatch(window[0]))
        used = 1
        if not blank and not (titled and at <= after_line):
            row, used = _row(window, at, delimiter)
            titled = True
            yield row
        for _ in range(used):
            window.popleft()
        at += used


def read(content: bytes) -> Iterator[Cells]:
    """The rows of a file that is in memory. Raises InvalidFile."""
    found = format_of([content])
    return rows(lines([content], found.encoding), found.delimiter)


def guarded(cell: str) -> str:
    """A cell as it is written to a file: what a spreadsheet would take for a formula begins with an apostrophe."""
    formula = cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not re.fullmatch(r"[+-][\d .,]+", cell)
    return f"'{cell}" if formula or _DISGUISED.match(cell) else cell


def unguarded(cell: str) -> str:
    """The cell that was written so."""
    return cell[1:] if _DISGUISED.match(cell) else cell


def _fill(window: deque[str], coming: Iterator[str]) -> bool:
    while len(window) < MOST_LINES_PER_ROW:
        line = next(coming, None)
        if line is None:
            break
        window.append(line)
    return bool(window)


def _row(window: Sequence[str], number: int, delimiter: str) -> tuple[Cells, int]:
    first = window[0]
    if len(first) > MOST_CHARACTERS_PER_LINE:
        told = f"the line is longer than {MOST_CHARACTERS_PER_LINE} characters"
        return Cells(number, first[:1000], (), broken=told, ends=number), 1
    if '"' not in first:
        return Cells(number, first, tuple(map(_cell, first.split(delimiter))), ends=number), 1
    # strict: a quote that is never closed is an error, not the rest of the file in one cell
    reader = csv.reader((f"{line}\n" for line in window), delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        cells = next(reader)
    except csv.Error as error:
        told = "an opening quote is never closed" if "unexpected end" in str(error) else str(error)
        return Cells(number, first, (), broken=told, ends=number), 1
    used = reader.line_num
    raw = "\n".join(list(window)[:used])
    return Cells(number, raw, tuple(map(_cell, cells)), ends=number + used - 1), used


def _cell(told: str) -> str:
    return unguarded(told.strip())


def _letters(decoder: codecs.IncrementalDecoder, some: bytes, *, whole: bool = False) -> None:
    try:
        decoder.decode(some, whole)
    except UnicodeDecodeError as error:
        raise InvalidFile(_NO_UTF16.format(error.reason)) from error


def _is_whole(decoder: codecs.IncrementalDecoder) -> bool:
    try:
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=bare.count)
