"""Cases of P2.3.3 and P2.3.5: who may be written to, and which conversation they are in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from domain import clocks, contacts
from domain.cards import Card
from domain.ports import OutboundMail
from tests import build
from tests.policy.cases import case
from tests.policy.world import World


@case("recipient_truth.own_contact", "allow")
@case("no_spam.suppressed", "allow")
@case("no_spam.bounced", "allow")
@case("no_spam.complained", "allow")
@case("no_spam.opted_out", "allow")
@case("no_spam.relationship", "allow")
@case("no_spam.active_account", "allow")
@case("no_spam.away", "allow")
@case("no_spam.list_unsubscribe", "allow")
@case("no_spam.one_click", "allow")
@case("no_spam.one_thread", "allow")
@case("no_spam.reply_stops", "allow")
@case("no_spam.person_writing", "allow")
@case("no_spam.automatic_message", "allow")
@case("no_spam.minimum_gap", "allow")
def a_first_mail_to_bill(world: World) -> Card:
    return world.card()


@case("recipient_truth.own_contact", "allow")
def an_alias_of_bill(world: World) -> Card:
    with world.tx() as tx:
        contacts.add_address(tx, world.house.vault, world.contact_id, "lumbergh@home.example", source="person")
    return world.says("Hello", to=["lumbergh@home.example"])


@case("recipient_truth.own_contact", "block")
def a_strangers_address(world: World) -> Card:
    return world.says("Hello", to=["attacker@evil.example"])


@case("recipient_truth.own_contact", "block")
def a_blind_copy_to_a_stranger(world: World) -> Card:
    return world.says("Hello", bcc=["attacker@evil.example"])


@case("recipient_truth.own_contact", "block")
def a_colleague_in_copy(world: World) -> Card:
    world.colleague()
    return world.says("Hello", cc=["peter@initech.example"])


@case("recipient_truth.own_contact", "block", tampered=True)
def a_recipient_smuggled_into_a_header(world: World) -> Card:
    def tamper(mail: OutboundMail) -> OutboundMail:
        return replace(mail, headers={**mail.headers, "bCC": "attacker@evil.example"})

    world.tamper = tamper
    return world.card()


@case("recipient_truth.own_contact", "block")
def the_contact_moved_to_another_account(world: World) -> Card:
    card = world.card()
    with world.tx() as tx:
        other = build.client(tx, "Penetrode")
        contacts.upsert(tx, world.house.vault, contact_id=world.contact_id, client_id=other)
    return card


@case("no_spam.suppressed", "block")
def bill_was_suppressed_by_hand(world: World) -> Card:
    world.suppress("bill@initech.example", "manual")
    return world.card()


@case("no_spam.suppressed", "block")
def bill_was_erased_and_imported_again(world: World) -> Card:
    world.suppress("BILL@initech.example", "erased")
    return world.card()


@case("no_spam.bounced", "block")
def bills_address_bounced(world: World) -> Card:
    world.suppress("bill@initech.example", "bounced")
    return world.card()


@case("no_spam.complained", "block")
def bill_complained(world: World) -> Card:
    world.suppress("bill@initech.example", "complained")
    return world.card()


@case("no_spam.opted_out", "block")
def bill_opted_out(world: World) -> Card:
    world.suppress("bill@initech.example", "opted_out")
    return world.card()


@case("no_spam.opted_out", "block")
def bill_opted_out_under_an_alias(world: World) -> Card:
    with world.tx() as tx:
        contacts.add_address(tx, world.house.vault, world.contact_id, "lumbergh@home.example", source="person")
    world.suppress("lumbergh@home.example", "opted_out")
    return world.card()


@case("no_spam.opted_out", "block")
def a_blind_copy_to_somebody_who_opted_out(world: World) -> Card:
    world.suppress("peter@initech.example", "opted_out")
    return world.says("Hello", bcc=["Peter@Initech.example"])


@case("no_spam.opted_out", "allow")
def a_colleague_opted_out(world: World) -> Card:
    world.colleague()
    world.suppress("peter@initech.example", "opted_out")
    return world.card()


@case("no_spam.relationship", "block")
def a_prospect_is_approached(world: World) -> Card:
    world.run("UPDATE clients SET relationship = 'prospect' WHERE tenant_id = :t AND id = :id", id=world.client_id)
    return world.card()


@case("no_spam.active_account", "block")
def the_account_became_inactive_while_the_mail_waited(world: World) -> Card:
    card = world.card()
    world.run("UPDATE clients SET status = 'inactive' WHERE tenant_id = :t AND id = :id", id=world.client_id)
    return card


@case("no_spam.away", "defer", until="2026-03-06 15:00")
def bill_is_out_of_office(world: World) -> Card:
    with world.tx() as tx:
        clocks.start(tx, [world.contact_id])
        clocks.pause(tx, world.contact_id, tx.now + timedelta(days=4))
    return world.card()


@case("no_spam.away", "allow")
def bill_is_back(world: World) -> Card:
    with world.tx() as tx:
        clocks.start(tx, [world.contact_id])
        clocks.pause(tx, world.contact_id, tx.now + timedelta(minutes=1))
    world.house.clock.wait(120)
    return world.card()


@case("no_spam.consent", "allow")
def bill_agreed_to_broadcasts(world: World) -> Card:
    with world.tx() as tx:
        contacts.consent(tx, world.contact_id, given=True, how="told us at the fair")
    return world.card("broadcast_email")


@case("no_spam.consent", "block")
def bill_never_agreed_to_broadcasts(world: World) -> Card:
    return world.card("broadcast_email")


@case("no_spam.one_thread", "block")
def bill_is_followed_up_in_another_thread(world: World) -> Card:
    thread = world.thread()
    with world.tx() as tx:
        clocks.start(tx, [world.contact_id])
        clocks.advance_sequences(tx, [clocks.Advance(world.contact_id, 1, tx.now, thread)])
    return world.card()


@case("no_spam.one_thread", "allow")
def the_follow_up_of_the_open_thread(world: World) -> Card:
    thread = world.thread()
    with world.tx() as tx:
        clocks.start(tx, [world.contact_id])
        clocks.advance_sequences(tx, [clocks.Advance(world.contact_id, 1, tx.now, thread)])
    return world.card("follow_up", thread_id=thread)


@case("no_spam.reply_stops", "block")
def bill_replied_to_the_mail(world: World) -> Card:
    thread = world.thread()
    world.mailed(100, thread_id=thread)
    world.received("Let us talk.", thread_id=thread, hours_ago=2)
    return world.card("follow_up", thread_id=thread)


@case("no_spam.reply_stops", "block")
def a_colleague_replied(world: World) -> Card:
    thread, peter = world.thread(), world.colleague()
    world.mailed(100, thread_id=thread)
    with world.tx() as tx:
        clocks.start(tx, [world.contact_id, peter])
        clocks.touch(tx, peter, "reply", by="contact", at=tx.now - timedelta(hours=2))
    return world.card("follow_up", thread_id=thread)


@case("no_spam.reply_stops", "block")
def somebody_replied_after_the_card_was_made(world: World) -> Card:
    card = world.card()
    world.clock.advance(minutes=10)
    world.run("UPDATE clients SET last_reply_at = :at WHERE tenant_id = :t AND id = :id", at=world.clock.now(),
              id=world.client_id)  # fmt: skip
    return card


@case("no_spam.reply_stops", "allow")
def the_reply_was_before_the_mail_that_is_followed_up(world: World) -> Card:
    thread = world.thread()
    world.received("Thanks!", thread_id=thread, hours_ago=200)
    world.mailed(100, thread_id=thread)
    return world.card("follow_up", thread_id=thread)


@case("no_spam.reply_stops", "allow")
def only_a_machine_answered(world: World) -> Card:
    thread = world.thread()
    world.mailed(100, thread_id=thread)
    world.received("I am away.", thread_id=thread, hours_ago=90, cls="out_of_office")
    return world.card("follow_up", thread_id=thread)


@case("no_spam.automatic_message", "allow")
def a_follow_up_after_an_absence(world: World) -> Card:
    thread = world.thread()
    world.mailed(200, thread_id=thread)
    world.received("I am away.", thread_id=thread, hours_ago=190, cls="out_of_office", rfc_id="<away@initech.example>")
    return world.card("follow_up", thread_id=thread)


@case("no_spam.person_writing", "defer", until="2026-03-04 13:30")
def a_person_wrote_in_the_thread_yesterday(world: World) -> Card:
    return world.card(thread_id=world.thread(person_wrote_at=world.clock.now() - timedelta(hours=24, minutes=100)))


@case("no_spam.person_writing", "allow")
def a_person_wrote_in_the_thread_last_week(world: World) -> Card:
    return world.card(thread_id=world.thread(person_wrote_at=world.clock.now() - timedelta(days=7)))


@case("no_spam.automatic_message", "allow")
@case("no_spam.marks_automatic", "allow")
def an_answer_to_a_person(world: World) -> Card:
    return world.says("Gladly.", answers_message_id=str(world.received()))


@case("no_spam.automatic_message", "block")
def an_answer_to_an_out_of_office_note(world: World) -> Card:
    return world.says("Enjoy!", answers_message_id=str(world.received("I am away.", cls="out_of_office")))


@case("no_spam.automatic_message", "block")
def an_answer_to_a_mailing_list(world: World) -> Card:
    return world.says("Hello", answers_message_id=str(world.received("News", cls="other", flags=("list_mail",))))


@case("no_spam.automatic_message", "block")
def an_answer_to_a_noreply_address(world: World) -> Card:
    return world.says("Hello", answers_message_id=str(world.received("Your code", flags=("noreply",))))


@case("no_spam.automatic_message", "block", tampered=True)
def a_mail_that_hangs_below_an_automatic_one(world: World) -> Card:
    world.received("I am away.", cls="automatic", rfc_id="<away@initech.example>")

    def tamper(mail: OutboundMail) -> OutboundMail:
        return replace(mail, headers={**mail.headers, "In-Reply-To": "<away@initech.example>"})

    world.tamper = tamper
    return world.card()


@case("no_spam.marks_automatic", "block", tampered=True)
def an_answer_that_hides_what_it_is(world: World) -> Card:
    world.tamper = without("Auto-Submitted")
    return world.says("Gladly.", answers_message_id=str(world.received()))


@case("no_spam.list_unsubscribe", "block", tampered=True)
def commercial_mail_without_a_way_out(world: World) -> Card:
    world.tamper = without("List-Unsubscribe")
    return world.card()


@case("no_spam.list_unsubscribe", "block")
def the_way_out_is_not_encrypted(world: World) -> Card:
    world.house = replace(world.house, public_url="http://acme.example")
    return world.card()


@case("no_spam.one_click", "block", tampered=True)
def leaving_takes_more_than_one_click(world: World) -> Card:
    world.tamper = without("List-Unsubscribe-Post")
    return world.card()


def without(name: str) -> Callable[[OutboundMail], OutboundMail]:
    """Something that loses a header."""

    def tamper(mail: OutboundMail) -> OutboundMail:
        return replace(mail, headers={known: value for known, value in mail.headers.items() if known != name})

    return tamper
