"""`hourhand tenant` and `hourhand mode`: found a tenant, see it, and change what it has set."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, Limit, TenantName, WrongUse

if TYPE_CHECKING:
    from domain.tenants import Tenant

Assignments = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting; may be repeated.")
]
Reason = Annotated[str | None, typer.Option("--reason", help="Why; it goes into the audit log.")]
COLUMNS = ("slug", "name", "agent_enabled", "send_mode", "policy_version", "tenant_id")


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    group = typer.Typer(help="Tenants: add, list, show, set.", no_args_is_help=True)
    group.command("add")(add)
    group.command("list")(list_tenants)
    group.command("show")(show)
    group.command("set")(change)
    app.add_typer(group, name="tenant")
    app.command()(mode)


def add(
    slug: Annotated[str, typer.Argument(help="Lower-case letters, digits, hyphens; stays for ever.")],
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
    assignments: Assignments = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Found a tenant; it starts in dry_run."""
    from domain import tenants

    wished = assigned(assignments)
    with visiting.house() as standing:
        database = standing.house.database
        spread = standing.settings.slot_spread_seconds
        if dry_run:
            tenants.check(database, slug=slug, name=name, settings=wished)
            speaking.say({"slug": slug, "name": name, "done": False}, as_json, sentence=f"would found {slug} ({name})")
            return
        made = tenants.found(database, slug=slug, name=name, settings=wished, by=visiting.ACTOR, spread_seconds=spread)
    speaking.say(
        _row(made) | {"done": True}, as_json, sentence=f"{made.slug} is founded, in dry_run ({made.tenant_id})"
    )


def list_tenants(limit: Limit = 100, as_json: Json = False) -> None:
    """List tenants by slug."""
    from domain import tenants

    with visiting.house() as standing:
        rows = [_row(tenant) for tenant in tenants.listed(standing.house.database, limit=limit)]
    speaking.table(rows, COLUMNS, as_json, empty="there is no tenant yet: `hourhand tenant add <slug> --name <name>`")


def show(tenant: TenantName = None, as_json: Json = False) -> None:
    """One tenant with every setting as it stands, defaults included."""
    from domain import settings

    with visiting.house() as standing:
        found = visiting.tenant_of(standing, tenant)
        told = settings.parse(dict(found.settings)).model_dump(mode="json")
    speaking.say({**_row(found), "settings": told}, as_json)


def change(
    assignments: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="Settings to change.")],
    tenant: TenantName = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Change settings; approvals given under the old ones are void. `hourhand tenant show` lists the names."""
    _change(assigned(assignments), tenant, reason, dry_run=dry_run, as_json=as_json)


def mode(
    send_mode: Annotated[str, typer.Argument(metavar="MODE", help="dry_run, internal_only, limited_live or live.")],
    tenant: TenantName = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Set a tenant's send mode; the stricter of this and EMAIL_SEND_MODE wins."""
    _change({"send_mode": send_mode}, tenant, reason, dry_run=dry_run, as_json=as_json)


def _change(wished: dict[str, Any], tenant: str | None, reason: str | None, *, dry_run: bool, as_json: bool) -> None:
    from domain import settings

    with visiting.visit(tenant, dry_run=dry_run) as at:
        before = settings.parse(dict(at.tenant.settings)).model_dump(mode="json")
        after = settings.change(at.tx, wished, reason=reason).model_dump(mode="json")
    changed = {name: {"from": before[name], "to": after[name]} for name in after if before[name] != after[name]}
    told = ", ".join(f"{name} {each['from']} → {each['to']}" for name, each in changed.items()) or "nothing changes"
    sentence = f"{at.slug}: {'would change ' if dry_run and changed else ''}{told}"
    speaking.say({"tenant": at.slug, "changed": changed, "done": not dry_run}, as_json, sentence=sentence)


def assigned(assignments: list[str] | None) -> dict[str, Any]:
    """NAME=VALUE pairs; a value that is JSON is taken as such, anything else as text."""
    wished: dict[str, Any] = {}
    for each in assignments or []:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise WrongUse(f"{each}: write it as name=value")
        try:
            wished[name.strip()] = json.loads(value)
        except ValueError:
            wished[name.strip()] = value
    return wished


def _row(tenant: Tenant) -> dict[str, Any]:
    return {
        "slug": tenant.slug, "name": tenant.name, "agent_enabled": tenant.agent_enabled,
        "send_mode": tenant.settings.get("send_mode", "dry_run"), "policy_version": tenant.policy_version,
        "tenant_id": tenant.tenant_id, "created_at": tenant.created_at,
    }  # fmt: skip
