"""`hourhand import` and `imports`: take a table in, see what each file did, mend what it left out, take it back."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, Limit, TenantName, WrongUse

if TYPE_CHECKING:
    from jobs.import_file import Report, Wish

Kind = Literal["clients", "contacts", "products", "orders", "deals"]
TheFile = Annotated[Path, typer.Argument(help="A CSV file with a line of titles.", exists=True, dir_okay=False)]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", help="TITLE=FIELD, where the titles don't say it; TITLE= leaves a column out."),
]
Relationship = Annotated[
    Literal["client", "prospect"], typer.Option(help="What new accounts are: only clients are written to unasked.")
]
Decimal = Annotated[Literal["auto", ".", ","], typer.Option(help="What begins the fraction of a number.")]
Days = Annotated[Literal["auto", "dmy", "mdy"], typer.Option(help="Which comes first in 03/04/2026.")]
ImportId = Annotated[UUID, typer.Argument(metavar="IMPORT", help="Its id, as `imports list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command("import")(import_csv)
    group = typer.Typer(help="What files did: list, show, errors, undo.", no_args_is_help=True)
    group.command("list")(list_imports)
    group.command()(show)
    group.command()(errors)
    group.command()(undo)
    app.add_typer(group, name="imports")


def import_csv(
    path: TheFile,
    kind: Annotated[Kind, typer.Option(help="What its rows are.")],
    columns: Columns = None,
    relationship: Relationship = "client",
    decimal: Decimal = "auto",
    days: Days = "auto",
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take a table in. Bad rows are kept with line and reason; coming again changes nothing; cut short, it goes on."""
    from domain.csv_values import Habits
    from domain.intake import Options
    from jobs.import_file import Wish

    wish = Wish(kind, path.name, _chosen(columns or []), Options(relationship, Habits(decimal, days)))
    take(path, wish, tenant, dry_run=dry_run, as_json=as_json)


def take(path: Path, wish: Wish, tenant: str | None, *, dry_run: bool, as_json: bool) -> None:
    """Take a file in, or say what that would do."""
    from jobs import import_file, import_sources

    with visiting.house() as standing:
        found, house = visiting.tenant_of(standing, tenant), standing.house
        source = import_sources.OnDisk(path)
        if dry_run:
            report = import_file.preview(house.database, house.vault, found.tenant_id, source, wish, by=visiting.ACTOR)
        else:
            with speaking.progress(as_json) as heard:
                report = import_file.run(house.database, house.vault, found.tenant_id, source, wish, by=visiting.ACTOR,
                                         progress=lambda rows: heard(f"{rows:>9} rows"))  # fmt: skip
    if as_json:
        speaking.say({"tenant": found.slug, **speaking.plain(report), "done": not dry_run}, as_json)
        return
    _tell(found.slug, report, dry_run=dry_run)


def _tell(slug: str, report: Report, *, dry_run: bool) -> None:
    from jobs.import_file import SHOWN

    if report.resumed_after_line:
        typer.echo(f"went on behind line {report.resumed_after_line}, where it was cut short")
    typer.echo(
        f"{slug}: {'would take in' if dry_run else 'took in'} {report.rows} rows: {report.created} new, "
        f"{report.changed} changed, {report.unchanged} as they were, {report.skipped} skipped, {report.bad} bad; "
        f"{report.accounts_created} new accounts"
    )
    if dry_run and not report.finished:
        typer.echo(f"  these are the first {report.rows} rows; the file has more")
    for row in report.put_aside:
        typer.echo(f"  line {row['line']}: {row['field']}: {row['mend']}")
    if len(report.put_aside) >= SHOWN:
        typer.echo(f"  … there may be more than these {len(report.put_aside)}: `hourhand imports errors` has them all")
    typer.echo("  read: " + ", ".join(f"{title} as {field}" for title, field in report.columns.items()))
    if report.ignored_columns:
        typer.echo(f"  not read: {', '.join(report.ignored_columns)}")
    if report.import_id is not None:
        typer.echo(f"  undo it: hourhand imports undo {report.import_id} --tenant {slug}")


