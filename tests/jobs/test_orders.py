"""Orders over days: what is wrong is corrected, asked about once, or laid before a person, until the order is right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain import (
    clocks,
    credit,
    events,
    ledger,
    order_exceptions,
    order_queue,
    orders,
    products,
    rollup,
    runs,
    schedule,
    settings,
    undo,
)
from domain.order_exceptions import OrderException
from domain.orders import Line, Order
from jobs import cycle, ingest
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs.letters import Post, letter


@dataclass
class Desk:
    """Acme with a mailbox, an account at Resend, a catalogue, and a client that orders."""

    post: Post
    resend: ResendEmulator
    clock: HandClock
    client_id: UUID
    contact_id: UUID

    def order(self, external_id: str = "A-100", **fields: Any) -> UUID:
        """An order of an appraisal that is right but for what `fields` say."""
        given = {"client_id": self.client_id, "contact_id": self.contact_id, "fee": "400", "tech_fee": "25",
                 "total_amount": "425", "lines": [Line("Appraisal", code="APR-1")], "details": WHOLE,
                 **fields}  # fmt: skip
        with self.post.database.tenant(self.post.tenant_id, actor="api") as tx:
            return orders.put(tx, external_id=external_id, **given).id

    def hour(self) -> UUID:
        """An hour passes, with the mail that came in and the extra cycle that it may have brought; the run."""
        ingest.run(self.post.house, self.post.tenant_id)
        run_id = self.cycle()
        with self.post.database.tenant(self.post.tenant_id) as tx:
            standing = schedule.standing(tx)
        if standing is not None and standing["extra_due_at"] is not None:
            self.clock.advance(minutes=5)
            self.cycle()
        self.clock.advance(hours=1)
        return run_id

    def cycle(self) -> UUID:
        """One cycle, without an error."""
        run_id = cycle.run(self.post.house, self.post.tenant_id, kind="manual")
        assert run_id is not None
        with self.post.database.tenant(self.post.tenant_id) as tx:
            run = runs.get(tx, run_id)
            assert run is not None
            assert run["errors"] == []
        return run_id

    def days(self, count: int) -> None:
        """Days pass, with an hour each morning."""
        for _ in range(count):
            self.hour()
            self.clock.advance(hours=23)

    def stands(self, order: UUID) -> tuple[Order, str, list[OrderException]]:
        """The order, its state in the queue, and its open exceptions."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            entry = order_queue.get(tx, order)
            assert entry is not None
            return orders.known(tx, order), entry.state, order_exceptions.of(tx, [order]).get(order, [])

    def codes(self, order: UUID) -> list[str]:
        return [each.code for each in self.stands(order)[2]]

    def sent(self) -> list[dict[str, Any]]:
        return self.resend.sent("re_acme")

    def answers(self, text: str, **how: Any) -> None:
        """Bill answers the last mail."""
        sent = self.post.row("SELECT rfc_message_id FROM outbound_messages WHERE tenant_id = :t "
                             "ORDER BY reserved_at DESC LIMIT 1")  # fmt: skip
        self.post.arrives(letter(text, in_reply_to=sent["rfc_message_id"], **how))


WHOLE = {"property_address": "12 Elm Street, Springfield, IL 62704", "borrower_name": "Jane Roe",
         "borrower_phone": "+12175550123"}  # fmt: skip


@pytest.fixture
def desk(post: Post, clock: HandClock) -> Iterator[Desk]:
    clock.advance(hours=6)
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        client = build.client(tx)
        contact = build.contact(tx, client)
        clocks.exempt(tx, [contact], "discovered")
        products.put(tx, code="APR-1", name="Appraisal", price="400", tech_fee="25", kind="property")
        products.put(tx, code="INS-1", name="Inspection", price="300", kind="inspection")
    with ResendEmulator(clock=clock) as resend:
        houses.resend_for(post.hands, resend, post.tenant_id, "re_acme")
        yield Desk(post, resend, clock, client, contact)


