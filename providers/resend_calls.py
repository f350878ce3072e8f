"""Calls through the Resend SDK, whose key and address are module globals, without those globals ever mattering."""

from __future__ import annotations

import importlib
import json as jsonlib
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from providers.deadlines import Deadline
from providers.wire import Wire, WireError

Returned = TypeVar("Returned")

NOWHERE = "https://resend.invalid"
"""What the SDK's global address is set to: no call can reach anything but through a Call."""
NO_KEY = "no-key-is-global"


@dataclass(slots=True)
class Call:
    """One call of one tenant: whose key, to where, until when; and what came of it on the wire."""

    api_key: str = field(repr=False)
    base_url: str
    wire: Wire
    deadline: Deadline
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    failure: WireError | None = None


class CallOutsideOfCourier(RuntimeError):
    """The Resend SDK was used without a Call: its global key must never be relied on."""


# A context variable is a thread's own: what one tenant's thread sets, no other can see.
_current: ContextVar[Call] = ContextVar("resend_call")


class Courier:
    """The SDK's HTTP client. It holds nothing: the key is the current Call's, whatever the SDK's global says."""

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        json: dict[str, object] | list[object] | None = None,
        files: dict[str, Any] | None = None,
        data: dict[str, str] | None = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Carry one request of the SDK under the current call's key and deadline."""
        call = _current.get(None)
        if call is None or not url.startswith(NOWHERE):
            raise CallOutsideOfCourier(CallOutsideOfCourier.__doc__)
        if files is not None or data is not None:
            raise TypeError("only JSON calls are carried")
        own = {**headers, "Authorization": f"Bearer {call.api_key}"}
        body = b""
        if method.lower() != "get" and json is not None:
            # Sorted, so that the same mail is the same bytes however its parts were stored meanwhile.
            body = jsonlib.dumps(json, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
            own["Content-Type"] = "application/json"
        try:
            answer = call.wire.request(
                method, call.base_url + url.removeprefix(NOWHERE), headers=own, body=body, deadline=call.deadline
            )
        except WireError as error:
            call.failure = error
            raise
        call.status = answer.status
        call.headers = {name.lower(): value for name, value in answer.headers.items()}
        return answer.body, answer.status, call.headers


def load() -> None:
    """Import the SDK now, so that its half second is not taken from the first call's deadline."""
    importlib.import_module("resend")


def make(call: Call, ask: Callable[[Any], Returned]) -> Returned:
    """Run `ask(resend)` as `call`. Whatever the SDK raises passes through; `call` says what happened on the wire."""
    import resend

    # Always the same three values, so it does not matter which thread writes them, or how often.
    resend.default_http_client = cast("resend.HTTPClient", Courier())
    resend.api_url = NOWHERE
    resend.api_key = NO_KEY
    token = _current.set(call)
    try:
        return ask(resend)
    finally:
        _current.reset(token)
