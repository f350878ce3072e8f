"""A tenant with mail, for the tests of every job that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from domain import cards
from domain.db import Database
from tests import build
from tests.hand_clock import HandClock
from tests.jobs import letters
from tests.jobs.letters import Post


@pytest.fixture
def post(clone: Database) -> Iterator[Post]:
    """Acme with a mailbox."""
    with letters.post(clone) as built:
        yield built


@pytest.fixture
def bill(post: Post) -> UUID:
    """A contact of Acme's client Initech."""
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        return build.contact(tx)


@pytest.fixture
def card(post: Post, bill: UUID, clock: HandClock) -> cards.Card:
    """A first touch to Bill that went out yesterday."""
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        made = letters.sent(tx, bill)
    clock.advance(days=1)
    return made
