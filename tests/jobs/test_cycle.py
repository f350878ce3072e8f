"""A whole hour: what is due goes out once, behind every brake, and is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from domain import alerts, cards, events, ledger, outbound, reflections, runs, schedule, settings, switches
from domain.db import Database
from domain.events import Event
from domain.house import House
from domain.switches import Switch
from engines.contract import Context, Plan
from engines.engagement.engine import EngagementEngine
from engines.registry import ENGINES
from jobs import cycle, explain
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock


class Stage:
    """A house with Resend beside it."""

    def __init__(self, house: House, resend: ResendEmulator, hands: houses.TestHands) -> None:
        self.house, self.resend, self.hands = house, resend, hands
        self.database = house.database

    def acme(self, **changes: object) -> UUID:
        """Acme with its Resend account."""
        tenant_id = build.acme(self.database, **changes)
        houses.resend_for(self.hands, self.resend, tenant_id, "re_acme")
        return tenant_id

    def sent(self, key: str = "re_acme") -> list[dict[str, object]]:
        """What the provider took."""
        return self.resend.sent(key)


@pytest.fixture
def stage(clone: Database, clock: HandClock) -> Iterator[Stage]:
    clock.advance(hours=6)
    hands = houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        yield Stage(house, resend, hands)


def test_an_overdue_contact_gets_one_mail_and_its_clock_is_wound(stage: Stage) -> None:
    acme = stage.acme()
    with stage.database.tenant(acme) as tx:
        contact = build.contact(tx)
    run_id = cycle.run(stage.house, acme, kind="manual")
    assert run_id is not None
    [mail] = stage.sent()
    assert mail["to"] == ["bill@initech.example"]
    with stage.database.tenant(acme) as tx:
        run = runs.get(tx, run_id)
        assert run is not None
        assert run["errors"] == []
        assert (run["outcome"], run["planned"], run["executed"]) == ("completed", 1, 1)
        clock_row = tx.row("SELECT * FROM engagement_clocks WHERE contact_id = :c", c=contact)
        assert clock_row is not None
        assert clock_row["due_at"] == tx.now + timedelta(days=21)
        assert [line["disposition"] for line in ledger.lines(tx, run_id)] == ["acted"]
        told = reflections.last(tx)
        assert told is not None
        assert told["run_id"] == run_id


def test_a_second_cycle_finds_nothing_more_to_do(stage: Stage) -> None:
    acme = stage.acme()
    with stage.database.tenant(acme) as tx:
        build.contact(tx)
    cycle.run(stage.house, acme, kind="manual")
    stage.house.clock.wait(3600)
    cycle.run(stage.house, acme, kind="manual")
    assert len(stage.sent()) == 1


def test_what_an_engine_never_counted_before_has_risen_from_nothing(stage: Stage) -> None:
    acme = stage.acme()
    with stage.database.tenant(acme) as tx:
        contact = build.contact(tx)
    cycle.run(stage.house, acme, kind="manual")
    with stage.database.tenant(acme) as tx:
        build.deal(tx, contact)
    stage.house.clock.wait(3600)
    cycle.run(stage.house, acme, kind="manual")
    with stage.database.tenant(acme) as tx:
        told = reflections.last(tx)
    assert told is not None
    assert told["facts"]["moved"]["deals.open"] == {"before": 0, "after": 1}
    assert "Open deals rose from 0 to 1." in told["text"]
    assert not [name for name in told["facts"]["moved"] if name.endswith("rate")]


def test_an_engine_that_failed_to_count_has_not_risen_from_nothing(stage: Stage) -> None:
    class Forgetful(EngagementEngine):
        fails = False

        def stats(self, ctx: Context) -> Mapping[str, float]:
            if self.fails:
                raise LookupError("stats")
            return super().stats(ctx)

    acme, engine = stage.acme(), Forgetful()
    with stage.database.tenant(acme) as tx:
        build.contact(tx)
    for fails in (False, True, False):
        engine.fails = fails
        cycle.run(stage.house, acme, kind="manual", engines=[engine])
        stage.house.clock.wait(3600)
    with stage.database.tenant(acme) as tx:
        told = reflections.last(tx)
    assert told is not None
    assert told["facts"]["metrics"]["engagement.contacts_active"] == 1
    assert told["facts"]["moved"] == {}


def test_dry_run_holds_the_mail_and_moves_only_the_shadow_clock(stage: Stage) -> None:
    acme = stage.acme(send_mode="dry_run")
    with stage.database.tenant(acme) as tx:
        contact = build.contact(tx)
    cycle.run(stage.house, acme, kind="manual")
    cycle.run(stage.house, acme, kind="manual")
    assert stage.sent() == []
    with stage.database.tenant(acme) as tx:
        states = [row["state"] for row in tx.rows("SELECT state FROM kanban_cards")]
        assert states == ["held"]
        [card_id] = [row["id"] for row in tx.rows("SELECT id FROM kanban_cards")]
        kept = outbound.frozen(tx, card_id)
        assert kept is not None
        assert kept[0].to == ("bill@initech.example",)
        row = tx.row("SELECT * FROM engagement_clocks WHERE contact_id = :c", c=contact)
        assert row is not None
        assert row["shadow_due_at"] is not None
        assert row["last_touch_at"] is None


def test_leaving_dry_run_replans_from_the_real_clock(stage: Stage) -> None:
    acme = stage.acme(send_mode="dry_run")
    with stage.database.tenant(acme) as tx:
        build.contact(tx)
    cycle.run(stage.house, acme, kind="manual")
    with stage.database.tenant(acme) as tx:
        settings.change(tx, {"send_mode": "live"})
    cycle.run(stage.house, acme, kind="manual")
    assert len(stage.sent()) == 1


def test_a_look_ahead_changes_nothing(stage: Stage) -> None:
    acme = stage.acme()
    with stage.database.tenant(acme) as tx:
        build.contact(tx)
    told = explain.cycle(stage.house, acme)
    assert [card["decision"] for card in told["cards"]] == ["allow"]
    with stage.database.tenant(acme) as tx:
        assert tx.value("SELECT count(*) FROM kanban_cards") == 0
    assert stage.sent() == []


def test_why_gives_every_verdict_with_its_facts(stage: Stage) -> None:
    acme = stage.acme()
    with stage.database.tenant(acme) as tx:
        build.contact(tx)
    cycle.run(stage.house, acme, kind="manual")
    with stage.database.tenant(acme) as tx:
        told = explain.why(tx, tx.value("SELECT id FROM kanban_cards"))
    assert told["card"]["state"] == "done"
    assert [each["stage"] for each in told["judgements"]] == ["plan", "execute"]
    assert all(verdict["sentence"] for each in told["judgements"] for verdict in each["verdicts"])


class Forgetful(EngagementEngine):
    """Can't say when it is due next, and proposes one thing that can't be stored."""

    name = "forgetful"

    def plan(self, ctx: Context) -> Plan:
        made = build.proposal(ctx.tx, kind="research", dedupe_key="broken", contact_id=None)
        return Plan(proposals=(replace(made, client_id=UUID(int=1)),))

    def next_due(self, ctx: Context) -> datetime | None:
        raise RuntimeError("boo")


def test_an_engine_that_fails_at_its_edges_stops_no_other_and_no_run_stays_open(stage: Stage) -> None:
    acme = stage.acme()
    with stage.database.tenant(acme) as tx:
        build.contact(tx)
    run_id = cycle.run(stage.house, acme, kind="manual", engines=[Forgetful(), *ENGINES])
    assert run_id is not None
    assert len(stage.sent()) == 1
    with stage.database.tenant(acme) as tx:
        run = runs.get(tx, run_id)
        assert run is not None
        assert run["outcome"] == "completed_with_errors"
        assert [each["where"] for each in run["errors"]] == ["propose broken", "forgetful.next_due"]
        line = schedule.standing(tx)
        assert line is not None
        assert line["work_due_at"] == tx.now, "it is asked again at the next slot"


def test_a_setting_that_cannot_be_read_lets_the_agent_rest_and_tells_a_person(stage: Stage) -> None:
    acme = stage.acme()
    broken = """UPDATE tenants SET settings = settings || '{"max_emails_per_hour": -1, "of_old": 1}'"""
    with stage.database.tenant(acme) as tx:
        build.contact(tx)
        tx.run(broken)
    assert cycle.run(stage.house, acme, kind="manual") is None
    assert stage.sent() == []
    with stage.database.tenant(acme) as tx:
        [alert] = alerts.listed(tx)
        assert (alert.kind, "max_emails_per_hour" in alert.message) == ("settings_invalid", True)
        settings.change(tx, {"max_emails_per_hour": 3})
        assert alerts.listed(tx) == []
    cycle.run(stage.house, acme, kind="manual")
    assert len(stage.sent()) == 1
    with stage.database.tenant(acme) as tx:
        assert alerts.listed(tx) == []


class Flipping(EngagementEngine):
    """Somebody stops the tenant while the first event is taken in."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.seen = 0

    def react(self, ctx: Context, event: Event) -> None:
        self.seen += 1
        switches.write(self._database, Switch(ctx.tenant_id, "all"), stopped=True, by="boss", reason="enough")


