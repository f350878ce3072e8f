"""Cases of P2.3.1 and P2.3.2: tasks for people, and research."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from domain import compliance_changes, compliance_checks
from domain.cards import Card
from tests import build
from tests.policy.cases import case
from tests.policy.world import World, promise

ASKS = "Can you call me Thursday?"


def requested(world: World, quote: str = ASKS, text: str = "", **how: object) -> Card:
    """A task that a message is said to ask for."""
    message = world.received(text or quote, **how)  # type: ignore[arg-type]
    return world.task(world.client_id, basis="client_request", message_id=str(message), quote=quote)


@case("human_task.ground", "allow")
@case("human_task.client_request", "allow")
def the_client_asked_for_a_call(world: World) -> Card:
    return requested(world, text=f"Hi Ana,\n{ASKS}  Thanks, Bill")


@case("human_task.client_request", "allow")
def the_client_asked_in_spanish(world: World) -> Card:
    return requested(world, "¿Podría llamarme el jueves?")


@case("human_task.client_request", "allow")
def the_client_asked_in_portuguese(world: World) -> Card:
    return requested(world, "Vocês podem me ligar na quinta?")


@case("human_task.client_request", "allow")
def its_reader_found_the_request(world: World) -> Card:
    words = "How about Tuesday for a call?"
    return requested(world, words, asked=words)


@case("human_task.client_request", "block")
def they_spoke_of_calling_somebody_else(world: World) -> Card:
    return requested(world, "We should call them.")


@case("human_task.client_request", "block")
def its_reader_took_a_plan_of_theirs_for_a_request(world: World) -> Card:
    return requested(world, "We should call them.", asked="We should call them.")


@case("human_task.client_request", "block")
def they_told_how_they_are(world: World) -> Card:
    return requested(world, "The new office is bright.")


@case("human_task.client_request", "block")
def the_words_were_never_written(world: World) -> Card:
    return requested(world, ASKS, text="Thanks for the update.")


@case("human_task.client_request", "block")
def the_message_does_not_exist(world: World) -> Card:
    nobody = "01900000-0000-7000-8000-000000000000"
    return world.task(world.client_id, basis="client_request", message_id=nobody, quote=ASKS)


@case("human_task.client_request", "block")
def the_message_is_another_accounts(world: World) -> Card:
    with world.tx() as tx:
        other = build.client(tx, "Penetrode")
    return requested(world, client_id=other)


@case("human_task.client_request", "block")
def the_message_is_our_own(world: World) -> Card:
    return requested(world, direction="out")


@case("human_task.client_request", "block")
def a_machine_wrote_the_message(world: World) -> Card:
    return requested(world, cls="out_of_office")


@case("human_task.ground", "block")
def nobody_asked(world: World) -> Card:
    return world.task(world.client_id)


@case("human_task.ground", "block")
def its_ground_is_a_good_idea(world: World) -> Card:
    return world.task(world.client_id, basis="good_idea")


@case("human_task.compliance_deadline", "allow")
def the_deadline_of_a_check_is_due(world: World) -> Card:
    return world.task(world.client_id, basis="compliance_deadline", check_id=world.check(due_days=-7))


@case("human_task.compliance_deadline", "allow")
def the_manager_hears_of_a_check_that_is_due(world: World) -> Card:
    return world.escalation(basis="compliance_deadline", check_id=world.check(due_days=-7))


@case("human_task.compliance_deadline", "block")
def an_escalation_rests_on_nothing(world: World) -> Card:
    return world.escalation(check_id=world.check(due_days=-7))


@case("human_task.compliance_deadline", "block")
def the_deadline_is_tomorrow_whatever_the_card_says(world: World) -> Card:
    due = world.clock.now() - timedelta(days=7)
    check = world.check(due_days=1)
    return world.task(world.client_id, basis="compliance_deadline", check_id=check, due_at=due.isoformat())


@case("human_task.compliance_deadline", "block")
def the_check_is_of_another_account(world: World) -> Card:
    with world.tx() as tx:
        other = build.client(tx, "Hooli")
    return world.task(other, basis="compliance_deadline", check_id=world.check(due_days=-7))


@case("human_task.compliance_deadline", "block")
def the_check_was_waived(world: World) -> Card:
    check = world.check(due_days=-7)
    with world.tx() as tx:
        compliance_checks.waive(tx, UUID(check), by="ana", reason="they are moving house")
    return world.task(world.client_id, basis="compliance_deadline", check_id=check)


@case("human_task.compliance_deadline", "block")
def the_schedule_of_the_check_was_switched_off(world: World) -> Card:
    check = world.check(due_days=-7)
    with world.tx() as tx:
        compliance_changes.change(tx, compliance_checks.get(tx, UUID(check)).schedule_id, active=False)
    return world.escalation(basis="compliance_deadline", check_id=check)


@case("human_task.compliance_deadline", "defer")
def the_schedule_of_the_check_was_changed_and_it_is_not_judged_by_that_yet(world: World) -> Card:
    check = world.check(due_days=-7)
    with world.tx() as tx:
        tx.run("UPDATE compliance_schedule SET reviewed_to = :first WHERE tenant_id = :t",
               first=UUID(int=0), t=tx.tenant_id)  # fmt: skip
    return world.escalation(basis="compliance_deadline", check_id=check)


@case("human_task.compliance_deadline", "block")
def no_check_is_named(world: World) -> Card:
    return world.task(world.client_id, basis="compliance_deadline", due_at=world.clock.now().isoformat())


@case("human_task.compliance_deadline", "block")
def there_is_no_such_check(world: World) -> Card:
    return world.task(world.client_id, basis="compliance_deadline", check_id=str(UUID(int=7)))


@case("human_task.safety_escalation", "allow")
def they_threaten_with_lawyers(world: World) -> Card:
    quote = "You will hear from our lawyers."
    message = world.received(f"Enough is enough. {quote}")
    return world.task(
        world.client_id, basis="safety_escalation", trigger="legal_threat", message_id=str(message), quote=quote
    )


@case("human_task.safety_escalation", "block")
def a_trigger_that_is_not_listed(world: World) -> Card:
    message = world.received("This is taking too long.")
    return world.task(
        world.client_id, basis="safety_escalation", trigger="impatience", message_id=str(message), quote="too long"
    )


@case("human_task.safety_escalation", "block")
def a_trigger_without_its_words(world: World) -> Card:
    message = world.received("All is well.")
    return world.task(
        world.client_id, basis="safety_escalation", trigger="legal_threat", message_id=str(message), quote="we will sue"
    )


def research(world: World, target: str = "100", **span: int) -> Card:
    """A card that would research, where the goals need it unless told otherwise."""
    world.goal(target, **span)
    return world.card("research")


@case("research.exhausted", "allow")
@case("research.need", "allow")
def a_goal_is_behind_pace(world: World) -> Card:
    return research(world)


@case("research.need", "allow")
def the_pipeline_is_thin(world: World) -> Card:
    world.order("80")
    return research(world, days_over=1, days_left=30)


@case("research.need", "block")
def the_goal_is_reached(world: World) -> Card:
    world.order("100")
    return research(world)


@case("research.need", "block")
def no_goal_is_set(world: World) -> Card:
    return world.card("research")


@case("research.need", "block")
def the_goal_of_last_month_no_longer_counts(world: World) -> Card:
    return research(world, days_over=60, days_left=-30)


@case("research.exhausted", "block")
def somebody_is_overdue(world: World) -> Card:
    with world.tx() as tx:
        promise(tx, world.contact_id, tx.now - timedelta(days=1))
    return research(world)


@case("research.exhausted", "allow")
def nobody_is_overdue_yet(world: World) -> Card:
    with world.tx() as tx:
        promise(tx, world.contact_id, tx.now + timedelta(days=1))
    return research(world)


@case("research.exhausted", "block")
def a_quote_waits_for_its_follow_up(world: World) -> Card:
    world.card("send_quote", dedupe_key="quote:1")
    return research(world)
