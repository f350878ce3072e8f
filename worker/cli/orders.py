"""`hourhand orders` and `hourhand goals`: what is wrong with which order, what people decide, what is wished for."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import After, DryRun, Json, Limit, TenantName, WrongUse

if TYPE_CHECKING:
    from domain.db import Tx
    from domain.orders import Order

OrderName = Annotated[str, typer.Argument(metavar="ORDER", help="Its id, external id or number.")]
ExceptionName = Annotated[
    str,
    typer.Argument(
        metavar="EXCEPTION", help="Its id, as `orders exceptions` shows it, or its order, by id, external id or number."
    ),
]
Code = Annotated[str | None, typer.Option("--code", help="Which one, where more than one is wrong with the order.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; whoever asks later is told.")]
DAYS = ["%Y-%m-%d"]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    orders = typer.Typer(help="Orders: list, show, move, exceptions, resolve, waive.", no_args_is_help=True)
    orders.command("list")(list_orders)
    orders.command()(show)
    orders.command()(move)
    orders.command()(exceptions)
    orders.command()(resolve)
    orders.command()(waive)
    app.add_typer(orders, name="orders")
    goals = typer.Typer(help="Goals: set, list, remove.", no_args_is_help=True)
    goals.command("set")(set_goal)
    goals.command("list")(list_goals)
    goals.command("remove")(remove_goal)
    app.add_typer(goals, name="goals")


def list_orders(
    tenant: TenantName = None,
    status: Annotated[str | None, typer.Option("--status", help="Only draft, new, accepted … ones.")] = None,
    limit: Limit = 50,
    after: After = None,
    as_json: Json = False,
) -> None:
    """List orders, newest first."""
    from domain import orders

    if status is not None and status not in orders.MOVES:
        raise WrongUse(f"--status: {status!r} is none of {', '.join(orders.MOVES)}")
    with visiting.visit(tenant) as visit:
        rows = [{**speaking.plain(each), "order": each.called}
                for each in orders.listed(visit.tx, status=status, before=after, limit=limit + 1)]  # fmt: skip
    columns = ("id", "order", "status", "billing", "total_amount", "currency", "ordered_at")
    speaking.page(rows, limit, columns, as_json, empty="there is no order")


def show(order: OrderName, tenant: TenantName = None, as_json: Json = False) -> None:
    """Show an order: its lines, where its checking stands, and what is wrong with it."""
    from domain import order_exceptions, order_lines, order_queue

    with visiting.visit(tenant) as visit:
        found = _named(visit.tx, order)
        told: dict[str, Any] = {
            **speaking.plain(found),
            "lines": [speaking.plain(each) for each in order_lines.of(visit.tx, [found.id]).get(found.id, ())],
            "queue": speaking.plain(order_queue.get(visit.tx, found.id)),
            "exceptions": [speaking.plain(each)
                           for each in order_exceptions.of(visit.tx, [found.id]).get(found.id, ())],
        }  # fmt: skip
    speaking.say(told, as_json)


def move(
    order: OrderName,
    to: Annotated[str, typer.Argument(help="new (confirms a draft), in_progress, delivered, closed or cancelled.")],
    tenant: TenantName = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Move an order on, or confirm a draft."""
    from domain import orders

    if to == "accepted":
        raise WrongUse("to: an order is accepted by its check; confirm a draft with `new`")
    with visiting.visit(tenant, dry_run=dry_run) as visit:
        moved = orders.move(visit.tx, _named(visit.tx, order).id, to, reason=reason)
    sentence = f"{'would move' if dry_run else 'moved'} order {moved.called} to {moved.status}"
    speaking.say({**speaking.plain(moved), "done": not dry_run}, as_json, sentence=sentence)


