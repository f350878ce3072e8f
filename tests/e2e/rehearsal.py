"""A rehearsal: the real process on a data folder of its own, on another day, with vendors' emulators beside it."""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from domain.clock import SystemClock
from simulator.clock import ShiftedClock
from simulator.emulators.gmail import GmailEmulator
from simulator.emulators.resend import ResendEmulator
from tests.staff import OURS, Hand, Room, storage, until
from worker import embedded


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to."""

    code: int
    stdout: str
    stderr: str


@dataclass
class Rehearsal:
    """A data folder, the emulators that its processes talk to, and the day that everybody takes it to be."""

    room: Room
    folder: Path
    clock: ShiftedClock
    gmail: GmailEmulator
    resend: ResendEmulator
    more: dict[str, str] = field(default_factory=dict)
    """Further settings."""
    port: int = 0
    running: list[Hand] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process of the rehearsal."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
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
        """Let processes that start from now on, and the emulators, take it to be `moment`, or less than a second past.

        Whole seconds are what an environment tells; never before it, where another hour may not have ended.
        """
        self.clock.shift = timedelta(seconds=math.ceil((moment - SystemClock().now()).total_seconds()))

    def start(self, *command: str) -> Hand:
        """Start `hourhand up`, or another command that stays, and wait until it says that it stands."""
        said, log = (self.folder.parent / f"{len(self.running)}.{kind}" for kind in ("said", "log"))
        said.touch()
        pid = self.room.ask(
            arguments=[*(command or ("up",)), "--json"], environment=self.environment, stay=True, stdin=os.devnull,
            stdout=str(said), stderr=str(log),
        )  # fmt: skip
        process = Hand(self.room, pid, said, log)
        self.running.append(process)
        process.up()
        return process

    def command(self, *arguments: str, stdin: str = "", json_wanted: bool = True) -> Any:
        """What a command of `hourhand` answers; it must succeed."""
        done = self.try_command(*arguments, *(["--json"] if json_wanted else []), stdin=stdin)
        assert done.code == 0, f"hourhand {' '.join(arguments)}: {done.stderr or done.stdout}"
        return json.loads(done.stdout) if json_wanted else done.stdout

    def try_command(self, *arguments: str, stdin: str = "", **settings: str) -> Answer:
        """Run a command of `hourhand` to its end, whatever that is."""
        files = {name: self.folder.parent / f"command.{name}" for name in ("stdin", "stdout", "stderr")}
        files["stdin"].write_text(stdin)
        paths = {name: str(file) for name, file in files.items()}
        code = self.room.ask(arguments=arguments, environment=self.environment | settings, **paths)
        return Answer(code, files["stdout"].read_text(), files["stderr"].read_text())

    def look(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Rows as the superuser sees them: for looking alone."""
        server = embedded.Server(self.folder)
        with psycopg.connect(server.url("postgres"), autocommit=True, row_factory=dict_row) as connection:
            connection.execute("SET search_path = hourhand, queue, control")
            return connection.execute(sql, values).fetchall()


@contextmanager
def rehearsal(room: Room, at: datetime, **more: str) -> Iterator[Rehearsal]:
    """A rehearsal in memory-backed storage that leaves nothing behind: no process, no file."""
    folder = storage("e2e")
    clock = ShiftedClock(timedelta())
    with GmailEmulator(clock=clock) as gmail, ResendEmulator(clock=clock) as resend:
        made = Rehearsal(room, folder / "data", clock, gmail, resend, dict(more), port=free_port())
        made.go_to(at)
        try:
            yield made
        finally:
            for process in made.running:
                if process.alive:
                    process.end()
            if (made.folder / "postgres").exists():
                embedded.attach(made.folder).stop()
            shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


__all__ = ["Answer", "Hand", "Rehearsal", "free_port", "rehearsal", "until"]
