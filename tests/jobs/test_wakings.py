"""What wakes what rests: every reason for which planning leaves something alone, and the news by which it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import (
    clients,
    clocks,
    contacts,
    deal_activity,
    deals,
    ledger,
    order_exceptions,
    orders,
    products,
    quotes,
    rests,
    settings,
)
from domain.db import Database, Row, Tx
from domain.house import House
from domain.quote_lines import Line
from engines.contract import Engine
from engines.deals.engine import DealsEngine
from engines.engagement.engine import EngagementEngine
from engines.orders.engine import OrdersEngine
from engines.quotes.engine import QuotesEngine
from jobs import cycle
from tests import build, houses
from tests.hand_clock import HandClock

GONE = "nothing is due any more"


@dataclass
class Street:
    """Acme in a dry run; everybody lives at an account of their own."""

    house: House
    acme: UUID
    clock: HandClock
    people: int = 0

    def hour(self, engine: Engine) -> list[Row]:
        """An hour passes, in which one engine plans; its ledger, which adds up."""
        self.clock.advance(minutes=61)
        run_id = cycle.run(self.house, self.acme, kind="manual", engines=[engine])
        with self.house.database.tenant(self.acme) as tx:
            run = tx.row("SELECT errors FROM agent_autonomous_runs WHERE tenant_id = :t AND id = :id",
                         t=tx.tenant_id, id=run_id)  # fmt: skip
            assert run is not None
            assert run["errors"] == []
            return ledger.lines(tx, UUID(str(run_id)))

    def ana(self) -> Any:
        """A transaction of a person at Acme."""
        return self.house.database.tenant(self.acme, actor="ana")

    def person(self, tx: Tx, *, address: bool = True, **account: Any) -> tuple[UUID, UUID]:
        """Somebody new: their account, and they."""
        self.people += 1
        account_id = build.client(tx, f"Client {self.people}", **account)
        return account_id, build.contact(tx, account_id, f"p{self.people}@client.example" if address else None)


@pytest.fixture
def street(clone: Database, clock: HandClock) -> Iterator[Street]:
    clock.advance(hours=6)
    with houses.house(clone) as house:
        yield Street(house, build.acme(clone, send_mode="dry_run"), clock)


Wake = Callable[[Tx], object]
Blocked = Callable[[Street, Tx], tuple[UUID, Wake]]
"""Makes something that can't be done: what it is, and what makes it possible."""


def _becomes(account: UUID, **fields: Any) -> Wake:
    return lambda tx: clients.upsert(tx, client_id=account, **fields)


def _has_address(person: UUID) -> Wake:
    address = f"{person.hex[-12:]}@client.example"
    return lambda tx: contacts.upsert(tx, build.VAULT, contact_id=person, email=address)


def _moves(person: UUID, account: UUID) -> Wake:
    return lambda tx: contacts.upsert(tx, build.VAULT, contact_id=person, client_id=account)


