"""Deals through the API: what a person says moves them, and every answer is as exact as the record."""

from __future__ import annotations

import pytest

from domain import deals
from tests import build
from tests.admin_api.desk import Desk, assert_problem


@pytest.fixture
def deal(desk: Desk) -> str:
    """An open deal of acme's."""
    with desk.inside() as tx:
        return str(build.deal(tx, value="1200.5000", currency="EUR"))


def test_a_deal_is_listed_moved_closed_and_taken_up_again_with_what_was_said(desk: Desk, deal: str) -> None:
    assert [each["id"] for each in desk.get("/v1/deals?stage=New&state=open", "acme.analyst")["items"]] == [deal]
    assert desk.get(f"/v1/deals/{deal}")["value"] == "1200.5000"
    moved = desk.post(f"/v1/deals/{deal}/stage", {"stage": "Proposal", "evidence": "they asked"}, "acme.operator")
    assert (moved.status_code, moved.json()["stage"]) == (200, "proposal")
    told = desk.get("/v1/pipeline")
    assert (told["open"], told["value"], told["weighted"]) == (1, {"EUR": "1200.5000"}, {"EUR": "600.25"})
    once = [desk.post(f"/v1/deals/{deal}/win", {"reason": "signed"}, key="k-1").json()["state"] for _ in range(2)]
    assert once == ["won", "won"]
    assert_problem(desk.post(f"/v1/deals/{deal}/lose", {"reason": "no"}), 409)
    assert desk.post(f"/v1/deals/{deal}/reopen", {"reason": "that was another"}).json()["state"] == "open"
    chapters = desk.get(f"/v1/deals/{deal}/history")["items"]
    assert [(each["stage"], each["evidence_what"]) for each in chapters][1:] == [
        ("proposal", "they asked"), ("won", "signed"), ("proposal", "that was another")]  # fmt: skip
    assert desk.get("/v1/pipeline")["won"] == 0


def test_a_deal_is_left_to_people_and_what_they_do_is_logged(desk: Desk, deal: str) -> None:
    off = desk.ask("PUT", f"/v1/deals/{deal}/automation", json={"on": False, "reason": "mine"}).json()
    assert (off["automation"], off["automation_reason"]) == (False, "mine")
    assert desk.post(f"/v1/deals/{deal}/activity", {"kind": "call", "words": "he is back in May"}).status_code == 201
    [call] = desk.get(f"/v1/deals/{deal}/activity")["items"]
    assert (call["kind"], call["words"], call["link"]) == ("call", "he is back in May", "said")


def test_stages_are_set_as_a_whole_and_a_wrong_one_is_named(desk: Desk, deal: str) -> None:
    assert [each["key"] for each in desk.get("/v1/deal-stages")["items"]] == [
        "new", "qualified", "proposal", "negotiation"]  # fmt: skip
    own = {"key": "lead", "name": "Lead", "win_probability": "0.3", "stall_days": 9, "follow_up_days": 2}
    assert_problem(desk.ask("PUT", "/v1/deal-stages", json={"stages": [own]}), 422)
    answer = desk.ask("PUT", "/v1/deal-stages", json={"stages": [own], "renamed": {"new": "lead"}})
    assert [each["key"] for each in answer.json()["items"]] == ["lead"]
    assert desk.get(f"/v1/deals/{deal}")["stage"] == "lead"
    assert_problem(desk.ask("PUT", "/v1/deal-stages", "acme.operator", json={"stages": [own]}), 403)


def test_one_tenant_sees_nothing_of_anothers_deals(desk: Desk, deal: str) -> None:
    assert desk.get("/v1/deals", "globex.admin")["items"] == []
    for path in ("", "/history", "/activity"):
        assert_problem(desk.ask("GET", f"/v1/deals/{deal}{path}", "globex.admin"), 404)
    assert_problem(desk.post(f"/v1/deals/{deal}/win", {"reason": "mine now"}, "globex.admin"), 404)
    with desk.inside() as tx:
        assert [each.state for each in deals.listed(tx)] == ["open"]
