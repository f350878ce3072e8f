"""Mail that is not from whom it seems to be fills in no record, moves no deal and answers no question of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain import (
    alerts,
    cards,
    compliance_generation,
    contacts,
    deal_activity,
    feedback_answers,
    feedback_book,
    inbox,
    mailboxes,
    products,
    quotes,
    settings,
)
from domain import compliance_checks as checks
from domain.db import Database, Tx
from domain.events import Event
from domain.inbox import Message
from domain.incoming import Incoming
from engines.compliance.engine import ComplianceEngine
from engines.contract import Context
from engines.deals.engine import DealsEngine
from engines.feedback.engine import FeedbackEngine
from engines.quotes.engine import QuotesEngine
from engines.requests.engine import RequestsEngine
from tests import build, gears, undone
from tests.domain import test_compliance, test_deals, test_quotes
from tests.domain.test_feedback import asked
from tests.engines import hours

BILL = "bill@initech.example"
HONEST: dict[str, Any] = {"from_address": BILL, "aligned": True}
MISDIRECTED: dict[str, Any] = {"from_address": "mallory@evil.example", "reply_to": (BILL,), "aligned": True}
"""She passes every check for her own domain, and names him in Reply-To."""
FORGED: dict[str, Any] = {"from_address": BILL, "aligned": False, "disowned": True}
UNPROVEN: dict[str, Any] = {"from_address": BILL, "aligned": False}
"""His domain has no policy, and its mail is signed by nobody."""
COLLEAGUE: dict[str, Any] = {"from_address": "milton@initech.example", "aligned": True}
"""Nobody knows him yet, but his domain is the account's."""

BOTH = pytest.mark.parametrize("whose", [MISDIRECTED, UNPROVEN], ids=["misdirected", "unproven"])


@pytest.fixture(scope="module")
def house(cluster: gears.Cluster) -> Iterator[tuple[Database, UUID]]:
    """The house of all tests of this file, and what they all need in it."""
    with undone.a_house(cluster) as (database, acme):
        with database.tenant(acme) as tx:
            build.contact(tx, build.client(tx), name="Bill Lumbergh")
            mailboxes.configure_folder(tx, "/mail", "ana@acme.example")
        yield database, acme


def bill(tx: Tx) -> contacts.Contact:
    return contacts.by_addresses(tx, [BILL])[BILL]


def arrives(tx: Tx, text: str, whose: dict[str, Any], *, cls: str = "reply", **reading: Any) -> tuple[Message, Event]:
    """A mail comes in and is stored; it, and what the engines are told of it."""
    name = tx.clock.uuid().hex
    one = Incoming(
        provider_message_id=name, provider_thread_id="one", raw=name.encode(), labels=(), received_at=tx.now, cls=cls,
        flags=frozenset(), subject="Re: Hello", snippet=text[:200], message_id=f"<{name}@elsewhere.example>",
        reading={"reply": text, **reading}, **whose,
    )  # fmt: skip
    [mailbox] = mailboxes.listed(tx)
    [linked] = inbox.receive(tx, build.VAULT, mailbox.id, [one])
    # in a conversation of ours, a reply keeps the kind that reading gave it
    tx.run(
        "UPDATE gmail_messages SET class = :c WHERE tenant_id = :t AND id = :id", c=cls, t=tx.tenant_id, id=linked.id
    )
    message = inbox.get(tx, linked.id)
    assert message is not None
    said = hours.received(tx.clock.uuid(), message.id, tx.now, message.client_id)
    return message, replace(said, data={"class": cls, "flags": []})


def context(tx: Tx) -> Context:
    return Context(tx, settings.of(tx))


@pytest.mark.parametrize(
    ("whose", "told"),
    [(HONEST, ("+442079460958", "VP Finance")), (MISDIRECTED, (None, None)), (FORGED, (None, None))],
    ids=["honest", "misdirected", "forged"],
)
def test_only_a_contacts_own_mail_fills_in_their_record(
    tx: Tx, whose: dict[str, Any], told: tuple[str | None, str | None]
) -> None:
    person = bill(tx)
    check = made_check(tx, person)
    facts = [{"kind": kind, "value": value, "source": "signature", "about": whose["from_address"]}
             for kind, value in (("phone", "+44 20 7946 0958"), ("title", "VP Finance"))]  # fmt: skip
    message, event = arrives(tx, "Here you are.\n\nBill, VP Finance, +44 20 7946 0958", whose, people=facts)
    assert message.contact_id == person.id
    ComplianceEngine().react(context(tx), event)
    now = bill(tx)
    assert (now.phone, now.title) == told
    assert checks.get(tx, check.id).state == "reminded"


