"""Webhooks out: one signed message to an address that its owner chose, never to one behind somebody's walls."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from domain.ports import MaybeHappened, NeverWill, NothingHappened

if TYPE_CHECKING:
    from providers.wire import Answer, Wire

GONE = 410
PREFIX = "whsec_"
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class WebhookPoster:
    """Posts as the Standard Webhooks specification says: id, timestamp and HMAC-SHA256 in the headers.

    Redirects are not followed. Unless `private`, only https and only addresses that the whole internet can reach:
    whoever may choose a webhook must not be able to look around behind our walls.
    """

    def __init__(self, *, private: bool = False) -> None:
        self._private = private

    def post(
        self, url: str, body: bytes, *, secret: str, message_id: str, at: datetime, deadline_seconds: float
    ) -> None:  # fmt: skip
        """Post one message. Raises NothingHappened, MaybeHappened or NeverWill."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Hourhand",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature(secret, message_id, at, body),
        }
        answer = self._ask("POST", url, headers, body, deadline_seconds)
        if answer.status == GONE:
            raise NeverWill("the webhook is gone (410)")
        if not 200 <= answer.status < 300:
            # what refuses today may be mended tomorrow: a wrong secret, an address that moved
            raise NothingHappened(f"the webhook answered {answer.status}")

    def ping(self, url: str, *, deadline_seconds: float) -> None:
        """Ask for an address; whatever it answers but an error will do. Raises ProviderError."""
        answer = self._ask("GET", url, {"User-Agent": "Hourhand"}, b"", deadline_seconds)
        if answer.status >= 400:
            raise NothingHappened(f"the address answered {answer.status}")

    def _ask(self, method: str, url: str, headers: dict[str, str], body: bytes, deadline_seconds: float) -> Answer:
        from providers.deadlines import Deadline
        from providers.wire import Unanswered, Unsent

        if not self._private and urlsplit(url).scheme != "https":
            raise NeverWill("a webhook must be https (HOURHAND_PRIVATE_WEBHOOKS=true permits http)")
        try:
            return self._wire.request(method, url, headers=headers, body=body, deadline=Deadline(deadline_seconds))
        except Unsent as error:
            raise NothingHappened(f"the webhook could not be reached: {error}") from error
        except Unanswered as error:
            raise MaybeHappened(f"the webhook did not answer: {error}") from error

    @cached_property
    def _wire(self) -> Wire:
        from providers.wire import Wire

        # a kept connection would be one whose name was looked up in the past
        return Wire(permits=(lambda _address: True) if self._private else is_public, most_idle_per_host=0)


def signature(secret: str, message_id: str, at: datetime, body: bytes) -> str:
    """The signature of a message, in the form `v1,<base64>`."""
    signed = b".".join((message_id.encode(), str(int(at.timestamp())).encode(), body))
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, sha256).digest()).decode()


def is_public(address: str) -> bool:
    """Whether everybody can reach an IP address: not loopback, private, link-local, multicast or reserved."""
    told = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(told, ipaddress.IPv6Address):
        inside = told.ipv4_mapped or told.sixtofour or (told.teredo[1] if told.teredo else None)
        if inside is None and told in NAT64:
            inside = ipaddress.IPv4Address(told.packed[-4:])
        if inside is not None:
            return is_public(str(inside))
    return told.is_global and not told.is_multicast


def _key(secret: str) -> bytes:
    """The key in a secret: base64 behind `whsec_`, else its own letters."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except (ValueError, binascii.Error):
            return secret.encode()
    return secret.encode()
