"""`hourhand status` and `doctor`: how everything stands, and the exact mend for whatever does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import Json, TenantName

if TYPE_CHECKING:
    from domain.tenants import Tenant
    from worker.assembly import Standing

MARKS = {"ok": "✓", "note": "·", "warning": "!", "failed": "✗"}
COLUMNS = (
    "tenant",
    "agent",
    "mode",
    "last_cycle",
    "outcome",
    "next_slot",
    "waiting_for_approval",
    "alerts",
    "mailboxes",
    "missing",
)


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    app.command()(status)
    app.command()(doctor)


def status(tenant: TenantName = None, as_json: Json = False) -> None:
    """The switches, the queue, and each tenant: mode, last cycle, next slot, what waits for a person."""
    from domain import tenants

    with visiting.house(logs=False) as standing:
        database = standing.house.database
        chosen = [tenants.by_slug(database, tenant)] if tenant else tenants.listed(database, limit=200)
        told = _house(standing)
        rows = [_tenant(standing, each) for each in chosen]
    if as_json:
        speaking.say({**told, "tenants": rows}, as_json)
        return
    speaking.pairs(told)
    typer.echo()
    speaking.table(rows, COLUMNS, as_json, empty="there is no tenant yet: `hourhand tenant add <slug> --name <name>`")


def doctor(tenant: TenantName = None, as_json: Json = False) -> int:
    """Check everything that can be checked from here; exit code 1 when a check fails."""
    from worker import doctor as checking

    checks = checking.examine(tenant)
    if as_json:
        speaking.say(checks, as_json)
    else:
        for check in checks:
            typer.echo(f"{MARKS[check.verdict]} {check.name}: {check.told}")
            if check.mend:
                typer.echo(f"    mend: {check.mend}")
    return 1 if any(check.verdict == "failed" for check in checks) else 0


def _house(standing: Standing) -> dict[str, Any]:
    from domain import schedule, switches
    from jobs import backlog

    house = standing.house
    with visiting.control(standing) as tx:
        stopped = [switches.spoken(str(each["switch"])) for each in switches.states(tx) if each["stopped"]]
    on_schedule, late = schedule.lateness(house.database)
    return {
        "this_machine": house.brakes.stopped()
        or house.brakes.mail_stopped()
        or f"at most {house.brakes.send_mode.name}",
        "switches_off": stopped or "none",
        "tenants": on_schedule,
        "oldest_slot_waits_seconds": round(late),
        "queue": backlog.depth(house),
    }


def _tenant(standing: Standing, tenant: Tenant) -> dict[str, Any]:
    from domain import alerts, cards, mailboxes, runs, schedule, settings
    from worker import readiness

    with visiting.inside(standing, tenant) as tx:
        last = next(iter(runs.recent(tx, limit=1)), None)
        line = schedule.standing(tx)
        told = settings.of(tx)
        mode = min(told.mode, standing.house.brakes.send_mode).name
        return {
            "tenant": tenant.slug,
            "agent": "on" if tenant.agent_enabled else "off",
            "mode": mode,
            "last_cycle": last["started_at"] if last else None,
            "outcome": (last["outcome"] or last["phase"]) if last else None,
            "next_slot": line["next_due_at"] if line else None,
            "waiting_for_approval": len(cards.listed(tx, state="awaiting_approval", limit=1000)),
            "alerts": [alert.kind for alert in alerts.listed(tx)],
            "mailboxes": [f"{row.address} {row.status}" for row in mailboxes.listed(tx)],
            "missing": readiness.missing(standing, tx, told),
        }
