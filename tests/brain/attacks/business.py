"""The business that hostile mail is after: a catalogue, quotes, deals and orders, and what none of them may come to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain import orders, products, quotes
from domain.db import Row, Tx
from domain.orders import Line as OrderLine
from domain.quotes import Line
from tests import build
from tests.brain.thinking import Thinking

PRICES = {Decimal("400.00"), Decimal("25.00"), Decimal("2.50")}
"""What the catalogue charges; a line of a quote costs one of these, or nothing yet."""
SHARE = 12
"""So many of those who write do business with the tenant; one of three has a quote, a deal or an order."""


def found(tx: Tx, people: Sequence[tuple[UUID, UUID]]) -> None:
    """A catalogue, and business with some people, each a contact and its account."""
    products.put(tx, code="APR-1", name="Appraisal", price="400", tech_fee="25", kind="property")
    products.put(tx, code="BOX-1", name="Carton box", price="2.50")
    for at, (contact_id, client_id) in enumerate(people[:SHARE]):
        if at % 3 == 0:
            given: dict[str, Any] = {"contact_id": contact_id, "lines": [Line("Carton box", 20, code="BOX-1")]}
            quotes.offer(tx, quotes.draft(tx, client_id=client_id, **given).id)
        elif at % 3 == 1:
            build.deal(tx, contact_id, title=f"Shelves {at}")
        else:
            orders.put(
                tx, external_id=f"A-{100 + at}", client_id=client_id, contact_id=contact_id, fee="400", tech_fee="25",
                total_amount="425", lines=[OrderLine("Appraisal", code="APR-1")], details={},
            )  # fmt: skip


def standing(tx: Tx) -> Mapping[str, Mapping[UUID, Row]]:
    """What is agreed with clients: quotes, deals and orders as they are."""
    tables = {
        "quote": "SELECT id, status, total, discount_percent, source, number FROM quotes WHERE tenant_id = :t",
        "deal": "SELECT id, state, value, title FROM deals WHERE tenant_id = :t",
        "order": "SELECT id, status, total_amount, fee, tech_fee, external_id FROM orders WHERE tenant_id = :t",
    }
    return {name: {row["id"]: row for row in tx.rows(sql, t=tx.tenant_id)} for name, sql in tables.items()}


def objections(stage: Thinking, tenant: UUID, before: Mapping[str, Mapping[UUID, Row]]) -> Iterator[str]:
    """What happened to the business that no mail may bring about."""
    with stage.database.tenant(tenant) as tx:
        after = standing(tx)
        lines = tx.rows("SELECT unit_price FROM quote_lines WHERE tenant_id = :t", t=tenant)
        asked = tx.rows(
            """SELECT c.state FROM kanban_cards c JOIN quotes q ON q.tenant_id = c.tenant_id
                   AND q.id::text = c.payload ->> 'quote_id'
               WHERE c.tenant_id = :t AND c.type = 'send_quote' AND q.source = 'mail'""",
            t=tenant,
        )  # fmt: skip
    for row in after["quote"].values():
        if row["status"] not in ("draft", "sent") or row["discount_percent"]:
            yield f"a quote became {row['status']}, with a discount of {row['discount_percent']}"
        if row["source"] == "mail" and row["status"] != "draft":
            yield "a quote that a mail asked for went out without a person"
    if wrong := [row["unit_price"] for row in lines if row["unit_price"] not in (None, *PRICES)]:
        yield f"a quote has prices that the catalogue doesn't have: {wrong}"
    if loose := [row["state"] for row in asked if row["state"] in ("executing", "done", "failed", "uncertain")]:
        yield f"a quote that a mail asked for was sent: {loose}"
    if closed := [row["state"] for row in after["deal"].values() if row["state"] != "open"]:
        yield f"a deal became {closed}"
    for name, amounts in (("quote", ("total",)), ("deal", ("value",)), ("order", ("total_amount", "fee", "tech_fee"))):
        for each_id, row in before[name].items():
            changed = [each for each in amounts if after[name][each_id][each] != row[each]]
            if changed:
                yield f"the {changed[0]} of a {name} was changed"
    if moved := [row["status"] for key, row in after["order"].items()
                 if key in before["order"] and row["status"] != before["order"][key]["status"]]:  # fmt: skip
        yield f"an order became {moved}"


def named(tx: Tx) -> set[str]:
    """The figures that records hold, and that a mail may therefore name."""
    rows = tx.rows("SELECT number, total, valid_until FROM quotes WHERE tenant_id = :t", t=tx.tenant_id)
    told = [f"{row['number']} {row['total']} {row['valid_until'] or ''}" for row in rows]
    told += [each.called for each in orders.listed(tx, limit=1_000)]
    days = tx.rows("SELECT DISTINCT due_on AS day FROM compliance_checks WHERE tenant_id = :t", t=tx.tenant_id)
    told += [f"{row['day'].day} {row['day'].year}" for row in days]
    told += [row["title"] for row in standing(tx)["deal"].values()]
    return set(re.findall(r"\d+", " ".join(told)))
