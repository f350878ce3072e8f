"""Rows of a CSV file as people save them: any newline, any usual delimiter, and one bad row spoils no other."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

MOST_LINES_PER_ROW = 50
"""A quoted field may hold line breaks; a row that runs on for longer has an opening quote that is never closed."""

_DELIMITERS = (",", ";", "\t", "|")


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


def rows(content: bytes) -> Iterator[Cells]:
    """Every row that is not blank, the column names first. Raises InvalidFile when there are none."""
    lines = _decoded(content).split("\n")
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise InvalidFile("the file is empty")
    delimiter = _delimiter(first)
    at = 0
    while at < len(lines):
        if not lines[at].strip(f"{delimiter} \t"):
            at += 1
            continue
        row, used = _row(lines[at : at + MOST_LINES_PER_ROW], at + 1, delimiter)
        yield row
        at += used


def _row(lines: Sequence[str], number: int, delimiter: str) -> tuple[Cells, int]:
    # strict: a quote that is never closed is an error, not the rest of the file in one cell
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        cells = next(reader)
    except csv.Error as error:
        told = "an opening quote is never closed" if "unexpected end" in str(error) else str(error)
        return Cells(number, lines[0], (), broken=told), 1
    raw = "\n".join(lines[: reader.line_num])
    return Cells(number, raw, tuple(cell.strip() for cell in cells)), reader.line_num


def _decoded(content: bytes) -> str:
    """The text with LF alone at its line ends; UTF-8 or UTF-16 by its mark, else UTF-8, else what Windows writes."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            text = content.decode("utf-16")
        except UnicodeDecodeError as error:
            raise InvalidFile(f"the file says it is UTF-16 and is not: {error.reason}") from error
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    return re.sub("\r\n?", "\n", text).replace("\x00", "")


def _delimiter(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=bare.count)
