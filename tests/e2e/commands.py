"""A room in which commands of `hourhand` run, each in a process of its own that is forked off after the imports.

Importing takes longer than all the rest of a command, and a story gives dozens of them.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import psycopg  # noqa: F401 - what commands would load one after another is loaded once, here
import sqlalchemy.dialects.postgresql.psycopg  # noqa: F401

import worker.assembly  # noqa: F401
from worker import cli


def serve() -> None:
    """Take one command per line from stdin, as JSON, and answer with its exit code."""
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(asked)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(asked: dict[str, Any]) -> None:
    """In the child: the environment, the streams, the command; never returns."""
    code = 70
    try:
        os.environ.clear()
        os.environ.update(asked["environment"])
        for number, name, flags in (
            (0, "stdin", os.O_RDONLY),
            (1, "stdout", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
            (2, "stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        ):
            opened = os.open(asked[name], flags, 0o600)
            os.dup2(opened, number)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as the process
        cli.main(asked["arguments"])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
