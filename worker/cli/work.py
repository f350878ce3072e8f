"""Commands about the agent's work: run or explain a cycle, read cards, runs and reflections, decide what waits."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, Limit, TenantName, WrongUse

if TYPE_CHECKING:
    from jobs.approvals import Shown

CardId = Annotated[UUID, typer.Argument(metavar="CARD", help="The card's id, as `hourhand cards` lists it.")]
CARD_COLUMNS = ("id", "type", "state", "title", "due_at", "rule", "reason")
RUN_COLUMNS = ("cycle_number", "kind", "started_at", "outcome", "mode", "planned", "executed", "blocked", "deferred",
               "held", "failed", "duration_ms")  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    for command in (cycle, cards, why, approve, reject, snooze, undo, runs, reflect):
        app.command()(command)


def cycle(
    tenant: TenantName = None,
    explain: Annotated[bool, typer.Option("--explain", help="What would happen and why; nothing is done.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Run one cycle now, behind every brake; or explain what it would do."""
    with visiting.house() as standing:
        found = visiting.tenant_of(standing, tenant)
        if explain or dry_run:
            from jobs import explain as explaining

            _explained({"tenant": found.slug, **explaining.cycle(standing.house, found.tenant_id)}, as_json)
            return
        from domain import runs as running
        from jobs import cycle as hour

        run_id = hour.run(standing.house, found.tenant_id, kind="manual")
        if run_id is None:
            told = standing.house.brakes.stopped() or "it is switched off, or another process has its cycle under way"
            speaking.say(
                {"tenant": found.slug, "run": None, "why": told}, as_json, sentence=f"{found.slug}: no cycle: {told}"
            )
            return
        with visiting.inside(standing, found) as tx:
            row = speaking.plain(running.get(tx, run_id))
    speaking.say({"tenant": found.slug, **row}, as_json, sentence=_hour(found.slug, row))


