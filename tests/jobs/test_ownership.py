"""An answer goes to the engine that wrote what it answers, and stops every sequence to the account it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import clocks
from domain.db import Database
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs import letters
from tests.jobs.business import fall_due
from tests.jobs.letters import Post, letter

DEAL, QUOTE, ORDER = "deals", "quotes", "orders"
NEWS, ANSWERED, DRAFTED, PRICED = "news of a deal", "an answer to a quote", "a draft of an order", "a draft of a quote"
ORDERS = "We would like to order this. Please go ahead with it."
PLAIN = "Thank you for your message, we will look at it."


@dataclass(frozen=True)
class Case:
    """What was written to an account, who answers what of it, and what that moves."""

    business: tuple[str, ...]
    """Of `business.KINDS`, one after the other, some days apart."""
    text: str = PLAIN
    answers: tuple[int, ...] = (0,)
    """Which of our mails it names, the closest first; (): none, it begins a conversation of its own."""
    frm: str = "Bill Brown <bill@{domain}>"
    headers: Mapping[str, str] = field(default_factory=dict)
    by_hand: bool = False
    """A person of the tenant wrote in between, and it is they who are answered."""
    owner: str | None = None
    """The engine in whose conversation it lies."""
    moves: frozenset[str] = frozenset()
    """The engines whose records it moves."""
    stops: bool = True


def moves(*engines: str) -> frozenset[str]:
    return frozenset(engines)


STRANGER = "Lee Gray <lee@law.example>"
AUTO = {"auto_submitted": "auto-replied"}
CASES: Mapping[str, Case] = {
    "to the promise": Case(("promise",), owner="engagement", moves=moves("engagement")),
    "to a deal": Case(("deal",), owner=DEAL, moves=moves("engagement", DEAL, NEWS)),
    "to a quote": Case(("offer",), owner=QUOTE, moves=moves("engagement", QUOTE, ANSWERED)),
    "to a question": Case(("question",), "The property address is 12 High Street, Springfield, IL 62701.", owner=ORDER,
                          moves=moves("engagement", ORDER)),
    "to a request for feedback": Case(("feedback",), "Great work, 5 out of 5!", owner="feedback",
                                      moves=moves("engagement", "feedback")),
    "to a reminder": Case(("check",), f"{PLAIN}\r\n\r\n-- \r\nBill Brown\r\nOperations Manager\r\nInitech",
                          owner="compliance", moves=moves("engagement", "compliance")),
    "by a colleague": Case(("deal",), frm="Ann Green <ann@{domain}>", owner=DEAL,
                           moves=moves("engagement", DEAL, NEWS)),
    "by a colleague whom nobody knew": Case(("offer",), frm="Sue <sue@{domain}>", owner=QUOTE,
                                             moves=moves("engagement", QUOTE, ANSWERED)),
    "in a conversation of its own": Case(("deal",), answers=(), moves=moves("engagement", DEAL)),
    "to the older of two": Case(("deal", "offer"), owner=DEAL, moves=moves("engagement", DEAL, NEWS)),
    "to the newer of two": Case(("deal", "offer"), answers=(1,), owner=QUOTE,
                                moves=moves("engagement", DEAL, QUOTE, ANSWERED)),
    "to both": Case(("deal", "offer"), answers=(0, 1), owner=DEAL, moves=moves("engagement", DEAL, NEWS)),
    "to a person of the tenant": Case(("deal",), by_hand=True, moves=moves("engagement", DEAL)),
    "by somebody to whom it was forwarded": Case(("deal", "offer"), frm=STRANGER, owner=DEAL),
    "with an order, to a quote": Case(("offer",), ORDERS, owner=QUOTE, moves=moves("engagement", QUOTE, ANSWERED)),
    "with an order, to a deal": Case(("deal",), ORDERS, owner=DEAL, moves=moves("engagement", DEAL, NEWS, DRAFTED)),
    "asking a price, to a deal": Case(("deal",), "Could you quote us 40 desks as well, please?", owner=DEAL,
                                      moves=moves("engagement", DEAL, NEWS, PRICED)),
    "asking a price, to a promise": Case(("promise",), "Could you quote us 40 desks, please?", owner="engagement",
                                         moves=moves("engagement", PRICED)),
    "by a machine": Case(("deal",), headers=AUTO, owner=DEAL, stops=False),
}  # fmt: skip

MOVED = {
    "engagement": "SELECT count(*) FROM touches WHERE tenant_id = :t AND client_id = :c AND type = 'reply'",
    DEAL: """SELECT count(*) FROM deal_activities a JOIN deals d ON d.tenant_id = :t AND d.id = a.deal_id
             WHERE a.tenant_id = :t AND d.client_id = :c AND a.kind = 'mail_in'""",
    QUOTE: """SELECT count(*) FROM quote_activities a JOIN quotes q ON q.tenant_id = :t AND q.id = a.quote_id
              WHERE a.tenant_id = :t AND q.client_id = :c AND a.kind = 'replied'""",
    ORDER: "SELECT count(*) FROM orders WHERE tenant_id = :t AND client_id = :c AND details ? 'property_address'",
    NEWS: """SELECT count(*) FROM kanban_cards
             WHERE tenant_id = :t AND client_id = :c AND dedupe_key LIKE 'deals:news:%'""",
    DRAFTED: "SELECT count(*) FROM orders WHERE tenant_id = :t AND client_id = :c AND message_id IS NOT NULL",
    PRICED: "SELECT count(*) FROM quotes WHERE tenant_id = :t AND client_id = :c AND message_id IS NOT NULL",
    ANSWERED: """SELECT count(*) FROM agent_alerts a JOIN quotes q
                   ON q.tenant_id = :t AND a.kind = 'quote_answered:' || q.id
                 WHERE a.tenant_id = :t AND q.client_id = :c""",
    "feedback": """SELECT count(*) FROM feedback_answers a JOIN feedback_requests f
                     ON f.tenant_id = :t AND f.id = a.request_id
                   WHERE a.tenant_id = :t AND f.client_id = :c""",
    "compliance": "SELECT count(*) FROM contacts WHERE tenant_id = :t AND client_id = :c AND title IS NOT NULL",
}
"""By engine, or by what it makes of a mail: whether something of the kind is there at an account."""


@dataclass
class Office:
    """Acme with its mailbox and Resend, and an account for each of the cases."""

    post: Post
    resend: ResendEmulator
    clock: HandClock
    firms: dict[str, UUID] = field(default_factory=dict)
    bills: dict[str, UUID] = field(default_factory=dict)
    anns: dict[str, UUID] = field(default_factory=dict)

    def domain(self, name: str) -> str:
        return f"firm-{list(CASES).index(name)}.example"


@pytest.fixture
def office(clone: Database, clock: HandClock) -> Iterator[Office]:
    clock.advance(hours=6)
    with ResendEmulator(clock=clock) as resend, letters.post(clone) as post:
        houses.resend_for(post.hands, resend, post.tenant_id, "re_acme")
        made = Office(post, resend, clock)
        with clone.tenant(post.tenant_id, actor="rui") as tx:
            tx.run("""UPDATE tenants SET settings = settings || '{"max_emails_per_hour": 500}' WHERE tenant_id = :t""",
                   t=post.tenant_id)  # fmt: skip
            for name in CASES:
                domain = made.domain(name)
                firm = made.firms[name] = build.client(tx, domain.partition(".")[0])
                made.bills[name] = build.contact(tx, firm, f"bill@{domain}", name="Bill Brown")
                made.anns[name] = build.contact(tx, firm, f"ann@{domain}", name="Ann Green")
                for person in (made.bills[name], made.anns[name]):
                    clocks.touch(tx, person, "call", by="rui", at=tx.now)
        yield made


def test_an_answer_moves_what_is_its_engines_and_stops_every_sequence_to_the_account(office: Office) -> None:
    _write(office)
    waiting = _keep_in_touch_with_ann(office)
    for at, (name, case) in enumerate(CASES.items()):
        _answer(office, name, case, at)
    office.clock.advance(hours=1)
    office.post.hour()
    found: dict[str, Any] = {}
    meant: dict[str, Any] = {}
    for name, case in CASES.items():
        value = office.post.value
        stored = office.post.row(
            """SELECT h.engine FROM gmail_messages m JOIN mail_threads h ON h.tenant_id = :t AND h.id = m.thread_id
               WHERE m.tenant_id = :t AND m.subject = :s""", s=f"Re: {name}",
        )  # fmt: skip
        runs = value("SELECT follow_up_due_at FROM engagement_clocks WHERE tenant_id = :t AND contact_id = :a",
                     a=office.anns[name])  # fmt: skip
        card = value("SELECT state FROM kanban_cards WHERE tenant_id = :t AND id = :i", i=waiting[name])
        moved = {engine for engine, sql in MOVED.items() if value(sql, c=office.firms[name])}
        found[name] = (stored["engine"], moved, runs is None, card == "cancelled")
        meant[name] = (case.owner, case.moves, case.stops, case.stops)
    assert found == meant


def _write(office: Office) -> None:
    """The agent writes about each account's business, each in a conversation of its own."""
    for turn in (0, 1):
        with office.post.database.tenant(office.post.tenant_id, actor="rui") as tx:
            for name, case in CASES.items():
                if turn < len(case.business):
                    fall_due(tx, office.bills[name], case.business[turn], tx.now)
        office.post.hour()
        office.clock.advance(days=7)
    sent = len(office.resend.sent("re_acme"))
    assert sent >= sum(len(case.business) for case in CASES.values())


