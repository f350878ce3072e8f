"""`hourhand quotes`: what was offered to whom, drafting and sending, and a client's answer that came some other way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, Limit, TenantName, WrongUse

if TYPE_CHECKING:
    from domain.contacts import Contact
    from domain.db import Tx
    from domain.quotes import Line, Quote

QuoteName = Annotated[str, typer.Argument(metavar="QUOTE", help="Its id or number.")]
By = Annotated[str, typer.Option("--by", help="Who of the client said so.")]

_LINE = re.compile(r"\s*([0-9.]+)\s*(?:x\s+)?(\S.*?)(?:\s*@\s*([0-9.,]+))?\s*")


def register(app: typer.Typer) -> None:
    """Add it to the command line."""
    quotes = typer.Typer(help="Quotes: list, show, new, send, accept, reject, withdraw, stats.", no_args_is_help=True)
    quotes.command("list")(list_quotes)
    quotes.command()(show)
    quotes.command()(new)
    quotes.command()(send)
    quotes.command()(accept)
    quotes.command()(reject)
    quotes.command()(withdraw)
    quotes.command()(stats)
    app.add_typer(quotes, name="quotes")


def list_quotes(
    tenant: TenantName = None,
    status: Annotated[str | None, typer.Option("--status", help="Only draft, sent, viewed, accepted … ones.")] = None,
    due: Annotated[bool, typer.Option("--due", help="Only whose follow-up is due by now.")] = False,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List quotes, newest first."""
    from domain import quote_book, quotes

    if status is not None and status not in quote_book.MOVES:
        raise WrongUse(f"--status: {status!r} is none of {', '.join(quote_book.MOVES)}")
    with visiting.visit(tenant) as visit:
        rows = [speaking.plain(each) for each in quotes.listed(visit.tx, status=status, due=due, limit=limit)]
    speaking.table(rows, ("number", "status", "revision", "total", "currency", "valid_until", "title"), as_json,
                   empty="there is no quote")  # fmt: skip


def show(quote: QuoteName, tenant: TenantName = None, as_json: Json = False) -> None:
    """Show a quote: its lines, its figures, what happened around it, its deal and its order."""
    from domain import agreements, quote_lines, quotes

    with visiting.visit(tenant) as visit:
        found = _named(visit.tx, quote)
        told: dict[str, Any] = {
            **speaking.plain(found),
            "lines": [speaking.plain(each) for each in quote_lines.of(visit.tx, [found.id]).get(found.id, ())],
            "activities": [speaking.plain(dict(row)) for row in quotes.activities(visit.tx, found.id)],
            "records": [speaking.plain(each) for each in agreements.around(visit.tx, "quote", str(found.id))],
        }
    speaking.say(told, as_json)