def cards(
    tenant: TenantName = None,
    state: Annotated[str | None, typer.Option("--state", help="Only cards in this state.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Only cards of this type.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List cards, newest first: what the agent means to do, does and did."""
    from domain import cards as kanban

    if state is not None and state not in kanban.MOVES:
        raise WrongUse(f"--state: {state!r} is none of {', '.join(sorted(kanban.MOVES))}")
    with visiting.visit(tenant) as at:
        rows = [speaking.plain(card) for card in kanban.listed(at.tx, state=state, kind=kind, limit=limit)]
    speaking.table(rows, CARD_COLUMNS, as_json, empty=f"{at.slug}: no such cards")


def why(card_id: CardId, tenant: TenantName = None, as_json: Json = False) -> None:
    """Why was this sent, held or refused? Every rule's verdict with its facts."""
    from jobs import explain

    with visiting.visit(tenant) as at:
        told = explain.why(at.tx, card_id)
    if as_json:
        speaking.say(told, as_json)
        return
    typer.echo(told["answer"])
    for judgement in told["judgements"]:
        typer.echo(f"\njudged {speaking.cell(judgement.get('at'))} ({judgement.get('stage', '')})")
        for verdict in judgement["verdicts"]:
            typer.echo(
                f"  {verdict['decision']:15} {verdict['rule']}: {verdict.get('reason') or verdict.get('sentence')}"
            )
    for each in told["records"]:
        typer.echo(f"\n{each['record']} {each['called']}: {each['stands'].replace('_', ' ')} ({each['id']})")
    if told["mail"]:
        typer.echo(f"\nmail ({told['mail']['state']}, {told['mail']['mode']}) to {', '.join(told['mail']['to'])}")
        typer.echo(f"  {told['mail']['subject']}")


def approve(
    card_id: CardId,
    tenant: TenantName = None,
    seen: Annotated[
        str | None, typer.Option("--seen", help="The hash of what you saw; without it you are shown it.")
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Approve a waiting card. The approval counts for exactly what was shown."""
    from jobs import approvals

    with visiting.house() as standing:
        found = visiting.tenant_of(standing, tenant)
        if seen is None:
            with visiting.inside(standing, found) as tx:
                shown = approvals.show(standing.house, tx, card_id)
            if dry_run or as_json or not _agrees(shown):
                speaking.say({**speaking.plain(shown), "done": False}, as_json, sentence="nothing was approved")
                return
            seen = shown.seen
        with visiting.inside(standing, found, dry_run=dry_run) as tx:
            card = approvals.approve(standing.house, tx, card_id, seen=seen, by=visiting.ACTOR)
    sentence = f"{'would approve' if dry_run else 'approved'} {card_id}; it goes out with the next cycle"
    speaking.say({**speaking.plain(card), "done": not dry_run}, as_json, sentence=sentence)


def reject(
    card_id: CardId,
    reason: Annotated[str, typer.Option("--reason", help="Why; the agent does not propose it again for a day.")],
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Refuse a waiting card."""
    from jobs import approvals

    with visiting.visit(tenant, dry_run=dry_run) as at:
        card = approvals.reject(at.tx, card_id, by=visiting.ACTOR, reason=reason)
    sentence = f"{'would refuse' if dry_run else 'refused'} {card_id}"
    speaking.say({**speaking.plain(card), "done": not dry_run}, as_json, sentence=sentence)


def snooze(
    card_id: CardId,
    hours: Annotated[float, typer.Option("--hours", min=0.1, max=720, help="For how long.")] = 24,
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Leave a waiting card unseen for a while."""
    from jobs import approvals

    with visiting.visit(tenant, dry_run=dry_run) as at:
        card = approvals.snooze(at.tx, card_id, until=at.tx.now + timedelta(hours=hours))
    sentence = f"{'would put off' if dry_run else 'put off'} {card_id} until {speaking.cell(card.not_before)}"
    speaking.say({**speaking.plain(card), "done": not dry_run}, as_json, sentence=sentence)


def undo(
    card_id: CardId,
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")],
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take back what a finished card changed; refused when somebody has changed the record since."""
    from domain import undo as undoing

    with visiting.visit(tenant, dry_run=dry_run) as at:
        card = undoing.undo(at.tx, card_id, by=visiting.ACTOR, reason=reason)
    how = undoing.BY_TYPE[card.type].how
    sentence = f"{'would take back' if dry_run else 'took back'} {card_id}: {how}"
    speaking.say({**speaking.plain(card), "done": not dry_run}, as_json, sentence=sentence)


def runs(
    tenant: TenantName = None,
    number: Annotated[int | None, typer.Option("--number", help="One cycle, with its ledger.")] = None,
    limit: Limit = 24,
    as_json: Json = False,
) -> None:
    """List cycles, newest first; or one with its ledger of obligations."""
    from domain import ledger
    from domain import runs as running

    with visiting.visit(tenant) as at:
        before = number + 1 if number is not None else None
        rows = [dict(row) for row in running.recent(at.tx, before=before, limit=1 if number is not None else limit)]
        if number is not None and (not rows or rows[0]["cycle_number"] != number):
            raise WrongUse(f"--number: {at.slug} has no cycle {number}")
        lines = [dict(line) for line in ledger.lines(at.tx, rows[0]["id"])] if number is not None else []
    if number is None:
        speaking.table([speaking.plain(row) if as_json else row for row in rows], RUN_COLUMNS, as_json,
                       empty=f"{at.slug}: no cycle yet")  # fmt: skip
    else:
        speaking.say({**rows[0], "ledger": lines}, as_json)


def reflect(tenant: TenantName = None, limit: Limit = 1, as_json: Json = False) -> None:
    """What changed, what moved the numbers, what was blocked, what comes next: the latest reflections."""
    from domain import reflections

    with visiting.visit(tenant) as at:
        rows = [dict(row) for row in reflections.recent(at.tx, limit=limit)]
    if as_json:
        speaking.say(rows, as_json)
        return
    for row in rows:
        typer.echo(f"{at.slug}, {speaking.cell(row['period_start'])} – {speaking.cell(row['period_end'])}")
        typer.echo(row["text"])
    if not rows:
        typer.echo(f"{at.slug}: no reflection yet")


def _explained(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        speaking.say(told, as_json)
        return
    if told["stopped"] or told["closed_switches"]:
        typer.echo(f"stopped: {told['stopped'] or ', '.join(told['closed_switches'])}")
    typer.echo(f"{told['tenant']}: {told['obligations']} obligations due, {len(told['cards'])} cards")
    columns = ("decision", "type", "title", "rule", "reason", "until")
    speaking.table(told["cards"], columns, as_json, empty="nothing would be done")


def _hour(slug: str, row: dict[str, Any]) -> str:
    counts = ", ".join(
        f"{row[name]} {name}" for name in ("planned", "executed", "held", "blocked", "deferred", "failed")
    )
    return f"{slug}: cycle {row['cycle_number']} {row['outcome']} in {row['duration_ms']} ms ({row['mode']}): {counts}"


def _agrees(shown: Shown) -> bool:
    typer.echo(f"To: {', '.join(shown.to)}\nSubject: {shown.subject}\n\n{shown.text}\n")
    typer.echo(f"It waits because {shown.reason}")
    return typer.confirm("Approve it?")