@BOTH
def test_a_number_in_the_words_of_a_mail_that_nobody_vouches_for_is_not_taken(tx: Tx, whose: dict[str, Any]) -> None:
    made_check(tx, bill(tx))
    card = build.card(tx, bill(tx).id)
    message, event = arrives(tx, "It is +44 20 7946 0958.", whose)
    tx.run("UPDATE gmail_messages SET reply_to_card_id = :c WHERE tenant_id = :t AND id = :id",
           c=card.id, t=tx.tenant_id, id=message.id)  # fmt: skip
    ComplianceEngine().react(context(tx), event)
    assert bill(tx).phone is None
    # the same words from his own address, to show that it is not for want of reading them
    tx.run("UPDATE gmail_messages SET word_of = 'contact' WHERE tenant_id = :t AND id = :id",
           t=tx.tenant_id, id=message.id)  # fmt: skip
    ComplianceEngine().react(context(tx), event)
    assert bill(tx).phone == "+442079460958"


@pytest.mark.parametrize(
    ("whose", "answered"), [(HONEST, True), (COLLEAGUE, True), (MISDIRECTED, False), (FORGED, False)],
    ids=["honest", "colleague", "misdirected", "forged"],
)  # fmt: skip
def test_a_quotes_answer_is_a_next_step_only_where_somebody_of_the_account_wrote_it(
    tx: Tx, whose: dict[str, Any], answered: bool
) -> None:
    person = bill(tx)
    deal_id = build.deal(tx, person.id)
    test_quotes.sent(tx, quotes.offer(tx, test_quotes.made(tx, contact_id=person.id, deal_id=deal_id).id))
    message, event = arrives(tx, "Yes, we take it.", whose)
    tx.run("UPDATE quotes SET thread_id = :h WHERE tenant_id = :t", h=message.thread_id, t=tx.tenant_id)
    QuotesEngine().react(context(tx), event)
    step = test_deals.of(tx, deal_id).next_step
    assert ("about quote Q-0001" in (step or "")) is answered
    assert alerts.listed(tx) == []


@pytest.mark.parametrize(
    ("whose", "told"), [(HONEST, 1), (COLLEAGUE, 1), (MISDIRECTED, 0), (FORGED, 0)],
    ids=["honest", "colleague", "misdirected", "forged"],
)  # fmt: skip
def test_an_answer_to_a_quote_without_a_deal_is_an_alert_and_a_strangers_is_none(
    tx: Tx, whose: dict[str, Any], told: int
) -> None:
    quote = test_quotes.sent(tx, quotes.offer(tx, test_quotes.made(tx, contact_id=bill(tx).id).id))
    message, event = arrives(tx, "Yes, we take it.", whose)
    tx.run("UPDATE quotes SET thread_id = :h WHERE tenant_id = :t", h=message.thread_id, t=tx.tenant_id)
    for _ in range(2):
        QuotesEngine().react(context(tx), event)
    assert [each.kind for each in alerts.listed(tx)] == [f"quote_answered:{quote.id}"] * told


@pytest.mark.parametrize(
    ("whose", "comes_of_it"),
    [(HONEST, (True, True)), (COLLEAGUE, (False, True)), (MISDIRECTED, (False, False)), (UNPROVEN, (False, False)),
     (FORGED, None)],
    ids=["honest", "colleague", "misdirected", "unproven", "forged"],
)  # fmt: skip
def test_a_quote_is_sent_to_nobody_and_opens_no_deal_because_of_another_who_asked(
    tx: Tx, whose: dict[str, Any], comes_of_it: tuple[bool, bool] | None
) -> None:
    products.put(tx, code="SHELF", name="Shelf", price="10")
    _, event = arrives(tx, "Please quote 4 x Shelf.", whose, cls="quote_request",
                       items=[{"description": "Shelf", "code": "SHELF", "quantity": "4"}])  # fmt: skip
    QuotesEngine().react(context(tx), event)
    made = quotes.listed(tx)
    assert [(each.offered_at is not None, each.deal_id is not None) for each in made] == (
        [comes_of_it] if comes_of_it else []
    )


