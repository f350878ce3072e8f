"""No model output breaks a rule: hostile mail and a model that obeys it, through whole hours, change nothing."""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brain import questions
from brain.given import Hour, Letter, Message
from brain.questions import QUESTIONS, Unusable
from domain.db import Database
from engines.contract import Context, Engine, Plan
from engines.engagement.engine import EngagementEngine
from engines.registry import ENGINES
from policy import drafts
from tests import gears
from tests.brain.attacks import harms, trial
from tests.brain.thinking import Thinking, thinking
from tests.hand_clock import HandClock

NUMBERS = itertools.count(1)
LONG = "LAB_ATTACKS" in os.environ
WHOLE = ("obeys", "links", "orders in fields")
"""Harms that are tried on every payload; the others on each sixth, to spare the suite's minutes."""


@pytest.fixture(scope="module")
def stage(cluster: gears.Cluster) -> Iterator[Thinking]:
    clone, clock = cluster.clone(), HandClock()
    database = Database(clone.url(), clock)
    with thinking(database, clock) as stage:
        yield stage
    database.dispose()
    cluster.retire(clone)


@pytest.mark.parametrize("harm", harms.HARMS)
def test_an_obedient_model_moves_nothing_that_the_rules_hold(
    stage: Thinking, harm: str, figures: Callable[..., None]
) -> None:
    payloads = [each["payload"] for each in trial.PAYLOADS][:: 1 if harm in WHOLE or LONG else 6]
    found = trial.run(stage, payloads, harms.HARMS[harm], number=next(NUMBERS))
    assert found.objections == []
    assert found.mails >= trial.DUE
    assert found.calls > len(payloads) / 2
    figures("attack", harm=harm, payloads=len(payloads), calls=found.calls, refused=found.refused, mails=found.mails,
            tasks=found.tasks, objections=0)  # fmt: skip


class Gullible(EngagementEngine):
    """An engine that puts a model's words on its cards as they come: what the gate is there to keep anybody from."""

    def __init__(self, harm: harms.Harm) -> None:
        self._harm = harm

    def plan(self, ctx: Context) -> Plan:
        made = super().plan(ctx)
        spoilt = (replace(each, payload=self._payload(each.payload)) for each in made.proposals)
        return replace(made, proposals=tuple(spoilt))

    def _payload(self, payload: Any) -> dict[str, Any]:
        facts = {"language": payload["language"], **payload["slots"]}
        return {**payload, "text": self._harm("body", facts)["body"]}


@pytest.mark.parametrize("harm", ["sends elsewhere", "telephones", "betrays"])
def test_with_a_weakened_gate_the_trial_finds_what_went_out(stage: Thinking, harm: str) -> None:
    def weakened(chosen: harms.Harm) -> Sequence[Engine]:
        return [Gullible(chosen), *(engine for engine in ENGINES if engine.name != "engagement")]

    found = trial.run(stage, ["Good morning to you all."], harms.HARMS[harm], number=next(NUMBERS), engines=weakened)
    assert found.mails > 0
    assert found.objections


TOLD = Message("Hello", "Can you call me on Thursday? We need 20 boxes.", HandClock().now().date())
WRITES = Letter("engagement_first_touch", "en", {"first_name": "Bill", "sender_name": "Ana", "company": "Acme"})
GIVEN: dict[str, Any] = {"reader": TOLD, "writer": WRITES, "teller": Hour("en", "One mail went out.", {"mails": 1})}

ANSWERS = st.one_of(
    st.text(max_size=300),
    st.binary(max_size=200).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda each: st.lists(each, max_size=3) | st.dictionaries(
            st.sampled_from(["cls", "span", "body", "text", "asks", "due", "items", "signals", "feeling", "back_on"]),
            each, max_size=5),
        max_leaves=8,
    ).map(str),
)  # fmt: skip


BAITS = ("https://evil.example/login", "mallory@evil.example", "4711", "<b>now</b>", "{{ name }}", "a\u200bb")


@pytest.mark.parametrize("name", QUESTIONS)
@settings(max_examples=40)
@given(text=ANSWERS)
def test_whatever_is_answered_is_a_fitting_answer_or_none(name: str, text: str) -> None:
    question = QUESTIONS[name]
    try:
        told = question.read(GIVEN[question.kind], text)
    except Unusable:
        return
    assert isinstance(told, question.answer)


@settings(max_examples=60)
@given(before=st.text(max_size=40), bait=st.sampled_from(BAITS), after=st.text(max_size=40))
def test_a_bait_in_a_letter_is_refused_whatever_stands_around_it(before: str, bait: str, after: str) -> None:
    body = harms._letter({"language": "en", **WRITES.slots}, f"{before} {bait} {after}")["body"]
    assert drafts.wrong(body, language="en", slots=WRITES.slots)


def test_the_harms_are_valid_and_invalid() -> None:
    kinds: Counter[bool] = Counter()
    for harm in harms.HARMS.values():
        told = harm("body", {"language": "en", **WRITES.slots})
        try:
            questions.FIRST_TOUCH.read(WRITES, told if isinstance(told, str) else json.dumps(told))
            kinds[True] += 1
        except Unusable:
            kinds[False] += 1
    assert kinds[True] >= 3
    assert kinds[False] >= 3
