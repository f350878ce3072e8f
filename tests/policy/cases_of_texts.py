"""Cases of P2.3.4: what a mail may not say, and what an action may not do."""

from __future__ import annotations

from dataclasses import replace

from domain import contacts
from domain.cards import Card
from domain.ports import OutboundMail
from tests.policy.cases import Arrange, case
from tests.policy.texts import ALLOWED, BLOCKED, ORDINARY
from tests.policy.world import World


def enter(rule: str, text: str, blocked: bool) -> None:
    """Make a case of a text."""

    def arrange(world: World) -> Card:
        return world.says(text)

    arrange.__name__ = "a_text"
    decided: Arrange = arrange
    case(rule, "block" if blocked else "allow")(decided)


# the first of each is laid out in the database; all of them are searched in test_texts
for rule in BLOCKED:
    enter(rule, BLOCKED[rule][0], blocked=True)
    enter(rule, ALLOWED[rule][0], blocked=False)


@case("sensitive.price_promise", "allow")
def a_price_that_a_quote_holds(world: World) -> Card:
    return world.says("It comes to $1,250.00.", backed={"price": "1250"})


@case("sensitive.price_promise", "block")
def another_price_than_the_quote_holds(world: World) -> Card:
    return world.says("It comes to $1,200.00.", backed={"price": "1250"})


@case("sensitive.discount_promise", "allow")
def a_discount_that_a_quote_holds(world: World) -> Card:
    return world.says("Your 10% discount is in the quote.", backed={"discount": "10%"})


@case("sensitive.discount_promise", "block")
def more_discount_than_the_quote_holds(world: World) -> Card:
    return world.says("Your 15% discount is in the quote.", backed={"discount": "10%"})


@case("sensitive.deadline_promise", "allow")
def a_deadline_that_an_order_holds(world: World) -> Card:
    return world.says("We will deliver it by March 20.", backed={"delivery": "2026-03-20"})


@case("sensitive.deadline_promise", "block")
def an_earlier_deadline_than_the_order_holds(world: World) -> Card:
    return world.says("We will deliver it by March 19.", backed={"delivery": "2026-03-20"})


@case("sensitive.personal_numbers", "allow")
def the_tenants_own_number_in_its_address(world: World) -> Card:
    world.set(postal_address="Acme SpA, RUT 76.086.428-5, Santiago")
    return world.card()


@case("sensitive.discount_promise", "allow")
def a_client_called_discount(world: World) -> Card:
    world.run("UPDATE clients SET name = 'Discount Tire' WHERE tenant_id = :t AND id = :id", id=world.client_id)
    return world.says("I would like to catch up with you at Discount Tire.")


@case("sensitive.payment_details", "block")
def a_client_called_like_a_sentence(world: World) -> Card:
    name = "Our bank account has changed: 12345"
    world.run("UPDATE clients SET name = :name WHERE tenant_id = :t AND id = :id", id=world.client_id, name=name)
    return world.says(f"How is {name}")


@case("sensitive.unknown_links", "allow")
def a_client_named_like_its_domain(world: World) -> Card:
    world.run("UPDATE contacts SET email = 'bill@booking.com' WHERE tenant_id = :t AND id = :id", id=world.contact_id)
    return world.says("How is everything at Booking.com?")


@case("sensitive.unknown_links", "block")
def a_link_to_a_clients_domain(world: World) -> Card:
    world.run("UPDATE contacts SET email = 'bill@booking.com' WHERE tenant_id = :t AND id = :id", id=world.contact_id)
    return world.says("See booking.com/login")


@case("sensitive.mass_recipients", "allow")
def two_addresses_of_bill(world: World) -> Card:
    return to_aliases(world, 2)


@case("sensitive.mass_recipients", "block")
def six_addresses_of_bill(world: World) -> Card:
    return to_aliases(world, 6)


def to_aliases(world: World, count: int) -> Card:
    """One message to several addresses of one contact."""
    aliases = [f"bill{number}@home.example" for number in range(count)]
    with world.tx() as tx:
        for alias in aliases:
            contacts.add_address(tx, world.house.vault, world.contact_id, alias, source="person")
    return world.says("Hello", to=aliases[:1], cc=aliases[1:3], bcc=aliases[3:])


@case("sensitive.active_html", "allow")
def plain_words(world: World) -> Card:
    return world.says(ORDINARY)


@case("sensitive.active_html", "allow")
def html_in_the_text_is_only_text(world: World) -> Card:
    return world.says("Write <img src=x> for an image.")


@case("sensitive.active_html", "block", tampered=True)
def a_picture_that_watches(world: World) -> Card:
    def tamper(mail: OutboundMail) -> OutboundMail:
        return replace(mail, html=f'{mail.html}<img src="https://acme.example/pixel">')

    world.tamper = tamper
    return world.card()


@case("sensitive.unknown_links", "block", tampered=True)
def a_link_whose_words_name_us(world: World) -> Card:
    def tamper(mail: OutboundMail) -> OutboundMail:
        return replace(mail, html=f'{mail.html}<a href="https://evil.example">https://acme.example</a>')

    world.tamper = tamper
    return world.card()


@case("sensitive.bulk_delete", "allow")
def an_ordinary_update(world: World) -> Card:
    return world.card("run_script", payload={"operation": "set_stage", "ids": [1, 2, 3]})


@case("sensitive.bulk_delete", "allow")
def one_record_is_deleted(world: World) -> Card:
    return world.card("run_script", payload={"operation": "delete", "id": 1})


@case("sensitive.bulk_delete", "block")
def three_records_are_deleted(world: World) -> Card:
    return world.card("run_script", payload={"operation": "delete", "ids": [1, 2, 3]})


@case("sensitive.bulk_delete", "block")
def whatever_matches_is_deleted(world: World) -> Card:
    return world.card("enrich_contact", payload={"operation": "purge", "where": "stale"})


@case("sensitive.bulk_delete", "block")
def a_script_that_deletes(world: World) -> Card:
    return world.card("run_script", payload={"code": "DELETE FROM contacts"})
