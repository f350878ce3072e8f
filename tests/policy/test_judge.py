"""Judging: every rule is asked, the strictest decides, and an approval counts for exactly what was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain import violations
from domain.ports import OutboundMail
from policy import register
from policy.judge import CLAUSES, RULES, content_hash
from policy.model import Facts
from policy.register import DoubledRule, Rule
from policy.verdicts import STRICTEST_FIRST, Judgement, Verdict

MAIL = OutboundMail(
    UUID(int=1), "key", "<m@acme.example>", "Ana <ana@acme.example>", ("bill@initech.example",), "Hello", "Text",
    headers={"In-Reply-To": "<a@b>", "Auto-Submitted": "auto-generated"}, tags={"card": "1"},
)  # fmt: skip
SEEN = content_hash(MAIL, None, 1)


@pytest.mark.parametrize("stricter", range(len(STRICTEST_FIRST) - 1))
def test_the_stricter_verdict_decides(stricter: int) -> None:
    some = [Verdict(f"rule.{decision}", decision, "") for decision in STRICTEST_FIRST[stricter:]]
    assert Judgement(tuple(reversed(some))).decision == STRICTEST_FIRST[stricter]


def test_of_several_deferrals_the_one_that_ends_last_decides() -> None:
    early, late = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 2, 17, tzinfo=UTC)
    some = Verdict("a", "defer", "", {}, early), Verdict("b", "defer", "", {}, late), Verdict("c", "hold", "")
    assert Judgement(some).deciding.rule == "b"


@pytest.mark.parametrize(
    "other",
    [
        replace(MAIL, text="Text "), replace(MAIL, subject="hello"), replace(MAIL, html="<p>Text</p>"),
        replace(MAIL, bcc=("x@y.example",)), replace(MAIL, cc=("x@y.example",)), replace(MAIL, to=()),
        replace(MAIL, sender="Eve <ana@acme.example>"), replace(MAIL, reply_to="x@y.example"),
        replace(MAIL, headers={**MAIL.headers, "In-Reply-To": "<c@d>"}),
    ],
)  # fmt: skip
def test_whatever_a_person_sees_is_in_the_hash(other: OutboundMail) -> None:
    assert content_hash(other, None, 1) != SEEN


def test_thread_and_policy_are_in_the_hash() -> None:
    assert content_hash(MAIL, UUID(int=2), 1) != SEEN
    assert content_hash(MAIL, None, 2) != SEEN
    assert content_hash(None, None, 1, {"a": 1}) != content_hash(None, None, 1, {"a": 2})


def test_what_the_approval_itself_changes_is_not_in_the_hash() -> None:
    headers = {"In-Reply-To": "<a@b>"}
    assert content_hash(replace(MAIL, headers=headers, idempotency_key="other", message_id="<n@x>"), None, 1) == SEEN


def test_facts_are_stored_as_json_has_them() -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    told = violations.told(
        Verdict("a", "defer", "b", {"at": at, "ids": frozenset({UUID(int=1)}), "n": (1, {"x": None})}, at).stored()
    )
    assert told["facts"] == {"at": at.isoformat(), "ids": [str(UUID(int=1))], "n": [1, {"x": None}]}
    assert told["until"] == at.isoformat()


def test_what_is_left_out_of_a_stored_verdict_is_told_all_the_same() -> None:
    plain, full = Verdict("a", "allow", "nothing against it"), Verdict("b", "hold", "a mode", {"mode": "dry_run"})
    assert plain.stored() == "a", "most of some forty verdicts per card say no more than this"
    assert [violations.told(each.stored()) for each in (plain, full)] == [
        {"rule": "a", "decision": "allow", "reason": "nothing against it", "facts": {}, "until": None},
        {"rule": "b", "decision": "hold", "reason": "a mode", "facts": {"mode": "dry_run"}, "until": None},
    ]


def test_a_rule_is_registered_once() -> None:
    def nothing(facts: Facts, it: Rule) -> Verdict | None:
        return None

    with pytest.raises(DoubledRule):
        register.rule(next(iter(RULES)), clause="P2.0")(nothing)


def test_each_rule_keeps_one_clause() -> None:
    assert sorted(rule for rules in CLAUSES.values() for rule in rules) == sorted(RULES)


def test_discovering_contacts_is_never_kept_back_as_research() -> None:
    assert not any(rule.id.startswith("research.") for rule in RULES.values() if rule.applies_to("discover_contacts"))
