"""A takeout is imported with progress, resumed after an interruption, and each message kept."""

from __future__ import annotations

import random
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


def test_an_mbox_cut_short_anywhere_is_gone_on_with_until_each_message_is_there_once(
    clone: Database, clock: HandClock, tmp_path: Path
) -> None:
    takeout, messages = tmp_path / "takeout.mbox", 240
    with takeout.open("wb") as file:
        for number in range(messages):
            raw = letter(f"The order of the week, number {number}.", number=number, subject=f"Order {number}")
            file.write(b"From bill@initech.example Mon Mar  2 09:00:00 2026\n" + raw.replace(b"\r\n", b"\n") + b"\n")
    tenant_id = build.acme(clone)
    draw = random.Random(20260302)
    taken_in: list[int] = []

    class Folders(houses.TestHands):
        def mailbox(self, tx, mailbox_id):  # type: ignore[no-untyped-def]
            row = mailboxes.get(tx, mailbox_id)
            return FolderMailbox(Path(row.source), address=row.address, clock=clock, page_size=16)

    def cut(after: int | None) -> bool:
        """Go on, and be killed at the step boundary of this number; whether it came to the end before."""
        left = [after]

        def fault(step: str) -> None:
            if left[0] is not None:
                left[0] -= 1
                if left[0] < 0:
                    raise Killed

        with houses.house(clone, hands=Folders(), fault=fault) as house:
            try:
                counts = ingest.import_folder(house, tenant_id, takeout, address="ana@acme.example")
            except Killed:
                return False
            taken_in.append(counts["messages"])
            return True

    cuts = 0
    while not cut(draw.randint(1, 8) if cuts < 5 else None):
        cuts += 1
    assert cuts == 5
    assert 0 < taken_in[0] < messages, "the cuts fell in the middle"
    assert cut(None)
    assert taken_in[1] == 0, "once more takes in nothing"
    with clone.tenant(tenant_id) as tx:
        assert tx.row("""SELECT count(*) AS stored, count(DISTINCT gmail_message_id) AS apart,
                                count(DISTINCT subject) AS subjects FROM gmail_messages""") == {
            "stored": messages, "apart": messages, "subjects": messages,
        }  # fmt: skip
