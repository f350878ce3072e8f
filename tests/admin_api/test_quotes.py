"""The front desk's quotes: drafted, changed, sent and answered by the same verbs as everywhere, each tenant its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain import products, quote_life, quotes
from domain.quote_life import Sending
from tests import build
from tests.admin_api.desk import Desk, assert_problem


def drafted(desk: Desk) -> dict[str, Any]:
    with desk.inside() as tx:
        products.put(tx, code="BOX", name="Carton box", price="2.50")
        account = build.client(tx)
        person = build.contact(tx, account)
    body = {"client_id": str(account), "contact_id": str(person), "discount_percent": "10",
            "lines": [{"code": "box", "quantity": "100"}, {"description": "Ribbon"}]}  # fmt: skip
    answer = desk.post("/v1/quotes", body)
    assert answer.status_code == 201
    told: dict[str, Any] = answer.json()
    return told


def test_a_quote_is_drafted_completed_sent_and_answered(desk: Desk) -> None:
    made = drafted(desk)
    assert (made["number"], made["total"], made["unpriced"]) == ("Q-0001", "225.00", 1)
    assert (made["message_id"], made["evidence"]) == (None, {})
    path = f"/v1/quotes/{made['id']}"
    assert_problem(desk.post(f"{path}/send", {}), 422)
    changed = desk.ask("PATCH", path, json={"lines": [{"code": "BOX", "quantity": "100"}]}).json()
    assert [line["unit_price"] for line in changed["lines"]] == ["2.50"]
    assert desk.post(f"{path}/send", {}).json()["offered_at"]
    assert_problem(desk.post(f"{path}/accept", {"by": "Bill"}), 409)
    with desk.inside() as tx:
        card = build.card(tx, UUID(made["contact_id"]), subject_type="quote", subject_id="1")
        quote_life.went_out(tx, [Sending(UUID(made["id"]), 1, card.id, 0, tx.now, quotes.valid_until(tx))])
        tx.run("UPDATE quotes SET follow_up_due_at = :now WHERE tenant_id = :t", now=tx.now, t=tx.tenant_id)
    figures = desk.get("/v1/quotes/stats", "acme.analyst")
    assert (figures["open"], figures["value"], figures["sent"], figures["accepted_rate"]) == (
        1,
        {"USD": "225.00"},
        1,
        0,
    )
    assert [each["number"] for each in desk.get("/v1/quotes?due=true", "acme.analyst")["items"]] == ["Q-0001"]
    assert_problem(desk.post(f"{path}/reject", {"by": "Bill"}), 422)
    done = desk.post(f"{path}/reject", {"by": "Bill", "reason": "too dear"}).json()
    assert (done["status"], done["reason"], done["answered_by"]) == ("rejected", "too dear", "Bill")
    assert [each["kind"] for each in done["activities"]][:2] == ["rejected", "sent"]
    assert_problem(desk.post(f"{path}/withdraw", {"reason": "ours"}), 409)
    assert desk.get("/v1/quotes?due=true", "acme.analyst")["items"] == []
    assert desk.get("/v1/quotes/stats", "globex.admin")["sent"] == 0


def test_amounts_have_as_many_decimals_as_their_currency(desk: Desk) -> None:
    with desk.inside() as tx:
        account = str(build.client(tx))
    line = {"description": "Shelves", "quantity": "1.5", "unit_price": "1.235"}
    made = desk.post("/v1/quotes", {"client_id": account, "currency": "KWD", "lines": [line]})
    assert (made.status_code, made.json()["total"]) == (201, "1.853")
    assert_problem(desk.post("/v1/quotes", {"client_id": account, "currency": "USD", "lines": [line]}), 422)


def test_quotes_are_listed_for_their_own_tenant_alone(desk: Desk) -> None:
    made = drafted(desk)
    [row] = desk.get("/v1/quotes?status=draft", "acme.analyst")["items"]
    assert row["id"] == made["id"]
    assert desk.get("/v1/quotes?status=sent", "acme.analyst")["items"] == []
    assert desk.get("/v1/quotes", "globex.admin")["items"] == []
    assert_problem(desk.ask("GET", f"/v1/quotes/{made['id']}", "globex.admin"), 404)
    assert_problem(desk.ask("GET", f"/v1/quotes/{UUID(int=1)}"), 404)
    gone = desk.post(f"/v1/quotes/{made['id']}/withdraw", {"reason": "by mistake"}).json()
    assert gone["status"] == "withdrawn"
