"""PostgreSQL without an installation: one server per data folder, started by the first that needs it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import quote

from worker import postgres_files
from worker.postgres_files import Owner

DATABASE = "hourhand"
START_SECONDS = 60  # recovery after a crash may take a while
STOP_SECONDS = 15

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",  # sockets only: nothing of the database is reachable from the network
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "unix_socket_permissions": "0700",
}
THROWAWAY: Mapping[str, str] = {  # for data nobody will miss: tests, laboratories
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "autovacuum": "off",
    "dynamic_shared_memory_type": "mmap",  # beside the data, so that removing the folder removes everything
    "shared_buffers": "64MB",
}


class DataFolderHeld(RuntimeError):
    """Another process works on this data folder: stop it first, or choose another with HOURHAND_DATA_DIR."""

    def __init__(self, data_dir: Path, holder: Mapping[str, object]) -> None:
        self.holder = dict(holder)
        who = ", ".join(f"{key} {value}" for key, value in self.holder.items()) or "unknown"
        super().__init__(f"{data_dir} is in use by another Hourhand ({who}). {self.__doc__}")


def default_data_dir(environment: Mapping[str, str] | None = None) -> Path:
    """`HOURHAND_DATA_DIR`, else /var/lib/hourhand for root and ./.hourhand for everybody else."""
    chosen = (os.environ if environment is None else environment).get("HOURHAND_DATA_DIR", "").strip()
    if chosen:
        return Path(chosen).expanduser().resolve()
    return Path("/var/lib/hourhand") if os.geteuid() == 0 else Path.cwd() / ".hourhand"


def start(data_dir: Path, *, since: str = "", throwaway: bool = False) -> Server:
    """Hold the folder as its one main process and make sure its server runs.

    `since` is shown to whoever tries to hold the folder a second time. Raises `DataFolderHeld` then.
    """
    server = Server(data_dir, throwaway=throwaway)
    server.hold(since)
    try:
        server.open()
    except BaseException:
        server.release()
        raise
    return server


def attach(data_dir: Path, *, throwaway: bool = False) -> Server:
    """Use the folder's server beside whoever else does; start it only if nobody has."""
    server = Server(data_dir, throwaway=throwaway)
    server.open()
    return server


class Server:
    """A use of one data folder's server. The last user to stop stops the server.

    Users are counted by shared file locks, which the kernel drops when a process dies however it dies: no list of
    process numbers to prune, and a server left behind by `kill -9` is adopted by the next user.
    """

    def __init__(self, data_dir: Path, *, throwaway: bool = False) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self.cluster = self.data_dir / "postgres"
        self.throwaway = throwaway
        self._owner: Owner = postgres_files.server_owner()
        self._programs: Path | None = None
        self._held: IO[str] | None = None
        self._used: IO[str] | None = None

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def url(self, role: str = "postgres", database: str = DATABASE) -> str:
        """A libpq URL over the server's socket: no password, since only its OS user may reach the socket."""
        folder = postgres_files.socket_folder(self.cluster, self._owner)
        return f"postgresql://{quote(role, safe='')}@/{quote(database, safe='')}?host={quote(str(folder), safe='')}"

    def program(self, name: str) -> Path:
        """The path of one of PostgreSQL's own programs, such as `psql`."""
        if self._programs is None:
            self._programs = postgres_files.programs(self._owner, self.data_dir)
        return self._programs / name

    def hold(self, since: str = "") -> None:
        """Become the folder's main process, or raise `DataFolderHeld` naming the one that is."""
        postgres_files.prepare_folder(self.data_dir, self._owner)
        file = _opened(self.data_dir / "holder.lock")
        if not _locked(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
            file.seek(0)
            with contextlib.suppress(ValueError):  # half a line: the holder is just starting
                raise DataFolderHeld(self.data_dir, json.loads(file.read()))
            raise DataFolderHeld(self.data_dir, {})
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "command": Path(sys.argv[0]).name}
        file.truncate(0)
        file.write(json.dumps({key: value for key, value in holder.items() if value}))
        file.flush()
        self._held = file

    def open(self) -> None:
        """Count ourselves as a user; make and start the server where that has not been done."""
        postgres_files.prepare_folder(self.data_dir, self._owner)
        if self._used is not None:
            return
        with self._one_at_a_time(), contextlib.ExitStack() as undo:
            used = undo.enter_context(_opened(self.data_dir / "users.lock"))
            _locked(used, fcntl.LOCK_SH)
            if not (self.cluster / "PG_VERSION").exists():
                self._initialise()
            if self._postmaster() is None:
                self._launch()
            self._make_database()
            undo.pop_all()
        self._used = used

    def stop(self) -> bool:
        """Stop using the server; True if we were the last and it is down now. Safe to call twice."""
        if self._used is None:
            return False
        with self._one_at_a_time():
            last = _locked(self._used, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if last:
                self._shut_down()
            self._used.close()
            self._used = None
        self.release()
        return last

    def release(self) -> None:
        """Give up being the folder's main process."""
        if self._held is not None:
            self._held.truncate(0)
            self._held.close()
            self._held = None

    @contextlib.contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        with _opened(self.data_dir / "start.lock") as file:
            _locked(file, fcntl.LOCK_EX)
            yield

    def _initialise(self) -> None:
        """Make the cluster in one piece: a crash half-way leaves nothing that looks finished."""
        partial = self.data_dir / "postgres.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        if self._owner.differs:
            os.chown(partial, self._owner.uid, self._owner.gid)
        self._owner.run(
            str(self.program("initdb")),
            *("--pgdata", str(partial), "--username", "postgres", "--encoding", "UTF8"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
            *("--auth-local", "trust", "--auth-host", "reject", "--no-instructions"),
            *(["--no-sync"] if self.throwaway else []),
        )
        partial.rename(self.cluster)

    def _launch(self) -> None:
        settings = {**SETTINGS, **(THROWAWAY if self.throwaway else {})}
        settings["unix_socket_directories"] = str(postgres_files.socket_folder(self.cluster, self._owner))
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)  # `_postmaster` saw that it is stale
        self._owner.run(
            str(self.program("pg_ctl")),
            *("start", "--wait", "--silent", "--timeout", str(START_SECONDS), "--pgdata", str(self.cluster)),
            *("--log", str(self.cluster / "server.log"), "--options", options),
            timeout_seconds=START_SECONDS + 5,
        )

    def _shut_down(self) -> None:
        pid = self._postmaster()
        if pid is None:
            return
        command = ("stop", "--silent", "--mode", "fast", "--timeout", str(STOP_SECONDS), "--pgdata", str(self.cluster))
        try:
            self._owner.run(str(self.program("pg_ctl")), *command, timeout_seconds=STOP_SECONDS + 5)
        except RuntimeError:
            # Immediate is safe: the next start recovers from the log, and nothing may be left running.
            os.kill(pid, signal.SIGQUIT)

    def _postmaster(self) -> int | None:
        """The running server's process, if the number on file is really this cluster's server."""
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None
        command = postgres_files.command_of(pid)
        return pid if command and command[0].endswith("postgres") and str(self.cluster) in command else None

    def _make_database(self) -> None:
        import psycopg  # here, since `--help` need not pay for it

        with psycopg.connect(self.url(database="postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(
                    f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8' "
                    "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
                )


def _opened(path: Path) -> IO[str]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+", encoding="utf-8")


def _locked(file: IO[str], operation: int) -> bool:
    """Take a file lock; False if it was to be taken only at once and somebody has it."""
    try:
        fcntl.flock(file, operation)
    except BlockingIOError:
        return False
    return True
