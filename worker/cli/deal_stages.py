"""`hourhand deals stages` and `set-stages`: the stages of a tenant's deals, shown and set as a whole."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, TenantName, WrongUse

if TYPE_CHECKING:
    from domain.deal_stages import Stage

COLUMNS = ("key", "name", "win_probability", "stall_days", "follow_up_days", "shown_by")
NEEDED = ("key", "name", "win_probability", "stall_days", "follow_up_days")


def stages(tenant: TenantName = None, as_json: Json = False) -> None:
    """List the stages of deals in their order; as JSON, in the form that `set-stages` takes."""
    from domain import deal_stages

    with visiting.visit(tenant) as at:
        rows = [speaking.plain(each) for each in deal_stages.of(at.tx)]
    speaking.table(rows, COLUMNS, as_json, empty="there are no stages")


def set_stages(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A JSON list, first stage to last; - reads stdin.")],
    renamed: Annotated[list[str] | None, typer.Option(
        "--renamed", metavar="OLD=NEW", help="Where deals of a stage that goes are moved; may be repeated.")] = None,
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Set the stages of deals as a whole: key, name, win_probability, stall_days, follow_up_days and shown_by of each.

    Due dates of open deals follow at once.
    """
    from domain import deal_stages

    wished = [_stage(told, at) for at, told in enumerate(_read(file), 1)]
    moved = dict(_pair(each) for each in renamed or ())
    with visiting.visit(tenant, dry_run=dry_run) as visit:
        made = deal_stages.configure(visit.tx, wished, renamed=moved)
        rows = [speaking.plain(each) for each in made]
    sentence = f"{'would set' if dry_run else 'set'} {', '.join(each.key for each in made)}"
    speaking.say({"stages": rows, "done": not dry_run}, as_json, sentence=sentence)


def _read(file: str) -> list[Any]:
    try:
        told = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongUse(f"FILE: {file} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise WrongUse(f"FILE: it is no JSON: {error}") from error
    if not isinstance(told, list):
        raise WrongUse("FILE: a list of stages, first to last")
    return told


def _stage(told: Any, at: int) -> Stage:
    from decimal import Decimal, InvalidOperation

    from domain.deal_stages import Stage

    if not isinstance(told, Mapping) or any(told.get(name) in (None, "") for name in NEEDED):
        raise WrongUse(f"stage {at}: it needs {', '.join(NEEDED)}")
    if unknown := set(told) - {*NEEDED, "shown_by", "position"}:
        raise WrongUse(f"stage {at}: {', '.join(sorted(unknown))}: a stage has no such field")
    try:
        return Stage(
            str(told["key"]), str(told["name"]), 0, Decimal(str(told["win_probability"])), int(told["stall_days"]),
            int(told["follow_up_days"]), tuple(told.get("shown_by") or ()),
        )  # fmt: skip
    except (ValueError, TypeError, InvalidOperation) as error:
        raise WrongUse(f"stage {at}: a probability such as 0.25, and whole days") from error


def _pair(told: str) -> tuple[str, str]:
    old, is_, new = told.partition("=")
    if not (old and is_ and new):
        raise WrongUse(f"--renamed: {told!r} is not OLD=NEW")
    return old, new
