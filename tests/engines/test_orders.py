"""The orders engine: faults by code, corrections that never build on doubt, checks that change nothing twice."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as how
from hypothesis import strategies as st
from sqlalchemy import event as sa_event

from brain import rulebook
from domain import cards, catalogue, clients, credit, order_queue, orders, products, settings
from domain.credit import Credit
from domain.db import Database, Tx
from domain.orders import Line, Order
from domain.products import Product
from engines.contract import Context
from engines.orders import checking, codes, letter, pricing
from engines.orders.checking import Read
from engines.orders.engine import OrdersEngine, validate_order
from tests import build, gears
from tests.engines.test_engagement import _rows_read
from tests.hand_clock import HandClock
from tests.policy.test_texts import findings, read

ENGINE = OrdersEngine()
NOW = HandClock().now()
WHOSE = UUID(int=7)
DOCS = Path(__file__).parents[2] / "docs" / "orders.md"


def product(code: str = "APR", **fields: Any) -> Product:
    given = {"external_id": None, "name": code.title(), "kind": "goods", "currency": "USD", "price": Decimal(100),
             "tech_fee": Decimal(0), "tolerance_percent": None, "requirements": None, "active": True}  # fmt: skip
    return Product(**{"id": uuid5(WHOSE, code), "code": code, "created_at": NOW, "updated_at": NOW, **given, **fields})


def order(**fields: Any) -> Order:
    given: dict[str, Any] = dict.fromkeys(Order.__slots__)
    given |= {"id": WHOSE, "client_id": WHOSE, "status": "new", "source": "api", "billing": "prepaid",
              "currency": "USD",
              "fee": Decimal(100), "tech_fee": Decimal(0), "total_amount": Decimal(100), "details": {}, "told": {},
              "evidence": {}, "revision": 1, "credit_reserved": Decimal(0)}  # fmt: skip
    return Order(**{**given, **fields})


def found(told: Order, *sold: Product, lines: list[Line] | None = None, standing: Credit | None = None,
          active: bool = True) -> dict[str, str]:  # fmt: skip
    """The codes of an order's faults, each with who sees to it."""
    made = lines if lines is not None else [Line(each.name, 1, each.code, None, each.id) for each in sold]
    catalogue_of = {each.id: each for each in sold}
    return {each.code: each.handling
            for each in checking.faults(Read(told, made, catalogue_of, active, standing, Decimal(5)))}  # fmt: skip


def test_an_order_that_is_right_has_no_faults() -> None:
    assert found(order(), product()) == {}
    assert found(order(fee=Decimal(105), total_amount=Decimal(105)), product()) == {}
    assert found(order()) == {}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"fee": None}, {"FEE_MISSING": "person"}),
        ({"fee": Decimal(0)}, {"FEE_NOT_POSITIVE": "person"}),
        ({"fee": Decimal("105.01"), "total_amount": Decimal(200)}, {"FEE_OFF_CATALOGUE": "person"}),
        ({"total_amount": None}, {"TOTAL_MISSING": "fix"}),
        ({"total_amount": Decimal("99.99")}, {"TOTAL_BELOW_FEE": "fix"}),
        ({"tech_fee": Decimal("-0.01")}, {"TECH_FEE_NEGATIVE": "fix"}),
        (
            {"fee": Decimal(500), "total_amount": Decimal(1)},
            {"FEE_OFF_CATALOGUE": "person", "TOTAL_BELOW_FEE": "person"},
        ),
        ({"currency": "EUR"}, {"CURRENCY_MISMATCH": "person"}),
        ({"client_id": None, "status": "draft"}, {"CLIENT_UNKNOWN": "person"}),
    ],
)
def test_each_fault_of_the_figures_has_its_code(fields: dict[str, Any], wrong: dict[str, str]) -> None:
    assert found(order(**fields), product()) == wrong


