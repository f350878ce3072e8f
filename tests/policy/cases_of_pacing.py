"""Cases of P2.3.3: how much mail, and when."""

from __future__ import annotations

from datetime import timedelta

from domain import clients, contacts
from domain.cards import Card
from tests.policy.cases import case
from tests.policy.world import World

TOMORROW = "2026-03-03 13:30"
"""When Tuesday's window opens in New York."""


def moved(world: World, **place: str) -> None:
    """Bill lives somewhere else."""
    with world.tx() as tx:
        contacts.upsert(tx, world.house.vault, contact_id=world.contact_id, **place)  # type: ignore[arg-type]


@case("no_spam.hourly_cap", "allow")
def the_hour_has_room(world: World) -> Card:
    world.count("emails.hour", 19)
    return world.card()


@case("no_spam.hourly_cap", "defer", until="2026-03-02 16:00")
def twenty_mails_went_out_this_hour(world: World) -> Card:
    world.count("emails.hour", 20)
    return world.card()


@case("no_spam.hourly_cap", "defer", until=TOMORROW)
def the_last_hour_of_the_day_is_full(world: World) -> Card:
    world.at(2026, 3, 2, 22, 10)
    world.count("emails.hour", 20)
    return world.card(latest_at=world.clock.now() + timedelta(days=1))


@case("no_spam.hourly_cap", "defer", until="2026-03-02 16:00")
def a_dry_run_paces_itself_by_what_it_held(world: World) -> Card:
    world.set(send_mode="dry_run")
    world.count("held:emails.hour", 20)
    return world.card()


@case("no_spam.hourly_cap", "allow", overall="hold")
def a_dry_run_leaves_the_real_cap_alone(world: World) -> Card:
    world.set(send_mode="dry_run")
    world.count("emails.hour", 20)
    return world.card()


@case("no_spam.account_cap", "allow")
def one_colleague_was_written_to_today(world: World) -> Card:
    world.mailed(2, to=world.colleague())
    return world.card()


@case("no_spam.account_cap", "defer", until=TOMORROW)
def two_colleagues_were_written_to_today(world: World) -> Card:
    world.mailed(2, to=world.colleague())
    world.mailed(1, to=world.colleague("samir@initech.example"))
    return world.card()


@case("no_spam.account_cap", "allow")
def the_two_colleagues_were_written_to_yesterday(world: World) -> Card:
    world.mailed(16, to=world.colleague())
    world.mailed(17, to=world.colleague("samir@initech.example"))
    return world.card()


@case("no_spam.account_cap", "defer", until=TOMORROW)
def two_colleagues_were_held_in_a_dry_run(world: World) -> Card:
    world.set(send_mode="dry_run")
    world.mailed(2, to=world.colleague(), state="held")
    world.mailed(1, to=world.colleague("samir@initech.example"), state="held")
    return world.card()


@case("no_spam.campaign_cap", "allow")
def a_campaign_with_room(world: World) -> Card:
    world.set(max_emails_per_campaign_per_day=3)
    world.count("campaign:spring.day", 2, day=True)
    return world.says("Hello", campaign_id="spring")


@case("no_spam.campaign_cap", "defer", until=TOMORROW)
def the_campaigns_day_is_used_up(world: World) -> Card:
    world.set(max_emails_per_campaign_per_day=3)
    world.count("campaign:spring.day", 3, day=True)
    return world.says("Hello", campaign_id="spring")


@case("no_spam.minimum_gap", "allow")
def the_last_mail_is_four_days_old(world: World) -> Card:
    world.mailed(97)
    return world.card()


@case("no_spam.minimum_gap", "defer", until="2026-03-04 15:00")
def the_last_mail_is_a_day_old(world: World) -> Card:
    world.mailed(24)
    return world.card()


@case("no_spam.minimum_gap", "defer", until="2026-03-04 15:00")
def the_last_mails_outcome_is_unknown(world: World) -> Card:
    world.mailed(24, state="uncertain")
    return world.card()


@case("no_spam.minimum_gap", "allow")
def the_last_mail_was_refused_by_the_provider(world: World) -> Card:
    world.mailed(24, state="failed")
    return world.card()


@case("no_spam.minimum_gap", "allow")
def the_last_mail_was_only_held(world: World) -> Card:
    world.mailed(24, state="held")
    return world.card()


@case("no_spam.minimum_gap", "defer", until="2026-03-04 15:00")
def the_last_mail_was_held_in_the_same_dry_run(world: World) -> Card:
    world.set(send_mode="dry_run")
    world.mailed(24, state="held")
    return world.card()


@case("no_spam.minimum_gap", "allow")
def a_live_conversation_after_a_day(world: World) -> Card:
    world.mailed(25)
    heard(world, hours_ago=3)
    return world.says("Gladly.", answers_message_id=str(world.received()))


@case("no_spam.minimum_gap", "defer", until=TOMORROW)
def a_live_conversation_after_an_hour(world: World) -> Card:
    world.mailed(4)
    heard(world, hours_ago=1)
    return world.says("Gladly.", answers_message_id=str(world.received()))


