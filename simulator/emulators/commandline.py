"""What the emulators share when each runs as a process of its own."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from domain.clock import SystemClock


def options(caption: str, arguments: list[str] | None, *more: tuple[str, str]) -> Any:
    """Parse `--port`, `--log`, repeated `--account`, and `more` (name, help); adds the system's clock."""
    parser = argparse.ArgumentParser(description=caption)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one and tells it")
    parser.add_argument("--log", type=Path, default=None, help="append each raw request to this file, one JSON a line")
    parser.add_argument("--account", dest="accounts", action="append", default=[], help="an API key or address to know")
    for name, text in more:
        parser.add_argument(name, default=None, help=text)
    parsed = parser.parse_args(arguments)
    parsed.clock = SystemClock()
    return parsed


def announce_and_wait(facts: dict[str, Any]) -> None:
    """Tell one JSON line on standard output, then stay until SIGTERM or SIGINT."""
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
    done.wait()
