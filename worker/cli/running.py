"""Commands that keep running: the whole house, one more worker, and the demonstration."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import Json


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command()(up)
    app.command()(worker)
    app.command()(demo)


def up(as_json: Json = False) -> int:
    """Scheduler, worker and API in one process, until SIGTERM or Ctrl-C."""
    from worker import process, settings, telemetry

    told = settings.load()
    telemetry.configure(told.log_level)
    return process.up(told, announce=lambda sentence: _announce(sentence, as_json))


def worker(
    as_json: Json = False,
    no_scheduler: Annotated[bool, typer.Option("--no-scheduler", help="Only take jobs; tick elsewhere.")] = False,
) -> int:
    """One more worker on the same database, here or on another machine."""
    from worker import process, settings, telemetry

    told = settings.load()
    telemetry.configure(told.log_level)
    return process.worker(told, scheduler=not no_scheduler, announce=lambda sentence: _announce(sentence, as_json))


def demo(
    stop_after: Annotated[
        bool, typer.Option("--exit", envvar="DEMO_EXIT", help="Stop when the story is told; else the API stays up.")
    ] = False,
    as_json: Json = False,
) -> int:
    """Two companies, their mailboxes, several days of hours; then the API keeps running."""
    from worker import demonstration

    visiting.collect_garbage()
    return demonstration.run(exit_after=stop_after, as_json=as_json)


def _announce(sentence: str, as_json: bool) -> None:
    """Say that it stands; nearly all that will ever be imported has been."""
    visiting.collect_garbage()
    speaking.say({"up": sentence}, as_json, sentence=sentence)
