"""A stage for the tests of the crash laboratory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crash.laboratory import Stage
from tests.gears import Cluster


@pytest.fixture(scope="module")
def stage(cluster: Cluster) -> Iterator[Stage]:
    """One database with two processes that take turns; each run founds a tenant of its own in it."""
    clone = cluster.clone()
    built = Stage(clone.url(), clone.admin_url)
    yield built
    built.close()
    cluster.retire(clone)
