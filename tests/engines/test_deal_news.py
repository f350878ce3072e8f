"""What is news about a deal: a mail or a quote moves it by what it shows, and nothing moves what is left to people."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import cards, deal_activity, deals, quote_life, quotes, settings
from domain.cards import Card
from domain.db import Database, Tx
from domain.deal_activity import FollowUp
from domain.events import Event
from domain.inbox import Message
from engines.contract import Context, Plan
from engines.deals.engine import DealsEngine, update_deal
from engines.quotes.engine import QuotesEngine
from tests import build
from tests.domain.test_deals import heard, of
from tests.domain.test_quotes import made, sent
from tests.engines import hours, test_requests
from tests.engines.test_agreements import heard as engines_hear
from tests.hand_clock import HandClock

ENGINE = DealsEngine()

acme = test_requests.acme


def mail(tx: Tx, deal_id: UUID, text: str = "Hello", *, own_thread: bool = True, **how: Any) -> Message:
    """Bill writes in the conversation of his deal, or in another; the deal has noted it."""
    message = test_requests.arrives(tx, text, **how)
    thread = message.thread_id if own_thread else None
    tx.run("UPDATE deals SET thread_id = :h WHERE tenant_id = :t AND id = :id", h=thread, t=tx.tenant_id, id=deal_id)
    deal_activity.heard(tx, of(tx, deal_id).client_id, contact_id=message.contact_id, thread_id=message.thread_id,
                        message_id=message.id, at=tx.now)  # fmt: skip
    return message


def event(tx: Tx, message: Message, cls: str = "reply", *flags: str) -> Event:
    said = hours.received(tx.clock.uuid(), message.id, tx.now, message.client_id)
    return replace(said, data={"class": cls, "flags": flags})


def proposed(tx: Tx) -> list[Card]:
    return [card for card in cards.listed(tx, kind="update_deal") if card.engine == "deals"]


def deal_with_bill(tx: Tx) -> UUID:
    [bill] = tx.rows("SELECT id FROM contacts WHERE tenant_id = :t", t=tx.tenant_id)
    return build.deal(tx, bill["id"])


@pytest.mark.parametrize(
    ("cls", "flags", "own", "on", "to"),
    [
        ("reply", (), True, True, "qualified"),
        ("reply", (), False, True, None),
        ("reply", (), True, False, None),
        ("reply", ("complaint",), True, True, None),
        ("unsubscribe", (), True, True, None),
        ("quote_request", (), False, True, "proposal"),
        ("order", (), True, True, "won"),
        ("order", (), False, True, None),
    ],
)
def test_a_mail_moves_a_deal_by_what_it_shows_and_no_other(
    clone: Database, acme: UUID, cls: str, flags: tuple[str, ...], own: bool, on: bool, to: str | None
) -> None:
    with clone.tenant(acme) as tx:
        deal_id = deal_with_bill(tx)
        message = mail(tx, deal_id, own_thread=own)
        deals.switch(tx, deal_id, on=on, reason="mine")
        ENGINE.react(Context(tx, settings.of(tx)), event(tx, message, cls, *flags))
        told = [card.payload.get("to_stage") or card.payload.get("to_state") for card in proposed(tx)]
        assert told == ([to] if to else [])
        assert of(tx, deal_id).stage == "new", "a card moves it, with its evidence, and nothing else"
        for card in proposed(tx):
            assert (card.evidence["kind"], card.evidence["what"]) == (cls, f"message {message.id}")


def test_news_of_one_hour_move_a_deal_one_after_the_other_and_never_back(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        deal_id, context = deal_with_bill(tx), Context(tx, settings.of(tx))
        message = mail(tx, deal_id)
        for cls in ("order", "quote_request", "reply"):
            ENGINE.react(context, replace(event(tx, message, cls), id=tx.clock.uuid()))
            tx.run("UPDATE kanban_cards SET dedupe_key = :k WHERE tenant_id = :t AND dedupe_key LIKE 'deals:news:%'",
                   k=cls, t=acme)  # fmt: skip
        by_kind = {card.evidence["kind"]: card for card in proposed(tx)}
        won, asked, replied = by_kind["order"], by_kind["quote_request"], by_kind["reply"]
        assert [card.payload["from_stage"] for card in (won, asked, replied)] == ["new"] * 3
        moved = [update_deal(context, card).facts for card in (replied, asked, replied, won, asked)]
        assert [each.get("changed") is not None for each in moved] == [True, True, False, True, False]
        assert [row["stage"] for row in deals.history(tx, deal_id)] == ["new", "qualified", "proposal", "won"]
        back = deal_with_bill(tx)
        deals.advance(tx, back, "negotiation", evidence=heard(tx))
        ENGINE.react(context, replace(event(tx, mail(tx, back), "reply"), id=tx.clock.uuid()))
        assert of(tx, back).stage == "negotiation"


def test_a_deal_that_is_off_is_moved_by_no_quote_and_said_nothing_of_when_it_stalls(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        deal_id, context = deal_with_bill(tx), Context(tx, settings.of(tx))
        card = build.card(tx, of(tx, deal_id).contact_id)
        deal_activity.follow_ups_sent(tx, [FollowUp(deal_id, card.id, 4, is_last=True)])
        deals.switch(tx, deal_id, on=False, reason="mine")
        told = {"deal_id": str(deal_id), "reason": "too dear"}
        for kind in ("quote.accepted", "quote.rejected", "quote.sent", "quote.viewed"):
            ENGINE.react(context, Event(tx.clock.uuid(), tx.now, kind, "quote", str(UUID(int=1)), "x", data=told))
        assert proposed(tx) == []
    clock.advance(days=20)
    with clone.tenant(acme) as tx:
        context = Context(tx, settings.of(tx))
        ENGINE.ripen(context)
        assert ENGINE.plan(context) == Plan()
        assert (of(tx, deal_id).stalled_at is not None, ENGINE.next_due(context)) == (True, None)


def test_a_quote_that_ran_out_becomes_the_next_step_of_its_deal(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        deal_id = deal_with_bill(tx)
        sent(tx, quotes.offer(tx, made(tx, contact_id=of(tx, deal_id).contact_id, deal_id=deal_id).id))
    clock.advance(days=40)
    with clone.tenant(acme) as tx:
        quote_life.expire(tx)
        engines_hear(tx)
        assert of(tx, deal_id).next_step == "Quote Q-0001 expired without an answer: renew it or close the deal"
        assert (of(tx, deal_id).next_step_evidence or {})["kind"] == "quote_expired"


@pytest.mark.parametrize(("word_of", "drafts"), [("contact", 1), ("doubtful", 1), ("forged", 0)])
def test_a_mail_asks_for_one_quote_however_often_it_is_read_and_for_none_where_its_sender_is_forged(
    clone: Database, acme: UUID, word_of: str, drafts: int
) -> None:
    with clone.tenant(acme) as tx:
        message = test_requests.arrives(tx, "Please quote 40 shelves.", cls="quote_request")
        tx.run("UPDATE gmail_messages SET word_of = :w WHERE tenant_id = :t AND id = :id",
               w=word_of, t=acme, id=message.id)  # fmt: skip
        said = event(tx, message, "quote_request")
        for _ in range(2):
            QuotesEngine().react(Context(tx, settings.of(tx)), said)
        assert len(quotes.listed(tx)) == drafts


def test_an_answer_in_the_conversation_of_a_quote_asks_for_no_other_and_becomes_a_next_step(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme, actor="ana") as tx:
        deal_id = deal_with_bill(tx)
        quote = sent(tx, quotes.offer(tx, made(tx, contact_id=of(tx, deal_id).contact_id, deal_id=deal_id).id))
        message = test_requests.arrives(tx, "Aceptamos el presupuesto.", cls="quote_request", flags=("reply",))
        tx.run("UPDATE quotes SET thread_id = :h WHERE tenant_id = :t", h=message.thread_id, t=acme)
        clock.advance(minutes=1)
        QuotesEngine().react(Context(tx, settings.of(tx)), event(tx, message, "quote_request"))
        assert [each.id for each in quotes.listed(tx)] == [quote.id]
        step = "Answer the mail about quote Q-0001; a yes or a no is noted with it"
        deal = of(tx, deal_id)
        assert (deal.next_step, (deal.next_step_evidence or {})["what"]) == (step, f"message {message.id}")
        # what a person means to do next stays
        deals.set_next_step(
            tx, deal_id, "Call him", evidence=deals.by_person(tx, "as agreed"), at=tx.now + timedelta(1)
        )
        QuotesEngine().react(Context(tx, settings.of(tx)), event(tx, message))
        assert of(tx, deal_id).next_step == "Call him"
        # what is answered has no conversation that waits
        quotes.accept(tx, quote.id, by="Bill, by mail")
        assert quotes.open_of(tx, quote.client_id) == []
