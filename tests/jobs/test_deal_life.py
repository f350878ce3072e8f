"""A deal's whole life on the virtual clock: followed up, answered, forgotten, stalled, revived and won, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import cards, clocks, deal_activity, deals, ledger, reflections, schedule, undo
from domain.db import Database
from jobs import cycle, ingest
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import A_MONDAY, HandClock
from tests.jobs import letters
from tests.jobs.letters import Post, letter

DECIDE = "Decide: call or close it; 4 follow-ups brought no answer"
BILL = "bill@initech.example"
FIRST = """Hi Bill,

I wanted to see where things stand with “New shelves” at Initech.

Is there anything you still need from us to move ahead, or a question that I could answer? A line back is plenty.

Warm regards,
Ana Diaz
"""
ACTED, WAITS = "deal_follow_up_due acted", "deal_follow_up_due deferred"
DIARY = [
    "1: nothing due; new, 0 unanswered, due 5",
    f"5: {WAITS}; new, 0 unanswered, due 5",
    f"6: {WAITS}; new, 0 unanswered, due 5",
    f"7: {ACTED}, mail 'About New shelves'; new, 1 unanswered, due 12",
    f"12: {WAITS}; new, 1 unanswered, due 12",
    f"13: {WAITS}; new, 1 unanswered, due 12",
    f"14: {ACTED}, mail 'Re: About New shelves'; new, 2 unanswered, due 19",
    "14: nothing due; qualified, 0 unanswered, due 18",
    f"18: {ACTED}, mail 'Re: About New shelves'; qualified, 1 unanswered, due 22",
    f"22: {ACTED}, mail 'Re: About New shelves'; qualified, 2 unanswered, due 26",
    f"26: {WAITS}; qualified, 2 unanswered, due 26",
    f"27: {WAITS}; qualified, 2 unanswered, due 26",
    f"28: {ACTED}, mail 'Re: About New shelves'; qualified, 3 unanswered, due 32",
    f"32: {ACTED}, mail 'Re: About New shelves'; qualified, 4 unanswered",
    f"44: deal_stalled acted; qualified stalled, 4 unanswered, {DECIDE}",
    "52: nothing due; proposal, 0 unanswered, due 55, Answer Bill",
    # what waits for a person rests, and is looked at once a day
    "53: quote_to_send blocked; proposal, 0 unanswered, due 55, Answer Bill",
    "54: quote_to_send blocked; proposal, 0 unanswered, due 55, Answer Bill",
    "55: quote_to_send blocked, deal_follow_up_due blocked; proposal, 0 unanswered, due 55, Answer Bill",
    "55: quote_to_send blocked; won, 0 unanswered",
]


@dataclass
class Life:
    """One deal with Bill, and everything that can be seen of it."""

    post: Post
    resend: ResendEmulator
    clock: HandClock
    bill: UUID
    deal_id: UUID
    cycles: int = 0
    letters: int = 0
    diary: list[str] = field(default_factory=list)

    @property
    def day(self) -> int:
        return (self.clock.now() - A_MONDAY).days

    def until(self, day: int) -> None:
        """Let days pass, with one hour at ten in New York each, if the schedule asks for it."""
        while self.day < day:
            self.clock.advance(days=1)
            self.hour()

    def hour(self) -> None:
        """One hour, if anything is due; the diary keeps the ledger, what went out and where the deal stands."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            line = schedule.standing(tx)
            assert line is not None
            if line["work_due_at"] is None or line["work_due_at"] > tx.now:
                return
        seen = len(self.sent)
        run_id = cycle.run(self.post.house, self.post.tenant_id, kind="manual")
        assert run_id is not None
        self.cycles += 1
        with self.post.database.tenant(self.post.tenant_id) as tx:
            errors = tx.value("SELECT errors FROM agent_autonomous_runs WHERE tenant_id = :t AND id = :id",
                              t=tx.tenant_id, id=run_id)  # fmt: skip
            assert errors == []
            lines = [f"{line['kind']} {line['disposition']}" for line in ledger.lines(tx, run_id)]
            told = reflections.last(tx)
            assert told is not None
            assert sum(told["facts"]["ledger"].values()) == len(lines)
        mails = [f"mail {mail['subject']!r}" for mail in self.sent[seen:]]
        self.diary.append(f"{self.day}: {', '.join([*lines, *mails]) or 'nothing due'}; {self.stands}")

    def writes(self, text: str, **how: Any) -> None:
        """Bill answers our last mail."""
        self.letters += 1
        headers = {
            "in_reply_to": f"<{self.sent[-1]['headers']['X-Hourhand-Card']}@acme.example>",
            "subject": f"Re: {self.sent[-1]['subject']}",
        }
        self.post.arrives(letter(text, number=self.letters, **{**headers, **how}))
        ingest.run(self.post.house, self.post.tenant_id)
        self.hour()

    @property
    def sent(self) -> list[dict[str, Any]]:
        return self.resend.sent("re_acme")

    @property
    def deal(self) -> deals.Deal:
        with self.post.database.tenant(self.post.tenant_id) as tx:
            found = deals.get(tx, self.deal_id)
        assert found is not None
        return found

    @property
    def stands(self) -> str:
        deal = self.deal
        where = deal.state if deal.state != "open" else f"{deal.stage}{' stalled' if deal.stalled_at else ''}"
        due = f", due {(deal.follow_up_due_at - A_MONDAY).days}" if deal.follow_up_due_at else ""
        return f"{where}, {deal.follow_ups} unanswered{due}{f', {deal.next_step}' if deal.next_step else ''}"

    def cards(self, kind: str) -> list[cards.Card]:
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return [card for card in reversed(cards.listed(tx, kind=kind)) if card.engine == "deals"]


