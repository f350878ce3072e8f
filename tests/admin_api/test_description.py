"""The description of the API is true: whatever it allows to be asked is answered in the shapes that it promises."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)  # fmt: skip

from admin_api.problems import MEDIA_TYPE
from tests.admin_api.desk import CRON_SECRET, Desk
from tests.admin_api.routes_table import CRON, NEEDS

UNBOUNDED = "GET /v1/events"
"""A stream never ends by itself; it has tests of its own."""

CHECKS = (
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    unsupported_method,
)  # fmt: skip


@pytest.fixture(scope="module")
def described(shared: Desk) -> Any:
    """The schema as the app tells it."""
    return schemathesis.openapi.from_asgi("/openapi.json", shared.app)


@pytest.mark.parametrize(
    "route", [route for route in sorted(NEEDS) if route != UNBOUNDED and not route.startswith("HEAD ")]
)
def test_whatever_is_asked_is_answered_as_described(described: Any, shared: Desk, route: str) -> None:
    method, path = route.split(" ")
    headers = {"Authorization": f"Bearer {CRON_SECRET}"} if NEEDS[route] == CRON else shared.as_("house.admin")
    asked = described[path][method].as_strategy()

    @given(case=asked)
    @settings(max_examples=8, derandomize=True, deadline=None, phases=[Phase.generate], database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def ask(case: Any) -> None:
        case.headers = {**(case.headers or {}), **headers}
        case.validate_response(case.call(), checks=CHECKS)

    ask()


def test_every_operation_has_a_summary_and_its_errors(shared: Desk) -> None:
    for path, methods in shared.app.openapi()["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            assert MEDIA_TYPE in operation["responses"]["4XX"]["content"], (method, path)


def test_every_post_of_the_api_takes_an_idempotency_key(shared: Desk) -> None:
    for path, methods in shared.app.openapi()["paths"].items():
        if "post" in methods and path.startswith("/v1/"):
            names = {parameter["name"] for parameter in methods["post"].get("parameters", ())}
            assert "Idempotency-Key" in names, path
