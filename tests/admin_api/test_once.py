"""Idempotency-Key: the same request is done once and answered alike; another body under the same key is refused."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from domain import audit, keys, switches, tenants
from domain.switches import Switch
from tests.admin_api.desk import Desk, assert_problem

HOOLI = {"name": "Hooli", "external_id": "h1"}


def test_a_repetition_is_answered_as_the_first_and_does_nothing(desk: Desk) -> None:
    first = desk.post("/v1/clients", HOOLI, key="k1")
    desk.post("/v1/clients", {**HOOLI, "country": "ES"})
    again = desk.post("/v1/clients", HOOLI, key="k1")
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert first.json()["created"] is True
    assert len(desk.get("/v1/clients")["items"]) == 1


def test_another_body_under_the_same_key_is_refused(desk: Desk) -> None:
    desk.post("/v1/clients", HOOLI, key="k1")
    assert_problem(desk.post("/v1/clients", {**HOOLI, "name": "Hooli XYZ"}, key="k1"), 422)
    assert [each["name"] for each in desk.get("/v1/clients")["items"]] == ["Hooli"]


def test_a_key_belongs_to_its_address_and_its_tenant(desk: Desk) -> None:
    assert desk.post("/v1/clients", HOOLI, key="k1").json()["created"]
    assert desk.post("/v1/clients", HOOLI, "globex.admin", key="k1").json()["created"]
    assert desk.post("/v1/suppressions", {"address": "a@b.example"}, key="k1").json() == {"news": True}


def test_a_refused_request_leaves_its_key_free(desk: Desk) -> None:
    assert_problem(desk.post("/v1/contacts", {"email": "a@b.example"}, key="k1"), 422)
    client = desk.post("/v1/clients", HOOLI).json()["id"]
    assert desk.post("/v1/contacts", {"email": "a@b.example", "client_id": client}, key="k1").status_code == 200
    assert_problem(desk.post("/v1/tenants", {"slug": "acme", "name": "A"}, "house.admin", key="k2"), 422)
    assert desk.post("/v1/tenants", {"slug": "umbrella", "name": "U"}, "house.admin", key="k2").status_code == 201


@pytest.mark.parametrize("bad", ["", "x" * 257, "a\tb"])
def test_a_key_out_of_bounds_is_refused(shared: Desk, bad: str) -> None:
    answer = shared.ask("POST", "/v1/clients", json=HOOLI, headers={"Idempotency-Key": bad})
    assert_problem(answer, 422)


def test_of_many_at_once_one_does_it(desk: Desk) -> None:
    def ask(_: int) -> tuple[int, Any]:
        answer = desk.post("/v1/suppressions", {"address": "a@b.example"}, key="k1")
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(ask, range(12)))
    assert set(map(str, told)) == {str((201, {"news": True}))}
    with desk.inside() as tx:
        assert [line.action for line in audit.read(tx)].count("suppression.add") == 1


def test_a_tenant_is_founded_once(desk: Desk) -> None:
    told = [desk.post("/v1/tenants", {"slug": "initrode", "name": "I"}, "house.admin", key="k") for _ in range(3)]
    assert {answer.status_code for answer in told} == {201}
    assert len({answer.json()["tenant_id"] for answer in told}) == 1
    assert_problem(desk.post("/v1/tenants", {"slug": "initrode", "name": "I"}, "house.admin"), 422)
    assert [each.slug for each in tenants.listed(desk.database)] == ["acme", "globex", "initrode"]


@pytest.mark.parametrize(("path", "who"), [("/v1/keys", "acme.admin"), ("/v1/house/keys", "house.admin")])
def test_a_new_key_is_made_once_and_its_secret_kept_nowhere(desk: Desk, path: str, who: str) -> None:
    first = desk.post(path, {"name": "n", "role": "analyst"}, who, key="k").json()
    again = desk.post(path, {"name": "n", "role": "analyst"}, who, key="k").json()
    assert again == {"key_id": first["key_id"], "key": None}
    assert keys.verify(desk.database, desk.house.vault, first["key"]).role == "analyst"
    with desk.database.wearing("control") as control, desk.inside() as tx:
        kept = [control.value("SELECT string_agg(response::text, '') FROM control.idempotent_requests"),
                tx.value("SELECT string_agg(response::text, '') FROM idempotent_requests")]  # fmt: skip
    assert first["key"] not in str(kept)


def test_while_the_first_is_at_work_a_repetition_is_told_to_wait(desk: Desk) -> None:
    """The work commits by itself here, so the claim stands in the database before it."""
    begun, go = threading.Event(), threading.Event()

    class SlowClock:
        """Holds the founding up at its first id."""

        def __init__(self, real: Any) -> None:
            self._real = real

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

        def uuid(self) -> Any:
            if threading.current_thread().name.startswith("AnyIO") and not begun.is_set():
                begun.set()
                assert go.wait(10)
            return self._real.uuid()

    desk.database.clock = SlowClock(desk.database.clock)
    body = {"slug": "slow", "name": "Slow"}
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(desk.post, "/v1/tenants", body, "house.admin", key="k")
        assert begun.wait(10)
        assert_problem(desk.post("/v1/tenants", body, "house.admin", key="k"), 409)
        go.set()
        assert first.result().status_code == 201
    assert desk.post("/v1/tenants", body, "house.admin", key="k").json() == first.result().json()


def test_a_late_repetition_of_a_resume_undoes_no_stop(desk: Desk) -> None:
    everything = {"level": "all", "reason": "r", "confirm": True}
    assert desk.post("/v1/tenant/kill-switch/resume", everything, key="k").json()["state"] == "running"
    desk.post("/v1/tenant/kill-switch/stop", {"reason": "trouble"})
    assert desk.post("/v1/tenant/kill-switch/resume", everything, key="k").json()["state"] == "running"
    assert desk.get("/v1/tenant/kill-switch")["closed"] == [{"scope": "tenant", "level": "all", "name": ""}]


def test_a_repetition_of_a_stop_stops_again(desk: Desk) -> None:
    desk.post("/v1/tenant/kill-switch/stop", {"reason": "trouble"}, key="k")
    switches.resume(desk.database, Switch(desk.tenants["acme"], "all"), by="somebody", reason="over")
    assert desk.post("/v1/tenant/kill-switch/stop", {"reason": "trouble"}, key="k").json()["state"] == "stopped"
    assert desk.get("/v1/tenant/kill-switch")["closed"] == [{"scope": "tenant", "level": "all", "name": ""}]
