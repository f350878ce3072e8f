"""A rehearsal: the real process on a data folder of its own, on another day, with vendors' emulators beside it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row

from domain.clock import SystemClock
from simulator.clock import ShiftedClock
from simulator.emulators.gmail import GmailEmulator
from simulator.emulators.resend import ResendEmulator
from tests import gears
from worker import embedded

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
END_SECONDS = 20.0
POLL_SECONDS = 0.1

Found = TypeVar("Found")


class NeverCame(AssertionError):
    """What was waited for did not come in time."""


class Process:
    """One `hourhand` that stays awake."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as errors:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "worker", *command, "--json"],
                cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip
        assert self.popen.stdout is not None
        self.said = self.popen.stdout.readline()
        """Its announcement; empty when it ended instead."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.popen.pid

    def terminate(self) -> tuple[int, float]:
        """SIGTERM; its exit code, and how many seconds it took. Raises TimeoutExpired past the promise."""
        clock = SystemClock()
        began = clock.monotonic()
        self.popen.send_signal(signal.SIGTERM)
        code = self.popen.wait(END_SECONDS)
        return code, clock.monotonic() - began

    def kill(self) -> None:
        """kill -9."""
        self.popen.kill()
        self.popen.wait(END_SECONDS)

    def close(self) -> None:
        """Leave nothing running."""
        if self.popen.poll() is None:
            try:
                self.terminate()
            except subprocess.TimeoutExpired:
                self.kill()
        if self.popen.stdout is not None:
            self.popen.stdout.close()

    def told(self) -> str:
        """The end of its log, for an assertion's message."""
        return self.log.read_text(errors="replace")[-4_000:]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to."""

    code: int
    stdout: str
    stderr: str


class Commands:
    """Runs commands one after another, each in its own process (see `tests/e2e/commands.py`)."""

    def __init__(self, room: Path) -> None:
        self._room = room
        self._mutex = threading.Lock()
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.commands"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], stdin: str) -> Answer:
        """Run one command to its end."""
        files = {name: self._room / f"command.{name}" for name in ("stdin", "stdout", "stderr")}
        paths = {name: str(file) for name, file in files.items()}
        asked = {"arguments": list(arguments), "environment": dict(environment), **paths}
        with self._mutex:
            files["stdin"].write_text(stdin)
            assert self._popen.stdin is not None
            assert self._popen.stdout is not None
            self._popen.stdin.write(json.dumps(asked) + "\n")
            self._popen.stdin.flush()
            code = int(self._popen.stdout.readline())
            return Answer(code, files["stdout"].read_text(), files["stderr"].read_text())

    def close(self) -> None:
        """End the room."""
        with self._popen:
            if self._popen.stdin is not None:
                self._popen.stdin.close()


@dataclass
class Rehearsal:
    """A data folder, the emulators that its processes talk to, and the day that everybody takes it to be."""

    folder: Path
    clock: ShiftedClock
    gmail: GmailEmulator
    resend: ResendEmulator
    more: dict[str, str] = field(default_factory=dict)
    """Further settings."""
    port: int = 0
    running: list[Process] = field(default_factory=list)
    commands: Commands | None = None
    servers: list[embedded.Server] = field(default_factory=list)
    """Uses of the database server that the rehearsal itself has."""

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process of the rehearsal."""
        ours = ("HOURHAND_", "AGENT_", "EMAIL_SEND_", "DATABASE_", "GOOGLE_", "GMAIL_", "RESEND_", "SMTP_", "CRON_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return kept | {
            "HOURHAND_DATA_DIR": str(self.folder),
            "HOURHAND_PORT": str(self.port),
            "HOURHAND_CLOCK_SHIFT_SECONDS": str(int(self.clock.shift.total_seconds())),
            "HOURHAND_SLOT_SPREAD_SECONDS": "1",
            "HOURHAND_POLL_SECONDS": "0.1",
            "GMAIL_API_URL": self.gmail.url,
            "GOOGLE_TOKEN_URL": self.gmail.token_url,
            "GOOGLE_CLIENT_ID": "rehearsal",
            "RESEND_API_URL": self.resend.url,
            **self.more,
        }

    def go_to(self, moment: datetime) -> None:
        """Let processes that start from now on, and the emulators, take it to be `moment`."""
        self.clock.shift = timedelta(seconds=round((moment - SystemClock().now()).total_seconds()))

    def start(self, *command: str) -> Process:
        """Start `hourhand up`, or another command that stays, and wait until it says that it stands."""
        process = Process(command or ("up",), self.environment, self.folder.parent / "process.log")
        self.running.append(process)
        assert process.said, process.told()
        return process

    def command(self, *arguments: str, stdin: str = "", json_wanted: bool = True) -> Any:
        """What a command of `hourhand` answers; it must succeed."""
        done = self.try_command(*arguments, *(["--json"] if json_wanted else []), stdin=stdin)
        assert done.code == 0, f"hourhand {' '.join(arguments)}: {done.stderr or done.stdout}"
        return json.loads(done.stdout) if json_wanted else done.stdout

    def try_command(self, *arguments: str, stdin: str = "", **settings: str) -> Answer:
        """Run a command of `hourhand` to its end, whatever that is."""
        if self.commands is None:
            self.commands = Commands(self.folder.parent)
        return self.commands.run(arguments, self.environment | settings, stdin)

    def look(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Rows as the superuser sees them: for looking alone."""
        server = embedded.Server(self.folder)
        with psycopg.connect(server.url("postgres"), autocommit=True, row_factory=dict_row) as connection:
            connection.execute("SET search_path = hourhand, queue, control")
            return connection.execute(sql, values).fetchall()

    def look_later(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """The same once no process runs any more: the server is started for it."""
        with embedded.attach(self.folder):
            return self.look(sql, **values)


@contextmanager
def rehearsal(at: datetime, **more: str) -> Iterator[Rehearsal]:
    """A rehearsal in memory-backed storage that leaves nothing behind: no process, no file."""
    room = Path(tempfile.mkdtemp(prefix=f"{gears.PREFIX}e2e-", dir=gears.storage()))
    # PostgreSQL runs as another user where we are root
    room.chmod(0o755)
    clock = ShiftedClock(timedelta())
    with GmailEmulator(clock=clock) as gmail, ResendEmulator(clock=clock) as resend:
        made = Rehearsal(room / "data", clock, gmail, resend, dict(more), port=free_port())
        made.go_to(at)
        try:
            yield made
        finally:
            for process in made.running:
                process.close()
            if made.commands is not None:
                made.commands.close()
            for server in made.servers:
                server.stop()
            if (made.folder / "postgres").exists():
                embedded.attach(made.folder).stop()
            shutil.rmtree(room, ignore_errors=True)


def until(look: Callable[[], Found], *, seconds: float = 60.0, what: Callable[[], object] = str) -> Found:
    """What `look` returns once it is true; `what` tells how it stands when it never does. Raises NeverCame."""
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    while not (found := look()):
        if clock.monotonic() > deadline:
            raise NeverCame(f"{what()}")
        clock.wait(POLL_SECONDS)
    return found


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
