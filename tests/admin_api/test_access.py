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

ANYBODY, CRON = "anybody", "cron"
READER, OPERATOR, ADMIN = "analyst", "operator", "admin"
HOUSE = "house."

UNKNOWN = ("order_id", "exception_id", "product_id", "goal_id", "quote_id", "call_id", "upload_id", "import_id",
           "export_id", "erasure_id")  # fmt: skip
"""Path parameters for which there is nothing: whoever may ask is told so."""

# Every route, and the least that a key must be to use it. `house.` takes keys of the house alone.
NEEDS: dict[str, str] = {
    "GET /healthz": ANYBODY,
    "GET /readyz": ANYBODY,
    "GET /metrics": ANYBODY,
    "POST /webhooks/resend/{tenant}": ANYBODY,
    "GET /oauth/gmail/callback": ANYBODY,
    "GET /u/{tenant}/{contact}/{signature}": ANYBODY,
    "POST /u/{tenant}/{contact}/{signature}": ANYBODY,
    "GET /q/{tenant}/{quote}/{terms}/{signature}": ANYBODY,
    "HEAD /q/{tenant}/{quote}/{terms}/{signature}": ANYBODY,
    "GET /q/{tenant}/{quote}/{terms}/{signature}/pdf": ANYBODY,
    "POST /q/{tenant}/{quote}/{terms}/{signature}/accept": ANYBODY,
    "POST /q/{tenant}/{quote}/{terms}/{signature}/reject": ANYBODY,
    "POST /cron/agent": CRON,
    "POST /cron/gmail": CRON,
    "GET /v1/kill-switch": HOUSE + READER,
    "POST /v1/kill-switch/stop": HOUSE + OPERATOR,
    "POST /v1/kill-switch/resume": HOUSE + ADMIN,
    "GET /v1/tenants": HOUSE + READER,
    "POST /v1/tenants": HOUSE + ADMIN,
    "GET /v1/house/keys": HOUSE + ADMIN,
    "POST /v1/house/keys": HOUSE + ADMIN,
    "DELETE /v1/house/keys/{key_id}": HOUSE + ADMIN,
    "GET /v1/house/audit": HOUSE + READER,
    "GET /v1/house/audit/verify": HOUSE + READER,
    "GET /v1/tenant/kill-switch": READER,
    "POST /v1/tenant/kill-switch/stop": OPERATOR,
    "POST /v1/tenant/kill-switch/resume": ADMIN,
    "GET /v1/tenant": READER,
    "PATCH /v1/tenant": ADMIN,
    "PATCH /v1/tenant/settings": ADMIN,
    "GET /v1/users": OPERATOR,
    "POST /v1/users": ADMIN,
    "POST /v1/users/{user_id}/verify": ADMIN,
    "GET /v1/keys": ADMIN,
    "POST /v1/keys": ADMIN,
    "DELETE /v1/keys/{key_id}": ADMIN,
    "GET /v1/credentials": ADMIN,
    "PUT /v1/credentials/{name}": ADMIN,
    "DELETE /v1/credentials/{name}": ADMIN,
    "GET /v1/mailboxes": READER,
    "POST /v1/mailboxes/gmail": ADMIN,
    "POST /v1/mailboxes/imap": ADMIN,
    "POST /v1/mailboxes/gmail/consent": ADMIN,
    "PUT /v1/mailboxes/{mailbox_id}/grant": ADMIN,
    "POST /v1/mailboxes/{mailbox_id}/revoke": ADMIN,
    "POST /v1/mailboxes/poll": OPERATOR,
    "GET /v1/messages": READER,
    "GET /v1/messages/{message_id}": READER,
    "POST /v1/clients/bulk": OPERATOR,
    "POST /v1/contacts/bulk": OPERATOR,
    "GET /v1/clients": READER,
    "GET /v1/clients/{client_id}": READER,
    "POST /v1/clients": OPERATOR,
    "PATCH /v1/clients/{client_id}": OPERATOR,
    "GET /v1/contacts": READER,
    "GET /v1/contacts/{contact_id}": READER,
    "GET /v1/contacts/{contact_id}/clock": READER,
    "POST /v1/contacts": OPERATOR,
    "PATCH /v1/contacts/{contact_id}": OPERATOR,
    "POST /v1/contacts/{contact_id}/touches": OPERATOR,
    "PUT /v1/contacts/{contact_id}/consent": OPERATOR,
    "GET /v1/engagement": READER,
    "GET /v1/deals": READER,
    "GET /v1/deals/{deal_id}": READER,
    "GET /v1/deals/{deal_id}/history": READER,
    "GET /v1/deals/{deal_id}/activity": READER,
    "POST /v1/deals/{deal_id}/activity": OPERATOR,
    "POST /v1/deals/{deal_id}/stage": OPERATOR,
    "POST /v1/deals/{deal_id}/win": OPERATOR,
    "POST /v1/deals/{deal_id}/lose": OPERATOR,
    "POST /v1/deals/{deal_id}/reopen": OPERATOR,
    "PUT /v1/deals/{deal_id}/automation": OPERATOR,
    "GET /v1/pipeline": READER,
    "GET /v1/deal-stages": READER,
    "PUT /v1/deal-stages": ADMIN,
    "GET /v1/cards": READER,
    "GET /v1/approvals": READER,
    "GET /v1/cards/{card_id}": READER,
    "GET /v1/cards/{card_id}/why": READER,
    "GET /v1/cards/{card_id}/preview": OPERATOR,
    "POST /v1/cards/{card_id}/approve": OPERATOR,
    "POST /v1/cards/{card_id}/reject": OPERATOR,
    "POST /v1/cards/{card_id}/resolve": OPERATOR,
    "POST /v1/cards/{card_id}/snooze": OPERATOR,
    "POST /v1/cards/{card_id}/undo": OPERATOR,
    "PATCH /v1/cards/{card_id}": OPERATOR,
    "GET /v1/runs": READER,
    "GET /v1/runs/{run_id}": READER,
    "POST /v1/cycle": OPERATOR,
    "GET /v1/cycle/explain": READER,
    "GET /v1/reflections": READER,
    "GET /v1/policy/rules": READER,
    "POST /v1/policy/what-if": READER,
    "GET /v1/violations": READER,
    "GET /v1/limits": READER,
    "GET /v1/alerts": READER,
    "POST /v1/alerts/{alert_id}/acknowledge": OPERATOR,
    "POST /v1/alerts/{alert_id}/resolve": OPERATOR,
    "GET /v1/alerts/mutes": READER,
    "PUT /v1/alerts/mutes/{kind}": OPERATOR,
    "DELETE /v1/alerts/mutes/{kind}": OPERATOR,
    "GET /v1/alerts/deliveries": READER,
    "POST /v1/alerts/deliveries/{delivery_id}/replay": OPERATOR,
    "GET /v1/house/alerts": HOUSE + READER,
    "POST /v1/house/alerts/{alert_id}/acknowledge": HOUSE + OPERATOR,
    "POST /v1/house/alerts/{alert_id}/resolve": HOUSE + OPERATOR,
    "GET /v1/tasks": READER,
    "POST /v1/tasks/{task_id}/finish": OPERATOR,
    "GET /v1/cases": READER,
    "POST /v1/cases/{case_id}/close": OPERATOR,
    "GET /v1/suppressions": READER,
    "POST /v1/suppressions": OPERATOR,
    "GET /v1/quarantine": READER,
    "GET /v1/dead-letters": READER,
    "POST /v1/dead-letters/{letter_id}/replay": OPERATOR,
    "GET /v1/audit": READER,
    "GET /v1/audit/verify": READER,
    "GET /v1/events": READER,
    "POST /v1/products": OPERATOR,
    "PATCH /v1/products/{product_id}": OPERATOR,
    "POST /v1/products/bulk": OPERATOR,
    "POST /v1/orders": OPERATOR,
    "PATCH /v1/orders/{order_id}": OPERATOR,
    "POST /v1/orders/bulk": OPERATOR,
    "POST /v1/deals": OPERATOR,
    "PATCH /v1/deals/{deal_id}": OPERATOR,
    "POST /v1/deals/bulk": OPERATOR,
    "GET /v1/orders": READER,
    "GET /v1/orders/{order_id}": READER,
    "POST /v1/orders/{order_id}/move": OPERATOR,
    "GET /v1/order-queue": READER,
    "GET /v1/order-exceptions": READER,
    "POST /v1/order-exceptions/{exception_id}/resolve": OPERATOR,
    "POST /v1/order-exceptions/{exception_id}/waive": OPERATOR,
    "GET /v1/products": READER,
    "GET /v1/products/{product_id}": READER,
    "GET /v1/clients/{client_id}/credit": READER,
    "PUT /v1/clients/{client_id}/credit": OPERATOR,
    "GET /v1/goals": READER,
    "POST /v1/goals": OPERATOR,
    "DELETE /v1/goals/{goal_id}": OPERATOR,
    "GET /v1/quotes": READER,
    "GET /v1/quotes/{quote_id}": READER,
    "POST /v1/quotes": OPERATOR,
    "PATCH /v1/quotes/{quote_id}": OPERATOR,
    "POST /v1/quotes/{quote_id}/send": OPERATOR,
    "POST /v1/quotes/{quote_id}/accept": OPERATOR,
    "POST /v1/quotes/{quote_id}/reject": OPERATOR,
    "POST /v1/quotes/{quote_id}/withdraw": OPERATOR,
    "POST /v1/uploads": OPERATOR,
    "GET /v1/uploads": OPERATOR,
    "PUT /v1/uploads/{upload_id}/pieces/{number}": OPERATOR,
    "DELETE /v1/uploads/{upload_id}": OPERATOR,
    "POST /v1/imports/preview": OPERATOR,
    "POST /v1/imports": OPERATOR,
    "GET /v1/imports": READER,
    "GET /v1/imports/{import_id}": READER,
    "GET /v1/imports/{import_id}/errors": OPERATOR,
    "POST /v1/imports/{import_id}/undo/preview": OPERATOR,
    "POST /v1/imports/{import_id}/undo": OPERATOR,
    "POST /v1/exports": ADMIN,
    "GET /v1/exports": ADMIN,
    "GET /v1/exports/{export_id}/archive": ADMIN,
    "POST /v1/erasures/preview": ADMIN,
    "POST /v1/erasures": ADMIN,
    "GET /v1/erasures": ADMIN,
    "GET /v1/erasures/{erasure_id}": ADMIN,
    "GET /v1/brain": READER,
    "GET /v1/model-calls": READER,
    "GET /v1/model-calls/{call_id}/contents": ADMIN,
}

