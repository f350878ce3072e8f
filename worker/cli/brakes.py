"""`hourhand kill` and `resume`: every level of the kill switch; a stop answers when nothing is in flight any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, WrongUse

if TYPE_CHECKING:
    from domain.switches import Switch
    from worker.assembly import Standing

OneTenant = Annotated[str | None, typer.Option("--tenant", "-t", help="Only this tenant; without it, the whole house.")]
Mail = Annotated[bool, typer.Option("--mail", help="Mail alone; everything else goes on.")]
Engine = Annotated[str | None, typer.Option("--engine", help="One engine alone.")]
Action = Annotated[str | None, typer.Option("--action", help="One type of action alone.")]
Host = Annotated[bool, typer.Option("--host", help="This machine alone, by a flag file; works without the database.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")]

STILL_IN_FLIGHT = 3


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command()(kill)
    app.command()(resume)


def kill(
    reason: Reason = "",
    tenant: OneTenant = None,
    mail: Mail = False,
    engine: Engine = None,
    action: Action = None,
    host: Host = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Stop: the house, a tenant, mail, an engine or an action. Exit code 3 while something is still in flight."""
    if host:
        _flag(reason, raised=True, dry_run=dry_run, as_json=as_json)
        return 0
    if not reason.strip():
        raise WrongUse("--reason: say why; it goes into the audit log")
    from domain import switches

    with visiting.house() as standing:
        switch, named = _switch(standing, tenant, mail=mail, engine=engine, action=action)
        if dry_run:
            speaking.say({"switch": named, "done": False}, as_json, sentence=f"would stop {named}")
            return 0
        flip = switches.stop(standing.house.database, switch, by=visiting.ACTOR, reason=reason)
    told = {"switch": named, **speaking.plain(flip), "done": True}
    if flip.settled:
        speaking.say(told, as_json, sentence=f"{named} is stopped; nothing is in flight")
        return 0
    cards = ", ".join(str(each.card_id) for each in flip.in_flight)
    speaking.say(
        told, as_json, sentence=f"{named} is stopping: nothing new starts, {len(flip.in_flight)} in flight {cards}"
    )
    return STILL_IN_FLIGHT


def resume(
    reason: Reason = "",
    tenant: OneTenant = None,
    mail: Mail = False,
    engine: Engine = None,
    action: Action = None,
    host: Host = False,
    yes: Annotated[
        int, typer.Option("--yes", "-y", count=True, help="Don't ask; resuming everything takes it twice.")
    ] = 0,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Let it go on. Resuming everything asks twice."""
    if host:
        _flag(reason, raised=False, dry_run=dry_run, as_json=as_json)
        return
    if not reason.strip():
        raise WrongUse("--reason: say why; it goes into the audit log")
    from domain import switches

    with visiting.house() as standing:
        switch, named = _switch(standing, tenant, mail=mail, engine=engine, action=action)
        if dry_run:
            speaking.say({"switch": named, "done": False}, as_json, sentence=f"would resume {named}")
            return
        if switch.level == "all" and switch.tenant_id is None:
            _ask_twice(yes, as_json=as_json)
        switches.resume(standing.house.database, switch, by=visiting.ACTOR, reason=reason)
    speaking.say({"switch": named, "stopped": False, "done": True}, as_json, sentence=f"{named} goes on")


def _switch(
    standing: Standing, tenant: str | None, *, mail: bool, engine: str | None, action: str | None
) -> tuple[Switch, str]:
    from domain.switches import Switch

    if sum((mail, engine is not None, action is not None)) > 1:
        raise WrongUse("choose one of --mail, --engine and --action")
    found = visiting.tenant_of(standing, tenant) if tenant else None
    tenant_id = found.tenant_id if found else None
    whose = f"of {found.slug}" if found else "of the whole house"
    if mail:
        return Switch(tenant_id, "mail"), f"mail {whose}"
    if engine is not None:
        return Switch(tenant_id, "engine", _known(engine, _engines(), "--engine")), f"engine {engine} {whose}"
    if action is not None:
        return Switch(tenant_id, "action", action), f"action {action} {whose}"
    return Switch(tenant_id, "all"), f"everything {whose}"


def _engines() -> frozenset[str]:
    from engines.registry import ENGINES

    return frozenset(engine.name for engine in ENGINES)


def _known(name: str, names: frozenset[str], option: str) -> str:
    if name not in names:
        raise WrongUse(f"{option}: {name!r} is none of {', '.join(sorted(names))}")
    return name


def _ask_twice(yes: int, *, as_json: bool) -> None:
    questions = ("Resume everything, for every tenant?", "Really? Whatever is due goes out within the hour.")
    if as_json and yes < len(questions):
        raise WrongUse("--yes: resuming everything is asked twice: say -y -y")
    for question in questions[yes:]:
        typer.confirm(question, abort=True, err=True)


def _flag(reason: str, *, raised: bool, dry_run: bool, as_json: bool) -> None:
    from worker import assembly, settings

    path = assembly.brakes(settings.load()).flag_file
    assert path is not None
    if not dry_run and raised:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{reason}\n", encoding="utf-8")
    elif not dry_run:
        path.unlink(missing_ok=True)
    verb = ("would stop" if raised else "would resume") if dry_run else ("is stopped on" if raised else "goes on on")
    sentence = f"{verb} this machine ({path})" if dry_run else f"everything {verb} this machine ({path})"
    speaking.say(
        {"switch": "host", "file": str(path), "stopped": raised, "done": not dry_run}, as_json, sentence=sentence
    )
