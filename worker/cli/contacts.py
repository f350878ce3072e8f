"""`hourhand contacts`: take people in from a CSV file, and see who is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import After, DryRun, Json, Limit, TenantName


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    group = typer.Typer(help="Contacts: import a CSV, list.", no_args_is_help=True)
    group.command("import")(import_csv)
    group.command("list")(list_contacts)
    app.add_typer(group, name="contacts")


def import_csv(
    path: Annotated[Path, typer.Argument(help="A CSV file with a header line.", exists=True, dir_okay=False)],
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take contacts in: the same as `hourhand import PATH --kind contacts`."""
    from jobs.import_file import Wish
    from worker.cli import imports

    imports.take(path, Wish("contacts", path.name), tenant, dry_run=dry_run, as_json=as_json)


def list_contacts(
    tenant: TenantName = None,
    client: Annotated[UUID | None, typer.Option("--client", help="Only those of this account, by its id.")] = None,
    limit: Limit = 100,
    after: After = None,
    as_json: Json = False,
) -> None:
    """List contacts, oldest first."""
    from domain import contacts

    with visiting.visit(tenant) as at:
        rows = contacts.listed(at.tx, client_id=client, after=after, limit=limit + 1)
    speaking.page(
        rows, limit, ("name", "email", "title", "language", "id"), as_json, empty=f"{at.slug} has no contacts"
    )