BODIES: dict[str, Any] = {
    "POST /v1/kill-switch/stop": {"reason": "test", "level": "mail"},
    "POST /v1/kill-switch/resume": {"reason": "test", "level": "mail"},
    "POST /v1/tenants": {"slug": "initrode", "name": "Initrode"},
    "POST /v1/house/keys": {"name": "k", "role": "analyst"},
    "POST /v1/tenant/kill-switch/stop": {"reason": "test", "level": "mail"},
    "POST /v1/tenant/kill-switch/resume": {"reason": "test", "level": "mail"},
    "PATCH /v1/tenant": {"name": "Acme"},
    "PATCH /v1/tenant/settings": {"settings": {"max_emails_per_hour": 7}},
    "POST /v1/users": {"email": "eva@acme.example", "name": "Eva", "role": "admin"},
    "POST /v1/keys": {"name": "k", "role": "analyst"},
    "PUT /v1/credentials/{name}": {"secret": "re_test"},
    "POST /v1/mailboxes/gmail": {"address": "new@acme.example"},
    "POST /v1/mailboxes/imap": {"address": "new@acme.example", "host": "mail.acme.example", "password": "secret"},
    "POST /v1/mailboxes/gmail/consent": {"address": "new@acme.example"},
    "PUT /v1/mailboxes/{mailbox_id}/grant": {"refresh_token": "t", "client_id": "c"},
    "POST /v1/mailboxes/{mailbox_id}/revoke": {},
    "POST /v1/clients/bulk": {"rows": [{"name": "Hooli"}]},
    "POST /v1/contacts/bulk": {"rows": [{"email": "x"}]},
    "POST /v1/clients": {"name": "Hooli"},
    "POST /v1/deals/{deal_id}/activity": {"kind": "note", "words": "he is away"},
    "POST /v1/deals/{deal_id}/stage": {"stage": "proposal", "evidence": "they asked"},
    "POST /v1/deals/{deal_id}/win": {"reason": "signed"},
    "POST /v1/deals/{deal_id}/lose": {"reason": "too dear"},
    "POST /v1/deals/{deal_id}/reopen": {"reason": "a new budget"},
    "PUT /v1/deals/{deal_id}/automation": {"on": True},
    "PUT /v1/deal-stages": {
        "stages": [{"key": "new", "name": "New", "win_probability": "0.1", "stall_days": 9, "follow_up_days": 3}],
    },
    "PATCH /v1/clients/{client_id}": {"country": "ES"},
    "PUT /v1/clients/{client_id}/credit": {"terms": "bill"},
    "PATCH /v1/deals/{deal_id}": {"title": "Shelves"},
    "PATCH /v1/orders/{order_id}": {"number": "4711"},
    "POST /v1/orders/{order_id}/move": {"to": "closed"},
    "POST /v1/order-exceptions/{exception_id}/resolve": {"reason": "seen to"},
    "POST /v1/order-exceptions/{exception_id}/waive": {"reason": "this once"},
    "PATCH /v1/products/{product_id}": {"name": "Shelf"},
    "PATCH /v1/quotes/{quote_id}": {"title": "Shelves"},
    "POST /v1/quotes/{quote_id}/accept": {"by": "Ana"},
    "POST /v1/quotes/{quote_id}/reject": {"by": "Ana", "reason": "too dear"},
    "POST /v1/quotes/{quote_id}/withdraw": {"reason": "sold out"},
    "POST /v1/contacts": {"email": "bill@initech.example", "title": "Buyer"},
    "PATCH /v1/contacts/{contact_id}": {"title": "Buyer"},
    "POST /v1/contacts/{contact_id}/touches": {"type": "call"},
    "PUT /v1/contacts/{contact_id}/consent": {"given": True, "how": "a form"},
    "POST /v1/cards/{card_id}/approve": {"seen": "0" * 64},
    "POST /v1/cards/{card_id}/reject": {"reason": "no"},
    "POST /v1/cards/{card_id}/resolve": {"arrived": True, "reason": "they answered"},
    "POST /v1/cards/{card_id}/snooze": {"until": "2026-03-04T09:00:00Z"},
    "POST /v1/cards/{card_id}/undo": {"reason": "a joke"},
    "POST /v1/policy/what-if": {"settings": {"max_emails_per_hour": 5}},
    "PUT /v1/alerts/mutes/{kind}": {"until": "2026-03-04T09:00:00Z", "reason": "known"},
    "PATCH /v1/cards/{card_id}": {"text": "Other words, {{ name }}"},
    "POST /v1/tasks/{task_id}/finish": {},
    "POST /v1/cases/{case_id}/close": {"outcome": "settled"},
    "POST /v1/suppressions": {"address": "no@initech.example"},
    "POST /v1/uploads": {"filename": "people.csv"},
    "PUT /v1/uploads/{upload_id}/pieces/{number}": b"name,email\n",
    "POST /v1/imports/preview": {"upload_id": str(UUID(int=1)), "kind": "contacts"},
    "POST /v1/imports": {"upload_id": str(UUID(int=1)), "kind": "contacts"},
    "POST /v1/erasures/preview": {"address": "no@initech.example"},
    "POST /v1/erasures": {"address": "no@initech.example", "reason": "asked", "for_good": True},
}

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
