"""What comes to the door: too large, too late, not JSON, not storable; and what every answer carries."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from admin_api import app as admin_app
from admin_api.envelope import LARGEST_BODY_BYTES, Envelope
from domain.db import Database
from tests import houses
from tests.admin_api.desk import Desk, assert_problem, open_desk

NUL_ADDRESS = "/v1/cards/%00"


def test_an_unknown_address_is_a_problem_with_a_mend(shared: Desk) -> None:
    told = assert_problem(shared.ask("GET", "/v1/nope"), 404)
    assert "openapi.json" in told["detail"]
    assert_problem(shared.ask("GET", "/v1/cards/"), 404)


def test_a_wrong_method_is_told_which_are_right(shared: Desk) -> None:
    answer = shared.ask("PUT", "/v1/cards")
    assert_problem(answer, 405)
    assert answer.headers["allow"] == "GET"


def test_a_body_over_the_limit_is_refused_declared_or_not(shared: Desk) -> None:
    large = b'{"name": "' + b"a" * LARGEST_BODY_BYTES + b'"}'
    headers = shared.as_("acme.admin", **{"Content-Type": "application/json"})
    assert_problem(shared.client.post("/v1/clients", content=large, headers=headers), 413)
    assert_problem(shared.client.post("/v1/clients", content=iter([large[:9], large[9:]]), headers=headers), 413)
    assert_problem(shared.client.post("/webhooks/resend/acme", content=b"a" * (256 * 1024 + 1)), 413)


def test_a_body_that_never_comes_is_not_waited_for() -> None:
    told: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError("it never comes")

    async def send(message: Any) -> None:
        told.append(message)

    async def nobody(*_: Any) -> None:
        raise AssertionError("no route sees it")

    scope = {"type": "http", "method": "POST", "path": "/v1/clients", "query_string": b"", "raw_path": b"/v1/clients",
             "headers": [(b"content-length", b"9")]}  # fmt: skip
    asyncio.run(Envelope(nobody, body_seconds=0.01)(scope, receive, send))
    assert told[0]["status"] == 408


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b'{"name": "a"', 400),
        (b"\xff\xfe\xff", 400),
        (b'{"name": "\xff"}', 400),
        (b"[" * 100_000, 400),
        (b'{"name": ' + b"9" * 5_000 + b"}", 400),
        (b'{"name": NaN}', 422),
        (b'{"annual_value": Infinity}', 422),
        (b'{"annual_value": 1e999}', 422),
        (b'{"annual_value": 123456789012345678901234567890}', 422),
        (b'{"name": "a\\u0000b"}', 422),
        (b'{"name": "a\\ud800b"}', 422),
        (b'{"a\\u0000": 1}', 422),
        (b'{"name": 1}', 422),
        (b'{"name": "x", "colour": "red"}', 422),
        (b'{"name": "x", "annual_value": -1}', 422),
        (b'{"name": "x", "annual_value": 1.005}', 422),
        (b'{"name": "x", "country": "Atlantis"}', 422),
        (b'{"name": "x", "timezone": "Mars/Base"}', 422),
        (b'{"name": "x", "domain": "not a domain"}', 422),
        (b'{"name": "x", "manager_id": "019cadc6-9a80-7001-8000-000000000099"}', 422),
        (b'{"name": " "}', 422),
        (b"null", 422),
        (b"[]", 422),
    ],
)
def test_a_body_that_cannot_be_used_is_told_why(shared: Desk, body: bytes, status: int) -> None:
    headers = shared.as_("acme.admin", **{"Content-Type": "application/json"})
    told = assert_problem(shared.client.post("/v1/clients", content=body, headers=headers), status)
    assert "Traceback" not in json.dumps(told)


@pytest.mark.parametrize(
    ("path", "field", "body"),
    [
        ("contacts", "email", {"email": "not an address", "client_id": None}),
        ("contacts", "client_id", {"email": "a@b.example", "client_id": "019cadc6-9a80-7001-8000-000000000099"}),
        ("contacts", "client_external_id", {"email": "a@b.example", "client_external_id": "none"}),
        ("contacts", "client_id", {"email": "a@b.example", "client_id": "x"}),
        ("contacts", "phone", {"client_external_id": None, "email": "a@b.example", "phone": "call me"}),
        ("keys", "role", {"name": "k", "role": "king"}),
        ("keys", "expires_at", {"name": "k", "role": "admin", "expires_at": "0001-01-01T00:00:00+14:00"}),
        ("keys", "expires_at", {"name": "k", "role": "admin", "expires_at": "9999-12-31T23:59:59-14:00"}),
        ("keys", "expires_at", {"name": "k", "role": "admin", "expires_at": "2020-01-01T00:00:00Z"}),
        ("keys", "expires_at", {"name": "k", "role": "admin", "expires_at": "2030-01-01T00:00:00"}),
        ("users", "email", {"email": "nobody", "name": "X", "role": "admin"}),
        ("tenant/kill-switch/stop", "name", {"level": "engine", "reason": "r"}),
        ("tenant/kill-switch/stop", "name", {"level": "engine", "name": "engagment", "reason": "r"}),
        ("tenant/kill-switch/stop", "name", {"level": "action", "name": "sned_email", "reason": "r"}),
        ("tenant/kill-switch/stop", "name", {"level": "all", "name": "everything", "reason": "r"}),
        ("tenant/kill-switch/stop", "reason", {"level": "all", "reason": " "}),
        ("mailboxes/gmail", "address", {"address": "nobody"}),
        ("mailboxes/gmail", "client_id", {"address": "a@b.example", "refresh_token": "t"}),
    ],
)
def test_a_field_that_cannot_be_used_is_named(shared: Desk, path: str, field: str, body: dict[str, Any]) -> None:
    assert field in assert_problem(shared.post(f"/v1/{path}", body), 422)["detail"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_emails_per_hour", -1),
        ("max_emails_per_hour", "many"),
        ("max_emails_per_hour", 10**15),
        ("minimum_gap_hours", 1e300),
        ("engagement_days", 10**12),
        ("send_mode", "loud"),
        ("timezone", "Mars/Base"),
        ("country", "Atlantis"),
        ("sender_address", "nobody"),
        ("autonomy", {"send_email": "never"}),
        ("autonomy", {"sned_email": "approve"}),
        ("max_actions_per_hour", {"sned_email": 1}),
        ("send_window_start", "23:00"),
        ("allow_list", "acme.example"),
        ("no_such_setting", 1),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_and_changes_nothing(shared: Desk, name: str, value: Any) -> None:
    before = shared.get("/v1/tenant")
    answer = shared.ask("PATCH", "/v1/tenant/settings", json={"settings": {name: value}})
    told = assert_problem(answer, 422)["detail"]
    assert name in told or name == "send_window_start"
    assert shared.get("/v1/tenant") == before


@pytest.mark.parametrize("name", ["contact", "cursor", "limit", "state", "type"])
def test_a_query_that_cannot_be_used_is_refused(shared: Desk, name: str) -> None:
    for value in ("%00", "%FF", "x" * 500, "-1", "99999999999999999999", "%ED%A0%80"):
        status = shared.ask("GET", f"/v1/cards?{name}={value}").status_code
        assert status in (400, 422), (name, value, status)


@pytest.mark.parametrize("cursor", ["bnVsbA", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", "W10", "dHJ1ZQ", "IlwwIg", "!!!", "e30"])
@pytest.mark.parametrize(
    "path", ["cards", "runs", "audit", "suppressions", "messages", "tasks", "quarantine", "violations", "contacts"]
)
def test_a_made_up_cursor_is_refused(shared: Desk, path: str, cursor: str) -> None:
    assert_problem(shared.ask("GET", f"/v1/{path}?cursor={cursor}"), 400)


@pytest.mark.parametrize("path", [NUL_ADDRESS, "/v1/keys/%00", "/webhooks/resend/%00", "/v1/cards?type=%00"])
def test_a_nul_in_an_address_is_refused(shared: Desk, path: str) -> None:
    method = "POST" if "webhooks" in path else "GET"
    assert_problem(shared.ask(method, path), 400)


def test_an_address_without_end_is_refused(shared: Desk) -> None:
    assert_problem(shared.ask("GET", "/v1/cards?type=" + "a" * 5_000), 414)


@pytest.mark.parametrize("path", ["/healthz", "/v1/tenant", "/v1/nope", "/openapi.json", "/metrics"])
def test_every_answer_is_data_for_programs(shared: Desk, path: str) -> None:
    headers = shared.ask("GET", path).headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["x-request-id"]


def test_an_unforeseen_error_shows_nothing_of_the_inside(shared: Desk) -> None:
    app = admin_app.create(shared.house, metrics=lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    answer = TestClient(app, raise_server_exceptions=False).get("/metrics")
    told = assert_problem(answer, 500)
    assert "ZeroDivision" not in answer.text
    assert told["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_database_that_is_away_is_a_503_and_not_ready(shared: Desk) -> None:
    nowhere = Database("postgresql://hourhand_app@127.0.0.1:9/none", shared.house.clock)
    with houses.house(nowhere) as house:
        client = TestClient(admin_app.create(house), raise_server_exceptions=False)
        answer = client.get("/v1/tenant", headers=shared.as_("acme.admin"))
        assert_problem(answer, 503)
        assert answer.headers["retry-after"]
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
        assert client.get("/healthz").status_code == 200
    nowhere.dispose()


def test_only_our_own_hosts_are_answered_where_they_are_named(clone: Database) -> None:
    with open_desk(clone, hosts=("127.0.0.1",)) as desk:
        assert desk.client.get("/healthz").status_code == 200
        assert_problem(desk.client.get("/healthz", headers={"Host": "evil.example"}), 421)