@pytest.mark.parametrize(
    ("whose", "cls", "to"),
    [
        (HONEST, "order", "won"), (HONEST, "reply", "qualified"), (COLLEAGUE, "order", None),
        (COLLEAGUE, "reply", "qualified"), (MISDIRECTED, "order", None), (FORGED, "order", None),
        (MISDIRECTED, "quote_request", None), (FORGED, "reply", None),
    ],
)  # fmt: skip
def test_a_deal_is_moved_by_its_own_account_and_won_by_its_contacts_alone(
    tx: Tx, whose: dict[str, Any], cls: str, to: str | None
) -> None:
    person = bill(tx)
    deal_id = build.deal(tx, person.id)
    message, event = arrives(tx, "We would like to go ahead.", whose, cls=cls)
    tx.run("UPDATE deals SET thread_id = :h WHERE tenant_id = :t AND id = :id",
           h=message.thread_id, t=tx.tenant_id, id=deal_id)  # fmt: skip
    deal_activity.heard(tx, person.client_id, contact_id=message.contact_id, thread_id=message.thread_id,
                        message_id=message.id, at=tx.now)  # fmt: skip
    DealsEngine().react(context(tx), event)
    told = [card.payload.get("to_stage") or card.payload.get("to_state")
            for card in cards.listed(tx, kind="update_deal")]  # fmt: skip
    assert [each for each in told if each] == ([to] if to else [])


@pytest.mark.parametrize(
    ("whose", "ours", "heard"),
    [
        (HONEST, True, 1),
        (HONEST, False, 1),
        (COLLEAGUE, False, 1),
        (MISDIRECTED, False, 0),
        (FORGED, False, 0),
        (MISDIRECTED, True, 0),
    ],
    ids=["honest answer", "honest", "colleague", "misdirected", "forged", "our mail was forwarded"],
)
def test_praise_that_nobody_vouches_for_is_no_answer_though_it_names_our_own_mail(
    tx: Tx, whose: dict[str, Any], ours: bool, heard: int
) -> None:
    request = asked(tx, bill(tx).id)
    card = build.card(tx, bill(tx).id, kind="request_feedback", subject_type="feedback_request",
                      subject_id=str(request.id))  # fmt: skip
    _, event = arrives(tx, "Great, 5 of 5!", whose, cls="feedback_answer")
    if ours:
        # who got it knows its Message-ID, and so does whoever it was forwarded to
        event = replace(event, data={**event.data, "reply_to_card": str(card.id)})
    FeedbackEngine().react(context(tx), event)
    assert len(feedback_answers.of(tx, [request.id]).get(request.id, [])) == heard


def opinion(tx: Tx, text: str, whose: dict[str, Any], *, of: cards.Card | None = None, **how: Any) -> Message:
    """Somebody writes what they think; of the mail of a card, where they answer it."""
    message, event = arrives(tx, text, whose, **{"cls": "feedback_answer", **how})
    FeedbackEngine().react(context(tx), replace(event, data={**event.data, "reply_to_card": str(of.id)} if of else
                                                event.data))  # fmt: skip
    return message


def question(tx: Tx, request: feedback_book.Request, **fields: Any) -> cards.Card:
    """The card whose mail asked."""
    given = {"kind": "request_feedback", "subject_type": "feedback_request", "dedupe_key": f"card:{request.id}"}
    return build.card(tx, request.contact_id, subject_id=str(request.id), **{**given, **fields})


def answers(tx: Tx, *requests: feedback_book.Request) -> list[int]:
    """How many answers each has."""
    found = feedback_answers.of(tx, [each.id for each in requests])
    return [len(found.get(each.id, [])) for each in requests]


def test_an_opinion_is_of_the_question_that_it_answers_whoever_of_the_account_writes_it(tx: Tx) -> None:
    first, last = asked(tx, bill(tx).id, days_ago=9), asked(tx, bill(tx).id)
    card = question(tx, first)
    opinion(tx, "Great, 5 of 5!", COLLEAGUE, of=card)
    assert answers(tx, first, last) == [1, 0]
    # to the mail that made good, or to anybody's but our question, it is none
    for kind in ("send_email", "follow_up"):
        opinion(tx, "Great, 5 of 5!", HONEST, of=question(tx, last, kind=kind, dedupe_key=kind))
    elsewhere = build.contact(tx, build.client(tx, name="Elsewhere"), email="eva@elsewhere.example")
    theirs = asked(tx, elsewhere)
    opinion(tx, "Great, 5 of 5!", HONEST, of=question(tx, theirs))
    assert answers(tx, first, last, theirs) == [1, 0, 0]