def heard(world: World, *, hours_ago: float) -> None:
    """Bill wrote."""
    world.run("UPDATE engagement_clocks SET last_reply_at = :at WHERE tenant_id = :t AND contact_id = :contact",
              contact=world.contact_id, at=world.clock.now() - timedelta(hours=hours_ago))  # fmt: skip


@case("no_spam.follow_ups", "allow")
def three_follow_ups_went_unanswered(world: World) -> Card:
    return after_follow_ups(world, 3)


@case("no_spam.follow_ups", "block")
def four_follow_ups_went_unanswered(world: World) -> Card:
    return after_follow_ups(world, 4)


@case("no_spam.follow_ups", "allow")
def a_new_sequence_begins_at_one(world: World) -> Card:
    thread = world.thread()
    for days in (40, 36, 32, 28):
        world.mailed(days * 24, card_type="follow_up", thread_id=thread)
    world.mailed(5 * 24, thread_id=thread)
    return world.card("follow_up", thread_id=thread)


def after_follow_ups(world: World, count: int) -> Card:
    """One more follow-up than those that were sent."""
    thread = world.thread()
    world.mailed(30 * 24, thread_id=thread)
    for number in range(count):
        world.mailed((26 - 4 * number) * 24, card_type="follow_up", thread_id=thread)
    return world.card("follow_up", thread_id=thread)


@case("no_spam.send_window", "allow")
@case("no_spam.business_day", "allow")
@case("no_spam.public_holiday", "allow")
def a_monday_morning_at_ten(world: World) -> Card:
    return world.card()


@case("no_spam.send_window", "defer", until="2026-03-02 13:30")
def it_is_four_in_the_morning_there(world: World) -> Card:
    world.at(2026, 3, 2, 9, 0)
    return world.card()


@case("no_spam.send_window", "defer", until=TOMORROW)
def the_working_day_is_over(world: World) -> Card:
    world.at(2026, 3, 2, 22, 30)
    return world.card(latest_at=world.clock.now() + timedelta(days=1))


@case("no_spam.send_window", "defer", until="2026-03-03 07:30")
def the_contacts_own_zone_counts(world: World) -> Card:
    world.at(2026, 3, 2, 17, 0)
    moved(world, timezone="Europe/Madrid", country="ES")
    return world.card()


@case("no_spam.send_window", "defer", until="2026-03-08 23:30", overall="defer")
def the_day_on_which_clocks_change_there(world: World) -> Card:
    world.at(2026, 3, 6, 17, 0)
    moved(world, timezone="Asia/Tokyo", country="JP")
    return world.card(latest_at=world.clock.now() + timedelta(days=4))


@case("no_spam.business_day", "defer", until="2026-03-09 12:30")
def it_is_saturday_and_clocks_change_on_sunday(world: World) -> Card:
    world.at(2026, 3, 7, 16, 0)
    return world.card()


@case("no_spam.business_day", "defer", until="2026-03-08 06:30")
def friday_is_no_business_day_in_israel(world: World) -> Card:
    world.at(2026, 3, 6, 10, 0)
    moved(world, timezone="Asia/Jerusalem", country="IL")
    return world.card()


@case("no_spam.public_holiday", "defer", until="2026-07-06 12:30")
def it_is_independence_day_observed(world: World) -> Card:
    world.at(2026, 7, 3, 15, 0)
    return world.card()


@case("no_spam.public_holiday", "allow")
def it_is_a_holiday_elsewhere(world: World) -> Card:
    world.at(2026, 7, 3, 10, 0)
    moved(world, timezone="Europe/Madrid", country="ES")
    return world.card()


@case("no_spam.public_holiday", "defer", until="2026-09-21 11:30")
def it_is_the_national_holiday_of_chile(world: World) -> Card:
    world.at(2026, 9, 18, 15, 0)
    moved(world, timezone="America/Santiago", country="CL")
    return world.card()


QUESTION = {"subject": "Your order", "text": "Where is the property?"}


@case("order_info.just_heard", "allow")
def nobody_has_written_since(world: World) -> Card:
    return world.card("request_order_info", payload=QUESTION)


@case("order_info.just_heard", "defer", until="2026-03-02 16:30")
def the_account_wrote_after_the_question_was_meant(world: World) -> Card:
    card = world.card("request_order_info", latest_at=world.clock.now() + timedelta(days=7), payload=QUESTION)
    world.at(2026, 3, 2, 15, 30)
    with world.tx() as tx:
        clients.replied(tx, world.client_id, tx.now)
    world.at(2026, 3, 2, 15, 45)
    return card


@case("order_info.just_heard", "allow")
def what_was_written_has_been_read(world: World) -> Card:
    card = world.card("request_order_info", latest_at=world.clock.now() + timedelta(days=7), payload=QUESTION)
    with world.tx() as tx:
        clients.replied(tx, world.client_id, tx.now + timedelta(minutes=1))
    world.at(2026, 3, 2, 16, 30)
    return card
