"""How long a large file takes to come in and to be taken back, and how little memory it needs meanwhile."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Callable
from pathlib import Path

from domain.clock import SystemClock
from domain.db import Database
from jobs import import_file, undo_import
from jobs.import_file import Wish
from jobs.import_sources import OnDisk
from tests import build, gears
from tests.build import VAULT

ROWS = int(os.environ.get("IMPORT_ROWS", "100000"))
BAD_SHARE = 50
"""One row in so many is bad: 2 %."""


class _Cut(Exception):
    """Cuts the import short, as a crash would."""


def test_a_large_file_comes_in_within_bounded_memory_goes_on_after_a_crash_and_is_taken_back(
    cloned: gears.Clone, tmp_path: Path, figures: Callable[..., None]
) -> None:
    path = tmp_path / "people.csv"
    _write(path)
    clock = SystemClock()
    database = Database(cloned.url(), clock)
    tenant = build.acme(database)
    wish, before = Wish("contacts", path.name), _peak_megabytes()
    began = clock.monotonic()

    def crash(rows: int) -> None:
        if rows >= ROWS // 2:
            raise _Cut

    with contextlib.suppress(_Cut):
        import_file.run(database, VAULT, tenant, OnDisk(path), wish, by="bench", progress=crash)
    report = import_file.run(database, VAULT, tenant, OnDisk(path), wish, by="bench")
    seconds = clock.monotonic() - began
    grown = _peak_megabytes() - before
    assert report.resumed_after_line > 0
    assert (report.rows, report.bad, report.created) == (ROWS, ROWS // BAD_SHARE, ROWS - ROWS // BAD_SHARE)
    assert report.import_id is not None
    began = clock.monotonic()
    again = import_file.run(database, VAULT, tenant, OnDisk(path), wish, by="bench")
    assert (again.unchanged, again.created, again.changed) == (report.created, 0, 0)
    again_seconds, began = clock.monotonic() - began, clock.monotonic()
    batch = undo_import.run(database, tenant, report.import_id, by="bench")
    undo_seconds = clock.monotonic() - began
    with database.tenant(tenant) as tx:
        assert tx.value("SELECT (SELECT count(*) FROM contacts) + (SELECT count(*) FROM clients)") == 0
    assert batch.left_alone == 0
    database.dispose()
    figures("import", rows=ROWS, bad=report.bad, megabytes_of_file=path.stat().st_size >> 20,
            seconds=round(seconds), again_seconds=round(again_seconds), undo_seconds=round(undo_seconds),
            undone=batch.undone, grown_megabytes=grown)  # fmt: skip
    assert grown < 64


def _write(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("External ID;Nombre;Correo;Empresa;Teléfono;País\n")
        for at in range(ROWS):
            company = at // 5
            address = f"not an address {at}" if at % BAD_SHARE == 7 else f"p{at}@company-{company}.example"
            file.write(f"c-{at};Ana Díaz {at};{address};Company {company};+34 600 {at % 1000000:06d};ES\n")


def _peak_megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
