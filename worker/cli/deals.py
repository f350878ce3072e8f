"""`hourhand deals`: what is open, where it stands and why, and a person's word that moves or closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from worker.cli import deal_stages, speaking, visiting
from worker.cli.speaking import After, DryRun, Json, Limit, TenantName, WrongUse

if TYPE_CHECKING:
    from domain.db import Tx
    from domain.deals import Deal

DealName = Annotated[str, typer.Argument(metavar="DEAL", help="Its id, or the reference that another system gave it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it goes into the deal's history.")]
COLUMNS = ("id", "title", "value", "currency", "stage", "state", "stalled_at", "follow_ups", "follow_up_due_at",
           "next_step")  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    deals = typer.Typer(
        help="Deals: list, show, stage, win, lose, reopen, off, on, stats, stages, set-stages.", no_args_is_help=True
    )
    deals.command("list")(list_deals)
    for command in (show, stage, win, lose, reopen, off, on, stats, deal_stages.stages, deal_stages.set_stages):
        deals.command()(command)
    app.add_typer(deals, name="deals")


def list_deals(
    tenant: TenantName = None,
    state: Annotated[str, typer.Option("--state", help="open, won, lost or all.")] = "open",
    stalled: Annotated[bool, typer.Option("--stalled", help="Only those that stand still.")] = False,
    due: Annotated[bool, typer.Option("--due", help="Only whose follow-up is due by now.")] = False,
    limit: Limit = 50,
    after: After = None,
    as_json: Json = False,
) -> None:
    """List deals, oldest first."""
    from domain import deals

    if state not in ("open", "won", "lost", "all"):
        raise WrongUse(f"--state: {state!r} is none of open, won, lost, all")
    with visiting.visit(tenant) as at:
        rows = deals.listed(at.tx, state=None if state == "all" else state, stalled=stalled or None, due=due,
                            after=after, limit=limit + 1)  # fmt: skip
    speaking.page(rows, limit, COLUMNS, as_json, empty=f"{at.slug}: no such deals")


def show(deal: DealName, tenant: TenantName = None, as_json: Json = False) -> None:
    """Show a deal: where it has been and why, what happened around it, its quotes and what it has become."""
    from domain import agreements, deal_activity, deals

    with visiting.visit(tenant) as at:
        found = _named(at.tx, deal)
        told: dict[str, Any] = {
            **speaking.plain(found),
            "history": [speaking.plain(dict(row)) for row in deals.history(at.tx, found.id)],
            "activity": [speaking.plain(dict(row)) for row in deal_activity.listed(at.tx, found.id)],
            "records": [speaking.plain(each) for each in agreements.around(at.tx, "deal", str(found.id))],
        }
    speaking.say(told, as_json)


def stage(
    deal: DealName,
    to: Annotated[str, typer.Argument(metavar="STAGE", help="The stage's key or name.")],
    evidence: Annotated[str, typer.Option("--evidence", help="What shows it; it goes into the deal's history.")],
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Move an open deal to another stage."""
    from domain import deals

    with visiting.visit(tenant, dry_run=dry_run) as at:
        shown = deals.by_person(at.tx, evidence)
        moved = deals.advance(at.tx, _named(at.tx, deal).id, to, evidence=shown)
    _said(moved, f"to {moved.stage}", "move", "moved", dry_run, as_json)


def win(
    deal: DealName, reason: Reason, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Close a deal as won."""
    from domain import deals

    with visiting.visit(tenant, dry_run=dry_run) as at:
        told = deals.by_person(at.tx, reason)
        won = deals.win(at.tx, _named(at.tx, deal).id, evidence=told, reason=reason)
    _said(won, "as won", "close", "closed", dry_run, as_json)


def lose(
    deal: DealName, reason: Reason, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Close a deal as lost."""
    from domain import deals

    with visiting.visit(tenant, dry_run=dry_run) as at:
        told = deals.by_person(at.tx, reason)
        lost = deals.lose(at.tx, _named(at.tx, deal).id, evidence=told, reason=reason)
    _said(lost, "as lost", "close", "closed", dry_run, as_json)


def reopen(
    deal: DealName, reason: Reason, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False
) -> None:  # fmt: skip
    """Take a closed deal up again, in the stage that it was closed in."""
    from domain import deals

    with visiting.visit(tenant, dry_run=dry_run) as at:
        told = deals.by_person(at.tx, reason)
        taken = deals.reopen(at.tx, _named(at.tx, deal).id, evidence=told)
    _said(taken, f"in {taken.stage}", "take up", "took up", dry_run, as_json)


def off(
    deal: DealName, reason: Reason, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Leave a deal to people: the agent writes nothing about it any more."""
    _switch(deal, tenant, dry_run, as_json, on=False, reason=reason)


def on(deal: DealName, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Let the agent work on a deal again."""
    _switch(deal, tenant, dry_run, as_json, on=True, reason=None)


def stats(tenant: TenantName = None, as_json: Json = False) -> None:
    """Count the pipeline: open, stalled, weighted by currency, win rate, days in each stage, what follow-ups bring."""
    from domain import pipeline

    with visiting.visit(tenant) as at:
        told = pipeline.stats(at.tx)
    speaking.say({**speaking.plain(told), "win_rate": told.win_rate, "follow_up_yield": told.follow_up_yield}, as_json)


def _switch(deal: str, tenant: str | None, dry_run: bool, as_json: bool, *, on: bool, reason: str | None) -> None:
    from domain import deals

    with visiting.visit(tenant, dry_run=dry_run) as at:
        switched = deals.switch(at.tx, _named(at.tx, deal).id, on=on, reason=reason)
    _said(switched, "on" if on else "off", "switch", "switched", dry_run, as_json)


def _said(deal: Deal, how: str, would: str, did: str, dry_run: bool, as_json: bool) -> None:
    sentence = f"{f'would {would}' if dry_run else did} {deal.title!r} {how}"
    speaking.say({**speaking.plain(deal), "done": not dry_run}, as_json, sentence=sentence)


def _named(tx: Tx, told: str) -> Deal:
    """The deal that a person means."""
    from domain import deals

    found = deals.by_external_id(tx, told)
    if found is None:
        try:
            found = deals.get(tx, UUID(told))
        except ValueError:
            found = None
    if found is None:
        raise deals.UnknownDeal(f"there is no deal {told!r}")
    return found
