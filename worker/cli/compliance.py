"""`hourhand compliance`: what records must hold by when, how each check stands, and a person's word about one."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, Limit, TenantName, WrongUse

if TYPE_CHECKING:
    from domain.compliance_checks import Check
    from domain.compliance_schedules import Schedule
    from domain.db import Tx

ScheduleName = Annotated[str, typer.Argument(metavar="SCHEDULE", help="Its id or name.")]
CheckId = Annotated[str, typer.Argument(metavar="CHECK", help="Its id.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stays with the check.")]
Fields = Annotated[list[str] | None, typer.Option("--require", help="A field that the record must hold; repeat it.")]
Where = Annotated[
    list[str] | None, typer.Option("--where", help="Whom it is about, such as country=PT,ES or has_orders=true.")
]
COLUMNS = ("id", "due_on", "state", "missing", "reminders", "client_id", "contact_id")


def register(app: typer.Typer) -> None:
    """Add it to the command line."""
    compliance = typer.Typer(
        help="Compliance: schedules, add, change, generate, checks, show, validate, complete, remind, escalate, waive, "
        "reopen, stats.",
        no_args_is_help=True,
    )
    for command in (schedules, add, change, generate, show, validate, complete, remind, escalate, waive, reopen, stats):
        compliance.command()(command)
    compliance.command("checks")(list_checks)
    app.add_typer(compliance, name="compliance")


def schedules(tenant: TenantName = None, as_json: Json = False) -> None:
    """List what is required of which records, and how often."""
    from domain import compliance_schedules

    with visiting.visit(tenant) as at:
        rows = [speaking.plain(each) for each in compliance_schedules.listed(at.tx)]
    speaking.table(rows, ("name", "frequency", "applies_to", "required_fields", "filter", "active", "next_on"), as_json,
                   empty="nothing is required of any record")  # fmt: skip


def add(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    every: Annotated[str, typer.Option("--every", help="monthly, quarterly, semi_annual or annual.")],
    of: Annotated[str, typer.Option("--of", help="client or contact.")],
    first: Annotated[str, typer.Option("--first", metavar="YYYY-MM-DD", help="The day of its first period.")],
    require: Fields = None,
    where: Where = None,
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Require something of records."""
    from domain import compliance_schedules

    try:
        anchor = date.fromisoformat(first)
    except ValueError as error:
        raise WrongUse(f"--first: {first!r} is no day: write it like 2027-03-31") from error
    with visiting.visit(tenant, dry_run=dry_run) as at:
        made = compliance_schedules.create(
            at.tx, name=name, frequency=every, applies_to=of, anchor_on=anchor, required_fields=require or [],
            filter=_filter(where),
        )  # fmt: skip
    _tell_schedule(made, "would require" if dry_run else "requires", dry_run, as_json)


