"""`hourhand clients` and `hourhand products`: who the tenant works for, and what it sells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import After, Json, Limit, TenantName

if TYPE_CHECKING:
    from domain.clients import Client
    from domain.db import Tx

ClientName = Annotated[str, typer.Argument(metavar="CLIENT", help="Its id, external id, domain or name.")]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    clients = typer.Typer(help="Clients (accounts): list, show.", no_args_is_help=True)
    clients.command("list")(list_clients)
    clients.command()(show)
    app.add_typer(clients, name="clients")
    products = typer.Typer(help="Products: list.", no_args_is_help=True)
    products.command("list")(list_products)
    app.add_typer(products, name="products")


def list_clients(tenant: TenantName = None, limit: Limit = 100, after: After = None, as_json: Json = False) -> None:
    """List accounts, oldest first."""
    from domain import clients

    with visiting.visit(tenant) as at:
        rows = clients.listed(at.tx, after=after, limit=limit + 1)
    columns = ("name", "domain", "relationship", "status", "annual_value", "currency", "external_id", "id")
    speaking.page(rows, limit, columns, as_json, empty=f"{at.slug} has no clients")


def show(client: ClientName, tenant: TenantName = None, as_json: Json = False) -> None:
    """Show an account, its credit and its people."""
    from domain import clients, contacts, credit

    with visiting.visit(tenant) as at:
        found = next((each for each in (
            _by_id(at.tx, client), clients.recognised(at.tx, {"external_id": client}),
            clients.by_domain(at.tx, client.lower()), clients.by_name(at.tx, client)) if each), None)  # fmt: skip
        if found is None:
            raise clients.UnknownClient(f"there is no client {client!r}; `hourhand clients list` shows them")
        stands = credit.get(at.tx, found.id)
        people = contacts.listed(at.tx, client_id=found.id)
    told = {**speaking.plain(found), "credit": stands and {**speaking.plain(stands), "available": stands.available},
            "contacts": [{"name": each.name, "email": each.email, "title": each.title, "id": str(each.id)}
                         for each in people]}  # fmt: skip
    speaking.say(told, as_json)


def list_products(
    tenant: TenantName = None,
    retired: Annotated[bool, typer.Option("--retired", help="Those that are sold no more, too.")] = False,
    limit: Limit = 100,
    after: After = None,
    as_json: Json = False,
) -> None:
    """List products, oldest first."""
    from domain import products

    with visiting.visit(tenant) as at:
        rows = products.listed(at.tx, active=None if retired else True, after=after, limit=limit + 1)
    columns = ("code", "name", "kind", "price", "currency", "tech_fee", "tolerance_percent", "active", "id")
    speaking.page(rows, limit, columns, as_json, empty=f"{at.slug} sells no products")


def _by_id(tx: Tx, told: str) -> Client | None:
    from domain import clients

    try:
        return clients.get(tx, UUID(told))
    except ValueError:
        return None
