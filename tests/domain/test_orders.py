"""Orders, products and credit: what is put twice is the same, money is exact, and credit is never taken twice."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import credit, money, order_exceptions, order_fixes, order_lines, order_queue, orders, products
from domain.db import Database
from domain.order_exceptions import Fault
from domain.orders import InvalidOrder, Line
from tests import build

WRONG = Fault("TOTAL_BELOW_FEE", "total_amount", "fix", "the total is below the fee", {"total": "90.00"})


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in, with a product."""
    tenant = build.acme(clone)
    with clone.tenant(tenant) as tx:
        products.put(tx, code="apr-1", name="Appraisal", price="100.00", tech_fee="10")
    return tenant


def placed(database: Database, tenant: UUID, **fields: Any) -> UUID:
    """An order of Initech; its id."""
    with database.tenant(tenant) as tx:
        given = {"external_id": "o-1", "client_id": build.client(tx), "fee": "100", "total_amount": "110.00",
                 "lines": [Line("Appraisal", code="APR-1")], **fields}  # fmt: skip
        return orders.put(tx, **given).id


def told(database: Database, tenant: UUID) -> list[str]:
    with database.tenant(tenant) as tx:
        return [row["type"] for row in tx.rows(
            "SELECT type FROM warehouse_events WHERE tenant_id = :t AND subject_type IN ('order', 'product') "
            "ORDER BY id", t=tenant,
        )]  # fmt: skip


def test_the_same_order_put_again_changes_and_tells_nothing(clone: Database, acme: UUID) -> None:
    first = placed(clone, acme, details={"property_address": " 12 Elm  St "})
    before = told(clone, acme)
    with clone.tenant(acme) as tx:
        again = orders.put(tx, external_id="o-1", fee=Decimal("100.00"), total_amount="110.00", status="new",
                           details={"property_address": "12 Elm St"},
                           lines=[Line("Appraisal", "1.000", "apr-1")])  # fmt: skip
        assert (again.id, again.created, again.changed) == (first, False, ())
        assert orders.known(tx, first).revision == 1
        assert products.put(tx, code="APR-1", price="100", tech_fee="10.00").changed == ()
    assert told(clone, acme) == before == ["product.created", "order.created"]


def test_a_change_of_what_is_checked_brings_the_order_back_into_the_queue(clone: Database, acme: UUID) -> None:
    order = placed(clone, acme)
    with clone.tenant(acme) as tx:
        order_queue.checked(tx, order, "valid")
        assert orders.put(tx, order_id=order, number="#po-7").changed == ("number",)
        assert not orders.put(tx, order_id=order, number="# # po-7 ").changed
        entry = order_queue.get(tx, order)
        assert entry is not None
        assert entry.state == "valid"
        assert orders.put(tx, order_id=order, fee="120").changed == ("fee",)
        entry = order_queue.get(tx, order)
        assert entry is not None
        assert (entry.state, entry.round, entry.due_at) == ("waiting", 2, tx.now)


def test_what_its_own_system_repeats_does_not_undo_a_correction(clone: Database, acme: UUID) -> None:
    order = placed(clone, acme, total_amount="90.00")
    with clone.tenant(acme) as tx:
        order_exceptions.found(tx, order, [WRONG], own={WRONG.code})
        order_fixes.fix(tx, order, {"total_amount": {"before": "90.00", "after": "110.00"}})
        assert orders.put(tx, external_id="o-1", total_amount="90").changed == ()
        assert orders.known(tx, order).total_amount == 110
        # news from that system counts, and so does a person who means this very order
        assert orders.put(tx, external_id="o-1", total_amount="115").changed == ("total_amount",)
        assert orders.put(tx, order_id=order, total_amount="90").changed == ("total_amount",)


def test_a_correction_is_taken_back_once_and_left_to_a_person(clone: Database, acme: UUID) -> None:
    order = placed(clone, acme, total_amount="90.00")
    changes = {"total_amount": {"before": "90.00", "after": "110.00"}}
    with clone.tenant(acme) as tx:
        order_exceptions.found(tx, order, [WRONG], own={WRONG.code})
        order_fixes.fix(tx, order, changes)
        assert order_exceptions.of(tx, [order]) == {}
        assert order_fixes.restore(tx, order, changes).total_amount == 90
        [back] = order_exceptions.found(tx, order, [WRONG], own={WRONG.code})
        assert (back.handling, back.state) == ("person", "open")
        with pytest.raises(order_fixes.FixRefused, match=r"total_amount is 90\.00 by now"):
            order_fixes.restore(tx, order, changes)
        with pytest.raises(order_fixes.FixRefused, match="only tech_fee and total_amount"):
            order_fixes.fix(tx, order, {"fee": {"before": "100.00", "after": "1.00"}})