def test_products_are_held_to_what_they_are() -> None:
    assert found(order(tech_fee=None), product(tech_fee=Decimal(10))) == {"TECH_FEE_MISSING": "fix"}
    assert found(order(), product(active=False)) == {"PRODUCT_RETIRED": "person"}
    assert found(order(), lines=[Line("What", 1, "NIX")]) == {"PRODUCT_UNKNOWN": "person"}
    mail = order(source="mail", status="draft", fee=None, total_amount=None)
    assert found(mail, lines=[Line("blue widgets", 3)]) == {"PRODUCT_UNKNOWN": "ask"}
    assert found(mail, lines=[]) == {"LINES_MISSING": "ask"}
    call = order(source="mail", status="draft", fee=None, total_amount=None, evidence={"order": {"wants_a_call": True}})
    assert found(call, lines=[]) == {"LINES_MISSING": "person"}
    off = [Line("Apr", 1, "APR", Decimal("94.99"), product().id)]
    assert found(order(), product(), lines=off) == {"LINE_OFF_CATALOGUE": "person"}
    assert found(order(), product(tolerance_percent=Decimal(6)), lines=off) == {}
    assert found(order(), product(kind="inspection")) == {
        "PROPERTY_ADDRESS_MISSING": "ask", "BORROWER_CONTACT_MISSING": "ask",
        "PROPERTY_CONTACT_MISSING": "ask"}  # fmt: skip
    assert found(order(), product(kind="inspection", requirements=["po_number"])) == {"DETAIL_MISSING": "ask"}
    assert found(order(details={"po_number": "7"}), product(requirements=["po_number"])) == {}
    half = {"property_address": "12 Elm", "borrower_name": "Jane"}
    assert found(order(details=half), product(kind="property")) == {"BORROWER_CONTACT_MISSING": "ask"}


def test_credit_is_asked_of_orders_on_bill_alone() -> None:
    def owes(limit: str | None, balance: str, currency: str = "USD") -> Credit:
        return Credit(WHOSE, "bill", 30, currency, Decimal(limit) if limit else None, Decimal(balance), Decimal(0), NOW)

    bill = order(billing="bill")
    assert found(bill, product(), standing=owes("100", "0")) == {}
    assert found(bill, product(), standing=owes("100", "0.01")) == {"CREDIT_EXCEEDED": "person"}
    assert found(bill, product(), standing=owes(None, "0")) == {"CREDIT_LIMIT_MISSING": "person"}
    assert found(bill, product()) == {"CREDIT_LIMIT_MISSING": "person"}
    assert found(bill, product(), standing=owes("900", "0", "EUR")) == {"CREDIT_CURRENCY": "person"}
    assert found(bill, product(), standing=owes("900", "0"), active=False) == {"CLIENT_INACTIVE": "person"}
    assert found(order(), product(), standing=owes("0", "5"), active=False) == {}


AMOUNTS = st.one_of(st.none(), st.decimals(min_value="-500", max_value="5000", places=2))


@given(fee=AMOUNTS, tech=AMOUNTS, total=AMOUNTS, listed=st.decimals(min_value="0.01", max_value="1000", places=2),
       tech_listed=st.decimals(min_value="0", max_value="100", places=2))  # fmt: skip
def test_a_correction_mends_what_it_is_for_and_never_lowers_the_fee(
    fee: Decimal | None, tech: Decimal | None, total: Decimal | None, listed: Decimal, tech_listed: Decimal
) -> None:
    sold = product(price=listed, tech_fee=tech_listed)
    before = order(fee=fee, tech_fee=tech, total_amount=total)
    wrong = {code for code, handling in found(before, sold).items() if handling == "fix"}
    if not wrong:
        return
    fields = frozenset("tech_fee" if code.startswith("TECH") else "total_amount" for code in wrong)
    lines = [Line("Apr", 1, sold.code, None, sold.id)]
    changes = pricing.corrections(pricing.Priced(before, lines, {sold.id: sold}, Decimal(5)), fields)
    assert set(changes) <= fields
    after = {name: Decimal(str(each["after"])) for name, each in changes.items()}
    mended = order(**{"fee": fee, "tech_fee": tech, "total_amount": total, **after})
    assert found(mended, sold) == {}
    if total is not None and fee is not None and total >= fee:
        assert mended.total_amount == total


def test_the_words_of_a_mail_mean_one_product_or_none() -> None:
    sold = [
        product("BOX-1", name="Carton box"),
        product("BOX-2", name="Carton box large"),
        product("INS", name="Inspection"),
    ]
    assert catalogue.meant("20 cartons boxes, large", sold) == sold[1]
    assert catalogue.meant("2 inspections", sold) == sold[2]
    assert catalogue.meant("item box-1 please", sold) == sold[0]
    assert catalogue.meant("box-1 or box-2", sold) is None
    assert catalogue.meant("paper", sold) is None


