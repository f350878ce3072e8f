"""The budget for models: exact under many threads, and a loop is broken before it costs anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from brain import answers, prices, questions
from brain.questions import letter_for
from domain import alerts, model_budgets, model_calls, settings, switches
from domain.db import Database
from domain.model_calls import About, Ending
from domain.switches import Switch
from jobs import ask, evaluation
from jobs.ask import Desk, Wish
from tests.brain.thinking import Thinking, decent, thinking
from tests.hand_clock import HandClock

SLOTS = {"first_name": "Bill", "client_name": "", "sender_name": "Ana Diaz", "company": "Acme"}


@pytest.fixture
def stage(clone: Database, clock: HandClock) -> Iterator[Thinking]:
    with thinking(clone, clock) as stage:
        yield stage


def desk(stage: Thinking, tenant: UUID) -> Desk:
    with stage.database.tenant(tenant) as tx:
        lock_id = tx.value("SELECT lock_id FROM tenant_schedule WHERE tenant_id = :t", t=tenant)
        return Desk(stage.house, tenant, lock_id, settings.of(tx))


def wish(number: int) -> Wish[answers.Letter]:
    return Wish(letter_for("engagement_first_touch", "en", {**SLOTS, "first_name": f"Bill{number}"}))


def alert_kinds(stage: Thinking, tenant: UUID) -> list[str]:
    """What is open."""
    with stage.database.tenant(tenant) as tx:
        return [alert.kind for alert in alerts.listed(tx)]


def test_eight_threads_never_spend_more_than_the_budget(stage: Thinking) -> None:
    prompt = questions.FIRST_TOUCH.prompt(wish(1).given)
    worst, _ = prices.of("anthropic/claude-sonnet-5-5").worst(prompt)
    limit = (worst * Decimal("3.5")).quantize(prices.MICRO)
    acme = stage.acme(model_usd_per_day=str(limit), model_cheaper="rulebook")
    at = desk(stage, acme)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda number: ask.ask(at, questions.FIRST_TOUCH, wish(number)), range(40)))
    by = {reply.by for reply in replies}
    assert by == {"rulebook", "anthropic/claude-sonnet-5-5"}
    assert all(reply.deferred_until is not None for reply in replies if reply.by == "rulebook")
    row = stage.one(acme, "SELECT * FROM model_budgets WHERE tenant_id = :t")
    spent = stage.one(acme, "SELECT sum(cost_usd) AS usd FROM model_calls WHERE tenant_id = :t")["usd"]
    assert row["reserved_usd"] == 0
    assert row["spent_usd"] == spent <= limit


def test_a_call_whose_process_died_counts_as_if_it_had_cost_the_most(stage: Thinking) -> None:
    acme = stage.acme()
    about = About("first_touch", "v", b"input")
    with stage.database.tenant(acme) as tx:
        standing = model_budgets.hold(tx, settings.of(tx))
        model_calls.begin(tx, about, model="anthropic/x", day=standing.day, usd=Decimal("0.5"), tokens=900,
                          until=tx.now, masked=False)  # fmt: skip
    stage.clock.advance(minutes=1)
    with stage.database.tenant(acme) as tx:
        model_calls.abandon_overdue(tx)
        assert model_budgets.look(tx, settings.of(tx)).usd == Decimal("0.5")
    row = stage.one(acme, "SELECT * FROM model_budgets WHERE tenant_id = :t")
    assert (row["reserved_usd"], row["spent_usd"], row["spent_tokens"]) == (0, Decimal("0.5"), 900)


def test_a_call_is_settled_once(stage: Thinking) -> None:
    acme = stage.acme()
    with stage.database.tenant(acme) as tx:
        standing = model_budgets.hold(tx, settings.of(tx))
        call = model_calls.begin(tx, About("first_touch", "v", b"input"), model="anthropic/x", day=standing.day,
                                 usd=Decimal("0.5"), tokens=900, until=tx.now, masked=False)  # fmt: skip
        for _ in range(2):
            model_calls.end(tx, call, Ending("timeout", None, Decimal("0.5"), 1))
    row = stage.one(acme, "SELECT * FROM model_budgets WHERE tenant_id = :t")
    assert (row["reserved_usd"], row["spent_usd"]) == (0, Decimal("0.5"))


def test_the_same_question_is_asked_three_times_a_day_and_no_more(stage: Thinking) -> None:
    acme = stage.acme()
    at = desk(stage, acme)
    said = [ask.ask(at, questions.FIRST_TOUCH, wish(1)).by for _ in range(5)]
    assert said == ["anthropic/claude-sonnet-5-5"] * 3 + ["rulebook"] * 2
    assert [call["outcome"] for call in stage.calls(acme)] == ["answered"] * 3 + ["looping"] * 2
    assert len(stage.claude.asked()) == 3


def test_a_writer_that_repeats_itself_rests_and_a_person_is_told(stage: Thinking) -> None:
    body = "Hello,\n\nI wanted to ask how everything is going with you and the team.\n\nWarm regards,\nAna Diaz"
    stage.says(lambda kind, facts: {"body": body})
    acme = stage.acme()
    at = desk(stage, acme)
    said = [ask.ask(at, questions.FIRST_TOUCH, wish(number)).by for number in range(5)]
    assert alert_kinds(stage, acme) == []
    said += [ask.ask(at, questions.FIRST_TOUCH, wish(number)).by for number in range(5, 7)]
    assert said == ["anthropic/claude-sonnet-5-5"] * 5 + ["rulebook"] * 2
    assert alert_kinds(stage, acme) == ["model_repeats:first_touch"]


def test_no_more_calls_an_hour_than_the_tenant_allows(stage: Thinking) -> None:
    acme = stage.acme(max_model_calls_per_hour=2)
    at = desk(stage, acme)
    for number, kinds in enumerate(([], [], ["model_calls"], ["model_calls"])):
        ask.ask(at, questions.FIRST_TOUCH, wish(number))
        assert alert_kinds(stage, acme) == kinds
    assert len(stage.claude.asked()) == 2


def test_a_stop_waits_for_the_question_under_way_and_none_begins_after_it(stage: Thinking) -> None:
    acme = stage.acme()
    at = desk(stage, acme)
    under_way, go_on = threading.Event(), threading.Event()

    def slowly(kind: str, facts: dict[str, Any]) -> Any:
        under_way.set()
        assert go_on.wait(60)
        return decent(kind, facts)

    stage.says(slowly)
    with ThreadPoolExecutor(2) as pool:
        asking = pool.submit(ask.ask, at, questions.FIRST_TOUCH, wish(1))
        assert under_way.wait(60)
        stopping = pool.submit(switches.stop, stage.database, Switch(acme, "all"), by="test", reason="look")
        assert not asking.done()
        assert not stopping.done()
        go_on.set()
        assert stopping.result(60).settled
        assert asking.result(60).by == "anthropic/claude-sonnet-5-5"
    assert ask.ask(at, questions.FIRST_TOUCH, wish(2)).by == "rulebook"
    assert len(stage.claude.asked()) == 1


def test_an_evaluation_is_logged_and_charged_and_asks_nothing_once_stopped(stage: Thinking) -> None:
    acme = stage.acme()
    with stage.database.tenant(acme) as tx:
        at = evaluation.desk(stage.house, tx)
    [found] = evaluation.by_model(at, "anthropic/claude-sonnet-5-5", "compliance_reminder")
    assert [call["outcome"] for call in stage.calls(acme)] == ["answered"] * found.cases
    spent = stage.one(acme, "SELECT reserved_usd, spent_usd FROM model_budgets WHERE tenant_id = :t")
    assert (spent["reserved_usd"], spent["spent_usd"]) == (0, found.cost_usd)
    before = found.cost_usd
    stage.says(lambda kind, facts: "no JSON at all")
    [spoilt] = evaluation.by_model(at, "anthropic/claude-sonnet-5-5", "compliance_reminder")
    assert (spoilt.passed, spoilt.tokens_in > 0, spoilt.cost_usd > 0) == (0, True, True)
    spent = stage.one(acme, "SELECT spent_usd FROM model_budgets WHERE tenant_id = :t")
    assert spent["spent_usd"] == before + spoilt.cost_usd
    switches.stop(stage.database, Switch(acme, "all"), by="test", reason="look")
    with pytest.raises(ask.NotAsked):
        evaluation.by_model(at, "anthropic/claude-sonnet-5-5", "compliance_reminder")
    assert len(stage.claude.asked()) == found.cases + spoilt.cases
