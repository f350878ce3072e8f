"""Cases of the brakes: switches, modes, times, caps and approval."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from domain import switches
from domain.cards import Card
from domain.switches import Level, Switch
from tests.policy.cases import case
from tests.policy.world import World

LATER = "2026-03-02 15:15"


def stop(world: World, level: Level, name: str = "", *, house: bool = False) -> None:
    """Flip a switch as an admin does."""
    switches.stop(world.database, Switch(None if house else world.tenant_id, level, name), by="admin", reason="test")


@case("switches.host", "allow")
@case("switches.host_mail", "allow")
@case("switches.house", "allow")
@case("switches.tenant", "allow")
@case("switches.mail", "allow")
@case("switches.engine", "allow")
@case("switches.action", "allow")
@case("time.latest", "allow")
@case("time.not_before", "allow")
@case("modes.dry_run", "allow")
@case("approval", "allow")
@case("limits.type", "allow")
def nothing_is_stopped(world: World) -> Card:
    return world.card()


@case("switches.host", "defer", until=LATER)
def the_environment_says_stop(world: World) -> Card:
    world.brakes(kill_switch=True, kill_reason="fire drill")
    return world.card()


@case("switches.host_mail", "defer", until=LATER)
def the_environment_disables_mail(world: World) -> Card:
    world.brakes(mail_disabled=True)
    return world.card()


@case("switches.house", "defer", until=LATER)
def the_house_is_switched_off(world: World) -> Card:
    stop(world, "all", house=True)
    return world.card()


@case("switches.tenant", "defer", until=LATER)
def the_tenant_is_switched_off(world: World) -> Card:
    stop(world, "all")
    return world.card()


@case("switches.mail", "defer", until=LATER)
def the_tenants_mail_is_switched_off(world: World) -> Card:
    stop(world, "mail")
    return world.card()


@case("switches.mail", "defer", until=LATER)
def the_houses_mail_is_switched_off(world: World) -> Card:
    stop(world, "mail", house=True)
    return world.card("follow_up")


@case("switches.engine", "defer", until=LATER)
def its_engine_is_switched_off(world: World) -> Card:
    stop(world, "engine", "engagement")
    return world.card()


@case("switches.engine", "allow")
def another_engine_is_switched_off(world: World) -> Card:
    stop(world, "engine", "requests")
    return world.card()


@case("switches.action", "defer", until=LATER)
def its_type_is_switched_off_for_the_house(world: World) -> Card:
    stop(world, "action", "follow_up", house=True)
    return world.card("follow_up")


@case("switches.action", "allow")
def another_type_is_switched_off(world: World) -> Card:
    stop(world, "action", "follow_up")
    return world.card()


@case("time.latest", "expire")
def its_latest_time_is_over(world: World) -> Card:
    card = world.card(latest_at=world.clock.now() + timedelta(hours=1))
    world.clock.advance(hours=1)
    return card


@case("time.latest", "expire")
def an_answer_is_more_than_eight_hours_late(world: World) -> Card:
    asked = str(world.received())
    payload = {"subject": "Hello", "text": "Gladly.", "answers_message_id": asked}
    return world.card(payload=payload, due_at=world.clock.now() - timedelta(hours=8))


@case("time.latest", "allow")
def a_late_answer_was_put_before_a_person(world: World) -> Card:
    asked, due = str(world.received()), world.clock.now() - timedelta(hours=20)
    payload = {"subject": "Hello", "text": "Gladly.", "answers_message_id": asked}
    return world.approved(world.card(payload=payload, due_at=due, latest_at=world.clock.now() + timedelta(hours=28)))


@case("time.not_before", "defer", until="2026-03-02 17:00")
def its_time_has_not_come(world: World) -> Card:
    return world.card(not_before=world.clock.now() + timedelta(hours=2))


@case("modes.dry_run", "hold")
def the_tenant_is_in_dry_run(world: World) -> Card:
    world.set(send_mode="dry_run")
    return world.card()


@case("modes.internal_only", "hold")
def a_stranger_in_internal_only(world: World) -> Card:
    world.set(send_mode="internal_only", allow_list=["acme.example", "bill@other.example"])
    return world.card()


@case("modes.internal_only", "allow")
def an_allow_listed_domain(world: World) -> Card:
    world.set(send_mode="internal_only", allow_list=["initech.example"])
    return world.card()


@case("modes.internal_only", "allow")
def an_allow_listed_address(world: World) -> Card:
    world.set(send_mode="internal_only", allow_list=["bill@initech.example"])
    return world.card()


@case("modes.internal_only", "hold", overall="block")
def a_copy_to_somebody_not_listed(world: World) -> Card:
    world.set(send_mode="internal_only", allow_list=["bill@initech.example"])
    return world.says("Hello", cc=["milton@initech.example"])


@case("modes.limited_live", "allow")
@case("modes.limited_live_new_contacts", "allow")
def the_days_first_mail_in_limited_live(world: World) -> Card:
    world.set(send_mode="limited_live")
    return world.card()


@case("modes.limited_live", "defer", until="2026-03-03 13:30")
def the_days_mails_are_used_up(world: World) -> Card:
    world.set(send_mode="limited_live")
    world.count("emails.day.limited_live", 25, day=True)
    return world.card()


@case("modes.limited_live_new_contacts", "defer", until="2026-03-03 13:30")
def five_new_people_were_written_to_today(world: World) -> Card:
    world.set(send_mode="limited_live")
    world.count("new_contacts.day.limited_live", 5, day=True)
    return world.card()


@case("modes.limited_live_new_contacts", "allow")
def an_old_acquaintance_in_limited_live(world: World) -> Card:
    world.set(send_mode="limited_live")
    world.count("new_contacts.day.limited_live", 5, day=True)
    world.mailed(200)
    return world.card()


@case("limits.type", "allow")
def its_type_has_room(world: World) -> Card:
    world.set(max_actions_per_hour={"send_email": 3})
    world.count("type:send_email.hour", 2)
    return world.card()


@case("limits.type", "defer", until="2026-03-02 16:00")
def its_types_hour_is_used_up(world: World) -> Card:
    world.set(max_actions_per_hour={"send_email": 3})
    world.count("type:send_email.hour", 3)
    return world.card()


@case("limits.research", "allow")
def the_first_research_of_the_hour(world: World) -> Card:
    world.goal("100")
    return world.card("research")


@case("limits.research", "defer", until="2026-03-02 16:00")
def five_researches_this_hour(world: World) -> Card:
    world.count("research.hour", 5)
    world.goal("100")
    return world.card("research")


@case("limits.sandbox", "allow")
def the_first_script_of_the_hour(world: World) -> Card:
    return world.card("run_script", payload={"template": "clean_csv"})


@case("limits.sandbox", "defer", until="2026-03-02 16:00")
def five_scripts_this_hour(world: World) -> Card:
    world.count("sandbox.hour", 5)
    return world.card("run_script", payload={"template": "clean_csv"})


@case("approval", "needs_approval")
def its_type_needs_approval(world: World) -> Card:
    world.set(autonomy={"send_email": "approve"})
    return world.card()


@case("approval", "needs_approval")
def its_type_is_only_suggested(world: World) -> Card:
    world.set(autonomy={"create_task": "auto", "send_email": "suggest"})
    return world.card()


@case("approval", "allow")
def a_person_approved_just_this(world: World) -> Card:
    world.set(autonomy={"send_email": "approve"})
    return world.approved(world.card())


@case("approval", "needs_approval")
def it_says_something_else_than_what_was_approved(world: World) -> Card:
    world.set(autonomy={"send_email": "approve"})
    card = world.approved(world.card())
    world.run('UPDATE kanban_cards SET payload = payload || \'{"text": "Other words."}\' WHERE tenant_id = :t')
    return card


@case("approval", "needs_approval")
def the_policy_changed_since_the_approval(world: World) -> Card:
    world.set(autonomy={"send_email": "approve"})
    card = world.approved(world.card())
    world.set(max_emails_per_hour=19)
    return card


@case("approval", "needs_approval")
def it_hangs_in_another_thread_than_was_approved(world: World) -> Card:
    world.set(autonomy={"send_email": "approve"})
    card = world.approved(world.card())
    world.run("UPDATE kanban_cards SET thread_id = :thread WHERE tenant_id = :t AND id = :id",
              thread=world.thread(), id=card.id)  # fmt: skip
    return card


@case("approval", "needs_approval")
def the_approval_is_too_old(world: World) -> Card:
    world.set(autonomy={"send_email": "approve"})
    card = world.approved(world.card(latest_at=world.clock.now() + timedelta(days=3)))
    world.clock.advance(days=1)
    return replace(card)


@case("approval", "allow")
def a_task_was_approved(world: World) -> Card:
    world.set(autonomy={"run_script": "approve"})
    return world.approved(world.card("run_script", payload={"template": "clean_csv"}))
