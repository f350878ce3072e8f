"""Resend's webhooks at the door: believed only when signed, kept once, and never the reason of a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import alerts, cards, credentials, executions, outbound, quarantine, suppressions
from domain.outbound import Frozen
from domain.ports import OutboundMail
from simulator.emulators.resend_webhooks import Hook, bounce, make_hook, new_secret, sign
from tests import build
from tests.admin_api.desk import Desk, assert_problem

SECRET = new_secret()


@pytest.fixture
def hooked(desk: Desk) -> Desk:
    """A desk whose acme has a signing secret."""
    answer = desk.ask("PUT", "/v1/credentials/resend_webhook_secret", json={"secret": SECRET})
    assert answer.status_code == 204, answer.text
    return desk


def send(desk: Desk, hook: Hook, tenant: str = "acme", **changed: str) -> Any:
    return desk.client.post(f"/webhooks/resend/{tenant}", content=hook.body, headers={**hook.headers(), **changed})


def signed(desk: Desk, body: bytes, event_id: str = "msg_1") -> Hook:
    at = desk.house.clock.now()
    return Hook(event_id, at, body, sign(SECRET, event_id, at, body))


def sent_mail(desk: Desk) -> dict[str, Any]:
    """A mail of acme's that Resend took, as its emulator would tell of it."""
    with desk.inside() as tx:
        contact = build.contact(tx)
        card = build.card(tx, contact, state="queued")
        mail = OutboundMail(
            card.id, str(card.id), f"<{card.id}@acme.example>", "ana@acme.example", ("bill@initech.example",), "Hello",
            "How are you?", tags={"card": str(card.id), "tenant": str(tx.tenant_id)},
        )  # fmt: skip
        reserved = executions.reserve(tx, card, owner="t", fence=1, lease_seconds=5, idempotency_key=str(card.id))
        outbound.record_each(tx, [Frozen(reserved, mail, "live", None)], state="reserved", provider="resend")
        executions.settle(tx, reserved, "done", provider_id="re_1")
        outbound.accepted(tx, card.id, provider_id="re_1")
    return {
        "id": "re_1", "message_id": mail.message_id, "created_at": "2026-03-02T09:00:00Z", "from": mail.sender,
        "to": ["bill@initech.example"], "subject": "Hello",
        "tags": [{"name": name, "value": value} for name, value in mail.tags.items()],
    }  # fmt: skip


def test_a_bounce_suppresses_the_address_and_is_answered_before_it_is_worked_on(hooked: Desk) -> None:
    hook = make_hook(hooked.house.clock, SECRET, "bounced", sent_mail(hooked), **bounce())
    answer = send(hooked, hook)
    assert (answer.status_code, answer.json()) == (200, {"received": True, "news": True})
    [listed] = hooked.get("/v1/suppressions")["items"]
    assert (listed["address"], listed["reason"]) == ("bill@initech.example", "bounced")
    assert hooked.get("/v1/suppressions", "globex.admin")["items"] == []


def test_a_webhook_that_comes_again_is_no_news(hooked: Desk) -> None:
    hook = make_hook(hooked.house.clock, SECRET, "delivered", sent_mail(hooked))
    assert [send(hooked, hook).json()["news"] for _ in range(3)] == [True, False, False]
    with hooked.inside() as tx:
        assert tx.value("SELECT count(*) FROM webhook_deliveries WHERE tenant_id = :t", t=tx.tenant_id) == 1
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE type = 'delivery.delivered'") == 1


def test_a_forged_or_stale_webhook_is_not_believed_and_leaves_nothing(hooked: Desk) -> None:
    hook = make_hook(hooked.house.clock, SECRET, "bounced", sent_mail(hooked), **bounce())
    assert_problem(send(hooked, hook.forged()), 401)
    assert_problem(send(hooked, hook, **{"svix-id": "msg_other"}), 401)
    assert_problem(send(hooked, hook, **{"svix-timestamp": "0"}), 401)
    assert_problem(send(hooked, hook, **{"svix-signature": "v1,"}), 401)
    assert_problem(hooked.client.post("/webhooks/resend/acme", content=hook.body), 401)
    hooked.house.clock.advance(minutes=6)  # type: ignore[attr-defined]
    assert_problem(send(hooked, hook), 401)
    with hooked.inside() as tx:
        assert tx.value("SELECT count(*) FROM webhook_deliveries") == 0
        assert quarantine.listed(tx) == []
        assert suppressions.listed(tx) == []


def test_a_webhook_of_one_tenant_is_not_anothers(hooked: Desk) -> None:
    hook = make_hook(hooked.house.clock, SECRET, "delivered", sent_mail(hooked))
    unknown = assert_problem(send(hooked, hook, "nobody"), 401)
    without = assert_problem(send(hooked, hook, "globex"), 401)
    with hooked.inside("globex") as tx:
        credentials.put(tx, hooked.house.vault, "resend_webhook_secret", new_secret())
    other = assert_problem(send(hooked, hook, "globex"), 401)
    assert unknown == without == other  # strangers learn nothing about who is here
    with hooked.inside("globex") as tx:
        assert alerts.listed(tx) == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b"{}", b'{"type": "email.bounced"}', b'{"type": "email.bounced", "data": 1}',
             b'{"type": 7}', b"[" * 50_000, b'{"type": "email.sent", "created_at": "9999-99-99", "data": {}}'],
)  # fmt: skip
def test_a_genuine_webhook_that_makes_no_sense_is_kept_with_its_reason(hooked: Desk, body: bytes) -> None:
    told = assert_problem(send(hooked, signed(hooked, body)), 400)
    [kept] = hooked.get("/v1/quarantine")["items"]
    assert (kept["kind"], kept["source"]) == ("webhook", "resend/msg_1")
    assert kept["reason"] in told["detail"]


def test_what_is_not_about_delivery_is_taken_and_forgotten(hooked: Desk) -> None:
    answer = send(hooked, signed(hooked, b'{"type": "contact.created", "data": {}}'))
    assert (answer.status_code, answer.json()["news"]) == (200, False)


def test_a_broken_secret_of_our_own_is_an_alert_and_no_500(hooked: Desk) -> None:
    with hooked.inside() as tx:
        credentials.put(tx, hooked.house.vault, "resend_webhook_secret", "whsec_not base64!")
    assert_problem(send(hooked, signed(hooked, b"{}")), 401)
    with hooked.inside() as tx:
        assert [alert.kind for alert in alerts.listed(tx)] == ["webhook_secret_invalid"]
        credentials.put(tx, hooked.house.vault, "resend_webhook_secret", SECRET)
        assert alerts.listed(tx) == []


@given(body=st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.just("email.bounced"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "data", "created_at", "to", "tags", "bounce", "email_id"]), inner, max_size=5),
    max_leaves=12).map(lambda value: json.dumps(value).encode()))  # fmt: skip
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_signed_is_answered(hooked: Desk, body: bytes) -> None:
    assert send(hooked, signed(hooked, body)).status_code in (200, 400, 401)


def test_a_notification_for_an_unknown_mail_waits_and_hurts_nobody(hooked: Desk) -> None:
    stranger = {**sent_mail(hooked), "id": "re_other", "message_id": "<other@x.example>", "tags": []}
    assert send(hooked, make_hook(hooked.house.clock, SECRET, "bounced", stranger, **bounce())).status_code == 200
    with hooked.inside() as tx:
        assert suppressions.listed(tx) == []
        assert cards.listed(tx, state="done")
