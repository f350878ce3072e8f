"""What the process's tests may ask for: the command line, and the real clock's view of its database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.clock import SystemClock
from domain.db import Database
from tests import gears
from tests.worker.line import Line, move_in


@pytest.fixture
def hh(
    cloned: gears.Clone, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Line:
    """The command line on a database and a data folder of the test's own."""
    move_in(monkeypatch, cloned.url(), tmp_path / "data")
    return Line(capsys, monkeypatch)


@pytest.fixture
def database(cloned: gears.Clone) -> Iterator[Database]:
    """The same database, seen from outside."""
    found = Database(cloned.url(), SystemClock())
    yield found
    found.dispose()
