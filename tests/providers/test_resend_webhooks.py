"""Resend's webhooks: genuine ones are understood, everything else is refused in one declared way."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ports import DeliveryEvent
from providers.resend import ResendSender
from providers.resend_webhooks import WebhookRejected, WebhookSecretInvalid, parse, verify
from simulator.emulators.resend import ResendEmulator
from simulator.emulators.resend_webhooks import Hook, bounce, sign
from tests.hand_clock import HandClock
from tests.providers.outbound import a_mail

Making = Callable[..., Hook]


@pytest.fixture
def secret(resend: ResendEmulator) -> str:
    return resend.accounts["re_acme"].webhook_secret


@pytest.fixture
def hook(resend: ResendEmulator, clock: HandClock) -> Making:
    """Makes webhooks about one mail that acme really sent."""
    accepted = ResendSender("re_acme", resend.url).send(a_mail(clock), deadline_seconds=5)

    def make(kind: str, **extra: Any) -> Hook:
        return resend.hook("re_acme", accepted.provider_id, kind, **extra)

    return make


def body_hook(secret: str, clock: HandClock, body: bytes) -> Hook:
    """A rightly signed call with any body."""
    return Hook("msg_1", clock.now(), body, sign(secret, "msg_1", clock.now(), body))


@pytest.mark.parametrize(
    ("kind", "extra", "detail"),
    [
        ("sent", {}, None),
        ("delivered", {}, None),
        ("delivery_delayed", {}, None),
        ("bounced", bounce(), "550 5.1.1 no such user"),
        ("complained", {}, None),
        ("failed", {"failed": {"reason": "reached_daily_quota"}}, "reached_daily_quota"),
        ("suppressed", {"suppressed": {"message": "on the list", "type": "OnAccount"}}, "on the list"),
        ("opened", {}, None),
        ("clicked", {"click": {"link": "https://acme.example/q"}}, "https://acme.example/q"),
    ],
)
def test_each_event_is_understood(
    kind: str,
    extra: dict[str, Any],
    detail: str | None,
    hook: Making,
    secret: str,
    resend: ResendEmulator,
    clock: HandClock,
) -> None:
    call = hook(kind, **extra)
    event = verify(secret, call.headers(), call.body, now=clock.now())
    (sent,) = resend.sent("re_acme")
    assert event is not None
    assert (event.event_id, event.kind, event.provider_id) == (call.event_id, kind, sent["id"])
    assert event.recipients == ("Bo <bo@client.example>",)
    assert event.tags == {tag["name"]: tag["value"] for tag in sent["tags"]}
    assert event.message_id == sent["message_id"]
    assert event.at == clock.now()
    assert event.detail == detail
    assert (event.bounce_type, event.bounce_subtype) == (
        ("Permanent", "General") if kind == "bounced" else (None, None)
    )
    assert parse(call.event_id, call.body) == event


@pytest.mark.parametrize("kind", ["email.scheduled", "email.received", "contact.created", "domain.updated", "new.kind"])
def test_a_genuine_event_about_something_else_is_none(kind: str, secret: str, clock: HandClock) -> None:
    call = body_hook(secret, clock, json.dumps({"type": kind, "data": {}}).encode())
    assert verify(secret, call.headers(), call.body, now=clock.now()) is None


def test_the_standard_header_names_are_taken_too(hook: Making, secret: str, clock: HandClock) -> None:
    call = hook("delivered")
    headers = {name.replace("svix-", "Webhook-"): value for name, value in call.headers().items()}
    assert verify(secret, headers, call.body, now=clock.now()) is not None


def test_one_of_several_signatures_is_enough(hook: Making, secret: str, clock: HandClock) -> None:
    call = hook("delivered")
    call = replace(call, signature=f"v1,bm90IHRoaXM= v2,x {call.signature}")
    assert verify(secret, call.headers(), call.body, now=clock.now()) is not None


def test_a_repeated_call_has_the_same_event_id(hook: Making, secret: str, clock: HandClock) -> None:
    call = hook("delivered")
    ids = {_event(secret, call, clock).event_id for _ in range(3)}
    assert ids == {call.event_id}


def test_a_forged_signature_is_401(hook: Making, secret: str, clock: HandClock) -> None:
    assert _refusal(secret, hook("bounced", **bounce()).forged(), clock).status == 401


def test_another_tenants_secret_is_401(hook: Making, resend: ResendEmulator, clock: HandClock) -> None:
    assert _refusal(resend.accounts["re_globex"].webhook_secret, hook("delivered"), clock).status == 401


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
def test_a_call_from_another_time_is_401(seconds: int, hook: Making, secret: str, clock: HandClock) -> None:
    call = hook("delivered")
    clock.advance(seconds=seconds)
    assert _refusal(secret, call, clock).status == 401


@pytest.mark.parametrize("seconds", [-299, 299])
def test_five_minutes_of_skew_are_taken(seconds: int, hook: Making, secret: str, clock: HandClock) -> None:
    call = hook("delivered")
    clock.advance(seconds=seconds)
    assert _event(secret, call, clock).kind == "delivered"


def test_a_changed_body_id_or_time_is_401(hook: Making, secret: str, clock: HandClock) -> None:
    call = hook("delivered")
    for changed in (
        replace(call, body=call.body + b" "),
        replace(call, event_id="msg_other"),
        replace(call, at=call.at + timedelta(seconds=1)),
    ):
        assert _refusal(secret, changed, clock).status == 401


@pytest.mark.parametrize("missing", ["svix-id", "svix-timestamp", "svix-signature"])
def test_a_missing_header_is_401(missing: str, hook: Making, secret: str, clock: HandClock) -> None:
    call = hook("delivered")
    headers = {name: value for name, value in call.headers().items() if name != missing}
    with pytest.raises(WebhookRejected) as raised:
        verify(secret, headers, call.body, now=clock.now())
    assert raised.value.status == 401


@pytest.mark.parametrize("bad", ["", "whsec_", "whsec_!!!", "whsec_a"])
def test_a_bad_secret_is_our_mistake_and_not_the_callers(bad: str, hook: Making, clock: HandClock) -> None:
    call = hook("delivered")
    with pytest.raises(WebhookSecretInvalid):
        verify(bad, call.headers(), call.body, now=clock.now())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[1]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"type": 1' + b"0" * 10_000 + b"}",
        b'{"type": "email.bounced"}',
        b'{"type": "email.bounced", "data": []}',
        b'{"type": "email.sent", "created_at": "soon", "data": {"email_id": "x", "to": []}}',
        b'{"type": "email.sent", "created_at": "0001-01-01T00:00:00+23:59", "data": {"email_id": "x", "to": []}}',
        b'{"type": "email.sent", "created_at": "2026-03-02T09:00:00Z", "data": {"email_id": "\\u0000", "to": []}}',
        b'{"type": "email.sent", "created_at": "2026-03-02T09:00:00Z", "data": {"email_id": "x", "to": ["\\ud800"]}}',
        b'{"type": "email.sent", "created_at": "2026-03-02T09:00:00Z", "data": {"email_id": "x", "to": {}}}',
        b" " * (1 << 20) + b"{}",
    ],
    ids=lambda body: repr(body[:60]),
)
def test_a_signed_body_that_makes_no_sense_is_400(body: bytes, secret: str, clock: HandClock) -> None:
    assert _refusal(secret, body_hook(secret, clock, body), clock).status == 400


def test_unstorable_text_in_a_detail_is_replaced(hook: Making, secret: str, clock: HandClock) -> None:
    event = _event(secret, hook("bounced", **bounce(message="a\0b\ud800c")), clock)
    assert event.detail == "a\ufffdb\ufffdc"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
field_names = st.sampled_from(["email_id", "to", "tags", "bounce", "message_id", "click", "created_at", "subType"])


@settings(max_examples=200)
@given(
    kind=st.sampled_from(["email.bounced", "email.sent", "email.clicked", "email.failed", "email.suppressed"]),
    created=st.just("2026-03-02T09:00:00Z") | json_values,
    data=st.dictionaries(field_names, json_values) | json_values,
)
def test_any_signed_json_gives_an_event_or_the_declared_refusal(kind: str, created: object, data: object) -> None:
    clock = HandClock()
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    call = body_hook(secret, clock, json.dumps({"type": kind, "created_at": created, "data": data}).encode())
    with contextlib.suppress(WebhookRejected):
        event = verify(secret, call.headers(), call.body, now=clock.now())
        assert event is not None
        "".join([event.provider_id, *event.recipients, *event.tags.values(), event.detail or ""]).encode()


@settings(max_examples=200)
@given(
    body=st.binary(max_size=200),
    headers=st.dictionaries(
        st.sampled_from(["svix-id", "Svix-Timestamp", "svix-signature", "webhook-id", "content-type"]),
        st.text(max_size=60) | st.sampled_from(["1772442000", "1772442000.5", "v1,", "v1", ",", "v1,é", "-1", "٣"]),
    ),
)
def test_any_bytes_and_headers_are_refused_as_declared(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(WebhookRejected):
        verify("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", headers, body, now=HandClock().now())


def _event(secret: str, call: Hook, clock: HandClock) -> DeliveryEvent:
    event = verify(secret, call.headers(), call.body, now=clock.now())
    assert event is not None
    return event


def _refusal(secret: str, call: Hook, clock: HandClock) -> WebhookRejected:
    with pytest.raises(WebhookRejected) as raised:
        verify(secret, call.headers(), call.body, now=clock.now())
    return raised.value
