"""Staff: real processes of Hourhand on one database, forked off after the imports so that one more costs little."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil

from domain.clock import SystemClock
from domain.vault import Vault
from tests import gears
from tests.log_watch import WATCH
from worker.key_ring import parse_keys

ROOT = Path(__file__).parents[1]
MASTER_KEYS = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
VAULT = Vault(parse_keys(MASTER_KEYS))
CLOCK = SystemClock()
OURS = ("HOURHAND_", "AGENT_", "EMAIL_SEND_", "DATABASE_", "GOOGLE_", "GMAIL_", "RESEND_", "SMTP_", "CRON_")
QUICK = {
    "HOURHAND_PORT": "0", "HOURHAND_POLL_SECONDS": "0.1", "HOURHAND_HEARTBEAT_SECONDS": "0.5",
    "HOURHAND_STALLED_SECONDS": "3", "HOURHAND_MASTER_KEYS": MASTER_KEYS,
}  # fmt: skip
"""Settings under which the living soon notice that somebody died."""

Found = TypeVar("Found")


class Room:
    """Where processes are forked off: see `tests/e2e/commands.py`."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.commands"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def ask(self, **asked: Any) -> Any:
        """One order, and its answer."""
        with self._mutex:
            assert self._popen.stdin is not None
            assert self._popen.stdout is not None
            self._popen.stdin.write(json.dumps(asked) + "\n")
            self._popen.stdin.flush()
            return json.loads(self._popen.stdout.readline())

    def close(self) -> None:
        """End the room, and whatever still runs in it."""
        with self._popen:
            if self._popen.stdin is not None:
                self._popen.stdin.close()


@dataclass
class Hand:
    """One process of the staff."""

    room: Room
    pid: int
    said: Path
    log: Path
    code: int | None = None

    def up(self) -> str:
        """Wait until it says that it is up; its sentence."""
        line = until(lambda: self.said.read_text() or not self.alive, what=lambda: f"process {self.pid}; {self.told()}")
        assert isinstance(line, str), self.told()
        return str(json.loads(line)["up"])

    @property
    def alive(self) -> bool:
        """Whether it still runs, be it paused."""
        if self.code is None:
            self.code = self.room.ask(ended=self.pid)
        return self.code is None

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9."""
        self.tell(signal.SIGKILL)
        self.ended()

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Tell it to end; its exit code, and how many seconds it took."""
        began = CLOCK.monotonic()
        self.tell(number)
        return self.ended(), CLOCK.monotonic() - began

    def ended(self) -> int:
        """Wait for its end; its exit code, which for a signal is the signal's number below zero."""
        until(lambda: not self.alive, what=lambda: f"the end of {self.pid}; {self.told()}", pause_seconds=0.02)
        assert self.code is not None
        return self.code

    def events(self) -> list[str]:
        """What it logged."""
        return [json.loads(line)["event"] for line in self.log.read_text().splitlines() if line.startswith("{")]

    def wait_for(self, event: str) -> None:
        """Until it has logged this."""
        until(lambda: event in self.events(), what=lambda: f"{event}; {self.told()}")

    def wait_until_paused(self) -> None:
        """Until it stands still (SIGSTOP)."""
        process = psutil.Process(self.pid)
        until(lambda: process.status() == "stopped", what=lambda: f"the pause of {self.pid}; {self.told()}")

    def told(self) -> str:
        """The end of its log, for an assertion's message."""
        return self.log.read_text(errors="replace")[-4_000:]


@dataclass
class Staff:
    """The processes of one house, with the settings that all of them get."""

    room: Room
    folder: Path
    settings: dict[str, str]
    hands: list[Hand] = field(default_factory=list)

    def start(self, *arguments: str, module: str = "", **settings: str) -> Hand:
        """One more process: a command of `hourhand`, or the `main` of a module. It may not be up yet."""
        said, log = (self.folder / f"{len(self.hands)}.{kind}" for kind in ("said", "log"))
        said.touch()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        pid = self.room.ask(
            arguments=[*arguments, "--json"], stay=True, stdin=os.devnull, stdout=str(said), stderr=str(log),
            environment={**kept, **QUICK, "HOURHAND_DATA_DIR": str(self.folder / "data"), **self.settings, **settings},
            **({"module": module} if module else {}),
        )  # fmt: skip
        hand = Hand(self.room, pid, said, log)
        self.hands.append(hand)
        return hand

    def dismiss(self) -> None:
        """Leave nothing running; what they logged is shown by pytest where the test failed."""
        for hand in self.hands:
            if hand.alive:
                hand.kill()
            for line in hand.log.read_text(errors="replace").splitlines():
                WATCH.look(line)
            sys.stderr.write(f"--- {hand.pid}\n{hand.told()}\n")


@contextmanager
def employed(room: Room, **settings: str) -> Iterator[Staff]:
    """Staff in a folder of its own; nothing of it is left after the block."""
    folder = storage("staff")
    staff = Staff(room, folder, settings)
    try:
        yield staff
    finally:
        staff.dismiss()
        shutil.rmtree(folder, ignore_errors=True)


def storage(name: str) -> Path:
    """A new folder in memory-backed storage that the database's own user may enter."""
    made = Path(tempfile.mkdtemp(prefix=f"{gears.PREFIX}{name}-", dir=gears.storage()))
    made.chmod(0o755)
    return made


def until(
    look: Callable[[], Found], *, seconds: float = 90.0, what: Callable[[], object] = str, pause_seconds: float = 0.1
) -> Found:  # fmt: skip
    """What `look` returns once it is true; `what` tells how it stands when it never does."""
    deadline = CLOCK.monotonic() + seconds
    while not (found := look()):
        assert CLOCK.monotonic() < deadline, f"it did not come to pass: {what()}"
        CLOCK.wait(pause_seconds)
    return found


def loopback_settings(vendor_url: str, shift_seconds: float) -> Mapping[str, str]:
    """Settings of a rehearsal: every vendor is at one address on loopback, and the clock is moved."""
    return {
        "RESEND_API_URL": vendor_url, "GMAIL_API_URL": vendor_url, "GOOGLE_TOKEN_URL": f"{vendor_url}/token",
        "HOURHAND_CLOCK_SHIFT_SECONDS": str(round(shift_seconds)),
    }  # fmt: skip
