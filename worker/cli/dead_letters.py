"""`hourhand quarantine`: what could not be taken in or done, with its reason, and a way to try it again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, Limit, TenantName, WrongUse


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    group = typer.Typer(help="Quarantine: list, replay.", no_args_is_help=True)
    group.command("list")(list_items)
    group.command()(replay)
    app.add_typer(group, name="quarantine")


def list_items(tenant: TenantName = None, limit: Limit = 100, as_json: Json = False) -> None:
    """List what is set aside, newest first."""
    from domain import quarantine

    with visiting.visit(tenant) as at:
        rows = [{**speaking.plain(item), "dead": item.is_dead} for item in quarantine.listed(at.tx, limit=limit)]
    speaking.table(rows, ("id", "kind", "source", "field", "reason", "attempts", "dead"), as_json,
                   empty=f"{at.slug}: nothing is set aside")  # fmt: skip


def replay(
    item_id: Annotated[UUID, typer.Argument(metavar="ITEM", help="Its id, as listed.")],
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Try one again: a job goes back into the queue, anything else is tried with the next poll or cycle."""
    from domain import quarantine
    from jobs import rescue

    with visiting.house() as standing:
        found = visiting.tenant_of(standing, tenant)
        with visiting.inside(standing, found, dry_run=True) as tx:
            item = quarantine.replay(tx, item_id)
        if item.kind == "csv_row":
            raise WrongUse(f"{item_id}: mend the row in its file and import it again")
        if not dry_run and item.kind == "job":
            rescue.replay(standing.house.database, found.tenant_id, item, by=visiting.ACTOR)
        elif not dry_run:
            with visiting.inside(standing, found) as tx:
                quarantine.replay(tx, item_id)
    sentence = f"{'would try' if dry_run else 'will try'} {item.kind} {item.source} again"
    speaking.say({**speaking.plain(item), "done": not dry_run}, as_json, sentence=sentence)
