"""The front desk's feedback: requests listed, skipped and answered by the same verbs, and a page behind its link."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

from domain import feedback, feedback_life, orders, rests
from domain.feedback import Request
from domain.feedback_life import Mail
from domain.page_links import FEEDBACK, QUOTE
from domain.rests import Rest
from tests import build
from tests.admin_api.desk import Desk, assert_problem
from tests.domain.test_feedback import WAITS, seen_of
from tests.hand_clock import HandClock

BROWSER = {"user-agent": "Mozilla/5.0 (Macintosh) Safari/605", "accept": "text/html,*/*", "accept-language": "es"}


def delivered(desk: Desk, name: str | None, *, asked: bool = False, **of_account: str) -> Request:
    """A delivered order's request, which went out an hour ago if it was asked."""
    with desk.inside() as tx:
        account = build.client(tx, **of_account)
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
    # while a case is open it rests, and says why
    with desk.inside() as tx:
        waits = Rest(request.id, WAITS * 2, tx.now + timedelta(days=1), seen_of(tx))
        rests.lay(tx, {"feedback_request": [waits]})
    [due] = desk.get("/v1/feedback-requests?due=true", "acme.analyst")["items"]
    assert (due["id"], due["rest"]["rule"]) == (str(request.id), "feedback.open_case")
    assert [each["reason"] for each in desk.get(path, "acme.analyst")["rest"]["also"]] == ["a case"]
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


def test_nobody_rates_by_another_link_and_the_page_speaks_the_clients_language(shared: Desk) -> None:
    desk, request = shared, delivered(shared, "PO-2", asked=True)
    assert request.lapses_at is not None
    tenant, vault = desk.tenants["acme"], desk.house.vault
    page = FEEDBACK.address(vault, "", tenant, request.id, 1, request.lapses_at)
    _, _, _, _, terms, signature = page.split("/")
    of_a_quote = QUOTE.address(vault, "", tenant, request.id, 1, request.lapses_at).rpartition("/")[2]
    for forged in (page[:-1] + ("A" if page[-1] != "A" else "B"), page.replace(signature, of_a_quote),
                   page.replace(tenant.hex, desk.tenants["globex"].hex), page.replace(terms, terms + "0"),
                   page.replace(request.id.hex, UUID(int=1).hex)):  # fmt: skip
        # a person sees a page in the language of the browser, a program the problem
        assert shown_to_a_person(desk, forged, 404).startswith("Este enlace no está completo.")
        assert_problem(desk.client.post(forged, content="rating=1"), 404)
    old = FEEDBACK.address(vault, "", tenant, request.id, 1, request.created_at - timedelta(1))
    assert_problem(desk.client.post(old, content="rating=1"), 410)
    assert shown_to_a_person(desk, old, 410).startswith("Este enlace ha caducado. Responda al correo")
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
    assert shown_to_a_person(desk, page, 410).startswith("Esta página ya no existe")
    assert desk.client.post(page, content="rating=1").status_code == 410


def shown_to_a_person(desk: Desk, page: str, status: int) -> str:
    """What a browser shows below the title."""
    answer = desk.client.get(page, headers=BROWSER)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    return words_of(answer.text)


def words_of(shown: str) -> str:
    """A page as a person reads it: its words, without marks."""
    body = shown.partition("</style>")[2]
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_the_page_thanks_for_praise_and_is_sorry_for_what_went_wrong_until_the_answer_stands(shared: Desk) -> None:
    desk, clock = shared, shared.database.clock
    assert isinstance(clock, HandClock)
    # the contact's language comes before the account's
    request = delivered(desk, "PO-4 <b>", asked=True, language="pt")
    assert request.lapses_at is not None
    page = FEEDBACK.address(desk.house.vault, "", desk.tenants["acme"], request.id, 1, request.lapses_at)
    scale = "1 Muy mal 2 Mal 3 Regular 4 Bien 5 Muy bien"
    asks = f"¿Qué le pareció el pedido PO-4 &lt;b&gt;? Acme Si desea añadir algo (opcional) Elija una opción: {scale}"
    assert shown_to_a_person(desk, page, 200) == asks
    nothing_chosen = desk.client.post(page, content="comment=Bien")
    assert nothing_chosen.status_code == 422
    assert "Acme Elija una de las cinco opciones. Si desea" in words_of(nothing_chosen.text)
    again = f"Si desea añadir algo (opcional) Si ha cambiado de opinión, elija de nuevo: {scale}"
    head = "¿Qué le pareció el pedido PO-4 &lt;b&gt;? Acme"
    praised = desk.client.post(page, content="rating=5")
    assert words_of(praised.text) == f"{head} Gracias por decírnoslo. Su respuesta: 5 de 5. {again}"
    sorry = "Gracias por decírnoslo. Sentimos que no haya ido bien; alguien lo va a revisar. Su respuesta: 2 de 5."
    criticised = desk.client.post(page, content="rating=2&comment=Lleg%C3%B3+%22roto%22")
    said = "Si desea añadir algo (opcional) Llegó &quot;roto&quot; Si ha cambiado de opinión, elija de nuevo:"
    assert words_of(criticised.text) == f"{head} {sorry} {said} {scale}"
    # looked at again it says the same, and once it stands there is nothing more to choose
    assert shown_to_a_person(desk, page, 200) == words_of(criticised.text)
    clock.advance(days=8)
    stands = "Su respuesta queda como la dio. Responda a nuestro correo si hay algo más que decir."
    assert shown_to_a_person(desk, page, 200) == f"{head} {sorry} {stands}"
    late = desk.client.post(page, content="rating=5")
    assert (late.status_code, words_of(late.text), now(desk, request).rating) == (409, f"{head} {sorry} {stands}", 2)


def test_a_page_on_which_nothing_is_asked_says_so_and_an_order_without_a_name_has_none(shared: Desk) -> None:
    desk, request = shared, delivered(shared, None, asked=True)
    assert request.card_id is not None
    page = FEEDBACK.address(desk.house.vault, "", desk.tenants["acme"], request.id, 1, request.latest_at)
    asks = shown_to_a_person(desk, page, 200)
    assert asks.startswith("¿Qué le pareció? Acme Si desea añadir algo")
    # its mail came back, and yet somebody has the link
    with desk.inside() as tx:
        assert feedback_life.void(tx, request.card_id)
    closed = (
        "¿Qué le pareció? Acme Aquí ya no se recogen respuestas. Responda a nuestro correo si quiere decirnos algo."
    )
    assert shown_to_a_person(desk, page, 200) == closed
    assert desk.client.post(page, content="rating=1").status_code == 409


def test_what_was_not_asked_yet_is_not_answered_on_its_page(shared: Desk) -> None:
    desk, request = shared, delivered(shared, "PO-3")
    page = FEEDBACK.address(desk.house.vault, "", desk.tenants["acme"], request.id, 1, request.latest_at)
    assert desk.client.post(page, content="rating=1").status_code == 409
    assert desk.client.get(page, headers=BROWSER).status_code == 200
    assert (now(desk, request).state, now(desk, request).visits) == ("queued", 0)
