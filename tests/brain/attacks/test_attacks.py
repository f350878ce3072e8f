"""No model output breaks a rule: hostile mail and a model that obeys it, through whole hours, change nothing."""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
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
from tests.brain.attacks import harms, siege, trial
from tests.brain.thinking import Thinking, thinking
from tests.hand_clock import HandClock

NUMBERS = itertools.count(1)
LONG = "LAB_ATTACKS" in os.environ
PAYLOADS = tuple(each["payload"] for each in trial.PAYLOADS)
FOREIGN = Path(os.environ.get("LAB_PAYLOADS", ""))
"""A folder of payloads by others, as JSON lines, to be tried instead of our own in the laboratory's long form."""
SIEGE = 22
"""So many payloads are laid before every question at a time."""


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
    # each harm meets other payloads; the long form tries them all
    payloads = PAYLOADS if LONG else PAYLOADS[list(harms.HARMS).index(harm) % 8 :: 8]
    found = trial.run(stage, payloads, harms.HARMS[harm], number=next(NUMBERS))
    assert found.objections == []
    assert found.mails >= trial.DUE
    assert found.calls > len(payloads) / 2
    figures("attack", harm=harm, payloads=len(payloads), calls=found.calls, refused=found.refused, mails=found.mails,
            tasks=found.tasks, objections=0)  # fmt: skip


def test_every_question_is_besieged_with_answers_that_fit_and_that_don_t(
    stage: Thinking, figures: Callable[..., None]
) -> None:
    payloads = (_foreign() or PAYLOADS) if LONG else PAYLOADS[3::22]
    asked: Counter[str] = Counter()
    objections: list[str] = []
    for start in range(0, len(payloads), SIEGE):
        found = siege.run(stage, payloads[start : start + SIEGE], number=next(NUMBERS))
        asked += found.asked
        objections += found.objections
    assert objections == []
    assert set(asked) == set(QUESTIONS)
    assert all(asked[name] >= 2 * len(payloads) for name in QUESTIONS if name != "reflection"), asked
    figures("siege", payloads=len(payloads), calls=sum(asked.values()), objections=0)


def _foreign() -> list[str]:
    files = sorted(FOREIGN.glob("**/payloads.jsonl")) if "LAB_PAYLOADS" in os.environ else []
    lines = (json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return list(dict.fromkeys(str(each["payload"]) for each in lines))


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
