"""The evaluation: rules keep their thresholds, and an answer that is wrong, unfit or missing is seen as what it is."""

from __future__ import annotations

import json

from brain.questions import FIRST_TOUCH, QUESTIONS, letter_for
from jobs import evaluation
from tests.brain.thinking import decent


def recorded() -> dict[str, str]:
    """Answers made for these tests, and by no model: decent letters in the shape that models give, one in a fence."""
    kept: dict[str, str] = {}
    for name in ("first_touch", "follow_up", "service_recovery"):
        for case in evaluation.cases(name):
            kept[f"{name}/{case.id}"] = json.dumps(decent("body", json.loads(case.given.facts)), ensure_ascii=False)
    first = next(iter(kept))
    kept[first] = f"```json\n{kept[first]}\n```"
    for case in evaluation.cases("sentiment"):
        feeling = case.expect.get("feeling", "neutral")
        span = case.given.text if feeling != "neutral" else ""
        kept[f"sentiment/{case.id}"] = json.dumps({"feeling": feeling, "span": span})
    return kept


def test_the_rulebook_keeps_every_threshold() -> None:
    found = evaluation.by_rulebook()
    assert [(each.question, each.failed) for each in found if not each.is_enough] == []
    assert {each.question for each in found} >= {"classify", "sentiment", "task_request", "return_date", "signals",
                                                 "quote_items", "first_touch", "follow_up", "reflection"}  # fmt: skip


def test_every_question_has_cases_in_three_languages() -> None:
    for name in QUESTIONS:
        assert {case.language for case in evaluation.cases(name)} >= {"en", "es", "pt"}, name


def test_recorded_answers_are_judged_like_those_of_a_model() -> None:
    found = {each.question: each for each in evaluation.by_record(recorded())}
    assert set(found) == {"first_touch", "follow_up", "service_recovery", "sentiment"}
    assert [each.failed for each in found.values() if not each.is_enough] == []


def test_wrong_unfit_and_invented_answers_fall_under_the_threshold() -> None:
    spoilt = recorded()
    letters = [key for key in spoilt if key.startswith("first_touch/")]
    invented = json.loads(spoilt[letters[1]])["body"].replace("\n\n", "\n\nYou get 50% off. ", 1)
    spoilt[letters[1]] = json.dumps({"body": invented})
    spoilt[letters[2]] = spoilt[letters[2]][:40]
    spoilt["sentiment/en-bad"] = json.dumps({"feeling": "positive", "span": "great work"})
    found = {each.question: each for each in evaluation.by_record(spoilt)}
    assert not found["first_touch"].is_enough
    assert len(found["first_touch"].failed) == 2
    [(case, why)] = found["sentiment"].failed
    assert (case, why) == ("en-bad", "span: the quoted words don't stand in the message")


def test_a_template_that_fails_is_a_case_that_failed_and_no_case_keeps_no_threshold() -> None:
    figures = evaluation.Figures("first_touch", "rulebook", 1.0)
    assert not figures.is_enough
    without_slots = evaluation.Case("first_touch", "en-bare", "en", letter_for("engagement_first_touch", "en", {}), {})
    evaluation._try(figures, FIRST_TOUCH, without_slots, evaluation._by_rules)
    assert [case for case, _ in figures.failed] == ["en-bare"]
    assert not figures.is_enough