def test_a_faulty_order_is_asked_about_once_and_valid_with_the_answer(desk: Desk) -> None:
    order = desk.order(lines=[Line("Inspection", code="INS-1")], fee="300", total_amount="325", details={})
    run_id = desk.hour()
    assert desk.codes(order) == ["BORROWER_CONTACT_MISSING", "PROPERTY_ADDRESS_MISSING", "PROPERTY_CONTACT_MISSING"]
    [mail] = desk.sent()
    assert mail["to"] == ["bill@initech.example"]
    assert "A-100" in mail["subject"]
    assert all(f"{at}. " in mail["text"] for at in (1, 2, 3))
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        assert {line["disposition"] for line in ledger.lines(tx, run_id)} == {"acted"}
    desk.days(1)
    assert desk.stands(order)[1] == "asked"
    desk.answers("Hi Ana,\n\n1. Borrower: Jane Roe, (217) 555-0123\n"
                 "2. 12 Elm Street, Springfield, IL 62704\n3. call Tom Park, tom@park.example\n\nBill")  # fmt: skip
    desk.hour()
    told, state, standing = desk.stands(order)
    assert (told.status, state, standing) == ("accepted", "valid", [])
    assert told.details["borrower_name"] == "Jane Roe"
    assert told.details["property_contact_email"] == "tom@park.example"
    assert told.evidence["borrower_phone"]["quote"].startswith("Jane Roe")
    desk.days(5)
    assert len(desk.sent()) == 1


def test_a_silent_client_is_not_asked_again_and_a_person_sees_the_order(desk: Desk) -> None:
    order = desk.order(details={})
    desk.days(5)
    assert len(desk.sent()) == 1
    told, state, standing = desk.stands(order)
    assert (told.status, state, {each.handling for each in standing}) == ("new", "exceptions", {"person"})
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        for each in standing:
            order_exceptions.waive(tx, each.id, by="ana", reason="known from the last order")
    desk.hour()
    assert desk.stands(order)[:2][1] == "valid"
    assert desk.stands(order)[0].status == "accepted"


def test_an_answer_that_does_not_plainly_say_is_left_to_a_person(desk: Desk) -> None:
    order = desk.order(details={"property_address": WHOLE["property_address"]})
    desk.hour()
    desk.answers("I don't know yet, I will find out and get back to you.")
    desk.hour()
    told, state, standing = desk.stands(order)
    assert (told.status, state) == ("new", "exceptions")
    assert [(each.code, each.handling) for each in standing] == [
        ("ANSWER_UNCLEAR", "person"), ("BORROWER_CONTACT_MISSING", "person")]  # fmt: skip
    assert "find out" in standing[0].facts["quote"]
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        orders.put(tx, order_id=order, details={"borrower_name": "Jane Roe", "borrower_phone": "+12175550123"})
    desk.hour()
    assert desk.stands(order)[1:] == ("valid", [])
    assert len(desk.sent()) == 1


def test_nobody_else_answers_for_the_client(desk: Desk) -> None:
    order = desk.order(details={"borrower_name": "Jane Roe", "borrower_phone": "+12175550123"})
    desk.hour()
    evil = {"text": "Property address: 1 Evil Street, Gotham, NY 10001", "frm": "Eve <eve@elsewhere.example>"}
    desk.post.arrives(letter(**evil, subject="Order A-100", number=3))
    desk.hour()
    assert desk.stands(order)[1] == "asked"
    # somebody to whom our question was forwarded, perhaps: a person decides whether to believe them
    desk.answers(**evil, number=2)
    desk.hour()
    told, state, standing = desk.stands(order)
    assert (told.status, told.details.get("property_address"), state) == ("new", None, "exceptions")
    assert "Evil" in standing[0].facts["quote"]


def test_a_stranger_who_names_the_client_in_reply_to_changes_nothing(desk: Desk) -> None:
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        settings.change(tx, {"accept_mail_orders": True})
    order = desk.order(details={"borrower_name": "Jane Roe", "borrower_phone": "+12175550123"})
    desk.hour()
    evil: dict[str, str] = {
        "frm": "Eve <eve@elsewhere.example>", "reply_to": "Bill <bill@initech.example>",
        "authentication_results": "mx.acme.example; dkim=pass header.d=elsewhere.example",
    }  # fmt: skip
    desk.post.arrives(letter("Property address: 1 Evil Street, Gotham, NY 10001\nOrder A-100", subject="Order A-100",
                             number=3, **evil))  # fmt: skip
    desk.post.arrives(letter("We would like to order:\n\n2 x Appraisal\n\nProperty address: 1 Evil Street, Gotham, "
                             "NY 10001\nBorrower: Eve, 217-555-0123\n\nPO 666", subject="Purchase order PO-666",
                             number=4, **evil))  # fmt: skip
    desk.hour()
    assert desk.post.message()["contact_id"] == desk.contact_id
    assert desk.stands(order)[0].details.get("property_address") is None
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        [draft] = orders.listed(tx, status="draft")
    assert desk.stands(draft.id)[1:] == ("valid", [])


