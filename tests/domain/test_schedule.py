"""A tenant's line in the schedule: what becomes due while a cycle begins or ends is never overwritten."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError

from domain import schedule
from domain.db import Database
from tests import build


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant whose line it is; work is due by now."""
    tenant_id = build.acme(clone)
    with clone.tenant(tenant_id) as tx:
        schedule.bring_forward(tx, tx.now - timedelta(hours=1), extra=True)
    return tenant_id


@pytest.mark.parametrize("extra", [False, True])
def test_a_cycle_ends_only_after_what_came_in_meanwhile(clone: Database, acme: UUID, extra: bool) -> None:
    with clone.tenant(acme, actor="mail") as mail:
        # the line says already that something is due; what is due with it is not yet committed
        schedule.bring_forward(mail, mail.now, extra=extra)
        with clone.tenant(acme) as ending:
            ending.run("SET LOCAL lock_timeout = 200")
            with pytest.raises(OperationalError, match="lock timeout"):
                schedule.lock(ending)
            ending.roll_back()
    with clone.tenant(acme) as ending:
        schedule.lock(ending)
        assert schedule.settle(ending, []) is None


def test_changes_at_the_same_time_do_not_wait_for_each_other(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="mail") as mail:
        schedule.bring_forward(mail, mail.now)
        with clone.tenant(acme, actor="webhook") as webhook:
            webhook.run("SET LOCAL lock_timeout = 200")
            schedule.bring_forward(webhook, webhook.now)
