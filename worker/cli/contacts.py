"""`hourhand contacts`: take people in from a CSV file, and see who is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, Limit, TenantName


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
    """Take contacts in. Bad rows are kept aside with line, field and mend; coming again changes nothing."""
    from domain import contacts_csv

    with visiting.house() as standing:
        found, house = visiting.tenant_of(standing, tenant), standing.house
        report = contacts_csv.load(
            house.database, house.vault, found.tenant_id, path.read_bytes(), filename=path.name, by=visiting.ACTOR,
            dry_run=dry_run,
        )  # fmt: skip
    if as_json:
        speaking.say({"tenant": found.slug, **speaking.plain(report), "done": not dry_run}, as_json)
        return
    typer.echo(
        f"{found.slug}: {'would take in' if dry_run else 'took in'} {report.rows} rows: {report.created} new, "
        f"{report.changed} changed, {report.unchanged} as they were, {report.accounts_created} new accounts, "
        f"{len(report.bad)} set aside"
    )
    for bad in report.bad:
        typer.echo(f"  line {bad.line}: {bad.field}: {bad.mend}")
    if report.ignored_columns:
        typer.echo(f"  not read: {', '.join(report.ignored_columns)}")


def list_contacts(tenant: TenantName = None, limit: Limit = 100, as_json: Json = False) -> None:
    """List contacts."""
    from domain import contacts

    with visiting.visit(tenant) as at:
        rows = [speaking.plain(row) for row in contacts.listed(at.tx, limit=limit)]
    speaking.table(rows, ("name", "email", "title", "language", "id"), as_json, empty=f"{at.slug} has no contacts")