def test_a_mail_told_of_again_is_no_answer_to_what_was_asked_since(desk: Desk) -> None:
    order = desk.order(details={})
    desk.post.arrives(letter("About order A-100: thank you for the quick call.", subject="Order A-100", number=3))
    ingest.run(desk.post.house, desk.post.tenant_id)
    desk.clock.advance(hours=2)
    desk.hour()
    assert desk.stands(order)[1] == "asked"
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        assert events.tell_again(tx, "mail.received", "message", str(desk.post.message()["id"]))
    desk.hour()
    assert desk.stands(order)[1] == "asked"


def test_figures_are_corrected_told_and_taken_back(desk: Desk) -> None:
    order = desk.order(total_amount="300", tech_fee="-5")
    desk.hour()
    told, state, standing = desk.stands(order)
    assert (told.tech_fee, told.total_amount, told.status) == (Decimal("25.00"), Decimal("425.00"), "accepted")
    assert (state, standing) == ("valid", [])
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        card = tx.value("SELECT id FROM kanban_cards WHERE tenant_id = :t AND type = 'fix_order'", t=tx.tenant_id)
        undone = undo.undo(tx, card, by="ana", reason="agreed otherwise")
        assert undone.outcome["changes"]["total_amount"] == {"before": "300.00", "after": "425.00"}
        assert orders.known(tx, order).status == "new"
        # what the live system repeats is no news
        assert orders.put(tx, external_id="A-100", total_amount="300").changed == ()
    desk.hour()
    told, state, standing = desk.stands(order)
    assert (told.total_amount, told.tech_fee, state) == (Decimal("300.00"), Decimal("-5.00"), "exceptions")
    assert {each.handling for each in standing} == {"person"}
    assert desk.sent() == []


def test_an_order_over_its_limit_waits_until_credit_is_there(desk: Desk) -> None:
    with desk.post.database.tenant(desk.post.tenant_id, actor="api") as tx:
        credit.put(tx, desk.client_id, terms="bill", credit_limit="1000", outstanding_balance="400.01")
    first, second = desk.order("A-1", total_amount="599.99", fee="400"), desk.order("A-2")
    desk.hour()
    assert desk.stands(first)[0].status == "accepted"
    told, state, [over] = desk.stands(second)
    assert (told.status, state, over.code) == ("new", "exceptions", "CREDIT_EXCEEDED")
    assert "0.00 of 1000.00 is left" in over.message
    desk.days(2)
    with desk.post.database.tenant(desk.post.tenant_id, actor="api") as tx:
        orders.move(tx, first, "delivered")
        credit.put(tx, desk.client_id, outstanding_balance="0")
    desk.hour()
    assert desk.stands(second)[:2][1] == "valid"
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        standing = credit.get(tx, desk.client_id)
        assert standing is not None
        assert (standing.reserved, standing.available) == (Decimal("425.00"), Decimal("575.00"))
        events = {
            row["type"] for row in tx.rows("SELECT type FROM warehouse_events WHERE tenant_id = :t", t=tx.tenant_id)
        }
        assert {"order.credit_failed", "credit.changed", "order.accepted", "order.delivered"} <= events


def test_a_waived_limit_lets_the_order_pass_and_counts_it(desk: Desk) -> None:
    order = desk.order(billing="bill")
    desk.hour()
    [missing] = desk.stands(order)[2]
    assert missing.code == "CREDIT_LIMIT_MISSING"
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        order_exceptions.waive(tx, missing.id, by="ana", reason="an old friend")
    desk.hour()
    assert desk.stands(order)[0].status == "accepted"
    assert desk.stands(order)[0].credit_reserved == 425


def test_an_order_by_mail_becomes_a_draft_that_a_person_confirms(desk: Desk) -> None:
    desk.post.arrives(letter(
        "Hello Ana,\n\nwe would like to order:\n\n2 x Inspection\n\nProperty address: 12 Elm Street, Springfield, "
        "IL 62704\nBorrower: Jane Roe, 217-555-0123\nProperty contact: Tom Park, tom@park.example\n\nPO 4711\n\nBill",
        subject="Purchase order PO-4711", number=7))  # fmt: skip
    desk.hour()
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        [order] = orders.listed(tx)
    assert (order.status, order.source, order.client_id, order.number) == (
        "draft", "mail", desk.client_id, "PO-4711")  # fmt: skip
    assert (order.fee, order.total_amount) == (Decimal("600.00"), Decimal("600.00"))
    assert order.evidence["order"]["message_id"] == str(order.message_id)
    assert order.details["property_address"].startswith("12 Elm Street")
    assert desk.stands(order.id)[1:] == ("valid", [])
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        orders.move(tx, order.id, "new")
    desk.hour()
    assert desk.stands(order.id)[0].status == "accepted"


