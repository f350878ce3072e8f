"""Tenant locks: one holder at a time, and whoever dies or dawdles is cut off and can write no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from domain.db import Database, FenceLost
from domain.locks import LEASE_SECONDS, TenantLocks
from tests import build
from tests.gears import Clone
from tests.hand_clock import HandClock

Maker = Callable[[str], TenantLocks]


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that is fought over."""
    return build.acme(clone)


@pytest.fixture
def process(clone: Database) -> Iterator[Maker]:
    """Makes the locks of one process after another."""
    made: list[TenantLocks] = []

    def make(holder: str) -> TenantLocks:
        made.append(TenantLocks(clone, holder))
        return made[-1]

    yield make
    for each in made:
        each.close()


def _kill_lock_connections(cloned: Clone, holder: str) -> None:
    with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s",
            (f"hourhand-lock {holder}",),
        )


def test_two_processes_never_hold_the_same_tenant(clone: Database, acme: UUID, process: Maker) -> None:
    one, other = process("one"), process("other")
    held = one.acquire(acme)
    assert held is not None
    assert other.acquire(acme) is None
    assert one.acquire(acme) is None, "a session's own lock is re-entrant: the process must remember"
    one.release(held)
    assert other.acquire(acme) is not None


def test_under_contention_one_holds_and_fences_only_rise(clone: Database, acme: UUID, process: Maker) -> None:
    inside, most, fences = 0, 0, []
    guard = threading.Lock()

    def contend(locks: TenantLocks) -> None:
        nonlocal inside, most
        for _ in range(40):
            held = locks.acquire(acme)
            if held is None:
                continue
            with guard:
                inside += 1
                most = max(most, inside)
                fences.append(held.fence)
            with clone.tenant(acme, fence=held.fence) as tx:
                tx.run("UPDATE tenants SET name = :name WHERE tenant_id = :t", name=f"n{held.fence}", t=acme)
            with guard:
                inside -= 1
            locks.release(held)

    threads = [threading.Thread(target=contend, args=(process(f"p{at}"),)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == 1
    assert fences == sorted(set(fences))
    assert len(fences) > 10


def test_different_tenants_are_held_at_the_same_time(clone: Database, acme: UUID, process: Maker) -> None:
    one, other = process("one"), process("other")
    globex = build.globex(clone)
    assert one.acquire(acme) is not None
    assert other.acquire(globex) is not None
    assert one.acquire(globex) is None


def test_the_mirror_shows_who_holds_since_when(clone: Database, acme: UUID, process: Maker, clock: HandClock) -> None:
    one = process("host:7")
    held = one.acquire(acme)
    assert held is not None
    since = clock.now()
    clock.advance(seconds=30)
    one.extend(held)
    with clone.tenant(acme) as tx:
        row = tx.row("SELECT * FROM agent_tenant_locks")
        assert row is not None
        assert (row["holder"], row["fence"], row["since"]) == ("host:7", held.fence, since)
        assert (row["heartbeat_at"], (row["expires_at"] - clock.now()).total_seconds()) == (clock.now(), LEASE_SECONDS)
    one.release(held)
    with clone.tenant(acme) as tx:
        assert tx.row("SELECT * FROM agent_tenant_locks") is None


def test_a_holder_that_dies_frees_its_tenant_at_once(
    cloned: Clone, clone: Database, acme: UUID, process: Maker
) -> None:
    one, other = process("one"), process("other")
    lost = one.acquire(acme)
    assert lost is not None
    _kill_lock_connections(cloned, "one")
    taken = other.acquire(acme)
    assert taken is not None
    assert taken.fence > lost.fence
    with pytest.raises(FenceLost):
        one.extend(lost)
    with pytest.raises(FenceLost), clone.tenant(acme, fence=lost.fence) as tx:
        tx.run("UPDATE tenants SET name = 'stale' WHERE tenant_id = :t", t=acme)
    one.release(lost)
    other.extend(taken)


def test_a_cycle_that_lost_its_connection_ends_before_the_same_process_starts_another(
    cloned: Clone, clone: Database, acme: UUID, process: Maker
) -> None:
    one = process("one")
    lost = one.acquire(acme)
    assert lost is not None
    _kill_lock_connections(cloned, "one")
    assert one.acquire(acme) is None, "the cycle that lost it still runs here and does not know yet"
    with pytest.raises(FenceLost):
        one.extend(lost)
    again = one.acquire(acme)
    assert again is not None
    assert again.fence > lost.fence
    one.release(lost)
    one.extend(again)


def test_a_holder_whose_lease_ran_out_is_cut_off(clone: Database, acme: UUID, process: Maker, clock: HandClock) -> None:
    one, other = process("one"), process("other")
    slow = one.acquire(acme)
    assert slow is not None
    clock.advance(seconds=LEASE_SECONDS)
    assert other.acquire(acme) is None, "the lease runs to its end"
    clock.advance(seconds=1)
    taken = other.acquire(acme)
    assert taken is not None
    with pytest.raises(FenceLost):
        one.extend(slow)
    with pytest.raises(FenceLost), clone.tenant(acme, fence=slow.fence):
        pytest.fail("the old holder wrote after it was cut off")
    one.release(slow)
    with clone.tenant(acme, fence=taken.fence) as tx:
        assert tx.value("SELECT holder FROM agent_tenant_locks") == "other"


def test_a_lease_that_is_extended_does_not_run_out(
    clone: Database, acme: UUID, process: Maker, clock: HandClock
) -> None:
    one, other = process("one"), process("other")
    held = one.acquire(acme)
    assert held is not None
    for _ in range(5):
        clock.advance(seconds=LEASE_SECONDS - 1)
        one.extend(held)
    assert other.acquire(acme) is None


def test_a_successor_waits_for_the_old_holders_last_commit(
    cloned: Clone, clone: Database, acme: UUID, process: Maker, clock: HandClock
) -> None:
    one, other = process("one"), process("other")
    slow = one.acquire(acme)
    assert slow is not None
    came: list[str] = []

    def take_over() -> None:
        assert other.acquire(acme) is not None
        came.append("successor")

    with clone.tenant(acme, fence=slow.fence) as tx:
        tx.run("UPDATE tenants SET name = 'last word' WHERE tenant_id = :t", t=acme)
        clock.advance(seconds=LEASE_SECONDS + 1)
        thread = threading.Thread(target=take_over)
        thread.start()
        with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
            while not admin.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
                                    "AND datname = current_database()").fetchone():  # fmt: skip
                assert thread.is_alive()
        came.append("last commit")
    thread.join(30)
    assert came == ["last commit", "successor"]


def test_a_predecessor_that_hangs_in_a_transaction_is_not_waited_for_long(
    clone: Database, acme: UUID, process: Maker, clock: HandClock
) -> None:
    one, other = process("one"), process("other")
    slow = one.acquire(acme)
    assert slow is not None
    with clone.tenant(acme, fence=slow.fence):
        clock.advance(seconds=LEASE_SECONDS + 1)
        assert other.acquire(acme) is None
        assert other.held() == ()
    assert other.acquire(acme) is not None


def test_an_unknown_tenant_cannot_be_held(process: Maker) -> None:
    assert process("one").acquire(UUID(int=1)) is None


def test_closing_lets_everything_go(clone: Database, acme: UUID, process: Maker) -> None:
    one, other = process("one"), process("other")
    assert one.acquire(acme) is not None
    one.close()
    assert one.held() == ()
    assert other.acquire(acme) is not None


def test_a_lock_that_is_given_back_while_the_database_is_away_is_not_held_for_ever(
    cloned: Clone, clone: Database, acme: UUID, process: Maker
) -> None:
    one = process("one")
    held = one.acquire(acme)
    assert held is not None
    with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        # every connection of the process dies, as when the server restarts in the middle of a cycle
        admin.execute(
            """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()"""
        )
    with pytest.raises(DBAPIError):
        one.release(held)
    again = one.acquire(acme)
    assert again is not None
    assert again.fence > held.fence
