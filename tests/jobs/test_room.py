"""What can go goes first: a large account, full hours and people who can't be written to yet keep nobody else back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import clocks, contacts, ledger, settings
from domain import compliance_schedules as schedules
from domain.db import Database, Tx
from domain.house import House
from domain.intentions import Board, Meant, Standing
from domain.sequences import Running
from domain.settings import TenantSettings
from engines.room import ENOUGH, Later, Room, Wish
from jobs import cycle
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs.business import fall_due

NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)
"""A Tuesday, ten o'clock in New York."""
WISH = Wish("k", "deals", UUID(int=1), UUID(int=2), "America/New_York", 500, UUID(int=9))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def meant(contact: int, **about: Any) -> Meant:
    given: dict[str, Any] = {"engine": "quotes", "dedupe_key": f"m{contact}", "state": "deferred", "priority": 600,
                             "not_before": NOW, "state_changed_at": NOW - DAY}  # fmt: skip
    return Meant(UUID(int=1), UUID(int=contact), **{**given, **about})


def room(board: Board, **changes: Any) -> Room:
    return Room(board, TenantSettings(**changes), NOW)


@pytest.mark.parametrize(
    ("board", "wish", "rank"),
    [
        (Board(), WISH, 0),
        (Board(), WISH._replace(timezone="America/Los_Angeles"), 1),
        (Board(), WISH._replace(timezone="Asia/Kolkata"), 2),
        (Board(wrote={WISH.contact_id: NOW - 70 * HOUR}), WISH, 1),
        (Board(wrote={WISH.contact_id: NOW - HOUR}), WISH, 2),
        (Board(wrote={WISH.contact_id: NOW - 73 * HOUR}), WISH, 0),
        (Board(meant=[meant(2)]), WISH, 2),
        (Board(meant=[meant(2, priority=400)]), WISH, 0),
        (Board(meant=[meant(2, dedupe_key="k")]), WISH, 0),
        (Board(running={WISH.contact_id: [Running("quotes", UUID(int=8), NOW + 3 * DAY)]}), WISH, 2),
        (Board(running={WISH.contact_id: [Running("deals", UUID(int=9), NOW + 3 * DAY)]}), WISH, 0),
        (Board(running={WISH.contact_id: [Running("engagement", UUID(int=8), NOW + 3 * DAY)]}), WISH, 0),
        (Board(running={WISH.contact_id: [Running("quotes", UUID(int=8), NOW + 3 * DAY)]}),
         WISH._replace(awaited=True), 0),
    ],
)  # fmt: skip
def test_what_can_go_now_ranks_first_then_what_can_go_today(board: Board, wish: Wish, rank: int) -> None:
    assert room(board).rank(wish) == rank


@pytest.mark.parametrize(
    ("board", "until"),
    [
        (Board(mailed={UUID(int=1): frozenset({UUID(int=5), UUID(int=6)})}), NOW.replace(hour=0) + DAY),
        (Board(mailed={UUID(int=1): frozenset({UUID(int=2), UUID(int=6)})}), None),
        (Board(meant=[meant(5), meant(6)]), NOW.replace(hour=0) + DAY),
        # what goes another day, or matters less, or was put before a person yesterday, keeps nobody out today
        (Board(meant=[meant(5), meant(6, not_before=NOW + DAY)]), None),
        (Board(meant=[meant(5), meant(6, priority=100)]), None),
        (Board(meant=[meant(5), meant(6, priority=100, engine="deals")]), NOW.replace(hour=0) + DAY),
        (Board(meant=[meant(5), meant(6, state="awaiting_approval", not_before=NOW - DAY)]), None),
        (Board(meant=[meant(5), meant(6, state="awaiting_approval", state_changed_at=NOW)]),
         NOW.replace(hour=0) + DAY),
    ],
)  # fmt: skip
def test_an_account_has_room_for_so_many_people_on_the_day_on_which_the_mail_can_go(
    board: Board, until: datetime | None
) -> None:
    full = room(board).full(WISH)
    assert (full and full[1]) == until