def list_imports(tenant: TenantName = None, limit: Limit = 100, as_json: Json = False) -> None:
    """List imports, newest first."""
    from domain import imports

    with visiting.visit(tenant) as at:
        rows = [speaking.plain(row) for row in imports.listed(at.tx, limit=limit)]
    speaking.table(rows, ("id", "kind", "filename", "state", "rows", "created", "changed", "unchanged", "skipped",
                          "bad", "started_at", "failure"), as_json,
                   empty=f"{at.slug} has imported nothing")  # fmt: skip


def show(import_id: ImportId, tenant: TenantName = None, as_json: Json = False) -> None:
    """Show one import: how it was read, how far it came, and what an undo left alone."""
    from domain import imports

    with visiting.visit(tenant) as at:
        told = speaking.plain(imports.get(at.tx, import_id))
        told["left"] = [speaking.plain(row) for row in imports.left_alone(at.tx, import_id)]
    speaking.say(told, as_json)


def errors(import_id: ImportId, tenant: TenantName = None, as_json: Json = False) -> None:
    """Write the rows that were left out as CSV, with line and reason: mend them there, and import the file."""
    from domain import imports
    from jobs import import_file

    with visiting.visit(tenant) as at:
        batch = imports.get(at.tx, import_id)
        if as_json:
            rows = imports.put_aside(at.tx, import_id, limit=1000)
            speaking.say([speaking.plain(row) for row in rows], as_json)
            return
        out = csv.writer(sys.stdout, lineterminator="\n")
        for cells in import_file.errors_file(at.tx, batch):
            out.writerow(cells)


def undo(
    import_id: ImportId, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False
) -> None:  # fmt: skip
    """Take an import back: what it made goes, what it changed goes back; what people touched since stays."""
    from domain import imports
    from jobs import undo_import

    with visiting.house() as standing:
        found, database = visiting.tenant_of(standing, tenant), standing.house.database
        if dry_run:
            trial = undo_import.preview(database, found.tenant_id, import_id, by=visiting.ACTOR)
            batch, left = trial.batch, trial.left
        else:
            with speaking.progress(as_json) as heard:
                batch = undo_import.run(database, found.tenant_id, import_id, by=visiting.ACTOR,
                                        progress=lambda rows: heard(f"{rows:>9} rows"))  # fmt: skip
            with database.tenant(found.tenant_id) as tx:
                left = imports.left_alone(tx, import_id)
    sentence = (
        f"{found.slug}: {'would take back' if dry_run else 'took back'} {batch.undone} records of {batch.filename}, "
        f"{'would leave' if dry_run else 'left'} {batch.left_alone} alone"
    )
    told = {"import": str(import_id), "undone": batch.undone, "left_alone": batch.left_alone,
            "left": [speaking.plain(row) for row in left], "done": not dry_run}  # fmt: skip
    if dry_run and trial.has_more:
        told["looked_at"] = trial.looked_at
        sentence += f"; these are the first {trial.looked_at} records, and there are more"
    speaking.say(told, as_json, sentence=sentence)
    if not as_json:
        for row in left:
            called = f"{row['subject_type']} {row['called'] or row['subject_id']}"
            typer.echo(f"  line {row['line']}: {called}: {row['undo_reason']}")
        if batch.left_alone > len(left):
            typer.echo(f"  … and {batch.left_alone - len(left)} more")


def _chosen(columns: list[str]) -> dict[str, str]:
    chosen = {}
    for each in columns:
        title, equals, name = each.rpartition("=")
        if not equals or not title:
            raise WrongUse(f"--map: {each!r} is not of the form TITLE=FIELD")
        chosen[title] = name.strip()
    return chosen
