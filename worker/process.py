"""The process that stays awake: scheduler, worker and API side by side, ended by a signal within twenty seconds."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import structlog

from domain import keys
from jobs import tick
from worker import assembly, telemetry
from worker.assembly import Standing
from worker.queue import Worker
from worker.scheduler import Scheduler
from worker.settings import Settings

if TYPE_CHECKING:
    import uvicorn

log = structlog.get_logger(__name__)

API_GRACE_SECONDS = 3
API_END_SECONDS = 5.0
WATCH_SECONDS = 1.0
UNFINISHED = 1


class OpenDoor(Exception):
    """No bind beyond this machine without an admin key: run `hourhand key create`, or set HOURHAND_HOST=127.0.0.1."""


class PortTaken(Exception):
    """Another program listens on that address: stop it, or choose another port with HOURHAND_PORT."""


def up(settings: Settings, *, announce: Callable[[str], None]) -> int:
    """Scheduler, worker and API in one process, until a signal; the exit code.

    Raises DataFolderHeld, OpenDoor, PortTaken, and what `assembly.standing` raises.
    """
    with assembly.standing(settings, hold=True) as standing:
        _refuse_open_door(standing)
        with listening(settings) as door:
            return _run(standing, door, scheduler=True, announce=announce)


def worker(settings: Settings, *, announce: Callable[[str], None], scheduler: bool = True) -> int:
    """One more worker on the same database, on this machine or another; it ticks when the one that does so ends."""
    with assembly.standing(settings) as standing:
        return _run(standing, None, scheduler=scheduler, announce=announce)


def _run(
    standing: Standing, door: socket.socket | None, *, scheduler: bool, announce: Callable[[str], None]
) -> int:  # fmt: skip
    house, settings = standing.house, standing.settings
    metrics = telemetry.Metrics(house)
    working = Worker(house, settings, metrics.count)
    ticking = Scheduler(house, depth=settings.queue_depth, count=metrics.count)
    api = Api(standing, door, metrics) if door is not None else None
    with signals() as signalled:
        tick.prepare(house.database)
        working.start()
        if scheduler:
            ticking.start()
        if api is not None:
            api.start()
        announce(_said(standing, door))
        log.info("process.up", holder=house.holder, scheduler=scheduler, api=api is not None)
        why = signalled(lambda: working.alive and (api is None or api.alive))
        log.info("process.leaving", why=why)
        house.leaving.set()
        ticking.stop()
        working.stop()
        if api is not None:
            api.stop()
        drained = working.join(settings.drain_seconds)
        answered = api is None or api.join(API_END_SECONDS)
    if drained and answered:
        log.info("process.down")
        return 0 if why.startswith("SIG") else UNFINISHED
    return _leave(standing)


def _leave(standing: Standing) -> int:
    """End with threads still at work: what they hold is freed by the database and taken up by the next process."""
    log.warning("process.down", unfinished=True, held=len(standing.house.locks.held()))
    if standing.server is not None:
        standing.server.stop()
    os._exit(UNFINISHED)


class Api:
    """uvicorn in a thread of its own, on a socket that is already bound."""

    def __init__(self, standing: Standing, door: socket.socket, metrics: telemetry.Metrics) -> None:
        import uvicorn

        from admin_api import app

        secret = standing.settings.cron_secret
        made = app.create(
            standing.house, cron_secret=secret.get_secret_value() if secret else None, metrics=metrics.text
        )
        config = uvicorn.Config(
            made, log_config=None, access_log=False, timeout_graceful_shutdown=API_GRACE_SECONDS, lifespan="auto"
        )
        self._server: uvicorn.Server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [door]}, name="api", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether it still answers."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what was asked and nothing new; returns at once."""
        self._server.should_exit = True

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the last answer; False when it has not come."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()


def _refuse_open_door(standing: Standing) -> None:
    if standing.settings.on_loopback:
        return
    with standing.house.database.wearing("control") as tx:
        now = tx.now
        alive = [key for key in keys.listed_house(tx) if key.role == "admin" and key.revoked_at is None]
    if not any(key.expires_at is None or key.expires_at > now for key in alive):
        raise OpenDoor(OpenDoor.__doc__)


@contextlib.contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """The API's door, bound and listening. Raises PortTaken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((settings.host, settings.port))
            door.listen(128)
        except OSError as error:
            raise PortTaken(f"{settings.host}:{settings.port}: {error.strerror}. {PortTaken.__doc__}") from error
        yield door


@contextlib.contextmanager
def signals() -> Iterator[Callable[[Callable[[], bool]], str]]:
    """A function that waits for SIGTERM, SIGINT or for `alive` to turn false, and says which it was.

    Through a pipe: a handler that took a lock could wait for the very thread that it interrupted.
    """
    reading, writing = os.pipe()
    names = {signal.SIGTERM: "SIGTERM", signal.SIGINT: "SIGINT"}
    before = {number: signal.signal(number, lambda got, _frame: _tell(writing, got)) for number in names}

    def wait(alive: Callable[[], bool]) -> str:
        while alive():
            if select.select([reading], [], [], WATCH_SECONDS)[0]:
                return names[signal.Signals(os.read(reading, 1)[0])]
        return "a part of the process ended by itself"

    try:
        yield wait
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)


def _tell(pipe: int, number: int) -> None:
    os.write(pipe, bytes([number]))


def _said(standing: Standing, door: socket.socket | None) -> str:
    where = f"data in {standing.settings.folder}" if standing.server is not None else "database at DATABASE_URL"
    if door is None:
        return f"Hourhand works ({where})"
    host, port = door.getsockname()[:2]
    return f"Hourhand is up at http://{f'[{host}]' if ':' in host else host}:{port} ({where})"
