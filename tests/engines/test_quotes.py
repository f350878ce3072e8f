"""The quotes engine: planning costs what is due, amounts and days are written as each language writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import event as sa_event

from domain import mailboxes, products, quotes, settings
from domain.db import Database, Tx
from domain.quotes import Line
from engines.contract import Context
from engines.quotes import letter
from engines.quotes.engine import QuotesEngine
from engines.written_days import day
from tests import build, gears
from tests.engines import test_quote_answers
from tests.engines.test_engagement import _rows_read

ENGINE = QuotesEngine()


@pytest.mark.parametrize(
    ("total", "currency", "tongue", "written"),
    [
        ("1234567.5", "USD", "en", "USD 1,234,567.50"),
        ("1234567.5", "BRL", "pt", "BRL 1.234.567,50"),
        ("1234", "JPY", "es", "JPY 1.234"),
        ("0", "EUR", "en", "EUR 0.00"),
    ],
)
def test_amounts_are_written_as_the_language_writes_them(total: str, currency: str, tongue: str, written: str) -> None:
    assert letter.amount(Decimal(total), currency, tongue) == written


def test_days_are_written_as_the_language_writes_them() -> None:
    moment = datetime(2027, 3, 1, tzinfo=UTC)
    assert [day(moment, each) for each in ("en", "es", "pt")] == [
        "1 March 2027", "1 de marzo de 2027", "1 de março de 2027"]  # fmt: skip


def test_a_mail_of_an_account_whose_money_is_gone_is_drafted_in_the_money_that_most_is_sold_in(
    clone: Database,
) -> None:
    with clone.tenant(build.acme(clone)) as tx:
        build.contact(tx, build.client(tx, currency="HRK"))
        mailboxes.configure_folder(tx, "/mail", "ana@acme.example")
        test_quote_answers.arrives(tx, "Could you send us a quote for 40 shelves?")
        products.put(tx, code="CRATE", name="Crate", price="7", currency="EUR")
        box = products.put(tx, code="BOX", name="Carton box", price="2", currency="EUR").id
        test_quote_answers.arrives(tx, "Could you send us a quote for 10 x Carton box?")
        # it was put in when that was money
        tx.run("UPDATE products SET currency = 'HRK' WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=box)
        test_quote_answers.arrives(tx, "Could you send us a quote for 10 x Carton box?")
        told = [(each.currency, each.unpriced, each.offered_at is not None) for each in reversed(quotes.listed(tx))]
        assert told == [("USD", 1, False), ("EUR", 0, True), ("EUR", 1, False)]
        rules = {each.rule for each in ENGINE.plan(Context(tx, settings.of(tx))).obligations}
        assert "quotes.unpriced" in rules


def test_planning_reads_what_is_due_however_many_quotes_are_stored(
    clone: Database, cloned: gears.Clone, figures: Any
) -> None:
    acme = build.acme(clone)
    with clone.tenant(acme) as tx:
        account = build.client(tx)
        person = build.contact(tx, account)
        for _ in range(5):
            made = quotes.draft(tx, client_id=account, contact_id=person, lines=[Line("Shelves", unit_price="5")])
            quotes.offer(tx, made.id)
        stored(tx, account, 5, "sent", "due")
    costs = []
    for count in (5_000, 45_000):
        with clone.tenant(acme) as tx:
            stored(tx, account, count, "accepted", f"old-{count}")
        with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
            admin.execute("VACUUM ANALYZE hourhand.quotes")
        with clone.tenant(acme) as tx:
            asked = statements(tx)
            costs.append((len(asked), sum(_rows_read(tx, statement, values) for statement, values in asked)))
            tx.roll_back()
    (few, read_at_1), (many, read_at_10) = costs
    figures("quotes.planning", statements=many, rows_at_5_000=read_at_1, rows_at_50_000=read_at_10)
    assert few == many <= 10
    assert read_at_10 <= read_at_1 + 20 < 200


def stored(tx: Tx, client_id: UUID, count: int, status: str, name: str) -> None:
    """Quotes that were sent a while ago; those that are still open are due."""
    answered = tx.now - timedelta(days=190) if status == "accepted" else None
    tx.run(
        """INSERT INTO quotes (tenant_id, id, number, client_id, status, source, sent_at, valid_until, answered_at,
                               follow_up_due_at, created_at, updated_at)
           SELECT :t, gen_random_uuid(), :name || '-' || n, :client, :status, 'api', :sent, :until, :answered,
                  CASE WHEN :status = 'sent' THEN CAST(:now AS timestamptz) END, :now, :now
           FROM generate_series(1, :count) AS n""",
        t=tx.tenant_id, name=name, client=client_id, status=status, sent=tx.now - timedelta(days=200),
        until=tx.now + timedelta(days=3), answered=answered, now=tx.now, count=count,
    )  # fmt: skip


def statements(tx: Tx) -> list[tuple[str, Any]]:
    """What an hour asks of the database for quotes."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    given = Context(tx, settings.of(tx))
    sa_event.listen(tx._connection, "before_cursor_execute", note)
    plan = ENGINE.plan(given)
    ENGINE.stats(given)
    ENGINE.next_due(given)
    sa_event.remove(tx._connection, "before_cursor_execute", note)
    assert len(plan.obligations) == 10
    return asked
