"""Cases of G4: the words that a model wrote for a card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.cards import Card
from tests.policy.cases import case
from tests.policy.texts_of_drafts import DECENT, SLOTS
from tests.policy.world import World


def drafted(world: World, text: str, **payload: Any) -> Card:
    """A first touch whose body a model wrote."""
    told = {"template": "engagement_first_touch", "language": "en", "slots": {**SLOTS, "company": "Acme"},
            "draft": {"by": "anthropic/claude-sonnet-5-5", "text": text}, **payload}  # fmt: skip
    return world.card(payload=told)


@case("drafts.nothing_invented", "allow")
def a_draft_that_keeps_to_its_facts(world: World) -> Card:
    return drafted(world, DECENT["en"])


@case("drafts.nothing_invented", "block")
def a_draft_that_names_a_stranger(world: World) -> Card:
    return drafted(world, DECENT["en"].replace("at Initech", "at Initech and with Mallory"))


@case("drafts.nothing_invented", "block")
def a_draft_in_another_language(world: World) -> Card:
    return drafted(world, DECENT["es"])


@case("drafts.way_out", "allow")
def a_draft_above_the_opt_out(world: World) -> Card:
    return drafted(world, DECENT["en"])


@case("drafts.way_out", "block", tampered=True)
def a_draft_whose_mail_lost_its_foot(world: World) -> Card:
    world.tamper = lambda mail: replace(mail, text=DECENT["en"])
    return drafted(world, DECENT["en"])
