"""What mail does at once: replies stop sequences, bounces suppress, forgeries do nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain import alerts, cards
from domain.db import Database
from jobs import ingest
from tests import build
from tests.hand_clock import HandClock
from tests.jobs import letters
from tests.jobs.letters import Post, bounce, complaint, letter, message_id

BILL = "bill@initech.example"


def clock_of(post: Post, contact_id: UUID) -> dict[str, Any]:
    return post.row("SELECT * FROM engagement_clocks WHERE tenant_id = :t AND contact_id = :c", c=contact_id)


def suppressed(post: Post, address: str) -> Any:
    return post.value("SELECT reason FROM suppressions WHERE tenant_id = :t AND address = :a", a=address)


def read(post: Post, *raws: bytes) -> dict[str, int]:
    for raw in raws:
        post.arrives(raw)
    return dict(ingest.run(post.house, post.tenant_id))


def test_a_reply_winds_the_clock_and_stops_the_sequence(post: Post, bill: UUID, card: cards.Card) -> None:
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        waiting = build.card(tx, bill, dedupe_key="next")
    counts = read(post, letter(in_reply_to=message_id(card)))
    assert counts["replies"] == 1
    wound = clock_of(post, bill)
    assert (wound["sequence_step"], wound["follow_up_due_at"], wound["last_touch_type"]) == (0, None, "reply")
    assert post.value("SELECT state FROM kanban_cards WHERE tenant_id = :t AND id = :i", i=waiting.id) == "cancelled"
    stored = post.message()
    assert (stored["class"], stored["contact_id"], stored["reply_to_card_id"]) == ("reply", bill, card.id)
    told = {link["to"]: link["reason"] for link in stored["links"]}
    assert told.keys() == {"thread", "card", "contact", "client"}


def test_a_reply_from_a_colleague_stops_the_sequence(post: Post, bill: UUID, card: cards.Card) -> None:
    read(post, letter(frm="Milton <milton@initech.example>", in_reply_to=message_id(card)))
    assert clock_of(post, bill)["sequence_step"] == 0
    colleague = post.message()["contact_id"]
    assert colleague not in (None, bill)
    discovered = clock_of(post, colleague)
    assert (discovered["status"], discovered["exempt_reason"]) == ("exempt", "discovered")


def test_a_new_mail_from_a_colleague_without_any_reference_stops_the_sequence(
    post: Post, bill: UUID, card: cards.Card
) -> None:
    read(post, letter("Could you send us your catalogue?", frm="milton@initech.example", subject="Catalogue"))
    assert clock_of(post, bill)["sequence_step"] == 0
    assert post.message()["client_id"] == card.client_id


def test_a_reply_from_a_private_address_stops_the_sequence_and_makes_no_contact(
    post: Post, bill: UUID, card: cards.Card
) -> None:
    read(post, letter(frm="bill.private@gmail.com", references=f"<x@y.example> {message_id(card)}"))
    assert clock_of(post, bill)["sequence_step"] == 0
    assert post.value("SELECT count(*) FROM contacts WHERE tenant_id = :t") == 1


@dataclass(frozen=True)
class Sender:
    """Who a mail claims to be from, what the receiving server says of that, and what it may move."""

    frm: str = "Bill Brown <bill@{domain}>"
    server: str | None = "dmarc=pass"
    answers: str = "ours"
    """ours: it names the Message-ID of our mail; hand: of one by a person of the tenant; other: of one to others."""
    reply_to: str | None = None
    word: str | None = "contact"
    stops: bool = True
    winds: bool = True
    days_away: int = 0
    """For how long it makes the contact count as away, where it is an absence note that names a day a month off."""
    told: bool = False
    """A person is told that nobody vouches for it."""


STRANGER = "Lee Gray <lee@law.example>"
BADLY_SET_UP = "spf=pass smtp.mailfrom=bounce.example; dkim=none"
"""A host that signs for itself and not for its customers, who publish no policy."""
AWAY, A_WEEK = 28, 7
UNMOVED: dict[str, Any] = {"stops": False, "winds": False}
DOUBTED: dict[str, Any] = {"word": "doubtful", "winds": False, "told": True}

SENDERS: Mapping[str, Sender] = {
    "proven": Sender(days_away=AWAY),
    "proven, in a conversation of its own": Sender(answers="", days_away=AWAY),
    "a server that says nothing": Sender(server=None, answers="", days_away=AWAY),
    "badly set up, answering our mail": Sender(server=BADLY_SET_UP, days_away=AWAY),
    "badly set up, answering a person's mail": Sender(server=BADLY_SET_UP, answers="hand", days_away=AWAY),
    "badly set up, out of the blue": Sender(server=BADLY_SET_UP, answers="", **DOUBTED),
    "broken by a forwarder, answering our mail": Sender(server="dmarc=fail", days_away=A_WEEK, **DOUBTED),
    "forged": Sender(server="dmarc=fail", answers="", word="forged", told=True, **UNMOVED),
    "forged by another client of ours": Sender(server="dmarc=fail", answers="other", word="forged", told=True,
                                               **UNMOVED),
    "a colleague": Sender(frm="Ann <ann@{domain}>", word="account", winds=False, days_away=AWAY),
    "a forged colleague": Sender(frm="Ann <ann@{domain}>", server="dmarc=fail", answers="", word="forged", told=True,
                                 **UNMOVED),
    "an alias under the contact's name": Sender(frm='"BROWN, Bill" <bb71@gmail.com>', word="account", days_away=AWAY),
    "an address that anybody may have": Sender(frm="Lee <lee@gmail.com>", **DOUBTED),
    "a stranger to whom our mail was forwarded": Sender(frm=STRANGER, **DOUBTED),
    "a stranger who names the contact in Reply-To": Sender(frm=STRANGER, reply_to="bill@{domain}", answers="",
                                                           word="stranger", **UNMOVED),
    "a stranger out of the blue": Sender(frm=STRANGER, answers="", word="stranger", **UNMOVED),
}  # fmt: skip


def test_a_mail_moves_what_its_sender_may_move_and_nothing_else(post: Post, card: cards.Card, clock: HandClock) -> None:
    domains = {name: f"firm-{at}.example" for at, name in enumerate(SENDERS)}
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        firms = {name: build.client(tx, domain.partition(".")[0]) for name, domain in domains.items()}
        people = {name: build.contact(tx, firms[name], f"bill@{domain}", name="Bill Brown")
                  for name, domain in domains.items()}  # fmt: skip
        ours = {name: letters.sent(tx, contact, to=f"bill@{domains[name]}") for name, contact in people.items()}
    by_hand = {name: letter(frm=letters.OWN, to=f"bill@{domains[name]}", message_id=f"<hand-{at}@acme.example>")
               for at, (name, sender) in enumerate(SENDERS.items()) if sender.answers == "hand"}  # fmt: skip
    for mail in by_hand.values():
        post.account.send(mail)
    clock.advance(days=1)
    for away in (True, False):
        for at, (name, sender) in enumerate(SENDERS.items()):
            answered = {"ours": message_id(ours[name]), "hand": f"<hand-{at}@acme.example>", "other": message_id(card)}
            post.arrives(_mail(sender, domains[name], answered.get(sender.answers), name, away=away))
        counts = read(post)
        assert (counts.get("pauses", 0), counts.get("replies", 0)) == ((8, 0) if away else (0, 7))
        with post.database.tenant(post.tenant_id) as tx:
            told = {each.kind for each in alerts.listed(tx)}
        for name, sender in SENDERS.items():
            meant = {"stops": sender.stops and (not away or name in by_hand), "winds": sender.winds and not away,
                     "days_away": sender.days_away if away or not sender.winds else 0}  # fmt: skip
            assert (name, _moved(post, people[name], clock)) == (name, meant)
            word = post.value("SELECT word_of FROM gmail_messages WHERE tenant_id = :t AND subject LIKE :s "
                              "ORDER BY id DESC", s=f"%about {name}.")  # fmt: skip
            assert (name, word) == (name, sender.word)
            assert (name, f"unproven_mail:{firms[name]}" in told) == (name, sender.told and not away)


def _mail(sender: Sender, domain: str, answered: str | None, name: str, *, away: bool) -> bytes:
    headers = {"in_reply_to": answered, "reply_to": sender.reply_to,
               "authentication_results": sender.server and f"mx.acme.example; {sender.server}",
               "auto_submitted": "auto-replied" if away else None}  # fmt: skip
    told = {each: value.format(domain=domain) for each, value in headers.items() if value}
    text = "I am out of the office until April 1, 2026." if away else "Thank you, see you soon."
    subject = f"{'Out of office: ' if away else 'Re: '}about {name}."
    return letter(text, frm=sender.frm.format(domain=domain), subject=subject, number=len(name) + 100 * away, **told)


def _moved(post: Post, contact: UUID, clock: HandClock) -> dict[str, Any]:
    wound = clock_of(post, contact)
    days = (wound["paused_until"] - clock.now()).days if wound["paused_until"] else 0
    return {"stops": wound["sequence_step"] == 0, "winds": wound["last_touch_type"] == "reply", "days_away": days}


def test_a_stranger_at_a_free_mail_domain_is_nobodys_colleague(post: Post, clone: Database) -> None:
    with clone.tenant(post.tenant_id, actor="test") as tx:
        build.contact(tx, build.client(tx, "Freelance", domain="gmail.com"), email="free@gmail.com")
    read(post, letter("Hello there", frm="someone@gmail.com", subject="Hello"))
    assert post.message()["client_id"] is None
    assert post.value("SELECT count(*) FROM contacts WHERE tenant_id = :t") == 1


def test_an_automatic_answer_moves_nothing_and_is_not_answered(post: Post, bill: UUID, card: cards.Card) -> None:
    read(
        post, letter("We got your mail.", in_reply_to=message_id(card), subject="Got it", auto_submitted="auto-replied")
    )
    wound = clock_of(post, bill)
    assert (wound["sequence_step"], wound["last_touch_type"]) == (1, "email")
    assert post.message()["class"] in ("automatic", "out_of_office")


def test_an_absence_pauses_until_the_default_days_are_over(
    post: Post, bill: UUID, card: cards.Card, clock: HandClock
) -> None:
    read(post, letter("I am out of the office and will answer when I am back.", subject="Out of office: Hello",
                      auto_submitted="auto-replied", in_reply_to=message_id(card)))  # fmt: skip
    paused = clock_of(post, bill)
    assert paused["status"] == "paused"
    assert (paused["paused_until"] - clock.now()).days == 7


def test_a_bounce_of_our_own_mail_suppresses_and_voids_the_touch(post: Post, bill: UUID, card: cards.Card) -> None:
    counts = read(post, bounce(message_id(card), BILL))
    assert counts["bounces"] == 1
    assert suppressed(post, BILL) == "bounced"
    assert clock_of(post, bill)["last_touch_at"] is None
    sent = post.row("SELECT state, bounced_at FROM outbound_messages WHERE tenant_id = :t AND card_id = :c", c=card.id)
    assert sent["state"] == "bounced"
    assert post.value("SELECT count(*) FROM warehouse_events WHERE tenant_id = :t AND type = 'delivery.bounced'") == 1


def test_a_forged_bounce_suppresses_nobody(post: Post, bill: UUID, card: cards.Card) -> None:
    counts = read(post, bounce("<guess@acme.example>", BILL))
    assert counts["untied"] == 1
    assert suppressed(post, BILL) is None
    assert "untied" in post.message()["flags"]
    assert clock_of(post, bill)["last_touch_type"] == "email"


def test_a_bounce_of_a_persons_own_mail_suppresses_whom_they_wrote_to(post: Post, bill: UUID) -> None:
    post.account.send(letter("Hello", frm=letters.OWN, to=BILL, message_id="<hand@acme.example>", subject="Hello"))
    read(post)
    read(post, bounce("<hand@acme.example>", "milton@initech.example"))
    assert suppressed(post, "milton@initech.example") is None
    read(post, bounce("<hand@acme.example>", BILL))
    assert suppressed(post, BILL) == "bounced"


def test_a_bounce_that_names_another_address_than_we_wrote_to_means_the_one_we_wrote_to(
    post: Post, bill: UUID, card: cards.Card
) -> None:
    read(post, bounce(message_id(card), "forwarded@elsewhere.example"))
    assert suppressed(post, BILL) == "bounced"
    assert suppressed(post, "forwarded@elsewhere.example") is None


def test_a_full_mailbox_voids_the_touch_and_suppresses_nobody(post: Post, bill: UUID, card: cards.Card) -> None:
    read(post, bounce(message_id(card), BILL, status="5.2.2", words="552 5.2.2 Mailbox full"))
    assert suppressed(post, BILL) is None
    assert clock_of(post, bill)["last_touch_at"] is None


def test_a_delay_changes_nothing(post: Post, bill: UUID, card: cards.Card) -> None:
    read(post, bounce(message_id(card), BILL, status="4.4.1", words="451 4.4.1 Connection timed out, will be retried"))
    assert suppressed(post, BILL) is None
    assert clock_of(post, bill)["last_touch_type"] == "email"


def test_a_bounce_under_the_message_id_that_the_provider_gave_is_tied_too(
    post: Post, bill: UUID, card: cards.Card
) -> None:
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        tx.run("UPDATE outbound_messages SET carried_message_id = '<010f@amazonses.com>' WHERE tenant_id = :t",
               t=post.tenant_id)  # fmt: skip
    read(post, bounce("<010f@amazonses.com>", BILL))
    assert suppressed(post, BILL) == "bounced"


def test_a_complaint_about_our_mail_suppresses_for_good(post: Post, bill: UUID, card: cards.Card) -> None:
    counts = read(post, complaint(message_id(card), BILL))
    assert counts["complaints"] == 1
    assert suppressed(post, BILL) == "complained"


def test_a_forged_complaint_suppresses_nobody(post: Post, bill: UUID, card: cards.Card) -> None:
    read(post, complaint("<guess@acme.example>", BILL))
    assert suppressed(post, BILL) is None


def test_five_bounces_stop_the_tenants_mail_and_raise_an_alert(post: Post, clone: Database) -> None:
    addresses = [f"p{n}@initech.example" for n in range(5)]
    with clone.tenant(post.tenant_id, actor="test") as tx:
        sent = [letters.sent(tx, build.contact(tx, email=each), to=each) for each in addresses]
    for card, address in zip(sent[:4], addresses, strict=False):
        post.arrives(bounce(message_id(card), address))
    read(post)
    switch = "SELECT count(*) FROM tenant_switches WHERE tenant_id = :t AND level = 'mail' AND stopped"
    assert post.value(switch) == 0
    read(post, bounce(message_id(sent[4]), addresses[4]))
    assert post.value(switch) == 1
    assert post.value("SELECT changed_by FROM tenant_switches WHERE tenant_id = :t") == "breaker"
    assert post.value("SELECT severity FROM agent_alerts WHERE tenant_id = :t AND kind = 'mail_breaker'") == "critical"


def test_the_agents_silence_begins_when_a_person_of_the_tenant_writes(
    post: Post, bill: UUID, card: cards.Card, clock: HandClock
) -> None:
    read(post, letter(in_reply_to=message_id(card)))
    thread = post.message()["thread_id"]
    post.account.send(letter("I'll call you.", frm=letters.OWN, to=BILL, in_reply_to="<1@initech.example>", number=2))
    counts = read(post)
    assert counts["person_wrote"] == 1
    stored = post.message()
    assert (stored["direction"], stored["thread_id"], stored["contact_id"]) == ("out", thread, bill)
    wrote = post.value("SELECT person_wrote_at FROM mail_threads WHERE tenant_id = :t AND id = :i", i=thread)
    assert wrote == clock.now()


def test_a_copy_of_the_agents_own_mail_in_the_sent_folder_is_no_person_writing(
    post: Post, bill: UUID, card: cards.Card
) -> None:
    post.account.send(letter("How are you?", frm=letters.OWN, to=BILL, message_id=message_id(card), subject="Hello"))
    counts = read(post)
    assert "person_wrote" not in counts
    assert post.value("SELECT count(*) FROM mail_threads WHERE tenant_id = :t AND person_wrote_at IS NOT NULL") == 0


def test_past_the_ceiling_a_senders_mail_is_kept_and_makes_no_more_work(
    post: Post, bill: UUID, clone: Database
) -> None:
    with clone.tenant(post.tenant_id, actor="test") as tx:
        tx.run("""UPDATE tenants SET settings = settings || '{"sender_ceiling_per_hour": 3}' WHERE tenant_id = :t""",
               t=post.tenant_id)  # fmt: skip
    counts = read(post, *(letter(number=n, subject=f"Ping {n}") for n in range(5)))
    assert counts["messages"] == 5
    assert counts["events"] == 3
    looping = "SELECT count(*) FROM gmail_messages WHERE tenant_id = :t AND 'loop' = ANY(flags)"
    assert post.value(looping) == 2
    assert post.value("SELECT count(*) FROM touches WHERE tenant_id = :t") == 3


def test_mail_tells_the_engines_in_words_of_ids_only(post: Post, bill: UUID, card: cards.Card) -> None:
    read(post, letter("My secret is swordfish", in_reply_to=message_id(card)))
    event = post.row(
        """SELECT e.data, e.contact_id FROM warehouse_events e JOIN reactions_due d
             ON d.tenant_id = e.tenant_id AND d.event_id = e.id WHERE e.tenant_id = :t AND e.type = 'mail.received'"""
    )
    assert event["contact_id"] == bill
    assert event["data"]["reply_to_card"] == str(card.id)
    assert "swordfish" not in str(event["data"])
    assert "@" not in str(event["data"])
    assert post.value("SELECT extra_due_at FROM tenant_schedule WHERE tenant_id = :t") is not None


def test_old_mail_of_a_first_sync_makes_history_and_no_work(post: Post, bill: UUID, clock: HandClock) -> None:
    post.account.deliver(letter(), at=clock.now().replace(year=2024))
    counts = read(post)
    assert (counts["messages"], counts.get("events", 0)) == (1, 0)
    assert post.value("SELECT count(*) FROM touches WHERE tenant_id = :t") == 1
    assert post.value("SELECT extra_due_at FROM tenant_schedule WHERE tenant_id = :t") is None


def test_the_neighbours_see_nothing_of_it(post: Post, bill: UUID, card: cards.Card, clone: Database) -> None:
    neighbour = build.globex(clone)
    with clone.tenant(neighbour, actor="test") as tx:
        same_address = build.contact(tx, email=BILL)
    read(post, bounce(message_id(card), BILL))
    with clone.tenant(neighbour) as tx:
        assert tx.value("SELECT count(*) FROM suppressions") == 0
        assert tx.value("SELECT count(*) FROM gmail_messages") == 0
        status = tx.value("SELECT status FROM engagement_clocks WHERE contact_id = :c", c=same_address)
        assert status == "active"
