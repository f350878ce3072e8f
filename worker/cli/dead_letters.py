"""`hourhand quarantine` and `dead`: what could not be taken in or done, with its reason, and a way to try it again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, Limit, TenantName


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    quarantine = typer.Typer(help="Quarantine: list what is set aside, tried again or not.", no_args_is_help=True)
    quarantine.command("list")(list_items)
    dead = typer.Typer(help="Dead letters, given up after five tries: list, replay.", no_args_is_help=True)
    dead.command("list")(list_letters)
    dead.command()(replay)
    app.add_typer(quarantine, name="quarantine")
    app.add_typer(dead, name="dead")


def list_items(tenant: TenantName = None, limit: Limit = 100, as_json: Json = False) -> None:
    """List what is set aside, newest first."""
    from domain import quarantine

    with visiting.visit(tenant) as at:
        rows = [{**speaking.plain(item), "dead": item.is_dead} for item in quarantine.listed(at.tx, limit=limit)]
    speaking.table(rows, ("id", "kind", "source", "field", "reason", "attempts", "dead"), as_json,
                   empty=f"{at.slug}: nothing is set aside")  # fmt: skip


def list_letters(tenant: TenantName = None, limit: Limit = 100, as_json: Json = False) -> None:
    """List what is not tried again by itself, of whatever kind, newest first."""
    from domain import given_up

    with visiting.visit(tenant) as at:
        rows = [speaking.plain(letter) for letter in given_up.listed(at.tx, limit=limit)]
    speaking.table(rows, ("id", "kind", "source", "reason", "tries", "since"), as_json,
                   empty=f"{at.slug}: there is no dead letter")  # fmt: skip


def replay(
    letter_id: Annotated[UUID, typer.Argument(metavar="LETTER", help="Its id, as `dead list` shows it.")],
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Put one back, once: it is tried from the start, by the queue, the next poll or the next cycle."""
    from jobs import dead_letters

    with visiting.visit(tenant, dry_run=dry_run) as at:
        letter = dead_letters.replay(at.tx, letter_id)
    sentence = f"{'would try' if dry_run else 'will try'} {letter.kind} {letter.source} again"
    speaking.say({**speaking.plain(letter), "done": not dry_run}, as_json, sentence=sentence)
