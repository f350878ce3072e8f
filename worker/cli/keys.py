"""`hourhand key`: make, list and end the keys of the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, WrongUse

KeyTenant = Annotated[
    str | None, typer.Option("--tenant", "-t", help="A key of this tenant; without it, of the house.")
]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    group = typer.Typer(help="Keys: create, list, revoke those of the API; reseal secrets.", no_args_is_help=True)
    group.command()(create)
    group.command("list")(list_keys)
    group.command()(revoke)
    group.command()(reseal)
    app.add_typer(group, name="key")


def create(
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "command line",
    role: Annotated[Literal["admin", "operator", "analyst"], typer.Option("--role", help="What it may do.")] = "admin",
    tenant: KeyTenant = None,
    days: Annotated[int | None, typer.Option("--days", min=1, help="It ends after so many days.")] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown this once and stored as a hash only."""
    from domain import keys

    with visiting.house() as standing:
        vault, clock = standing.house.vault, standing.house.clock
        expires = clock.now() + timedelta(days=days) if days else None
        if tenant:
            owner = visiting.tenant_of(standing, tenant)
            with visiting.inside(standing, owner, dry_run=dry_run) as tx:
                issued = keys.issue(tx, vault, name=name, role=role, expires_at=expires)
        else:
            with visiting.control(standing, dry_run=dry_run) as tx:
                issued = keys.issue_house(tx, vault, name=name, role=role, expires_at=expires)
    whose = tenant or "the house"
    if dry_run:
        told = {"tenant": tenant, "role": role, "name": name, "done": False}
        speaking.say(told, as_json, sentence=f"would make a key of {whose} ({role})")
        return
    told = {"id": issued.key_id, "key": issued.secret, "tenant": tenant, "role": role, "name": name, "done": True}
    speaking.say(told, as_json, sentence=issued.secret)
    if not as_json:
        speaking.note(f"a key of {whose} ({role}); it is not shown again")


def reseal(dry_run: DryRun = False, as_json: Json = False) -> None:
    """Seal every stored secret under the newest master key, after one was put first in HOURHAND_MASTER_KEYS."""
    from domain import credentials, mailboxes, tenants

    counts = {"secrets": 0, "grants": 0}
    with visiting.house() as standing:
        vault, database, after = standing.house.vault, standing.house.database, ""
        while page := tenants.listed(database, after=after, limit=200):
            for tenant in page:
                with visiting.inside(standing, tenant, dry_run=dry_run) as tx:
                    counts["secrets"] += credentials.rotate(tx, vault)
                    counts["grants"] += mailboxes.reseal(tx, vault)
            after = page[-1].slug
    verb = "would be sealed" if dry_run else "are sealed"
    sentence = f"{counts['secrets']} secrets and {counts['grants']} grants {verb} under {vault.current}"
    speaking.say({**counts, "key": vault.current, "done": not dry_run}, as_json, sentence=sentence)


def list_keys(tenant: KeyTenant = None, as_json: Json = False) -> None:
    """List keys, newest first, without their secrets."""
    from domain import keys

    with visiting.house() as standing:
        if tenant:
            with visiting.inside(standing, visiting.tenant_of(standing, tenant)) as tx:
                found = keys.listed(tx)
        else:
            with visiting.control(standing) as tx:
                found = keys.listed_house(tx)
    columns = ("id", "name", "role", "created_at", "expires_at", "revoked_at")
    speaking.table([speaking.plain(key) for key in found], columns, as_json, empty="there are no keys")


def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as listed.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")] = "",
    tenant: KeyTenant = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """End a key at once."""
    from domain import keys

    with visiting.house() as standing:
        if tenant:
            with visiting.inside(standing, visiting.tenant_of(standing, tenant), dry_run=dry_run) as tx:
                ended = keys.revoke(tx, key_id, reason=reason)
        else:
            with visiting.control(standing, dry_run=dry_run) as tx:
                ended = keys.revoke_house(tx, key_id, reason=reason)
    if not ended:
        raise WrongUse(
            f"key id: {key_id} is not a living key of {tenant or 'the house'}; `hourhand key list` shows them"
        )
    sentence = f"{'would end' if dry_run else 'ended'} {key_id}"
    speaking.say({"id": key_id, "done": not dry_run}, as_json, sentence=sentence)
