"""`hourhand export` and `erase`: what a tenant has, carried away whole; a person, forgotten everywhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, TenantName, WrongUse


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command()(export)


def export(
    path: Annotated[Path, typer.Argument(help="The archive (ZIP) to write; it must not exist yet.", dir_okay=False)],
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Carry everything of a tenant away: JSON lines per table, sheets that `import` reads, and every file."""
    from jobs import export_tenant

    if path.exists():
        raise WrongUse(f"{path} exists: name a file that does not")
    with visiting.house() as standing:
        found, database = visiting.tenant_of(standing, tenant), standing.house.database
        if dry_run:
            rows = export_tenant.counts(database, found.tenant_id)
        else:
            rows = {}
            partial = path.with_name(f".{path.name}.partial")
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    for piece in export_tenant.run(
                        database, found.tenant_id, by=visiting.ACTOR, progress=rows.__setitem__
                    ):
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
                partial.rename(path)
            finally:
                partial.unlink(missing_ok=True)
    total = sum(count for name, count in rows.items() if name != "files")
    sentence = f"{found.slug}: {'would write' if dry_run else 'wrote'} {total} rows of {len(rows)} tables to {path}"
    speaking.say({"tenant": found.slug, "path": str(path), "rows": rows, "done": not dry_run}, as_json,
                 sentence=sentence)  # fmt: skip
