"""The brain at the front desk: its standing, its calls page by page, and words only where they are kept."""

from __future__ import annotations

from decimal import Decimal

from domain import model_budgets, model_calls, settings
from domain.model_calls import About, Ending
from domain.models import Usage
from tests.admin_api.desk import Desk


def asked(desk: Desk, number: int, *, kept: bool = False) -> str:
    """One call of Acme's."""
    with desk.inside() as tx:
        standing = model_budgets.hold(tx, settings.of(tx))
        call = model_calls.begin(
            tx, About("first_touch", "v1", bytes([number])), model="anthropic/claude-sonnet-5-5", day=standing.day,
            usd=Decimal("0.01"), tokens=900, until=tx.now, masked=False,
        )  # fmt: skip
        model_calls.end(tx, call, Ending("answered", Usage(500, 90), Decimal("0.001900"), 812))
        if kept:
            model_calls.keep_contents(tx, call.id, prompt="Write.", answer="Hello.", days=14)
    return str(call.id)


def test_calls_are_listed_by_page_newest_first_and_belong_to_one_tenant(desk: Desk) -> None:
    made = [asked(desk, number) for number in range(3)]
    page = desk.get("/v1/model-calls?limit=2", "acme.analyst")
    rest = desk.get(f"/v1/model-calls?limit=2&cursor={page['next']}", "acme.analyst")
    assert [each["id"] for each in (*page["items"], *rest["items"])] == made[::-1]
    assert (page["items"][0]["tokens_in"], page["items"][0]["cost_usd"]) == (500, "0.001900")
    assert desk.get("/v1/model-calls?outcome=rejected", "acme.analyst")["items"] == []
    assert desk.get("/v1/model-calls", "globex.analyst")["items"] == []


def test_the_standing_names_models_budget_and_the_day(desk: Desk) -> None:
    asked(desk, 1)
    told = desk.get("/v1/brain", "acme.analyst")
    assert (told["first"], told["order"]) == ("rulebook", [{"model": "rulebook", "ready": True}])
    assert (told["budget"]["usd"], told["budget"]["tokens"]) == ("0.001900", 590)
    [line] = told["last_day"]
    assert (line["calls"], line["outcome"], line["slowest_ms"]) == (1, "answered", 812)


def test_words_are_shown_to_admins_alone_and_only_where_they_were_kept(desk: Desk) -> None:
    silent, kept = asked(desk, 1), asked(desk, 2, kept=True)
    assert desk.get(f"/v1/model-calls/{kept}/contents", "acme.admin")["answer"] == "Hello."
    assert desk.ask("GET", f"/v1/model-calls/{silent}/contents", "acme.admin").status_code == 404
    assert desk.ask("GET", f"/v1/model-calls/{kept}/contents", "acme.analyst").status_code == 403
    assert desk.ask("GET", f"/v1/model-calls/{kept}/contents", "globex.admin").status_code == 404
