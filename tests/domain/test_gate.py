"""The stop lock: a flip waits for every send that passed before it, and no send passes while it waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from uuid import UUID

import psycopg
import pytest

from domain import gate, switches
from domain.clock import SystemClock
from domain.db import Database
from domain.gate import Gate, GateClosed
from domain.switches import Flip, Switch
from tests import build
from tests.gears import Clone


@pytest.fixture
def doors(cloned: Clone) -> Iterator[Database]:
    """The database under the machine's own clock: locks are waited for in real time."""
    database = Database(cloned.url(), SystemClock())
    yield database
    database.dispose()


@pytest.fixture
def acme(doors: Database) -> UUID:
    """The tenant that is stopped."""
    return build.acme(doors)


@pytest.fixture
def passage(doors: Database) -> Iterator[Gate]:
    """The gate of one process."""
    made = Gate(doors)
    yield made
    made.close()


def _lock_id(database: Database, tenant: UUID) -> int:
    with database.tenant(tenant) as tx:
        return int(tx.value("SELECT lock_id FROM tenant_schedule"))


def _until_it_waits(cloned: Clone) -> None:
    """Return once some stop waits for its lock, by asking the server and not by sleeping."""
    clock = SystemClock()
    ends = clock.monotonic() + 60
    with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        while not admin.execute(
            """SELECT 1 FROM pg_stat_activity WHERE application_name = 'hourhand-stop' AND wait_event_type = 'Lock'
               AND datname = current_database()"""
        ).fetchone():
            assert clock.monotonic() < ends, "no stop ever waited"
            clock.wait(0.005)


class _Aside:
    """A call in a thread of its own, and what it came to."""

    def __init__(self, call: Callable[[], Flip]) -> None:
        self.came_to: Flip | None = None
        self._call = call
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self.came_to = self._call()

    def result(self) -> Flip:
        self._thread.join(30)
        assert self.came_to is not None, "the flip never answered"
        return self.came_to


@pytest.mark.parametrize("scope", ["house", "tenant"])
def test_a_flip_waits_for_a_send_that_passed_before_it(
    cloned: Clone, doors: Database, acme: UUID, passage: Gate, scope: str
) -> None:
    switch = Switch(acme if scope == "tenant" else None, "all")
    with ExitStack() as sending:
        sending.enter_context(passage.passing(_lock_id(doors, acme)))
        flip = _Aside(lambda: switches.stop(doors, switch, by="root", reason="test"))
        _until_it_waits(cloned)
        assert flip.came_to is None
        with doors.tenant(acme) as tx:
            assert switches.stops(switches.closed(tx), "follow_up", "engagement"), "the flag comes first"
    assert flip.result() == Flip(stopped=True, settled=True)


@pytest.mark.parametrize("scope", ["house", "tenant"])
def test_no_send_passes_while_a_flip_waits(
    cloned: Clone, doors: Database, acme: UUID, passage: Gate, scope: str
) -> None:
    switch = Switch(acme if scope == "tenant" else None, "all")
    lock_id = _lock_id(doors, acme)
    other = Gate(doors)
    with ExitStack() as sending:
        sending.callback(other.close)
        sending.enter_context(passage.passing(lock_id))
        flip = _Aside(lambda: switches.stop(doors, switch, by="root", reason="test"))
        _until_it_waits(cloned)
        with pytest.raises(GateClosed), other.passing(lock_id):
            pytest.fail("a send passed while the switch was being flipped")
    assert flip.result().settled
    with passage.passing(lock_id):
        pass


def test_another_tenants_sends_do_not_wait_for_a_tenants_flip(
    cloned: Clone, doors: Database, acme: UUID, passage: Gate
) -> None:
    globex = build.globex(doors)
    with ExitStack() as sending:
        sending.enter_context(passage.passing(_lock_id(doors, acme)))
        flip = _Aside(lambda: switches.stop(doors, Switch(acme, "all"), by="root", reason="test"))
        _until_it_waits(cloned)
        with passage.passing(_lock_id(doors, globex)):
            assert flip.came_to is None
        assert switches.stop(doors, Switch(globex, "mail"), by="root", reason="test").settled
    assert flip.result().settled