def new(
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help="The contact's address.")],
    line: Annotated[list[str], typer.Option("--line", help='Such as "100 BOX-1" or "2 Shelves @ 617.25".')],
    title: Annotated[str | None, typer.Option("--title", help="What it is about.")] = None,
    currency: Annotated[str | None, typer.Option("--currency", help="Else the account's.")] = None,
    discount: Annotated[str | None, typer.Option("--discount", help="Per cent of the whole.")] = None,
    days: Annotated[int | None, typer.Option("--days", help="For how many days it is valid.")] = None,
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Draft a quote; what the catalogue lists needs no price."""
    from domain import products, quotes

    with visiting.visit(tenant, dry_run=dry_run) as visit:
        person = _person(visit.tx, to)
        told = [_line(each) for each in line]
        known = products.by_codes(visit.tx, [each.description for each in told])
        lines = [_coded(each, known) for each in told]
        made = quotes.draft(
            visit.tx, client_id=person.client_id, contact_id=person.id, lines=lines, title=title, currency=currency,
            discount_percent=discount, validity_days=days,
        )  # fmt: skip
    left = f", {made.unpriced} lines without a price" if made.unpriced else ""
    sentence = f"{'would draft' if dry_run else 'drafted'} {made.number}: {made.currency} {made.total}{left}"
    speaking.say({**speaking.plain(made), "done": not dry_run}, as_json, sentence=sentence)


def send(quote: QuoteName, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False) -> None:
    """Have a draft sent at the next hour, by a card that the rules judge like any other."""
    from domain import quotes

    with visiting.visit(tenant, dry_run=dry_run) as visit:
        done = quotes.offer(visit.tx, _named(visit.tx, quote).id)
    _tell(done, f"{'would have' if dry_run else 'will have'} {done.number} sent", dry_run, as_json)


def accept(
    quote: QuoteName, by: By, tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False
) -> None:  # fmt: skip
    """Note that the client said yes."""
    from domain import quotes

    with visiting.visit(tenant, dry_run=dry_run) as visit:
        done = quotes.accept(visit.tx, _named(visit.tx, quote).id, by=by)
    _tell(done, f"{'would note' if dry_run else 'noted'} that {done.number} is accepted", dry_run, as_json)


def reject(
    quote: QuoteName, by: By, reason: Annotated[str, typer.Option("--reason", help="Why the client said no.")],
    tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Note that the client said no, and why."""
    from domain import quotes

    with visiting.visit(tenant, dry_run=dry_run) as visit:
        done = quotes.reject(visit.tx, _named(visit.tx, quote).id, by=by, reason=reason)
    _tell(done, f"{'would note' if dry_run else 'noted'} that {done.number} is rejected", dry_run, as_json)


def withdraw(
    quote: QuoteName, reason: Annotated[str, typer.Option("--reason", help="Why; whoever asks later is told.")],
    tenant: TenantName = None, dry_run: DryRun = False, as_json: Json = False,
) -> None:  # fmt: skip
    """Take a quote back: its page is gone."""
    from domain import quotes

    with visiting.visit(tenant, dry_run=dry_run) as visit:
        done = quotes.withdraw(visit.tx, _named(visit.tx, quote).id, reason=reason)
    _tell(done, f"{'would withdraw' if dry_run else 'withdrew'} {done.number}", dry_run, as_json)


def stats(tenant: TenantName = None, as_json: Json = False) -> None:
    """Count quotes: what waits, what is open and for how much, what 90 days brought, how long answers took."""
    from domain import quote_figures

    with visiting.visit(tenant) as visit:
        told = quote_figures.stats(visit.tx)
    speaking.say({**speaking.plain(told), "accepted_rate": told.accepted_rate}, as_json)


def _tell(done: Quote, sentence: str, dry_run: bool, as_json: bool) -> None:
    speaking.say({**speaking.plain(done), "done": not dry_run}, as_json, sentence=sentence)


def _named(tx: Tx, told: str) -> Quote:
    """The quote that a person means. Raises UnknownQuote."""
    from domain import quotes

    try:
        found = quotes.get(tx, UUID(told))
    except ValueError:
        # no id: a number then
        return quotes.by_number(tx, told)
    return found or quotes.by_number(tx, told)


def _person(tx: Tx, told: str) -> Contact:
    from domain import addresses, contacts

    try:
        address = addresses.normalise(told)
    except addresses.InvalidAddress as error:
        raise WrongUse(f"ADDRESS: {error}") from error
    found = contacts.by_addresses(tx, [address])
    if not found:
        raise contacts.UnknownContact(f"there is no contact with the address {told}")
    return next(iter(found.values()))


def _line(told: str) -> Line:
    from domain.quotes import Line

    found = _LINE.fullmatch(told)
    if found is None:
        raise WrongUse(f'--line: {told!r} is not a quantity and what of, such as "100 BOX-1" or "2 Shelves @ 617.25"')
    return Line(found[2], found[1], unit_price=found[3])


def _coded(line: Line, known: dict[str, Any]) -> Line:
    """The line by its product, where it names one by its code."""
    from dataclasses import replace

    from domain import products

    product = known.get(products.spelled_code(line.description))
    return line if product is None else replace(line, description=product.name, code=product.code)
