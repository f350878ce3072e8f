"""`hourhand backup`, `restore` and `reconcile`: a copy of the whole house, and a way back that sends nothing twice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, WrongUse

if TYPE_CHECKING:
    from domain.clock import Clock
    from domain.vault import Vault
    from worker.backups import Backup
    from worker.settings import Settings

RESTORING = "hourhand_restoring"

Folder = Annotated[Path, typer.Argument(file_okay=False)]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command()(backup)
    app.command()(restore)
    app.command()(reconcile)


def backup(folder: Folder, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Copy the whole database into a new folder while work goes on. The master keys are kept apart, by you."""
    from worker import backups

    with visiting.house() as standing:
        admin_url = standing.admin_url
        if admin_url is None:
            raise WrongUse("DATABASE_ADMIN_URL: set it to a role that sees over the walls (BYPASSRLS or a superuser)")
        programs = _programs(standing.server)
        told: dict[str, Any] = {"folder": str(folder), "done": not dry_run}
        if not dry_run:
            with speaking.progress(as_json) as heard:
                made = backups.take(admin_url, programs, folder, clock=standing.house.clock,
                                    vault=standing.house.vault, progress=heard)  # fmt: skip
            told |= speaking.plain(made)
    sentence = (f"would write a backup to {folder}" if dry_run else
                f"wrote {told['size']} bytes to {folder}; keep {assembly_key_file()} too, but elsewhere")  # fmt: skip
    speaking.say(told, as_json, sentence=sentence)


