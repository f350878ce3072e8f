"""The front desk's feedback: requests listed, skipped and answered by the same verbs, and a page behind its link."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from domain import feedback, feedback_life, orders
from domain.feedback import Request
from domain.feedback_life import Mail
from domain.page_links import FEEDBACK, QUOTE
from tests import build
from tests.admin_api.desk import Desk, assert_problem

BROWSER = {"user-agent": "Mozilla/5.0 (Macintosh) Safari/605", "accept": "text/html,*/*", "accept-language": "es"}


def delivered(desk: Desk, name: str, *, asked: bool = False) -> Request:
    """A delivered order's request, which went out an hour ago if it was asked."""
    with desk.inside() as tx:
        account = build.client(tx)
        person = build.contact(tx, account, language="es")
        made = orders.put(tx, external_id=name, client_id=account, contact_id=person, status="delivered", fee="1",
                          total_amount="1")  # fmt: skip
        request = feedback.of_order(tx, made.id)
        assert request is not None
        if asked:
            at = tx.now - timedelta(hours=1)
            feedback_life.went_out(tx, [Mail(request.id, build.card(tx, person).id, person, 0, at)])
    return now(desk, request)


def now(desk: Desk, request: Request) -> Request:
    with desk.inside() as tx:
        found = feedback.get(tx, request.id)
    assert found is not None
    return found


def test_requests_are_skipped_asked_answered_and_counted(desk: Desk) -> None:
    request = delivered(desk, "PO-1")
    path = f"/v1/feedback-requests/{request.id}"
    assert desk.get("/v1/feedback-requests?due=true", "acme.analyst")["items"] == []
    assert desk.post(f"{path}/skip", {"reason": "they are friends"}).json()["state"] == "skipped"
    again = desk.post(f"/v1/orders/{request.order_id}/ask-feedback", {}).json()
    assert (again["state"], again["insisted"]) == ("queued", True)
    [due] = desk.get("/v1/feedback-requests?due=true", "acme.analyst")["items"]
    assert due["id"] == str(request.id)
    assert_problem(desk.post(f"{path}/answer", {"by": "Bill"}), 422)
    assert_problem(desk.post(f"{path}/answer", {"by": "Bill", "rating": 6}), 422)
    told = desk.post(f"{path}/answer", {"by": "Bill, by telephone", "rating": 2, "comment": "It broke"}).json()
    assert (told["state"], told["rating"], told["sentiment"]) == ("answered", 2, "negative")
    assert [each["channel"] for each in told["answers"]] == ["person"]
    assert_problem(desk.post(f"{path}/skip", {"reason": "no"}), 409)
    [bad] = desk.get("/v1/feedback-requests?sentiment=negative", "acme.analyst")["items"]
    assert bad["id"] == str(request.id)
    figures = desk.get("/v1/feedback/stats", "acme.analyst")
    assert (figures["now"]["score"], figures["now"]["distribution"]["2"], figures["trend"]) == (2.0, 1, None)
    assert desk.get("/v1/feedback-requests", "globex.admin")["items"] == []
    assert_problem(desk.ask("GET", path, "globex.admin"), 404)


def test_nobody_rates_by_another_link_and_the_page_speaks_the_clients_language(desk: Desk) -> None:
    request = delivered(desk, "PO-2", asked=True)
    assert request.lapses_at is not None
    tenant, vault = desk.tenants["acme"], desk.house.vault
    page = FEEDBACK.address(vault, "", tenant, request.id, 1, request.lapses_at)
    _, _, _, _, terms, signature = page.split("/")
    of_a_quote = QUOTE.address(vault, "", tenant, request.id, 1, request.lapses_at).rpartition("/")[2]
    for forged in (page[:-1] + ("A" if page[-1] != "A" else "B"), page.replace(signature, of_a_quote),
                   page.replace(tenant.hex, desk.tenants["globex"].hex), page.replace(terms, terms + "0"),
                   page.replace(request.id.hex, UUID(int=1).hex)):  # fmt: skip
        assert desk.client.get(forged, headers=BROWSER).status_code == 404
        assert desk.client.post(forged, content="rating=1").status_code == 404
    old = FEEDBACK.address(vault, "", tenant, request.id, 1, request.created_at - timedelta(1))
    assert desk.client.post(old, content="rating=1").status_code == 410
    shown = desk.client.get(page, headers=BROWSER)
    assert "¿Qué le pareció el pedido PO-2?" in shown.text
    assert "script" not in shown.text
    assert shown.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert now(desk, request).state == "sent"
    answer = desk.client.post(page, content="rating=4&comment=Bien+%F0%9F%98%80%00%3Cscript%3E")
    assert "Gracias por decírnoslo" in answer.text
    assert "<script" not in answer.text
    with desk.inside() as tx:
        tx.run("DELETE FROM feedback_requests WHERE tenant_id = :t", t=tx.tenant_id)
    assert desk.client.get(page, headers=BROWSER).status_code == 410
    assert desk.client.post(page, content="rating=1").status_code == 410


def test_what_was_not_asked_yet_is_not_answered_on_its_page(desk: Desk) -> None:
    request = delivered(desk, "PO-3")
    page = FEEDBACK.address(desk.house.vault, "", desk.tenants["acme"], request.id, 1, request.latest_at)
    assert desk.client.post(page, content="rating=1").status_code == 409
    assert desk.client.get(page, headers=BROWSER).status_code == 200
    assert (now(desk, request).state, now(desk, request).visits) == ("queued", 0)
