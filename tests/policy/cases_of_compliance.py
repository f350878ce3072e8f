"""Cases of P5.6: whether a client may be asked for what a record lacks, at the instant of asking."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain import clients, compliance_changes, compliance_checks, compliance_schedules, contacts
from domain.cards import Card
from domain.db import Tx
from tests import build, houses
from tests.policy.cases import case
from tests.policy.world import World


def asking(world: World, *, due_days: float = 10, **told: Any) -> Card:
    """A card that asks Bill for what the record of his account lacks."""
    with world.tx() as tx:
        check = build.check(tx, world.client_id, due_days=due_days, required=("contact_phone", "contact_title"))
        payload = {"subject": "Your details", "text": "We are missing these details.", "check_id": str(check.id),
                   "gaps": ["contact_phone", "contact_title"], "slots": {"late": False}, **told}  # fmt: skip
        return build.card(tx, world.contact_id, kind="compliance_reminder", subject_type=compliance_checks.SUBJECT,
                          subject_id=str(check.id), payload=payload)  # fmt: skip


def the_schedule(tx: Tx) -> UUID:
    """The only one that there is."""
    [found] = compliance_schedules.listed(tx)
    return found.id


@case("compliance.wanted", "allow")
def the_record_lacks_what_it_asks_for(world: World) -> Card:
    return asking(world)


@case("compliance.wanted", "allow")
def the_day_has_passed_and_it_says_so(world: World) -> Card:
    return asking(world, due_days=-1, slots={"late": True})


@case("compliance.wanted", "block")
def the_day_has_passed_since_it_was_written(world: World) -> Card:
    return asking(world, due_days=-1)


@case("compliance.wanted", "block")
def an_import_has_brought_one_of_its_gaps(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        contacts.upsert(tx, houses.VAULT, contact_id=world.contact_id, phone="+1 212 555 0100", source="import")
    return card


@case("compliance.wanted", "block")
def it_asks_for_nothing(world: World) -> Card:
    return asking(world, gaps=[])


@case("compliance.wanted", "block")
def the_account_is_inactive_since(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        clients.upsert(tx, client_id=world.client_id, status="inactive")
    return card


@case("compliance.wanted", "block")
def the_account_is_a_prospect_again(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        clients.upsert(tx, client_id=world.client_id, relationship="prospect")
    return card


@case("compliance.wanted", "block")
def its_check_is_settled(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        tx.run("""UPDATE compliance_checks SET state = 'waived', reason = 'moving', closed_at = :now, closed_by = 'ana'
                  WHERE tenant_id = :t""", now=tx.now, t=tx.tenant_id)  # fmt: skip
    return card


@case("compliance.wanted", "block")
def its_schedule_was_switched_off_while_it_was_on_its_way(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        compliance_changes.change(tx, the_schedule(tx), active=False)
    return card


@case("compliance.wanted", "block")
def its_schedule_requires_something_else_now(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        compliance_changes.change(tx, the_schedule(tx), required_fields=["contact_phone"])
    return card


@case("compliance.wanted", "defer")
def its_schedule_was_changed_and_it_is_not_judged_by_that_yet(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        tx.run("UPDATE compliance_schedule SET reviewed_to = :first WHERE tenant_id = :t",
               first=UUID(int=0), t=tx.tenant_id)  # fmt: skip
    return card


@case("compliance.wanted", "allow")
def its_schedule_was_changed_and_it_is_judged_by_that_already(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        tx.run("UPDATE compliance_schedule SET reviewed_to = :last WHERE tenant_id = :t",
               last=UUID(card.subject_id), t=tx.tenant_id)  # fmt: skip
    return card


@case("compliance.wanted", "allow")
def it_asks_along_with_its_own_for_what_another_schedule_requires(world: World) -> Card:
    with world.tx() as tx:
        build.check(tx, world.client_id, required=("language",))
    return asking(world, gaps=["contact_phone", "contact_title", "language"])


@case("compliance.wanted", "block")
def what_it_asks_for_along_with_its_own_is_asked_by_no_schedule_any_more(world: World) -> Card:
    with world.tx() as tx:
        compliance_changes.change(tx, build.check(tx, world.client_id, required=("language",)).schedule_id,
                                  active=False)  # fmt: skip
    return asking(world, gaps=["contact_phone", "contact_title", "language"])


@case("compliance.wanted", "block")
def the_person_works_for_another_account_now(world: World) -> Card:
    card = asking(world)
    with world.tx() as tx:
        other = build.client(tx, "Hooli")
        tx.run("UPDATE compliance_checks SET client_id = :other WHERE tenant_id = :t",
               other=other, t=tx.tenant_id)  # fmt: skip
    return card
