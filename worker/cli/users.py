"""`hourhand user`: the tenant's own people: who may be told of alerts and escalations, once their address is proven."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, TenantName, WrongUse

if TYPE_CHECKING:
    from domain.users import Role

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="Their mail address.")]
COLUMNS = ("email", "name", "role", "verified_at")


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    group = typer.Typer(help="The tenant's own people: add, verify, list.", no_args_is_help=True)
    group.command("add")(add)
    group.command("verify")(verify)
    group.command("list")(list_users)
    app.add_typer(group, name="user")


def add(
    address: Address,
    name: Annotated[str, typer.Option("--name", help="What they are called.")],
    role: Annotated[str, typer.Option("--role", help="admin, operator, analyst or manager.")] = "operator",
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Add a person, or change the name and role of one who is known by that address."""
    from domain import users

    if role not in users.ROLES:
        raise WrongUse(f"--role: {role!r} is none of {', '.join(users.ROLES)}")
    chosen: Role = role
    with visiting.visit(tenant, dry_run=dry_run) as at:
        made = users.add(at.tx, email=address, name=name, role=chosen)
    verb = "would add" if dry_run else "added"
    sentence = f"{at.slug}: {verb} {made.email} as {made.role}; told of nothing before `hourhand user verify`"
    speaking.say({**speaking.plain(made), "done": not dry_run}, as_json, sentence=sentence)


def verify(address: Address, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Say that the address is the person's own; from now on they are told what their role is told."""
    from domain import users

    with visiting.visit(tenant, dry_run=dry_run) as at:
        found = users.by_address(at.tx, address)
        if found is None:
            raise users.UnknownUser(f"{at.slug} has no user {address}")
        proven = users.verify(at.tx, found.id)
    sentence = f"{at.slug}: {proven.email} {'would be' if dry_run else 'is'} verified"
    speaking.say({**speaking.plain(proven), "done": not dry_run}, as_json, sentence=sentence)


def list_users(tenant: TenantName = None, as_json: Json = False) -> None:
    """List the tenant's people by name."""
    from domain import users

    with visiting.visit(tenant) as at:
        rows = [speaking.plain(user) for user in users.listed(at.tx)]
    speaking.table(rows, COLUMNS, as_json, empty=f"{at.slug}: there is nobody yet")
