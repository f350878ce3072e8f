"""Wishes to be left alone: believed from whoever knows our mail to their account, and from nobody who forges them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain import cards, inbox
from domain.db import Database
from domain.ports import RawMessage
from jobs import intake
from jobs.route import route
from tests import build
from tests.brain.thinking import decent, thinking
from tests.hand_clock import HandClock
from tests.jobs import letters
from tests.jobs.letters import Post, letter, message_id

BILL = "bill@initech.example"


def suppressed(post: Post, address: str) -> Any:
    return post.value("SELECT reason FROM suppressions WHERE tenant_id = :t AND address = :a", a=address)


def wish(post: Post, *, aligned: bool | None, disowned: bool = False, **headers: Any) -> dict[str, int]:
    """A mail that asks to be left alone, as far as its reading goes, is taken in."""
    now = post.house.clock.now()
    message = RawMessage("wish", "wish", letter("Please remove me from your list.", **headers), (), now)
    incoming, reading = intake.understand(message, now=now, region="US")
    incoming = replace(incoming, aligned=aligned, disowned=disowned)
    with post.database.tenant(post.tenant_id) as tx:
        taken = inbox.receive(tx, post.house.vault, post.mailbox_id, [incoming])
        return dict(route(post.house.vault, tx, [(each, reading) for each in taken]))


@pytest.mark.parametrize("aligned", [True, None, False])
def test_a_contact_who_asks_to_be_left_alone_is_left_alone(post: Post, bill: UUID, aligned: bool | None) -> None:
    assert wish(post, aligned=aligned)["opt_outs"] == 1
    assert suppressed(post, BILL) == "opted_out"
    status = "SELECT status FROM engagement_clocks WHERE tenant_id = :t AND contact_id = :c"
    assert post.value(status, c=bill) == "exempt"


def test_a_forged_wish_opts_nobody_out(post: Post, bill: UUID) -> None:
    assert wish(post, aligned=False, disowned=True)["unproven_wishes"] == 1
    assert suppressed(post, BILL) is None


@pytest.fixture
def mallorys(post: Post) -> cards.Card:
    """A mail of ours to another client, who knows its Message-ID."""
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        mallory = build.contact(tx, build.client(tx, "Evil"), "mallory@evil.example", name="Mallory")
        return letters.sent(tx, mallory, to="mallory@evil.example")


def test_a_client_opts_nobody_of_another_account_out_by_the_mail_that_they_got_themselves(
    post: Post, bill: UUID, mallorys: cards.Card
) -> None:
    assert wish(post, aligned=False, disowned=True, in_reply_to=message_id(mallorys))["unproven_wishes"] == 1
    assert post.value("SELECT count(*) FROM suppressions WHERE tenant_id = :t") == 0


def test_a_wish_that_answers_our_mail_counts_though_no_server_vouches_for_its_writer(
    post: Post, bill: UUID, card: cards.Card
) -> None:
    assert wish(post, aligned=False, disowned=True, in_reply_to=message_id(card))["opt_outs"] == 1
    assert suppressed(post, BILL) == "opted_out"


def test_a_wish_from_an_alias_means_the_address_that_we_wrote_to(post: Post, bill: UUID, card: cards.Card) -> None:
    wish(post, aligned=None, frm="bill.private@gmail.com", in_reply_to=message_id(card))
    assert suppressed(post, BILL) == "opted_out"
    assert suppressed(post, "bill.private@gmail.com") == "opted_out"


def test_a_colleague_cannot_opt_another_out(post: Post, bill: UUID, card: cards.Card) -> None:
    wish(post, aligned=True, frm="milton@initech.example", in_reply_to=message_id(card))
    assert suppressed(post, "milton@initech.example") == "opted_out"
    assert suppressed(post, BILL) is None


def test_a_wish_that_only_a_model_reads_is_no_better_proven(clone: Database, clock: HandClock) -> None:
    words = "It would be splendid not to find notes like this one among my post any longer, dear people."
    reading = {"cls": "unsubscribe", "span": words, "wants_unsubscribe": True, "complains": False, "asks_call": False}
    with thinking(clone, clock) as stage:
        acme = stage.acme()
        stage.person(acme)
        stage.hour(acme)
        theirs = stage.one(acme, "SELECT rfc_message_id AS id FROM outbound_messages WHERE tenant_id = :t")["id"]
        with clone.tenant(acme, actor="test") as tx:
            build.contact(tx, build.client(tx, "Initech"), BILL)
        stage.says(lambda kind, facts: reading if kind == "cls" else decent(kind, facts))
        forged = letter(words, in_reply_to=theirs, authentication_results="mx.acme.example; dmarc=fail")
        stage.arrives(acme, [forged])
        clock.advance(minutes=10)
        stage.hour(acme)
        stored = stage.one(acme, "SELECT class, word_of FROM gmail_messages WHERE tenant_id = :t AND direction = 'in'")
        assert stored == {"class": "unsubscribe", "word_of": "forged"}
        assert stage.one(acme, "SELECT count(*) AS n FROM suppressions WHERE tenant_id = :t")["n"] == 0
