"""Mails about quotes move none: whatever they say, a person notes the yes or the no, and knows which quote it is of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event as sa_event

from brain.reading import read
from domain import inbox, mailboxes, products, quotes, settings
from domain.contacts import by_addresses
from domain.db import Database, Tx
from domain.ports import RawMessage
from domain.quotes import Quote
from engines.contract import Context
from engines.quotes.engine import QuotesEngine
from jobs import intake
from tests import build, gears, undone
from tests.domain import test_deals
from tests.domain.test_quotes import made, sent
from tests.engines import hours

BILL = "bill@initech.example"


@pytest.fixture(scope="module")
def house(cluster: gears.Cluster) -> Iterator[tuple[Database, UUID]]:
    """The house of all tests of this file, and what they all need in it."""
    with undone.a_house(cluster) as (database, acme):
        with database.tenant(acme) as tx:
            build.contact(tx, name="Bill Lumbergh")
            mailboxes.configure_folder(tx, "/mail", "ana@acme.example")
        yield database, acme


def offered(tx: Tx) -> Quote:
    """A quote that is out, of a deal of its own."""
    bill = by_addresses(tx, [BILL])[BILL].id
    return sent(tx, quotes.offer(tx, made(tx, contact_id=bill, deal_id=build.deal(tx, bill)).id))


def arrives(tx: Tx, words: str, *headers: str, subject: str = "Your offer", thread: str | None = None) -> inbox.Message:
    """A mail of Bill's comes in as it does from a server, and the engine hears of it."""
    name = tx.clock.uuid().hex
    lines = (f"From: Bill Lumbergh <{BILL}>", "To: ana@acme.example", f"Subject: {subject}",
             f"Message-ID: <{name}@initech.example>", *headers, "Content-Type: text/plain; charset=utf-8")  # fmt: skip
    raw = ("\n".join(lines) + f"\n\nHi Ana,\n\n{words}\n\nBill\n").encode()
    told = RawMessage(name, thread or name, raw, (), tx.now)
    [mailbox] = mailboxes.listed(tx)
    [linked] = inbox.receive(tx, build.VAULT, mailbox.id, [intake.incoming_of(told, read(raw), now=tx.now)])
    message = inbox.get(tx, linked.id)
    assert message is not None
    event = hours.received(tx.clock.uuid(), message.id, tx.now, message.client_id)
    QuotesEngine().react(Context(tx, settings.of(tx)), event)
    return message


def step(tx: Tx, quote: Quote) -> str | None:
    """What its deal says comes next."""
    assert quote.deal_id is not None
    return test_deals.of(tx, quote.deal_id).next_step


def noted(quote: Quote) -> str:
    return f"Answer Bill Lumbergh about quote {quote.number}; a yes or a no is noted with it"


@pytest.mark.parametrize(
    "words",
    ["We won't accept this quote.", "I accept that you need more time.", "Can you accept a lower price?",
     "Yes, we accept.\n\nOn 2 Mar 2026, Ana wrote:\n> We won't wait.",
     "Fine.\n\nOn 2 Mar 2026, Ana wrote:\n> Do you accept?",
     "No aceptamos el presupuesto.", "Acepto que necesiten tiempo.", "¿Podéis aceptar un precio más bajo?",
     "Adelante con el presupuesto.", "Não aceitamos o orçamento.", "Vocês podem aceitar um preço menor?",
     "Pode seguir com o orçamento."],
)  # fmt: skip
def test_no_words_of_a_mail_move_a_quote_or_ask_for_another(tx: Tx, words: str) -> None:
    quote = offered(tx)
    first = arrives(tx, "Thank you.", thread="one")
    tx.run("UPDATE quotes SET thread_id = :h WHERE tenant_id = :t", h=first.thread_id, t=tx.tenant_id)
    arrives(tx, words, subject="Re: Your offer", thread="one")
    assert [(each.id, each.status, each.answered_at) for each in quotes.listed(tx)] == [(quote.id, "sent", None)]
    assert step(tx, quote) == noted(quote)


@pytest.mark.parametrize(
    ("words", "subject", "noticed"),
    [
        ("About Q-0001: yes please.", "Hello", True), ("Yes please.", "RE: your quote q-0001", True),
        ("We accept your offer.", "Hello", True), ("Rechazamos su oferta.", "Hola", True),
        ("Our new address is 5 Main Street.", "Our address", False), ("AQ-0001-7 is our number.", "Hello", False),
    ],
)  # fmt: skip
def test_a_mail_that_answers_no_message_is_known_by_the_number_it_names_or_by_its_yes_or_no(
    tx: Tx, words: str, subject: str, noticed: bool
) -> None:
    quote = offered(tx)
    arrives(tx, words, subject=subject)
    assert (step(tx, quote) == noted(quote), quotes.listed(tx)[0].status) == (noticed, "sent")


@pytest.mark.parametrize("header", ["Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated"])
def test_what_a_machine_says_of_a_quote_is_nobodys_answer(tx: Tx, header: str) -> None:
    quote = offered(tx)
    for subject in ("Quote Q-0001 accepted", "Re: Quote Q-0001"):
        arrives(tx, "We accept quote Q-0001. Please quote 40 shelves.", header, subject=subject)
    assert (step(tx, quote), len(quotes.listed(tx))) == (None, 1)


def test_of_several_quotes_the_words_say_which_and_without_them_nobody_guesses(tx: Tx) -> None:
    first, second, third = offered(tx), offered(tx), offered(tx)
    arrives(tx, "We accept.")
    assert [step(tx, each) for each in (first, second, third)] == [None] * 3
    arrives(tx, f"We take {first.number}, and {third.number} we don't.", subject=f"Quote {second.number}")
    assert [step(tx, each) for each in (first, second, third)] == [noted(first), None, noted(third)]


def test_what_is_given_away_is_drafted_for_a_person_and_not_offered(tx: Tx) -> None:
    products.put(tx, code="SAMPLE", name="Sample box", price="0")
    arrives(tx, "Could you send us a quote for 4 x Sample box?")
    [draft] = quotes.listed(tx)
    assert (str(draft.total), draft.unpriced, draft.offered_at) == ("0.00", 0, None)
    [waits] = QuotesEngine().plan(Context(tx, settings.of(tx))).obligations
    assert waits.rule == "quotes.for_nothing"


def test_a_mail_is_read_once_however_much_of_it_is_about_quotes(tx: Tx) -> None:
    offered(tx)
    message = arrives(tx, "Please quote 40 more shelves, and about Q-0001: yes.")
    event = hours.received(tx.clock.uuid(), message.id, tx.now, message.client_id)
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    sa_event.listen(tx._connection, "before_cursor_execute", note)
    QuotesEngine().react(Context(tx, settings.of(tx)), event)
    sa_event.remove(tx._connection, "before_cursor_execute", note)
    assert [sum(f"FROM {table} " in each for each in asked) for table in ("gmail_messages", "contacts")] == [1, 0]
