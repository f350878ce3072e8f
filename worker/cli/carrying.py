"""`hourhand export` and `erase`: what a tenant has, carried away whole; a person, forgotten everywhere."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, TenantName, WrongUse


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command()(export)
    app.command()(erase)


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
            with speaking.progress(as_json) as heard:

                def count(name: str, written: int) -> None:
                    rows[name] = written
                    heard(f"{written:>9} {name.replace('_', ' ')}")

                _write(path, export_tenant.run(database, found.tenant_id, by=visiting.ACTOR, progress=count))
    total = sum(count for name, count in rows.items() if name != "files")
    verb = "would write" if dry_run else "wrote"
    sentence = f"{found.slug}: {verb} {total} rows of {len(rows.keys() - {'files'})} tables to {path}"
    speaking.say({"tenant": found.slug, "path": str(path), "rows": rows, "done": not dry_run}, as_json,
                 sentence=sentence)  # fmt: skip


def erase(
    person: Annotated[str, typer.Argument(help="An address, or a contact's id.")],
    reason: Annotated[str, typer.Option(help="Why; it goes into the audit log.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask.")] = False,
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Forget a person everywhere: only a keyed hash stays, so that nobody writes to them again. It can't be undone."""
    from jobs import erase as erasing

    contact_id, address = _who(person)
    if as_json and not (dry_run or yes):
        raise WrongUse("--yes: erasing is asked for twice: say -y")
    if not (dry_run or yes):
        typer.confirm(f"Forget {person} for good?", abort=True, err=True)
    with visiting.house() as standing:
        found, house = visiting.tenant_of(standing, tenant), standing.house
        if dry_run:
            rows = erasing.preview(house.database, found.tenant_id, contact_id=contact_id, address=address)
            told: dict[str, Any] = {"found": rows}
        else:
            with speaking.progress(as_json) as heard:
                done = erasing.run(house.database, house.vault, found.tenant_id, contact_id=contact_id, address=address,
                                   reason=reason, by=visiting.ACTOR,
                                   progress=lambda step, rows: heard(f"{rows:>9} {step.replace('_', ' ')}"),
                )  # fmt: skip
            rows = {name: count for name, count in done.found.items() if count}
            told = {"erasure": str(done.id), "found": rows, "finished": done.finished_at is not None}
    named = {"self": "their own record"}
    places = (
        ", ".join(f"{count} in {named.get(name, name.replace('_', ' '))}" for name, count in rows.items()) or "nothing"
    )
    sentence = f"{found.slug}: {'would erase' if dry_run else 'erased'} {places}"
    speaking.say({"tenant": found.slug, **told, "done": not dry_run}, as_json, sentence=sentence)


def _who(person: str) -> tuple[UUID | None, str | None]:
    try:
        return UUID(person), None
    except ValueError:
        from domain import addresses

        return None, addresses.normalise(person)


def _write(path: Path, pieces: Iterator[bytes]) -> None:
    """The file is there whole or not at all, and for its owner alone."""
    partial = path.with_name(f".{path.name}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    finally:
        partial.unlink(missing_ok=True)
