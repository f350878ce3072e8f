"""The walls between tenants stand, by the catalogue and by trying."""

from __future__ import annotations

from migrations import walls
from tests.gears import Clone
from tests.walls import prover, tables, trials
from tests.walls.finding import connect


def test_the_catalogue_shows_no_hole(cloned: Clone) -> None:
    with connect(cloned.admin_url) as catalogue:
        assert [str(each) for each in prover.by_the_catalogue(catalogue)] == []


def test_every_listed_table_is_tried(cloned: Clone) -> None:
    with connect(cloned.admin_url) as catalogue:
        assert {each.name for each in trials.fill(catalogue)} == set(walls.TENANT_TABLES)


def test_the_doors_lead_to_no_mail_and_to_nobody() -> None:
    assert {table for table, *_ in walls.DOORS} == {"tenants", "tenant_schedule", "tenant_rollup", "kanban_cards"}
    assert set(walls.GLOBAL_TABLES) == {"system_config", "alembic_version"}
    assert tables.EXACT == walls.TENANT_MATCH


def test_no_crossing_succeeds_with_the_tenant_set_unset_or_empty(cloned: Clone) -> None:
    assert [str(each) for each in prover.by_trying(cloned.admin_url, cloned.url())] == []