@pytest.fixture
def life(clone: Database, clock: HandClock) -> Iterator[Life]:
    clock.advance(hours=6)
    with letters.post(clone) as post, ResendEmulator(clock=clock) as resend:
        houses.resend_for(post.hands, resend, post.tenant_id, "re_acme")
        with clone.tenant(post.tenant_id, actor="rui") as tx:
            bill = build.contact(tx, name="Bill Lumbergh")
            clocks.touch(tx, bill, "call", by="rui", at=tx.now)
            deal_id = build.deal(tx, bill, external_id="D-1", value="12000.50")
        yield Life(post, resend, clock, bill, deal_id)


def test_a_deal_is_followed_up_answered_forgotten_stalled_revived_and_won(life: Life) -> None:
    life.until(14)
    life.writes("Thanks, I am still looking at it.")
    life.until(47)
    life.until(52)
    life.writes("We are back. Could you send us a quote for 40 shelves?")
    life.until(55)
    life.writes("We hereby order 40 shelves, PO 4711.")
    assert life.diary == DIARY
    # a sequence begins with a mail and goes on with follow-ups; what presses more is said to press more
    mails = [card for card in life.cards("send_email") + life.cards("follow_up") if card.state == "done"]
    mails.sort(key=lambda card: card.state_changed_at)
    assert [(card.type, card.payload["template"], card.evidence["urgency"]) for card in mails] == [
        ("send_email", "deal_follow_up_1", "normal"), ("follow_up", "deal_follow_up_2", "normal"),
        ("send_email", "deal_follow_up_1", "normal"), ("follow_up", "deal_follow_up_2", "normal"),
        ("follow_up", "deal_follow_up_3", "normal"), ("follow_up", "deal_follow_up_4", "high"),
    ]  # fmt: skip
    assert mails[5].priority > mails[4].priority + 100
    first, *later = life.sent
    assert (first["from"], first["to"], first["cc"], first["bcc"]) == ("Ana Diaz <ana@acme.example>", [BILL], [], [])
    assert first["text"].partition("\n-- \n")[0] == FIRST
    assert [mail["headers"]["In-Reply-To"] for mail in later[:1]] == [first["headers"]["Message-ID"]]
    for mail in life.sent:
        assert (mail["headers"]["Auto-Submitted"], "List-Unsubscribe" in mail["headers"]) == ("auto-generated", True)
    assert len({mail["text"] for mail in life.sent}) == 4
    updates = life.cards("update_deal")
    assert [(card.title, card.evidence["kind"], card.state) for card in updates] == [
        ("Deal to qualified: New shelves", "reply", "done"),
        ("Deal stalled in In conversation: New shelves", "silence", "done"),
        ("Deal to proposal: New shelves", "quote_request", "done"),
        ("Deal won: New shelves", "order", "done"),
    ]  # fmt: skip
    with life.post.database.tenant(life.post.tenant_id, actor="rui") as tx:
        chapters = [(row["stage"], row["seconds"] and round(row["seconds"] / 86400), row["evidence_kind"],
                     row["card_id"])
                    for row in deals.history(tx, life.deal_id)]  # fmt: skip
        assert chapters == [
            ("new", 14, "record", None), ("qualified", 38, "reply", updates[0].id),
            ("proposal", 3, "quote_request", updates[2].id), ("won", None, "order", updates[3].id),
        ]  # fmt: skip
        hour = reflections.last(tx)
        assert hour is not None
        metrics = {name.removeprefix("deals."): value for name, value in hour["facts"]["metrics"].items()}
        assert (metrics["open"], metrics["won"], metrics["win_rate"]) == (0, 1, 1.0)
        assert (metrics["follow_ups"], metrics["follow_up_yield"]) == (6, round(2 / 6, 4))
        assert (metrics["days_in_new"], metrics["days_in_qualified"]) == (14.0, 38.0)
        told = {row["type"] for row in tx.rows("SELECT DISTINCT type FROM warehouse_events WHERE tenant_id = :t AND "
                                               "subject_type = 'deal'", t=tx.tenant_id)}  # fmt: skip
        assert told == {"deal.created", "deal.followed_up", "deal.activity", "deal.stage_changed", "deal.stalled",
                        "deal.next_step", "deal.won"}  # fmt: skip
        # it was the order of another branch: one card is taken back, and the deal is where it was
        undo.undo(tx, updates[3].id, by="rui", reason="that was their other branch")
        back = deals.get(tx, life.deal_id)
        assert back is not None
        assert (back.state, back.stage, back.next_step) == ("open", "proposal", "Answer Bill")
    # an hour in which nothing is due is not run
    assert life.cycles == len(life.diary)


