"""Quotes over days: what a mail asks for is drafted, approved, sent, looked at, followed up, and answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from admin_api import app as admin_app
from domain import (
    cards,
    clocks,
    deals,
    ledger,
    order_lines,
    orders,
    products,
    quote_lines,
    quotes,
    reflections,
    settings,
)
from domain.quotes import Line, Quote
from jobs import approvals, explain
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs.letters import Post, letter

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0", "Accept": "text/html", "Accept-Language": "en-US"}
ASKS = (
    "Hi Ana,\n\nCould you please send us a quote for the following items:\n\n- 100 x Carton box\n- 20 x {more}\n\nBill"
)


@dataclass
class Desk:
    """Acme with a mailbox, an account at Resend, a catalogue, the page of its quotes, and a client that asks."""

    post: Post
    resend: ResendEmulator
    clock: HandClock
    client: TestClient
    seen: UUID | None = None
    """The last event that the diary has."""

    def hour(self) -> UUID:
        """An hour passes, with the mail that came in; the run."""
        run_id = self.post.hour()
        self.clock.advance(hours=1)
        return run_id

    def entry(self, name: str) -> str:
        """An hour passes; what its ledger says, how all stands after it, and what happened since the entry before."""
        run_id = self.hour()
        with self.post.database.tenant(self.post.tenant_id) as tx:
            lines = sorted(ledger.lines(tx, run_id), key=itemgetter("kind", "subject_id"))
            due = ", ".join(" ".join(filter(None, (each["kind"], each["disposition"], each["rule"]))) for each in lines)
            [deal], made = deals.listed(tx), orders.listed(tx)
            news = tx.rows(
                """SELECT id, type FROM warehouse_events WHERE tenant_id = :t AND id > :seen
                     AND subject_type IN ('quote', 'deal', 'order') ORDER BY id""",
                t=tx.tenant_id, seen=self.seen or UUID(int=0),
            )  # fmt: skip
            told = reflections.last(tx)
        assert told is not None
        assert sum(told["facts"]["ledger"].values()) == len(lines)
        self.seen = news[-1]["id"] if news else self.seen
        where = deal.stage if deal.state == "open" else deal.state
        ordered = "".join(f", order {each.status}" for each in made)
        stands = f"quote {self.quote().status}, deal {where}{ordered}, mails {len(self.sent())}"
        happened = " ".join(row["type"] for row in news)
        return f"{name}: {due or 'nothing due'}; {stands}{'; ' if happened else ''}{happened}"

    def days(self, count: int) -> None:
        """Days pass, with an hour each at the same time."""
        for _ in range(count):
            self.hour()
            self.clock.advance(hours=23)

    def sent(self) -> list[dict[str, Any]]:
        return self.resend.sent("re_acme")

    def quote(self) -> Quote:
        """The latest one."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return quotes.listed(tx, limit=1)[0]

    def link(self, mail: dict[str, Any]) -> str:
        """The page that a mail leads to."""
        found = re.search(r"http://127\.0\.0\.1:8321(/q/\S+)", mail["text"])
        assert found is not None
        return found[1]

    def card(self, kind: str = "send_quote") -> cards.Card:
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return cards.listed(tx, kind=kind, limit=1)[0]

    def lines(self, run_id: UUID) -> set[tuple[str, str, str | None]]:
        """What the hour's ledger says of quotes."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return {(each["kind"], each["disposition"], each["rule"]) for each in ledger.lines(tx, run_id)
                    if each["subject_type"] == "quote"}  # fmt: skip

    def offered(self, **fields: Any) -> Quote:
        """A quote that a person wants sent."""
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            [person] = tx.rows("SELECT id, client_id FROM contacts WHERE tenant_id = :t", t=tx.tenant_id)
            given = {"lines": [Line("Shelves", 2, unit_price="617.25")], "contact_id": person["id"], **fields}
            return quotes.offer(tx, quotes.draft(tx, client_id=person["client_id"], **given).id)


@pytest.fixture
def desk(post: Post, clock: HandClock) -> Iterator[Desk]:
    clock.advance(hours=6)
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        contact = build.contact(tx, build.client(tx), name="Bill Lumbergh")
        clocks.touch(tx, contact, "call", by="rui", at=tx.now)
        products.put(tx, code="BOX-1", name="Carton box", price="2.50")
        products.put(tx, code="TAPE", name="Packing tape", price="4")
        settings.change(tx, {"quote_tax_percent": "10"})
    with ResendEmulator(clock=clock) as resend:
        houses.resend_for(post.hands, resend, post.tenant_id, "re_acme")
        yield Desk(post, resend, clock, TestClient(admin_app.create(post.house), base_url="http://127.0.0.1:8321"))


CARDS = [
    ("send_quote", "done"), ("update_deal", "done"), ("follow_up", "done"), ("follow_up", "done"),
    ("update_deal", "done"), ("validate_order", "done"),
]  # fmt: skip
OUT, VIEWED = "deal_follow_up_due deferred deals.quote_out", "quote viewed, deal negotiation"
DIARY = [
    "hour 0: nothing due; quote draft, deal proposal, mails 0; "
    "quote.created deal.created deal.stage_changed quote.changed quote.offered",
    "hour 1: quote_to_send awaiting_approval approval; quote draft, deal proposal, mails 0",
    "hour 2: quote_to_send acted; quote sent, deal proposal, mails 1; quote.sent",
    f"day 0: nothing due; {VIEWED}, mails 1; quote.viewed deal.stage_changed",
    f"day 1: nothing due; {VIEWED}, mails 1",
    f"day 2: nothing due; {VIEWED}, mails 1",
    # whoever has the quote before them is not asked about the deal as well
    f"day 3: {OUT}, quote_follow_up_due acted; {VIEWED}, mails 2; quote.followed_up",
    f"day 4: nothing due; {VIEWED}, mails 2",
    f"day 5: nothing due; {VIEWED}, mails 2",
    f"day 6: {OUT}, quote_follow_up_due deferred no_spam.business_day; {VIEWED}, mails 2",
    f"day 7: {OUT}, quote_follow_up_due acted; {VIEWED}, mails 3; quote.followed_up",
    f"day 8: nothing due; {VIEWED}, mails 3",
    "won: nothing due; quote accepted, deal won, mails 3; quote.accepted deal.won",
    "ordered: nothing due; quote accepted, deal won, order accepted, mails 3; order.created order.accepted order.valid",
    "after: nothing due; quote accepted, deal won, order accepted, mails 3",
]
WORDS = [
    "Hi Bill,\n\nThank you for your interest. Here is our quote Q-0001: USD 363.00 in all, valid until 1 April 2026."
    "\n\nOn this page you can read it line by line, and accept or decline it:\n\n{page}\n\n"
    "If anything is unclear or should be different, simply reply to this mail.\n\nKind regards,\nAna Diaz\n\n{foot}",
    "Hi Bill,\n\nDid our quote Q-0001 (USD 363.00) reach you well? You can read it here:\n\n{page}\n\n"
    "If a question has come up, or something should be different, a short reply is enough.\n\n"
    "Kind regards,\nAna Diaz\n\n{foot}",
    "Hi Bill,\n\nI wanted to ask whether our quote Q-0001 (USD 363.00) is what you had in mind, or whether something "
    "is missing.\n\nIt is still open here, until 1 April 2026:\n\n{page}\n\nKind regards,\nAna Diaz\n\n{foot}",
]
"""What Bill reads, to the byte."""
FOOT = (
    "-- \nAcme Ltd, 1 High Street, Springfield\n"
    "If you would rather not hear from us, you can unsubscribe here: {leave}\n"
)


def test_what_a_mail_asks_for_is_quoted_followed_up_accepted_on_its_page_won_and_ordered(desk: Desk) -> None:
    tenant, database = desk.post.tenant_id, desk.post.database
    desk.post.arrives(letter(ASKS.format(more="Packing tape"), subject="Quote request"))
    told = [desk.entry("hour 0"), desk.entry("hour 1")]
    assert (desk.quote().number, desk.quote().source, str(desk.quote().total)) == ("Q-0001", "mail", "363.00")
    with database.tenant(tenant, actor="ana") as tx:
        shown = approvals.show(desk.post.house, tx, desk.card().id)
        approvals.approve(desk.post.house, tx, desk.card().id, seen=shown.seen, by="ana")
    told.append(desk.entry("hour 2"))
    [mail] = desk.sent()
    page = desk.link(mail)
    for machine in ({**BROWSER, "User-Agent": "Mozilla/5.0 (compatible; Barracuda Sentinel)"},
                    {**BROWSER, "Sec-Purpose": "prefetch"}, {"User-Agent": ""}):  # fmt: skip
        assert desk.client.get(page, headers=machine).status_code == 200
    assert desk.client.head(page, headers=BROWSER).status_code == 200
    assert (desk.quote().status, desk.quote().scans) == ("sent", 4)
    shown_page = desk.client.get(page, headers=BROWSER)
    assert "Carton box" in shown_page.text
    assert "Acme" in shown_page.text
    assert (desk.quote().status, desk.quote().visits) == ("viewed", 1)
    for day in range(9):
        told.append(desk.entry(f"day {day}"))
        desk.clock.advance(hours=23)
    as_bill_gets_them(desk.sent(), page)
    answer = desk.client.post(f"{page}/accept", content="name=Bill+%3Cb%3EL", headers=BROWSER)
    assert (answer.status_code, "was accepted" in answer.text) == (200, True)
    assert desk.client.post(f"{page}/accept").status_code == 200
    assert desk.client.post(f"{page}/reject", content="reason=changed+my+mind").status_code == 409
    assert desk.client.get(page, headers=BROWSER).text.count("<form") == 0
    done = desk.quote()
    assert (done.status, done.answered_by, done.follow_up_due_at) == ("accepted", "Bill <b>L", None)
    told += [desk.entry(name) for name in ("won", "ordered", "after")]
    assert told == DIARY
    with database.tenant(tenant) as tx:
        assert done.deal_id is not None
        deal = deals.get(tx, done.deal_id)
        [order] = orders.listed(tx)
        assert deal is not None
        assert [(row["stage"], row["from_stage"], row["evidence_kind"]) for row in deals.history(tx, deal.id)] == [
            ("new", None, "record"), ("proposal", "new", "quote_request"), ("negotiation", "proposal", "quote_viewed"),
            ("won", "negotiation", "quote_accepted"),
        ]  # fmt: skip
        assert (deal.title, str(deal.value), str(order.total_amount), order.deal_id, order.quote_id) == (
            "Quote request", "363.00", "363.00", deal.id, done.id)  # fmt: skip
        lines = order_lines.of(tx, [order.id])[order.id]
        assert [(line.code, str(line.quantity), str(line.unit_price)) for line in lines] == [
            ("BOX-1", "100.000", "2.50"), ("TAPE", "20.000", "4.00")]  # fmt: skip
        assert [(card.type, card.state) for card in reversed(cards.listed(tx))] == CARDS
        why = explain.why(tx, desk.card("update_deal").id)
        assert {(each["record"], each["stands"]) for each in why["records"]} == {
            ("deal", "won"), ("quote", "accepted"), ("order", "accepted")}  # fmt: skip
    desk.days(10)
    assert len(desk.sent()) == 3


def as_bill_gets_them(mails: Sequence[dict[str, Any]], page: str) -> None:
    """The quote answers his mail, each follow-up the one before: one conversation, which he can leave by a click."""
    before = ["<1@initech.example>"]
    for mail, words in zip(mails, WORDS, strict=True):
        headers = mail["headers"]
        leave = headers["List-Unsubscribe"].strip("<>")
        assert (mail["from"], mail["to"], mail["cc"], mail["bcc"], mail["subject"]) == (
            "Ana Diaz <ana@acme.example>", ["bill@initech.example"], [], [], "Re: Quote request")  # fmt: skip
        assert mail["text"] == words.format(page=f"http://127.0.0.1:8321{page}", foot=FOOT.format(leave=leave))
        for address in (f"http://127.0.0.1:8321{page}", leave):
            assert f'<a href="{address}">{address}</a>' in mail["html"]
        assert (headers["In-Reply-To"], headers["References"]) == (before[-1], " ".join(before))
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        # a person approved the first; what no person saw says so (RFC 3834)
        assert headers.get("Auto-Submitted") == (None if words is WORDS[0] else "auto-generated")
        before.append(headers["Message-ID"])


def test_what_the_catalogue_does_not_know_waits_for_a_person(desk: Desk) -> None:
    desk.post.arrives(letter(ASKS.format(more="Unobtainium rods"), subject="Quote request"))
    desk.hour()
    draft = desk.quote()
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        [box, rods] = quote_lines.of(tx, [draft.id])[draft.id]
    assert (box.code, rods.unmatched, rods.unit_price, draft.unpriced) == ("BOX-1", True, None, 1)
    assert desk.lines(desk.hour()) == {("quote_to_send", "blocked", "quotes.unpriced")}
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        settings.change(tx, {"send_requested_quotes": True})
        quotes.change(tx, draft.id, lines=[box, Line(rods.description, rods.quantity, unit_price="3")])
        quotes.offer(tx, draft.id)
    assert desk.lines(desk.hour()) == {("quote_to_send", "acted", None)}
    assert len(desk.sent()) == 1


def test_silence_brings_four_follow_ups_and_an_expiry_and_a_reply_none(desk: Desk) -> None:
    desk.offered()
    desk.hour()
    began = desk.quote().sent_at
    assert began is not None
    desk.days(32)
    assert desk.quote().status == "expired"
    texts = [mail["text"] for mail in desk.sent()]
    assert len(texts) == 5
    assert "my last note" in texts[-1]
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        told = tx.rows("SELECT at FROM quote_activities WHERE tenant_id = :t AND kind = 'follow_up' ORDER BY at",
                       t=tx.tenant_id)  # fmt: skip
    days = [(row["at"] - began) // timedelta(days=1) for row in told]
    assert days[0] == 3
    assert days[1] >= 6
    assert days[2] >= 9
    assert days[3] >= 28
    desk.offered()
    desk.hour()
    sent = desk.post.row("SELECT rfc_message_id FROM outbound_messages WHERE tenant_id = :t "
                         "ORDER BY reserved_at DESC LIMIT 1")  # fmt: skip
    desk.post.arrives(letter("Thanks, we will discuss it next week.", in_reply_to=sent["rfc_message_id"]))
    desk.days(8)
    assert (desk.quote().status, desk.quote().follow_up_due_at, len(desk.sent())) == ("sent", None, 6)


def test_an_edited_quote_leaves_its_link_dead_and_a_dry_run_sends_nothing(desk: Desk) -> None:
    quote = desk.offered()
    desk.hour()
    page = desk.link(desk.sent()[0])
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        quotes.change(tx, quote.id, discount_percent="5")
        settings.change(tx, {"send_mode": "dry_run"})
    assert desk.client.get(page, headers=BROWSER).status_code == 410
    assert desk.client.post(f"{page}/accept").status_code == 410
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        quotes.offer(tx, quote.id)
    desk.clock.advance(days=4)
    desk.days(4)
    shadow = desk.quote()
    assert (shadow.status, shadow.revision, len(desk.sent())) == ("draft", 2, 1)
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        held = tx.value("SELECT count(*) FROM kanban_cards WHERE tenant_id = :t AND state = 'held'", t=tx.tenant_id)
        settings.change(tx, {"send_mode": "live"})
    assert held >= 1
    desk.hour()
    assert desk.quote().status == "sent"
    assert desk.link(desk.sent()[-1]) != page
