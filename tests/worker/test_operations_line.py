"""The command line of those who run it: alerts, people, what-if, undo, and a doctor that names each mend."""

from __future__ import annotations

import base64
import json
from uuid import UUID

import pytest

from domain import alerts, credentials, executions, hooks, keys, mailboxes, rollup, tasks
from domain.alerts import HOUSE
from domain.db import Database
from domain.vault import Vault
from tests import build
from tests.worker.line import Line, Spoken
from worker.key_ring import parse_keys


@pytest.fixture
def acme(hh: Line, database: Database) -> UUID:
    """A tenant founded by command."""
    return UUID(hh("tenant", "add", "acme", "--name", "Acme", "--set", "country=US")["tenant_id"])


def test_alerts_are_seen_muted_acknowledged_and_ended_each_tried_first(
    hh: Line, database: Database, acme: UUID
) -> None:
    with database.tenant(acme) as tx:
        alert = alerts.open(tx, "gmail_quota:one", "The quota is spent.", times=3)
    assert alert is not None
    [shown] = hh("alerts", "list")
    assert (shown["kind"], shown["cause"]) == ("gmail_quota:one", {"times": 3})
    for done in (False, True):
        tried = () if done else ("--dry-run",)
        assert hh("alerts", "mute", "gmail_quota", "--reason", "known", "--hours", "3", *tried)["done"] is done
        assert hh("alerts", "ack", str(alert.id), *tried)["done"] is done
    assert "gmail_quota is muted until" in hh.plain("alerts", "list")[2]
    assert hh("alerts", "list")[0]["state"] == "acknowledged"
    assert hh("alerts", "unmute", "gmail_quota")["done"]
    with pytest.raises(Spoken, match="not muted"):
        hh("alerts", "unmute", "gmail_quota")
    hh("alerts", "resolve", str(alert.id))
    assert hh("alerts", "list") == []
    assert [each["state"] for each in hh("alerts", "list", "--past")] == ["resolved"]
    with pytest.raises(Spoken, match="no open alert"):
        hh("alerts", "ack", str(alert.id))


def test_the_houses_alerts_stand_apart_and_a_dead_post_is_put_back(hh: Line, database: Database, acme: UUID) -> None:
    with database.wearing("control") as tx:
        alerts.open(tx, "kill_switch", "A kill switch is on.", severity="critical", book=HOUSE)
        hooks.put_down(tx, of="house", book=HOUSE)
        [post] = hooks.due(tx, book=HOUSE)
        hooks.failed(tx, post, "the webhook is gone (410)", for_good=True, book=HOUSE)
    assert [each["kind"] for each in hh("alerts", "list", "--house")] == ["kill_switch"]
    assert hh("alerts", "list") == []
    [dead] = hh("alerts", "deliveries", "--house", "--state", "dead")
    checks = {check["name"]: check for check in hh("doctor")}
    assert "hourhand alerts replay --house" in checks["house webhook"]["mend"]
    assert checks["house alert"]["told"].startswith("kill_switch: ")
    assert hh("alerts", "replay", "--house", dead["id"])["state"] == "waiting"
    with pytest.raises(Spoken, match="no delivery"):
        hh("alerts", "replay", "--house", dead["id"])


def test_people_are_told_only_once_their_address_is_proven(hh: Line, acme: UUID) -> None:
    [check] = [each for each in hh("doctor") if each["name"] == "acme: who is told"]
    assert check["mend"].startswith("`hourhand user add")
    assert not hh("user", "add", "ana@acme.example", "--name", "Ana", "--role", "admin", "--dry-run")["done"]
    assert hh("user", "list") == []
    hh("user", "add", "ana@acme.example", "--name", "Ana", "--role", "admin")
    assert hh("user", "list")[0]["verified_at"] is None
    hh("user", "verify", "ana@acme.example")
    assert not [each for each in hh("doctor") if each["name"] == "acme: who is told"]
    with pytest.raises(Spoken, match="has no user"):
        hh("user", "verify", "bob@acme.example")
    with pytest.raises(Spoken, match="--role"):
        hh("user", "add", "bob@acme.example", "--name", "Bob", "--role", "king")