def test_a_waived_fault_stays_waived_until_its_facts_change(clone: Database, acme: UUID) -> None:
    order = placed(clone, acme)
    with clone.tenant(acme) as tx:
        [opened] = order_exceptions.found(tx, order, [WRONG], own={WRONG.code})
        with pytest.raises(order_exceptions.InvalidResolution, match=r"^reason: "):
            order_exceptions.waive(tx, opened.id, by="ana", reason=" ")
        assert order_exceptions.waive(tx, opened.id, by="ana", reason="agreed by phone").state == "waived"
        assert order_exceptions.found(tx, order, [WRONG], own={WRONG.code}) == []
        other = Fault(WRONG.code, WRONG.field, "fix", WRONG.message, {"total": "80.00"})
        assert len(order_exceptions.found(tx, order, [other], own={WRONG.code})) == 1
        with pytest.raises(order_exceptions.UnknownException):
            order_exceptions.resolve(tx, opened.id, by="ana", reason="again")


def test_credit_is_reserved_owed_and_given_back(clone: Database, acme: UUID) -> None:
    order = placed(clone, acme, billing="bill")
    with clone.tenant(acme) as tx:
        account = build.client(tx)
        credit.put(tx, account, terms="bill", credit_limit="150", outstanding_balance="20")
        assert orders.accept(tx, orders.known(tx, order))
        standing = credit.get(tx, account)
        assert standing is not None
        assert (standing.reserved, standing.available) == (Decimal("110.00"), Decimal("20.00"))
        other = orders.put(tx, external_id="o-2", client_id=account, fee="50", total_amount="50").id
        assert orders.known(tx, other).billing == "bill"
        assert not orders.accept(tx, orders.known(tx, other))
        orders.move(tx, order, "delivered")
        standing = credit.get(tx, account)
        assert standing is not None
        assert (standing.reserved, standing.outstanding_balance) == (Decimal(0), Decimal("130.00"))
        credit.put(tx, account, credit_limit="200")
        assert orders.accept(tx, orders.known(tx, other))
        # changed after it was accepted, an order is new, and has nothing reserved
        orders.put(tx, order_id=other, total_amount="60")
        assert (orders.known(tx, other).status, orders.known(tx, other).credit_reserved) == ("new", Decimal(0))
        standing = credit.get(tx, account)
        assert standing is not None
        assert standing.reserved == 0


def test_credit_in_another_currency_is_never_taken_whoever_waives_it(clone: Database, acme: UUID) -> None:
    order = placed(clone, acme, billing="bill", currency="JPY", fee="1000000", total_amount="1000000")
    with clone.tenant(acme) as tx:
        account = build.client(tx)
        credit.put(tx, account, credit_limit="150")
        assert not orders.accept(tx, orders.known(tx, order), beyond_limit=True)
        standing = credit.get(tx, account)
        assert standing is not None
        assert (standing.currency, standing.reserved) == ("USD", Decimal(0))
        fault = Fault("CREDIT_CURRENCY", "currency", "person", "the credit is in USD, the order in JPY")
        order_exceptions.open_one(tx, order, fault)
        [wrong] = order_exceptions.of(tx, [order])[order]
        with pytest.raises(order_exceptions.InvalidResolution, match="one currency"):
            order_exceptions.waive(tx, wrong.id, by="ana", reason="an old friend")


