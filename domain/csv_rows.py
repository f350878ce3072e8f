"""Rows of a CSV file as people save them, a few lines in memory: any newline, any usual delimiter and encoding."""

from __future__ import annotations

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

MOST_LINES_PER_ROW = 50
"""A quoted field may hold line breaks; a row that runs on for longer has an opening quote that is never closed."""

MOST_CHARACTERS_PER_LINE = 100_000

_NEWLINE = re.compile(r"(\r\n|\r|\n)")
_NO_UTF16 = "the file says it is UTF-16 and is not: {}"
_DELIMITERS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r"sep=([,;\t|])\s*", re.IGNORECASE)
_DISGUISED = re.compile(r"'+[=+\-@\t\r]")


class InvalidFile(Exception):
    """The file as a whole cannot be read as a table: it needs a line of column names and rows below it."""


class Line(NamedTuple):
    """A line of a file without its end, and by how many bytes it is behind the file's beginning where it is over."""

    text: str
    until: int = 0


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
    until: int = 0
    """How many bytes of the file there are up to its end: the next row begins behind them."""


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
            encoding = "utf-16-le" if (head + chunk[:1]).startswith(b"\xff") else "utf-16-be"
        if encoding.startswith("utf-16"):
            # whole, here: a letter that is none must not be met when half of the rows are taken in
            _letters(utf16, head + chunk if marked else chunk)
        elif not encoding:
            try:
                utf8.decode(chunk)
            except UnicodeDecodeError:
                encoding = "cp1252"
        if len(head) < MOST_CHARACTERS_PER_LINE:
            head += chunk[:MOST_CHARACTERS_PER_LINE]
    if encoding.startswith("utf-16"):
        _letters(utf16, b"", whole=True)
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InvalidFile("this is a spreadsheet or an archive: save the sheet as CSV first")
    encoding = encoding or ("utf-8" if _is_whole(utf8) else "cp1252")
    # the head may end within a letter, which is no matter for the line of titles
    first = next((line.text for line in lines([head], encoding, whole=len(head) < MOST_CHARACTERS_PER_LINE)
                  if line.text.strip()), None)  # fmt: skip
    if first is None:
        raise InvalidFile("the file is empty")
    said = _SEPARATOR_LINE.fullmatch(first)
    return Format(encoding, said[1] if said else _delimiter(first))


def lines(chunks: Iterable[bytes], encoding: str, *, whole: bool = True, behind: int = 0) -> Iterator[Line]:
    """The lines of a file without their ends: CR, LF and CRLF alike. Raises InvalidFile.

    Without `whole` the chunks are but the beginning of a file, which may end within a letter; `behind` so many bytes
    they are what is left of one. What a line has over MOST_CHARACTERS_PER_LINE and one is not kept.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict" if encoding.startswith("utf-16") else "replace")
    at, left, held = behind, "", ""
    try:
        for chunk in chunks:
            text = held + decoder.decode(chunk)
            # the other half of a newline may be still to come
            held = "\r" if text.endswith("\r") else ""
            *ended, left = _NEWLINE.split(left + text.removesuffix("\r"))
            for line, newline in zip(ended[::2], ended[1::2], strict=True):
                at += _width(line, encoding) + _width(newline, encoding)
                yield Line(_shown(line), at)
            at += _width(left[MOST_CHARACTERS_PER_LINE + 1 :], encoding)
            left = left[: MOST_CHARACTERS_PER_LINE + 1]
        *ended, left = _NEWLINE.split(left + held + decoder.decode(b"", whole))
    except UnicodeDecodeError as error:
        raise InvalidFile(_NO_UTF16.format(error.reason)) from error
    for line, newline in zip(ended[::2], ended[1::2], strict=True):
        at += _width(line, encoding) + _width(newline, encoding)
        yield Line(_shown(line), at)
    if left:
        yield Line(_shown(left), at + _width(left, encoding))


def rows(source: Iterable[Line], delimiter: str, *, first_line: int = 1) -> Iterator[Cells]:
    """Every row that is not blank; the first is the column names, unless the source begins further down."""
    coming = iter(source)
    window: deque[Line] = deque()
    at = first_line
    while _fill(window, coming):
        text, used = window[0].text, 1
        blank = not text.strip(f"{delimiter} \t") or (at == 1 and _SEPARATOR_LINE.fullmatch(text))
        if not blank:
            row, used = _row(window, at, delimiter)
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


def _fill(window: deque[Line], coming: Iterator[Line]) -> bool:
    while len(window) < MOST_LINES_PER_ROW:
        line = next(coming, None)
        if line is None:
            break
        window.append(line)
    return bool(window)


def _row(window: Sequence[Line], number: int, delimiter: str) -> tuple[Cells, int]:
    first, until = window[0]
    if len(first) > MOST_CHARACTERS_PER_LINE:
        told = f"the line is longer than {MOST_CHARACTERS_PER_LINE} characters"
        return Cells(number, first[:1000], (), broken=told, ends=number, until=until), 1
    if '"' not in first:
        return Cells(number, first, tuple(map(_cell, first.split(delimiter))), ends=number, until=until), 1
    # strict: a quote that is never closed is an error, not the rest of the file in one cell
    reader = csv.reader((f"{line.text}\n" for line in window), delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        cells = next(reader)
    except csv.Error as error:
        told = "an opening quote is never closed" if "unexpected end" in str(error) else str(error)
        return Cells(number, first, (), broken=told, ends=number, until=until), 1
    used = reader.line_num
    whole = list(window)[:used]
    raw = "\n".join(line.text for line in whole)
    return Cells(number, raw, tuple(map(_cell, cells)), ends=number + used - 1, until=whole[-1].until), used


def _cell(told: str) -> str:
    return unguarded(told.strip())


def _width(text: str, encoding: str) -> int:
    """How many bytes a text takes in its file."""
    if encoding == "cp1252" or (encoding == "utf-8" and text.isascii()):
        return len(text)
    return len(text.encode(encoding))


def _shown(line: str) -> str:
    return line[: MOST_CHARACTERS_PER_LINE + 1].replace("\x00", "").removeprefix("\ufeff")


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
