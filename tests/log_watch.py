"""Watches every line that the suite logs, ours and the libraries': no address, phone, key or body may be in one."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterator

import structlog

from brain import rulebook
from tests.architecture import leaks
from worker import telemetry

SHORTEST = 24
"""Fewer letters in a row may stand in a line by chance."""
_EVENT = re.compile(r'"event": "([\w.]+)"')
_NOT_IN_LINES = ("registry host", "download mirror", "path of one machine", "password in a URL")
_SHAPES: dict[str, re.Pattern[str]] = {
    "an address": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b"),
    "a phone": re.compile(r"\+\d{1,3}[ (.-]\d[\d ().-]{6,}\d|\(\d{3}\) \d{3}-\d{4}|\b555[ -]\d{4}\b"),
    "a key": re.compile(
        r"\bsk-" + r"ant-\w|\bwh" + r"sec_\w|\bre_(?:acme|globex)\b|\bBearer \w|\bhh" + r"_[a-z0-9]+_\w+_\w{20}"
    ),
    **{f"a key ({name})": found for name, found in leaks.PATTERNS.items() if name not in _NOT_IN_LINES},
}  # fmt: skip


class LogWatch(logging.Handler):
    """Looks at each line as the process would write it; what it finds is told without repeating it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.lines = 0
        self._said: set[str] = set()

    def heard(self, text: str) -> None:
        """Remember what somebody wrote in a letter: none of it may turn up in a line."""
        self._said |= {part[:80] for part in _sentences(text)}

    def emit(self, record: logging.LogRecord) -> None:
        """Look at a record as the process's own formatter makes a line of it."""
        self.look(_formatter().format(record))

    def look(self, line: str) -> None:
        """Look at one line."""
        self.lines += 1
        told = _EVENT.search(line)
        self.found += [f"{what} in a line about {told[1] if told else '?'}" for what in self._held(line)]

    def _held(self, line: str) -> Iterator[str]:
        for what, shape in _SHAPES.items():
            if shape.search(line):
                yield what
        if any(each in line for each in (*_templates(), *self._said)):
            yield "a body"

    def forget(self) -> list[str]:
        """What was found since the last time; what was written in letters is forgotten."""
        found, self.found, self._said = self.found, [], set()
        return found

    def install(self) -> None:
        """Have every logger of this process tell the watch, as the process sets them up; pytest keeps listening."""
        root = logging.getLogger()
        if self in root.handlers and structlog.is_configured():
            return
        others = [each for each in root.handlers if each is not self and not isinstance(each, telemetry._Stderr)]
        telemetry.configure("info")
        root.handlers[:] = [self, *others]


WATCH = LogWatch()
"""The watch of this process: each of the suite's workers has its own."""


def _sentences(text: str) -> Iterator[str]:
    for line in re.split(r"\n|(?<=[.!?])\s", text):
        if len(line.strip()) >= SHORTEST and " " in line.strip():
            yield line.strip()


@functools.cache
def _formatter() -> logging.Formatter:
    return telemetry._Formatter()


@functools.cache
def _templates() -> tuple[str, ...]:
    """What the rulebook's mails say, but for what is filled in."""
    texts = (path.read_text(encoding="utf-8") for path in rulebook.TEMPLATES.glob("*/[a-z]*.txt"))
    pieces = (piece for text in texts for piece in re.split(r"\{\{.*?\}\}|\{%.*?%\}", text, flags=re.DOTALL))
    return tuple({part[:60] for piece in pieces for part in _sentences(piece) if not part.startswith("Subject:")})
