"""A room in which `hourhand` runs, each time in a process of its own that is forked off after the imports.

Importing takes longer than all the rest of a command, and a story gives dozens of them.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
from typing import Any

import psycopg  # noqa: F401 - what commands would load one after another is loaded once, here
import sqlalchemy.dialects.postgresql.psycopg  # noqa: F401

import jobs.cycle
import jobs.ingest  # noqa: F401
import worker.assembly  # noqa: F401
from worker import cli

LOADED_FOR_STAYING = (
    "worker.process", "worker.queue", "worker.hands", "engines.registry", "providers.resend", "admin_api.app",
    "resend.exceptions", "certifi",
)  # fmt: skip


def serve() -> None:
    """Take one order per line from stdin, as JSON, and answer each with a line, until stdin closes.

    A command is answered with its exit code; with `stay`, one that keeps running is answered with its pid. `ended` asks
    for the exit code of such a one, which is null while it runs; what still runs at the end is killed.
    """
    staying: set[int] = set()
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        if "ended" in asked:
            answer = _ended(asked["ended"], staying)
        elif asked.get("stay"):
            for name in LOADED_FOR_STAYING:
                importlib.import_module(name)
            answer = os.fork()
            if answer == 0:
                # ends as any process does: atexit, threads and all
                sys.exit(_run(asked))
            staying.add(answer)
        else:
            child = os.fork()
            if child == 0:
                _run_and_vanish(asked)
            _, status = os.waitpid(child, 0)
            answer = os.waitstatus_to_exitcode(status)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()
    for pid in staying:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _ended(pid: int, staying: set[int]) -> int | None:
    done, status = os.waitpid(pid, os.WNOHANG)
    if not done:
        return None
    staying.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _run_and_vanish(asked: dict[str, Any]) -> None:
    """In the child: as quick an end as there is; never returns."""
    code = 70
    try:
        code = _run(asked)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _run(asked: dict[str, Any]) -> int:
    """In the child: the environment, the streams, the command; its exit code."""
    os.environ.clear()
    os.environ.update(asked["environment"])
    for number, name, flags in (
        (0, "stdin", os.O_RDONLY),
        (1, "stdout", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, "stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        opened = os.open(asked[name], flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process
    try:
        if "module" in asked:
            importlib.import_module(asked["module"]).main(asked["arguments"])
        else:
            cli.main(asked["arguments"])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


if __name__ == "__main__":
    serve()