@how(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fields=st.fixed_dictionaries({
    "fee": st.sampled_from([None, "0", "100", "999.99"]), "tech_fee": st.sampled_from([None, "-1", "0", "7.50"]),
    "total_amount": st.sampled_from([None, "0", "100", "107.50"]), "billing": st.sampled_from(["prepaid", "bill"]),
}), kind=st.sampled_from(sorted(products.KINDS)))  # fmt: skip
def test_a_check_repeated_changes_nothing(clone: Database, acme: UUID, fields: dict[str, Any], kind: str) -> None:
    with clone.tenant(acme) as tx:
        products.put(tx, code="APR", name="Apr", price="100", kind=kind)
        made = orders.put(tx, client_id=build.client(tx), lines=[Line("Apr", code="APR")], **fields).id
        checking.check(context(tx), made)
        before = everything(tx, made)
        # whatever the check came to, somebody may ask for it again
        tx.run("UPDATE order_processing_queue SET round = round + 1 WHERE tenant_id = :t", t=acme)
        checking.check(context(tx), made)
        assert everything(tx, made) == before
        tx.roll_back()


def everything(tx: Tx, order_id: UUID) -> list[Any]:
    """The order, its exceptions and its events."""
    return [orders.known(tx, order_id), *(tx.rows(sql, t=tx.tenant_id, id=order_id, told=str(order_id)) for sql in (
        "SELECT * FROM order_processing_exceptions WHERE tenant_id = :t AND order_id = :id ORDER BY id",
        "SELECT * FROM warehouse_events WHERE tenant_id = :t AND subject_id = :told ORDER BY id",
    ))]  # fmt: skip


def context(tx: Tx) -> Context:
    return Context(tx, settings.of(tx))


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def test_planning_reads_what_is_due_however_many_orders_are_stored(
    clone: Database, cloned: gears.Clone, acme: UUID, figures: Any
) -> None:
    with clone.tenant(acme) as tx:
        products.put(tx, code="APR", name="Apr", price="100", kind="property")
        account = build.client(tx)
        build.contact(tx, account)
        for at in range(5):
            orders.put(tx, external_id=f"due-{at}", client_id=account, lines=[Line("Apr", code="APR")], fee="100")
        checking.check(context(tx), orders.by_external_id(tx, "due-0").id)
        credit.put(tx, account, credit_limit="0")
    costs = []
    for count in (10_000, 90_000):
        with clone.tenant(acme) as tx:
            stored(tx, account, count)
        with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
            admin.execute("VACUUM ANALYZE")
        with clone.tenant(acme) as tx:
            asked = statements(tx)
            costs.append((len(asked), sum(_rows_read(tx, statement, values) for statement, values in asked)))
            tx.roll_back()
    (few, read_at_1), (many, read_at_10) = costs
    figures("orders.planning", statements=many, rows_at_10_000=read_at_1, rows_at_100_000=read_at_10)
    assert few == many <= 10
    assert read_at_10 <= read_at_1 + 20 < 200


def stored(tx: Tx, client_id: UUID, count: int) -> None:
    """Orders that were checked long ago."""
    tx.run(
        """WITH made AS (
               INSERT INTO orders (tenant_id, id, external_id, client_id, status, source, fee, tech_fee, total_amount,
                                   ordered_at, created_at, updated_at)
               SELECT :t, gen_random_uuid(), :count || '-' || n, :client, 'closed', 'api', 100, 0, 100,
                      CAST(:now AS timestamptz) - n * interval '1 minute', :now, :now
               FROM generate_series(1, :count) AS n RETURNING id)
           INSERT INTO order_processing_queue (tenant_id, order_id, state, entered_at, checked_at, valid_at)
           SELECT :t, id, 'valid', CAST(:before AS timestamptz), :before, :before FROM made""",
        t=tx.tenant_id, client=client_id, count=count, now=tx.now, before=tx.now - timedelta(days=8),
    )  # fmt: skip