def test_cards_that_wait_for_a_person_on_their_own_account_use_up_no_budget() -> None:
    cards = {str(n): Standing(state, NOW, NOW, type="send_quote")
             for n, state in enumerate(["queued", "deferred", "awaiting_approval", "done"])}  # fmt: skip
    assert room(Board(cards)).left(10) == 8
    assert room(Board(cards), autonomy={"send_quote": "approve"}).left(10) == 7


def test_so_many_wait_as_go_out_in_eight_hours_and_the_others_have_their_turn_in_the_hours_to_come() -> None:
    tokyo = WISH._replace(key="far", timezone="Asia/Tokyo")
    narrow = Room(Board(), TenantSettings(max_emails_per_hour=1), NOW, Later(8))
    assert [narrow.turn_away(tokyo, 2) for _ in range(3)] == [NOW + HOUR, NOW + HOUR, NOW + 2 * HOUR]
    assert narrow.turn_away(WISH, 2) is None
    assert Room(Board(), TenantSettings(max_emails_per_hour=2), NOW, Later(8)).turn_away(tokyo, 2) is None


@dataclass
class Street:
    """Acme, with a large account and small ones."""

    house: House
    resend: ResendEmulator
    acme: UUID
    clock: HandClock

    def hours(self, count: int) -> set[str]:
        """Hours pass; to whom mail went by then."""
        for _ in range(count):
            run_id = cycle.run(self.house, self.acme, kind="manual")
            with self.house.database.tenant(self.acme) as tx:
                assert tx.value("SELECT errors FROM agent_autonomous_runs WHERE tenant_id = :t AND id = :id",
                                t=tx.tenant_id, id=run_id) == []  # fmt: skip
            self.clock.advance(hours=1)
        return {address for mail in self.resend.sent("re_acme") for address in mail["to"]}

    def people(self, tx: Tx, kind: str, *, many: int, small: int) -> list[UUID]:
        """So many people of one account, and then one each of so many; none is kept in touch with."""
        large = build.client(tx, name=f"Large {kind}")
        made = [build.contact(tx, large, f"p{n}@large-{kind}.example", name="Pat Lee") for n in range(many)]
        made += [build.contact(tx, build.client(tx, name=f"Small {kind} {n}"), f"small-{n}@{kind}.example")
                 for n in range(small)]  # fmt: skip
        return made


@pytest.fixture
def street(clone: Database, clock: HandClock) -> Iterator[Street]:
    clock.advance(hours=5)
    hands = houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        few = dict.fromkeys(("touches_per_cycle", "deal_follow_ups_per_cycle", "quotes_per_cycle", "feedback_per_cycle",
                             "compliance_reminders_per_cycle", "orders_per_cycle"), 4)  # fmt: skip
        acme = build.acme(clone, max_emails_per_hour=100, **few)
        houses.resend_for(hands, resend, acme, "re_acme")
        yield Street(house, resend, acme, clock)


def test_small_accounts_are_asked_in_the_first_hours_however_many_people_a_large_one_has(street: Street) -> None:
    with street.house.database.tenant(street.acme, actor="rui") as tx:
        clocks.exempt(tx, street.people(tx, "check", many=20, small=6), "discovered")
        schedules.create(tx, name="Phones", frequency="quarterly", applies_to="contact", required_fields=["phone"],
                         anchor_on=tx.now.date() + timedelta(days=12))  # fmt: skip
    asked = street.hours(2)
    assert {f"small-{n}@check.example" for n in range(6)} <= asked
    assert len(asked) == 8
    street.hours(4)
    for days in (2, 3, 4):
        street.clock.advance(hours=18)
        assert len(street.hours(6)) == 6 + 2 * days
    with street.house.database.tenant(street.acme) as tx:
        states = Counter(row["state"] for row in tx.rows("SELECT state FROM kanban_cards WHERE tenant_id = :t",
                                                         t=tx.tenant_id))  # fmt: skip
        lines = ledger.lines(tx, tx.value("SELECT id FROM agent_autonomous_runs WHERE tenant_id = :t "
                                          "ORDER BY cycle_number DESC LIMIT 1", t=tx.tenant_id))  # fmt: skip
    # none dies of its latest time, for no more are made than can go
    assert states == {"done": 14}
    assert [(line["rule"], line["count"]) for line in lines if line["count"] > 1] == [
        ("compliance.account_people", 12)]  # fmt: skip