def _prospect(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    account, person = street.person(tx, relationship="prospect")
    return person, _becomes(account, relationship="client")


def _inactive(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    account, person = street.person(tx, status="inactive")
    return person, _becomes(account, status="active")


def _without_address(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    _, person = street.person(tx, address=False)
    clocks.reinstate(tx, person)
    return person, _has_address(person)


def _deal(street: Street, tx: Tx, about: Blocked) -> tuple[UUID, Wake]:
    """A deal with somebody who is blocked like this, whose follow-up is due."""
    person, wake = about(street, tx)
    deal = build.deal(tx, person)
    tx.run("UPDATE deals SET follow_up_due_at = :now WHERE tenant_id = :t AND id = :id", now=tx.now, t=tx.tenant_id,
           id=deal)  # fmt: skip
    return deal, wake


def _quote(street: Street, tx: Tx, about: Blocked) -> tuple[UUID, Wake]:
    """A quote to somebody who is blocked like this, which has gone out and is to be followed up."""
    person, wake = about(street, tx)
    account = contacts.get(tx, person)
    assert account is not None
    made = quotes.draft(tx, client_id=account.client_id, contact_id=person, lines=[Line("Shelves", unit_price="5")])
    _sent(tx, made.id)
    return made.id, wake


def _sent(tx: Tx, quote_id: UUID) -> None:
    tx.run("""UPDATE quotes SET status = 'sent', sent_at = :now, valid_until = :until, follow_up_due_at = :now
              WHERE tenant_id = :t AND id = :id""",
           now=tx.now, until=tx.now + timedelta(days=20), t=tx.tenant_id, id=quote_id)  # fmt: skip


def _refusing(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    _, person = street.person(tx)
    clocks.exempt(tx, [person], "opted_out")
    return person, lambda tx: clocks.reinstate(tx, person)


def _at_another_address(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    _, person = street.person(tx)
    clocks.exempt(tx, [person], "bounced")
    return person, _has_address(person)


def _away(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    _, person = street.person(tx)
    clocks.pause(tx, person, tx.now + timedelta(days=9))
    return person, lambda tx: clocks.resume(tx, person)


def _away_and_calls(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    _, person = street.person(tx)
    clocks.pause(tx, person, tx.now + timedelta(days=9))
    return person, lambda tx: clocks.touch(tx, person, "call", by="user:ana")


def _of_nobody(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    _, person = street.person(tx)
    deal, _ = _deal(street, tx, lambda *_: (person, lambda _: None))
    tx.run("UPDATE deals SET contact_id = NULL WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=deal)
    return deal, lambda tx: deals.put(tx, deal_id=deal, contact_id=person)


def _moved(of_them: Callable[[Street, Tx, Blocked], tuple[UUID, Wake]]) -> Blocked:
    """Something of theirs, who have gone to another account and come back."""

    def blocked(street: Street, tx: Tx) -> tuple[UUID, Wake]:
        account, person = street.person(tx)
        other, _ = street.person(tx)
        record, _ = of_them(street, tx, lambda *_: (person, lambda _: None))
        _moves(person, other)(tx)
        return record, _moves(person, account)

    return blocked


def _our_turn(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    account, person = street.person(tx)
    deal, _ = _deal(street, tx, lambda *_: (person, lambda _: None))
    tx.run("UPDATE deals SET our_turn_since = :now WHERE tenant_id = :t AND id = :id", now=tx.now, t=tx.tenant_id,
           id=deal)  # fmt: skip
    return deal, lambda tx: deal_activity.written(tx, account, contact_ids=[person], thread_id=None,
                                                  message_id=tx.clock.uuid(), at=tx.now)  # fmt: skip


def _quoted(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    account, person = street.person(tx)
    deal, _ = _deal(street, tx, lambda *_: (person, lambda _: None))
    made = quotes.draft(tx, client_id=account, contact_id=person, deal_id=deal, lines=[Line("Them", unit_price="5")])
    _sent(tx, made.id)
    tx.run("UPDATE quotes SET follow_up_due_at = :at WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=made.id,
           at=tx.now + timedelta(days=5))  # fmt: skip
    return deal, lambda tx: quotes.withdraw(tx, made.id, reason="they changed their mind")


def _asked_for(*lines: Line, offered: bool = False) -> Blocked:
    """A draft that a mail asked for."""

    def blocked(street: Street, tx: Tx) -> tuple[UUID, Wake]:
        account, person = street.person(tx)
        made = quotes.draft(tx, client_id=account, contact_id=person, message_id=tx.clock.uuid(), source="mail",
                            lines=lines)  # fmt: skip
        if offered:
            return made.id, lambda tx: quotes.offer(tx, made.id)
        return made.id, lambda tx: quotes.change(tx, made.id, lines=[Line("Shelves", unit_price="5")])

    return blocked


def _order(
    street: Street, tx: Tx, state: str, *faults: tuple[str, str], address: bool = True, of_nobody: bool = False
) -> tuple[UUID, UUID]:
    """An order in such a state of the queue, with these (handling, code) wrong; and whose it is, maybe since later."""
    account, person = street.person(tx, address=address)
    whose: dict[str, Any] = {"client_id": account, "contact_id": person, "status": "new"}
    order = orders.put(tx, external_id=f"PO-{street.people}", fee="1", total_amount="1",
                       **({"status": "draft"} if of_nobody else whose)).id  # fmt: skip
    orders.put(tx, order_id=order, **whose)
    for handling, code in faults:
        tx.run("""INSERT INTO order_processing_exceptions (tenant_id, id, order_id, code, field, handling, message,
                                                           facts, opened_at, asked_at)
                  VALUES (:t, :id, :order, :code, :code, :handling, 'x', :facts, :now,
                          CASE WHEN :state = 'asked' THEN CAST(:now AS timestamptz) END)""",
               t=tx.tenant_id, id=tx.clock.uuid(), order=order, code=code, handling=handling, now=tx.now, state=state,
               facts={"code": f"P{street.people}"})  # fmt: skip
    tx.run("""UPDATE order_processing_queue SET state = :state, checked_at = :now,
                  due_at = CASE WHEN :state = 'asked' THEN CAST(:later AS timestamptz) END
              WHERE tenant_id = :t AND order_id = :id""",
           state=state, now=tx.now, later=tx.now + timedelta(days=5), t=tx.tenant_id, id=order)  # fmt: skip
    return order, person


def _unanswered(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    order, _ = _order(street, tx, "asked", ("ask", "PROPERTY_ADDRESS_MISSING"))
    return order, lambda tx: orders.put(tx, order_id=order, details={"property_address": "12 Elm"})


def _unknown_product(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    order, _ = _order(street, tx, "exceptions", ("person", "PRODUCT_UNKNOWN"))
    code = f"P{street.people}"
    return order, lambda tx: products.put(tx, code=code, name="Shelves", price="5")


def _nobody_to_ask(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    order, person = _order(street, tx, "exceptions", ("ask", "PROPERTY_ADDRESS_MISSING"), address=False)
    return order, _has_address(person)


def _two_faults(street: Street, tx: Tx) -> tuple[UUID, Wake]:
    order, _ = _order(street, tx, "exceptions", ("person", "FEE_MISSING"), ("person", "CREDIT_EXCEEDED"))
    [first, _] = order_exceptions.of(tx, [order])[order]
    return order, lambda tx: order_exceptions.waive(tx, first.id, by="ana", reason="it is fine")


PRICED = Line("Shelves", unit_price="5")
REASONS: Mapping[str, tuple[Engine, str, str | None, Blocked]] = {
    # engine, the rule it rests under, the rule after the news (None: a card is made of it)
    "touch: prospect": (EngagementEngine(), "engagement.existing_relationship", None, _prospect),
    "touch: inactive": (EngagementEngine(), "engagement.active_account", None, _inactive),
    "touch: no address": (EngagementEngine(), "engagement.reachable", None, _without_address),
    "deal: prospect": (DealsEngine(), "deals.existing_relationship", None, lambda s, tx: _deal(s, tx, _prospect)),
    "deal: inactive": (DealsEngine(), "deals.active_account", None, lambda s, tx: _deal(s, tx, _inactive)),
    "deal: no address": (DealsEngine(), "deals.reachable", None, lambda s, tx: _deal(s, tx, _without_address)),
    "deal: opted out": (DealsEngine(), "deals.reachable", None, lambda s, tx: _deal(s, tx, _refusing)),
    "deal: bounced": (DealsEngine(), "deals.reachable", None, lambda s, tx: _deal(s, tx, _at_another_address)),
    "deal: away": (DealsEngine(), "deals.away", None, lambda s, tx: _deal(s, tx, _away)),
    "deal: away, calls": (DealsEngine(), "deals.away", GONE, lambda s, tx: _deal(s, tx, _away_and_calls)),
    "deal: no contact": (DealsEngine(), "deals.named_contact", None, _of_nobody),
    "deal: contact moved": (DealsEngine(), "deals.named_contact", None, _moved(_deal)),
    "deal: our turn": (DealsEngine(), "deals.our_turn", GONE, _our_turn),
    "deal: quoted": (DealsEngine(), "deals.quote_out", None, _quoted),
    "quote: inactive": (QuotesEngine(), "quotes.active_account", None, lambda s, tx: _quote(s, tx, _inactive)),
    "quote: no address": (QuotesEngine(), "quotes.reachable", None, lambda s, tx: _quote(s, tx, _without_address)),
    "quote: opted out": (QuotesEngine(), "quotes.reachable", None, lambda s, tx: _quote(s, tx, _refusing)),
    "quote: bounced": (QuotesEngine(), "quotes.reachable", None, lambda s, tx: _quote(s, tx, _at_another_address)),
    "quote: away": (QuotesEngine(), "quotes.away", None, lambda s, tx: _quote(s, tx, _away)),
    "quote: contact moved": (QuotesEngine(), "quotes.named_contact", None, _moved(_quote)),
    "quote: unpriced": (QuotesEngine(), "quotes.unpriced", "quotes.not_offered", _asked_for(Line("Shelves"))),
    "quote: not offered": (QuotesEngine(), "quotes.not_offered", None, _asked_for(PRICED, offered=True)),
    "order: asked": (OrdersEngine(), "orders.waiting_for_answer", None, _unanswered),
    "order: product": (OrdersEngine(), "orders.needs_a_person", None, _unknown_product),
    "order: nobody to ask": (OrdersEngine(), "orders.needs_a_person", None, _nobody_to_ask),
    "order: two faults": (OrdersEngine(), "orders.needs_a_person", "orders.needs_a_person", _two_faults),
}  # fmt: skip


@pytest.mark.parametrize("name", ["engagement", "deals", "quotes", "orders"])
def test_each_reason_to_rest_ends_with_its_news_and_nothing_else_wakes(street: Street, name: str) -> None:
    table = {what: each for what, each in REASONS.items() if each[0].name == name}
    engine = next(iter(table.values()))[0]
    with street.ana() as tx:
        made = {what: (each[3](street, tx), each[3](street, tx)[0]) for what, each in table.items()}

    def rules(lines: list[Row]) -> dict[str, str | None]:
        """What is told one by one."""
        return {line["subject_id"]: line["rule"] for line in lines if not line["subject_id"].startswith("resting")}

    first = rules(street.hour(engine))
    for what, ((record, _), twin) in made.items():
        assert (what, first.get(str(record)), first.get(str(twin))) == (what, table[what][1], table[what][1])
    second = rules(street.hour(engine))
    assert not {str(record) for (record, _), _ in made.values()} & set(second)
    with street.ana() as tx:
        for (_, wake), _ in made.values():
            wake(tx)
    lines = street.hour(engine)
    third = {line["subject_id"]: line for line in lines}
    for what, ((record, _), twin) in made.items():
        after, line = table[what][2], third.get(str(record))
        if after == GONE:
            assert (what, line) == (what, None)
        else:
            assert (what, line and (line["rule"] if after else line["card_id"] is not None)) == (what, after or True)
        assert (what, str(twin) in third) == (what, False)
    twins = sum(line["count"] for line in lines if line["subject_id"].startswith("resting, ")
                and line["rule"] in {each[1] for each in table.values()})  # fmt: skip
    assert twins >= len(made)


def test_an_order_given_an_account_before_its_check_is_woken_by_news_of_that_account(street: Street) -> None:
    missing = ("ask", "PROPERTY_ADDRESS_MISSING")
    with street.ana() as tx:
        order, person = _order(street, tx, "exceptions", missing, address=False, of_nobody=True)
    # the first hour hears of the change, the second lays it to rest
    told = [{line["subject_id"]: line for line in street.hour(OrdersEngine())}.get(str(order)) for _ in range(3)]
    assert [line and line["rule"] for line in told] == ["orders.needs_a_person", "orders.needs_a_person", None]
    with street.ana() as tx:
        _has_address(person)(tx)
    [asked] = [line for line in street.hour(OrdersEngine()) if line["subject_id"] == str(order)]
    assert asked["card_id"] is not None


def test_a_changed_setting_and_a_changed_mode_wake_what_they_held_back(street: Street) -> None:
    engine = EngagementEngine()
    with street.ana() as tx:
        _, held = street.person(tx)
        # three more of one account, of whom two may be written to in a day
        crowd, _ = street.person(tx)
        for n in range(3):
            build.contact(tx, crowd, f"c{n}@crowd.example")
        talking, waits = street.person(tx)
        clients.replied(tx, talking, tx.now)
    street.hour(engine)
    street.hour(engine)
    told = {line["rule"]: line["count"] for line in street.hour(engine)}
    assert told == {"engagement.held": 3, "engagement.account_people": 2, "engagement.account_conversation": 1}
    with street.ana() as tx:
        settings.change(tx, {"max_people_per_account_per_day": 9, "conversation_gap_hours": 1})
    lines = {line["subject_id"]: line for line in street.hour(engine)}
    assert sum(line["card_id"] is not None for line in lines.values()) == 6
    assert lines[str(waits)]["disposition"] == "held"
    with street.ana() as tx:
        settings.change(tx, {"send_mode": "internal_only"})
        assert tx.value("SELECT count(*) FROM engagement_clocks WHERE tenant_id = :t AND rests_until IS NOT NULL "
                        "AND contact_id = :c", t=tx.tenant_id, c=held) == 0  # fmt: skip
    again = {line["subject_id"]: line for line in street.hour(engine)}
    assert again[str(held)]["card_id"] not in (None, lines[str(held)]["card_id"])


def test_whoever_waits_for_their_turn_moves_up_each_hour(street: Street) -> None:
    engine = EngagementEngine()
    with street.ana() as tx:
        settings.change(tx, {"touches_per_cycle": 2})
        for _ in range(7):
            street.person(tx)
    for left in (5, 3, 1):
        lines = street.hour(engine)
        assert sum(line["count"] for line in lines if line["rule"] == "engagement.budget") == left
        assert sum(line["count"] for line in lines) == 7


def test_nobody_who_is_held_by_somebody_else_is_waited_for_and_their_news_is_kept(street: Street) -> None:
    engine = EngagementEngine()
    with street.ana() as tx:
        account, person = street.person(tx, status="inactive")
    street.hour(engine)
    with street.ana() as tx:
        clients.upsert(tx, client_id=account, status="active")
    with street.ana() as other:
        other.run("SELECT 1 FROM engagement_clocks WHERE tenant_id = :t AND contact_id = :c FOR NO KEY UPDATE",
                  t=other.tenant_id, c=person)  # fmt: skip
        with street.ana() as tx:
            assert rests.wake(tx) == 0
    with street.ana() as tx:
        assert rests.wake(tx) == 1
        assert rests.wake(tx) == 0
