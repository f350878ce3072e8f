"""A takeout is imported with progress, resumed after an interruption, and each message kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain import mailboxes
from domain.db import Database
from jobs import ingest
from providers.folder import FolderMailbox
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs.letters import letter


class Killed(BaseException):
    """The process ends here."""


def test_a_folder_is_imported_with_progress_and_goes_on_after_an_interruption(
    clone: Database, clock: HandClock, tmp_path: Path
) -> None:
    for number in range(9):
        (tmp_path / f"{number}.eml").write_bytes(letter(number=number, subject=f"Order {number}"))
    tenant_id = build.acme(clone)
    told: list[int] = []

    class Folders(houses.TestHands):
        def mailbox(self, tx, mailbox_id):  # type: ignore[no-untyped-def]
            row = mailboxes.get(tx, mailbox_id)
            return FolderMailbox(Path(row.source), address=row.address, clock=clock, page_size=3)

    def give_up(counts: object) -> None:
        told.append(counts["messages"])  # type: ignore[index]
        if len(told) == 2:
            raise Killed

    with houses.house(clone, hands=Folders()) as house:
        with pytest.raises(Killed):
            ingest.import_folder(house, tenant_id, tmp_path, address="ana@acme.example", progress=give_up)
        counts = ingest.import_folder(house, tenant_id, tmp_path, address="ana@acme.example", progress=give_up)
    assert told[:2] == [3, 6]
    assert counts["messages"] == 3
    with clone.tenant(tenant_id) as tx:
        assert tx.value("SELECT count(*) FROM gmail_messages") == 9
