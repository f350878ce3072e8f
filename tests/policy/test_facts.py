"""Facts are read in the same few statements for one card and for five hundred, and within the tenant's walls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from domain import cards, settings
from domain.cards import Proposal
from domain.db import Database, Tx
from domain.settings import Mode
from jobs import compose
from policy.caps import limits_for
from policy.facts import gather
from policy.judge import judge
from tests.hand_clock import HandClock
from tests.policy.world import World, entered
from tests.reused import Reused

MANY = 500


@pytest.fixture
def world(reused: Reused, clock: HandClock) -> Iterator[World]:
    with entered(reused, clock) as world:
        yield world


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    told: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        told.append(statement)

    engine = database._engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(engine, "before_cursor_execute", note)


RARE = {0: "research", 1: "request_feedback"}
"""The types of card for which more is read, among many others."""


def crowd(tx: Tx, world: World, count: int) -> list[cards.Card]:
    """So many people at as many accounts, each with a thread that the card answers in."""
    for sql in (
        """INSERT INTO clients (tenant_id, id, name, country, created_at, updated_at)
           SELECT :t, md5('client' || n)::uuid, 'Client ' || n, 'US', :now, :now FROM generate_series(1, :n) n""",
        """INSERT INTO contacts (tenant_id, id, client_id, email, name, created_at, updated_at)
           SELECT :t, md5('person' || n)::uuid, md5('client' || n)::uuid, 'p' || n || '@many.example', 'P', :now, :now
           FROM generate_series(1, :n) n""",
        """INSERT INTO contact_addresses (tenant_id, address, contact_id, source, created_at)
           SELECT :t, 'p' || n || '@many.example', md5('person' || n)::uuid, 'person', :now
           FROM generate_series(1, :n) n""",
        """INSERT INTO mail_threads (tenant_id, id, client_id, contact_id, created_at)
           SELECT :t, md5('thread' || n)::uuid, md5('client' || n)::uuid, md5('person' || n)::uuid, :now
           FROM generate_series(1, :n) n""",
    ):
        tx.run(sql, t=tx.tenant_id, now=tx.now, n=count)
    message = str(world.received())
    rows = tx.rows(
        """SELECT c.id, c.client_id, h.id AS thread_id FROM contacts c
           JOIN mail_threads h ON h.tenant_id = :t AND h.contact_id = c.id
           WHERE c.tenant_id = :t AND c.name = 'P'""",
        t=tx.tenant_id,
    )  # fmt: skip
    return cards.propose(tx, [
        Proposal(
            type=RARE.get(at % 50, "send_email"), engine="engagement", title="Touch",
            subject_type="feedback_request" if at % 50 == 1 else "contact", subject_id=str(row["id"]),
            dedupe_key=f"touch:{row['id']}", due_at=tx.now, latest_at=tx.now.replace(hour=23),
            client_id=row["client_id"], contact_id=row["id"], thread_id=row["thread_id"],
            payload={"subject": "Hello", "text": "How are you?", "answers_message_id": message},
        )
        for at, row in enumerate(rows)
    ])  # fmt: skip


@pytest.mark.parametrize("count", [1, MANY])
def test_facts_take_six_statements_for_any_number_of_cards(world: World, count: int) -> None:
    with world.tx() as tx:
        some = crowd(tx, world, count)
        mails, failures, _ = compose.compose(world.house, tx, some, settings.of(tx))
        assert not failures
        with counted(world.database) as statements:
            facts = gather(tx, some, mails=mails, vault=world.house.vault, brakes=world.house.brakes)
    assert len(statements) <= 6, statements
    assert len(facts) == len(some) == count
    assert all(judge(each).verdicts for each in facts.values())


def test_no_cards_need_no_statement(world: World) -> None:
    with world.tx() as tx, counted(world.database) as statements:
        assert gather(tx, [], mails={}, vault=world.house.vault, brakes=world.house.brakes) == {}
    assert not statements


def test_a_neighbours_suppression_is_none_of_ours(world: World) -> None:
    assert not world.facts(world.card()).suppressed


def test_the_stricter_of_the_hosts_and_the_tenants_mode_wins(world: World) -> None:
    card = world.card()
    world.brakes(send_mode=Mode.dry_run)
    assert world.facts(card).mode is Mode.dry_run
    world.set(send_mode="internal_only")
    world.brakes(send_mode=Mode.limited_live)
    assert world.facts(card).mode is Mode.internal_only


def test_an_outward_card_that_is_not_rendered_is_judged_by_its_contact(world: World) -> None:
    world.suppress("bill@initech.example", "bounced")
    card = world.card()
    with world.tx() as tx:
        facts = gather(tx, [card], mails={}, vault=world.house.vault, brakes=world.house.brakes)[card.id]
    assert facts.recipients == ("bill@initech.example",)
    assert judge(facts).decision == "block"


def test_the_zone_comes_from_the_nearest_thing_that_is_known(world: World) -> None:
    card = world.card()
    assert world.facts(card).zone_source == "account"
    world.run("UPDATE clients SET timezone = NULL, country = 'CL' WHERE tenant_id = :t")
    facts = world.facts(card)
    assert (facts.zone_source, facts.hours and facts.hours.zone.key) == ("country", "America/Santiago")
    world.run("UPDATE clients SET country = NULL WHERE tenant_id = :t")
    facts = world.facts(card)
    assert (facts.zone_source, facts.hours and facts.hours.zone.key) == ("tenant", "UTC")
    world.run("UPDATE contacts SET timezone = 'Mars/Olympus', country = 'PT' WHERE tenant_id = :t")
    facts = world.facts(card)
    assert (facts.zone_source, facts.hours and facts.hours.zone.key) == ("country", "Europe/Lisbon")


def test_caps_of_held_mail_are_counted_apart(world: World) -> None:
    real = limits_for(world.facts(world.card()))
    world.set(send_mode="dry_run")
    held = limits_for(world.facts(world.card(dedupe_key="again")))
    assert [limit.key for limit in real] == ["emails.hour", f"account:{world.client_id}.day"]
    assert [limit.key for limit in held] == [f"held:{limit.key}" for limit in real]


def test_limited_live_counts_mails_and_new_contacts(world: World) -> None:
    world.set(send_mode="limited_live", max_actions_per_hour={"send_email": 7}, timezone="America/New_York")
    limits = {limit.key: limit for limit in limits_for(world.facts(world.says("Hello", campaign_id="spring")))}
    assert set(limits) == {
        "emails.hour", "emails.day.limited_live", "new_contacts.day.limited_live", f"account:{world.client_id}.day",
        "campaign:spring.day", "type:send_email.hour",
    }  # fmt: skip
    day = limits["emails.day.limited_live"]
    assert (day.window_start.isoformat(), day.window_end.isoformat()) == (
        "2026-03-02T05:00:00+00:00", "2026-03-03T05:00:00+00:00",
    )  # fmt: skip


def test_somebody_who_was_mailed_today_takes_nothing_more_from_the_accounts_cap(world: World) -> None:
    world.mailed(2)
    keys = {limit.key for limit in limits_for(world.facts(world.card()))}
    assert keys == {"emails.hour"}
