"""Tenants: founding one, finding it, and what stands beside it from the first moment."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import audit, events
from domain import settings as tenant_settings
from domain.db import Database, Row, Tx

SPREAD_SECONDS = 300
"""Hourly slots are spread over the first so many seconds of the hour; a fleet spreads them over all 3,600."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class InvalidTenant(Exception):
    """A tenant needs a name, and a slug of lower-case letters, digits and hyphens that no other tenant has."""


class UnknownTenant(LookupError):
    """There is no such tenant."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant's own row."""

    tenant_id: UUID
    slug: str
    name: str
    agent_enabled: bool
    settings: Mapping[str, Any]
    policy_version: int
    created_at: datetime
    updated_at: datetime


COLUMNS = ", ".join(Tenant.__slots__)


def found(
    database: Database, *, slug: str, name: str, settings: Mapping[str, Any] | None = None, by: str,
    spread_seconds: int = SPREAD_SECONDS,
) -> Tenant:  # fmt: skip
    """Make a tenant, with its line in the schedule; it starts in dry_run. Raises InvalidTenant, InvalidSetting."""
    wished = _check(slug, name, settings)
    tenant_id = database.clock.uuid()
    with database.founding(tenant_id, actor=by) as (control, inside):
        _refuse_taken(control, slug)
        kept = wished.model_dump(mode="json", exclude_defaults=True)
        _lay_down(control, tenant_id, slug, name.strip(), kept, slot_offset(tenant_id, spread_seconds))
        audit.record_control(control, "tenant.found", str(tenant_id), slug=slug)
        database.enter(inside)
        audit.record(inside, "tenant.found", slug, name=name.strip())
        events.record(inside, "tenant.founded", "tenant", tenant_id, slug=slug)
        return current(inside)


def check(database: Database, *, slug: str, name: str, settings: Mapping[str, Any] | None = None) -> None:
    """What `found` would refuse, without founding anything. Raises InvalidTenant, InvalidSetting."""
    _check(slug, name, settings)
    with database.wearing("control") as tx:
        _refuse_taken(tx, slug)


def current(tx: Tx) -> Tenant:
    """The tenant that the transaction belongs to. Raises UnknownTenant."""
    row = tx.row(f"SELECT {COLUMNS} FROM tenants WHERE tenant_id = :t", t=tx.tenant_id)
    if row is None:
        raise UnknownTenant(f"there is no tenant {tx.tenant_id}")
    return _load(row)


def get(database: Database, tenant_id: UUID) -> Tenant:
    """One tenant by its id. Raises UnknownTenant."""
    with database.tenant(tenant_id) as tx:
        return current(tx)


def by_slug(database: Database, slug: str) -> Tenant:
    """One tenant by its slug, or by its id in letters. Raises UnknownTenant."""
    with database.wearing("control") as tx:
        row = tx.row(f"SELECT {COLUMNS} FROM hourhand.tenants WHERE slug = :told OR tenant_id::text = :told", told=slug)
    if row is None:
        raise UnknownTenant(f"there is no tenant {slug!r}")
    return _load(row)


def listed(database: Database, *, after: str = "", limit: int = 1_000) -> Sequence[Tenant]:
    """Tenants in the order of their slugs, from behind `after`."""
    with database.wearing("control") as tx:
        rows = tx.rows(
            f"SELECT {COLUMNS} FROM hourhand.tenants WHERE slug > :after ORDER BY slug LIMIT :limit",
            after=after, limit=limit,
        )  # fmt: skip
    return [_load(row) for row in rows]


def rename(tx: Tx, name: str) -> None:
    """Give the tenant another name; its slug stays, because keys and links carry the id. Raises InvalidTenant."""
    if not name.strip():
        raise InvalidTenant("name: a tenant needs a name")
    tx.run("UPDATE tenants SET name = :name, updated_at = :now WHERE tenant_id = :t",
           name=name.strip(), now=tx.now, t=tx.tenant_id)  # fmt: skip
    audit.record(tx, "tenant.rename", str(tx.tenant_id), name=name.strip())
    events.record(tx, "tenant.renamed", "tenant", tx.tenant_id)


def slot_offset(tenant_id: UUID, spread_seconds: int = SPREAD_SECONDS) -> int:
    """Seconds after the full hour at which this tenant's cycle starts, always the same for one tenant."""
    drawn = int.from_bytes(hashlib.sha256(tenant_id.bytes).digest()[:8])
    return drawn % max(1, min(spread_seconds, 3_600))


def next_slot(now: datetime, offset_seconds: int) -> datetime:
    """The first slot strictly after `now`."""
    slot = now.replace(minute=0, second=0, microsecond=0) + timedelta(seconds=offset_seconds)
    return slot if slot > now else slot + timedelta(hours=1)


def _check(slug: str, name: str, settings: Mapping[str, Any] | None) -> tenant_settings.TenantSettings:
    if not _SLUG.fullmatch(slug):
        raise InvalidTenant(f"slug: {slug!r} must be lower-case letters, digits and hyphens, 63 at most")
    if not name.strip():
        raise InvalidTenant("name: a tenant needs a name")
    wished = tenant_settings.parse(dict(settings or {}))
    if wished.send_mode != "dry_run":
        raise tenant_settings.InvalidSetting("send_mode: a new tenant starts in dry_run; set the mode afterwards")
    return wished


def _refuse_taken(tx: Tx, slug: str) -> None:
    if tx.value("SELECT 1 FROM hourhand.tenants WHERE slug = :slug", slug=slug):
        raise InvalidTenant(f"slug: {slug!r} belongs to another tenant")


def _lay_down(tx: Tx, tenant_id: UUID, slug: str, name: str, settings: Mapping[str, Any], offset: int) -> None:
    tx.run(
        """INSERT INTO hourhand.tenants (tenant_id, slug, name, settings, created_at, updated_at)
           VALUES (:t, :slug, :name, :settings, :now, :now)""",
        t=tenant_id, slug=slug, name=name, settings=dict(settings), now=tx.now,
    )  # fmt: skip
    tx.run(
        """INSERT INTO hourhand.tenant_schedule (tenant_id, slot_offset_seconds, next_due_at)
           VALUES (:t, :offset, :next)""",
        t=tenant_id, offset=offset, next=next_slot(tx.now, offset),
    )  # fmt: skip


def _load(row: Row) -> Tenant:
    return Tenant(**{name: row[name] for name in Tenant.__slots__})
