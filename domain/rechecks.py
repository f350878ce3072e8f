"""Rechecks: a record that has changed has its compliance checks looked at again in the next cycle."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain import rest_news, schedule
from domain.db import Tx


def look_again(tx: Tx, client_ids: Sequence[UUID]) -> int:
    """Something that may be required of these accounts or their people has changed; how many checks that touches.

    Those withdrawn count: their schedule may be about the record again (`domain.compliance_choice`), within a period,
    which is a year at most. Whatever else rests about them is woken as well.
    """
    marked = tx.run(
        """UPDATE compliance_checks SET recheck_at = :now
           WHERE tenant_id = :t AND client_id = ANY(:ids) AND recheck_at IS NULL
             AND (state IN ('pending', 'reminded', 'overdue', 'escalated')
                  OR state = 'withdrawn' AND period > CAST(:now AS date) - 400)""",
        now=tx.now, t=tx.tenant_id, ids=sorted(set(client_ids)),
    )  # fmt: skip
    rest_news.of(tx, client_ids)
    if marked:
        schedule.bring_forward(tx, tx.now)
    return marked