def test_what_a_card_changed_is_taken_back_once_it_was_tried(hh: Line, database: Database, acme: UUID) -> None:
    with database.tenant(acme) as tx:
        card = build.card(tx, build.contact(tx), state="queued", kind="create_task")
        mine = executions.reserve(tx, card, owner="test", fence=1, lease_seconds=15, idempotency_key=None)
        task = tasks.create(tx, title="Call", basis="client_request", evidence={"message_id": "m", "quote": "call me"})
        undo = {"verb": "tasks.finish", "task_id": str(task.id), "state": "cancelled"}
        executions.settle(tx, mine, "done", outcome={"undo": undo})
    assert not hh("undo", str(card.id), "--reason", "a joke", "--dry-run")["done"]
    with database.tenant(acme) as tx:
        assert len(tasks.listed(tx)) == 1
    assert "took back" in hh.plain("undo", str(card.id), "--reason", "a joke")[1]
    with database.tenant(acme) as tx:
        assert tasks.listed(tx) == []


def test_a_policy_is_tried_by_command_and_stays_as_it_was(hh: Line, acme: UUID) -> None:
    told = hh("whatif", "set", "max_emails_per_hour=5", "--days", "7")
    assert (told["tried"], told["by_rule"]) == (0, [])
    assert "nothing would be different" in hh.plain("whatif", "set", "send_mode=live")[1]
    assert hh("tenant", "show")["settings"]["max_emails_per_hour"] == 20
    with pytest.raises(Spoken, match="no rule reads it"):
        hh("whatif", "set", "sender_name=Ana")


def test_the_doctor_names_a_mend_for_whatever_it_does_not_like(hh: Line, database: Database, acme: UUID) -> None:
    with database.tenant(acme) as tx:
        alerts.open(tx, "policy_blocks", "12 actions were blocked.", blocked=12)
        rollup.add(tx, cycles_completed=1)
    hh("tenant", "set", "alert_webhook_url=https://hooks.acme.example/x")
    code, said, _ = hh.plain("doctor", "--json")
    checks = json.loads(said)
    assert code == 1
    for check in checks:
        assert check["mend"] or check["verdict"] in ("ok", "note"), check
        assert check["told"], check
    failed = {check["name"] for check in checks if check["verdict"] == "failed"}
    assert failed == {"acme: alert webhook"}
    hh("credential", "set", "alert_webhook_secret", stdin="a secret\n")
    assert hh.plain("doctor")[0] == 0


def test_status_speaks_plain_words_of_switches(hh: Line, acme: UUID) -> None:
    hh("kill", "--reason", "look", "--mail")
    hh("kill", "--reason", "look", "--engine", "engagement")
    said = hh.plain("status")[1]
    assert "switches off: mail, engine engagement" in said or "switches off: engine engagement, mail" in said
    assert "_" not in said.splitlines()[1]


def test_secrets_move_to_a_new_master_key_and_stay_what_they_were(
    hh: Line, database: Database, acme: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (f"{name}:{base64.b64encode(bytes([number] * 32)).decode()}" for name, number in (("k1", 1), ("k2", 2)))
    monkeypatch.setenv("HOURHAND_MASTER_KEYS", old)
    hh("credential", "set", "resend_api_key", stdin="re_secret\n")
    hh("gmail", "set-token", "--address", "ana@acme.example", "--client-id", "c", stdin="1//token\n")
    key = hh("key", "create")["key"]
    before = hh("credential", "list")
    monkeypatch.setenv("HOURHAND_MASTER_KEYS", f"{new},{old}")
    assert hh("key", "reseal", "--dry-run") == {"secrets": 1, "grants": 1, "key": "k2", "done": False}
    assert hh("key", "reseal")["secrets"] == 1
    assert hh("key", "reseal") == {"secrets": 0, "grants": 0, "key": "k2", "done": True}
    [after] = hh("credential", "list")
    assert (after["key_id"], after["updated_at"]) == ("k2", before[0]["updated_at"])
    vault = Vault(parse_keys(new + "," + old))
    with database.tenant(acme) as tx:
        assert credentials.get(tx, vault, "resend_api_key") == "re_secret"
        assert mailboxes.grant_of(tx, vault, mailboxes.listed(tx)[0].id).refresh_token == "1//token"
    # keys of the API are hashed under the oldest, which therefore stays
    assert keys.verify(database, vault, key).role == "admin"
