"""Products, orders and deals from live systems: the same again is no news, and a wrong row stops none of the others."""

from __future__ import annotations

from domain import deals, orders, products
from tests import build
from tests.admin_api.desk import Desk


def test_a_live_system_may_repeat_everything_it_says(desk: Desk) -> None:
    with desk.inside() as tx:
        build.client(tx, external_id="k1")
    product = {"code": "app-1", "name": "Appraisal", "price": "500.00"}
    order = {"external_id": "o-1", "client_external_id": "k1", "total_amount": "500.00",
             "lines": [{"description": "Appraisal", "code": "APP-1", "unit_price": "500.00"}]}  # fmt: skip
    deal = {"external_id": "d-1", "client_external_id": "k1", "title": "Renewal", "value": "1200.50"}
    for path, body, change in (("products", product, {"name": "Full appraisal"}), ("orders", order, {"number": "A-7"}),
                               ("deals", deal, {"title": "Renewal 2027"})):  # fmt: skip
        first, again = (desk.post(f"/v1/{path}", body).json() for _ in range(2))
        assert (first["created"], again) == (True, {"id": first["id"], "created": False, "changed": []}), path
        changed = desk.ask("PATCH", f"/v1/{path}/{first['id']}", json=change)
        assert changed.json()["changed"] == list(change), path
        missing = desk.ask("PATCH", f"/v1/{path}/{first['id'][:-4]}ffff", json=change)
        assert missing.status_code == 404, path
    with desk.inside() as tx:
        assert str(products.listed(tx)[0].price) == "500.00"
        assert str(orders.by_external_id(tx, "o-1").total_amount) == "500.00"
        found = deals.by_external_id(tx, "d-1")
        assert found is not None
        assert str(found.value) == "1200.50"


def test_many_at_once_are_answered_one_by_one(desk: Desk) -> None:
    with desk.inside() as tx:
        build.client(tx, external_id="k1")
    told = desk.post("/v1/orders/bulk", {"rows": [
        {"external_id": "o-1", "client_external_id": "k1"}, {"external_id": "o-2", "client_external_id": "nobody"},
        {"external_id": "o-3", "client_external_id": "k1", "fee": "a lot"},
    ]}).json()  # fmt: skip
    assert [row["field"] for row in told["rows"]] == [None, "client_external_id", "fee"]
    assert (told["created"], told["refused"]) == (1, 2)