def statements(tx: Tx) -> list[tuple[str, Any]]:
    """What an hour asks of the database for orders, the taking in of a mail's numbers left aside."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    given = context(tx)
    sa_event.listen(tx._connection, "before_cursor_execute", note)
    ENGINE.plan(given)
    ENGINE.stats(given)
    ENGINE.next_due(given)
    sa_event.remove(tx._connection, "before_cursor_execute", note)
    return asked


def test_an_idle_tenant_has_no_next_hour(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        made = orders.put(tx, client_id=build.client(tx), fee="5", tech_fee="0", total_amount="5").id
        assert ENGINE.next_due(context(tx)) == tx.now
        checking.check(context(tx), made)
        assert ENGINE.next_due(context(tx)) is None
        assert ENGINE.plan(context(tx)).obligations == ()


def test_more_orders_than_an_hour_takes_wait_for_the_next(clone: Database) -> None:
    acme = build.acme(clone, orders_per_cycle=2)
    with clone.tenant(acme) as tx:
        for at in range(3):
            orders.put(tx, external_id=f"o-{at}", client_id=build.client(tx), fee="5")
        plan = ENGINE.plan(context(tx))
        assert len(plan.proposals) == 2
        assert [(each.disposition, each.rule) for each in plan.obligations] == [
            (None, None), (None, None), ("deferred", "orders.budget")]  # fmt: skip


def test_a_new_product_frees_the_order_that_waited_for_it(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        made = orders.put(tx, client_id=build.client(tx), fee="9", tech_fee="0", total_amount="9",
                          lines=[Line("New", code="NEW")]).id  # fmt: skip
        assert checking.check(context(tx), made)["codes"] == ["PRODUCT_UNKNOWN"]
        assert ENGINE.plan(context(tx)).proposals == ()
    clock.advance(hours=1)
    with clone.tenant(acme) as tx:
        products.put(tx, code="new", name="New", price="9")
        assert [each.type for each in ENGINE.plan(context(tx)).proposals] == ["validate_order"]
        assert checking.check(context(tx), made)["order"] == "valid"
        entry = order_queue.get(tx, made)
        assert entry is not None
        assert (entry.state, entry.round) == ("valid", 2)


def test_a_question_that_a_changed_product_no_longer_asks_is_withdrawn(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        products.put(tx, code="SH", name="Shelves", price="50", requirements=["property_address"])
        client = build.client(tx)
        person = build.contact(tx, client)
        made, other = (orders.put(tx, client_id=client, contact_id=person, status="new", fee="50", tech_fee="0",
                                  total_amount="50", lines=[Line("It", code=code)]).id
                       for code in ("SH", "NIX"))  # fmt: skip
        assert checking.check(context(tx), made)["codes"] == ["PROPERTY_ADDRESS_MISSING"]
        assert checking.check(context(tx), other)["codes"] == ["PRODUCT_UNKNOWN"]
        [question] = cards.propose(tx, ENGINE.plan(context(tx)).proposals, reconsider_hours=24)
        products.put(tx, code="SH", requirements=[])
        [check] = ENGINE.plan(context(tx)).proposals
        assert (check.type, check.subject_id) == ("validate_order", str(made))
        validate_order(context(tx), cards.propose(tx, [check], reconsider_hours=24)[0])
        assert orders.known(tx, made).status == "accepted"
        assert [each.id for each in cards.listed(tx, kind="request_order_info", state="cancelled")] == [question.id]


def test_an_order_is_checked_again_once_what_kept_it_back_has_gone(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        products.put(tx, code="SH", name="Shelves", price="40")
        asleep = build.client(tx, "Asleep", status="inactive")
        credit.put(tx, asleep, credit_limit="1000", terms="bill")
        figures: dict[str, Any] = {"status": "new", "fee": "50", "tech_fee": "0", "total_amount": "50"}
        billed = orders.put(tx, client_id=asleep, billing="bill", **figures).id
        dear = orders.put(tx, client_id=build.client(tx), lines=[Line("It", 1, "SH", Decimal(50))], **figures).id
        assert checking.check(context(tx), billed)["codes"] == ["CLIENT_INACTIVE"]
        assert checking.check(context(tx), dear)["codes"] == ["FEE_OFF_CATALOGUE", "LINE_OFF_CATALOGUE"]
        assert ENGINE.plan(context(tx)).proposals == ()
        clients.upsert(tx, client_id=asleep, status="active")
        assert [each.subject_id for each in ENGINE.plan(context(tx)).proposals] == [str(billed)]
        assert checking.check(context(tx), billed)["order"] == "valid"
        settings.change(tx, {"price_tolerance_percent": 60})
        assert [each.subject_id for each in ENGINE.plan(context(tx)).proposals] == [str(dear)]
        assert checking.check(context(tx), dear)["order"] == "valid"


@pytest.mark.parametrize("language", rulebook.LANGUAGES)
@pytest.mark.parametrize("count", [1, 6])
def test_the_question_is_one_clean_mail(language: str, count: int) -> None:
    asked = [*letter.QUESTION_OF.values(), "detail"][:count]
    slots = {"order": "A-100", "first_name": "Bill", "sender_name": "Ana", "company": "Acme", "thread_subject": "",
             "questions": asked, "words": ["po number"] * count}  # fmt: skip
    draft = rulebook.write(letter.TEMPLATE, language, slots)
    assert not findings(read(draft.text, subject=draft.subject))
    assert all(f"\n{at}. " in draft.text for at in range(1, count + 1))
    assert ("Po number" in draft.text) == (count == 6)
    assert "\n\n\n" not in draft.text


def test_the_page_lists_every_code_as_it_is_handled() -> None:
    page = DOCS.read_text()
    for code, told in codes.CODES.items():
        assert f"| `{code}` | {told.handling} | {told.sentence} |" in page, code
