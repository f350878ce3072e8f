"""`hourhand brain` and `hourhand eval`: which models are asked, what they cost, and how well they answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, Limit, TenantName, WrongUse

CALL_COLUMNS = ("started_at", "question", "model", "outcome", "tokens_in", "tokens_cached", "tokens_out", "cost_usd",
                "latency_ms", "reason")  # fmt: skip
FIGURES = ("question", "by", "cases", "passed", "share", "threshold", "tokens_in", "tokens_out", "cost_usd")


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    group = typer.Typer(help="The brain: which models are asked, their budget, their calls.", no_args_is_help=True)
    group.command("status")(status)
    group.command("calls")(calls)
    app.add_typer(group, name="brain")
    app.command("eval")(evaluate)


def status(tenant: TenantName = None, as_json: Json = False) -> None:
    """Which models are asked and in which order, what they used of today's budget, and how they did this day."""
    from jobs import brain_status

    with visiting.visit(tenant) as at:
        told = brain_status.status(at.standing.house, at.tx)
    speaking.say({"tenant": at.slug, **told}, as_json)


def calls(
    tenant: TenantName = None,
    question: Annotated[str | None, typer.Option("--question", help="Only calls of this question.")] = None,
    outcome: Annotated[str | None, typer.Option("--outcome", help="Only calls that ended so.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List calls of models, newest first."""
    from domain import model_calls

    with visiting.visit(tenant) as at:
        rows = [speaking.plain(row) for row in
                model_calls.recent(at.tx, question=question, outcome=outcome, limit=limit)]  # fmt: skip
    speaking.table(rows, CALL_COLUMNS, as_json, empty=f"{at.slug}: no model was asked yet")


def evaluate(
    model: Annotated[
        str | None,
        typer.Option("--model", help="provider/name; without it the rulebook answers, and no house is needed."),
    ] = None,
    question: Annotated[str | None, typer.Option("--question", help="Only the cases of this question.")] = None,
    record: Annotated[Path | None, typer.Option("--record", help="Keep the model's answers in this file.")] = None,
    recorded: Annotated[Path | None, typer.Option("--recorded", help="Judge the answers kept in this file.")] = None,
    tenant: TenantName = None,
    failures: Annotated[bool, typer.Option("--failures", help="Show each case that failed.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Put the cases of every question to a model or to the rulebook; exit code 1 under a threshold."""
    from jobs import ask, evaluation

    if question is not None and question not in evaluation.NAMES:
        raise WrongUse(f"--question: {question!r} is none of {', '.join(evaluation.NAMES)}")
    if dry_run:
        count = sum(len(evaluation.cases(name)) for name in evaluation.NAMES if question in (None, name))
        speaking.say({"cases": count, "done": False}, as_json, sentence=f"would ask {count} cases")
        return
    if recorded is not None:
        found = evaluation.by_record(json.loads(recorded.read_text(encoding="utf-8")), question)
    elif model is None:
        found = evaluation.by_rulebook(question)
    else:
        kept: dict[str, str] = {}
        with visiting.house() as standing:
            with visiting.inside(standing, visiting.tenant_of(standing, tenant)) as tx:
                desk = evaluation.desk(standing.house, tx)
            try:
                found = evaluation.by_model(desk, model, question, record=kept)
            except ask.NotAsked as error:
                raise WrongUse(str(error)) from error
        if record is not None:
            record.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
    speaking.table([speaking.plain(each.figures) for each in found], FIGURES, as_json, empty="there are no such cases")
    if not as_json and not failures and any(each.failed for each in found):
        speaking.note("show what failed, and why: --failures")
    if failures and not as_json:
        for each in found:
            for case, why in each.failed:
                speaking.note(f"{each.question}/{case}: {why}")
    # what was held to nothing kept no threshold
    if not found or not all(each.is_enough for each in found):
        raise typer.Exit(1)
