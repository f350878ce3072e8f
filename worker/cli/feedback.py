"""`hourhand feedback`: who is to be asked, what clients said, answers that came some other way, and how it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, Limit, TenantName, WrongUse

if TYPE_CHECKING:
    from domain.db import Tx
    from domain.feedback_book import Request

OrderName = Annotated[str, typer.Argument(metavar="ORDER", help="Its number, external_id or id.")]

COLUMNS = ("id", "order_id", "state", "due_at", "sent_at", "rating", "sentiment", "reason")


def register(app: typer.Typer) -> None:
    """Add it to the command line."""
    feedback = typer.Typer(help="Feedback: list, due, show, ask, skip, record, recoveries, stats.",
                           no_args_is_help=True)  # fmt: skip
    feedback.command("list")(list_requests)
    for command in (due, show, ask, skip, record, recoveries, stats):
        feedback.command()(command)
    app.add_typer(feedback, name="feedback")


def list_requests(
    tenant: TenantName = None,
    state: Annotated[str | None, typer.Option("--state", help="queued, sent, answered, lapsed or skipped.")] = None,
    sentiment: Annotated[str | None, typer.Option("--sentiment", help="negative, neutral or positive.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List feedback requests, newest first."""
    from domain import feedback_book

    if state is not None and state not in feedback_book.MOVES:
        raise WrongUse(f"--state: {state!r} is none of {', '.join(feedback_book.MOVES)}")
    if sentiment is not None and sentiment not in ("negative", "neutral", "positive"):
        raise WrongUse(f"--sentiment: {sentiment!r} is none of negative, neutral, positive")
    _listed(tenant, as_json, empty="there is no feedback request", state=state, sentiment=sentiment, limit=limit)


def due(tenant: TenantName = None, limit: Limit = 50, as_json: Json = False) -> None:
    """List the feedback requests that are due by now, those that wait for a case included."""
    _listed(tenant, as_json, empty="no feedback request is due", due=True, limit=limit)


def recoveries(tenant: TenantName = None, limit: Limit = 50, as_json: Json = False) -> None:
    """List the orders whose clients are dissatisfied, each with its case and with the mail that makes good."""
    from domain import feedback

    with visiting.visit(tenant) as visit:
        rows = [speaking.plain(each) for each in feedback.listed(visit.tx, sentiment="negative", limit=limit)]
    speaking.table(rows, ("order_id", "answered_at", "rating", "case_id", "recovery_card_id"), as_json,
                   empty="nobody is dissatisfied")  # fmt: skip


def show(order: OrderName, tenant: TenantName = None, as_json: Json = False) -> None:
    """Show what was asked about an order, and everything that was said."""
    from domain import feedback_answers

    with visiting.visit(tenant) as visit:
        found = _about(visit.tx, order)
        answers = feedback_answers.of(visit.tx, [found.id]).get(found.id, ())
        told: dict[str, Any] = {**speaking.plain(found), "answers": [speaking.plain(each) for each in answers]}
    speaking.say(told, as_json)


def ask(order: OrderName, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Have an order asked about at the next hour, also one that was skipped."""
    from domain import feedback

    with visiting.visit(tenant, dry_run=dry_run) as visit:
        done = feedback.ask(visit.tx, _order(visit.tx, order))
    _tell(done, f"{'would have' if dry_run else 'will have'} {order} asked about", dry_run, as_json)


def skip(
    order: OrderName, reason: Annotated[str, typer.Option("--reason", help="Why nobody is to be asked.")],
    tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Have nobody asked about an order."""
    from domain import feedback

    with visiting.visit(tenant, dry_run=dry_run) as visit:
        done = feedback.skip(visit.tx, _about(visit.tx, order).id, reason=reason)
    _tell(done, f"{'would ask' if dry_run else 'asks'} nobody about {order}", dry_run, as_json)


def record(
    order: OrderName, by: Annotated[str, typer.Option("--by", help="Who of the client said so.")],
    rating: Annotated[int | None, typer.Option("--rating", min=1, max=5, help="From 1 to 5.")] = None,
    comment: Annotated[str | None, typer.Option("--comment", help="In their words.")] = None,
    tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Record an answer that came some other way, by telephone for instance, also where nobody was asked."""
    from domain import feedback, feedback_answers
    from domain.feedback_answers import Said

    with visiting.visit(tenant, dry_run=dry_run) as visit:
        request = feedback.own(visit.tx, _order(visit.tx, order))
        done = feedback_answers.record(visit.tx, request.id, Said("person", by, rating=rating, comment=comment))
    _tell(done, f"{'would record' if dry_run else 'recorded'} the answer about {order}", dry_run, as_json)


def stats(tenant: TenantName = None, as_json: Json = False) -> None:
    """Count the last 90 days and those before: response rate, score, its distribution and trend, and recoveries."""
    from domain import feedback_figures

    with visiting.visit(tenant) as visit:
        told = feedback_figures.stats(visit.tx)
    periods = {
        name: {**speaking.plain(each), "response_rate": each.response_rate, "negative_share": each.negative_share}
        for name, each in (("now", told.now), ("before", told.before))
    }
    speaking.say({**speaking.plain(told), **periods, "trend": told.trend}, as_json)


def _listed(tenant: str | None, as_json: bool, *, empty: str, **which: Any) -> None:
    from domain import feedback

    with visiting.visit(tenant) as visit:
        rows = [speaking.plain(each) for each in feedback.listed(visit.tx, **which)]
    speaking.table(rows, COLUMNS, as_json, empty=empty)


def _tell(done: Request, sentence: str, dry_run: bool, as_json: bool) -> None:
    speaking.say({**speaking.plain(done), "done": not dry_run}, as_json, sentence=sentence)


def _about(tx: Tx, told: str) -> Request:
    """The request about the order that a person means."""
    from domain import feedback

    found = feedback.of_order(tx, _order(tx, told))
    if found is None:
        raise feedback.UnknownFeedbackRequest(f"nobody is to be asked about order {told!r}")
    return found


def _order(tx: Tx, told: str) -> UUID:
    """The order that a person means."""
    from domain import orders

    try:
        found = orders.get(tx, UUID(told))
    except ValueError:
        # no id: what people or another system call it
        found = next(iter(orders.called(tx, told)), None)
    if found is None:
        raise orders.UnknownOrder(f"there is no order {told!r}")
    return found.id
