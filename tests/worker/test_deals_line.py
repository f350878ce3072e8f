"""Deals from the command line: found by either name, tried without being done, moved with what was said."""

from __future__ import annotations

import json

import pytest

from domain import tenants
from domain.db import Database
from tests import build
from tests.worker.line import Line, Spoken


def test_a_deal_is_moved_by_its_reference_and_a_dry_run_moves_nothing(hh: Line, clone: Database) -> None:
    hh("tenant", "add", "acme", "--name", "Acme")
    with clone.tenant(tenants.by_slug(clone, "acme").tenant_id) as tx:
        deal_id = build.deal(tx, external_id="D-1")
    assert not hh("deals", "stage", "D-1", "proposal", "--evidence", "they asked", "--dry-run")["done"]
    assert [each["stage"] for each in hh("deals", "list")] == ["new"]
    assert [each["id"] for each in hh("deals", "list", "--due")] == [str(deal_id)]
    assert hh("deals", "stage", "D-1", "proposal", "--evidence", "they asked")["stage"] == "proposal"
    assert not hh("deals", "off", str(deal_id), "--reason", "I call him")["automation"]
    assert hh("deals", "list", "--due") == []
    assert hh("deals", "on", "D-1")["automation"]
    assert hh("deals", "lose", "D-1", "--reason", "too dear")["state"] == "lost"
    assert hh("deals", "list") == []
    assert hh("deals", "reopen", "D-1", "--reason", "a new budget")["state"] == "open"
    assert hh("deals", "win", "D-1", "--reason", "signed")["state"] == "won"
    told = hh("deals", "show", "D-1")
    assert [each["stage"] for each in told["history"]] == ["new", "proposal", "lost", "proposal", "won"]
    assert hh("deals", "stats")["win_rate"] == 1.0
    stages = hh("deals", "stages")
    stages[0]["stall_days"] = 3
    wished = json.dumps([*stages[:2], stages[3]])
    with pytest.raises(Spoken, match="deals stand in proposal"):
        hh("deals", "set-stages", "-", stdin=wished)
    assert not hh("deals", "set-stages", "-", "--renamed", "proposal=negotiation", "--dry-run", stdin=wished)["done"]
    assert hh("deals", "set-stages", "-", "--renamed", "proposal=negotiation", stdin=wished)["done"]
    assert [(each["key"], each["stall_days"]) for each in hh("deals", "stages")] == [
        ("new", 3), ("qualified", 12), ("negotiation", 7)]  # fmt: skip
    for wrong in ("{}", "[{}]", "no", json.dumps([{**stages[0], "win_probability": "much"}])):
        with pytest.raises(Spoken, match=r"FILE|stage 1"):
            hh("deals", "set-stages", "-", stdin=wrong)
    with pytest.raises(Spoken, match="no deal 'D-2'"):
        hh("deals", "show", "D-2")
