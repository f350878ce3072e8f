"""Rate limits: counted and checked in one step, so that a cap holds however many come at once."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest

from domain import limits
from domain.db import Database, Tx
from domain.limits import Cap
from tests import build
from tests.hand_clock import HandClock


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant whose caps are taken from."""
    return build.acme(clone)


def _cap(tx: Tx, key: str = "mail", limit: int = 3, hours: int = 1) -> Cap:
    start = tx.now.replace(minute=0)
    return Cap(key, start, start + timedelta(hours=hours), limit)


def test_a_cap_lets_exactly_its_number_through(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        cap = _cap(tx)
        assert [limits.take(tx, [cap]) for _ in range(5)] == [None, None, None, cap, cap]
        assert limits.used(tx, [cap]) == {"mail": 3}


def test_a_full_cap_takes_nothing_from_the_others_and_names_when_there_is_room(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        hour, day = _cap(tx, "hour", 5), _cap(tx, "day", 1, hours=24)
        assert limits.take(tx, [hour, day]) is None
        assert limits.take(tx, [hour, day]) == day
        assert limits.used(tx, [hour, day]) == {"hour": 1, "day": 1}


def test_a_cap_of_nothing_lets_nothing_through(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        none = _cap(tx, limit=0)
        assert limits.take(tx, [none]) == none
        assert limits.take(tx, []) is None


def test_what_certainly_did_not_happen_is_given_back(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        cap = _cap(tx, limit=1)
        assert limits.take(tx, [cap]) is None
        limits.give_back(tx, [cap])
        assert limits.take(tx, [cap]) is None
        limits.give_back(tx, [cap, cap])
        limits.give_back(tx, [cap])
        assert limits.used(tx, [cap]) == {"mail": 0}


def test_a_new_window_has_room_again(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        full = _cap(tx, limit=1)
        limits.take(tx, [full])
        assert limits.take(tx, [full]) == full
    clock.advance(hours=1)
    with clone.tenant(acme) as tx:
        assert limits.take(tx, [_cap(tx, limit=1)]) is None


def test_a_cap_holds_however_many_come_at_once(clone: Database, acme: UUID) -> None:
    globex = build.globex(clone)
    through: list[UUID] = []
    start = threading.Barrier(6)

    def take(tenant: UUID) -> None:
        start.wait()
        for _ in range(10):
            with clone.tenant(tenant) as tx:
                if limits.take(tx, [_cap(tx, "a", 7), _cap(tx, "b", 9)]) is None:
                    through.append(tenant)

    threads = [threading.Thread(target=take, args=(tenant,)) for tenant in (acme, globex) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (through.count(acme), through.count(globex)) == (7, 7)
    with clone.tenant(acme) as tx:
        assert limits.used(tx, [_cap(tx, "a"), _cap(tx, "b")]) == {"a": 7, "b": 7}
