"""A front desk with two tenants behind it, and a key for everybody who may come to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from domain.db import Database
from tests import gears
from tests.admin_api.desk import Desk, found, open_desk
from tests.hand_clock import HandClock
from tests.reused import Reused


@pytest.fixture
def desk(request: pytest.FixtureRequest, reused: Reused, clock: HandClock) -> Iterator[Desk]:
    """The API on a database of the test's own."""
    if {"clone", "cloned"} & set(request.fixturenames):
        with open_desk(request.getfixturevalue("clone")) as opened:
            yield opened
    else:
        with reused.lend_laid_out(clock, found) as (database, founded), open_desk(database, founded) as opened:
            yield opened


@pytest.fixture(scope="module")
def shared(cluster: gears.Cluster) -> Iterator[Desk]:
    """One for all tests of a file that leave no trace which another would stumble over."""
    clone = cluster.clone()
    database = Database(clone.url(), HandClock())
    with open_desk(database) as opened:
        yield opened
    database.dispose()
    cluster.retire(clone)