def test_a_deal_that_is_switched_off_is_left_to_people(life: Life) -> None:
    life.until(7)
    with life.post.database.tenant(life.post.tenant_id, actor="rui") as tx:
        deals.switch(tx, life.deal_id, on=False, reason="I call him myself")
    life.until(28)
    assert len(life.sent) == 2  # the deal's, and three weeks later the promise to keep in touch
    assert life.deal.stalled_at is not None
    with life.post.database.tenant(life.post.tenant_id, actor="rui") as tx:
        deals.switch(tx, life.deal_id, on=True)
    assert life.deal.follow_up_due_at == life.clock.now() + timedelta(days=5)


def test_a_person_of_the_tenant_who_writes_takes_the_next_step_and_puts_the_follow_up_off(life: Life) -> None:
    life.until(7)
    life.writes("What would 40 of them cost?")
    assert life.deal.next_step == "Answer Bill"
    life.clock.advance(days=1)
    life.writes("It is in the attachment.", frm="Ana Diaz <ana@acme.example>", to=BILL)
    deal = life.deal
    assert (deal.next_step, deal.our_turn_since) == (None, None)
    assert deal.follow_up_due_at == datetime(2026, 3, 13, 15, 0, tzinfo=UTC)
    with life.post.database.tenant(life.post.tenant_id) as tx:
        assert [row["kind"] for row in deal_activity.listed(tx, life.deal_id)] == ["mail_out", "mail_in", "follow_up"]
