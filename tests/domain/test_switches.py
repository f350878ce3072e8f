"""Switches: what each level stops, who flipped it, and that a flip answers only when stopped means stopped."""

from __future__ import annotations

from itertools import product
from uuid import UUID

import pytest

from domain import audit, executions, switches
from domain.db import Database
from domain.gate import Gate
from domain.switches import InFlight, Switch, UnknownSwitch
from tests import build
from tests.hand_clock import HandClock

LEVELS = (("all", ""), ("mail", ""), ("engine", "engagement"), ("action", "follow_up"))
ACTIONS = (("follow_up", "engagement"), ("open_case", "engagement"), ("follow_up", "quotes"), ("open_case", "quotes"))


def _governs(level: str, type_: str, engine: str) -> bool:
    """The truth table, said once more in other words."""
    return {
        "all": True,
        "mail": type_ == "follow_up",
        "engine": engine == "engagement",
        "action": type_ == "follow_up",
    }[level]


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


@pytest.mark.parametrize(("switch", "scope"), list(product(LEVELS, ("house", "tenant"))))
def test_a_switch_stops_what_it_governs_and_nothing_else(
    clone: Database, acme: UUID, switch: tuple[switches.Level, str], scope: str
) -> None:
    globex = build.globex(clone)
    level, name = switch
    flipped = Switch(acme if scope == "tenant" else None, level, name)
    assert switches.stop(clone, flipped, by="root", reason="test") == switches.Flip(stopped=True, settled=True)
    with clone.tenant(acme) as tx:
        closed = switches.closed(tx)
    with clone.tenant(globex) as tx:
        elsewhere = switches.closed(tx)
    assert closed == {(scope, level, name)}
    assert elsewhere == (closed if scope == "house" else set())
    for type_, engine in ACTIONS:
        expected = (scope, level, name) if _governs(level, type_, engine) else None
        assert switches.stops(closed, type_, engine) == expected
    switches.resume(clone, flipped, by="root", reason="test")
    with clone.tenant(acme) as tx:
        assert switches.closed(tx) == set()


def test_of_several_closed_switches_the_strongest_is_named() -> None:
    every = frozenset((scope, level, name) for scope, (level, name) in product(("house", "tenant"), LEVELS))
    order = []
    while found := switches.stops(every, "follow_up", "engagement"):
        order.append(found)
        every -= {found}
    assert [each[1] for each in order] == ["all", "all", "mail", "mail", "engine", "engine", "action", "action"]
    assert [each[0] for each in order] == ["house", "tenant"] * 4


@pytest.mark.parametrize("wrong", [("all", "x"), ("mail", "x"), ("engine", ""), ("action", ""), ("moon", "")])
def test_an_unknown_switch_is_refused(wrong: tuple[switches.Level, str]) -> None:
    with pytest.raises(UnknownSwitch):
        Switch(None, *wrong)


def test_each_flip_says_who_when_and_why(clone: Database, acme: UUID, clock: HandClock) -> None:
    switches.stop(clone, Switch(acme, "mail"), by="ana", reason="a complaint")
    switches.stop(clone, Switch(None, "all"), by="root", reason="fire drill")
    with clone.tenant(acme) as tx:
        line = audit.read(tx)[0]
        assert (line.actor, line.action, line.subject, line.reason, line.at) == (
            "ana", "switch.stop", "mail", "a complaint", clock.now(),
        )  # fmt: skip
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE type = 'switch.stop'") == 1
    with clone.wearing("control") as tx:
        assert [(each.actor, each.reason) for each in audit.read_control(tx, limit=1)] == [("root", "fire drill")]


def test_the_house_shows_its_switches_also_where_none_was_ever_flipped(clone: Database, clock: HandClock) -> None:
    with clone.wearing("control") as tx:
        assert switches.states(tx) == [
            {"switch": "global_enabled", "stopped": False, "reason": None, "by": "installation", "at": None}
        ]
    switches.stop(clone, Switch(None, "mail"), by="root", reason="drill")
    with clone.wearing("control") as tx:
        shown = {each["switch"]: each for each in switches.states(tx)}
        assert shown["email_send_disabled"] == {
            "switch": "email_send_disabled", "stopped": True, "reason": "drill", "by": "root", "at": clock.now(),
        }  # fmt: skip


def test_a_stop_waits_for_what_is_executing_and_then_for_its_deadline(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        card = build.card(tx, state="queued")
        executions.reserve(tx, card, owner="w1", fence=1, lease_seconds=5, idempotency_key="k")
    stopped = switches.stop(clone, Switch(acme, "all"), by="root", reason="test", timeout_seconds=4)
    assert stopped == switches.Flip(True, False, (InFlight(acme, card.id, "follow_up"),))
    # past its deadline a lost card starts nothing any more
    assert switches.stop(clone, Switch(None, "all"), by="root", reason="test", timeout_seconds=4).settled


def test_a_stop_names_a_card_past_its_deadline_as_long_as_somebody_holds_the_gate(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        lock_id = tx.value("SELECT lock_id FROM tenant_schedule")
        card = build.card(tx, state="queued")
        executions.reserve(tx, card, owner="w1", fence=1, lease_seconds=5, idempotency_key="k")
    clock.advance(seconds=6)
    passage = Gate(clone)
    for switch in (Switch(acme, "all"), Switch(None, "mail")):
        with passage.passing(lock_id):
            hanging = switches.stop(clone, switch, by="root", reason="test", timeout_seconds=0.1)
        assert hanging == switches.Flip(True, False, (InFlight(acme, card.id, "follow_up"),))
        assert switches.stop(clone, switch, by="root", reason="test", timeout_seconds=4).settled
    passage.close()


def test_a_tenants_stop_does_not_wait_for_another_tenants_cards(clone: Database, acme: UUID) -> None:
    globex = build.globex(clone)
    with clone.tenant(globex) as tx:
        card = build.card(tx, state="queued")
        executions.reserve(tx, card, owner="w", fence=1, lease_seconds=60, idempotency_key="k")
    assert switches.stop(clone, Switch(acme, "all"), by="root", reason="test", timeout_seconds=4).settled
    house = switches.stop(clone, Switch(None, "all"), by="root", reason="test", timeout_seconds=4)
    assert [each.tenant_id for each in house.in_flight] == [globex]