def test_a_stop_in_the_middle_ends_the_hour_and_loses_no_event(stage: Stage) -> None:
    acme = stage.acme()
    with stage.database.tenant(acme) as tx:
        for at in range(3):
            events.record(tx, "mail.received", "message", str(UUID(int=at)), react=True)
    engine = Flipping(stage.database)
    run_id = cycle.run(stage.house, acme, kind="manual", engines=[engine])
    assert run_id is not None
    with stage.database.tenant(acme) as tx:
        run = runs.get(tx, run_id)
        assert run is not None
        assert run["outcome"] == "stopped"
        assert engine.seen == 1
        assert len(events.due(tx, limit=10)) == 2


def test_a_tenants_first_contact_that_comes_in_while_the_hour_ends_is_not_slept_through(
    clone: Database, clock: HandClock
) -> None:
    clock.advance(hours=6)
    acme = build.acme(clone)

    def somebody_comes_in(step: str) -> None:
        if step == "plan.judged":
            with clone.tenant(acme) as tx:
                build.contact(tx)

    with houses.house(clone, fault=somebody_comes_in) as house:
        assert cycle.run(house, acme, kind="manual") is not None
    with clone.tenant(acme) as tx:
        line = schedule.standing(tx)
        assert line is not None
        assert line["work_due_at"] is not None, "the engines were chosen before there was anything for them"


class Proposing(EngagementEngine):
    """Would have a task made of whatever comes in."""

    def react(self, ctx: Context, event: Event) -> None:
        cards.propose(ctx.tx, [build.proposal(ctx.tx, kind="research", dedupe_key=event.subject_id)])


def test_what_a_dead_process_proposed_while_it_reacted_is_taken_up_with_its_run(
    clone: Database, clock: HandClock
) -> None:
    clock.advance(hours=6)
    acme = build.acme(clone)
    with clone.tenant(acme) as tx:
        events.record(tx, "mail.received", "message", str(UUID(int=1)), react=True)

    def die(step: str) -> None:
        if step == "react.taken":
            raise Died

    with pytest.raises(Died), houses.house(clone, fault=die) as house:
        cycle.run(house, acme, kind="manual", engines=[Proposing()])
    with houses.house(clone) as house:
        run_id = cycle.run(house, acme, kind="manual", engines=[Proposing()])
    assert run_id is not None
    with clone.tenant(acme) as tx:
        [card] = cards.listed(tx)
        assert (card.run_id, card.state != "proposed") == (run_id, True), "it was judged by the run that took over"


class Died(BaseException):
    """The process ends here."""
