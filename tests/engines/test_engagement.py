"""The engagement engine over weeks: the promise is kept, sequences end, and what is held moves nothing real."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import event as sa_event

from domain import cards, clients, clocks, executions, promises, rests, runs, settings, shadows
from domain.db import Database, Tx
from tests import build, gears
from tests.engines import hours
from tests.hand_clock import A_MONDAY, HandClock


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


@pytest.fixture
def ana(clone: Database, acme: UUID) -> UUID:
    """A contact whose first touch is due at once."""
    with clone.tenant(acme) as tx:
        return build.contact(tx, email="ana@initech.example", name="Ana Lopez")


def test_a_silent_contact_gets_a_first_touch_and_four_follow_ups_and_is_then_left_until_the_promise_falls_due(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    ended = hours.days(clone, acme, clock, 60)
    # 4, 4, 5 and 5 days between the mails of a sequence, then 21 days of peace
    assert hours.steps(ended, A_MONDAY) == [
        (0, 1),
        (4, 2),
        (8, 3),
        (13, 4),
        (18, 5),
        (39, 1),
        (43, 2),
        (47, 3),
        (52, 4),
        (57, 5),
    ]
    assert [card.type for _, card in ended[:3]] == ["send_email", "follow_up", "follow_up"]


def test_every_follow_up_stays_in_the_thread_of_its_first_touch(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    ended = [card for _, card in hours.days(clone, acme, clock, 45)]
    first, second = {card.thread_id for card in ended[:5]}, {card.thread_id for card in ended[5:]}
    assert len(first) == len(second) == 1
    assert first != second
    assert ended[1].payload["slots"]["thread_subject"] == "Hello"


def test_nobody_is_overdue_at_the_end_of_any_day_of_nine_weeks(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        for number in range(8):
            client = build.client(tx, name=f"Client {number}")
            for who in range(2):
                build.contact(tx, client, f"p{who}@c{number}.example", name=f"Person {who}", spread=True)
    rates = []

    def look() -> None:
        with clone.tenant(acme) as tx:
            rates.append(hours.ENGINE.stats(hours.context(tx))["compliance_rate"])

    ended = hours.days(clone, acme, clock, 63, each=look)
    assert rates == [1.0] * 63
    touched: dict[UUID | None, datetime] = {}
    for at, card in ended:
        assert at - touched.get(card.contact_id, A_MONDAY) <= timedelta(days=21)
        touched[card.contact_id] = at


def test_a_reply_from_a_colleague_stops_the_sequences_of_the_whole_account(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        bob = build.contact(tx, build.client(tx), "bob@initech.example", name="Bob Stone")
        elsewhere = build.contact(tx, build.client(tx, name="Hooli"), "cy@hooli.example", name="Cy Young")
    hours.hour(clone, acme)
    clock.advance(days=4)
    with clone.tenant(acme) as tx:
        clocks.touch(tx, bob, "reply", by="contact", message_id=clock.uuid())
    ended = hours.days(clone, acme, clock, 17)
    assert {card.contact_id for _, card in ended} == {elsewhere}
    later = hours.days(clone, acme, clock, 8)
    assert (clock.now() - A_MONDAY).days == 29
    # Ana was last written to on day 0, Bob answered on day 4
    assert {(card.contact_id, at, card.payload["step"]) for at, card in later if card.contact_id in (ana, bob)} >= {
        (ana, A_MONDAY + timedelta(days=21), 1), (bob, A_MONDAY + timedelta(days=25), 1)}  # fmt: skip


def test_a_reply_that_came_while_the_mail_was_under_way_starts_no_sequence(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        [card] = cards.propose(tx, hours.ENGINE.plan(hours.context(tx)).proposals)
        cards.move_one(tx, card.id, "queued")
        mine = executions.reserve(tx, card, owner="test", fence=1, lease_seconds=15, idempotency_key="k")
    clock.advance(seconds=5)
    with clone.tenant(acme) as tx:
        clocks.touch(tx, ana, "reply", by="contact", message_id=clock.uuid())
    clock.advance(seconds=5)
    with clone.tenant(acme) as tx:
        done = executions.settle(tx, mine, "done")
        clocks.mailed(tx, {done.id: ana})
        hours.ENGINE.settled(hours.context(tx), [done])
        assert tx.value("SELECT follow_up_due_at FROM engagement_clocks") is None


def test_colleagues_are_not_written_to_within_a_day_of_an_answer_from_their_account(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        clients.replied(tx, build.client(tx), tx.now)
    plan = hours.planned(clone, acme)
    assert plan.proposals == ()
    assert [(o.disposition, o.rule, o.until) for o in plan.obligations] == [
        ("deferred", "engagement.account_conversation", A_MONDAY + timedelta(hours=24))]  # fmt: skip
    clock.advance(hours=24)
    assert len(hours.planned(clone, acme).proposals) == 1


def test_a_held_mail_moves_the_shadow_alone_and_leaving_dry_run_replans_from_the_real_clock(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        settings.change(tx, {"send_mode": "dry_run"})
    ended = hours.days(clone, acme, clock, 20, ends="held")
    assert hours.steps(ended, A_MONDAY) == [(0, 1), (4, 2), (8, 3), (13, 4), (18, 5)]
    with clone.tenant(acme) as tx:
        row = tx.row("SELECT * FROM engagement_clocks")
        assert row is not None
        assert (row["due_at"], row["last_touch_at"], row["sequence_step"]) == (A_MONDAY, None, 0)
        assert promises.status(dict(row), tx.now, settings.of(tx)).days_overdue == 20
        assert hours.ENGINE.stats(hours.context(tx))["compliance_rate"] == 0
        settings.change(tx, {"send_mode": "live"})
        assert hours.ENGINE.next_due(hours.context(tx)) == A_MONDAY
        assert tx.value("SELECT work_due_at FROM tenant_schedule") <= tx.now
    assert [card.payload["step"] for card in hours.hour(clone, acme)] == [1]


def test_a_host_that_grows_less_strict_replans_from_the_real_clocks_too(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    proposed = []
    for mode in ("dry_run", "dry_run", "live"):
        with clone.tenant(acme) as tx:
            run = runs.begin(tx, kind="manual", fence=1, holder="t", mode=mode, model="rulebook", deadline_minutes=9)
            assert run is not None
        with clone.tenant(acme, run_id=run.id) as tx:
            if runs.mode_changed(tx):
                shadows.forget(tx)
            made = cards.propose(tx, hours.ENGINE.plan(hours.context(tx)).proposals)
            proposed.append([hours.hold(tx, card).payload["step"] for card in made])
            runs.finish(tx, run, "completed")
        clock.advance(hours=1)
    assert proposed == [[1], [], [1]]


def test_a_promise_broken_because_mails_are_held_is_still_accounted_for(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    [held] = hours.hour(clone, acme, ends="held")
    clock.advance(hours=1)
    plan = hours.planned(clone, acme)
    assert plan.proposals == ()
    assert [(o.kind, o.due_at, o.dedupe_key) for o in plan.obligations] == [
        ("contact_overdue", A_MONDAY, held.dedupe_key)]  # fmt: skip
    with clone.tenant(acme) as tx:
        # yet the tenant may sleep until the shadow falls due
        assert hours.ENGINE.next_due(hours.context(tx)) == A_MONDAY + timedelta(days=4)


def test_whoever_is_away_is_written_to_on_their_return(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        clocks.pause(tx, ana, tx.now + timedelta(days=9))
        assert hours.ENGINE.next_due(hours.context(tx)) == A_MONDAY + timedelta(days=9)
    assert hours.steps(hours.days(clone, acme, clock, 12), A_MONDAY) == [(9, 1)]


def test_an_exempt_contact_is_neither_due_nor_in_the_rate(clone: Database, acme: UUID, ana: UUID) -> None:
    with clone.tenant(acme) as tx:
        build.contact(tx, build.client(tx), None, name="No Address")
        clocks.exempt(tx, [ana], "opted_out")
        assert hours.ENGINE.plan(hours.context(tx)).obligations == ()
        stats = hours.ENGINE.stats(hours.context(tx))
        assert (stats["contacts_exempt"], stats["contacts_active"], stats["compliance_rate"]) == (2, 0, 1.0)
        clocks.reinstate(tx, ana)
        assert len(hours.ENGINE.plan(hours.context(tx)).proposals) == 1


def test_a_prospect_is_due_and_blocked_with_the_rule_that_says_so(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        build.contact(tx, build.client(tx, relationship="prospect"), "p@prospect.example")
    plan = hours.planned(clone, acme)
    assert plan.proposals == ()
    assert [(o.disposition, o.rule) for o in plan.obligations] == [("blocked", "engagement.existing_relationship")]


def test_a_mail_that_bounced_is_tried_anew_and_the_third_time_the_contact_counts_as_out_of_reach(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    keys = set()
    for _ in range(3):
        [card] = hours.hour(clone, acme)
        keys.add(card.dedupe_key)
        clock.advance(hours=1)
        with clone.tenant(acme) as tx:
            clocks.void_touch(tx, card.id, "mailbox full")
    assert len(keys) == 3
    assert hours.hour(clone, acme) == []
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT exempt_reason FROM engagement_clocks") == "unreachable"


def test_a_blocked_intention_rests_for_a_day_and_does_not_use_up_the_budget(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        settings.change(tx, {"touches_per_cycle": 1})
        rich = build.contact(tx, build.client(tx, name="Rich", annual_value=900_000), "a@rich.example")
        poor = build.contact(tx, build.client(tx, name="Poor"), "b@poor.example")
        [first] = cards.propose(tx, hours.ENGINE.plan(hours.context(tx)).proposals)
        assert first.contact_id == rich
        cards.move_one(tx, first.id, "blocked")
    plan = hours.planned(clone, acme)
    assert [p.contact_id for p in plan.proposals] == [poor]
    assert [o.dedupe_key for o in plan.obligations if o.subject_id == str(rich)] == [first.dedupe_key]
    clock.advance(hours=25)
    assert [p.contact_id for p in hours.planned(clone, acme).proposals] == [rich]


def test_a_sequence_that_the_promise_has_overtaken_is_over(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    hours.hour(clone, acme)
    clock.advance(days=30)  # the agent was switched off
    [card] = hours.hour(clone, acme)
    assert (card.type, card.payload["step"]) == ("send_email", 1)
    assert hours.steps(hours.days(clone, acme, clock, 5), A_MONDAY) == [(34, 2)]


def test_planning_again_proposes_nothing_twice(clone: Database, acme: UUID, ana: UUID) -> None:
    with clone.tenant(acme) as tx:
        [card] = cards.propose(tx, hours.ENGINE.plan(hours.context(tx)).proposals)
        again = hours.ENGINE.plan(hours.context(tx))
        assert again.proposals == ()
        assert [o.dedupe_key for o in again.obligations] == [card.dedupe_key]


def test_no_more_than_two_people_of_one_account_are_picked_on_one_day(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        client = build.client(tx)
        for at in range(5):
            build.contact(tx, client, f"p{at}@initech.example", name=f"Person {at}")
    assert len(hours.hour(clone, acme)) == 2
    clock.advance(hours=1)
    plan = hours.planned(clone, acme)
    assert plan.proposals == ()
    tomorrow = A_MONDAY.replace(hour=0) + timedelta(days=1)
    assert [(o.disposition, o.rule, o.until) for o in plan.obligations] == [
        ("deferred", "engagement.account_people", tomorrow)] * 3  # fmt: skip
    clock.advance(days=1)
    assert len(hours.hour(clone, acme)) == 2


def test_what_is_over_the_budget_is_still_accounted_for(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        settings.change(tx, {"touches_per_cycle": 3})
        for at in range(8):
            build.contact(tx, build.client(tx, name=f"Client {at}"), f"p@c{at}.example")
    plan = hours.planned(clone, acme)
    assert (len(plan.obligations), len(plan.proposals)) == (8, 3)
    assert sum(o.rule == "engagement.budget" for o in plan.obligations) == 5


def test_cards_that_wait_their_turn_use_up_the_budget(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        settings.change(tx, {"touches_per_cycle": 3})
        for at in range(8):
            build.contact(tx, build.client(tx, name=f"Client {at}"), f"p@c{at}.example")
        made = cards.propose(tx, hours.ENGINE.plan(hours.context(tx)).proposals)
        assert hours.ENGINE.plan(hours.context(tx)).proposals == ()
        later = tx.now + timedelta(hours=9)
        cards.move(tx, [card.id for card in made], "deferred", not_before=later)
        # parked until their own morning, they stand in nobody's way
        assert len(hours.ENGINE.plan(hours.context(tx)).proposals) == 3


def test_a_card_says_when_it_is_due_how_late_it_may_be_and_why_it_comes_first(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    clock.advance(days=3)
    [proposal] = hours.planned(clone, acme).proposals
    # it is four in the morning where she lives: the window opens in four and a half hours
    assert (proposal.due_at, proposal.latest_at) == (A_MONDAY, clock.now() + timedelta(hours=4.5 + 24))
    assert proposal.priority == proposal.evidence["score"]["total"] > 0
    assert proposal.payload["template"] == "engagement_first_touch"


def test_a_mail_by_a_person_of_the_tenant_ends_the_contacts_sequence(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    hours.hour(clone, acme)
    clock.advance(days=2)
    with clone.tenant(acme) as tx:
        clocks.touch(tx, ana, "email", by="person", message_id=clock.uuid())
    assert hours.steps(hours.days(clone, acme, clock, 22), A_MONDAY) == [(23, 1)]


def test_neighbours_clocks_are_none_of_its_business(clone: Database, acme: UUID, ana: UUID) -> None:
    globex = build.globex(clone)
    with clone.tenant(globex) as tx:
        assert hours.ENGINE.plan(hours.context(tx)).obligations == ()
        assert hours.ENGINE.stats(hours.context(tx))["contacts_active"] == 0


def _statements(tx: Tx) -> list[tuple[str, Any]]:
    """What planning asks of the database."""
    asked: list[tuple[str, Any]] = []
    context = hours.context(tx)
    tx.memo.pop(rests.COUNTED, None)

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    sa_event.listen(tx._connection, "before_cursor_execute", note)
    hours.ENGINE.plan(context)
    sa_event.remove(tx._connection, "before_cursor_execute", note)
    return asked


def _rows_read(tx: Tx, statement: str, values: Any) -> int:
    """The rows that a statement takes off its tables and indexes, filtered ones included."""
    [[plan]] = [row["QUERY PLAN"] for row in tx._cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values)]

    def read(node: dict[str, Any]) -> float:
        own = 0.0
        if "Scan" in node["Node Type"] and "Relation Name" in node:
            own = node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
        return own + sum(read(each) for each in node.get("Plans", []))

    return round(read(plan["Plan"]))


def test_planning_takes_as_many_statements_for_three_hundred_contacts_as_for_three(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        for at in range(3):
            build.contact(tx, build.client(tx, name=f"Client {at}"), f"p@c{at}.example")
        few = len(_statements(tx))
        _people(tx, 300)
        assert len(_statements(tx)) == few <= 5


def _people(tx: Tx, count: int, due_in_days: int = 0) -> None:
    ids = [tx.clock.uuid() for _ in range(count)]
    client = build.client(tx, name=f"Bulk {due_in_days}")
    tx.run(
        """INSERT INTO contacts (tenant_id, id, client_id, email, name, created_at, updated_at)
           SELECT :t, id, :client, id || '@bulk.example', 'Some Body', :now, :now
           FROM unnest(CAST(:ids AS uuid[])) AS i (id)""",
        t=tx.tenant_id, client=client, ids=ids, now=tx.now,
    )  # fmt: skip
    clocks.start(tx, ids, first_due=tx.now + timedelta(days=due_in_days))


def test_planning_reads_what_is_due_and_not_what_is_stored(clone: Database, cloned: gears.Clone, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        _people(tx, 5_000, due_in_days=10)
        _people(tx, 10)
    with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        admin.execute("VACUUM ANALYZE hourhand.engagement_clocks, hourhand.contacts, hourhand.clients")

    with clone.tenant(acme) as tx:
        asked = _statements(tx)
        assert sum(_rows_read(tx, statement, values) for statement, values in asked) < 100
