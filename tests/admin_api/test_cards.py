"""Cards through the API: why, the preview that binds an approval, and a person's yes, no, not yet and other words."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain import approval, settings
from engines.registry import ENGINES
from jobs import judge
from policy.judge import RULES
from tests import build
from tests.admin_api.desk import Desk, assert_problem, waiting_card


@pytest.fixture
def card(desk: Desk) -> str:
    """A mail of acme's that waits for a person."""
    with desk.inside() as tx:
        return str(waiting_card(tx).id)


def test_a_waiting_card_is_listed_shown_and_approved_as_it_was_seen(desk: Desk, card: str) -> None:
    assert [each["id"] for each in desk.get("/v1/approvals")["items"]] == [card]
    shown = desk.get(f"/v1/cards/{card}/preview")
    assert shown["to"] == ["bill@initech.example"]
    assert "How are you?" in shown["text"]
    answer = desk.post(f"/v1/cards/{card}/approve", {"seen": shown["seen"]}, "acme.operator")
    assert (answer.status_code, answer.json()["state"]) == (200, "queued")
    assert answer.json()["approved_by"].startswith("operator (key ")
    assert desk.get("/v1/approvals")["items"] == []
    assert desk.get("/v1/audit")["items"][0]["action"] == "card.approve"


@pytest.mark.parametrize("change", ["words", "policy", "thread"])
def test_an_approval_of_what_has_changed_since_is_void(desk: Desk, card: str, change: str) -> None:
    seen = desk.get(f"/v1/cards/{card}/preview")["seen"]
    if change == "words":
        with desk.inside() as tx:
            approval.edit(tx, UUID(card), payload={"text": "Something else entirely"})
    elif change == "policy":
        answer = desk.ask("PATCH", "/v1/tenant/settings", json={"settings": {"max_emails_per_hour": 3}})
        assert answer.status_code == 200
    else:
        with desk.inside() as tx:
            tx.run("UPDATE kanban_cards SET thread_id = :thread WHERE id = :id", thread=tx.clock.uuid(), id=card)
    assert_problem(desk.post(f"/v1/cards/{card}/approve", {"seen": seen}), 409)
    assert desk.get(f"/v1/cards/{card}")["state"] == "awaiting_approval"
    fresh = desk.get(f"/v1/cards/{card}/preview")["seen"]
    assert fresh != seen
    assert desk.post(f"/v1/cards/{card}/approve", {"seen": fresh}).status_code == 200


def test_other_words_are_shown_anew_and_need_their_own_yes(desk: Desk, card: str) -> None:
    before = desk.get(f"/v1/cards/{card}/preview")["seen"]
    edited = desk.ask("PATCH", f"/v1/cards/{card}", json={"subject": "Good morning", "text": "Kind words."}).json()
    assert edited["subject"] == "Good morning"
    assert "Kind words." in edited["text"]
    assert_problem(desk.post(f"/v1/cards/{card}/approve", {"seen": before}), 409)
    assert desk.post(f"/v1/cards/{card}/approve", {"seen": edited["seen"]}).status_code == 200


@pytest.mark.parametrize("body", [{}, {"subject": "a\r\nBcc: x@y.example"}, {"subject": ""}, {"text": " "},
                                  {"to": "x@y.example"}, {"text": "x" * 20_001}])  # fmt: skip
def test_words_that_cannot_be_used_are_refused(desk: Desk, card: str, body: dict[str, Any]) -> None:
    assert_problem(desk.ask("PATCH", f"/v1/cards/{card}", json=body), 422)


def test_a_no_has_its_reason_and_is_final(desk: Desk, card: str) -> None:
    assert_problem(desk.post(f"/v1/cards/{card}/reject", {"reason": " "}), 422)
    rejected = desk.post(f"/v1/cards/{card}/reject", {"reason": "wrong person"}).json()
    assert rejected["state"] == "rejected"
    assert "wrong person" in rejected["reason"]
    for verb, body in (("approve", {"seen": "0" * 64}), ("reject", {"reason": "again"}),
                       ("snooze", {"until": "2026-03-03T09:00:00Z"})):  # fmt: skip
        assert_problem(desk.post(f"/v1/cards/{card}/{verb}", body), 409)
    assert_problem(desk.ask("GET", f"/v1/cards/{card}/preview"), 409)


