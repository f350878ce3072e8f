"""Webhooks out: signed so that a stock library verifies them, and never behind anybody's walls."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from domain.ports import MaybeHappened, NeverWill, NothingHappened, ProviderError
from providers.hooks import WebhookPoster, is_public, signature
from simulator.emulators.faults import Fault, fail, refuse
from simulator.emulators.hooks import HookEmulator
from tests.hand_clock import HandClock

SECRET = "whsec_" + base64.b64encode(bytes(range(24))).decode()
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
HERE = WebhookPoster(private=True)


@pytest.fixture
def hook(clock: HandClock) -> Iterator[HookEmulator]:
    """Somebody's webhook."""
    with HookEmulator(clock=clock) as listening:
        yield listening


def _post(url: str, poster: WebhookPoster = HERE, seconds: float = 2.0) -> None:
    poster.post(url, b'{"type":"alert.opened"}', secret=SECRET, message_id="m1", at=AT, deadline_seconds=seconds)


def test_a_stock_library_verifies_what_is_posted(hook: HookEmulator) -> None:
    from domain.clock import SystemClock

    HERE.post(f"{hook.url}/alerts", b'{"n":1}', secret=SECRET, message_id="m1", at=SystemClock().now(),
              deadline_seconds=2.0)  # fmt: skip
    [seen] = hook.witness.requests
    assert Webhook(SECRET).verify(seen.body.decode(), dict(seen.headers)) == json.loads('{"n":1}')
    with pytest.raises(Exception, match="signature"):
        Webhook(SECRET).verify('{"n":2}', dict(seen.headers))


def test_a_secret_that_is_plain_words_signs_as_it_stands() -> None:
    assert signature("words", "m1", AT, b"{}") == signature("words", "m1", AT, b"{}")
    assert signature("words", "m1", AT, b"{}") != signature("other", "m1", AT, b"{}")
    assert signature("whsec_not base64", "m1", AT, b"{}").startswith("v1,")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (refuse(401), NothingHappened),
        (refuse(404), NothingHappened),
        (refuse(410), NeverWill),
        (fail(503), NothingHappened),
        (Fault("answer", status=302, headers={"Location": "http://127.0.0.1:1/"}), NothingHappened),
        (Fault("reset", acts=True), MaybeHappened),
        (Fault("hang"), MaybeHappened),
        (Fault("drip", seconds=0.2), MaybeHappened),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
def test_every_refusal_says_whether_a_later_try_may_succeed(
    hook: HookEmulator, fault: Fault, kind: type[Exception]
) -> None:
    hook.break_next(fault)
    with pytest.raises(kind):
        _post(hook.url, seconds=0.5)


def test_a_webhook_that_nobody_listens_to_was_not_reached() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(NothingHappened):
            _post(f"http://127.0.0.1:{closed.getsockname()[1]}/")


@pytest.mark.parametrize("url", ["https://127.0.0.1:9/", "https://localhost:9/", "https://[::1]:9/"])
def test_nothing_is_posted_behind_our_own_walls(url: str) -> None:
    with pytest.raises(ProviderError):
        _post(url, WebhookPoster())


def test_plain_http_is_refused_unless_it_is_permitted(hook: HookEmulator) -> None:
    with pytest.raises(NeverWill, match="https"):
        _post(hook.url, WebhookPoster())
    assert not hook.witness.requests


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1:248:1893:25c8:1946", True), ("127.0.0.1", False),
        ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False), ("169.254.169.254", False),
        ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False),
        ("::", False), ("fe80::1%eth0", False), ("fc00::1", False), ("::ffff:10.0.0.1", False),
        ("::ffff:93.184.216.34", True), ("2002:7f00:1::", False), ("64:ff9b::7f00:1", False), ("ff02::1", False),
        ("64:ff9b::5db8:d822", True),
    ],
)  # fmt: skip
def test_an_address_is_public_when_everybody_can_reach_it(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_ping_asks_and_minds_only_an_error(hook: HookEmulator) -> None:
    HERE.ping(f"{hook.url}/alive", deadline_seconds=1.0)
    assert [(seen.method, seen.path) for seen in hook.witness.requests] == [("GET", "/alive")]
    hook.break_next(fail(500))
    with pytest.raises(NothingHappened):
        HERE.ping(hook.url, deadline_seconds=1.0)
