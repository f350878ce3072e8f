"""Renewal: before an hour is planned, mails that wait are held against their records, and outdated ones given up."""

from __future__ import annotations

from uuid import UUID

from domain import cards
from jobs import wording
from jobs.hour import Cycle

PAGE = 500
"""How many waiting mails are held against their records at a time."""


def renew(cycle: Cycle) -> None:
    """Before anything is planned: whatever waits and says what is no longer so gives way, whoever agreed to it.

    Its engine finds nothing on the board and proposes it anew, in the words of today, which are asked about again.
    What is on its way stays as it was frozen.
    """
    after: UUID | None = None
    while True:
        with cycle.transaction() as tx:
            page = cards.mails_waiting(tx, after=after, limit=PAGE)
            wording.give_way(tx, page)
        if len(page) < PAGE:
            return
        after = page[-1].id
        cycle.breathe()
