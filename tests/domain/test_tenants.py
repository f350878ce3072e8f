"""Founding a tenant: what it starts with, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain import audit, settings, tenants
from domain.db import Database
from tests import build
from tests.hand_clock import HandClock


def test_a_new_tenant_starts_in_dry_run_with_its_line_in_the_schedule(clone: Database) -> None:
    made = tenants.found(clone, slug="acme", name="Acme", settings={"max_emails_per_hour": 3}, by="root")
    with clone.tenant(made.tenant_id) as tx:
        assert settings.of(tx).send_mode == "dry_run"
        assert settings.of(tx).max_emails_per_hour == 3
        line = tx.row("SELECT * FROM tenant_schedule")
        assert line is not None
        assert line["slot_offset_seconds"] == tenants.slot_offset(made.tenant_id) < 300
        assert line["next_due_at"] == tenants.next_slot(tx.now, line["slot_offset_seconds"])
        assert [each.action for each in audit.read(tx)] == ["tenant.found"]
        assert tx.value("SELECT type FROM warehouse_events") == "tenant.founded"
    with clone.wearing("control") as tx:
        assert [each.action for each in audit.read_control(tx)] == ["tenant.found"]


def test_a_tenant_cannot_be_founded_ready_to_send(clone: Database) -> None:
    with pytest.raises(settings.InvalidSetting, match="send_mode"):
        tenants.found(clone, slug="acme", name="Acme", settings={"send_mode": "live"}, by="root")


@pytest.mark.parametrize("slug", ["", "Acme", "-acme", "a b", "x" * 64])
def test_a_slug_that_would_not_fit_an_address_is_refused(clone: Database, slug: str) -> None:
    with pytest.raises(tenants.InvalidTenant, match="slug"):
        tenants.found(clone, slug=slug, name="Acme", by="root")


def test_a_slug_belongs_to_one_tenant(clone: Database) -> None:
    build.acme(clone)
    with pytest.raises(tenants.InvalidTenant, match="another"):
        build.acme(clone)
    assert [each.slug for each in tenants.listed(clone)] == ["acme"]


def test_a_tenant_is_found_by_slug_and_by_id(clone: Database) -> None:
    acme, globex = build.acme(clone), build.globex(clone)
    assert tenants.by_slug(clone, "acme").tenant_id == acme
    assert tenants.by_slug(clone, str(globex)).slug == "globex"
    assert tenants.get(clone, globex).name == "Globex"
    with pytest.raises(tenants.UnknownTenant):
        tenants.by_slug(clone, "hooli")


def test_a_slot_is_stable_and_spread_over_the_first_five_minutes() -> None:
    ids = [UUID(int=at) for at in range(2_000)]
    offsets = [tenants.slot_offset(each) for each in ids]
    assert offsets == [tenants.slot_offset(each) for each in ids]
    assert max(offsets) < 300
    assert len(set(offsets)) > 290
    assert max(tenants.slot_offset(each, 3_600) for each in ids) > 3_500


@pytest.mark.parametrize(("minute", "second", "expected"), [(0, 9, 10), (0, 10, 3_610), (59, 59, 3_610)])
def test_the_next_slot_is_strictly_ahead(minute: int, second: int, expected: int) -> None:
    hour = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert tenants.next_slot(hour.replace(minute=minute, second=second), 10) == hour + timedelta(seconds=expected)


def test_renaming_leaves_slug_and_id(clone: Database, clock: HandClock) -> None:
    acme = build.acme(clone)
    clock.advance(hours=1)
    with clone.tenant(acme, actor="root") as tx:
        tenants.rename(tx, "Acme Inc")
    assert (tenants.get(clone, acme).slug, tenants.get(clone, acme).name) == ("acme", "Acme Inc")