def test_a_send_that_hangs_makes_the_flip_say_so(doors: Database, acme: UUID, passage: Gate) -> None:
    with passage.passing(_lock_id(doors, acme)):
        flip = switches.stop(doors, Switch(acme, "all"), by="root", reason="test", timeout_seconds=0.2)
    assert flip == Flip(stopped=True, settled=False)


def test_a_process_passes_many_sends_at_once_and_the_flip_waits_for_the_last(
    cloned: Clone, doors: Database, acme: UUID, passage: Gate
) -> None:
    lock_id = _lock_id(doors, acme)
    first, second = passage.passing(lock_id), passage.passing(lock_id)
    first.__enter__()
    second.__enter__()
    flip = _Aside(lambda: switches.stop(doors, Switch(None, "all"), by="root", reason="test"))
    _until_it_waits(cloned)
    first.__exit__(None, None, None)
    _until_it_waits(cloned)
    assert flip.came_to is None
    second.__exit__(None, None, None)
    assert flip.result().settled


def test_a_lost_gate_connection_frees_its_locks_and_the_next_send_makes_another(
    cloned: Clone, doors: Database, acme: UUID, passage: Gate
) -> None:
    lock_id = _lock_id(doors, acme)
    with passage.passing(lock_id):
        with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                          "WHERE application_name = 'hourhand-gate' AND datname = current_database()")  # fmt: skip
        assert gate.drain(doors, gate.HOUSE, timeout_seconds=60)
        with pytest.raises(GateClosed), passage.passing(lock_id):
            pytest.fail("it passed over a dead connection")
    with passage.passing(lock_id):
        assert not gate.drain(doors, lock_id, timeout_seconds=0.1)
    assert gate.drain(doors, lock_id, timeout_seconds=60)


@pytest.mark.parametrize("scope", ["house", "tenant"])
def test_a_transaction_bound_to_the_gate_is_waited_for_without_any_connection_of_the_gates(
    doors: Database, acme: UUID, scope: str
) -> None:
    lock_id = _lock_id(doors, acme)
    stopped = gate.HOUSE if scope == "house" else lock_id
    with doors.tenant(acme) as tx:
        gate.bind(tx, lock_id)
        assert not gate.drain(doors, stopped, timeout_seconds=0.1)
    assert gate.drain(doors, stopped, timeout_seconds=60)


def test_no_transaction_is_bound_while_a_flip_waits(cloned: Clone, doors: Database, acme: UUID, passage: Gate) -> None:
    lock_id = _lock_id(doors, acme)
    with passage.passing(lock_id):
        flip = _Aside(lambda: switches.stop(doors, Switch(None, "all"), by="root", reason="test"))
        _until_it_waits(cloned)
        # not even one whose process is inside the gate already: its connection may be lost the next moment
        with pytest.raises(GateClosed), doors.tenant(acme) as tx:
            gate.bind(tx, lock_id)
    assert flip.result().settled


def test_nothing_starts_between_a_stop_and_the_resume(doors: Database, acme: UUID) -> None:
    lock_id, over = _lock_id(doors, acme), threading.Event()
    started: list[str] = []

    def send() -> None:
        mine = Gate(doors)
        while not over.is_set():
            try:
                with mine.passing(lock_id):
                    with doors.tenant(acme) as tx:
                        stopped = switches.stops(switches.closed(tx), "follow_up", "engagement")
                    if stopped is None:
                        started.append("send")
            except GateClosed:
                continue
        mine.close()

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    late = 0
    for flip in range(10):
        switch = Switch(acme, "mail") if flip % 2 else Switch(None, "all")
        assert switches.stop(doors, switch, by="root", reason="test").settled
        before = len(started)
        with doors.tenant(acme) as tx:
            tx.rows("SELECT count(*) FROM generate_series(1, 20000)")
        late += len(started) - before
        switches.resume(doors, switch, by="root", reason="test")
    over.set()
    for thread in threads:
        thread.join(30)
    assert late == 0
    assert started
