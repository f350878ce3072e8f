"""Rechecks: a record that has changed has its open compliance checks looked at again in the next cycle."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain import rest_news, schedule
from domain.db import Tx


def look_again(tx: Tx, client_ids: Sequence[UUID]) -> int:
    """Something that may be required of these accounts or their people has changed; how many checks that touches.

    Whatever else rests about them is woken as well. One look at an index where there are none.
    """
    marked = tx.run(
        """UPDATE compliance_checks SET recheck_at = :now
           WHERE tenant_id = :t AND client_id = ANY(:ids) AND recheck_at IS NULL
             AND state IN ('pending', 'reminded', 'overdue', 'escalated')""",
        now=tx.now, t=tx.tenant_id, ids=sorted(set(client_ids)),
    )  # fmt: skip
    rest_news.of(tx, client_ids)
    if marked:
        schedule.bring_forward(tx, tx.now)
    return marked
