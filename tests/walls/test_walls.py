"""The walls between tenants stand, by the catalogue and by trying."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import ProgrammingError

from domain.db import Database
from migrations import walls
from tests import build
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
    assert {table for table, role, *_ in walls.DOORS if role != "hourhand_eraser"} == {
        "tenants", "tenant_schedule", "tenant_rollup", "kanban_cards", "agent_alerts", "agent_tenant_locks",
        "alert_deliveries",
    }  # fmt: skip
    assert set(walls.GLOBAL_TABLES) == {"system_config", "alembic_version"}
    assert tables.EXACT == walls.TENANT_MATCH


def test_who_erases_a_person_stays_within_the_tenant(clone: Database) -> None:
    acme, globex = build.acme(clone), build.globex(clone)
    assert {using for _, role, _, _, using in walls.DOORS if role == "hourhand_eraser"} == {walls.TENANT_MATCH}
    with clone.rewriting(acme, actor="test") as tx:
        assert tx.run("UPDATE warehouse_events SET actor = 'x' WHERE tenant_id = :other", other=globex) == 0
        assert tx.run("UPDATE warehouse_events SET actor = 'x'") > 0
    with clone.tenant(globex) as tx:
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE actor = 'x'") == 0


def test_no_crossing_succeeds_with_the_tenant_set_unset_or_empty(cloned: Clone) -> None:
    assert [str(each) for each in prover.by_trying(cloned.admin_url, cloned.url())] == []


def test_the_dispatcher_locks_every_tenants_line_and_changes_only_when_they_are_due(clone: Database) -> None:
    """Under a policy for SELECT alone, FOR UPDATE finds nothing and says nothing: no hour would ever come."""
    tenants = {build.acme(clone), build.globex(clone)}
    with clone.wearing("dispatcher") as tx:
        locked = tx.rows("SELECT tenant_id FROM hourhand.tenant_schedule FOR UPDATE")
        assert {row["tenant_id"] for row in locked} == tenants
        assert tx.run("UPDATE hourhand.tenant_schedule SET next_due_at = :now", now=tx.now) == len(tenants)
    for forbidden in ("UPDATE hourhand.tenant_schedule SET fence = fence + 1", "SELECT 1 FROM hourhand.contacts",
                      "DELETE FROM hourhand.tenant_schedule"):  # fmt: skip
        with pytest.raises(ProgrammingError, match="permission denied"), clone.wearing("dispatcher") as tx:
            tx.run(forbidden)
