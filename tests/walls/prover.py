"""Proves the walls between tenants: whatever could let one see or touch another is a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.walls import powers, tables, trials
from tests.walls.finding import Catalogue, Finding, connect

EXAMINATIONS: tuple[Callable[[Catalogue], Iterator[Finding]], ...] = (
    powers.attributes,
    powers.memberships,
    powers.owners,
    powers.grants,
    powers.schemas,
    powers.settings,
    tables.inventory,
    tables.columns,
    tables.security,
    tables.policies,
    tables.keys,
    tables.indexes,
    tables.code,
)


def by_the_catalogue(catalogue: Catalogue) -> list[Finding]:
    """Everything that is wrong with how things are made, as this transaction sees them."""
    return [finding for examine in EXAMINATIONS for finding in examine(catalogue)]


def by_trying(admin_url: str, app_url: str, *, only: str = "") -> list[Finding]:
    """Every crossing that succeeds in a database that may be spoiled: it is filled and its grants are opened wide.

    With `only`, one table is tried (and every view, whatever it looks at).
    """
    with connect(admin_url) as catalogue:
        filled = trials.fill(catalogue, only)
    with connect(app_url) as app:
        app.autocommit = True
        return list(trials.cross(app, filled, only))
