"""The gears of the tests: pure (no database) and clone (a migrated one of its own, in some 30 ms)."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from migrations import apply
from worker import embedded

TEMPLATE = "hourhand_template"
PREFIX = f"hourhand-tests-{os.getuid()}-"
ROOM_BYTES = 1 << 30
STALE_SECONDS = 900


@dataclass(frozen=True, slots=True)
class Clone:
    """A database of a test's own, migrated to head, and the doors into it."""

    name: str
    server: embedded.Server

    def url(self, role: str = "hourhand_app") -> str:
        """The libpq URL for a role; tests that aren't about the walls use the restricted default."""
        return self.server.url(role, self.name)

    @property
    def admin_url(self) -> str:
        """The superuser's door: for looking at the catalogue and breaking things on purpose, nothing else."""
        return self.url("postgres")


@dataclass
class Cluster:
    """One embedded PostgreSQL for the whole test run, shared by all of pytest's workers."""

    server: embedded.Server
    made: int = 0
    retired: list[str] = field(default_factory=list)

    def clone(self) -> Clone:
        """Copy the migrated template (about 30 ms) and drop what earlier tests left behind."""
        self.made += 1
        name = f"clone_{os.getpid()}_{self.made}"
        with self._admin() as connection:
            # The last one's connections may still be closing: dropping it now would wait for them.
            while len(self.retired) > 1:
                self._drop(connection, self.retired.pop(0))
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                    sql.Identifier(name), sql.Identifier(TEMPLATE)
                )
            )
        return Clone(name, self.server)

    def empty(self) -> Clone:
        """A database with nothing in it, for tests of the migrations themselves."""
        self.made += 1
        name = f"empty_{os.getpid()}_{self.made}"
        with self._admin() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return Clone(name, self.server)

    def retire(self, clone: Clone) -> None:
        """Let a later test drop it."""
        self.retired.append(clone.name)

    def migrate_template(self, folder: Path) -> None:
        """Bring the template to head, once per run: the first worker does it, the others wait."""
        with (folder / "template.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with self._admin() as connection:
                found = connection.execute("SELECT datistemplate FROM pg_database WHERE datname = %s", (TEMPLATE,))
                row = found.fetchone()
                if row is not None and row[0]:
                    return
                self._drop(connection, TEMPLATE)
                connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(TEMPLATE)))
            apply.upgrade(self.server.url("postgres", TEMPLATE))
            with self._admin() as connection:
                connection.execute(f"ALTER DATABASE {TEMPLATE} WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")

    def _admin(self) -> psycopg.Connection:
        return psycopg.connect(self.server.url("postgres", "postgres"), autocommit=True)

    @staticmethod
    def _drop(connection: psycopg.Connection, name: str) -> None:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def cluster_for_run(run: str) -> Iterator[Cluster]:
    """Start (or join) the run's server in memory-backed storage; whoever leaves last removes it."""
    folder = storage() / f"{PREFIX}{run or secrets.token_hex(6)}"
    folder.mkdir(mode=0o755, exist_ok=True)
    sweep(folder)
    server = embedded.attach(folder, throwaway=True)
    try:
        cluster = Cluster(server)
        cluster.migrate_template(folder)
        yield cluster
    finally:
        if server.stop():
            shutil.rmtree(folder, ignore_errors=True)


def storage() -> Path:
    """/dev/shm where it has room and lets programs run, else the ordinary temporary folder."""
    memory = Path("/dev/shm")
    if not (memory.is_dir() and os.access(memory, os.W_OK)):
        return Path(tempfile.gettempdir())
    found = os.statvfs(memory)
    roomy = found.f_bavail * found.f_frsize >= ROOM_BYTES and not found.f_flag & os.ST_NOEXEC
    return memory if roomy else Path(tempfile.gettempdir())


def sweep(ours: Path) -> None:
    """Stop and remove what a test run that was killed left behind."""
    for folder in ours.parent.glob(f"{PREFIX}*"):
        users = folder / "users.lock"
        if folder == ours or not users.exists() or ours.stat().st_mtime - users.stat().st_mtime < STALE_SECONDS:
            continue
        with users.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
        embedded.attach(folder, throwaway=True).stop()
        shutil.rmtree(folder, ignore_errors=True)


class OffLoopback(RuntimeError):
    """A test reached for the network: only loopback and Unix sockets are open to tests."""


class NetworkGuard:
    """Refuses sockets that leave this machine, and remembers who tried."""

    def __init__(self) -> None:
        self.attempts: list[str] = []

    def install(self) -> None:
        """Watch every connect, bind, send and name look-up of this process from now on."""
        sys.addaudithook(self._audit)

    def _audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in ("socket.connect", "socket.bind", "socket.sendto"):
            address = arguments[1]
            host = address[0] if isinstance(address, tuple) else None
        elif event == "socket.getaddrinfo":
            host = arguments[0]
        else:
            return
        if not _is_loopback(host):
            self.attempts.append(f"{event} {host}")
            raise OffLoopback(f"{OffLoopback.__doc__} ({event} {host})")


def _is_loopback(host: object) -> bool:
    if host is None:
        return True
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
