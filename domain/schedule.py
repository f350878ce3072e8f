"""Who is due when: each tenant's line in `tenant_schedule`, moved by the tenant's own changes."""

from __future__ import annotations

from datetime import datetime

from domain.db import Tx


def bring_forward(tx: Tx, at: datetime, *, extra: bool = False) -> None:
    """Something will be due at `at`: the tenant's next look is no later than that. Part of the change's transaction.

    With `extra`, it should not wait for the tenant's hourly slot (a mail came in, a person approved).
    """
    tx.run(
        """UPDATE tenant_schedule SET work_due_at = least(work_due_at, :at),
                  extra_due_at = CASE WHEN :extra THEN least(extra_due_at, :at) ELSE extra_due_at END
           WHERE tenant_id = :t AND (work_due_at IS NULL OR work_due_at > :at
                                     OR :extra AND (extra_due_at IS NULL OR extra_due_at > :at))""",
        t=tx.tenant_id, at=at, extra=extra,
    )  # fmt: skip
