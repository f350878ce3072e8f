"""Orders and goals through the API: what is wrong is shown, decided by people with a reason, and checked again."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain import order_queue, orders, products, settings
from domain.orders import Line
from engines.contract import Context
from engines.orders import checking
from tests import build
from tests.admin_api.desk import Desk, assert_problem


@pytest.fixture
def order(desk: Desk) -> str:
    """An order of acme's whose fee is far off and whose total is below it."""
    with desk.inside() as tx:
        products.put(tx, code="APR", name="Appraisal", price="100.00")
        made = orders.put(tx, external_id="A-1", client_id=build.client(tx), fee="900.10", tech_fee="0",
                          total_amount="1", lines=[Line("Appraisal", code="APR")]).id  # fmt: skip
        checking.check(Context(tx, settings.of(tx)), made)
        return str(made)


def test_an_order_is_shown_with_what_is_wrong_and_its_amounts_exactly(desk: Desk, order: str) -> None:
    [row] = desk.get("/v1/orders?status=new", "acme.analyst")["items"]
    assert (row["fee"], row["total_amount"], row["external_id"]) == ("900.10", "1.00", "A-1")
    shown = desk.get(f"/v1/orders/{order}")
    assert [each["code"] for each in shown["exceptions"]] == ["FEE_OFF_CATALOGUE", "TOTAL_BELOW_FEE"]
    assert (shown["queue"]["state"], shown["lines"][0]["code"]) == ("exceptions", "APR")
    assert [each["order_id"] for each in desk.get("/v1/order-queue")["items"]] == [order]
    assert desk.get("/v1/order-queue?state=valid")["items"] == []
    assert len(desk.get("/v1/order-exceptions?code=TOTAL_BELOW_FEE")["items"]) == 1
    assert desk.get("/v1/products")["items"][0]["price"] == "100.00"
    assert_problem(desk.ask("GET", f"/v1/orders/{UUID(int=1)}"), 404)
    # globex sees nothing of it
    assert desk.get("/v1/orders", "globex.admin")["items"] == []
    assert_problem(desk.ask("GET", f"/v1/orders/{order}", "globex.admin"), 404)


def test_people_resolve_and_waive_with_a_reason_and_once(desk: Desk, order: str) -> None:
    fee, total = desk.get("/v1/order-exceptions")["items"][::-1]
    waive = f"/v1/order-exceptions/{fee['id']}/waive"
    assert_problem(desk.post(waive, {"reason": "agreed"}, "acme.analyst"), 403)
    assert_problem(desk.post(waive, {}), 422)
    first = desk.post(waive, {"reason": "agreed"}, "acme.operator", key="k")
    assert (first.status_code, first.json()["state"], first.json()["reason"]) == (200, "waived", "agreed")
    assert desk.post(waive, {"reason": "agreed"}, "acme.operator", key="k").json() == first.json()
    assert_problem(desk.post(waive, {"reason": "agreed"}), 404)
    resolved = desk.post(f"/v1/order-exceptions/{total['id']}/resolve", {"reason": "mended"})
    assert resolved.json()["closed_by"].startswith("admin (key ")
    with desk.inside() as tx:
        assert order_queue.get(tx, UUID(order)) is not None
        told = tx.value("SELECT count(*) FROM reactions_due WHERE tenant_id = :t", t=tx.tenant_id)
        assert told == 2


def test_an_order_is_moved_only_where_it_can_go(desk: Desk, order: str) -> None:
    moved = desk.post(f"/v1/orders/{order}/move", {"to": "cancelled", "reason": "not wanted"}).json()
    assert (moved["status"], moved["queue"]["state"], moved["exceptions"]) == ("cancelled", "closed", [])
    assert_problem(desk.post(f"/v1/orders/{order}/move", {"to": "delivered"}), 422)


def test_credit_is_put_and_told(desk: Desk, order: str) -> None:
    client = desk.get(f"/v1/orders/{order}")["client_id"]
    path = f"/v1/clients/{client}/credit"
    assert desk.get(path) is None
    told = desk.ask("PUT", path, json={"terms": "bill", "credit_limit": "1000", "outstanding_balance": "0.10"}).json()
    assert (told["credit_limit"], told["available"], told["terms"]) == ("1000.00", "999.90", "bill")
    assert desk.get(path) == told
    assert_problem(desk.ask("PUT", path, json={"credit_limit": 0.1}), 422)
    # how many decimals an amount may have, its currency says
    assert_problem(desk.ask("PUT", path, json={"currency": "USD", "credit_limit": "12.345"}), 422)
    dinars = desk.ask("PUT", path, json={"currency": "KWD", "credit_limit": "12.345"}).json()
    assert (dinars["currency"], dinars["credit_limit"]) == ("KWD", "12.345")
    assert_problem(desk.ask("PUT", path, json={"credit_limit": "12.3456"}), 422)


def test_goals_are_set_shown_and_given_up(desk: Desk) -> None:
    body = {
        "metric": "revenue",
        "starts_on": "2026-03-01",
        "ends_on": "2026-03-31",
        "target": "1000",
        "currency": "usd",
    }
    goal = desk.post("/v1/goals", body, "acme.operator").json()
    assert (goal["target"], goal["behind"], goal["thin"]) == ("1000.00", True, True)
    assert desk.post("/v1/goals", body).json()["id"] == goal["id"]
    assert desk.get("/v1/goals", "acme.analyst")["items"] == [goal]
    assert_problem(desk.post("/v1/goals", {**body, "currency": None}), 422)
    assert desk.ask("DELETE", f"/v1/goals/{goal['id']}").json() == {"removed": True}
    assert_problem(desk.ask("DELETE", f"/v1/goals/{goal['id']}"), 404)
