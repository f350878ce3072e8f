"""What happens around quotes: whatever ends them ends all that was still meant, and what comes late changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain import clients, deal_activity, products, quote_life, quote_lines, quotes, schedule, settings
from domain.db import Database, Tx
from domain.quote_life import Sending
from domain.quotes import InvalidQuote, Line, Quote
from domain.settings import TenantSettings
from tests import build
from tests.domain.test_deals import of as deal_of
from tests.domain.test_quotes import DAY, kinds, made, of, sent
from tests.hand_clock import A_MONDAY, HandClock


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def waiting(tx: Tx, quote: Quote) -> UUID:
    """A follow-up that still waits to go out; its card's id."""
    key = f"waiting:{quote.id}:{tx.clock.uuid()}"
    return build.card(tx, quote.contact_id, subject_type="quote", subject_id=str(quote.id), dedupe_key=key).id


def state(tx: Tx, card_id: UUID) -> tuple[str, str | None]:
    row = tx.row("SELECT state, rule FROM kanban_cards WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=card_id)
    assert row is not None
    return row["state"], row["rule"]


def test_an_answer_and_an_expiry_take_back_what_waits_and_wake_the_tenant(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        answered, silent = sent(tx), sent(tx, quotes.offer(tx, made(tx, contact_id=build.contact(tx)).id))
        cards = [waiting(tx, each) for each in (answered, silent)]
    asleep(clone, acme)
    with clone.tenant(acme) as tx:
        quotes.accept(tx, answered.id, by="Bill")
        assert [state(tx, each)[0] for each in cards] == ["cancelled", "proposed"]
    assert wakes(clone, acme) == A_MONDAY
    asleep(clone, acme)
    with clone.tenant(acme) as tx:
        quotes.offer(tx, made(tx, contact_id=answered.contact_id).id)
    assert wakes(clone, acme) == A_MONDAY
    clock.advance(days=40)
    with clone.tenant(acme) as tx:
        assert quote_life.expire(tx) == 1
        assert state(tx, cards[1]) == ("cancelled", "quotes.moved_on")


def asleep(clone: Database, tenant: UUID) -> None:
    """Nothing is due for ten days."""
    with clone.tenant(tenant) as tx:
        schedule.lock(tx)
        schedule.settle(tx, [tx.now + timedelta(days=10)])
        tx.run("UPDATE tenant_schedule SET extra_due_at = NULL WHERE tenant_id = :t", t=tx.tenant_id)


def wakes(clone: Database, tenant: UUID) -> datetime | None:
    """When an extra look at the tenant is due, besides its hourly one."""
    with clone.tenant(tenant) as tx:
        line = schedule.standing(tx)
    assert line is not None
    found: datetime | None = line["extra_due_at"]
    return found


def test_a_reply_while_a_mail_is_on_its_way_counts_and_an_older_revision_s_mail_does_not(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        quote = quotes.offer(tx, made(tx).id)
        card = build.card(tx, quote.contact_id)
        clients.replied(tx, quote.client_id, tx.now)
        until = quotes.valid_until(tx)
        quote_life.went_out(tx, [Sending(quote.id, 1, card.id, 0, tx.now - timedelta(hours=1), until)])
        assert (of(tx, quote.id).status, of(tx, quote.id).follow_up_due_at) == ("sent", None)
        quotes.change(tx, quote.id, title="Better")
        assert quote_life.went_out(tx, [Sending(quote.id, 1, card.id, 0, tx.now, until)]) == 0
        assert (of(tx, quote.id).status, of(tx, quote.id).revision) == ("draft", 2)


def test_a_quote_that_never_arrived_is_not_followed_up(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        quote = sent(tx)
        card_id = tx.value("SELECT card_id FROM quote_activities WHERE tenant_id = :t AND kind = 'sent'", t=acme)
        assert not quote_life.void(tx, UUID(int=1))
        assert quote_life.void(tx, card_id)
        assert (of(tx, quote.id).status, of(tx, quote.id).follow_up_due_at) == ("sent", None)
        assert kinds(tx, quote)[-1] == "bounced"


def test_visits_are_counted_all_and_kept_up_to_a_bound(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        quote = sent(tx)
    clock.advance(hours=1)
    with clone.tenant(acme) as tx:
        for _ in range(quote_life.VISITS_KEPT + 2):
            quote_life.visited(tx, quote.id, 1, scanner=None, looks={})
        assert of(tx, quote.id).visits == quote_life.VISITS_KEPT + 2
        kept = tx.value("SELECT count(*) FROM quote_activities WHERE tenant_id = :t AND kind = 'visit'", t=acme)
        assert kept == quote_life.VISITS_KEPT


def test_a_quote_that_goes_out_answers_its_deal_and_clears_its_stall(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        person = build.contact(tx)
        deal = build.deal(tx, person)
        deal_activity.heard(tx, deal_of(tx, deal).client_id, contact_id=person, thread_id=None, message_id=None,
                            at=tx.now, asks=True)  # fmt: skip
    clock.advance(days=15)
    with clone.tenant(acme) as tx:
        assert deal_activity.detect_stalled(tx) == 1
        sent(tx, quotes.offer(tx, made(tx, contact_id=person, deal_id=deal).id))
        now = deal_of(tx, deal)
        assert (now.stalled_at, now.our_turn_since, now.last_activity_at) == (None, None, tx.now)
        assert now.follow_up_due_at == tx.now + 5 * DAY


def test_what_can_t_be_offered_is_refused_by_name(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        quote = sent(tx)
        nobody = quotes.draft(tx, client_id=quote.client_id, lines=[Line("Shelves", unit_price="5")])
        with pytest.raises(InvalidQuote, match="contact_id"):
            quotes.offer(tx, nobody.id)
        empty = quotes.draft(tx, client_id=quote.client_id, contact_id=quote.contact_id)
        with pytest.raises(InvalidQuote, match="offers something"):
            quotes.offer(tx, empty.id)
        other = build.client(tx, name="Hooli")
        with pytest.raises(InvalidQuote, match="draft a new quote"):
            quotes.change(tx, quote.id, client_id=other, contact_id=build.contact(tx, other, "cy@hooli.example"))


def test_a_product_that_is_sold_no_more_has_no_price(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        products.put(tx, code="OLD", name="Old box", price="2.50", active=False)
        [line] = quote_lines.of(tx, [(quote := made(tx, Line(code="OLD"))).id])[quote.id]
        assert (line.description, line.unit_price, quote.unpriced) == ("Old box", None, 1)


def test_a_quote_holds_to_the_end_of_its_last_day_where_the_tenant_is(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        settings.change(tx, {"timezone": "America/Sao_Paulo"})
        assert quotes.valid_until(tx, 1) == datetime(2026, 3, 4, 3, tzinfo=UTC)


def test_a_tenant_that_wants_fewer_follow_ups_has_fewer() -> None:
    due = [quote_life.follow_up_due(TenantSettings(max_follow_ups=2), at, A_MONDAY, A_MONDAY + 30 * DAY)
           for at in (1, 2, 3, 4)]  # fmt: skip
    assert due == [A_MONDAY + 3 * DAY, A_MONDAY + 6 * DAY, None, None]