def test_no_engine_lets_what_can_go_wait_for_what_can_not(street: Street) -> None:
    kinds = ("deal", "offer", "quote", "feedback", "question", "promise")
    with street.house.database.tenant(street.acme, actor="rui") as tx:
        for kind in kinds:
            people = street.people(tx, kind, many=8, small=3)
            for person in people:
                clocks.touch(tx, person, "call", by="rui", at=tx.now - timedelta(days=9))
                fall_due(tx, person, kind, tx.now + timedelta(minutes=1 if person in people[:8] else 2))
            assert contacts.get(tx, people[0]) is not None
    street.clock.advance(hours=1)
    asked = street.hours(3)
    assert {f"small-{n}@{kind}.example" for n in range(3) for kind in kinds} - asked == set()
    with street.house.database.tenant(street.acme) as tx:
        waiting = Counter(row["engine"] for row in tx.rows(
            "SELECT engine FROM kanban_cards WHERE tenant_id = :t AND state = 'deferred'", t=tx.tenant_id))  # fmt: skip
    # an order's question lives for a week; of all others no more are made than the day has room for
    assert set(waiting) == {"orders"}


def test_engines_together_let_no_more_mails_wait_than_go_out_in_eight_hours(street: Street) -> None:
    kinds = ("deal", "quote", "promise")
    with street.house.database.tenant(street.acme, actor="rui") as tx:
        settings.change(tx, {"max_emails_per_hour": 1, "touches_per_cycle": 20, "deal_follow_ups_per_cycle": 20,
                             "quotes_per_cycle": 20})  # fmt: skip
        far = [(kind, person) for kind in kinds for person in street.people(tx, kind, many=0, small=10)]
        tx.run("UPDATE contacts SET timezone = 'Asia/Tokyo' WHERE tenant_id = :t", t=tx.tenant_id)
        for kind, person in far:
            clocks.touch(tx, person, "call", by="rui", at=tx.now - timedelta(days=9))
            fall_due(tx, person, kind, tx.now + timedelta(minutes=1))
    street.clock.advance(hours=1)
    next_hour = street.clock.now() + HOUR
    for _ in range(2):
        street.hours(1)
        with street.house.database.tenant(street.acme) as tx:
            assert tx.value("SELECT count(*) FROM kanban_cards WHERE tenant_id = :t AND state = 'deferred'",
                            t=tx.tenant_id) == 8  # fmt: skip
            told = Counter((row["rule"], row["reason"]) for row in tx.rows(
                """SELECT o.rule, o.reason FROM run_obligations o JOIN agent_autonomous_runs r
                   ON r.tenant_id = o.tenant_id AND r.id = o.run_id
                   WHERE o.tenant_id = :t AND o.rule LIKE '%.crowd' AND r.cycle_number = 1""",
                t=tx.tenant_id))  # fmt: skip
            assert told == {("quotes.crowd", ENOUGH): 2, ("deals.crowd", ENOUGH): 10, ("engagement.crowd", ENOUGH): 10}
            resting = [row["until"] for row in tx.rows(
                """SELECT rests_until AS until FROM deals WHERE tenant_id = :t AND rests_until IS NOT NULL
                   UNION SELECT rests_until FROM quotes WHERE tenant_id = :t AND rests_until IS NOT NULL
                   UNION SELECT rests_until FROM engagement_clocks WHERE tenant_id = :t AND rests_until IS NOT NULL
                   """, t=tx.tenant_id)]  # fmt: skip
            assert resting == [next_hour]
        next_hour += HOUR