def test_two_orders_at_once_never_take_the_same_credit(clone: Database, acme: UUID) -> None:
    made = [placed(clone, acme, external_id=f"o-{at}", billing="bill", total_amount="60.00") for at in range(4)]
    with clone.tenant(acme) as tx:
        account = build.client(tx)
        credit.put(tx, account, credit_limit="130")
    took, start = [], threading.Barrier(4)

    def accept(order: UUID) -> None:
        start.wait()
        with clone.tenant(acme) as tx:
            took.append(orders.accept(tx, orders.known(tx, order)))

    threads = [threading.Thread(target=accept, args=(order,)) for order in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(took) == [False, False, True, True]
    with clone.tenant(acme) as tx:
        standing = credit.get(tx, account)
        assert standing is not None
        assert standing.reserved == 120


def test_two_at_once_make_one_order_and_one_product(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        account = build.client(tx)
    made, start = [], threading.Barrier(4)

    def make() -> None:
        start.wait()
        with clone.tenant(acme) as tx:
            product = products.put(tx, code="new", name="New", price="1").id
            made.append((product, orders.put(tx, external_id="o-9", client_id=account, fee="1").id))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1


@pytest.mark.parametrize(
    ("fields", "mend"),
    [
        ({"fee": 0.1}, "^fee: 0.1 is not exact"),
        ({"fee": "1.005"}, "^fee: '1.005' has more decimals"),
        ({"fee": Decimal("1.005")}, "^fee: '1.005' has more decimals"),
        ({"fee": "1,2"}, "^fee: '1,2' is not an amount"),
        ({"fee": "1e3"}, "^fee: "),
        ({"currency": "JPY", "fee": "1.50"}, "^fee: '1.50' has more decimals than JPY"),
        ({"status": "lost"}, "^status: 'lost' is none of"),
        ({"lines": [Line("Paper", "0")]}, "^lines.1.quantity: '0' is no quantity"),
        ({"lines": [Line("Paper", "1", None, "-1")]}, "^lines.1.unit_price: "),
        ({"details": {"Bad Name": "x"}}, "^details.Bad Name: "),
        ({"client_id": UUID(int=1)}, "^client_id: there is no client"),
        ({"colour": "red"}, "^colour: an order has no such field"),
    ],
)
def test_a_wrong_field_of_an_order_is_named(clone: Database, acme: UUID, fields: dict[str, Any], mend: str) -> None:
    with pytest.raises(InvalidOrder, match=mend):
        placed(clone, acme, **fields)


def test_an_order_goes_only_where_its_lifecycle_leads(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        for status, targets in orders.MOVES.items():
            assert frozenset(tx.value("SELECT hourhand.order_moves(:s)", s=status)) == targets
    order = placed(clone, acme, status="delivered")
    with clone.tenant(acme) as tx:
        assert orders.known(tx, order).delivered_at == tx.now
        assert order_queue.get(tx, order) is None
        with pytest.raises(InvalidOrder, match="an order that is delivered can't become new"):
            orders.move(tx, order, "new")
        assert orders.put(tx, external_id="o-1", status="closed").changed == ("status",)


def test_an_order_of_nobody_known_stays_a_draft(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        order = orders.put(tx, status="draft", source="mail").id
        with pytest.raises(InvalidOrder, match=r"^client_id: nobody has said"):
            orders.move(tx, order, "new")
        assert orders.put(tx, order_id=order, client_id=build.client(tx), status="new").changed == (
            "client_id",
            "status",
        )


def test_no_column_of_any_table_is_a_binary_fraction(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        found = tx.rows(
            """SELECT c.relname, a.attname, a.atttypid::regtype::text AS kind
               FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname IN ('hourhand', 'control') AND c.relkind IN ('r', 'p') AND a.attnum > 0
                 AND a.atttypid::regtype::text IN ('real', 'double precision', 'money', 'numeric')"""
        )
    assert {row["kind"] for row in found} == {"numeric"}
    assert {"total_amount", "fee", "annual_value", "credit_limit"} <= {row["attname"] for row in found}


@given(st.decimals(min_value=-money.LARGEST, max_value=money.LARGEST, places=2))
def test_an_amount_comes_back_as_it_was_told(amount: Decimal) -> None:
    kept = money.exact(str(amount))
    assert isinstance(kept, Decimal)
    assert kept == amount
    assert money.exact(money.told(kept) or "") == kept
    # as many decimals as the currency has: a binary fraction would tell 100.0, or 1e+16
    assert money.told(kept) == str(kept)


@given(st.one_of(st.floats(), st.booleans(), st.none(), st.binary()))
def test_nothing_inexact_becomes_money(told: Any) -> None:
    with pytest.raises(money.InvalidMoney):
        money.exact(told)


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_refused(told: str) -> None:
    try:
        assert isinstance(money.exact(told), Decimal)
    except money.InvalidMoney:
        assert not told.strip().isdecimal() or not told.isascii()


def test_a_quantity_is_exact() -> None:
    assert order_lines.quantity("2.5") == Decimal("2.500")
    with pytest.raises(InvalidOrder):
        order_lines.quantity(2.5)  # type: ignore[arg-type]