def exceptions(
    tenant: TenantName = None,
    code: Annotated[str | None, typer.Option("--code", help="Only those with this code.")] = None,
    state: Annotated[str, typer.Option("--state", help="open, fixed, resolved or waived.")] = "open",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List what is wrong with orders, newest first."""
    from domain import order_exceptions

    if state not in ("open", "fixed", "resolved", "waived"):
        raise WrongUse(f"--state: {state!r} is none of open, fixed, resolved, waived")
    with visiting.visit(tenant) as visit:
        found = order_exceptions.listed(visit.tx, state=state, code=code, limit=limit)
        rows = [speaking.plain(each) for each in found]
    speaking.table(rows, ("id", "order_id", "code", "handling", "opened_at", "message"), as_json,
                   empty="nothing is wrong with any order")  # fmt: skip


def resolve(
    exception: ExceptionName, reason: Reason, code: Code = None, tenant: TenantName = None, dry_run: DryRun = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Say that the cause is mended; the order is checked again, and opens it anew if it isn't."""
    _decide("resolve", exception, code, reason, tenant, dry_run, as_json)


def waive(
    exception: ExceptionName, reason: Reason, code: Code = None, tenant: TenantName = None, dry_run: DryRun = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Let it pass as it is; it stays waived while its facts are the same."""
    _decide("waive", exception, code, reason, tenant, dry_run, as_json)


def set_goal(
    metric: Annotated[str, typer.Argument(help="orders or revenue.")],
    target: Annotated[str, typer.Argument(help="How many, or how much, exactly: 25000.00.")],
    starts: Annotated[datetime, typer.Option("--from", formats=DAYS, help="The first day.")],
    ends: Annotated[datetime, typer.Option("--to", formats=DAYS, help="The last day.")],
    currency: Annotated[str, typer.Option("--currency", help="Of revenue, such as USD.")] = "",
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Set the goal of a period, or set it anew."""
    from domain import goals

    with visiting.visit(tenant, dry_run=dry_run) as visit:
        goal = goals.put(visit.tx, metric=metric, target=target, starts_on=starts.date(), ends_on=ends.date(),
                         currency=currency)  # fmt: skip
    told = f"{goal.target} {goal.currency}" if goal.currency else f"{goal.target:.0f} {goal.metric}"
    sentence = f"{'would set' if dry_run else 'set'} {told} until {goal.ends_on}"
    speaking.say({**speaking.plain(goal), "done": not dry_run}, as_json, sentence=sentence)


def list_goals(tenant: TenantName = None, limit: Limit = 50, as_json: Json = False) -> None:
    """List goals, newest first, with how each stands."""
    from domain import goals, settings

    with visiting.visit(tenant) as visit:
        ids = [goal.id for goal in goals.listed(visit.tx, limit=limit)]
        standings = goals.standings(visit.tx, settings.readable(visit.tx).zone, ids)
        rows = [{"id": str(each.goal.id), **each.told()} for each in standings]
    speaking.table(rows, ("id", "metric", "starts_on", "ends_on", "target", "actual", "expected", "behind", "thin"),
                   as_json, empty="no goal is set")  # fmt: skip


def remove_goal(
    goal_id: Annotated[UUID, typer.Argument(metavar="GOAL", help="Its id, as `goals list` shows it.")],
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Give a goal up."""
    from domain import goals

    with visiting.visit(tenant, dry_run=dry_run) as visit:
        goals.remove(visit.tx, goal_id)
    sentence = f"{'would give up' if dry_run else 'gave up'} goal {goal_id}"
    speaking.say({"id": str(goal_id), "done": not dry_run}, as_json, sentence=sentence)


def _decide(
    what: str, exception: str, code: str | None, reason: str, tenant: str | None, dry_run: bool, as_json: bool
) -> None:  # fmt: skip
    from domain import order_exceptions

    verb = order_exceptions.resolve if what == "resolve" else order_exceptions.waive
    with visiting.visit(tenant, dry_run=dry_run) as visit:
        done = verb(visit.tx, _meant(visit.tx, exception, code), by=visiting.ACTOR, reason=reason)
    sentence = f"{'would ' + what if dry_run else done.state} {done.code} of order {done.order_id}"
    speaking.say({**speaking.plain(done), "done": not dry_run}, as_json, sentence=sentence)


def _meant(tx: Tx, told: str, code: str | None) -> UUID:
    """The exception that a person means. Raises UnknownOrder, WrongUse where it may be several or none."""
    from domain import order_exceptions

    with contextlib.suppress(ValueError):
        if order_exceptions.get(tx, UUID(told)) is not None:
            return UUID(told)
    order = _named(tx, told)
    found = order_exceptions.of(tx, [order.id]).get(order.id, [])
    wrong = [each for each in found if code in (None, each.code)]
    if len(wrong) != 1:
        codes = ", ".join(each.code for each in found) or "nothing"
        raise WrongUse(f"EXCEPTION: {codes} is wrong with order {order.called}; say which: --code, or its id"
                       if found else f"EXCEPTION: nothing is wrong with order {order.called}")  # fmt: skip
    return wrong[0].id


def _named(tx: Tx, told: str) -> Order:
    """The order that a person means. Raises UnknownOrder, WrongUse where several are called so."""
    from domain import orders

    try:
        return orders.known(tx, UUID(told))
    except ValueError:
        # no id: a name then
        found = orders.called(tx, told)
    if len(found) > 1:
        raise WrongUse(f"ORDER: {len(found)} orders are called {told}; name it by its id")
    if not found:
        raise orders.UnknownOrder(f"there is no order {told}")
    return found[0]