def restore(
    folder: Folder,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of a house with tenants; that one is kept aside.")
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="With --replace: throw that one away instead of keeping it.")
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Come back from a backup, with every way out closed: `hourhand reconcile` is the next step."""
    from domain.clock import SystemClock
    from worker import backups, settings

    loaded, clock = settings.load(), SystemClock()
    found = backups.read(folder)
    told: dict[str, Any] = {"taken_at": found.taken_at, "tenants": found.tenants, "schema": found.schema, "kept": None}
    if not dry_run:
        if loaded.database_url is None:
            told["kept"] = _embedded(loaded, folder, found, clock, replace=replace, discard=discard)
        else:
            told["kept"] = _external(loaded, folder, found, clock)
    verb, moment = "would restore" if dry_run else "restored", f"{found.taken_at:%Y-%m-%d %H:%M} UTC"
    sentence = f"{verb} {found.tenants} tenants as of {moment}"
    if not dry_run:
        sentence += ".\nEvery way out is closed. Next: hourhand reconcile, then hourhand resume --reason …"
        if told["kept"]:
            sentence += f"\nWhat was here before is kept as database {told['kept']}: drop it once all is well"
    speaking.say({**told, "done": not dry_run}, as_json, sentence=sentence)


def reconcile(
    tenant: Annotated[str | None, typer.Option("--tenant", "-t", help="This tenant alone.")] = None,
    assume: Annotated[
        Literal["sent", "unsent"] | None,
        typer.Option(help="Where the provider can't tell: whether what was due since the backup was sent."),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """After a restore: ask the providers what went out since the backup, and open the mail of whoever is clear."""
    from domain import restores
    from jobs import reconcile_restore

    with visiting.house() as standing:
        house = standing.house
        if dry_run:
            restored = restores.standing(house.database)
            told: list[dict[str, Any]] = []
            sentence = ("this house never came back from a backup" if restored is None else
                        f"would ask what went out since {restored.taken_at:%Y-%m-%d %H:%M} UTC")  # fmt: skip
        else:
            with speaking.progress(as_json) as heard:
                reconciled = reconcile_restore.run(
                    house, only=tenant, assume=assume, by=visiting.ACTOR,
                    progress=lambda slug, mails: heard(f"{slug}: {mails} mails"),
                )  # fmt: skip
            told = [speaking.plain(each) for each in reconciled]
            sentence = "\n".join(_line(each) for each in told) or "nothing is left to reconcile"
    speaking.say({"tenants": told, "done": not dry_run}, as_json, sentence=sentence)


def _line(told: dict[str, Any]) -> str:
    if not told["opened"]:
        return f"{told['slug']}: its mail stays closed: {told['why_not']}"
    counts = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in told["counts"].items())
    return f"{told['slug']}: its mail is open again ({counts or 'nothing had gone out'})"


def _embedded(
    loaded: Settings, folder: Path, found: Backup, clock: Clock, *, replace: bool, discard: bool
) -> str | None:  # fmt: skip
    from domain import restores
    from domain.db import Database
    from worker import backups, embedded

    _check_keys(loaded, found)
    server = embedded.start(loaded.folder, since=clock.now().isoformat(timespec="seconds"))
    try:
        inhabited = _inhabited(server.url("postgres"))
        if inhabited and not replace:
            raise WrongUse("--replace: there is a house with tenants here already; it would be kept aside")
        administration = server.url("postgres", "postgres")
        backups.fresh(administration, RESTORING)
        backups.load(server.url("postgres", RESTORING), _programs(server), folder, found)
        database = Database(server.url("hourhand_app", RESTORING), clock)
        restores.close(database, found.taken_at)
        database.dispose()
        aside = f"hourhand_before_{clock.now():%Y%m%d_%H%M%S}"
        backups.swap(administration, RESTORING, embedded.DATABASE, aside)
        if inhabited and not discard:
            return aside
        backups.discard(administration, aside)
        return None
    finally:
        server.stop()


def _external(loaded: Settings, folder: Path, found: Backup, clock: Clock) -> str | None:
    from sqlalchemy.engine import make_url

    from domain import restores
    from domain.db import Database
    from worker import backups

    if loaded.database_admin_url is None or loaded.database_url is None:
        raise WrongUse("DATABASE_ADMIN_URL: set it to a superuser of an empty database, and DATABASE_URL to the same")
    _check_keys(loaded, found)
    admin_url, app = loaded.database_admin_url.get_secret_value(), make_url(loaded.database_url.get_secret_value())
    target = make_url(admin_url)
    if app.database != target.database:
        raise WrongUse(f"DATABASE_ADMIN_URL: it names {target.database}, and DATABASE_URL {app.database}")
    # nobody knows of the restored house until every way out of it is closed, whenever this process dies
    beside = backups.beside(admin_url)
    password = str(app.password) if app.password else None
    backups.load(beside, _programs(None), folder, found, app_password=password)
    door = make_url(beside).set(username=app.username, password=password)
    database = Database(door.render_as_string(hide_password=False), clock)
    restores.close(database, found.taken_at)
    database.dispose()
    aside = f"hourhand_before_{clock.now():%Y%m%d_%H%M%S}"
    backups.swap(backups.elsewhere(admin_url), str(make_url(beside).database), str(target.database), aside)
    # it held nothing when the restoring began; what somebody put there since is not ours to throw away
    return None if backups.discard_empty(backups.elsewhere(admin_url), aside) else aside


def _check_keys(loaded: Settings, found: Backup) -> None:
    """What is sealed in the backup must be readable here: nobody should learn otherwise after the swap."""
    from worker import assembly, backups

    vault = _vault(loaded)
    if vault is None:
        raise backups.RestoreRefused(
            f"the master keys are missing: put the {assembly.KEY_FILE} of the house that was backed up into "
            f"{loaded.folder} (chmod 600), or set HOURHAND_MASTER_KEYS"
        )
    if backups.check_of(vault, found.taken_at) != found.key_check:
        raise backups.RestoreRefused("the master keys here are not those of the house that was backed up")


def _vault(loaded: Settings) -> Vault | None:
    from domain.vault import Vault
    from worker import assembly
    from worker.key_ring import parse_keys

    if loaded.master_keys is not None:
        return Vault(parse_keys(loaded.master_keys.get_secret_value()))
    path = loaded.folder / assembly.KEY_FILE
    return Vault(parse_keys(path.read_text(encoding="utf-8").strip().replace("\n", ","))) if path.exists() else None


def _inhabited(admin_url: str) -> bool:
    import psycopg

    with psycopg.connect(admin_url, autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('hourhand.tenants')").fetchone() == (None,):
            return False
        row = connection.execute("SELECT EXISTS (SELECT FROM hourhand.tenants)").fetchone()
        return bool(row and row[0])


def _programs(server: Any) -> Path:
    from worker import postgres_files

    if server is not None:
        return Path(server.program("pg_dump")).parent
    return postgres_files.installed_package() / postgres_files.VERSION_FOLDER / "bin"


def assembly_key_file() -> str:
    """The key file's name, for people."""
    from worker import assembly

    return assembly.KEY_FILE
