"""Every rule, allowing and stopping, over real rows: arranged, gathered, judged."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from policy import hindsight
from policy.judge import CLAUSES, RULES, judge, sentence
from tests.hand_clock import HandClock
from tests.policy.cases import Case, all_cases
from tests.policy.world import World, entered
from tests.reused import Reused

CLAUSES_OF_P23 = {
    "P2.3.1.ground", "P2.3.1.client_request", "P2.3.1.compliance_deadline", "P2.3.1.safety_escalation",
    "P2.3.2.exhausted", "P2.3.2.need",
    "P2.3.3.suppressed", "P2.3.3.bounced", "P2.3.3.complained", "P2.3.3.opted_out", "P2.3.3.hourly_cap",
    "P2.3.3.account_cap", "P2.3.3.campaign_cap", "P2.3.3.minimum_gap", "P2.3.3.send_window", "P2.3.3.business_day",
    "P2.3.3.public_holiday", "P2.3.3.one_thread", "P2.3.3.reply_stops", "P2.3.3.person_writing",
    "P2.3.3.automatic_message", "P2.3.3.marks_automatic", "P2.3.3.list_unsubscribe", "P2.3.3.one_click",
    "P2.3.3.follow_ups",
    "P2.3.4.payment_details", "P2.3.4.credentials", "P2.3.4.personal_numbers", "P2.3.4.price_promise",
    "P2.3.4.discount_promise", "P2.3.4.deadline_promise", "P2.3.4.legal_threat", "P2.3.4.bulk_delete",
    "P2.3.4.mass_recipients", "P2.3.4.unknown_links",
    "P2.3.5.own_contact",
}  # fmt: skip


PACED = {"no_spam.minimum_gap", "no_spam.follow_ups"}


@pytest.fixture
def world(reused: Reused, clock: HandClock) -> Iterator[World]:
    with entered(reused, clock) as world:
        yield world


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_a_rule_says_what_the_rows_call_for(world: World, case: Case) -> None:
    card = case.arrange(world)
    facts = world.facts(card)
    judged = judge(facts)
    [said] = [verdict for verdict in judged.verdicts if verdict.rule == case.rule]
    assert (said.decision, judged.decision) == (case.decision, case.overall or case.decision), judged.deciding
    if case.until is not None:
        assert said.until == case.until
    stored = json.loads(json.dumps([verdict.stored() for verdict in judged.verdicts]))
    # what is kept of the facts is enough to come to the same again, by every rule that a setting sways
    told = json.loads(json.dumps(hindsight.keep(facts)))
    past = hindsight.Past(facts.card, facts.now, told)
    most = world.house.brakes.send_mode
    again = hindsight.again(past, facts.settings, most=most, used=facts.used, public_url=world.house.public_url)
    then = {each.rule: each.decision for each in hindsight.verdicts(again, stored)}
    if facts.person is not None and not facts.holding and any(each.held for each in facts.person.sent):
        # what a mode held back is taken for sent, so that these may be stricter
        then |= {each.rule: each.decision for each in judged.verdicts if each.rule in PACED}
    assert then == {each.rule: each.decision for each in judged.verdicts}


def test_every_clause_of_the_policy_has_a_rule() -> None:
    assert {clause for clause in CLAUSES if clause.startswith("P2.3.")} == CLAUSES_OF_P23


def test_each_rule_has_a_case_that_allows_and_one_that_stops() -> None:
    decisions: dict[str, set[str]] = {rule: set() for rule in RULES}
    for case in all_cases():
        decisions[case.rule].add(case.decision)
    assert not [rule for rule, said in decisions.items() if "allow" not in said or said == {"allow"}]


def test_each_rule_explains_itself_in_a_sentence() -> None:
    for rule in RULES:
        told = sentence(rule)
        assert told.endswith("."), rule
        assert 20 < len(told) < 220, rule
        assert RULES[rule].judge.__name__.count("_") >= 2, rule


def test_an_unknown_rule_is_told_by_its_id() -> None:
    assert sentence("rule.of_old") == "rule.of_old"
