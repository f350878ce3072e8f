"""A tenant set up and worked with through the API alone, from the house's first key on."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import cycle
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.admin_api.desk import CRON_SECRET, Desk, assert_problem


def test_many_rows_are_taken_in_one_by_one(desk: Desk) -> None:
    told = desk.post("/v1/clients/bulk", {"rows": [
        {"name": "Hooli", "external_id": "h", "annual_value": "12.50"}, {"name": ""}, 7,
        {"name": "Piper", "country": "Atlantis"}, {"name": "Raviga", "colour": "red"},
        {"name": "Hooli", "external_id": "h", "annual_value": 12.5},
        {"name": "Hooli", "external_id": "h", "country": "ES"},
    ]}).json()  # fmt: skip
    counts = {name: told[name] for name in ("created", "changed", "unchanged", "refused")}
    assert counts == {"created": 1, "changed": 1, "unchanged": 1, "refused": 4}
    refused = {row["row"]: row["field"] for row in told["rows"] if row["id"] is None}
    assert refused == {1: "name", 2: "row", 3: "country", 4: "colour"}
    assert all(row["mend"] for row in told["rows"] if row["id"] is None)
    people = desk.post("/v1/contacts/bulk", {"rows": [
        {"email": "a@hooli.example", "client_external_id": "h", "name": "Ann"},
        {"email": "b@hooli.example", "client_external_id": "nobody"},
        {"email": "not an address", "client_external_id": "h"},
        {"email": "c@hooli.example", "client_external_id": "h", "phone": "ring me"},
    ]}).json()  # fmt: skip
    assert (people["created"], people["refused"]) == (1, 3)
    fields = {row["row"]: row["field"] for row in people["rows"] if row["id"] is None}
    assert fields == {1: "client_external_id", 2: "email", 3: "phone"}
    assert [each["email"] for each in desk.get("/v1/contacts")["items"]] == ["a@hooli.example"]


def test_a_bulk_request_has_bounds(shared: Desk) -> None:
    assert_problem(shared.post("/v1/clients/bulk", {"rows": []}), 422)
    assert_problem(shared.post("/v1/clients/bulk", {"rows": [{}] * 501}), 422)


def test_a_mailbox_is_connected_rotated_and_revoked_and_its_grant_is_never_shown(desk: Desk) -> None:
    made = desk.post("/v1/mailboxes/gmail", {"address": "Ana@Acme.example"}).json()
    assert (made["status"], made["address"]) == ("not_configured", "ana@acme.example")
    assert made["mend"]
    path = f"/v1/mailboxes/{made['id']}"
    grant = {"refresh_token": "1//very-secret", "client_id": "c", "client_secret": "hush"}
    connected = desk.ask("PUT", f"{path}/grant", json=grant)
    assert connected.json()["status"] == "connected"
    assert desk.post("/v1/mailboxes/poll", who="acme.operator").json() == {"enqueued": True}
    assert desk.post("/v1/mailboxes/poll", who="globex.operator").json() == {"enqueued": False}
    revoked = desk.post(f"{path}/revoke", {"reason": "she left"}).json()
    assert (revoked["status"], revoked["status_cause"]) == ("revoked", "she left")
    told = desk.ask("GET", "/v1/mailboxes").text + desk.ask("GET", "/v1/audit").text + connected.text
    assert "very-secret" not in told
    assert "hush" not in told


def test_cron_for_mail_asks_mailboxes_and_leaves_the_hour_alone(desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {CRON_SECRET}"}
    grant = {"refresh_token": "t", "client_id": "c"}
    desk.post("/v1/mailboxes/gmail", {"address": "ana@acme.example", **grant})
    desk.house.clock.advance(hours=2)  # type: ignore[attr-defined]
    beat = desk.client.post("/cron/gmail", headers=headers).json()
    assert (beat["slots"], beat["mailboxes"], beat["jobs"]) == (0, 1, 1)
    assert desk.client.post("/cron/gmail", headers=headers).json()["mailboxes"] == 0
    beat = desk.client.post("/cron/agent", headers=headers).json()
    assert beat["slots"] == 2
    assert desk.client.post("/cron/agent", headers=headers).json()["slots"] == 0


def test_a_cycle_out_of_turn_is_queued_and_says_when_it_may_start(desk: Desk) -> None:
    answer = desk.post("/v1/cycle", who="acme.operator")
    assert (answer.status_code, answer.json()["stopped_by"]) == (202, [])
    beat = desk.client.post("/cron/agent", headers={"Authorization": f"Bearer {CRON_SECRET}"}).json()
    assert beat["jobs"] >= 1
    with desk.house.database.wearing("dispatcher") as tx:
        queued = tx.value("SELECT task_name FROM queue.procrastinate_jobs WHERE queue_name = 'cycles'")
    assert queued == "extra_cycle"


@pytest.mark.parametrize(("mode", "state"), [("live", "done"), ("dry_run", "held"), ("internal_only", "held")])
def test_from_nothing_to_a_mail_that_went_out_and_why(desk: Desk, mode: str, state: str) -> None:
    """Founded, set up, filled, run, and read back: not one step by any other door but the cycle itself."""
    made = desk.post("/v1/tenants", {"slug": "initrode", "name": "Initrode"}, "house.admin").json()
    desk.tenants["initrode"] = made["tenant_id"]

    def admin(method: str, path: str, body: Any = None) -> Any:
        answer = desk.ask(method, f"/v1/{path}", "house.admin", json=body, headers={"Hourhand-Tenant": "initrode"})
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    assert admin("GET", "tenant")["settings"]["send_mode"] == "dry_run"
    admin("PATCH", "tenant/settings", {"settings": {**build.ACME, "send_mode": mode, "autonomy": {}}})
    admin("PUT", "credentials/resend_api_key", {"secret": "re_initrode"})
    client = admin("POST", "clients", {"name": "Initech", "domain": "initech.example", "country": "US",
                                       "timezone": "America/New_York"})["id"]  # fmt: skip
    contact = admin("POST", "contacts", {"client_id": client, "email": "bill@initech.example", "name": "Bill"})["id"]
    desk.house.clock.advance(hours=6)  # type: ignore[attr-defined]
    assert admin("GET", f"contacts/{contact}/clock")["standing"] == "overdue"
    assert admin("GET", "cycle/explain")["cards"]
    assert admin("GET", "cards")["items"] == []
    with ResendEmulator(clock=desk.house.clock) as resend:
        houses.resend_for(desk.hands, resend, made["tenant_id"], "re_initrode")
        admin("POST", "cycle")
        cycle.run(desk.house, made["tenant_id"], kind="extra")
        assert len(resend.sent("re_initrode")) == (state == "done")
    [card] = admin("GET", "cards")["items"]
    assert card["state"] == state
    why = admin("GET", f"cards/{card['id']}/why")
    assert why["mail"]["to"] == ["bill@initech.example"]
    assert all(verdict["sentence"] for judged in why["judgements"] for verdict in judged["verdicts"])
    [run] = admin("GET", "runs")["items"]
    [line] = admin("GET", f"runs/{run['id']}")["ledger"]
    assert line["disposition"] == {"done": "acted", "held": "held"}[state]
    assert admin("GET", "reflections")["items"][0]["run_id"] == run["id"]
    clock = admin("GET", f"contacts/{contact}/clock")
    assert (clock["last_touch_type"] == "email") is (state == "done")
    assert (clock["shadow_step"] is not None) is (state == "held")
    assert admin("GET", "engagement")["overdue"] == (state == "held")
    assert any(each["used"] for each in admin("GET", "limits")["items"])
    assert admin("GET", "audit/verify")["intact"] is True
