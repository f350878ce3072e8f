"""The score of a contact: each factor counts, none ever counts against."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from engines.engagement.priority import BUSINESS, LATENESS, RECENCY, VALUE, score

FACTS = st.fixed_dictionaries({
    "days_overdue": st.floats(0, 10_000), "account_value": st.floats(0, 1e12), "open_business": st.integers(0, 10_000),
    "days_since_reply": st.none() | st.floats(0, 10_000),
})  # fmt: skip


@given(FACTS, st.floats(0, 1_000))
def test_who_is_more_overdue_never_comes_later(facts: dict[str, Any], more: float) -> None:
    assert score(**{**facts, "days_overdue": facts["days_overdue"] + more}).total >= score(**facts).total


@given(FACTS, st.floats(0, 1e9))
def test_who_is_worth_more_never_comes_later(facts: dict[str, Any], more: float) -> None:
    assert score(**{**facts, "account_value": facts["account_value"] + more}).total >= score(**facts).total


@given(FACTS, st.integers(0, 100))
def test_who_has_more_open_business_never_comes_later(facts: dict[str, Any], more: int) -> None:
    assert score(**{**facts, "open_business": facts["open_business"] + more}).total >= score(**facts).total


@given(FACTS, st.floats(0, 1_000))
def test_who_replied_more_recently_never_comes_later(facts: dict[str, Any], longer: float) -> None:
    ago = facts["days_since_reply"]
    before = None if ago is None else ago + longer
    assert score(**facts).total >= score(**{**facts, "days_since_reply": before}).total


@given(FACTS)
def test_a_score_lies_between_nothing_and_a_thousand(facts: dict[str, Any]) -> None:
    assert 0 <= score(**facts).total <= 1000 == LATENESS + VALUE + BUSINESS + RECENCY


@pytest.mark.parametrize(
    ("facts", "points"),
    [
        ({"days_overdue": 7}, {"lateness": 200.0}),
        ({"account_value": 1_000_000}, {"value": 250.0}),
        ({"open_business": 2}, {"business": 100.0}),
        ({"days_since_reply": 45}, {"recency": 75.0}),
        ({}, {"total": 0}),
    ],
)
def test_the_documented_points(facts: dict[str, Any], points: dict[str, float]) -> None:
    nobody = {"days_overdue": 0, "account_value": 0, "open_business": 0, "days_since_reply": None}
    told = score(**{**nobody, **facts}).told()
    assert {name: told[name] for name in points} == points
