"""The front desk's compliance: schedules and checks by the same verbs as everywhere, each tenant its own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from tests import build
from tests.admin_api.desk import Desk, assert_problem


def test_a_schedule_is_made_its_checks_generated_waived_opened_again_and_completed(desk: Desk) -> None:
    with desk.inside() as tx:
        account = build.client(tx, country="PT")
        day = (tx.now + timedelta(days=7)).date().isoformat()
    wished: dict[str, Any] = {
        "name": "Languages", "frequency": "quarterly", "applies_to": "client", "anchor_on": day,
        "required_fields": ["language", "country"], "filter": {"country": ["pt"], "managed": False},
    }  # fmt: skip
    for wrong in ({"frequency": "weekly"}, {"required_fields": ["iban"]}, {"filter": {"name": "x"}}, {"extra": 1}):
        assert_problem(desk.post("/v1/compliance/schedules", {**wished, **wrong}), 422)
    assert_problem(desk.post("/v1/compliance/schedules", wished, "acme.operator"), 403)
    answer = desk.post("/v1/compliance/schedules", wished, key="once")
    assert answer.status_code == 201
    made = answer.json()
    assert desk.post("/v1/compliance/schedules", wished, key="once").json() == made
    assert (made["required_fields"], made["filter"]) == (["country", "language"], {"country": ["PT"], "managed": False})
    path = f"/v1/compliance/schedules/{made['id']}"
    assert [desk.post(f"{path}/generate").json() for _ in range(2)] == [{"checks": 1}, {"checks": 0}]
    [check] = desk.get("/v1/compliance/checks?state=pending")["items"]
    assert (check["client_id"], check["missing"], check["state"]) == (str(account), ["language"], "pending")
    one = f"/v1/compliance/checks/{check['id']}"
    told = assert_problem(desk.post(f"{one}/complete"), 409)
    assert "language is missing" in told["detail"]
    assert desk.post(f"{one}/remind").json()["remind_at"]
    told = assert_problem(desk.post(f"{one}/escalate"), 409)
    assert "its day is" in told["detail"]
    assert_problem(desk.post(f"{one}/waive", {"reason": " "}), 422)
    assert desk.post(f"{one}/waive", {"reason": "they speak in signs"}).json()["state"] == "waived"
    assert_problem(desk.post(f"{one}/remind"), 409)
    assert desk.post(f"{one}/reopen", {"reason": "they learnt it"}).json()["state"] == "pending"
    assert desk.ask("PATCH", f"/v1/clients/{account}", json={"language": "pt"}).status_code == 200
    assert desk.post(f"{one}/validate").json()["evidence"]["fields"] == ["country", "language"]
    stats = desk.get("/v1/compliance/stats")
    assert (stats["completed"], stats["on_time_share"], stats["schedules"][0]["name"]) == (1, 1.0, "Languages")
    more = {"name": "All", "required_fields": ["language", "contact_phone"], "anchor_on": day}
    made = desk.post("/v1/compliance/schedules", {**wished, **more, "filter": {}}).json()
    path = f"/v1/compliance/schedules/{made['id']}"
    assert desk.post(f"{path}/generate").json() == {"checks": 1}
    [check] = desk.get(f"/v1/compliance/checks?schedule_id={made['id']}&client_id={account}")["items"]
    one = f"/v1/compliance/checks/{check['id']}"
    # what a change does to the checks that stand is in its answer
    off = desk.ask("PATCH", path, json={"active": False}).json()
    assert (off["active"], off["withdrawn"], off["reviewing"]) == (False, 1, False)
    told = desk.get(one)
    assert (told["state"], told["reason"]) == ("withdrawn", "its schedule was switched off")
    assert_problem(desk.post(f"{one}/reopen", {"reason": "so"}), 409)
    assert desk.get("/v1/compliance/stats")["withdrawn"] == 1
    on = desk.ask("PATCH", path, json={"active": True, "required_fields": ["language"]}).json()
    assert (on["reopened"], on["completed"], desk.get(path)["required_fields"]) == (1, 1, ["language"])
    with desk.inside() as tx:
        late = build.check(tx, account, due_days=-1, required=("contact_phone",))
    late_one = f"/v1/compliance/checks/{late.id}"
    assert late.escalate_at is not None
    assert desk.post(f"{late_one}/escalate").json()["escalate_at"] < late.escalate_at.isoformat()
    with desk.inside() as tx:
        build.contact(tx, account, phone="+1 212 555 0100")
    assert desk.post(f"{late_one}/complete").json()["state"] == "completed"
    assert_problem(desk.post(f"{late_one}/escalate"), 409)
    assert_problem(desk.ask("GET", one, "globex.admin"), 404)
    assert desk.get("/v1/compliance/schedules", "globex.admin") == []
    assert_problem(desk.ask("GET", f"/v1/compliance/checks/{UUID(int=1)}"), 404)