def change(
    schedule: ScheduleName,
    rename: Annotated[str | None, typer.Option("--name", help="Its new name.")] = None,
    require: Fields = None,
    where: Where = None,
    active: Annotated[
        bool | None, typer.Option("--on/--off", help="Off: no further checks, and the open ones are withdrawn.")
    ] = None,
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Change a schedule, or switch it off or on; its open checks are judged by that at once."""
    from domain import compliance_changes

    with visiting.visit(tenant, dry_run=dry_run) as at:
        done = compliance_changes.change(
            at.tx, _schedule(at.tx, schedule).id, name=rename, required_fields=require, active=active,
            filter=_filter(where) if where else None,
        )  # fmt: skip
    counts = speaking.plain(done.reviewed)
    told = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
    _tell_schedule(done.schedule, "would require" if dry_run else "requires", dry_run, as_json, counts=counts,
                   then=f"; checks: {told}" if told else "")  # fmt: skip


def generate(
    schedule: ScheduleName, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False
) -> None:  # fmt: skip
    """Make the next checks of a schedule whose window is open; the hours do so by themselves."""
    from domain import compliance_generation

    with visiting.visit(tenant, dry_run=dry_run) as at:
        made = compliance_generation.generate(at.tx, _schedule(at.tx, schedule).id)
    speaking.say({"checks": made, "done": not dry_run}, as_json,
                 sentence=f"{'would make' if dry_run else 'made'} {made} checks")  # fmt: skip


def list_checks(
    tenant: TenantName = None,
    state: Annotated[str | None, typer.Option("--state", help="Only pending, reminded, overdue … ones.")] = None,
    schedule: Annotated[str | None, typer.Option("--schedule", help="Only of this one.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List checks, newest first."""
    from domain import compliance_checks

    if state is not None and state not in compliance_checks.STATES:
        raise WrongUse(f"--state: {state!r} is none of {', '.join(compliance_checks.STATES)}")
    with visiting.visit(tenant) as at:
        of = _schedule(at.tx, schedule).id if schedule else None
        found = compliance_checks.listed(at.tx, state=state, schedule_id=of, limit=limit)
        rows = [speaking.plain(each) for each in found]
    speaking.table(rows, COLUMNS, as_json, empty="there is no such check")


def show(check: CheckId, tenant: TenantName = None, as_json: Json = False) -> None:
    """Show a check: what it requires, what is missing, and what became of it."""
    from domain import compliance_checks

    with visiting.visit(tenant) as at:
        told: dict[str, Any] = speaking.plain(compliance_checks.get(at.tx, _id(check)))
    speaking.say(told, as_json)


def validate(check: CheckId, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Look at the record now; a check with nothing missing is completed."""
    from domain import compliance_validation

    with visiting.visit(tenant, dry_run=dry_run) as at:
        done = compliance_validation.complete(at.tx, _id(check))
    _tell(done, f"{done.state}; missing: {', '.join(done.missing) or 'nothing'}", dry_run, as_json)


def complete(check: CheckId, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Complete a check whose record holds all that is required."""
    from domain import compliance_validation
    from domain.compliance_checks import IllegalCheckMove

    with visiting.visit(tenant, dry_run=dry_run) as at:
        done = compliance_validation.complete(at.tx, _id(check))
        if done.state != "completed":
            raise IllegalCheckMove(f"the check is {done.state}: {', '.join(done.missing) or 'nothing'} is missing")
    _tell(done, "would be completed" if dry_run else "completed", dry_run, as_json)


def remind(check: CheckId, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Have what is missing asked for at the next hour, however often it was before."""
    from domain import compliance_checks

    with visiting.visit(tenant, dry_run=dry_run) as at:
        done = compliance_checks.remind(at.tx, _id(check))
    _tell(done, "would be asked for" if dry_run else "is asked for at the next hour", dry_run, as_json)


def escalate(check: CheckId, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Have a check whose day is over taken to the manager at the next hour, without waiting for its term."""
    from domain import compliance_life

    with visiting.visit(tenant, dry_run=dry_run) as at:
        done = compliance_life.hasten(at.tx, _id(check))
    _tell(
        done, "would be taken to the manager" if dry_run else "goes to the manager at the next hour", dry_run, as_json
    )


def waive(
    check: CheckId, reason: Reason, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False
) -> None:  # fmt: skip
    """Let a check be, for a reason."""
    from domain import compliance_checks

    with visiting.visit(tenant, dry_run=dry_run) as at:
        done = compliance_checks.waive(at.tx, _id(check), by=at.tx.actor, reason=reason)
    _tell(done, "would be waived" if dry_run else "waived", dry_run, as_json)


def reopen(
    check: CheckId, reason: Reason, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False
) -> None:  # fmt: skip
    """Take a waiver back: what is missing is asked for again."""
    from domain import compliance_checks

    with visiting.visit(tenant, dry_run=dry_run) as at:
        done = compliance_checks.reopen(at.tx, _id(check), reason=reason)
    _tell(done, "would be opened again" if dry_run else "is open again", dry_run, as_json)


def stats(tenant: TenantName = None, as_json: Json = False) -> None:
    """What is due, overdue and waived, and how much of it was in time, by schedule."""
    from domain import compliance_figures, compliance_schedules
    from domain.compliance_figures import Figures

    with visiting.visit(tenant) as at:
        told = compliance_figures.stats(at.tx)
        known = compliance_schedules.listed(at.tx)
    rows = [{"schedule": each.name, **_figures(told.get(each.id, Figures()))} for each in known]
    rows.append({"schedule": "all", **_figures(compliance_figures.total(told))})
    speaking.table(rows, tuple(rows[0]), as_json, empty="")


def _figures(told: Any) -> dict[str, Any]:
    return {**speaking.plain(told), "on_time_share": round(told.on_time_share, 4)}


def _tell(done: Check, sentence: str, dry_run: bool, as_json: bool) -> None:
    speaking.say({**speaking.plain(done), "done": not dry_run}, as_json, sentence=f"check of {done.due_on}: {sentence}")


def _tell_schedule(
    made: Schedule, verb: str, dry_run: bool, as_json: bool, *, counts: dict[str, Any] | None = None, then: str = ""
) -> None:  # fmt: skip
    when = f"next on {made.next_on}" if made.active else "and is switched off"
    sentence = f"{made.name} {verb} {', '.join(made.required_fields)} of each {made.applies_to}, {when}{then}"
    told = {**speaking.plain(made), "reviewing": made.reviewing, **(counts or {}), "done": not dry_run}
    speaking.say(told, as_json, sentence=sentence)


def _schedule(tx: Tx, told: str) -> Schedule:
    """The schedule that a person means. Raises UnknownSchedule."""
    from domain import compliance_schedules

    found = compliance_schedules.by_name(tx, told)
    if found is not None:
        return found
    try:
        return compliance_schedules.get(tx, UUID(told))
    except ValueError as error:
        raise compliance_schedules.UnknownSchedule(f"there is no compliance schedule {told!r}") from error


def _id(told: str) -> UUID:
    try:
        return UUID(told)
    except ValueError as error:
        raise WrongUse(f"CHECK: {told!r} is no id") from error


def _filter(told: list[str] | None) -> dict[str, Any]:
    """`country=PT,ES` as the verb takes it; true and false are truths, several values a list."""
    found: dict[str, Any] = {}
    for each in told or ():
        name, is_given, value = each.partition("=")
        if not is_given:
            raise WrongUse(f"--where: {each!r} has no value: write it like country=PT,ES")
        found[name.strip()] = json.loads(value) if value in ("true", "false") else _values(value)
    return found


def _values(value: str) -> str | list[str]:
    return [part.strip() for part in value.split(",")] if "," in value else value.strip()
