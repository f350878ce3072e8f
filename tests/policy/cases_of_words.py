"""Cases of the words: what a mail was written from, and what its records say when it is to go."""

from __future__ import annotations

from typing import Any

from domain import clients, tenants
from domain.cards import Card
from tests import build
from tests.policy.cases import case
from tests.policy.world import World

SLOTS = {"variant": 1, "first_name": "Bill", "client_name": "Initech", "sender_name": "Ana Diaz", "company": "Acme",
         "thread_subject": ""}  # fmt: skip


def letter(world: World, **slots: Any) -> Card:
    """A first touch in the words of its template."""
    return world.card(payload={"template": "engagement_first_touch", "language": "en", "slots": {**SLOTS, **slots}})


@case("wording.current", "allow")
def all_is_called_what_it_was_called(world: World) -> Card:
    return letter(world)


@case("wording.current", "allow")
def a_word_that_was_left_out_is_never_wrong(world: World) -> Card:
    return letter(world, client_name="", first_name="")


@case("wording.current", "renew")
def the_contact_is_called_otherwise(world: World) -> Card:
    return letter(world, first_name="Peter")


@case("wording.current", "renew")
def the_account_was_renamed(world: World) -> Card:
    card = letter(world)
    with world.tx() as tx:
        clients.upsert(tx, client_id=world.client_id, name="Initrode")
    return card


@case("wording.current", "renew")
def the_account_speaks_another_language(world: World) -> Card:
    card = letter(world)
    with world.tx() as tx:
        clients.upsert(tx, client_id=world.client_id, language="es")
    return card


@case("wording.current", "renew")
def somebody_else_signs(world: World) -> Card:
    card = letter(world)
    world.set(sender_name="Rui Costa")
    return card


@case("wording.current", "renew")
def the_tenant_was_renamed(world: World) -> Card:
    card = letter(world)
    with world.tx() as tx:
        tenants.rename(tx, "Acme Europe")
    return card


@case("wording.current", "renew")
def the_deal_has_another_title(world: World) -> Card:
    with world.tx() as tx:
        deal = build.deal(tx, world.contact_id, "Racks for Boston")
    return world.card("follow_up", payload={
        "deal_id": str(deal), "template": "deal_follow_up_1", "language": "en",
        "slots": {**SLOTS, "tone": "warm", "deal_title": "Shelves for Boston"}})  # fmt: skip
