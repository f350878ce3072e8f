"""`hourhand alerts`: see them, acknowledge, end or mute them, and see what was posted of them to the webhook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, Limit, TenantName, WrongUse

if TYPE_CHECKING:
    from domain.alerts import Book
    from domain.db import Tx

OfTheHouse = Annotated[bool, typer.Option("--house", help="The alerts about all of it, instead of a tenant's.")]
AlertId = Annotated[UUID, typer.Argument(metavar="ALERT", help="Its id, as `alerts list` shows it.")]
KindName = Annotated[str, typer.Argument(metavar="KIND", help="Such as gmail_quota, without what it is about.")]
COLUMNS = ("id", "kind", "severity", "state", "opened_at", "message")


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    group = typer.Typer(help="Alerts: list, ack, resolve, mute, unmute, deliveries, replay.", no_args_is_help=True)
    group.command("list")(list_alerts)
    group.command()(ack)
    group.command()(resolve)
    group.command()(mute)
    group.command()(unmute)
    group.command()(deliveries)
    group.command()(replay)
    app.add_typer(group, name="alerts")


def list_alerts(
    tenant: TenantName = None,
    house: OfTheHouse = False,
    past: Annotated[bool, typer.Option("--past", help="Those that are over, too.")] = False,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List alerts, newest first, with what was measured."""
    from domain import alerts

    states = ("open", "acknowledged", *(("resolved",) if past else ()))
    with _desk(tenant, house) as (tx, book):
        rows = [speaking.plain(alert) for alert in alerts.listed(tx, states=states, limit=limit, book=book)]
        silenced = [speaking.plain(each) for each in alerts.muted(tx, book=book)]
    speaking.table(rows, COLUMNS, as_json, empty="there is no alert" if house else "there is no alert of this tenant; "
                   "--house lists those about all of it")  # fmt: skip
    for each in silenced:
        speaking.note(f"{each['kind']} is muted until {each['until']}: {each['reason']}")


def ack(
    alert_id: AlertId, tenant: TenantName = None, house: OfTheHouse = False, dry_run: DryRun = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Say that you have seen it; it ends by itself when its cause is over."""
    from domain import alerts

    with _desk(tenant, house, dry_run=dry_run) as (tx, book):
        seen = alerts.acknowledge(tx, alert_id, by=visiting.ACTOR, book=book)
        if seen is None:
            raise alerts.UnknownAlert(f"there is no open alert {alert_id}")
    sentence = f"{'would acknowledge' if dry_run else 'acknowledged'} {seen.kind}"
    speaking.say({**speaking.plain(seen), "done": not dry_run}, as_json, sentence=sentence)


def resolve(
    alert_id: AlertId, tenant: TenantName = None, house: OfTheHouse = False, dry_run: DryRun = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """End an alert by hand; should it happen again, a new one opens."""
    from domain import alerts

    with _desk(tenant, house, dry_run=dry_run) as (tx, book):
        found = alerts.get(tx, alert_id, book=book)
        ended = alerts.resolve(tx, found.kind, by=visiting.ACTOR, book=book) if found else None
        if ended is None:
            raise alerts.UnknownAlert(f"there is no open alert {alert_id}")
    sentence = f"{'would end' if dry_run else 'ended'} {ended.kind}"
    speaking.say({**speaking.plain(ended), "done": not dry_run}, as_json, sentence=sentence)


def mute(
    kind: KindName,
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes into the audit log.")],
    hours: Annotated[float, typer.Option("--hours", min=0.1, max=720, help="For how long.")] = 24,
    tenant: TenantName = None,
    house: OfTheHouse = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Tell nobody of alerts of a kind for a while; what is still open then is told."""
    from domain import alerts

    with _desk(tenant, house, dry_run=dry_run) as (tx, book):
        until = tx.now + timedelta(hours=hours)
        made = alerts.mute(tx, kind, until=until, by=visiting.ACTOR, reason=reason, book=book)
    sentence = f"{'would mute' if dry_run else 'muted'} {made.kind} until {speaking.cell(made.until)}"
    speaking.say({**speaking.plain(made), "done": not dry_run}, as_json, sentence=sentence)


def unmute(
    kind: KindName, tenant: TenantName = None, house: OfTheHouse = False, dry_run: DryRun = False, as_json: Json = False
) -> None:  # fmt: skip
    """Tell of alerts of a kind again."""
    from domain import alerts

    with _desk(tenant, house, dry_run=dry_run) as (tx, book):
        if not alerts.unmute(tx, kind, by=visiting.ACTOR, book=book):
            raise WrongUse(f"{kind} is not muted")
    sentence = f"{'would tell' if dry_run else 'tells'} of {kind} again"
    speaking.say({"kind": alerts.base(kind), "done": not dry_run}, as_json, sentence=sentence)


def deliveries(
    tenant: TenantName = None,
    house: OfTheHouse = False,
    state: Annotated[str | None, typer.Option("--state", help="Only waiting, sent or dead ones.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List what was posted of alerts to the webhook, newest first."""
    from domain import hooks

    if state not in (None, "waiting", "sent", "dead"):
        raise WrongUse(f"--state: {state!r} is none of waiting, sent, dead")
    with _desk(tenant, house) as (tx, book):
        rows = [speaking.plain(each) for each in hooks.listed(tx, state=state, limit=limit, book=book)]
    speaking.table(rows, ("id", "event", "state", "tries", "next_try_at", "last_error"), as_json,
                   empty="nothing was posted")  # fmt: skip


def replay(
    delivery_id: Annotated[UUID, typer.Argument(metavar="DELIVERY", help="Its id, as `alerts deliveries` shows it.")],
    tenant: TenantName = None,
    house: OfTheHouse = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Post one again that was given up; it goes out within a minute."""
    from domain import hooks

    with _desk(tenant, house, dry_run=dry_run) as (tx, book):
        again = hooks.again(tx, delivery_id, book=book)
    sentence = f"{'would post' if dry_run else 'will post'} {again.event} {again.alert_id} again"
    speaking.say({**speaking.plain(again), "done": not dry_run}, as_json, sentence=sentence)


@contextmanager
def _desk(tenant: str | None, house: bool, *, dry_run: bool = False) -> Iterator[tuple[Tx, Book]]:
    """A transaction with the alerts that are meant."""
    from domain.alerts import HOUSE, TENANT

    if house and tenant:
        raise WrongUse("choose one of --house and --tenant")
    with visiting.house() as standing:
        if house:
            with visiting.control(standing, dry_run=dry_run) as tx:
                yield tx, HOUSE
        else:
            try:
                found = visiting.tenant_of(standing, tenant)
            except WrongUse as error:
                raise WrongUse(f"{error}; --house is about the alerts of the house itself") from error
            with visiting.inside(standing, found, dry_run=dry_run) as tx:
                yield tx, TENANT
