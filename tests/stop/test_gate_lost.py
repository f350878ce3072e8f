"""Connections lost in the middle: a stop still answers only once what was in flight is over, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic_ns
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from domain import gate, switches
from domain.db import Database
from domain.house import House, no_fault
from domain.switches import Switch
from providers.resend import ResendSender
from tests import houses
from tests.stop.laboratory import Aside, Boundary, Laboratory, carry_out, hour, key, stock

OF_THE_GATE = ("execute.judged", "execute.reserved")
"""Where a send stands between the switch check and its POST: without a durable row, and with one."""


@contextmanager
def house_of(lab: Laboratory, tenant_id: UUID, at: Boundary | None = None) -> Iterator[House]:
    """A house with one card to send, which waits at a step boundary."""
    hands = houses.TestHands(senders={tenant_id: ResendSender(key(tenant_id), lab.resend.url)})
    with lab.database.tenant(tenant_id) as tx:
        stock(tx, 1)
    with houses.house(lab.database, holder=f"house-{tenant_id.hex[-6:]}", hands=hands, fault=at or no_fault) as built:
        yield built


@pytest.mark.parametrize("scope", ["house", "tenant"])
def test_a_stop_waits_for_a_send_whose_gate_connection_was_lost(lab: Laboratory, scope: str) -> None:
    tenant_id, resend = lab.tenant(f"mid-send-{scope}"), lab.resend
    switch = Switch(tenant_id if scope == "tenant" else None, "all")
    resend.hold(tenant_id)
    with house_of(lab, tenant_id) as house:
        cycle = hour(house, tenant_id)
        sending = Aside(lambda: carry_out(cycle))
        assert resend.arrived.wait(60)
        lab.end_gate()
        first = lab.stop(switch, timeout_seconds=0.2)
        assert (first.settled, [card.tenant_id for card in first.in_flight]) == (False, [tenant_id])
        stopping = Aside(lambda: (lab.stop(switch), monotonic_ns()))
        assert stopping.running()
        resend.let_go.set()
        sending.result()
        flip, returned = stopping.result()
        assert flip.settled
        with house.database.tenant(tenant_id) as tx:
            assert tx.value("SELECT count(*) FROM kanban_cards WHERE state = 'done'") == 1
            stock(tx, 2)
        carry_out(cycle)
        assert (len(lab.posts()), lab.posts(returned)) == (1, [])


@pytest.mark.parametrize("step", OF_THE_GATE)
def test_a_send_without_its_gate_never_starts_after_a_stop_has_returned(lab: Laboratory, step: str) -> None:
    """Its connection is lost between the switch check and the POST, and it goes on only after a stop was asked for."""
    tenant_id, at = lab.tenant(step.replace(".", "-")), Boundary(step)
    switch = Switch(None, "all")
    with house_of(lab, tenant_id, at) as house:
        cycle = hour(house, tenant_id)
        sending = Aside(lambda: carry_out(cycle))
        assert at.reached.wait(60)
        lab.end_gate()
        stopping = Aside(lambda: (lab.stop(switch), monotonic_ns()))
        lab.until("SELECT 1 FROM hourhand.system_config WHERE key = 'global_enabled' AND value = 'false'")
        assert not lab.stop(switch, timeout_seconds=0.2).settled, "it can't know yet that this send will not start"
        at.let_go.set()
        sending.result()
        flip, returned = stopping.result()
        assert flip.settled
        assert lab.posts(returned) == []


def test_the_lock_alone_is_late_once_a_gate_was_lost(lab: Laboratory, figures: Callable[..., None]) -> None:
    """The negative control: a stop that doesn't ask the durable rows returns before this send starts."""
    tenant_id, at = lab.tenant("lock-alone"), Boundary("execute.reserved")
    switch = Switch(tenant_id, "all")
    with house_of(lab, tenant_id, at) as house:
        cycle = hour(house, tenant_id)
        sending = Aside(lambda: carry_out(cycle))
        assert at.reached.wait(60)
        lab.end_gate()
        switches.write(lab.database, switch, stopped=True, by="test", reason="lock alone")
        assert gate.drain(lab.database, cycle.held.lock_id, timeout_seconds=20)
        returned = monotonic_ns()
        at.let_go.set()
        sending.result()
        late = len(lab.posts(returned))
    figures("stop", control="a lock alone, its connection lost", stops=1, late_starts=late)
    assert late == 1, "the lock alone must be seen to fail, or this laboratory proves nothing"


@pytest.fixture
def admin(lab: Laboratory) -> Iterator[Database]:
    """The process of whoever stops: its connections can be ended apart from the senders'."""
    made = Database(lab.cloned.url(), lab.clock, application_name="hourhand-admin")
    yield made
    made.dispose()


@pytest.mark.parametrize(
    ("waits_for", "lost"), [("the lock", "hourhand-stop"), ("the rows", "hourhand-admin")]
)  # fmt: skip
def test_a_stop_that_loses_its_own_connection_never_says_stopped(
    lab: Laboratory, admin: Database, waits_for: str, lost: str
) -> None:
    tenant_id, at = lab.tenant(lost), Boundary("execute.reserved")
    switch = Switch(tenant_id, "all")
    with house_of(lab, tenant_id, at) as house:
        cycle = hour(house, tenant_id)
        sending = Aside(lambda: carry_out(cycle))
        assert at.reached.wait(60)
        if waits_for == "the rows":
            lab.end_gate()
        stopping = Aside(lambda: switches.stop(admin, switch, by="test", reason="test", timeout_seconds=60))
        lab.until(f"""SELECT 1 FROM pg_stat_activity WHERE application_name = '{lost}'
                      AND datname = current_database() AND (wait_event_type = 'Lock' OR query ~ 'executing')""")
        lab.end_connections(lost)
        with pytest.raises((psycopg.OperationalError, OperationalError)):
            stopping.result()
        with lab.database.tenant(tenant_id) as tx:
            assert switches.stops(switches.closed(tx), "follow_up", "engagement"), "the flag stands all the same"
        at.let_go.set()
        sending.result()
        assert switches.stop(admin, switch, by="test", reason="again").settled
