"""A house for a whole file of tests: one database, of which each test takes back what it did."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from domain.db import Database
from tests import build, gears
from tests.hand_clock import HandClock


@contextmanager
def a_house(cluster: gears.Cluster, **chosen: Any) -> Iterator[tuple[Database, UUID]]:
    """A database with acme, by the settings that are `chosen`; cheaper than one for each test."""
    clone = cluster.clone()
    database = Database(clone.url(), HandClock())
    yield database, build.acme(database, **chosen)
    database.dispose()
    cluster.retire(clone)
