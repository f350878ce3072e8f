"""Who may do what: every route, with every key, for both tenants."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi.routing import APIRoute

from admin_api import app as admin_app
from domain import alerts, cases, keys, mailboxes, quarantine, runs, tasks
from domain.keys import ROLES
from tests import build
from tests.admin_api.desk import CRON_SECRET, Desk, assert_problem, waiting_card
from tests.admin_api.routes_table import ADMIN, ANYBODY, BODIES, CRON, HOUSE, NEEDS, OPERATOR, READER

UNKNOWN = ("order_id", "exception_id", "product_id", "goal_id", "quote_id", "call_id", "request_id", "upload_id",
           "import_id", "export_id", "erasure_id", "schedule_id", "check_id")  # fmt: skip
"""Path parameters for which there is nothing: whoever may ask is told so."""

KEYED = [route for route in sorted(NEEDS) if NEEDS[route] not in (ANYBODY, CRON)]
OF_A_TENANT = [route for route in KEYED if "_id}" in route and not NEEDS[route].startswith(HOUSE)]


def body_of(route: str) -> dict[str, Any]:
    """What a route is asked with, as the client takes it."""
    body = BODIES.get(route)
    octets = {"Content-Type": "application/octet-stream"}
    return {"content": body, "headers": octets} if isinstance(body, bytes) else {"json": body}


def declared() -> Iterator[str]:
    """Every route of the app, as `METHOD path`."""
    for routes in admin_app.ROUTES:
        for route in routes.router.routes:
            assert isinstance(route, APIRoute)
            assert route.methods
            yield from (f"{method} {route.path}" for method in route.methods)


@pytest.fixture(scope="module")
def known(shared: Desk) -> dict[str, str]:
    """One of everything that acme has, by the name of its path parameter."""
    with shared.inside() as tx:
        contact = build.contact(tx)
        client = build.client(tx)
        card = waiting_card(tx, contact)
        message = {"message_id": "m1", "quote": "call me"}
        run = runs.begin(tx, kind="extra", fence=1, holder="t", mode="live", model="none", deadline_minutes=5)
        alert = alerts.open(tx, "test", "A test")
        assert run is not None
        assert alert is not None
        mailbox = mailboxes.configure_gmail(tx, shared.house.vault, "ana@acme.example")
        quarantine.put(tx, kind="job", source="cycle:1", reason="broken")
        made: dict[str, UUID | str] = {
            "client_id": client, "contact_id": contact, "card_id": card.id, "run_id": run.id, "alert_id": alert.id,
            "mailbox_id": mailbox.id, "letter_id": quarantine.listed(tx)[0].id,
            "user_id": build.user(tx, verified=False),
            "task_id": tasks.create(tx, title="Call", basis="client_request", evidence=message).id,
            "case_id": cases.open(tx, kind="complaint", title="Late", evidence=message).id,
            "deal_id": build.deal(tx, build.contact(tx, email="deal@initech.example")),
            "key_id": keys.issue(tx, shared.house.vault, name="spare", role="analyst").key_id,
            "message_id": tx.clock.uuid(), "delivery_id": tx.clock.uuid(), "kind": "gmail_quota",
            **{name: tx.clock.uuid() for name in UNKNOWN},
            "number": "1", "name": "resend_api_key", "tenant": "acme", "contact": contact, "signature": "x",
        }  # fmt: skip
    return {name: str(value) for name, value in made.items()}


def expected(needs: str, who: str) -> bool:
    """Whether the key `who` is enough."""
    rank = {READER: 0, OPERATOR: 1, ADMIN: 2}
    tenant, role = who.split(".")
    if needs.startswith(HOUSE) and tenant != "house":
        return False
    return rank[role] >= rank[needs.removeprefix(HOUSE)]


def test_every_route_is_in_the_table_and_in_the_description(shared: Desk) -> None:
    described = {
        f"{method.upper()} {path}" for path, methods in shared.app.openapi()["paths"].items() for method in methods
    }
    # a HEAD is described by its GET
    assert set(declared()) == set(NEEDS)
    assert {route for route in NEEDS if not route.startswith("HEAD ")} == described


@pytest.mark.parametrize("route", KEYED)
def test_a_key_does_what_its_role_allows_and_nothing_more(shared: Desk, known: dict[str, str], route: str) -> None:
    method, path = route.split(" ")
    filled = re.sub(r"\{(\w+)\}", lambda found: known[found[1]], path)
    if route == "GET /v1/events":
        return  # its stream has tests of its own; whom it refuses is shown below
    for who in [f"{tenant}.{role}" for tenant in ("acme", "house") for role in ROLES]:
        status = shared.ask(method, filled, who, **body_of(route)).status_code
        if expected(NEEDS[route], who):
            assert status not in (401, 403, 405), (who, status)
            assert status < 500, (who, status)
        else:
            assert status == 403, (who, status)


@pytest.mark.parametrize("route", KEYED)
def test_without_a_key_there_is_nothing(shared: Desk, route: str) -> None:
    method, path = route.split(" ")
    filled = re.sub(r"\{\w+\}", str(UUID(int=1)), path)
    for header in ({}, {"Authorization": "Bearer hh_house_0123456789ab_" + "A" * 43}, {"Authorization": "Basic eDp5"}):
        asked = body_of(route)
        answer = shared.client.request(method, filled, **{**asked, "headers": {**asked.get("headers", {}), **header}})
        assert assert_problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("route", OF_A_TENANT)
def test_what_belongs_to_another_tenant_is_not_there(shared: Desk, known: dict[str, str], route: str) -> None:
    method, path = route.split(" ")
    filled = re.sub(r"\{(\w+)\}", lambda found: known[found[1]], path)
    answer = shared.ask(method, filled, "globex.admin", **body_of(route))
    assert_problem(answer, 404)


def test_a_stored_secret_is_its_tenants_alone_and_is_never_shown(desk: Desk) -> None:
    assert desk.ask("PUT", "/v1/credentials/resend_api_key", json={"secret": "re_very_secret"}).status_code == 204
    listed = desk.ask("GET", "/v1/credentials")
    assert [each["name"] for each in listed.json()["items"]] == ["resend_api_key"]
    assert "re_very_secret" not in listed.text
    assert desk.get("/v1/credentials", "globex.admin")["items"] == []
    assert_problem(desk.ask("DELETE", "/v1/credentials/resend_api_key", "globex.admin"), 404)
    assert_problem(desk.ask("PUT", "/v1/credentials/resend_webhook_secret", json={"secret": "whsec_!"}), 422)
    assert desk.ask("DELETE", "/v1/credentials/resend_api_key").status_code == 204


def test_a_tenants_key_cannot_name_another_tenant(shared: Desk) -> None:
    assert_problem(shared.ask("GET", "/v1/tenant", headers={"Hourhand-Tenant": "globex"}), 403)
    assert_problem(shared.ask("GET", "/v1/tenant", headers={"Hourhand-Tenant": str(shared.tenants["globex"])}), 403)
    for own in ("acme", str(shared.tenants["acme"])):
        assert shared.get("/v1/tenant", headers={"Hourhand-Tenant": own})["slug"] == "acme"


def test_a_key_of_the_house_says_which_tenant_it_means(shared: Desk) -> None:
    for slug in ("acme", "globex"):
        assert shared.get("/v1/tenant", "house.analyst", headers={"Hourhand-Tenant": slug})["slug"] == slug
    bare = {"Authorization": f"Bearer {shared.keys['house.admin']}"}
    assert_problem(shared.client.get("/v1/tenant", headers=bare), 400)
    assert_problem(shared.ask("GET", "/v1/tenant", "house.admin", headers={"Hourhand-Tenant": "nobody"}), 404)


def test_a_key_in_an_address_opens_nothing(shared: Desk) -> None:
    key = shared.keys["acme.admin"]
    for query in ("key", "api_key", "access_token", "authorization"):
        assert_problem(shared.client.get("/v1/tenant", params={query: key}), 401)


def test_an_ended_key_opens_nothing(desk: Desk) -> None:
    made = desk.post("/v1/keys", {"name": "short", "role": "analyst", "expires_at": "2026-03-02T10:00:00Z"}).json()
    desk.keys["acme.short"] = made["key"]
    assert desk.get("/v1/tenant", "acme.short")
    desk.house.clock.advance(hours=1)  # type: ignore[attr-defined]
    assert_problem(desk.ask("GET", "/v1/tenant", "acme.short"), 401)
    operator = desk.keys["acme.operator"].split("_")[2]
    assert desk.ask("DELETE", f"/v1/keys/{operator}").status_code == 204
    assert_problem(desk.ask("GET", "/v1/tenant", "acme.operator"), 401)
    assert_problem(desk.ask("DELETE", f"/v1/keys/{operator}"), 404)


@pytest.mark.parametrize("door", ["/cron/agent", "/cron/gmail"])
def test_the_cron_doors_open_to_their_secret_alone(desk: Desk, door: str) -> None:
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {desk.keys['house.admin']}"},
                   {"Authorization": CRON_SECRET}):  # fmt: skip
        assert_problem(desk.client.post(door, headers=header), 401)
    assert desk.client.post(door, headers={"Authorization": f"Bearer {CRON_SECRET}"}).status_code == 200
    desk.app.state.cron_secret = None
    assert_problem(desk.client.post(door, headers={"Authorization": "Bearer None"}), 404)
    assert_problem(desk.client.post(door, headers={"Authorization": "Bearer "}), 404)


def test_the_houses_alerts_of_a_kind_are_muted_and_told_again(desk: Desk) -> None:
    path, said = "/v1/house/alerts/mutes/schedule_late", {"until": "2026-03-04T09:00:00Z", "reason": "known"}
    assert desk.ask("PUT", path, "house.operator", json=said).json()["kind"] == "schedule_late"
    assert [each["reason"] for each in desk.get("/v1/house/alerts/mutes", "house.analyst")["items"]] == ["known"]
    assert desk.get("/v1/alerts/mutes")["items"] == []
    assert desk.ask("DELETE", path, "house.operator").status_code == 204
    assert desk.get("/v1/house/alerts/mutes", "house.analyst")["items"] == []
