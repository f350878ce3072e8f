"""Backups: one consistent copy of the whole database by PostgreSQL's own tools, and the way back from it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
from psycopg import errors, sql
from sqlalchemy.engine import make_url

from domain.clock import Clock
from domain.vault import Vault
from migrations import apply, roles
from worker import assembly

MANIFEST = "manifest.json"
DUMP = "database.dump"
SCHEMAS = ("hourhand", "control", "queue")
PURPOSE = "backup"


class InvalidBackup(Exception):
    """This folder is no whole backup of Hourhand."""


class BackupRefused(Exception):
    """The database could not be copied."""


class RestoreRefused(Exception):
    """The backup can't be restored here."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup as its manifest tells of it."""

    taken_at: datetime
    """Before the copy began: whatever happened since then may not be in it."""
    schema: str
    sha256: str
    size: int
    tenants: int
    key_check: str
    """By which it is known whether the master keys at hand open what is sealed in it."""


def take(
    admin_url: str, programs: Path, folder: Path, *, clock: Clock, vault: Vault,
    progress: Callable[[str], None] = lambda _table: None,
) -> Backup:  # fmt: skip
    """Copy the database into a new folder; it appears whole or not at all. Raises BackupRefused.

    `progress` hears of each table that is copied. `admin_url` must see over the walls (a superuser, or BYPASSRLS). The
    master keys are not in it.
    """
    if folder.exists():
        raise BackupRefused(f"{folder} exists: name a folder that does not")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    try:
        taken_at = clock.now()
        with psycopg.connect(admin_url, autocommit=True) as connection:
            schema = _one(connection, "SELECT version_num FROM hourhand.alembic_version")
            tenants = _one(connection, "SELECT count(*) FROM hourhand.tenants")
        _run(programs / "pg_dump", ["--verbose", "--format=custom", "--compress=gzip:1", "--file", str(partial / DUMP),
             *(f"--schema={name}" for name in SCHEMAS), "--extension=vector"],
             admin_url, BackupRefused, progress)  # fmt: skip
        backup = Backup(taken_at, str(schema), _sha256(partial / DUMP), (partial / DUMP).stat().st_size,
                        int(str(tenants)), check_of(vault, taken_at))  # fmt: skip
        told = {name: getattr(backup, name) for name in Backup.__slots__} | {"taken_at": taken_at.isoformat()}
        (partial / MANIFEST).write_text(json.dumps(told, indent=1), encoding="utf-8")
        for name in (DUMP, MANIFEST):
            (partial / name).chmod(0o600)
            _to_disk(partial / name)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return backup


def read(folder: Path) -> Backup:
    """What a backup says of itself, its bytes compared with that. Raises InvalidBackup."""
    try:
        told = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        backup = Backup(**{**told, "taken_at": datetime.fromisoformat(told["taken_at"])})
        found = _sha256(folder / DUMP)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InvalidBackup(f"{folder}: {error}. {InvalidBackup.__doc__}") from error
    if found != backup.sha256:
        raise InvalidBackup(f"{folder / DUMP} is not the file that was written: it was changed or cut short")
    return backup


def load(
    admin_url: str, programs: Path, folder: Path, backup: Backup, *, app_password: str | None = None
) -> None:  # fmt: skip
    """Fill the database at `admin_url`, which must hold nothing of ours, and bring it to this version's schema.

    Raises RestoreRefused.
    """
    if backup.schema > assembly.head():
        raise RestoreRefused(f"the backup has schema {backup.schema}, newer than this version's: upgrade Hourhand")
    with psycopg.connect(admin_url, autocommit=True) as connection:
        if _one(connection, "SELECT count(*) FROM pg_tables WHERE schemaname = ANY(%s)", list(SCHEMAS)):
            raise RestoreRefused("there is a house in this database already: restore into an empty one")
    roles.ensure(admin_url, app_password=app_password)
    with psycopg.connect(admin_url, autocommit=True) as connection:
        for schema in SCHEMAS:
            # made with the roles, and about to come back from the backup with what is in them
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {}").format(sql.Identifier(schema)))
    _run(programs / "pg_restore", ["--exit-on-error", "--dbname", _name(admin_url), str(folder / DUMP)],
         admin_url, RestoreRefused)  # fmt: skip
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("ANALYZE")
    if backup.schema < assembly.head():
        apply.upgrade(admin_url)


