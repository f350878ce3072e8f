"""A plan and an import that come to the same accounts in another order wait for one another, and never for ever."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from domain import compliance_changes as changes
from domain import compliance_checks as checks
from domain import compliance_review as review
from domain import compliance_schedules as schedules
from domain import compliance_validation, rechecks, rests
from domain.compliance_review import Reviewed
from domain.db import Database
from tests import build
from tests.hand_clock import HandClock


def test_a_plan_and_an_import_of_the_same_accounts_do_not_lock_each_other_out(
    clone: Database, clock: HandClock
) -> None:
    acme = build.acme(clone)
    with clone.tenant(acme, actor="test") as tx:
        rested, due = (build.check(tx, build.client(tx, name)) for name in ("Initech", "Hooli"))
        # both stand as they are: only what wakes one, and what shows that the other has changed, comes to write them
        tx.run("UPDATE compliance_checks SET recheck_at = NULL, remind_at = :now WHERE tenant_id = :t",
               t=acme, now=tx.now)  # fmt: skip
        tx.run("UPDATE compliance_checks SET rests_until = :soon, rest = :why WHERE tenant_id = :t AND id = :id",
               t=acme, soon=tx.now + timedelta(hours=1), id=rested.id,
               why={"kind": "compliance_due", "disposition": "blocked", "rule": "a", "reason": "b"})  # fmt: skip
    clock.advance(days=30)
    woken = threading.Event()

    def plan() -> set[str]:
        with clone.tenant(acme, actor="plan") as tx:
            assert rests.wake(tx) == 1
            woken.set()
            stand = compliance_validation.validate(tx, compliance_validation.due(tx))
            return {each.account for each in stand}

    with ThreadPoolExecutor(1) as aside:
        with clone.tenant(acme, actor="import") as chunk:
            assert rechecks.look_again(chunk, [due.client_id]) == 1
            planning = aside.submit(plan)
            woken.wait(60)
            rechecks.look_again(chunk, [rested.client_id])
        assert planning.result(60) == {"Hooli", "Initech"}
    with clone.tenant(acme) as tx:
        marked = tx.rows("SELECT id FROM compliance_checks WHERE tenant_id = :t AND recheck_at IS NOT NULL", t=acme)
    assert {rested.id, due.id} <= {row["id"] for row in marked}


def test_neither_a_change_of_a_schedule_nor_its_review_in_a_plan_is_locked_out_by_an_import(
    clone: Database, clock: HandClock
) -> None:
    acme = build.acme(clone)
    with clone.tenant(acme, actor="test") as tx:
        newest = [build.client(tx, name) for name in ("Initech", "Hooli", "Umbrella")][-1]
        one = build.check(tx, newest).schedule_id
        first, due, rested = sorted(checks.listed(tx, schedule_id=one), key=lambda each: each.id)
        tx.run("UPDATE compliance_checks SET recheck_at = NULL, rests_until = CASE WHEN id = :id THEN :soon END, "
               "rest = CASE WHEN id = :id THEN CAST(:why AS jsonb) END WHERE tenant_id = :t",
               t=acme, soon=tx.now + timedelta(hours=1), id=rested.id,
               why={"kind": "compliance_due", "disposition": "blocked", "rule": "a", "reason": "b"})  # fmt: skip
    clock.advance(hours=2)
    woken = threading.Event()

    def switch_off() -> changes.Changed:
        with clone.tenant(acme, actor="ana") as tx:
            return changes.change(tx, one, active=False)

    def plan() -> Reviewed:
        with clone.tenant(acme, actor="plan") as tx:
            assert rests.wake(tx) == 1
            woken.set()
            return review.carry_on(tx, schedules.listed(tx))

    with ThreadPoolExecutor(1) as aside:
        with clone.tenant(acme, actor="import") as chunk:
            assert rechecks.look_again(chunk, [due.client_id]) == 1
            # what stands before the one that is held is judged, and nothing behind it is passed over
            changed = aside.submit(switch_off).result(60)
            assert (changed.reviewed, changed.schedule.reviewed_to) == (Reviewed(withdrawn=1), first.id)
            planning = aside.submit(plan)
            woken.wait(60)
            rechecks.look_again(chunk, [rested.client_id])
        assert planning.result(60) == Reviewed()
    with clone.tenant(acme) as tx:
        assert schedules.get(tx, one).reviewed_to == first.id
        assert review.carry_on(tx, schedules.listed(tx)) == Reviewed(withdrawn=2)
        assert not schedules.get(tx, one).reviewing