def test_an_opinion_that_answers_no_mail_is_of_its_conversation_else_its_writer_else_the_last(tx: Tx) -> None:
    peter = build.contact(tx, bill(tx).client_id, email="peter@initech.example")
    talked, his, peters = (
        asked(tx, who, days_ago=ago) for who, ago in ((bill(tx).id, 9), (bill(tx).id, 8), (peter, 1))
    )
    hello, _ = arrives(tx, "Hello", HONEST)
    tx.run("UPDATE feedback_requests SET thread_id = :h WHERE id = :id", h=hello.thread_id, id=talked.id)
    opinion(tx, "Great, 5 of 5!", HONEST)
    assert answers(tx, talked, his, peters) == [1, 0, 0]
    tx.run("UPDATE feedback_requests SET thread_id = NULL WHERE id = :id", id=talked.id)
    opinion(tx, "Great, 4 of 5!", HONEST)
    assert answers(tx, talked, his, peters) == [1, 1, 0]
    opinion(tx, "Great, 4 of 5!", COLLEAGUE)
    assert answers(tx, talked, his, peters) == [1, 1, 1]


def test_an_opinion_of_what_nobody_asked_lately_is_none(tx: Tx) -> None:
    long_ago, queued = asked(tx, bill(tx).id, days_ago=46), asked(tx, bill(tx).id)
    tx.run("UPDATE feedback_requests SET state = 'skipped', reason = 'came back' WHERE id = :id", id=queued.id)
    opinion(tx, "Great, 5 of 5!", HONEST)
    opinion(tx, "Great, 5 of 5!", HONEST, cls="automatic")
    assert answers(tx, long_ago, queued) == [0, 0]


@pytest.mark.parametrize(
    ("text", "cls", "felt"),
    [
        ("Great service!", "complaint", (None, "negative")),
        ("5/5. Everything was broken.", "reply", (None, "negative")),
        ("We need two more boxes.", "order", None),
        ("Great service! We need two more boxes.", "order", (None, "positive")),
        ("4/5, thanks", "reply", (4, "positive")),
    ],
)  # fmt: skip
def test_what_a_mail_says_counts_as_what_it_says(tx: Tx, text: str, cls: str, felt: Any) -> None:
    request = asked(tx, bill(tx).id)
    opinion(tx, text, HONEST, of=question(tx, request), cls=cls)
    now = feedback_book.hold(tx, request.id)
    assert ((now.rating, now.sentiment) if now.state == "answered" else None) == felt


@pytest.mark.parametrize(
    ("whose", "unproven"), [(HONEST, False), (COLLEAGUE, False), (MISDIRECTED, True), (FORGED, True)],
    ids=["honest", "colleague", "misdirected", "forged"],
)  # fmt: skip
def test_a_person_who_gets_a_task_is_told_where_nobody_vouches_for_the_mail(
    tx: Tx, whose: dict[str, Any], unproven: bool
) -> None:
    quote = "Please call me at +44 20 7946 0958."
    _, event = arrives(tx, quote, whose, cls="task_request", task_request={"span": quote, "call": True})
    RequestsEngine().react(context(tx), event)
    [card] = cards.listed(tx, kind="create_task")
    assert (card.payload.get("unproven", False), "sender not proven" in card.payload["title"]) == (unproven, unproven)


def made_check(tx: Tx, person: contacts.Contact) -> checks.Check:
    """A check of a contact's own record, about which they were asked."""
    test_compliance.monthly(tx)
    compliance_generation.generate(tx)
    check = test_compliance.of(tx, person.id)
    tx.run("UPDATE compliance_checks SET state = 'reminded', asked_id = :p, reminders = 1, last_reminded_at = :now "
           "WHERE tenant_id = :t AND id = :id", p=person.id, now=tx.now, t=tx.tenant_id, id=check.id)  # fmt: skip
    return checks.get(tx, check.id)
