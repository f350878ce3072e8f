"""The watch: each alarm goes off when it should and not before, ends when it is over, and the quiet are let be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import alerts, outbound, rollup, switches, violations
from domain.alerts import HOUSE
from domain.db import Database, Tx
from domain.switches import Switch
from jobs import alarms, watch
from tests import build, houses
from tests.hand_clock import HandClock


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that something is wrong with; nothing is with globex."""
    build.globex(clone)
    return build.acme(clone)


def _open(database: Database, tenant: UUID) -> list[str]:
    with database.tenant(tenant) as tx:
        return sorted(alert.kind for alert in alerts.listed(tx))


def _look(database: Database) -> None:
    with houses.house(database) as house:
        watch.run(house)
        watch.compare(house)


def _blocked(tx: Tx, cards: int) -> None:
    """Cards that a rule blocked just now."""
    for _ in range(cards):
        card = build.card(tx, build.contact(tx), dedupe_key=str(tx.clock.uuid()))
        verdict: dict[str, Any] = {
            "rule": "no_spam.consent",
            "decision": "block",
            "reason": "x",
            "facts": {},
            "until": None,
        }
        # two rules against one card are one blocked action
        violations.store(tx, "plan", 1, [violations.Judged(card, "block", [verdict, verdict])])
    rollup.add(tx, actions_blocked=cards)


def _failures(tx: Tx, times: int) -> None:
    for _ in range(times):
        outbound.failure(tx, provider="resend", kind="nothing_happened", detail="503", card_id=None)


def _held(tx: Tx, minutes: int) -> None:
    tx.run(
        """INSERT INTO agent_tenant_locks (tenant_id, holder, fence, since, heartbeat_at, expires_at)
           VALUES (:t, 'w', 1, :since, :now, :soon)""",
        t=tx.tenant_id, since=tx.now - timedelta(minutes=minutes), now=tx.now, soon=tx.now + timedelta(minutes=1),
    )  # fmt: skip


Deed = Callable[[Tx], None]

CASES: dict[str, tuple[Deed, Deed]] = {
    "cycle_failure_rate": (
        lambda tx: rollup.add(tx, cycles_completed=7, cycles_failed=2),
        lambda tx: rollup.add(tx, cycles_completed=8, cycles_failed=2),
    ),
    "tenant_locked": (lambda tx: _held(tx, 61), lambda tx: _held(tx, 59)),
    "policy_blocks": (lambda tx: _blocked(tx, 10), lambda tx: _blocked(tx, 9)),
    "engagement_compliance": (
        lambda tx: rollup.add(tx, contacts_compliant=79, contacts_clocked=100),
        lambda tx: rollup.add(tx, contacts_compliant=80, contacts_clocked=100),
    ),
    "order_exceptions": (
        lambda tx: rollup.add(tx, orders_processed=29, orders_exceptions=3),
        lambda tx: rollup.add(tx, orders_processed=30, orders_exceptions=3),
    ),
    "email_provider_failures": (lambda tx: _failures(tx, 5), lambda tx: _failures(tx, 4)),
    "lock_contention": (
        lambda tx: rollup.add(tx, lock_contentions=5),
        lambda tx: rollup.add(tx, lock_contentions=4),
    ),
}
"""What makes each alarm go off, and what just does not."""


def test_every_alarm_has_its_two_cases() -> None:
    assert set(CASES) == {alarm.kind for alarm in alarms.ALARMS}
    assert {alarm.kind for alarm in alarms.UNUSUAL} == {"send_volume", "policy_spike"}


@pytest.mark.parametrize("kind", CASES)
def test_an_alarm_goes_off_past_its_threshold_and_not_at_it(clone: Database, acme: UUID, kind: str) -> None:
    with clone.tenant(acme) as tx:
        CASES[kind][1](tx)
    _look(clone)
    assert kind not in _open(clone, acme)
    with clone.tenant(acme) as tx:
        for table in ("tenant_rollup", "agent_policy_violations", "email_provider_failures", "agent_tenant_locks"):
            if table == "tenant_rollup":
                numbers = ", ".join(f"{name} = 0" for name in (*rollup.COUNTED, *rollup.MEASURED))
                tx.run(f"UPDATE tenant_rollup SET {numbers} WHERE tenant_id = :t", t=acme)
            else:
                tx.run(f"DELETE FROM {table} WHERE tenant_id = :t", t=acme)
        CASES[kind][0](tx)
    _look(clone)
    assert _open(clone, acme) == [kind]
    with clone.tenant(acme) as tx:
        [alert] = alerts.listed(tx)
        assert "{" not in alert.message
        assert alert.cause
    with clone.tenant(build.tenant(clone, "initech", {})) as tx:
        assert not alerts.listed(tx)


