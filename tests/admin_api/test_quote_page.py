"""The page of a quote: opened only by our own link, read by anybody who has it, answered by a POST and nothing else."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from pypdf import PdfReader

from admin_api import pdf, visitors
from domain import quote_life, quote_links, quotes
from domain.quote_life import Sending
from domain.quotes import Line, Quote
from tests import build
from tests.admin_api.desk import Desk

BROWSER = {"user-agent": "Mozilla/5.0 (Macintosh) Safari/605", "accept": "text/html,*/*", "accept-language": "es"}


def sent(desk: Desk, **fields: Any) -> tuple[Quote, str]:
    """A quote that went out an hour ago, and the path of its page."""
    with desk.inside() as tx:
        account = build.client(tx)
        person = build.contact(tx, account, language="es")
        lines = [Line("Cajas <b>de cartón</b> 中", "1000", unit_price="1.25", discount_percent="10"),
                 Line("Cinta", "2.5", unit_price="4", tax_percent="21")]  # fmt: skip
        given = {"lines": lines, "currency": "EUR", "terms": "Pago a 30 días", **fields}
        made = quotes.draft(tx, client_id=account, contact_id=person, **given)
        card = build.card(tx, person, subject_type="quote", subject_id="1")
        until = quotes.valid_until(tx)
        quote_life.went_out(tx, [Sending(made.id, 1, card.id, 0, tx.now - timedelta(hours=1), until)])
        page = quote_links.address(desk.house.vault, "", tx.tenant_id, made.id, 1, until)
        return now(desk, made), page


def now(desk: Desk, quote: Quote) -> Quote:
    with desk.inside() as tx:
        found = quotes.get(tx, quote.id)
    return found or quote


def test_the_page_shows_every_figure_in_the_clients_language_and_runs_nothing(desk: Desk) -> None:
    quote, page = sent(desk, discount_percent="5")
    answer = desk.client.get(page, headers=BROWSER)
    assert answer.status_code == 200
    for figure in ("Presupuesto Q-0001", "1.125,00", "-56,75", "EUR 1.080,25", "Pago a 30 días", "21 %"):
        assert figure in answer.text, figure
    assert "<b>de" not in answer.text
    assert "script" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert now(desk, quote).status == "viewed"


def test_what_names_and_terms_say_is_text_and_an_answered_page_takes_no_answer(desk: Desk) -> None:
    bad = "<img src=x onerror=alert(1)>&"
    quote, page = sent(desk, discount_percent="0.5")
    with desk.inside() as tx:
        tx.run("UPDATE clients SET name = :bad WHERE tenant_id = :t", bad=bad, t=tx.tenant_id)
        tx.run("UPDATE tenants SET name = :bad WHERE tenant_id = :t", bad=bad, t=tx.tenant_id)
        again = quotes.change(tx, quote.id, terms=f"Uno\n{bad}\nDos")
        until, card = quotes.valid_until(tx), build.card(tx, quote.contact_id, dedupe_key="again")
        quote_life.went_out(tx, [Sending(quote.id, again.revision, card.id, 0, tx.now - timedelta(hours=1), until)])
        anew = quote_links.address(desk.house.vault, "", tx.tenant_id, quote.id, again.revision, until)
    shown = desk.client.get(anew, headers=BROWSER).text
    assert "<img" not in shown
    assert shown.count("&lt;img src=x onerror=alert(1)&gt;&amp;") == 4
    assert "Uno<br>&lt;img" in shown
    # figures are written as its prices are, and the page names nobody's address
    for figure in ("2,5", "1.000", "-10 %", "Descuento 0,5 %", "EUR 1.131,41"):
        assert figure in shown, figure
    assert "@" not in shown.replace("@media", "")
    assert shown.count("<form") == 2
    gone = desk.client.get(page, headers=BROWSER)
    assert (gone.status_code, "Esta página ya no existe" in gone.text) == (410, True)
    # what turns text round, and what nobody sees, stands in no name
    with desk.inside() as tx:
        tx.run("UPDATE clients SET name = :bad WHERE tenant_id = :t", bad="Ini\u202etech\u2066", t=tx.tenant_id)
    assert "Para Initech<br>" in desk.client.get(anew, headers=BROWSER).text
    assert desk.client.post(f"{anew}/accept", content="name=+Eva%E2%80%AE++Luna+").status_code == 200
    assert now(desk, quote).answered_by == "Eva Luna"
    assert "<form" not in desk.client.get(anew, headers=BROWSER).text


def test_an_answer_without_a_name_is_the_addressees_and_its_address_leads_back_to_the_page(desk: Desk) -> None:
    quote, page = sent(desk)
    for answer in ("accept", "reject"):
        # a browser that is opened again asks for where it was
        again = desk.client.get(f"{page}/{answer}", headers=BROWSER, follow_redirects=False)
        assert (again.status_code, again.headers["location"]) == (303, page)
        assert desk.client.get(f"{page[:-1]}/{answer}", headers=BROWSER).status_code == 404
    assert now(desk, quote).status == "sent"
    # a name that nobody sees is none
    assert desk.client.post(f"{page}/accept", content="name=%E2%80%8B%E2%80%AE").status_code == 200
    assert (now(desk, quote).status, now(desk, quote).answered_by) == ("accepted", "Bill (page)")


def test_a_quote_that_was_taken_back_is_gone_in_every_form(desk: Desk) -> None:
    quote, page = sent(desk)
    with desk.inside() as tx:
        quotes.withdraw(tx, quote.id, reason="by mistake")
    client = desk.client
    for answer in (client.get(page, headers=BROWSER), client.get(f"{page}/pdf"), client.post(f"{page}/accept"),
                   client.post(f"{page}/reject", content="reason=no")):  # fmt: skip
        assert (answer.status_code, "Esta página ya no existe" in answer.text) == (410, True)
        assert "text/html" in answer.headers["content-type"]
    assert now(desk, quote).status == "withdrawn"


def test_no_figure_of_the_pdf_is_cut_off_however_large(desk: Desk) -> None:
    lines = [Line("Una línea muy larga " * 5, "99999.125", unit_price="9876543.21", discount_percent="12.5"),
             Line("Cinta", "2.5", unit_price="4")]  # fmt: skip
    _, page = sent(desk, lines=lines)
    [only] = PdfReader(BytesIO(desk.client.get(f"{page}/pdf").content), strict=True).pages
    text = only.extract_text()
    for figure in ("99.999,125 × 9.876.543,21 -12,5 %  864.189.969.146,60", "EUR 864.189.969.156,60"):
        assert figure in text, figure
    assert any(row.startswith("Cinta") and row.endswith("10,00") for row in text.splitlines())


def test_the_pdf_says_the_same(desk: Desk) -> None:
    _, page = sent(desk)
    answer = desk.client.get(f"{page}/pdf")
    assert answer.headers["content-type"] == "application/pdf"
    [only] = PdfReader(BytesIO(answer.content), strict=True).pages
    text = only.extract_text()
    for figure in ("Presupuesto Q-0001", "1.125,00", "cartón</b> ?", "EUR 1.137,10", "Pago a 30 días"):
        assert figure in text, figure


def test_a_document_is_whole_whatever_stands_in_it() -> None:
    lines = [f"{at} (\\) ñ € Łódź 中 \x07" + "x" * 90 for at in range(130)]
    read = PdfReader(BytesIO(pdf.document(lines, title="(A) \\ ñ 中")), strict=True)
    assert len(read.pages) == 3
    assert read.metadata is not None
    assert read.metadata.title == "(A) \\ ñ ?"
    assert r"62 (\) ñ €" in read.pages[1].extract_text()
    assert len(PdfReader(BytesIO(pdf.document([], title="")), strict=True).pages) == 1
    assert pdf.legible("Łódź ﬁn 中\t½") == "Lódz fin ? ½"
    assert pdf.legible("Đorđe ışık a\u200bb\u202e 1\u22122") == "Dorde isik ab 1-2"


def test_nobody_opens_a_quote_by_another_link(desk: Desk) -> None:
    quote, page = sent(desk)
    tenant, other = desk.tenants["acme"].hex, desk.tenants["globex"].hex
    _, _, _, _, terms, signature = page.split("/")
    for forged in (page[:-1] + ("A" if page[-1] != "A" else "B"), page.replace(tenant, other),
                   page.replace(quote.id.hex, UUID(int=1).hex), page.replace(terms, "2." + terms[2:]),
                   page.replace(terms, terms + "0"), page.replace(signature, "x")):  # fmt: skip
        assert desk.client.get(forged, headers=BROWSER).status_code == 404
        assert desk.client.post(f"{forged}/accept").status_code == 404
    old = quote_links.address(desk.house.vault, "", desk.tenants["acme"], quote.id, 1, quote.created_at - timedelta(31))
    assert desk.client.get(old, headers=BROWSER).status_code == 410
    assert now(desk, quote).status == "sent"


def test_a_no_needs_a_reason_and_is_said_once(desk: Desk) -> None:
    quote, page = sent(desk)
    assert desk.client.post(f"{page}/reject").status_code == 422
    for blank in ("%20", "%E2%80%8B", "%E3%85%A4"):
        unsaid = desk.client.post(f"{page}/reject", content=f"reason={blank}")
        assert (unsaid.status_code, "Díganos en una palabra por qué no." in unsaid.text) == (422, True)
    assert now(desk, quote).status == "sent"
    for _ in range(2):
        answer = desk.client.post(f"{page}/reject", content="reason=Demasiado+caro+%3C%F0%9F%98%80%00")
        assert answer.status_code == 200
        assert "rechazado" in answer.text
    told = now(desk, quote)
    assert (told.status, told.reason, told.answered_by) == ("rejected", "Demasiado caro <😀�", "Bill (page)")
    assert desk.client.post(f"{page}/accept").status_code == 409
    with desk.inside() as tx:
        kinds = [row["kind"] for row in quotes.activities(tx, quote.id)]
    assert kinds.count("rejected") == 1


@pytest.mark.parametrize(
    ("method", "headers", "sign"),
    [
        ("GET", BROWSER, None),
        ("HEAD", BROWSER, "HEAD"),
        ("GET", {}, "nothing of itself"),
        ("GET", {**BROWSER, "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}, "bot"),
        ("GET", {**BROWSER, "user-agent": "python-requests/2.32"}, "python"),
        ("GET", {**BROWSER, "user-agent": "Mozilla/5.0 HeadlessChrome/120"}, "headless"),
        ("GET", {**BROWSER, "user-agent": "Something"}, "no browser"),
        ("GET", {**BROWSER, "purpose": "prefetch"}, "purpose"),
        ("GET", {**BROWSER, "sec-purpose": "prefetch;prerender"}, "sec-purpose"),
        ("GET", {**BROWSER, "accept": "*/*"}, "page to read"),
        ("GET", {**BROWSER, "accept-language": ""}, "language"),
    ],
)
def test_machines_that_follow_links_are_told_from_people(
    method: str, headers: dict[str, str], sign: str | None
) -> None:
    told = visitors.scanner(method, headers)
    assert (told is None) if sign is None else (told is not None and sign in told)
