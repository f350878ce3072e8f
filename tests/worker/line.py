"""The command line, spoken to in this process."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from worker.cli import app, speaking


class Spoken(Exception):
    """A command failed: its exit code and what it said."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence


def move_in(monkeypatch: pytest.MonkeyPatch, url: str, folder: Path) -> None:
    """Let commands work on this database and data folder, with no other setting."""
    for name in [name for name in os.environ if name.startswith(("HOURHAND_", "AGENT_", "EMAIL_SEND_", "RESEND_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("HOURHAND_DATA_DIR", str(folder))


class Line:
    """The command line, spoken to in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, stdin: str = "") -> Any:
        """Its answer, from JSON. Raises Spoken."""
        code, said, complained = self.plain(*arguments, "--json", stdin=stdin)
        if code:
            raise Spoken(code, json.loads(complained.splitlines()[-1])["error"] if complained else said)
        return json.loads(said)

    def plain(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        """Exit code, answer and complaint."""
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self._capsys.readouterr()
        code = speaking.run(app, arguments)
        said = self._capsys.readouterr()
        return code, said.out, said.err
