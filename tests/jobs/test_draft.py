"""Drafts of quotes, and what is asked for in words: the page comes from us, the lines from the catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from domain import products, quote_lines, quotes
from domain.db import Database
from domain.quotes import Line
from tests.brain.thinking import Thinking, decent, thinking
from tests.hand_clock import HandClock
from tests.jobs.letters import letter

WORDS = "Might we learn what a carton box, and I mean twenty of them in all, would set us back these days, dear Ana?"


@pytest.fixture
def stage(clone: Database, clock: HandClock) -> Iterator[Thinking]:
    with thinking(clone, clock) as stage:
        yield stage


def offered(stage: Thinking, **fields: Any) -> Any:
    """A tenant with a quote for Bill that is ready to go out."""
    acme = stage.acme()
    bill = stage.person(acme)
    with stage.database.tenant(acme, actor="ana") as tx:
        client_id = tx.value("SELECT client_id FROM contacts WHERE tenant_id = :t AND id = :c", t=acme, c=bill)
        given = {"contact_id": bill, "lines": [Line("Carton box", 20, unit_price="2.50")], **fields}
        quotes.offer(tx, quotes.draft(tx, client_id=client_id, **given).id)
    return acme


def quote_mails(stage: Thinking) -> list[dict[str, Any]]:
    return [mail for mail in stage.sent() if "/q/" in mail["text"] or "quote" in mail["subject"].lower()]


@pytest.mark.parametrize("page", ["as told", "left out", "twice", "inside a sentence"])
def test_a_drafted_quote_leads_to_its_page_or_the_template_does(stage: Thinking, page: str) -> None:
    def says(kind: str, facts: dict[str, Any]) -> Any:
        told = decent(kind, facts)
        if kind == "body" and "page" in facts:
            mark = facts["page"]
            instead = {
                "as told": mark,
                "left out": "",
                "twice": f"{mark}\n{mark}",
                "inside a sentence": f"See {mark} now.",
            }
            told = {"body": told["body"].replace(mark, instead[page])}
        return told

    stage.says(says)
    acme = offered(stage)
    stage.hour(acme)
    [mail] = quote_mails(stage)
    [call] = stage.calls(acme, question="quote_cover")
    assert mail["text"].count("http://127.0.0.1:8321/q/") == 1
    assert "[[" not in mail["text"]
    assert '<a href="http://127.0.0.1:8321/q/' in mail["html"]
    drafted = "It has been a while" in mail["text"]
    assert (call["outcome"], drafted) == (("answered", True) if page == "as told" else ("rejected", False))
    [request] = [each for each in stage.claude.asked() if "Q-0001" in each["messages"][0]["content"]]
    assert "/q/" not in request["messages"][0]["content"], "a model never sees the address"


def test_what_a_mail_asks_for_in_words_only_a_model_understands_is_quoted_from_the_catalogue(stage: Thinking) -> None:
    acme = stage.acme()
    stage.person(acme)
    with stage.database.tenant(acme, actor="ana") as tx:
        products.put(tx, code="BOX-1", name="Carton box", price="2.50", currency="USD")
    reading = {
        "cls": "quote_request",
        "span": WORDS,
        "wants_unsubscribe": False,
        "complains": False,
        "asks_call": False,
    }
    item = {"description": "carton box", "quantity": 20, "unit": "", "span": "a carton box, and I mean twenty of them"}
    stage.says(lambda kind, facts: {"cls": reading, "items": {"items": [item]}}.get(kind) or decent(kind, facts))
    stage.arrives(acme, [letter(WORDS, frm="Bill <bill@bill.example>", subject="A question")])
    stage.hour(acme)
    assert {"classify", "quote_items"} <= {call["question"] for call in stage.calls(acme, outcome="answered")}
    with stage.database.tenant(acme) as tx:
        [draft] = quotes.listed(tx)
        [line] = quote_lines.of(tx, [draft.id])[draft.id]
    assert (draft.source, line.description, int(line.quantity), str(draft.total)) == ("mail", "Carton box", 20, "50.00")