def test_not_yet_is_at_most_thirty_days(desk: Desk, card: str) -> None:
    for until in ("2026-03-01T09:00:00Z", "2026-05-01T09:00:00Z"):
        assert_problem(desk.post(f"/v1/cards/{card}/snooze", {"until": until}), 409)
    snoozed = desk.post(f"/v1/cards/{card}/snooze", {"until": "2026-03-05T09:00:00+01:00"}).json()
    assert (snoozed["state"], snoozed["not_before"]) == ("awaiting_approval", "2026-03-05T08:00:00Z")


def test_why_gives_every_rules_verdict_with_its_sentence_and_facts(desk: Desk) -> None:
    desk.house.clock.advance(hours=6)  # type: ignore[attr-defined] # within the send window of New York
    with desk.inside() as tx:
        made = build.card(tx, build.contact(tx))
        settings.change(tx, {"send_mode": "dry_run"})
        judge.triage(desk.house, tx, ENGINES, [made], settings.of(tx))
    told = desk.get(f"/v1/cards/{made.id}/why", "acme.analyst")
    [judgement] = told["judgements"]
    assert judgement["decision"] == "hold"
    assert len(judgement["verdicts"]) > 10
    for verdict in judgement["verdicts"]:
        assert verdict["sentence"] == RULES[verdict["rule"]].sentence
        assert verdict["reason"]
    held = next(verdict for verdict in judgement["verdicts"] if verdict["rule"] == "modes.dry_run")
    assert (held["decision"], held["facts"]) == ("hold", held["facts"])
    assert held["facts"]
    assert told["mail"]["state"] == "held"
    assert [line["type"] for line in told["story"]] == ["card.proposed", "card.held"]
    assert "held" in told["answer"]


def test_the_rules_can_be_read(desk: Desk) -> None:
    told = desk.get("/v1/policy/rules", "acme.analyst")["items"]
    assert [each["id"] for each in told] == list(RULES)
    assert all(each["sentence"] and each["clause"] for each in told)


def test_cards_are_found_by_state_type_and_contact(desk: Desk, card: str) -> None:
    with desk.inside() as tx:
        other = build.contact(tx, email="eva@initech.example")
        build.card(tx, other, kind="send_email")
    assert len(desk.get("/v1/cards")["items"]) == 2
    assert [each["id"] for each in desk.get("/v1/cards?state=awaiting_approval")["items"]] == [card]
    assert [each["type"] for each in desk.get("/v1/cards?type=send_email")["items"]] == ["send_email"]
    assert [each["contact_id"] for each in desk.get(f"/v1/cards?contact={other}")["items"]] == [str(other)]
    assert desk.get("/v1/cards", "globex.admin")["items"] == []


def test_what_a_card_changed_is_taken_back_by_an_operator_and_why_says_so(desk: Desk) -> None:
    from domain import executions, tasks

    with desk.inside() as tx:
        card = build.card(tx, build.contact(tx), state="queued", kind="create_task")
        mine = executions.reserve(tx, card, owner="test", fence=1, lease_seconds=15, idempotency_key=None)
        task = tasks.create(tx, title="Call", basis="client_request", evidence={"message_id": "m", "quote": "call me"})
        undo = {"verb": "tasks.finish", "task_id": str(task.id), "state": "cancelled"}
        executions.settle(tx, mine, "done", outcome={"undo": undo})
    path = f"/v1/cards/{card.id}/undo"
    assert desk.get(f"/v1/cards/{card.id}/why")["undo"]["possible"]
    assert_problem(desk.post(path, {"reason": "x"}, "acme.analyst"), 403)
    assert_problem(desk.post(path, {"reason": "x"}, "globex.admin"), 404)
    answer = desk.post(path, {"reason": "they called already"}, "acme.operator", key="once")
    assert answer.json()["outcome"]["undone"]["reason"] == "they called already"
    assert desk.post(path, {"reason": "they called already"}, "acme.operator", key="once").json() == answer.json()
    assert not desk.get(f"/v1/cards/{card.id}/why")["undo"]["possible"]
    with desk.inside() as tx:
        mail = build.card(tx, build.contact(tx))
    assert "called back" in assert_problem(desk.post(f"/v1/cards/{mail.id}/undo", {"reason": "x"}), 409)["detail"]
