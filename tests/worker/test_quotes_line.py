"""Quotes from the command line: drafted by code or by words, named by number, and answered as somebody told."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain import products, quote_life, quotes
from domain.db import Database
from domain.quote_life import Sending
from tests import build
from tests.worker.line import Line


def test_a_quote_is_drafted_sent_and_its_answer_noted_by_its_number(database: Database, hh: Line) -> None:
    hh("tenant", "add", "acme", "--name", "Acme")
    acme = UUID(hh("tenant", "show")["tenant_id"])
    with database.tenant(acme) as tx:
        products.put(tx, code="BOX-1", name="Carton box", price="2.50")
        build.contact(tx, build.client(tx))
    new = ("quotes", "new", "Bill@initech.example", "--line", "100 box-1", "--line", "1.5 x Shelves, oak @ 617.25")
    tried: dict[str, Any] = hh(*new, "--dry-run")
    assert (tried["done"], hh("quotes", "list")) == (False, [])
    made = hh(*new, "--discount", "10")
    assert (made["number"], made["total"], made["unpriced"]) == ("Q-0001", "1058.29", 0)
    assert hh("quotes", "send", "q-0001", "--dry-run")["done"] is False
    assert hh("quotes", "send", "q-0001")["offered_at"]
    with database.tenant(acme) as tx:
        quote = quotes.by_number(tx, "Q-0001")
        assert quote.contact_id is not None
        card = build.card(tx, quote.contact_id, subject_type="quote", subject_id="1")
        quote_life.went_out(tx, [Sending(quote.id, 1, card.id, 0, tx.now, quotes.valid_until(tx))])
    assert hh("quotes", "accept", "Q-0001", "--by", "Bill, on the telephone")["status"] == "accepted"
    shown = hh("quotes", "show", "Q-0001")
    assert [line["code"] for line in shown["lines"]] == ["BOX-1", None]
    assert shown["activities"][0]["kind"] == "accepted"
    # in a currency of three decimals, and ended in the other ways
    dinars = ("quotes", "new", "Bill@initech.example", "--currency", "kwd", "--line", "1.5 Shelves @ 1.235")
    no, ours = hh(*dinars)["number"], hh(*dinars)["number"]
    assert (hh("quotes", "show", no)["total"], hh("quotes", "show", no)["currency"]) == ("1.853", "KWD")
    hh("quotes", "send", no)
    with database.tenant(acme) as tx:
        quote = quotes.by_number(tx, no)
        card = build.card(tx, quote.contact_id, subject_type="quote", subject_id="2", dedupe_key="2")
        quote_life.went_out(tx, [Sending(quote.id, 1, card.id, 0, tx.now, quotes.valid_until(tx))])
    said = ("quotes", "reject", no, "--by", "Bill", "--reason", "too dear")
    assert (hh(*said, "--dry-run")["done"], hh("quotes", "show", no)["status"]) == (False, "sent")
    assert (hh(*said)["status"], hh("quotes", "show", no)["reason"]) == ("rejected", "too dear")
    assert hh("quotes", "withdraw", ours, "--reason", "by mistake")["status"] == "withdrawn"
    told = hh("quotes", "stats")
    assert (told["sent"], told["accepted_rate"], hh("quotes", "list", "--due")) == (2, 0.5, [])
    assert [each["status"] for each in hh("quotes", "list")] == ["withdrawn", "rejected", "accepted"]