def _keep_in_touch_with_ann(office: Office) -> dict[str, UUID]:
    """A colleague is followed up as well, and the next mail to her waits already."""
    with office.post.database.tenant(office.post.tenant_id, actor="rui") as tx:
        later = tx.now + timedelta(days=9)
        clocks.advance_sequences(tx, [clocks.Advance(ann, 1, later, build.thread(tx, contact_id=ann))
                                      for ann in office.anns.values()])  # fmt: skip
        return {name: build.card(tx, ann, dedupe_key=name, not_before=later, latest_at=later + timedelta(days=1)).id
                for name, ann in office.anns.items()}  # fmt: skip


def _answer(office: Office, name: str, case: Case, at: int) -> None:
    with office.post.database.tenant(office.post.tenant_id) as tx:
        ours = [row["rfc_message_id"] for row in tx.rows(
            """SELECT o.rfc_message_id FROM outbound_messages o WHERE o.tenant_id = :t AND o.contact_id = :c
               ORDER BY o.reserved_at""", t=tx.tenant_id, c=office.bills[name])]  # fmt: skip
    assert len(ours) >= len(case.business), name
    domain = office.domain(name)
    named = [ours[which] for which in case.answers]
    if case.by_hand:
        named = [f"<hand-{at}@acme.example>"]
        office.post.account.send(letter("I'll see to it.", frm=letters.OWN, to=f"bill@{domain}", message_id=named[0],
                                        subject="Shelves"))  # fmt: skip
    told: dict[str, Any] = dict(case.headers)
    if named:
        told |= {"in_reply_to": named[0], "references": " ".join(named[::-1])}
    told["authentication_results"] = "mx.acme.example; dmarc=pass"
    office.post.arrives(letter(case.text, frm=case.frm.format(domain=domain), subject=f"Re: {name}", number=100 + at,
                               **told))  # fmt: skip
