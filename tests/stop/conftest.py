"""A laboratory of each test's own: what one leaves stopped stops no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import gears
from tests.stop.laboratory import Laboratory, laboratory


@pytest.fixture
def lab(cluster: gears.Cluster) -> Iterator[Laboratory]:
    """A database, a patient Resend, and whatever processes the tests start."""
    with laboratory(cluster) as built:
        yield built
