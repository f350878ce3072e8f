"""The feedback engine: planning costs what is due, and whoever may not be asked is put off or skipped with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import event as sa_event

from brain import feelings, ratings
from domain import settings
from domain.db import Database, Tx
from domain.intentions import Board, Standing
from domain.settings import TenantSettings
from engines.contract import Context
from engines.feedback import letter
from engines.feedback.due import Due
from engines.feedback.engine import FeedbackEngine
from engines.feedback.selection import select
from engines.room import Room
from tests import build, gears
from tests.engines.test_engagement import _rows_read

ENGINE = FeedbackEngine()
SAID = Path(__file__).parents[1] / "data" / "feelings.jsonl"
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
DUE = Due(
    request_id=UUID(int=1), order_id=UUID(int=2), called="PO-1", order_status="delivered", of_account=True, attempt=0,
    due_at=NOW - timedelta(hours=1), latest_at=NOW + timedelta(days=20), insisted=False, shadowed=False,
    lapses_at=None, thread_id=None, thread_subject=None, client_id=UUID(int=3), client_name="Initech",
    client_status="active", relationship="client", case_open=False, contact_id=UUID(int=4), name="Bill",
    reachable=True, clock="active", exempt_reason=None, paused_until=None, asked_at=None, languages=(None, None),
    timezone=None, company="Acme", seen="1",
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ("picked", None)),
        ({"clock": "exempt", "exempt_reason": "discovered"}, ("picked", None)),
        ({"asked_at": NOW - timedelta(days=5), "insisted": True}, ("picked", None)),
        ({"order_status": "closed"}, ("picked", None)),
        ({"of_account": False}, ("skipped", "feedback.wanted")),
        ({"order_status": "cancelled"}, ("skipped", "feedback.delivered")),
        ({"latest_at": NOW}, ("skipped", "feedback.too_late")),
        ({"latest_at": NOW, "shadowed": True}, ("skipped", "feedback.too_late")),
        ({"client_status": "inactive"}, ("skipped", "feedback.active_account")),
        ({"relationship": "prospect"}, ("skipped", "feedback.relationship")),
        ({"contact_id": None, "reachable": False}, ("skipped", "feedback.reachable")),
        ({"reachable": False}, ("skipped", "feedback.reachable")),
        ({"clock": "exempt", "exempt_reason": "opted_out"}, ("skipped", "feedback.reachable")),
        ({"asked_at": NOW - timedelta(days=5)}, ("skipped", "feedback.asked_lately")),
        ({"case_open": True}, ("put_off", "feedback.open_case")),
        ({"clock": "paused", "paused_until": NOW + timedelta(days=3)}, ("put_off", "feedback.away")),
        ({"attempt": 1, "case_open": True}, ("given_up", "feedback.open_case")),
        ({"attempt": 1, "asked_at": NOW - timedelta(days=5)}, ("picked", None)),
    ],
)
def test_each_request_that_is_due_is_asked_put_off_or_skipped(changes: dict[str, Any], said: Any) -> None:
    one = replace(DUE, **changes)
    told = select([one], room=Room(Board({}), TenantSettings(), NOW))
    [obligation] = told.obligations
    became = ("picked" if told.picks else "skipped" if told.skipped else "given_up" if told.given_up
              else "put_off" if obligation.rests_until else "nothing")  # fmt: skip
    assert (became, obligation.rule) == said


def test_one_person_is_asked_about_one_order_at_a_time_and_an_hour_has_its_budget() -> None:
    some = [replace(DUE, request_id=UUID(int=10 + n), contact_id=UUID(int=4 + n // 2), client_id=UUID(int=40 + n // 2))
            for n in range(6)]  # fmt: skip
    told = select(some, room=Room(Board({}), TenantSettings(feedback_per_cycle=2), NOW))
    assert [each.request_id.int for each in told.picks] == [10, 12]
    rules = [each.rule for each in told.obligations]
    assert rules == [None, "feedback.one_at_a_time", None, "feedback.one_at_a_time", "feedback.budget",
                     "feedback.budget"]  # fmt: skip
    assert not told.skipped
    assert [each.in_turn for each in told.obligations] == [False] * 4 + [True] * 2


def test_what_waits_on_the_board_counts_and_older_questions_come_before_reminders() -> None:
    first, second, third = (
        replace(DUE, request_id=UUID(int=10 + n), contact_id=UUID(int=20 + n // 2)) for n in range(3)
    )
    waiting = {first.key: Standing("deferred", NOW, NOW)}
    told = select([first, second, third], room=Room(Board(waiting), TenantSettings(feedback_per_cycle=1), NOW))
    rules = [each.rule for each in told.obligations]
    assert (told.picks, rules) == ([], [None, "feedback.one_at_a_time", "feedback.budget"])
    reminder = replace(DUE, request_id=UUID(int=1), attempt=1, due_at=NOW - timedelta(days=9), contact_id=UUID(int=5))
    older = replace(DUE, request_id=UUID(int=9), due_at=NOW - timedelta(days=2), contact_id=UUID(int=6))
    told = select([reminder, DUE, older], room=Room(Board({}), TenantSettings(feedback_per_cycle=2), NOW))
    assert told.picks == [older, DUE]
    # for a reminder it is never too late to ask: the question was
    assert select([replace(reminder, latest_at=NOW)], room=Room(Board({}), TenantSettings(), NOW)).picks


def test_what_a_person_did_not_want_is_not_asked_once_that_has_rested() -> None:
    rejected = {DUE.key: Standing("rejected", NOW, NOW - timedelta(days=9))}
    told = select([DUE], room=Room(Board(rejected), TenantSettings(), NOW))
    assert (told.picks, told.obligations[0].rule) == ([], "feedback.not_wanted")
    assert list(told.skipped) == [DUE.request_id]


def test_a_dissatisfied_client_is_written_to_without_approval_only_where_the_tenant_says_so() -> None:
    request: Any = SimpleNamespace(id=UUID(int=1), order_id=UUID(int=2))
    about: Any = {"name": "Bill Lumbergh", "client_name": "Initech", "company": "Acme", "called": "PO-1",
                  "thread_subject": "RE: Re: How did we do?", "language": None, "client_language": "pt"}  # fmt: skip
    asks = letter.recovery(request, about, TenantSettings(), person_informed=True)
    assert asks["needs_approval"]
    # it answers them: what a colleague writes meanwhile does not end it
    assert (asks["responds_to"], asks["language"]) == ("feedback", "pt")
    assert (asks["slots"]["thread_subject"], asks["slots"]["person_informed"]) == ("How did we do?", True)
    sends = letter.recovery(request, about, TenantSettings(send_service_recovery=True), person_informed=False)
    assert "needs_approval" not in sends
    assert sends["slots"]["person_informed"] is False


@pytest.mark.parametrize(
    ("words", "feeling"),
    [
        ("We couldn't be happier!", "positive"), ("No complaints at all.", "positive"),
        ("I can't fault them.", "positive"), ("Not only fast but also kind.", "positive"),
        ("The problem was fixed quickly, great team.", "positive"),
        ("If there is any problem I will tell you. All good.", "positive"),
        ("No podría estar más contento.", "positive"), ("Nada a reclamar, tudo perfeito.", "positive"),
        ("Todo bien, sin ningún problema.", "positive"), ("Muito bom!", "positive"),
        ("Not great, to be honest.", "negative"), ("We are far from satisfied.", "negative"),
        ("It wasn't as described.", "negative"), ("Good, but the box arrived damaged.", "negative"),
        ("No estamos nada contentos.", "negative"), ("No me gustó el trato.", "negative"),
        ("Muy mal servicio.", "negative"), ("Não gostei, mas vocês são rápidos.", "negative"),
        ("O serviço não foi bom.", "negative"),
        ("Never had any problem.", "neutral"), ("Not bad at all.", "neutral"), ("Gracias.", "neutral"),
        ("Received on Monday.", "neutral"), ("", "neutral"),
    ],
)  # fmt: skip
def test_feelings_are_told_from_words_denials_included(words: str, feeling: str) -> None:
    assert feelings.felt(words).feeling == feeling


def test_greetings_closings_and_requests_make_no_praise() -> None:
    told = [json.loads(line) for line in SAID.read_text("utf-8").splitlines()]
    felt = [(each["words"], feelings.felt(each["words"]).feeling) for each in told]
    assert felt == [(each["words"], each["feeling"]) for each in told]


@pytest.mark.parametrize(
    ("words", "rating"),
    [
        ("5", 5), ("4/5, thanks", 4), ("I'd say 8/10.", 4), ("nota 9", 5), ("un 7 sobre 10", 4), ("cinco estrellas", 5),
        ("★★★★☆", 4), ("3,5/5", 4), ("rating: 2", 2), ("0/10", 1), ("Product 5/5, delivery 2/5", 2),
        ("2 out of 5 boxes were broken", None), ("2 of 5 boxes", None), ("on 4/5 we got it", None),
        ("I can't give you 5 stars this time.", None), ("No les puedo dar 5 estrellas.", None), ("-5", None),
        ("5 stars? You must be joking.", None), ("I won't rate you 5/5.", None), ("Anything but 5 stars!", None),
        ("Nobody here would give you 5 stars", None), ("Your competitor gets 5 stars, you do not", None),
        ("You don't deserve 5 stars, the shelves arrived broken.", None), ("Far from 5 stars.", None),
        ("10/10 would never order again", None), ("Não vos posso dar 5 estrelas.", None),
        ("No doubt: 5 stars", 5), ("No, 4 stars.", 4), ("We had no problems and give you 5 stars.", 5),
        ("Not only fast but 5 stars", 5), ("Couldn't be better! 5/5", 5), ("5 stars, and I'll be back", 5),
        ("not 5 stars", None), ("order PO-4/5", None), ("it came on 4/5/2026", None), ("11", None), ("", None),
    ],
)  # fmt: skip
def test_ratings_are_told_from_other_figures(words: str, rating: int | None) -> None:
    assert ratings.rating_in(words) == rating


def test_planning_reads_what_is_due_however_many_requests_are_stored(
    clone: Database, cloned: gears.Clone, figures: Any
) -> None:
    acme = build.acme(clone)
    with clone.tenant(acme) as tx:
        person = build.contact(tx)
        account = tx.value("SELECT client_id FROM contacts WHERE id = :id", id=person)
        stored(tx, account, person, 5, "queued")
    costs = []
    for count in (2_500, 22_500):
        with clone.tenant(acme) as tx:
            stored(tx, account, person, count, "answered")
        with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
            admin.execute("VACUUM ANALYZE hourhand.feedback_requests, hourhand.orders")
        with clone.tenant(acme) as tx:
            asked = statements(tx)
            costs.append((len(asked), sum(_rows_read(tx, statement, values) for statement, values in asked)))
            tx.roll_back()
    (few, read_at_1), (many, read_at_10) = costs
    figures("feedback.planning", statements=many, rows_at_2_500=read_at_1, rows_at_25_000=read_at_10)
    assert few == many <= 12
    assert read_at_10 <= read_at_1 + 20 < 200


def stored(tx: Tx, client_id: UUID, contact_id: UUID, count: int, state: str) -> None:
    """Orders with their requests: due ones, or such as were answered long ago."""
    tx.run(
        """WITH made AS (
               INSERT INTO orders (tenant_id, id, client_id, contact_id, status, source, ordered_at, delivered_at,
                                   created_at, updated_at)
               SELECT :t, gen_random_uuid(), :client, :contact, 'delivered', 'api', :old, :old, :now, :now
               FROM generate_series(1, :count) RETURNING id)
           INSERT INTO feedback_requests (tenant_id, id, order_id, client_id, contact_id, state, due_at, latest_at,
                                          sent_at, lapses_at, answered_at, rating, sentiment, created_at, updated_at)
           SELECT :t, gen_random_uuid(), id, :client, :contact, :state, :due, :now + interval '9 days', :sent, :sent,
                  :sent, CASE WHEN :state = 'answered' THEN 4 END, CASE WHEN :state = 'answered' THEN 'positive' END,
                  :now, :now FROM made""",
        t=tx.tenant_id, client=client_id, contact=contact_id, state=state, count=count,
        old=tx.now - timedelta(days=300), now=tx.now, due=tx.now - timedelta(hours=1),
        sent=tx.now - timedelta(days=290) if state == "answered" else None,
    )  # fmt: skip


def statements(tx: Tx) -> list[tuple[str, Any]]:
    """What an hour asks of the database for feedback."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    given = Context(tx, settings.of(tx))
    sa_event.listen(tx._connection, "before_cursor_execute", note)
    plan = ENGINE.plan(given)
    ENGINE.stats(given)
    ENGINE.next_due(given)
    sa_event.remove(tx._connection, "before_cursor_execute", note)
    assert len(plan.obligations) == 5
    assert len(plan.proposals) == 1
    return asked
