"""The requests engine: explicit requests, complaints and safety triggers become tasks and cases, with the words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain import cards, cases, inbox, mailboxes, settings, tasks
from domain.cards import Card
from domain.db import Database, Tx
from domain.house import LocalBrakes
from domain.incoming import Incoming
from engines.contract import Context
from engines.requests.engine import RequestsEngine
from policy.facts import gather
from policy.judge import judge
from tests import build
from tests.build import VAULT
from tests.engines import hours
from tests.hand_clock import HandClock

ENGINE = RequestsEngine()
BILL = "bill@initech.example"


@pytest.fixture
def acme(clone: Database) -> UUID:
    """A tenant that knows Bill, and has a mailbox."""
    tenant = build.acme(clone)
    with clone.tenant(tenant) as tx:
        build.contact(tx, email=BILL)
        mailboxes.configure_folder(tx, "/mail", "ana@acme.example")
    return tenant


def arrives(
    tx: Tx, text: str, *, cls: str = "other", flags: tuple[str, ...] = (), frm: str = BILL, subject: str = "Hello",
    asked: dict[str, Any] | None = None, thread: str = "one",
) -> inbox.Message:  # fmt: skip
    """A mail comes in, is stored, and the engine takes it in."""
    name = tx.clock.uuid().hex
    one = Incoming(
        provider_message_id=name, provider_thread_id=thread, raw=name.encode(), labels=(), received_at=tx.now, cls=cls,
        flags=frozenset(flags), subject=subject, snippet=text[:200], from_address=frm,
        message_id=f"<{name}@initech.example>",
        reading={"reply": text, **({"task_request": asked} if asked else {})},
    )  # fmt: skip
    [mailbox] = mailboxes.listed(tx)
    [linked] = inbox.receive(tx, VAULT, mailbox.id, [one])
    message = inbox.get(tx, linked.id)
    assert message is not None
    ENGINE.react(context(tx), hours.received(tx.clock.uuid(), message.id, tx.now))
    return message


def context(tx: Tx) -> Context:
    return Context(tx, settings.of(tx))


def proposed(tx: Tx) -> list[Card]:
    rows = tx.rows(
        "SELECT id FROM kanban_cards WHERE tenant_id = :t AND engine = 'requests' ORDER BY id", t=tx.tenant_id
    )
    return [card for row in rows if (card := cards.get(tx, row["id"])) is not None]


def test_what_a_client_asks_of_a_person_becomes_a_task_with_the_words(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        quote = "Can you call me on Thursday?"
        message = arrives(tx, f"Thanks for the quote. {quote}", flags=("task_request",),
                          asked={"span": quote, "due": "2026-03-05T00:00:00+00:00", "call": True})  # fmt: skip
        [card] = proposed(tx)
        assert (card.type, card.payload["basis"], card.payload["quote"]) == ("create_task", "client_request", quote)
        outcome = ENGINE.handlers["create_task"](context(tx), card)
        [task] = tasks.listed(tx)
        assert task.evidence == {"message_id": str(message.id), "quote": quote}
        assert (task.basis, task.client_id, task.card_id) == ("client_request", message.client_id, card.id)
        assert task.due_at is not None
        assert task.due_at.day == 5
        assert outcome.undo == {"verb": "tasks.finish", "task_id": str(task.id), "state": "cancelled"}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("We will take legal action against you.", "legal_threat"),
        ("Please delete all my personal data.", "data_erasure_demand"),
        ("Mudamos nossa conta bancária.", "payment_detail_change"),
    ],
)
def test_a_safety_trigger_becomes_an_escalation_that_the_rules_allow(
    clone: Database, acme: UUID, text: str, kind: str
) -> None:
    with clone.tenant(acme) as tx:
        arrives(tx, f"Dear all,\n\n{'Some words first. ' * 30}{text}\n")
        [card] = proposed(tx)
        assert (card.payload["basis"], card.payload["trigger"], card.payload["quote"]) == (
            "safety_escalation",
            kind,
            text,
        )
        facts = gather(tx, [card], mails={}, vault=VAULT, brakes=LocalBrakes())
        assert judge(facts[card.id]).decision == "allow"
        ENGINE.handlers["create_task"](context(tx), card)
        assert tasks.listed(tx)[0].evidence["trigger"] == kind


def test_words_that_ask_and_alarm_at_once_make_one_task_with_its_day(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        quote = "Please delete all my personal data by Friday."
        day = "2026-03-06T17:00:00+00:00"
        arrives(tx, f"Good morning. {quote}", flags=("task_request",), asked={"span": quote, "due": day})
        [card] = proposed(tx)
        assert (card.payload["trigger"], card.payload["due_at"]) == ("data_erasure_demand", day)
        # words of their own are a task of their own
        arrives(tx, f"{quote} Can you call me?", flags=("task_request",), asked={"span": "Can you call me?"})
        assert [each.payload["kind"] for each in proposed(tx)[1:]] == ["client_request", "data_erasure_demand"]


def test_a_request_is_allowed_by_the_rules(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        quote = "Could you please call me tomorrow?"
        arrives(tx, quote, flags=("task_request",), asked={"span": quote})
        [card] = proposed(tx)
        facts = gather(tx, [card], mails={}, vault=VAULT, brakes=LocalBrakes())
        assert judge(facts[card.id]).decision == "allow"


def test_the_same_mail_taken_in_twice_makes_one_card(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        message = arrives(tx, "This is a scam.")
        ENGINE.react(context(tx), hours.received(tx.clock.uuid(), message.id, tx.now))
        assert len(proposed(tx)) == 1


def test_a_complaint_opens_one_case_for_its_conversation(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        arrives(tx, "The pump is broken again.", cls="complaint")
        [card] = proposed(tx)
        assert card.type == "open_case"
        outcome = ENGINE.handlers["open_case"](context(tx), card)
        [case] = cases.listed(tx)
        assert (case.kind, case.evidence["quote"], case.card_id) == ("complaint", "The pump is broken again.", card.id)
        assert outcome.undo is not None
        arrives(tx, "And still broken.", cls="complaint")
        assert len(proposed(tx)) == 1
        arrives(tx, "Another thing is wrong.", cls="complaint", thread="two")
        assert len(proposed(tx)) == 2


@pytest.mark.parametrize(("cls", "flags"), [("automatic", ()), ("out_of_office", ()), ("other", ("list_mail",))])
def test_what_a_machine_wrote_asks_for_nothing(clone: Database, acme: UUID, cls: str, flags: tuple[str, ...]) -> None:
    with clone.tenant(acme) as tx:
        arrives(tx, "This is a scam. We will sue you.", cls=cls, flags=flags)
        assert proposed(tx) == []


def test_a_stranger_makes_work_only_where_the_law_or_a_life_is_at_stake(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        arrives(tx, "Our bank details have changed.", frm="someone@nowhere.example")
        arrives(tx, "Could you call me?", frm="someone@nowhere.example", flags=("task_request",),
                asked={"span": "Could you call me?"})  # fmt: skip
        assert proposed(tx) == []
        arrives(tx, "See you in court.", frm="someone@nowhere.example")
        assert [card.payload["kind"] for card in proposed(tx)] == ["legal_threat"]


def test_every_request_that_is_not_settled_is_accounted_for(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        message = arrives(tx, "This is a scam.")
        [card] = proposed(tx)
        [due] = ENGINE.plan(context(tx)).obligations
        assert (due.kind, due.subject_id, due.dedupe_key) == ("fraud_suspicion", str(message.id), card.dedupe_key)
        cards.move_one(tx, card.id, "blocked")
        assert len(ENGINE.plan(context(tx)).obligations) == 1
    clock.advance(hours=25)
    with clone.tenant(acme) as tx:
        assert ENGINE.plan(context(tx)).obligations == ()


def test_people_see_how_much_is_open(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        arrives(tx, "This is a scam.")
        ENGINE.handlers["create_task"](context(tx), proposed(tx)[0])
        assert ENGINE.stats(context(tx)) == {"tasks_open": 1, "cases_open": 0}
        assert ENGINE.next_due(context(tx)) is None