def test_an_alert_is_opened_once_and_ends_by_itself_only_past_its_second_threshold(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    def kept(share: int) -> list[str]:
        with clone.tenant(acme) as tx:
            rollup.add(tx, contacts_compliant=share, contacts_clocked=100)
        _look(clone)
        return _open(clone, acme)

    assert kept(70) == kept(79) == kept(84) == ["engagement_compliance"]
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT count(*) FROM agent_alerts") == 1
    assert kept(85) == []
    assert kept(80) == []
    assert kept(79) == ["engagement_compliance"]
    with clone.tenant(acme) as tx:
        assert alerts.listed(tx, states=["resolved"])[0].resolved_by == "watch"


@pytest.mark.parametrize("kind", ["tenant_locked", "policy_blocks", "email_provider_failures", "lock_contention",
                                  "cycle_failure_rate", "order_exceptions"])  # fmt: skip
def test_what_is_over_is_resolved_when_its_window_has_passed(
    clone: Database, acme: UUID, clock: HandClock, kind: str
) -> None:
    with clone.tenant(acme) as tx:
        CASES[kind][0](tx)
    _look(clone)
    assert _open(clone, acme) == [kind]
    clock.advance(hours=25)
    _look(clone)
    assert _open(clone, acme) == []


def _days_of_mail(database: Database, tenant: UUID, clock: HandClock, mails: list[int]) -> None:
    for count in mails:
        with database.tenant(tenant) as tx:
            rollup.add(tx, emails_sent=count, cycles_completed=1)
        clock.advance(days=1)


@pytest.mark.parametrize(
    ("usual", "today", "unusual"),
    [
        ([10, 10, 10], 20, True),
        ([10, 10, 10], 19, False),
        ([4, 4, 4, 4], 19, False),  # fewer than twenty are never unusual
        ([10, 10], 100, False),  # nobody knows yet what is usual
        ([10, 0, 10, 0, 10], 20, True),  # days without mail, such as Sundays, are not counted
        ([50, 50, 50], 99, False),
    ],
)
def test_twice_the_usual_volume_of_mail_is_told(
    clone: Database, acme: UUID, clock: HandClock, usual: list[int], today: int, unusual: bool
) -> None:
    _days_of_mail(clone, acme, clock, usual)
    with clone.tenant(acme) as tx:
        rollup.add(tx, emails_sent=today)
    _look(clone)
    assert _open(clone, acme) == (["send_volume"] if unusual else [])
    clock.advance(days=2)
    _look(clone)
    assert _open(clone, acme) == []


@pytest.mark.parametrize(("usual", "now", "spike"), [(1, 7, True), (1, 6, False), (0, 5, True), (0, 4, False)])
def test_a_spike_of_blocks_is_told_against_what_is_usual(
    clone: Database, acme: UUID, clock: HandClock, usual: int, now: int, spike: bool
) -> None:
    for _ in range(30):
        with clone.tenant(acme) as tx:
            rollup.add(tx, actions_blocked=usual, cycles_completed=1)
        clock.advance(hours=1)
    clock.advance(hours=1)
    with clone.tenant(acme) as tx:
        rollup.add(tx, actions_blocked=now)
    _look(clone)
    assert _open(clone, acme) == (["policy_spike"] if spike else [])


def test_a_closed_switch_is_an_alert_until_it_is_opened_again(clone: Database, acme: UUID) -> None:
    for level in (Switch(acme, "mail"), Switch(acme, "all")):
        switches.stop(clone, level, by="Ana", reason="look")
    assert _open(clone, acme) == ["kill_switch"]
    switches.resume(clone, Switch(acme, "mail"), by="Ana", reason="fine")
    assert _open(clone, acme) == ["kill_switch"]
    switches.resume(clone, Switch(acme, "all"), by="Ana", reason="fine")
    assert _open(clone, acme) == []


def test_a_switch_of_the_house_is_an_alert_of_the_house_and_of_no_tenant(clone: Database, acme: UUID) -> None:
    def kinds() -> list[str]:
        with clone.wearing("control") as tx:
            return [alert.kind for alert in alerts.listed(tx, book=HOUSE)]

    switches.stop(clone, Switch(None, "all"), by="Ana", reason="look")
    assert (kinds(), _open(clone, acme)) == (["kill_switch"], [])
    switches.resume(clone, Switch(None, "all"), by="Ana", reason="fine")
    assert kinds() == []


def test_hours_that_begin_too_late_and_cycles_that_fail_everywhere_are_the_houses_alerts(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    def kinds() -> set[str]:
        _look(clone)
        with clone.wearing("control") as tx:
            return {alert.kind for alert in alerts.listed(tx, book=HOUSE)}

    with clone.tenant(acme) as tx:
        rollup.add(tx, cycles_completed=9, cycles_failed=2)
        tx.run("UPDATE tenant_schedule SET next_due_at = :at", at=tx.now - timedelta(minutes=14))
    assert kinds() == set()
    with clone.tenant(acme) as tx:
        rollup.add(tx, cycles_failed=1)
        tx.run("UPDATE tenant_schedule SET next_due_at = :at", at=tx.now - timedelta(minutes=16))
    assert kinds() == {"schedule_late", "cycle_failure_rate"}
    with clone.tenant(acme) as tx:
        rollup.add(tx, cycles_completed=30)
        tx.run("UPDATE tenant_schedule SET next_due_at = :at", at=tx.now + timedelta(hours=1))
    assert kinds() == set()


def test_a_quiet_tenant_is_never_entered_and_one_statement_looks_at_all(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        rollup.add(tx, cycles_completed=3, contacts_compliant=9, contacts_clocked=10, emails_sent=5)
    assert watch.find(clone, alarms.ALARMS) == []
    with clone.tenant(acme) as tx:
        rollup.add(tx, contacts_compliant=1, contacts_clocked=10)
    assert [look.suspected for look in watch.find(clone, alarms.ALARMS)] == [{"engagement_compliance"}]
    _look(clone)
    # what is told already is no reason to look again
    assert watch.find(clone, alarms.ALARMS) == []
