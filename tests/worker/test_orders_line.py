"""Orders and goals from the command line: seen, decided with a reason, tried first."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain import orders, settings, tenants
from domain.db import Database
from engines.contract import Context
from engines.orders import checking
from tests import build, gears
from tests.worker.line import Line, Spoken, move_in


@pytest.fixture
def hh(
    cloned: gears.Clone, clone: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Line:  # fmt: skip
    """The command line of acme, which has one faulty order."""
    move_in(monkeypatch, cloned.url(), tmp_path)
    line = Line(capsys, monkeypatch)
    line("tenant", "add", "acme", "--name", "Acme")
    acme = tenants.by_slug(clone, "acme").tenant_id
    with clone.tenant(acme) as tx:
        made = orders.put(tx, external_id="A-1", number="PO-7", client_id=build.client(tx), fee="0").id
        checking.check(Context(tx, settings.of(tx)), made)
    return line


def test_an_order_from_its_exception_to_its_end(hh: Line) -> None:
    assert [(each["order"], each["status"]) for each in hh("orders", "list")] == [("PO-7", "new")]
    [wrong] = hh("orders", "exceptions", "--code", "FEE_NOT_POSITIVE")
    with pytest.raises(Spoken, match="TOTAL_MISSING is wrong with order PO-7; say which: --code, or its id"):
        hh("orders", "waive", "PO-7", "--reason", "a gift")
    tried = hh("orders", "waive", "po-7", "--code", "FEE_NOT_POSITIVE", "--reason", "a gift", "--dry-run")
    assert (tried["state"], tried["done"]) == ("waived", False)
    assert hh("orders", "waive", wrong["id"], "--reason", "a gift")["done"]
    with pytest.raises(Spoken, match="there is no open exception"):
        hh("orders", "resolve", wrong["id"], "--reason", "again")
    shown = hh("orders", "show", "po-7")
    assert shown["queue"]["state"] == "exceptions"
    assert {each["code"] for each in shown["exceptions"]} == {"TOTAL_MISSING"}
    with pytest.raises(Spoken, match="confirm a draft with `new`"):
        hh("orders", "move", "A-1", "accepted")
    assert hh("orders", "move", "A-1", "cancelled", "--reason", "not wanted")["status"] == "cancelled"
    with pytest.raises(Spoken, match="there is no order A-2"):
        hh("orders", "show", "A-2")


def test_a_goal_is_set_listed_and_given_up(hh: Line) -> None:
    span = ("--from", "2020-01-01", "--to", "2199-12-31")
    assert not hh("goals", "set", "orders", "5", *span, "--dry-run")["done"]
    goal = hh("goals", "set", "orders", "5", *span)
    [told] = hh("goals", "list")
    assert (told["id"], told["target"], told["actual"]) == (goal["id"], "5.00", "0")
    with pytest.raises(Spoken, match="currency: revenue is counted in one"):
        hh("goals", "set", "revenue", "5", *span)
    assert hh("goals", "remove", goal["id"])["done"]