def fresh(admin_url: str, name: str) -> None:
    """An empty database beside the others of an embedded server; what an interrupted restore left there goes."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin "
                    "BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'").format(sql.Identifier(name))
        )  # fmt: skip


def beside(admin_url: str) -> str:
    """The URL of a new database like the empty one at `admin_url`, on the same server; an interrupted restore's goes.

    Raises RestoreRefused where that one is not empty, or somebody is at it.
    """
    name = _name(admin_url)
    restoring = f"{name[:40]}_restoring"
    if _full(admin_url):
        raise RestoreRefused(f"there is a house in {name} already, or something else: restore into an empty one")
    with psycopg.connect(elsewhere(admin_url), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(restoring)))
        try:
            # its language and extensions are what the server's administrator chose
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(restoring), sql.Identifier(name))
            )
        except errors.ObjectInUse as error:
            raise RestoreRefused(f"somebody is connected to {name}: stop the workers first") from error
    return _at(admin_url, restoring)


_FULL = """
    SELECT EXISTS (
        SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
          AND NOT EXISTS (SELECT FROM pg_depend d
                          WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))"""
"""Whether a database holds anything, what belongs to extensions aside."""


def _full(admin_url: str) -> bool:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        return bool(_one(connection, _FULL))


def elsewhere(admin_url: str) -> str:
    """The same server by another database, from which the first can be copied and renamed."""
    return _at(admin_url, "postgres" if _name(admin_url) != "postgres" else "template1")


def _at(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def swap(admin_url: str, restored: str, name: str, aside: str) -> None:
    """Put the restored database in the place of the one that is there, in one step; that one is kept `aside`.

    Raises RestoreRefused where somebody keeps coming back to it.
    """
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)", ([restored, name],)
        )
        try:
            with connection.transaction():
                for old, new in ((name, aside), (restored, name)):
                    connection.execute(
                        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
                    )
        except errors.ObjectInUse as error:
            raise RestoreRefused(f"somebody is connected to {name}: stop the workers, then restore again") from error


def discard(admin_url: str, aside: str) -> None:
    """Throw away what was put aside, which somebody said is not wanted."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(aside)))


def discard_empty(admin_url: str, aside: str) -> bool:
    """Throw away what was put aside, if it holds nothing still: a restore takes minutes; whether it is gone."""
    if _full(_at(admin_url, aside)):
        return False
    discard(admin_url, aside)
    return True


def check_of(vault: Vault, taken_at: datetime) -> str:
    """What the master keys make of a moment: the same keys make the same."""
    return vault.digest(PURPOSE, taken_at.isoformat()).hex()


def _run(
    program: Path, arguments: Sequence[str], url: str, refusal: Callable[[str], Exception],
    progress: Callable[[str], None] = lambda _table: None,
) -> None:  # fmt: skip
    complaint = ""
    with subprocess.Popen([str(program), "--no-password", *arguments], env=_environment(url), stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, errors="replace") as process:  # fmt: skip
        try:
            for line in process.stderr or ():
                if table := _TABLE.search(line):
                    progress(table[1])
                elif complaint or ": error: " in line or not line.startswith(f"{program.name}: "):
                    complaint = (complaint + line)[:600]
        except BaseException:
            # whoever is told to go leaves no copying behind
            process.kill()
            raise
    if process.returncode:
        told = complaint.strip()
        mend = (" DATABASE_ADMIN_URL needs a role that sees over the walls: a superuser, or one with BYPASSRLS."
                if "row-level security" in told or "permission denied" in told else "")  # fmt: skip
        raise refusal(f"{program.name} failed: {told}{mend}")


_TABLE = re.compile(r'dumping contents of table "([^"]+)"')


def _environment(url: str) -> dict[str, str]:
    """Where the database is, for PostgreSQL's tools: no list of processes shows a password that is said so."""
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    told = {
        "PGHOST": options.get("host") or unquote(parts.hostname or ""), "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""), "PGPASSWORD": unquote(parts.password or ""), "PGDATABASE": _name(url),
        "PGSSLMODE": options.get("sslmode", ""), "PGSSLROOTCERT": options.get("sslrootcert", ""),
    }  # fmt: skip
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC", **{name: value for name, value in told.items() if value}}


def _name(url: str) -> str:
    return unquote(urlsplit(url).path.removeprefix("/"))


def _one(connection: psycopg.Connection, query: str, *values: object) -> object:
    row = connection.execute(query, values or None).fetchone()
    return row[0] if row else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
