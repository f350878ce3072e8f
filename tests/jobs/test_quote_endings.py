"""How quotes end: by a no with its reason, by time, in a new revision, by clicks at once, by mail; each to its end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from domain import deals, order_lines, orders, quotes
from domain.orders import Order
from domain.quotes import Line, Quote
from tests import build
from tests.jobs.letters import letter
from tests.jobs.test_quote_life import BROWSER, Desk, desk  # noqa: F401


def deal_of(here: Desk, **fields: Any) -> UUID:
    """An open deal with Bill."""
    with here.post.database.tenant(here.post.tenant_id, actor="ana") as tx:
        [bill] = tx.rows("SELECT id FROM contacts WHERE tenant_id = :t", t=tx.tenant_id)
        return build.deal(tx, bill["id"], **fields)


def stands(here: Desk, deal_id: UUID) -> tuple[str, str, str | None, str | None]:
    with here.post.database.tenant(here.post.tenant_id) as tx:
        deal = deals.get(tx, deal_id)
    assert deal is not None
    return deal.state, deal.stage, deal.reason, deal.next_step


def ordered(here: Desk) -> list[Order]:
    with here.post.database.tenant(here.post.tenant_id) as tx:
        return list(orders.listed(tx))


def happened(here: Desk, quote: Quote) -> str:
    with here.post.database.tenant(here.post.tenant_id) as tx:
        return " ".join(row["kind"] for row in reversed(quotes.activities(tx, quote.id)))


def test_a_no_in_yen_gives_its_reason_loses_the_deal_and_brings_no_further_mail(desk: Desk) -> None:  # noqa: F811
    deal_id = deal_of(desk)
    desk.offered(deal_id=deal_id, currency="JPY", lines=[Line("Shelves", "1.5", unit_price="333")])
    desk.hour()
    [mail] = desk.sent()
    assert "JPY 550 in all" in mail["text"]
    page = desk.link(mail)
    assert "JPY 550<" in desk.client.get(page, headers=BROWSER).text.replace("</", "<")
    answer = desk.client.post(f"{page}/reject", content="reason=Demasiado+caro+%26+tarde")
    assert (answer.status_code, "was declined" in answer.text) == (200, True)
    quote = desk.quote()
    assert (quote.status, quote.reason, quote.answered_by) == (
        "rejected",
        "Demasiado caro & tarde",
        "Bill Lumbergh (page)",
    )
    desk.days(12)
    assert stands(desk, deal_id) == ("lost", "negotiation", "Demasiado caro & tarde", None)
    assert (len(desk.sent()), ordered(desk)) == (1, [])
    assert happened(desk, quote) == "created offered sent visit viewed rejected"


def test_a_yes_after_the_last_day_is_refused_and_a_renewed_quote_in_dinars_becomes_its_order(desk: Desk) -> None:  # noqa: F811
    deal_id = deal_of(desk)
    made = desk.offered(deal_id=deal_id, currency="KWD", validity_days=1, discount_percent="5",
                        lines=[Line("Shelves", 3, unit_price="1.235")])  # fmt: skip
    desk.hour()
    old = desk.link(desk.sent()[0])
    desk.clock.advance(days=3)
    # no hour has noticed it yet
    for path in ("accept", "reject"):
        late = desk.client.post(f"{old}/{path}", content="reason=late")
        assert (late.status_code, "no longer valid" in late.text, "<form" in late.text) == (409, True, False)
    assert desk.quote().status == "sent"
    desk.days(2)
    assert desk.quote().status == "expired"
    assert stands(desk, deal_id)[3] == "Quote Q-0001 expired without an answer: renew it or close the deal"
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        quotes.offer(tx, quotes.change(tx, made.id, validity_days=20).id)
    desk.days(6)
    # it waits for the gap after what was written of its deal, and is followed up in that one's place
    about = [("Quote Q-0001 from Acme", 2), ("About New shelves", 5), ("Re: Quote Q-0001 from Acme", 9),
             ("Re: Quote Q-0001 from Acme", 12)]  # fmt: skip
    assert [(mail["subject"], int(mail["created_at"][8:10])) for mail in desk.sent()] == about
    anew = desk.link(next(mail for mail in reversed(desk.sent()) if "/q/" in mail["text"]))
    assert (desk.quote().revision, anew != old, desk.client.get(old, headers=BROWSER).status_code) == (2, True, 410)
    assert desk.client.post(f"{old}/accept").status_code == 410
    # whoever has the link may be somebody it was forwarded to: what they call themselves is kept
    assert desk.client.post(f"{anew}/accept", content="name=Cy+of+Hooli").status_code == 200
    desk.days(2)
    [order] = ordered(desk)
    assert (desk.quote().answered_by, stands(desk, deal_id)[0]) == ("Cy of Hooli", "won")
    # 3.705 less 0.185 is 3.520, and a tenth of it is tax
    assert (str(order.total_amount), str(order.fee), order.currency) == ("3.872", "3.520", "KWD")
    with desk.post.database.tenant(desk.post.tenant_id) as tx:
        [line] = order_lines.of(tx, [order.id])[order.id]
    assert str(line.unit_price) == "1.235"


@pytest.mark.parametrize("others", [("accept", "accept"), ("reject", "reject")])
def test_of_all_who_answer_at_once_one_is_heard_and_the_rest_are_told(desk: Desk, others: tuple[str, ...]) -> None:  # noqa: F811
    deal_id = deal_of(desk)
    desk.offered(deal_id=deal_id)
    desk.hour()
    page, ready = desk.link(desk.sent()[0]), Barrier(3)

    def says(name: str, path: str) -> Callable[[], int]:
        def answer() -> int:
            ready.wait(60)
            body = f"name={name}&reason={name}"
            return int(desk.client.post(f"{page}/{path}", content=body).status_code)

        return answer

    with ThreadPoolExecutor(3) as pool:
        every = [pool.submit(says(*each)) for each in (("Ann", "accept"), *zip(("Bob", "Cy"), others, strict=True))]
        codes = sorted(each.result() for each in every)
    quote = desk.quote()
    verdicts = [kind for kind in happened(desk, quote).split() if kind in ("accepted", "rejected")]
    assert verdicts == [quote.status]
    same = 3 if set(others) == {"accept"} else {"accepted": 1, "rejected": 2}[quote.status]
    assert codes == [200] * same + [409] * (3 - same)
    desk.days(2)
    assert stands(desk, deal_id)[0] == {"accepted": "won", "rejected": "lost"}[quote.status]
    assert len(ordered(desk)) == (quote.status == "accepted")


def test_a_yes_by_mail_is_noted_by_a_person_and_nobody_asks_again(desk: Desk) -> None:  # noqa: F811
    deal_id = deal_of(desk)
    quote = desk.offered(deal_id=deal_id)
    desk.hour()
    sent = desk.post.row("SELECT rfc_message_id FROM outbound_messages WHERE tenant_id = :t")["rfc_message_id"]
    desk.post.arrives(letter("Aceptamos el presupuesto.\n\nBill", in_reply_to=sent, subject="Re: Quote Q-0001"))
    desk.hour()
    # what they wrote decides nothing by itself, and asks for no second quote
    assert (desk.quote().id, desk.quote().status) == (quote.id, "sent")
    assert stands(desk, deal_id)[3] == "Answer Bill about quote Q-0001; a yes or a no is noted with it"
    assert happened(desk, quote).endswith("sent replied")
    desk.days(8)
    assert len(desk.sent()) == 1
    with desk.post.database.tenant(desk.post.tenant_id, actor="ana") as tx:
        quotes.accept(tx, quote.id, by="Bill, by mail")
    desk.days(2)
    assert (stands(desk, deal_id)[0], [each.quote_id for each in ordered(desk)]) == ("won", [quote.id])
    assert desk.quote().answered_at == desk.clock.now() - timedelta(days=2)
    assert len(desk.sent()) == 1


def test_a_quote_for_a_deal_that_is_being_followed_up_goes_out_in_that_conversation(desk: Desk) -> None:  # noqa: F811
    deal_id = deal_of(desk)
    desk.days(8)
    quote = desk.offered(deal_id=deal_id)
    desk.days(7)
    first, second, followed = desk.sent()
    assert [mail["subject"] for mail in (first, second, followed)] == [
        "About New shelves", "Re: About New shelves", "Re: About New shelves"]  # fmt: skip
    assert (desk.link(second), "reach you well" in followed["text"]) == (desk.link(followed), True)
    assert second["headers"]["In-Reply-To"] == first["headers"]["Message-ID"]
    assert happened(desk, quote) == "created offered sent follow_up"
