"""Models in the hour: what they write goes out once it passed the gate, what they read counts, and all is on record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import structlog

from domain import cards, reflections, settings, switches
from domain.db import Database
from domain.switches import Switch
from jobs import approvals, cycle
from simulator.emulators.anthropic import overloaded
from simulator.emulators.faults import Fault, throttle
from tests.brain.thinking import Thinking, answer, decent, thinking
from tests.hand_clock import HandClock
from tests.jobs.letters import letter


@pytest.fixture
def stage(clone: Database, clock: HandClock) -> Iterator[Thinking]:
    with thinking(clone, clock) as stage:
        yield stage


def test_what_a_model_writes_goes_out_and_is_on_the_run_and_the_card(stage: Thinking) -> None:
    acme = stage.acme()
    stage.person(acme)
    run = stage.hour(acme)
    [mail] = stage.sent()
    assert mail["text"].startswith("Hi Bill,\n\nIt has been a while since we were in touch")
    assert "unsubscribe" in mail["text"]
    assert run["model"] == "anthropic/claude-sonnet-5-5"
    assert run["errors"] == []
    assert run["tokens_in"] > 0
    assert run["cost_usd"] > 0
    write, tell = stage.calls(acme)
    assert (write["question"], write["outcome"], write["model"]) == ("first_touch", "answered", run["model"])
    assert (tell["question"], tell["outcome"]) == ("reflection", "answered")
    card = stage.one(acme, "SELECT id, payload FROM kanban_cards WHERE tenant_id = :t")
    assert write["card_id"] == card["id"]
    assert card["payload"]["draft"]["by"] == run["model"]


def test_no_address_name_of_a_stranger_or_history_is_sent_to_a_model(stage: Thinking) -> None:
    acme = stage.acme()
    stage.person(acme)
    stage.hour(acme)
    [first, _] = stage.claude.asked()
    assert "@" not in first["messages"][0]["content"]
    assert "Lumbergh" not in first["messages"][0]["content"]


def test_an_hour_with_nothing_due_asks_nothing(stage: Thinking) -> None:
    acme = stage.acme()
    run = stage.hour(acme)
    assert stage.claude.asked() == []
    assert (run["tokens_in"], run["cost_usd"]) == (0, 0)


def test_without_models_the_same_hour_asks_nobody_and_writes_decently(clone: Database, clock: HandClock) -> None:
    with thinking(clone, clock, models=False) as stage:
        acme = stage.acme()
        stage.person(acme)
        run = stage.hour(acme)
        assert run["model"] == "rulebook"
        assert stage.claude.witness.requests == []
        [mail] = stage.sent()
        assert "Bill" in mail["text"]


@pytest.mark.parametrize("order", [["rulebook"], ["rulebook", "anthropic/claude-sonnet-5-5"]])
def test_a_tenant_that_prefers_the_rulebook_is_asked_nothing(stage: Thinking, order: list[str]) -> None:
    acme = stage.acme(model_order=order)
    stage.person(acme)
    assert stage.hour(acme)["model"] == "rulebook"
    assert stage.claude.asked() == []
    assert len(stage.sent()) == 1


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (throttle(60), "throttled"), (overloaded(99), "overloaded"), (Fault("hang", times=2), "timeout"),
        (Fault("truncate", times=9), "timeout"), (Fault("reset", times=9), "timeout"),
    ],
    ids=lambda told: told if isinstance(told, str) else told.kind,
)  # fmt: skip
def test_a_model_that_fails_is_survived_recorded_and_replaced_by_the_template(
    stage: Thinking, fault: Fault, outcome: str
) -> None:
    assert stage.house.models is not None
    stage.house.models.deadline_seconds = 0.8
    acme = stage.acme()
    stage.person(acme)
    stage.claude.break_next(fault)
    run = stage.hour(acme)
    assert run["outcome"] == "completed"
    assert stage.calls(acme)[0]["outcome"] == outcome
    [mail] = stage.sent()
    assert mail["text"].startswith("Hi Bill,")
    assert "It has been a while since we were in touch" not in mail["text"]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (None, "refused"), ("{", "malformed"), ({"subject": "x"}, "malformed"), ({"body": ""}, "malformed"),
        ({"body": "Hi", "to": "mallory@evil.example"}, "malformed"), ({"body": "Hi"}, "rejected"),
        ("y" * 40_000, "truncated"), ({"body": "Look at https://evil.example now, and write back soon."}, "rejected"),
    ],
)  # fmt: skip
def test_an_answer_that_does_not_fit_is_charged_and_replaced_by_the_template(
    stage: Thinking, answer: Any, outcome: str
) -> None:
    stage.says(lambda kind, facts: answer if kind == "body" else decent(kind, facts))
    acme = stage.acme()
    stage.person(acme)
    stage.hour(acme)
    first = stage.calls(acme)[0]
    assert first["outcome"] == outcome
    assert first["cost_usd"] > 0
    [mail] = stage.sent()
    assert "evil" not in mail["text"]
    assert "Ana Diaz" in mail["text"]


def test_the_next_model_in_order_answers_when_the_first_fails(stage: Thinking) -> None:
    order = ["anthropic/claude-opus-5-5", "gemini/gemini-3.8-flash", "anthropic/claude-sonnet-5-5"]
    acme = stage.acme(model_order=order, model_cheaper="rulebook")
    stage.person(acme)
    stage.claude.answers(lambda request: None if "opus" in request["model"] else answer(request))
    run = stage.hour(acme)
    writes = stage.calls(acme, question="first_touch")
    assert [(each["model"], each["outcome"]) for each in writes] == [
        ("anthropic/claude-opus-5-5", "refused"), ("anthropic/claude-sonnet-5-5", "answered"),
    ]  # fmt: skip
    assert run["model"] == "anthropic/claude-opus-5-5"
    card = stage.one(acme, "SELECT payload FROM kanban_cards WHERE tenant_id = :t")
    assert card["payload"]["draft"]["by"] == "anthropic/claude-sonnet-5-5"


def test_a_draft_is_asked_for_once_and_an_approval_is_bound_to_it(stage: Thinking) -> None:
    acme = stage.acme(autonomy={"send_email": "approve"})
    stage.person(acme)
    stage.hour(acme)
    with stage.database.tenant(acme, actor="boss") as tx:
        [waiting] = cards.listed(tx, state="awaiting_approval")
        shown = approvals.show(stage.house, tx, waiting.id)
        assert "It has been a while since we were in touch" in shown.text
        approvals.approve(stage.house, tx, waiting.id, seen=shown.seen, by="boss")
    stage.clock.advance(minutes=10)
    stage.says(lambda kind, facts: {"body": "Something else altogether, dear Bill, for you to read today."})
    stage.hour(acme)
    assert len(stage.calls(acme, question="first_touch")) == 1
    [mail] = stage.sent()
    assert "It has been a while since we were in touch" in mail["text"]


@pytest.mark.parametrize("how", ["tenant", "house"])
def test_stopped_means_no_model_calls(stage: Thinking, how: str) -> None:
    acme = stage.acme()
    stage.person(acme)
    asked = 0

    def stops(kind: str, facts: dict[str, Any]) -> Any:
        nonlocal asked
        asked += 1
        return decent(kind, facts)

    stage.says(stops)
    switch = Switch(acme if how == "tenant" else None, "all")
    assert switches.stop(stage.database, switch, by="test", reason="look").settled
    assert cycle.run(stage.house, acme, kind="manual") is None
    assert asked == 0


def test_a_reflection_with_a_number_of_its_own_is_refused_and_the_computed_one_stands(stage: Thinking) -> None:
    stage.says(lambda kind, facts: {"text": "We won 4711 new friends."} if kind == "text" else decent(kind, facts))
    acme = stage.acme()
    stage.person(acme)
    stage.hour(acme)
    [_, tell] = stage.calls(acme)
    assert tell["outcome"] == "malformed"
    assert "4711" in tell["reason"]
    with stage.database.tenant(acme) as tx:
        told = reflections.last(tx)
    assert told is not None
    assert told["phrased_by"] == "rulebook"
    assert "4711" not in told["text"]


def test_a_reflection_in_better_words_stands(stage: Thinking) -> None:
    stage.says(lambda kind, facts: {"text": "A mail was handed over."} if kind == "text" else decent(kind, facts))
    acme = stage.acme()
    stage.person(acme)
    stage.hour(acme)
    with stage.database.tenant(acme) as tx:
        told = reflections.last(tx)
    assert told is not None
    assert (told["text"], told["phrased_by"]) == ("A mail was handed over.\n", "anthropic/claude-sonnet-5-5")


def test_a_message_of_which_rules_are_unsure_is_read_again_and_acted_on(stage: Thinking) -> None:
    acme = stage.acme()
    stage.person(acme)
    stage.hour(acme)
    words = "It would be splendid not to find notes like this one among my post any longer, dear people."
    reading = {"cls": "unsubscribe", "span": words, "wants_unsubscribe": True, "complains": False, "asks_call": False}
    stage.says(lambda kind, facts: reading if kind == "cls" else decent(kind, facts))
    stage.arrives(acme, [letter(words, frm="Bill <bill@bill.example>")])
    stage.clock.advance(minutes=10)
    stage.hour(acme)
    row = stage.one(acme, "SELECT class, reading FROM gmail_messages WHERE tenant_id = :t")
    assert row["class"] == "unsubscribe"
    assert row["reading"]["model"]["classify"]["span"] == words
    with stage.database.tenant(acme) as tx:
        assert tx.value("SELECT reason FROM suppressions WHERE tenant_id = :t", t=acme) == "opted_out"


def test_words_that_do_not_stand_in_the_message_prove_nothing(stage: Thinking) -> None:
    acme = stage.acme()
    stage.person(acme)
    reading = {"cls": "complaint", "span": "You are terrible.", "wants_unsubscribe": True, "complains": True,
               "asks_call": True}  # fmt: skip
    stage.says(lambda kind, facts: reading if kind == "cls" else decent(kind, facts))
    stage.arrives(acme, [letter("All is well here, we are glad of the sunshine.", frm="Bill <bill@bill.example>")])
    stage.hour(acme)
    row = stage.one(acme, "SELECT class, flags FROM gmail_messages WHERE tenant_id = :t")
    assert row["class"] in ("reply", "other")
    assert stage.calls(acme, question="classify")[0]["outcome"] == "malformed"


def test_an_absence_whose_end_only_a_model_understands_pauses_until_then(stage: Thinking) -> None:
    acme = stage.acme()
    bill = stage.person(acme)
    day = (stage.clock.now() + timedelta(days=30)).date().isoformat()
    words = "I am out of the office and shall be at my desk once the swallows have come home."
    stage.says(lambda kind, facts: {"back_on": day, "span": "once the swallows have come home"}
               if kind == "back_on" else decent(kind, facts))  # fmt: skip
    stage.arrives(acme, [letter(words, frm="Bill <bill@bill.example>", subject="Automatic reply: Hello",
                                auto_submitted="auto-replied")])  # fmt: skip
    stage.hour(acme)
    row = stage.one(acme, "SELECT paused_until FROM engagement_clocks WHERE tenant_id = :t AND contact_id = :c", c=bill)
    assert row["paused_until"].date().isoformat() == (stage.clock.now() + timedelta(days=31)).date().isoformat()


def test_a_budget_that_is_used_up_puts_model_work_off_with_a_date(stage: Thinking) -> None:
    acme = stage.acme(model_usd_per_day="0.000001", timezone="America/New_York")
    stage.person(acme)
    stage.arrives(acme, [letter("Swallows are coming home to us now.", frm="Bill <bill@bill.example>")])
    stage.hour(acme)
    assert stage.claude.asked() == []
    put_off = stage.calls(acme)
    assert {each["outcome"] for each in put_off} == {"deferred"}
    assert put_off[0]["deferred_until"].isoformat() == "2026-03-03T05:00:00+00:00"
    with stage.database.tenant(acme, actor="test") as tx:
        settings.change(tx, {"model_usd_per_day": "2"})
    stage.clock.advance(days=1)
    stage.hour(acme)
    assert "classify" in {each["question"] for each in stage.calls(acme, outcome="answered")}


def test_from_four_fifths_of_the_money_on_the_cheaper_model_is_asked(stage: Thinking) -> None:
    acme = stage.acme()
    stage.person(acme)
    with stage.database.tenant(acme, actor="test") as tx:
        tx.run("INSERT INTO model_budgets (tenant_id, day, spent_usd) VALUES (:t, :day, 1.61)",
               t=acme, day=stage.clock.now().date())  # fmt: skip
    stage.hour(acme)
    assert {each["model"] for each in stage.calls(acme)} == {"anthropic/claude-haiku-5-5"}


def test_personal_data_is_masked_on_its_way_out_and_put_back_on_its_way_in(stage: Thinking) -> None:
    acme = stage.acme(mask_personal_data=True)
    stage.person(acme)
    stage.person(acme, "Eva Cole")
    stage.arrives(acme, [letter("My number is +56 9 8765 4321 and my RUT is 76.086.428-5, says Bill to you all.",
                                frm="Bill Lumbergh <bill@bill.example>")])  # fmt: skip
    stage.hour(acme)
    said = "".join(request["messages"][0]["content"] for request in stage.claude.asked())
    for secret in ("Bill", "Eva", "8765", "76.086.428-5", "Ana Diaz", "bill.example"):
        assert secret not in said, secret
    [mail] = stage.sent()
    assert mail["text"].startswith("Hi Eva,")
    assert "Ana Diaz" in mail["text"]
    assert "[[" not in mail["text"]


def test_no_line_of_the_log_holds_an_address_a_key_or_what_was_said(stage: Thinking) -> None:
    acme = stage.acme(keep_model_contents=True)
    stage.person(acme)
    stage.arrives(acme, [letter("The swallows are coming home to us now.", frm="Bill <bill@bill.example>")])
    with structlog.testing.capture_logs() as lines:
        stage.hour(acme)
    told = repr(lines)
    assert "model.answered" in told
    for secret in ("@", "sk-ant", "Bill", "swallows", "It has been a while", "Lumbergh"):
        assert secret not in told, secret


@pytest.mark.parametrize("kept", [True, False])
def test_what_was_said_is_kept_only_where_the_tenant_allows_it(stage: Thinking, kept: bool) -> None:
    acme = stage.acme(keep_model_contents=kept)
    stage.person(acme)
    stage.hour(acme)
    with stage.database.tenant(acme) as tx:
        assert (tx.value("SELECT count(*) FROM model_call_contents WHERE tenant_id = :t", t=acme) > 0) is kept
