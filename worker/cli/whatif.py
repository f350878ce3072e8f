"""`hourhand whatif set`: changed settings tried on the cards of the last days; nothing is changed."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import Json, Limit, TenantName
from worker.cli.tenants import assigned

SUMS = ("since", "tried", "unknown", "goes_out", "stopped", "otherwise")
RULE_COLUMNS = ("change", "rule", "decision", "cards")
CARD_COLUMNS = ("at", "change", "type", "title", "before", "after", "rule", "reason")
SAID = {"goes_out": "newly done", "stopped": "newly stopped", "otherwise": "stopped for another reason"}


def register(app: typer.Typer) -> None:
    """Add it to the command line."""
    group = typer.Typer(help="What if: try a changed policy on the last 30 days of cards.", no_args_is_help=True)
    group.command("set")(suppose)
    # with a single command typer would drop its name
    group.callback()(lambda: None)
    app.add_typer(group, name="whatif")


def suppose(
    assignments: Annotated[list[str], typer.Argument(metavar="NAME=VALUE...", help="Settings as they might be.")],
    tenant: TenantName = None,
    days: Annotated[int, typer.Option("--days", min=1, max=30, help="How far back.")] = 30,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List what would newly go out and newly be blocked, by rule; nothing is changed."""
    from jobs import whatif

    with visiting.visit(tenant) as at:
        told = whatif.ask(at.standing.house, at.tx, assigned(assignments), days=days, shown=limit)
    rows = list(whatif.rows(told))
    if as_json:
        numbers = {name: getattr(told, name) for name in SUMS}
        speaking.say({**numbers, "by_rule": rows, "cards": [speaking.plain(each) for each in told.cards]}, as_json)
        return
    since = speaking.cell(told.since)
    sums = f"{told.goes_out} would newly be done and {told.stopped} newly stopped"
    typer.echo(f"{at.slug}: of {told.tried} cards since {since}, {sums}")
    if told.unknown:
        typer.echo(f"of {told.unknown} nothing can be said: they were judged before facts were kept")
    sums_shown = [{**row, "change": SAID[row["change"]]} for row in rows]
    speaking.table(sums_shown, RULE_COLUMNS, as_json, empty="nothing would be different")
    if told.cards:
        typer.echo()
        shown = [{**speaking.plain(each), "change": SAID[each.change]} for each in told.cards]
        speaking.table(shown, CARD_COLUMNS, as_json, empty="")
