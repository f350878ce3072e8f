"""`hourhand mail explain`: what we make of messages, one line of JSON each, so that anybody can check our reading."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from worker.cli import speaking
from worker.cli.speaking import Json, WrongUse

Paths = Annotated[
    list[Path] | None, typer.Argument(help="Messages as they were received (.eml), one to a file; or folders of them.")
]
Text = Annotated[bool, typer.Option("--text", help="Read bodies from stdin instead of messages from files.")]
JsonLines = Annotated[bool, typer.Option("--json-lines", help="With --text: each line is a JSON string, one body.")]
Region = Annotated[str, typer.Option("--region", help="Where national phone numbers and dates are taken to be from.")]


def explain(
    paths: Paths = None, text: Text = False, json_lines: JsonLines = False, region: Region = "US",
    as_json: Json = False,
) -> None:  # fmt: skip
    """What we make of messages: their class and flags, who wrote, what they ask for. Needs no database.

    With --json one object a line, a file each. With --text a body from stdin, or with --json-lines one on each line,
    answered in order.
    """
    if bool(paths) == text or (json_lines and not text):
        raise WrongUse("give files, or --text (with --json-lines) and bodies on stdin")
    missing = []
    for path in _files(paths or ()):
        answer = _of_file(path, region)
        if answer is None:
            missing.append(str(path))
        else:
            _tell(answer, as_json)
    for answer in _of_bodies(json_lines, region) if text else ():
        _tell(answer, as_json or json_lines)
    if missing:
        raise WrongUse(f"path: {', '.join(missing)} can't be read")


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """Each file by name; of a folder all that lie in it, at any depth, in order."""
    for path in paths:
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.is_file())
        else:
            yield path


def _of_file(path: Path, region: str) -> dict[str, Any] | None:
    from brain import reading

    try:
        return reading.explain(path, region=region)
    except OSError:
        return None  # told once the others are answered


def _of_bodies(json_lines: bool, region: str) -> Iterator[dict[str, Any]]:
    from brain import reading

    if not json_lines:
        yield reading.explain_text("".join(_lines()), region=region)
        return
    for line in _lines():
        try:
            body = json.loads(line)
        except ValueError:
            body = None
        if isinstance(body, str):
            yield reading.explain_text(body, region=region)
        elif line.strip():
            # every line has its answer, or those behind it would be taken for others'
            yield {**reading.explain_text("", region=region), "quarantined": "the line is no JSON string"}


def _lines() -> Iterable[str]:
    """Lines of stdin, whatever encoding the shell believes in."""
    raw = getattr(sys.stdin, "buffer", None)
    return sys.stdin if raw is None else (line.decode("utf-8", "replace") for line in raw)


def _tell(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        speaking.say(answer, as_json)
