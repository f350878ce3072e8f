"""The stage of the demonstration: the real composition root on a data folder of its own, pointed at emulators."""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from domain.clock import Clock
from domain.house import House
from simulator.demo.stage import Endpoints
from worker import assembly, embedded, process, settings, telemetry
from worker.settings import Settings

FOLDER = "demo"
MARK = "this-is-a-demo"
LOG = "demo.log"
BRAKES = ("AGENT_KILL_SWITCH", "EMAIL_SEND_DISABLED", "EMAIL_SEND_MODE")
KEPT = ("HOURHAND_HOST", "HOURHAND_LOG_LEVEL")
ELSEWHERE = ("DATABASE_URL", "HOURHAND_MASTER_KEYS")
"""Settings that would lead a command away from the demonstration's own data."""


class NotADemo(Exception):
    """The folder holds data that is no demonstration's: choose another with HOURHAND_DATA_DIR."""


class BrakesOn(Exception):
    """A brake is set in this environment, so there is nothing to see: unset it for the demonstration."""


class Stage:
    """Lends the demonstration a house in `<data folder>/demo`, made anew each time; nothing else is touched."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder = folder
        self._port = port or _free_port()

    @property
    def command(self) -> str:
        """`hourhand` on this data, from another terminal in the same folder."""
        program = Path(sys.executable).with_name("hourhand")
        with contextlib.suppress(ValueError):
            program = program.relative_to(Path.cwd())
        unset = "".join(f"{name}= " for name in ELSEWHERE if os.environ.get(name))
        return f"{unset}HOURHAND_DATA_DIR={shlex.quote(str(self.folder))} {shlex.quote(str(program))}"

    @contextlib.contextmanager
    def open(self, clock: Clock, endpoints: Endpoints) -> Iterator[House]:
        """A house on an empty database with its API answering. Raises NotADemo, DataFolderHeld, PortTaken."""
        chosen = self._settings(endpoints)
        clear(self.folder)
        with (
            (self.folder / LOG).open("w", encoding="utf-8") as log,
            assembly.standing(chosen, hold=True, clock=clock) as standing,
            process.listening(chosen) as door,
        ):
            telemetry.configure(chosen.log_level, stream=log)
            api = process.Api(standing, door, telemetry.Metrics(standing.house))
            api.start()
            try:
                yield standing.house
            finally:
                api.stop()
                api.join(process.API_END_SECONDS)
                telemetry.configure("warning")

    def stay(self, endpoints: Endpoints, announce: Callable[[str], None]) -> int:
        """What `hourhand up` does, on the demonstration's data."""
        with (self.folder / LOG).open("a", encoding="utf-8") as log:
            telemetry.configure("info", stream=log)
            try:
                return process.up(self._settings(endpoints), announce=announce)
            finally:
                telemetry.configure("warning")

    def _settings(self, endpoints: Endpoints) -> Settings:
        return settings.load({
            **{name: os.environ[name] for name in KEPT if os.environ.get(name)},
            "HOURHAND_DATA_DIR": str(self.folder),
            "HOURHAND_PORT": str(self._port),
            "GMAIL_API_URL": endpoints.gmail_api_url,
            "GOOGLE_TOKEN_URL": endpoints.google_token_url,
            "RESEND_API_URL": endpoints.resend_api_url,
        })  # fmt: skip


def run(*, exit_after: bool, as_json: bool = False, end: datetime | None = None) -> int:
    """Show it; the exit code. Raises BrakesOn, NotADemo, DataFolderHeld, and BrokenPromise of the demonstration."""
    from simulator import demo

    on = [name for name in BRAKES if os.environ.get(name)]
    if on:
        raise BrakesOn(f"{', '.join(on)}: {BrakesOn.__doc__}")
    wished = os.environ.get("HOURHAND_PORT", "")
    stage = Stage(embedded.default_data_dir() / FOLDER, port=int(wished) if wished.isdigit() else None)
    return demo.run(stage, exit_after=exit_after, as_json=as_json, end=end)


def clear(folder: Path) -> None:
    """Begin with no database; only a folder that a demonstration made is ever cleared."""
    mark, server_data = folder / MARK, folder / "postgres"
    if server_data.exists() and not mark.exists():
        raise NotADemo(f"{folder}: {NotADemo.__doc__}")
    folder.mkdir(parents=True, exist_ok=True)
    mark.touch()
    if not server_data.exists():
        return
    import psycopg

    server = embedded.start(folder, since="clearing")
    try:
        with psycopg.connect(server.url(database="postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {embedded.DATABASE} WITH (FORCE)")
    finally:
        server.stop()


def _free_port() -> int:
    """The usual port, or where that is taken one that is free."""
    for wished in (8321, 0):
        with socket.socket() as door, contextlib.suppress(OSError):
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(("127.0.0.1", wished))
            return int(door.getsockname()[1])
    raise process.PortTaken(process.PortTaken.__doc__)
