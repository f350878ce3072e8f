"""How commands speak: the options they share, JSON or a table, and one sentence for an error."""

from __future__ import annotations

import dataclasses
import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import typer

from worker.cli import branches

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and do nothing.")]
TenantName = Annotated[
    str | None, typer.Option("--tenant", "-t", help="The tenant's slug; not needed while there is only one.")
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="How many at most.")]

After = Annotated[UUID | None, typer.Option("--after", help="Go on behind the row with this id.")]

PIPE_WIDTH = 240
ROOMS = frozenset({
    "worker", "simulator", "admin_api", "jobs", "engines", "brain", "policy", "providers", "domain", "migrations",
})  # fmt: skip


class WrongUse(Exception):
    """The command can't be understood."""


def run(app: typer.Typer, arguments: Sequence[str]) -> int:
    """Run one command; its exit code."""
    from typer.exceptions import Abort, TyperException

    # so that a command which is told to go still stops the server that it started
    signal.signal(signal.SIGTERM, _go)
    try:
        code = branches.tree_for(app, arguments)(list(arguments), standalone_mode=False)
    except (Abort, KeyboardInterrupt):
        return _fail("stopped; nothing was done", arguments)
    except TyperException as error:
        return _fail(getattr(error, "format_message", error.__str__)(), arguments)
    except BrokenPipeError:
        return 0
    except Exception as error:  # noqa: BLE001 - this is where every error becomes a sentence and an exit code
        return _fail(_sentence(error), arguments) if _is_ours(error) else _unforeseen(error, arguments)
    return code if isinstance(code, int) else 0


def say(value: Any, as_json: bool, *, sentence: str = "") -> None:
    """Answer: JSON, else a sentence, else the value as lines."""
    if as_json:
        typer.echo(json.dumps(plain(value), ensure_ascii=False, default=str))
    elif sentence:
        typer.echo(sentence)
    elif isinstance(value, Mapping):
        pairs(value)
    else:
        typer.echo(str(value))


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], as_json: bool, *, empty: str) -> None:
    """Answer with rows: JSON has all of each, the table its `columns`."""
    if as_json:
        typer.echo(json.dumps([plain(row) for row in rows], ensure_ascii=False, default=str))
        return
    if not rows:
        typer.echo(empty)
        return
    from rich.console import Console
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        drawn.add_row(*(cell(row.get(column)) for column in columns))
    # a pipe has no width: lines are whole there
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, markup=False, highlight=False).print(drawn)


def page(rows: Sequence[Any], limit: int, columns: Sequence[str], as_json: bool, *, empty: str) -> None:
    """Answer with at most `limit` rows; where one more was found, say on stderr how to go on."""
    shown = [plain(row) for row in rows[:limit]]
    table(shown, columns, as_json, empty=empty)
    if len(rows) > limit:
        note(f"there are more: go on with --after {shown[-1]['id']}")


def pairs(value: Mapping[str, Any], *, indent: int = 0) -> None:
    """Names and values, one to a line."""
    for name, each in value.items():
        lead = " " * indent + name.replace("_", " ")
        if isinstance(each, Mapping) and each:
            typer.echo(f"{lead}:")
            pairs(each, indent=indent + 2)
        elif isinstance(each, list | tuple) and each and isinstance(each[0], Mapping):
            typer.echo(f"{lead}:")
            for one in each:
                typer.echo(" " * (indent + 2) + "; ".join(f"{k.replace('_', ' ')} {cell(v)}" for k, v in one.items()))
        else:
            typer.echo(f"{lead}: {cell(each)}")


def plain(value: Any) -> Any:
    """A value as JSON can hold it: rows, dataclasses and their like become objects; bytes become hexadecimal."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value


def note(text: str) -> None:
    """A remark beside the answer, on stderr."""
    typer.echo(text, err=True)


class progress:  # noqa: N801 - reads as the block that it is
    """Says on a terminal how far a command came, over and over on one line; a pipe and JSON are spared it."""

    def __init__(self, as_json: bool) -> None:
        self._shown = sys.stderr.isatty() and not as_json
        self._longest = 0

    def __enter__(self) -> Callable[[str], None]:
        return self._say

    def __exit__(self, *_: object) -> None:
        if self._longest:
            typer.echo("", err=True)

    def _say(self, text: str) -> None:
        if self._shown:
            self._longest = max(self._longest, len(text))
            typer.echo(f"\r{text:<{self._longest}}", err=True, nl=False)


def cell(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(cell(each) for each in value) or "–"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {cell(each)}" for name, each in value.items()) or "–"
    if hasattr(value, "strftime") and hasattr(value, "hour"):
        return str(value.strftime("%Y-%m-%d %H:%M:%S"))
    return str(value)


def _go(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _is_ours(error: Exception) -> bool:
    return type(error).__module__.split(".", 1)[0] in ROOMS


def _sentence(error: Exception) -> str:
    told = str(error.args[0]) if isinstance(error, LookupError) and error.args else str(error)
    return told.strip() or (type(error).__doc__ or type(error).__name__).strip()


def _fail(sentence: str, arguments: Sequence[str]) -> int:
    if "--json" in arguments:
        typer.echo(json.dumps({"error": sentence}, ensure_ascii=False), err=True)
    else:
        typer.echo(f"hourhand: {sentence}", err=True)
    return 2


def _unforeseen(error: Exception, arguments: Sequence[str]) -> int:
    import logging

    from worker.telemetry import scrubbed

    logging.getLogger(__name__).debug("unforeseen", exc_info=error)
    _fail(f"unforeseen: {type(error).__name__}: {scrubbed(str(error)).strip()} "
          "(HOURHAND_LOG_LEVEL=debug shows where)", arguments)  # fmt: skip
    sys.stderr.flush()
    return 1
