"""The kill switch through the API: 200 when nothing is in flight or starts any more, 202 with the list otherwise."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from domain import audit, executions, switches
from domain.db import Database
from domain.gate import Gate
from tests import build
from tests.admin_api.desk import Desk, assert_problem

STOP = {"reason": "trouble"}


def put_in_flight(desk: Desk, tenant: str = "acme", *, seconds: float = 1000) -> Any:
    """A card that is being sent at this moment, for so long at most."""
    with desk.inside(tenant) as tx:
        card = build.card(tx, build.contact(tx), state="queued")
        return executions.reserve(tx, card, owner="t", fence=1, lease_seconds=seconds, idempotency_key="k")


def test_a_stop_with_nothing_in_flight_is_a_200(desk: Desk) -> None:
    answer = desk.post("/v1/tenant/kill-switch/stop", STOP, "acme.operator")
    assert (answer.status_code, answer.json()) == (200, {"state": "stopped", "in_flight": []})
    assert desk.get("/v1/tenant/kill-switch")["closed"] == [{"scope": "tenant", "level": "all", "name": ""}]
    assert desk.get("/v1/tenant/kill-switch", "globex.admin")["closed"] == []
    assert desk.get("/v1/tenant")["agent_enabled"] is False


@pytest.mark.parametrize("path", ["/v1/tenant/kill-switch/stop", "/v1/kill-switch/stop"])
def test_a_stop_that_cannot_wait_longer_lists_what_is_in_flight(desk: Desk, path: str) -> None:
    card = put_in_flight(desk)
    answer = desk.post(path, STOP, "house.admin")
    assert answer.status_code == 202
    told = {"tenant_id": str(desk.tenants["acme"]), "card_id": str(card.id), "type": card.type}
    assert answer.json() == {"state": "stopping", "in_flight": [told]}
    with desk.inside() as tx:
        executions.settle(tx, card, "done", provider_id="p")
    answer = desk.post(path, STOP, "house.admin")
    assert (answer.status_code, answer.json()["state"]) == (200, "stopped")


def test_a_tenants_stop_does_not_wait_for_another_tenants_mail(desk: Desk) -> None:
    put_in_flight(desk, "globex")
    assert desk.post("/v1/tenant/kill-switch/stop", STOP).status_code == 200


def test_the_answer_comes_only_after_a_slow_send_has_ended(desk: Desk) -> None:
    """A send holds the gate in a thread; the stop returns after it, and from then on the gate's flag is seen closed."""
    gate = Gate(desk.database)
    with desk.inside() as tx:
        lock_id = tx.value("SELECT lock_id FROM tenant_schedule WHERE tenant_id = :t", t=tx.tenant_id)
    sending, finish, order = threading.Event(), threading.Event(), []

    def send() -> None:
        with gate.passing(lock_id):
            sending.set()
            assert finish.wait(10)
            order.append("sent")

    def stop() -> Any:
        answer = desk.post("/v1/tenant/kill-switch/stop", STOP)
        order.append("stopped")
        return answer

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(send)
        assert sending.wait(10)
        stopping = pool.submit(stop)
        wait_until_closed(desk.database, desk)
        assert not stopping.done()
        finish.set()
        slow.result(10)
        assert stopping.result(10).status_code == 200
    assert order == ["sent", "stopped"]
    gate.close()


def wait_until_closed(database: Database, desk: Desk) -> None:
    """Until the flag is committed; the stop lock is still held by the send then."""
    for _ in range(1_000):
        with database.tenant(desk.tenants["acme"]) as tx:
            if ("tenant", "all", "") in switches.closed(tx):
                return
        threading.Event().wait(0.005)
    raise AssertionError("the stop was never committed")


def test_resuming_everything_is_asked_twice_and_takes_an_admin(desk: Desk) -> None:
    desk.post("/v1/tenant/kill-switch/stop", STOP, "acme.operator")
    assert_problem(desk.post("/v1/tenant/kill-switch/resume", STOP, "acme.operator"), 403)
    assert "confirm" in assert_problem(desk.post("/v1/tenant/kill-switch/resume", STOP), 409)["detail"]
    assert desk.post("/v1/tenant/kill-switch/resume", {**STOP, "confirm": True}).json()["state"] == "running"
    assert desk.get("/v1/tenant/kill-switch")["closed"] == []


@pytest.mark.parametrize(
    ("level", "name"), [("all", ""), ("mail", ""), ("engine", "engagement"), ("action", "follow_up")]
)
def test_every_flip_is_in_the_log_with_who_when_and_why(desk: Desk, level: str, name: str) -> None:
    body = {"level": level, "name": name, **STOP}
    subject = f"{level}:{name}" if name else level
    assert desk.post("/v1/tenant/kill-switch/stop", body, "acme.operator").status_code == 200
    line = desk.get("/v1/audit")["items"][0]
    assert (line["action"], line["subject"], line["reason"]) == ("switch.stop", subject, "trouble")
    assert line["actor"].startswith("operator (key ")
    assert desk.post("/v1/kill-switch/stop", body, "house.operator").status_code == 200
    line = desk.get("/v1/house/audit", "house.analyst")["items"][0]
    assert (line["action"], line["subject"]) == ("switch.stop", subject)
    assert line["actor"].startswith("operator (house key ")
    [state] = [each for each in desk.get("/v1/kill-switch", "house.analyst")["house"] if each["stopped"]]
    assert (state["reason"], state["by"]) == ("trouble", line["actor"])
    closed = desk.get("/v1/tenant/kill-switch", "globex.analyst")["closed"]
    assert closed == [{"scope": "house", "level": level, "name": name}]


def test_the_house_says_that_it_is_stopped_wherever_one_looks(desk: Desk) -> None:
    desk.post("/v1/kill-switch/stop", STOP, "house.operator")
    assert desk.client.get("/readyz").json()["stopped"] is True
    assert "trouble" not in desk.client.get("/readyz").text
    told = desk.post("/v1/cycle").json()
    assert told["stopped_by"] == ["house:all"]
    assert desk.get("/v1/cycle/explain")["closed_switches"] == ["house:all"]


def test_the_audit_log_tells_where_it_was_tampered_with(desk: Desk, cloned: Any) -> None:
    import psycopg

    for _ in range(3):
        desk.post("/v1/tenant/kill-switch/stop", STOP)
    assert desk.get("/v1/audit/verify") == {"intact": True, "broken_at": None}
    assert desk.get("/v1/house/audit/verify", "house.analyst")["intact"] is True
    with desk.inside() as tx:
        last = audit.read(tx, limit=1)[0].seq
    with psycopg.connect(cloned.admin_url) as superuser:
        superuser.execute("UPDATE hourhand.audit_log SET reason = 'nothing' WHERE tenant_id = %s AND seq = %s",
                          (desk.tenants["acme"], last - 1))  # fmt: skip
    assert desk.get("/v1/audit/verify") == {"intact": False, "broken_at": last - 1}
    assert desk.get("/v1/audit/verify", "globex.admin")["intact"] is True
