"""Thinking that is cut short: what was put off is made up for, what is written is kept, and failures cost no mail."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from domain import reflections, settings
from domain.db import Database
from domain.house import Leaving
from domain.models import Completion, Prompt
from jobs import ask
from tests import houses
from tests.brain.thinking import Thinking, decent, thinking
from tests.hand_clock import HandClock
from tests.jobs.letters import letter


@pytest.fixture
def stage(clone: Database, clock: HandClock) -> Iterator[Thinking]:
    with thinking(clone, clock) as stage:
        yield stage


def test_a_phrasing_that_what_came_meanwhile_has_overtaken_gives_way_to_the_computed_telling(stage: Thinking) -> None:
    acme = stage.acme()
    stage.arrives(acme, [letter("Ok.", number=each) for each in range(1, 14)])

    def while_mail_comes_in(kind: str, facts: dict[str, Any]) -> Any:
        if kind == "text":
            stage.arrives(acme, [letter("Ok.", number=14)])
            return {"text": "13 mails came in."}
        return decent(kind, facts)

    stage.says(while_mail_comes_in)
    stage.hour(acme)
    assert stage.calls(acme, question="reflection")[0]["outcome"] == "answered"
    with stage.database.tenant(acme) as tx:
        told = reflections.last(tx)
    assert told is not None
    assert told["phrased_by"] == "rulebook"


LONG_WORDS = "It would be splendid not to find notes like this one among my post any longer, dear people of Acme."


def test_a_reading_put_off_is_made_up_for_even_when_the_process_ends_meanwhile(stage: Thinking) -> None:
    acme = stage.acme(model_usd_per_day="0.000001")
    stage.person(acme)
    stage.arrives(acme, [letter(LONG_WORDS, frm="Bill <bill@bill.example>", in_reply_to="<earlier@acme.example>")])
    stage.hour(acme)
    stage.clock.advance(minutes=10)
    stage.hour(acme)
    due = stage.one(acme, "SELECT work_due_at FROM tenant_schedule WHERE tenant_id = :t")["work_due_at"]
    assert due <= stage.calls(acme, question="signals")[0]["deferred_until"]
    with stage.database.tenant(acme, actor="test") as tx:
        settings.change(tx, {"model_usd_per_day": "2"})
    stage.clock.advance(days=1)

    def ends(kind: str, facts: dict[str, Any]) -> Any:
        if kind == "cls":
            stage.house.leaving.set()
        return decent(kind, facts)

    stage.says(ends)
    with pytest.raises(Leaving):
        stage.hour(acme)
    stage.house.leaving.clear()
    stage.says(decent)
    stage.hour(acme)
    assert {each["question"] for each in stage.calls(acme, outcome="answered")} >= {"classify", "signals"}
    row = stage.one(acme, "SELECT reading FROM gmail_messages WHERE tenant_id = :t")
    assert set(row["reading"]["model"]) >= {"classify", "signals"}


def test_a_wish_to_be_left_alone_counts_though_the_rest_of_the_reading_is_put_off(stage: Thinking) -> None:
    acme = stage.acme(model_cheaper="rulebook")
    stage.person(acme)
    stage.arrives(acme, [letter(LONG_WORDS, frm="Bill <bill@bill.example>", in_reply_to="<earlier@acme.example>")])
    reading = {"cls": "unsubscribe", "span": LONG_WORDS, "wants_unsubscribe": True, "complains": False,
               "asks_call": False}  # fmt: skip

    def uses_the_budget_up(kind: str, facts: dict[str, Any]) -> Any:
        if kind != "cls":
            return decent(kind, facts)
        with stage.database.tenant(acme) as tx:
            tx.run("UPDATE model_budgets SET spent_usd = 2 WHERE tenant_id = :t", t=acme)
        return reading

    stage.says(uses_the_budget_up)
    stage.hour(acme)
    assert [each["outcome"] for each in stage.calls(acme, question="signals")] == ["deferred"]
    with stage.database.tenant(acme) as tx:
        assert tx.value("SELECT reason FROM suppressions WHERE tenant_id = :t", t=acme) == "opted_out"


def test_drafts_are_kept_a_few_at_a_time_and_a_process_that_ends_asks_no_further(stage: Thinking) -> None:
    acme = stage.acme()
    for name in ("Ana Aa", "Ben Bb", "Cleo Cc", "Dan Dd", "Eva Ee", "Finn Ff"):
        stage.person(acme, name)

    all_asked = threading.Barrier(ask.AT_ONCE)

    def ends(kind: str, facts: dict[str, Any]) -> Any:
        # whoever had not asked yet would ask nothing any more
        all_asked.wait(60)
        stage.house.leaving.set()
        return decent(kind, facts)

    stage.says(ends)
    with pytest.raises(Leaving):
        stage.hour(acme)
    kept = "SELECT count(*) AS n FROM kanban_cards WHERE tenant_id = :t AND payload ? 'draft'"
    assert len(stage.calls(acme)) == stage.one(acme, kept)["n"] == ask.AT_ONCE
    stage.house.leaving.clear()
    stage.says(decent)
    stage.hour(acme)
    assert len(stage.calls(acme, question="first_touch")) == stage.one(acme, kept)["n"] == 6


class Breaking:
    """A provider of models that fails in a way that nobody declared."""

    name = "local"

    def ask(self, prompt: Prompt, model: str, *, deadline_seconds: float) -> Completion:
        raise LookupError(prompt.question)


def test_a_draft_that_fails_in_an_undeclared_way_is_noted_and_the_template_goes_out(stage: Thinking) -> None:
    assert isinstance(stage.house.models, houses.TestModels)
    stage.house.models.providers["local"] = Breaking()
    acme = stage.acme(model_order=["local/breaking"])
    stage.person(acme)
    run = stage.hour(acme)
    assert run["errors"][0]["where"] == "draft"
    assert run["outcome"] == "completed_with_errors"
    [mail] = stage.sent()
    assert mail["text"].startswith("Hi Bill,")