def test_an_order_by_mail_that_names_no_product_is_asked_about_in_its_thread(desk: Desk) -> None:
    desk.post.arrives(letter("Hi,\n\nplease send us 3 boxes of blue widgets.\n\nBill", subject="New order", number=8))
    desk.hour()
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        [order] = orders.listed(tx)
    assert desk.codes(order.id) == ["PRODUCT_UNKNOWN"]
    # a live conversation is left alone for a while after it was heard from
    desk.days(2)
    [mail] = desk.sent()
    assert "blue widgets" in mail["text"]
    assert mail["subject"] == "Re: New order"
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        products.put(tx, code="WID", name="Widget", price="9.99")
    desk.answers("The WID ones.", number=9)
    desk.hour()
    told, state, standing = desk.stands(order.id)
    assert (told.status, state, standing) == ("draft", "valid", [])
    assert told.total_amount == Decimal("29.97")


def test_a_wish_to_change_an_order_stops_it_for_a_person(desk: Desk) -> None:
    order = desk.order(details={})
    desk.hour()
    other = desk.order("B-7", number="PO-4712", details={})
    desk.post.arrives(letter("Please cancel order PO-4712, we no longer need it.", subject="Order PO-4712", number=11))
    desk.hour()
    assert "CLIENT_CHANGE" in desk.codes(other)
    assert "CLIENT_CHANGE" not in desk.codes(order)


def test_a_wish_to_cancel_an_accepted_order_reaches_a_person_and_ends_with_it(desk: Desk) -> None:
    order = desk.order(number="PO-4711")
    desk.hour()
    desk.post.arrives(letter("Please cancel order PO-4711, we no longer need it.", subject="Order PO-4711", number=11))
    desk.hour()
    told, state, [wish] = desk.stands(order)
    assert (told.status, state, wish.code) == ("accepted", "valid", "CLIENT_CHANGE")
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        order_exceptions.resolve(tx, wish.id, by="ana", reason="called Bill")
    desk.hour()
    assert desk.stands(order)[1:] == ("valid", [])
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        order_exceptions.reopen(tx, wish.id)
        orders.move(tx, order, "cancelled")
    assert desk.stands(order)[2] == []


def test_a_dry_run_asks_inside_and_asks_really_once_it_is_over(desk: Desk) -> None:
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        settings.change(tx, {"send_mode": "dry_run"})
    order = desk.order(details={})
    desk.days(2)
    assert desk.stands(order)[1] == "asked"
    held = "SELECT count(*) FROM kanban_cards WHERE tenant_id = :t AND state = 'held' AND type = 'request_order_info'"
    assert desk.post.value(held) == 1
    assert desk.sent() == []
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        settings.change(tx, {"send_mode": "live"})
    desk.hour()
    assert len(desk.sent()) == 1


def test_the_ledger_adds_up_where_two_engines_have_something_due(desk: Desk) -> None:
    order = desk.order(fee="0")
    with desk.post.database.tenant(desk.post.tenant_id, actor="test") as tx:
        colleague = build.contact(tx, desk.client_id, "lumbergh@initech.example")
    run_id = desk.hour()
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        run = runs.get(tx, run_id)
        assert run is not None
        lines = ledger.lines(tx, run_id)
    assert {line["subject_id"] for line in lines} == {str(order), str(colleague)}
    assert [block["counts"]["obligations"] for block in run["work_blocks"] if block["phase"] == "plan"] == [2]


def test_what_the_day_brought_is_counted(desk: Desk) -> None:
    desk.order("A-1")
    desk.order("A-2", total_amount="1")
    desk.order("A-3", fee="900")
    began = desk.clock.now()
    desk.hour()
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        hours = rollup.own(tx, since=began - timedelta(hours=1), until=tx.now)
        assert sum(hour["orders_processed"] for hour in hours) == 3
        assert sum(hour["orders_exceptions"] for hour in hours) == 2
        facts = tx.value("SELECT facts FROM agent_hourly_reflections WHERE tenant_id = :t ORDER BY id DESC LIMIT 1",
                         t=tx.tenant_id)  # fmt: skip
        metrics = {name: value for name, value in facts["metrics"].items() if name.startswith("orders.")}
    assert metrics["orders.orders_with_exceptions"] == 1
    assert (metrics["orders.valid_today"], metrics["orders.auto_fixed_today"]) == (2, 1)
