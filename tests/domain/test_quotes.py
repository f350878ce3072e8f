"""Quotes: exact to the last unit in any currency, moved only as a quote may move, dead once they are changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from domain import (
    products,
    quote_book,
    quote_life,
    quote_lines,
    quotes,
    settings,
    shadows,
)
from domain.db import Database, Tx
from domain.quote_life import Sending
from domain.quotes import IllegalQuoteMove, InvalidQuote, Line, Quote
from domain.settings import TenantSettings
from tests import build
from tests.hand_clock import A_MONDAY, HandClock

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "due"),
    [(30, [3, 6, 9, 28]), (15, [3, 6, 9, 13]), (14, [3, 6, 9, 12]), (12, [3, 6, 9, None]), (5, [3, None, None, None])],
)
def test_the_last_follow_up_is_the_later_of_twelve_days_and_two_days_before_expiry(
    days: int, due: list[int | None]
) -> None:
    found = [quote_life.follow_up_due(TenantSettings(), at, A_MONDAY, A_MONDAY + days * DAY) for at in (1, 2, 3, 4, 5)]
    assert found == [None if each is None else A_MONDAY + each * DAY for each in [*due, None]]


@pytest.mark.parametrize(
    ("currency", "price", "total"), [("KWD", "1.235", "3.520"), ("JPY", "333", "949"), ("USD", "1.23", "3.51")]
)
def test_a_quote_is_kept_to_the_last_unit_of_its_currency(
    clone: Database, acme: UUID, currency: str, price: str, total: str
) -> None:
    with clone.tenant(acme) as tx:
        quote = made(tx, Line("Shelves", 3, unit_price=price), currency=currency, discount_percent="5")
        found = quotes.get(tx, quote.id)
        [line] = quote_lines.of(tx, [quote.id])[quote.id]
    assert found is not None
    assert (str(found.total), str(line.unit_price)) == (total, price)
    with clone.tenant(acme) as tx, pytest.raises(InvalidQuote):
        made(tx, Line("Shelves", 3, unit_price=price + ("1" if "." in price else ".5")), currency=currency)


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def made(tx: Tx, *lines: Line, **fields: Any) -> Quote:
    """A draft for Bill of Initech."""
    person = fields.pop("contact_id", None) or build.contact(tx)
    client = tx.value("SELECT client_id FROM contacts WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=person)
    return quotes.draft(tx, client_id=client, contact_id=person, lines=lines or (Line("Shelves", 2, unit_price="50"),),
                        **fields)  # fmt: skip


def sent(tx: Tx, quote: Quote | None = None, *, attempt: int = 0) -> Quote:
    """The quote, or a follow-up of it, went out just now."""
    found = quote or quotes.offer(tx, made(tx).id)
    card = build.card(tx, found.contact_id, subject_type="quote", subject_id=str(found.id),
                      dedupe_key=f"{found.id}:{attempt}:{tx.now}")  # fmt: skip
    tx.run("UPDATE kanban_cards SET state = 'cancelled' WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=card.id)
    until = found.valid_until or quotes.valid_until(tx, found.validity_days)
    assert quote_life.went_out(tx, [Sending(found.id, found.revision, card.id, attempt, tx.now, until)]) == 1
    return of(tx, found.id)


def of(tx: Tx, quote_id: UUID) -> Quote:
    found = quotes.get(tx, quote_id)
    assert found is not None
    return found


def kinds(tx: Tx, quote: Quote) -> list[str]:
    return [row["kind"] for row in reversed(quotes.activities(tx, quote.id))]


def test_each_tenant_numbers_its_own_quotes_without_gaps(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        person = build.contact(tx)
        assert [made(tx, contact_id=person).number for _ in range(3)] == ["Q-0001", "Q-0002", "Q-0003"]
    with clone.tenant(acme) as tx:
        settings.change(tx, {"quote_prefix": "ac/"})
        made(tx, contact_id=person)
        tx.roll_back()
    with clone.tenant(acme) as tx:
        assert made(tx, contact_id=person).number == "Q-0004"
        assert quotes.by_number(tx, " q-0002 ").number == "Q-0002"
    with clone.tenant(build.globex(clone)) as tx:
        assert made(tx).number == "Q-0001"
        with pytest.raises(quotes.UnknownQuote):
            quotes.by_number(tx, "Q-0002")


def test_lines_take_their_price_from_the_catalogue_and_stay_open_where_it_has_none(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        settings.change(tx, {"quote_tax_percent": "21"})
        products.put(tx, code="BOX", name="Carton box", price="2.50")
        products.put(tx, code="EUR", name="Elsewhere", price="9", currency="EUR")
        quote = made(tx, Line(code="box", quantity="100", discount_percent="10"), Line("Ribbon ☃"), Line(code="EUR"),
                     discount_percent="5")  # fmt: skip
        box, ribbon, abroad = quote_lines.of(tx, [quote.id])[quote.id]
        assert (box.description, box.unit_price, box.amount) == ("Carton box", Decimal("2.50"), Decimal("225.00"))
        assert ribbon.unit_price is abroad.unit_price is None
        assert (quote.unpriced, quote.subtotal, quote.total) == (2, Decimal("225.00"), Decimal("258.64"))
        with pytest.raises(InvalidQuote, match="2 of them have no price"):
            quotes.offer(tx, quote.id)
        whole = quotes.change(tx, quote.id, lines=[box])
        assert quotes.change(tx, quote.id, lines=[Line(code="BOX", quantity=100, discount_percent=10)]) == whole
        assert quotes.offer(tx, quote.id).offered_at == tx.now
        assert kinds(tx, quote) == ["created", "changed", "offered"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"lines": [Line()]}, "lines.1"),
        ({"lines": [Line("A", 0)]}, "lines.1.quantity"),
        ({"lines": [Line("A", unit_price="1.005")]}, "lines.1.unit_price"),
        ({"lines": [Line("A", unit_price="-1")]}, "lines.1.unit_price"),
        ({"lines": [Line("A", discount_percent="100.01")]}, "lines.1.discount_percent"),
        ({"lines": [Line("A", quantity="999999999", unit_price="999999999")]}, "more than can be kept"),
        ({"lines": [Line("A")] * 201}, "at most 200"),
        ({"currency": "dollars"}, "currency"),
        ({"currency": "ZZZ"}, "currency"),
        ({"discount_percent": "-1"}, "discount_percent"),
        ({"validity_days": 0}, "validity_days"),
        ({"contact_id": UUID(int=1)}, "contact_id"),
        ({"deal_id": UUID(int=1)}, "deal_id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_no_quote_is_refused_and_the_refusal_names_the_field(
    clone: Database, acme: UUID, wrong: dict[str, Any], field: str
) -> None:
    with clone.tenant(acme) as tx, pytest.raises(InvalidQuote, match=field):
        quotes.draft(tx, client_id=build.client(tx), **wrong)


def test_what_comes_to_nothing_is_not_offered(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        for given_away in (made(tx, discount_percent="100"), made(tx, Line("Sample", 3, unit_price="0"))):
            assert given_away.total == 0
            with pytest.raises(InvalidQuote, match="come to nothing"):
                quotes.offer(tx, given_away.id)
        # a present among what is paid for is one
        quotes.offer(tx, made(tx, Line("Sample", unit_price="0"), Line("Shelf", unit_price="0.01")).id)


def test_a_reason_that_nobody_can_see_is_none_and_marks_that_mislead_go(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        quote = sent(tx)
        for blank in ("\u200b", "\u2060\ufeff", " \u3164\n", "\u2800", "\u202e", "\x00", "\u0301"):
            with pytest.raises(InvalidQuote, match="reason"):
                quotes.reject(tx, quote.id, by="Bill", reason=blank)
            with pytest.raises(InvalidQuote, match="reason"):
                quotes.withdraw(tx, quote.id, reason=blank)
            with pytest.raises(InvalidQuote, match="by"):
                quotes.accept(tx, quote.id, by=blank)
            with pytest.raises(InvalidQuote, match="description"):
                made(tx, Line(blank, unit_price="1"))
        told = quotes.reject(tx, quote.id, by="Bill\u202e llib", reason="caro\u200b,\n 10\u00a0€ 👩\u200d🔧")
        assert (told.answered_by, told.reason) == ("Bill llib", "caro, 10 € 👩\u200d🔧")


def test_a_quote_goes_from_draft_to_an_answer_and_stays_answered(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        quote = sent(tx)
        assert (quote.status, quote.sent_at, quote.follow_up_due_at) == ("sent", tx.now, tx.now + 3 * DAY)
        with pytest.raises(IllegalQuoteMove):
            quotes.offer(tx, quote.id)
        assert quote_life.visited(tx, quote.id, 1, scanner=None, looks={}) is not None
        assert of(tx, quote.id).status == "sent", "nobody reads a mail within a minute"
    clock.advance(hours=1)
    with clone.tenant(acme) as tx:
        quote_life.visited(tx, quote.id, 1, scanner="it says that it is a bot", looks={"agent": "Bot\x00 ☃"})
        assert (of(tx, quote.id).status, of(tx, quote.id).scans) == ("sent", 2)
        quote_life.visited(tx, quote.id, 1, scanner=None, looks={"agent": "Firefox"})
        quote_life.visited(tx, quote.id, 1, scanner=None, looks={"agent": "Firefox"})
        viewed = of(tx, quote.id)
        assert (viewed.status, viewed.first_viewed_at, viewed.visits) == ("viewed", tx.now, 2)
        assert viewed.follow_up_due_at == A_MONDAY + 3 * DAY
        with pytest.raises(InvalidQuote, match="say why"):
            quotes.reject(tx, quote.id, by="Bill", reason="  ")
        with pytest.raises(IllegalQuoteMove, match="has been changed since"):
            quotes.accept(tx, quote.id, by="Bill", revision=2)
        accepted = quotes.accept(tx, quote.id, by="Bill", revision=1)
        assert quotes.accept(tx, quote.id, by="Eve") == accepted
        assert (accepted.answered_by, accepted.follow_up_due_at) == ("Bill", None)
        refused: list[Callable[[], Quote]] = [
            lambda: quotes.reject(tx, quote.id, by="Bill", reason="no"),
            lambda: quotes.change(tx, quote.id, title="More"),
            lambda: quotes.withdraw(tx, quote.id, reason="ours"),
        ]
        for each in refused:
            with pytest.raises(IllegalQuoteMove, match="is accepted"):
                each()
        assert " ".join(kinds(tx, quote)) == "created offered sent scan scan visit viewed visit accepted"


def test_a_quote_that_was_sent_and_is_changed_is_a_new_draft(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        quote = sent(tx)
        assert quotes.change(tx, quote.id, title=quote.title) == quote
        anew = quotes.change(tx, quote.id, discount_percent="10")
        assert (anew.status, anew.revision, anew.number, anew.total) == ("draft", 2, quote.number, Decimal("90.00"))
        assert (anew.sent_at, anew.valid_until, anew.follow_up_due_at) == (None, None, None)
        assert quote_life.visited(tx, quote.id, 1, scanner=None, looks={}) is None
        [before] = [row["data"] for row in quotes.activities(tx, quote.id) if row["kind"] == "revised"]
        assert (before["total"], before["lines"][0]["unit_price"]) == ("100.00", "50.00")
        with pytest.raises(IllegalQuoteMove):
            quotes.accept(tx, quote.id, by="Bill")
        again = sent(tx, quotes.offer(tx, quote.id))
    clock.advance(days=40)
    with clone.tenant(acme) as tx:
        with pytest.raises(IllegalQuoteMove, match="was valid until"):
            quotes.accept(tx, again.id, by="Bill")
        assert (quote_life.expire(tx), quote_life.expire(tx)) == (1, 0)
        assert of(tx, again.id).status == "expired"
        assert quotes.change(tx, again.id, validity_days=10).revision == 3


def test_an_account_of_a_currency_that_is_gone_is_quoted_in_another(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        person = build.contact(tx, build.client(tx, currency="hrk"))
        with pytest.raises(InvalidQuote, match="currency: HRK is no longer paid in"):
            made(tx, contact_id=person)
        assert made(tx, contact_id=person, currency="eur").currency == "EUR"


def test_a_draft_in_money_that_is_gone_by_now_is_changed_and_goes_out_in_another(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        quote = made(tx)
        tx.run("UPDATE quotes SET currency = 'BGN' WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=quote.id)
        changed = quotes.change(tx, quote.id, title="Shelves")
        assert (changed.title, changed.currency) == ("Shelves", "BGN")
        with pytest.raises(InvalidQuote, match="currency: BGN is no longer paid in"):
            quotes.change(tx, quote.id, currency="bgn")
        with pytest.raises(InvalidQuote, match="currency: BGN is no longer paid in"):
            quotes.offer(tx, quote.id)
        assert quotes.change(tx, quote.id, currency="EUR").currency == "EUR"
        assert quotes.offer(tx, quote.id).offered_at == tx.now


def test_a_quote_for_another_person_leaves_the_conversation_with_the_first(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        quote = made(tx)
        assert quote.contact_id is not None
        samir = build.contact(tx, quote.client_id, "samir@initech.example", name="Samir")
        thread = build.thread(tx, contact_id=quote.contact_id)
        tx.run("UPDATE quotes SET thread_id = :h WHERE tenant_id = :t AND id = :id", h=thread, t=acme, id=quote.id)
        assert quotes.change(tx, quote.id, title="Shelves").thread_id == thread
        assert quotes.change(tx, quote.id, contact_id=samir).thread_id is None


def test_follow_ups_wind_on_until_somebody_answers(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        quote = sent(tx)
    clock.advance(days=5)
    with clone.tenant(acme) as tx:
        late = sent(tx, of(tx, quote.id), attempt=1)
        assert (late.follow_ups, late.follow_up_due_at) == (1, tx.now + 3 * DAY), "never within the gap"
        client = late.client_id
        assert (quote_life.silence(tx, client), quote_life.silence(tx, client)) == (1, 0)
        assert of(tx, quote.id).follow_up_due_at is None
        # it was on its way when they answered
        assert sent(tx, of(tx, quote.id), attempt=2).follow_up_due_at is None


def test_what_was_held_moves_a_shadow_alone(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        quote = quotes.offer(tx, made(tx).id)
        card = build.card(tx, quote.contact_id)
        held = Sending(quote.id, 1, card.id, 0, tx.now, quotes.valid_until(tx))
        assert quote_life.were_held(tx, [held]) == 1
        shadow = of(tx, quote.id)
        assert (shadow.status, shadow.shadow_sent_at, shadow.sent_at) == ("draft", tx.now, None)
        planned = tx.value("SELECT planned_at FROM quotes WHERE tenant_id = :t", t=acme)
        assert planned == tx.now + 3 * DAY
        assert (shadows.forget_of_quotes(tx), shadows.forget_of_quotes(tx)) == (1, 0)
        assert of(tx, quote.id).offered_at == quote.offered_at
        assert quote_life.were_held(tx, [held]) == 1
        settings.change(tx, {"send_mode": "dry_run"})
        free = of(tx, quote.id)
        assert (free.shadow_sent_at, free.valid_until) == (None, None)


def test_a_rejection_loses_the_deal_only_when_nothing_else_is_open(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        person = build.contact(tx)
        deal = build.deal(tx, person)
        two = [sent(tx, quotes.offer(tx, made(tx, contact_id=person, deal_id=deal).id)) for _ in range(2)]
        for quote in two:
            quotes.reject(tx, quote.id, by="Bill", reason="too dear")
        told = tx.rows("SELECT data ->> 'deal_id' AS deal, data ->> 'reason' AS reason FROM warehouse_events "
                       "WHERE tenant_id = :t AND type = 'quote.rejected' ORDER BY id", t=acme)  # fmt: skip
        assert [tuple(row.values()) for row in told] == [(None, "too dear"), (str(deal), "too dear")]


def test_the_database_knows_the_same_moves_and_lets_nobody_change_an_offer(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        for status, targets in quote_book.MOVES.items():
            told = tx.value("SELECT hourhand.quote_moves(:s)", s=status)
            assert set(told) == targets
        quote = sent(tx)
    for change in ("total = 1, subtotal = 1", "status = 'draft'", "revision = 2", "valid_until = now()",
                   "status = 'expired', number = 'X'", "status = 'accepted'", "unpriced = 1"):  # fmt: skip
        with pytest.raises(DBAPIError, match=r"check|offer|revision"), clone.tenant(acme) as tx:
            tx.run(f"UPDATE quotes SET {change} WHERE tenant_id = :t AND id = :id", t=acme, id=quote.id)


def test_what_waits_for_a_quote_goes_when_it_changes_and_what_is_on_its_way_holds_it(
    clone: Database, acme: UUID
) -> None:
    with clone.tenant(acme) as tx:
        quote = quotes.offer(tx, made(tx).id)
        card = build.card(tx, quote.contact_id, kind="send_quote", subject_type="quote", subject_id=str(quote.id))
        quotes.change(tx, quote.id, title="Better shelves")
        assert (
            tx.value("SELECT state FROM kanban_cards WHERE tenant_id = :t AND id = :id", t=acme, id=card.id)
            == "cancelled"
        )
        build.card(tx, quote.contact_id, kind="send_quote", subject_type="quote", subject_id=str(quote.id),
                   dedupe_key="again", state="queued")  # fmt: skip
        tx.run("UPDATE kanban_cards SET state = 'executing', owner = 'x', executing_until = :now "
               "WHERE tenant_id = :t AND dedupe_key = 'again'", t=acme, now=tx.now)  # fmt: skip
        with pytest.raises(IllegalQuoteMove, match="on its way"):
            quotes.change(tx, quote.id, title="Best shelves")
