"""Mail through the real cycle: we write, something comes back, and the days after show whom we write to again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.db import Database
from jobs import cycle, ingest
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs import letters
from tests.jobs.letters import OWN, Post, bounce, letter

BILL = "bill@initech.example"
VOUCHED = "mx.google.com; dkim=pass header.d={0}; dmarc=pass header.from={0}"
REFUSED = "mx.google.com; dkim=fail header.d={0}; spf=fail smtp.mailfrom={0}; dmarc=fail header.from={0}"


@dataclass
class Office:
    """Acme, which has just written to Bill of Initech; its mailbox at Google and its account at Resend."""

    post: Post
    resend: ResendEmulator
    clock: HandClock
    bill: UUID
    original: str = ""
    """The Message-ID of the first mail to Bill."""

    def hour(self) -> None:
        """Read the mailbox, then a whole cycle."""
        self.reads()
        cycle.run(self.post.house, self.post.tenant_id, kind="manual")

    def reads(self, *raws: bytes) -> dict[str, int]:
        for raw in raws:
            self.post.arrives(raw)
        return dict(ingest.run(self.post.house, self.post.tenant_id))

    def days_pass(self, days: float) -> None:
        self.clock.advance(days=days)
        self.hour()

    def written_to(self) -> list[str]:
        """Whom we wrote to, in order."""
        return [address for mail in self.resend.sent("re_acme") for address in mail["to"]]

    def answered(self, text: str = "Thank you, see you soon.", **given: Any) -> bytes:
        """An answer to our mail, vouched for by the server that took it in."""
        frm = str(given.get("frm", f"Bill <{BILL}>"))
        domain = frm.rpartition("@")[2].rstrip(">")
        vouched = {"in_reply_to": self.original, "authentication_results": VOUCHED.format(domain)}
        return letter(text, **{**vouched, **given})

    def clock_of(self, contact: UUID) -> dict[str, Any]:
        return self.post.row("SELECT * FROM engagement_clocks WHERE tenant_id = :t AND contact_id = :c", c=contact)

    def suppressed(self) -> list[str]:
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return [row["address"] for row in tx.rows("SELECT address FROM suppressions ORDER BY address")]

    def colleague(self, email: str) -> UUID:
        with self.post.database.tenant(self.post.tenant_id, actor="test") as tx:
            client = tx.value("SELECT client_id FROM contacts WHERE id = :c", c=self.bill)
            return build.contact(tx, client, email)


@pytest.fixture
def office(clone: Database, clock: HandClock) -> Iterator[Office]:
    clock.advance(hours=6)
    with ResendEmulator(clock=clock) as resend, letters.post(clone) as post:
        houses.resend_for(post.hands, resend, post.tenant_id, "re_acme")
        with clone.tenant(post.tenant_id, actor="test") as tx:
            bill = build.contact(tx)
        built = Office(post, resend, clock, bill)
        built.hour()
        assert built.written_to() == [BILL]
        built.original = post.value("SELECT rfc_message_id FROM outbound_messages WHERE tenant_id = :t")
        yield built


def test_who_says_nothing_is_followed_up_and_a_forged_bounce_or_wish_changes_that_for_nobody(office: Office) -> None:
    forged = letter("Please remove me from your list.", subject="Please stop", number=7,
                    authentication_results=REFUSED.format("initech.example"))  # fmt: skip
    planted = letter("Unsubscribe me.", subject="Unsubscribe", number=8,
                     authentication_results="mx.initech.example; dmarc=pass header.from=initech.example",
                     received="from nowhere by mx.google.com; Mon, 02 Mar 2026 09:00:00 +0000")  # fmt: skip
    counts = office.reads(bounce("<guessed@acme.example>", BILL), forged)
    assert (counts["untied"], counts["unproven_wishes"]) == (1, 1)
    assert office.suppressed() == []
    stands = office.clock_of(office.bill)
    assert (stands["status"], stands["sequence_step"]) == ("active", 1)
    office.days_pass(4)
    assert office.written_to() == [BILL, BILL]
    assert office.reads(planted).get("opt_outs", 0) == 1, "where the receiving server says nothing, a wish counts"


def test_a_forged_bounce_alone_does_not_even_stop_the_sequence(office: Office) -> None:
    office.reads(bounce("<guessed@acme.example>", BILL))
    office.days_pass(4)
    assert office.written_to() == [BILL, BILL]


def test_a_bounce_of_our_own_mail_and_a_wish_that_is_vouched_for_end_it(office: Office) -> None:
    milton = office.colleague("milton@initech.example")
    office.days_pass(1)
    assert office.written_to() == [BILL, "milton@initech.example"]
    wish = office.answered("Please take me off your list.", frm="milton@initech.example", in_reply_to="<x@y.example>")
    assert office.reads(bounce(office.original, BILL), wish)["opt_outs"] == 1
    assert office.suppressed() == [BILL, "milton@initech.example"]
    for days in (5, 17, 21):
        office.days_pass(days)
    assert office.written_to() == [BILL, "milton@initech.example"]
    assert office.clock_of(milton)["status"] == "exempt"


@pytest.mark.parametrize(
    "frm", [f"Bill <{BILL}>", "Bill at home <bill.private@gmail.com>", "Milton <milton@initech.example>"],
    ids=["themselves", "an alias", "a colleague"],
)  # fmt: skip
def test_an_answer_from_whoever_it_is_at_the_account_ends_the_follow_ups(office: Office, frm: str) -> None:
    samir = office.colleague("samir@initech.example")
    office.hour()
    assert office.written_to() == [BILL, "samir@initech.example"]
    office.reads(office.answered("We are fine for now.", frm=frm))
    for whom in (office.bill, samir):
        assert office.clock_of(whom)["sequence_step"] == 0
    office.days_pass(8)
    assert office.written_to() == [BILL, "samir@initech.example"]


def test_an_assistant_who_answers_for_somebody_ends_it_and_is_only_made_known(office: Office) -> None:
    office.reads(office.answered("Bill is travelling; he thanks you and will call in April.", number=2,
                                 frm="Pat Assistant <pat@initech.example>", reply_to=f"Bill <{BILL}>",
                                 sender="pat@initech.example"))  # fmt: skip
    message = office.post.message()
    assert message["contact_id"] == office.bill
    assert "Reply-To is their address" in {link["reason"] for link in message["links"]}
    assert office.clock_of(office.bill)["sequence_step"] == 0
    office.days_pass(8)
    assert office.written_to() == [BILL]
    pat = office.post.row("SELECT c.id, k.status FROM contacts c JOIN engagement_clocks k ON k.contact_id = c.id "
                          "WHERE c.tenant_id = :t AND c.email = 'pat@initech.example'")  # fmt: skip
    assert pat["status"] == "exempt"


def test_a_forwarded_thread_is_read_for_what_the_forwarder_wrote_alone(office: Office) -> None:
    forwarded = letter(
        "Can you take this one?\n\n---------- Forwarded message ---------\nFrom: Bill <bill@initech.example>\n"
        "Date: Mon, 2 Mar 2026\nSubject: list\nTo: Milton <milton@initech.example>\n\n"
        "Please unsubscribe me. We order 500 boxes. I am very disappointed with you.\n",
        frm="Milton <milton@initech.example>", subject="Fwd: list", number=3,
    )  # fmt: skip
    counts = office.reads(forwarded)
    message = office.post.message()
    assert message["class"] not in ("unsubscribe", "order", "complaint")
    assert "forwarded" in message["flags"]
    assert (counts.get("opt_outs", 0), office.suppressed()) == (0, [])
    assert office.clock_of(office.bill)["sequence_step"] == 0, "somebody at the account wrote"


def test_a_stranger_who_was_sent_our_mail_is_heard_and_not_written_to(office: Office) -> None:
    office.reads(office.answered("Bill sent me this. Interesting!", frm="Nina <nina@elsewhere.example>"))
    message = office.post.message()
    assert message["client_id"] is not None, "it answers a mail to this account"
    assert office.post.value("SELECT count(*) FROM contacts WHERE tenant_id = :t") == 1
    office.reads(letter("Who are you?", frm="Otto <otto@nowhere.example>", subject="Hello", number=5))
    for days in (22, 21):
        office.days_pass(days)
    assert set(office.written_to()) == {BILL}
    assert office.post.value("SELECT count(*) FROM contacts WHERE tenant_id = :t") == 1


def test_an_unknown_person_at_a_known_account_is_made_known_and_not_written_to(office: Office) -> None:
    introduced = office.answered("Adding Samir, who decides.", cc="Samir N <samir@initech.example>")
    office.reads(introduced, letter("May I see your catalogue?", frm="Joanna <joanna@initech.example>",
                                    subject="Catalogue", number=4))  # fmt: skip
    with office.post.database.tenant(office.post.tenant_id) as tx:
        rows = tx.rows("""SELECT c.email, c.name, c.source, k.exempt_reason FROM contacts c
                          JOIN engagement_clocks k ON k.contact_id = c.id WHERE c.id <> :bill ORDER BY email""",
                       bill=office.bill)  # fmt: skip
    assert [tuple(row.values()) for row in rows] == [
        ("joanna@initech.example", "Joanna", "mail", "discovered"),
        ("samir@initech.example", "Samir N", "mail", "discovered"),
    ]
    office.days_pass(22)
    assert office.written_to() == [BILL, BILL]


def test_an_out_of_office_loop_makes_one_pause_and_no_answer(office: Office) -> None:
    away = [office.answered("I am away until 20 March 2026 and will answer then.", subject="Automatic reply: Hello",
                            auto_submitted="auto-replied", number=100 + at) for at in range(25)]  # fmt: skip
    counts = office.reads(*away)
    assert (counts["messages"], counts["pauses"]) == (25, 1)
    assert office.post.value("SELECT count(*) FROM gmail_messages WHERE tenant_id = :t AND 'loop' = ANY(flags)") == 5
    assert counts["events"] == 20
    office.days_pass(4)
    assert office.written_to() == [BILL], "left in peace while they are away"
    paused = office.clock_of(office.bill)
    assert (paused["status"], f"{paused['paused_until']:%Y-%m-%d}") == ("paused", "2026-03-21")
    office.days_pass(18)
    assert office.written_to() == [BILL, BILL], "after the return it goes on"


def test_while_a_person_of_the_tenant_writes_in_the_conversation_the_agent_stays_silent(office: Office) -> None:
    office.clock.advance(days=3, hours=22)
    office.post.account.send(letter("I'll ring you on Thursday.", frm=OWN, to=BILL, in_reply_to=office.original,
                                    number=2, subject="Re: Hello"))  # fmt: skip
    assert office.reads()["person_wrote"] == 1
    office.clock.advance(hours=2)
    office.hour()
    assert office.written_to() == [BILL], "the follow-up that was due today is not sent"
    office.days_pass(21)
    assert office.written_to() == [BILL, BILL]
    assert office.clock.now() - office.clock_of(office.bill)["last_touch_at"] < timedelta(hours=1)
