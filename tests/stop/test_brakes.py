"""The brakes of one host, which work without the database: its environment at start, and a flag file that is polled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from domain.db import Database
from domain.house import House, LocalBrakes
from jobs import cycle
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock


@pytest.fixture
def resend(clock: HandClock) -> Iterator[ResendEmulator]:
    clock.advance(hours=6)
    with ResendEmulator(clock=clock) as emulator:
        yield emulator


@pytest.fixture
def acme(clone: Database) -> UUID:
    """A tenant with one mail due, and a card that stays in the house."""
    made = build.acme(clone)
    with clone.tenant(made) as tx:
        person = build.contact(tx)
        words = {"kind": "complaint", "title": "Complaint", "message_id": str(tx.clock.uuid()), "quote": "Not happy."}
        build.card(tx, person, kind="open_case", state="queued", payload=words)
    return made


@pytest.fixture
def house(clone: Database, acme: UUID, resend: ResendEmulator) -> Iterator[House]:
    hands = houses.TestHands()
    houses.resend_for(hands, resend, acme, "re_acme")
    with houses.house(clone, hands=hands) as built:
        yield built


def states(house: House, acme: UUID) -> dict[str, str]:
    """How each card stands, by its type."""
    with house.database.tenant(acme) as tx:
        return {row["type"]: row["state"] for row in tx.rows("SELECT type, state FROM kanban_cards")}


def test_a_host_stopped_by_its_environment_does_nothing_and_asks_no_database(house: House, acme: UUID) -> None:
    nowhere = Database("postgresql://hourhand_app@127.0.0.1:9/nowhere", house.clock)
    stopped = replace(house, database=nowhere, brakes=LocalBrakes(kill_switch=True, kill_reason="fire drill"))
    assert cycle.run(stopped, acme, kind="manual") is None
    assert stopped.brakes.stopped() == "AGENT_KILL_SWITCH is set: fire drill"
    nowhere.dispose()


def test_a_flag_file_stops_the_hour_that_is_under_way_and_every_later_one(
    house: House, acme: UUID, resend: ResendEmulator, tmp_path: Path
) -> None:
    """Polled between two pieces of work: what is under way at that instant ends as it would have."""
    flag = tmp_path / "stop"

    def raise_it(step: str) -> None:
        if step == "cycle.plan":
            flag.write_text("fire drill\n")

    braked = replace(house, brakes=LocalBrakes(flag_file=flag), fault=raise_it)
    run = cycle.run(braked, acme, kind="manual")
    with house.database.tenant(acme) as tx:
        assert tx.value("SELECT outcome FROM agent_autonomous_runs WHERE id = :r", r=run) == "stopped"
    assert cycle.run(braked, acme, kind="manual") is None
    assert resend.witness.posts() == []
    flag.unlink()
    assert cycle.run(replace(braked, fault=house.fault), acme, kind="manual") is not None
    assert len(resend.witness.posts()) == 1


def test_where_mail_is_disabled_everything_else_goes_on(house: House, acme: UUID, resend: ResendEmulator) -> None:
    cycle.run(replace(house, brakes=LocalBrakes(mail_disabled=True)), acme, kind="manual")
    told = states(house, acme)
    assert told.pop("open_case") == "done"
    assert set(told.values()) == {"deferred"}
    assert resend.witness.posts() == []
    with house.database.tenant(acme) as tx:
        assert tx.value("SELECT rule FROM kanban_cards WHERE state = 'deferred'") == "switches.host_mail"


def test_another_host_without_the_brake_goes_on(house: House, acme: UUID, resend: ResendEmulator) -> None:
    """A brake of one host is that host's alone: who means all of them flips a switch."""
    assert cycle.run(replace(house, brakes=LocalBrakes(kill_switch=True)), acme, kind="manual") is None
    cycle.run(house, acme, kind="manual")
    assert len(resend.witness.posts()) == 1
