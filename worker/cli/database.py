"""`hourhand db`: where the database is, a prompt on it, and its schema."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from worker.cli import speaking
from worker.cli.speaking import DryRun, Json

if TYPE_CHECKING:
    from worker.settings import Settings

Role = Annotated[
    Literal["app", "owner", "admin"],
    typer.Option(help="app: what the process may; owner: DDL; admin: everything, embedded only."),
]
LOGINS = {"app": "hourhand_app", "owner": "hourhand_owner", "admin": "postgres"}


class NoSuchLogin(Exception):
    """An external database is entered by the URLs that were set: app is DATABASE_URL, owner DATABASE_ADMIN_URL."""


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    group = typer.Typer(help="The database: its URL, a prompt, its schema.", no_args_is_help=True)
    group.command()(url)
    group.command()(psql)
    group.command()(upgrade)
    app.add_typer(group, name="db")


def url(role: Role = "app", as_json: Json = False) -> None:
    """Print the database's URL for a role; the embedded server answers while something of Hourhand runs."""
    from worker import settings

    told = _url(settings.load(), role)
    speaking.say({"url": told, "role": role}, as_json, sentence=told)


def psql(role: Role = "app") -> int:
    """Open psql on the database; the embedded server runs at least as long."""
    import subprocess

    from worker import embedded, settings

    loaded = settings.load()
    if loaded.database_url is not None:
        return subprocess.call(["psql", _url(loaded, role)])
    with embedded.attach(loaded.folder) as server:
        return subprocess.call(
            [str(server.program("psql")), _url(loaded, role)], env={**os.environ, "LC_ALL": "C.UTF-8"}
        )


def upgrade(dry_run: DryRun = False, as_json: Json = False) -> None:
    """Bring the schema to this version. An external database needs DATABASE_ADMIN_URL for it."""
    from worker import assembly, embedded, settings

    loaded = settings.load()
    server = None if loaded.database_url is not None else embedded.attach(loaded.folder)
    try:
        found, wanted = assembly.found_version(loaded, server), assembly.head()
        done = not dry_run and assembly.upgrade(loaded, server)
    finally:
        if server is not None:
            server.stop()
    sentence = (
        f"the schema is already {wanted}"
        if found == wanted
        else f"{'upgraded' if done else 'would upgrade'} the schema from {found or 'nothing'} to {wanted}"
    )
    speaking.say({"from": found, "to": wanted, "done": done}, as_json, sentence=sentence)


def _url(loaded: Settings, role: str) -> str:
    from worker import embedded

    if loaded.database_url is None:
        return embedded.Server(loaded.folder).url(LOGINS[role])
    chosen = {"app": loaded.database_url, "owner": loaded.database_admin_url}.get(role)
    if chosen is None:
        raise NoSuchLogin(NoSuchLogin.__doc__)
    return chosen.get_secret_value()
