"""What every request must keep to before a route sees it, and what every answer carries."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Collection
from typing import Any

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from admin_api import problems
from admin_api.problems import Problem
from domain.storable import UNSTORABLE

log = structlog.get_logger(__name__)

LARGEST_BODY_BYTES = 1 << 20
LONGEST_TARGET_BYTES = 4_096
BODY_SECONDS = 30.0
"""How long a body may take to arrive: one that drips in would hold its connection for ever."""

API = "/v1/"
LARGEST_NUMBER = 2**63 - 1

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""Answers are data for programs: no browser is to run, frame, guess at or keep any of it."""


class Envelope:
    """Middleware: a declared largest body, text that can be kept, no failure without an answer, safe headers."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str] = (), body_seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._body_seconds = body_seconds
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def dressed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check_target(scope)
            await self._app(scope, await _checked_body(scope, receive, self._body_seconds), dressed)
        except Problem as problem:
            await problems.told(problem)(scope, receive, dressed)
        except Exception as error:
            log.error("api.error", route=_route(scope), error=type(error).__name__, exc_info=error)
            if begun:
                raise  # half an answer stands: only breaking the connection says that it is not whole
            await problems.unexpected()(scope, receive, dressed)

    def _check_target(self, scope: Scope) -> None:
        """Raises Problem for a URL that no route could serve, or a host that is not ours."""
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > LONGEST_TARGET_BYTES:
            raise Problem(414, "The address is too long.", f"At most {LONGEST_TARGET_BYTES} bytes are taken.")
        if UNSTORABLE.search(scope["path"]) or b"%00" in scope["query_string"] or b"\x00" in scope["query_string"]:
            raise Problem(400, "The address holds a NUL character.", "path or query: leave out %00.")
        host = Headers(scope=scope).get("host", "").rpartition(":")
        if self._hosts and (host[0] or host[2]).lower() not in self._hosts:
            raise Problem(421, "This is not the host you asked for.", f"Host: one of {', '.join(sorted(self._hosts))}.")


async def _checked_body(scope: Scope, receive: Receive, seconds: float) -> Receive:
    """The same messages, once the whole body has arrived and was found sound. Raises Problem."""
    headers = Headers(scope=scope)
    if "content-length" not in headers and "transfer-encoding" not in headers:
        return receive
    declared = headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdigit()) or int(declared[:20]) > LARGEST_BODY_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(seconds):
            body = await _read(receive)
    except TimeoutError as error:
        raise Problem(408, "The body did not arrive in time.", f"It may take {seconds:.0f} seconds.") from error
    if body is None:
        return receive  # the client is gone
    # webhooks are for their provider to judge, as raw bytes; an opt-out counts whatever it says
    is_json = headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    if is_json and scope["path"].startswith(API):
        await run_in_threadpool(check_json, body)
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _read(receive: Receive) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY_BYTES:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(body)


def check_json(body: bytes) -> None:
    """Pass a body whose every text and number can be kept. Raises Problem, which names the first that can't."""
    if not body:
        return
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "The body is not JSON.", f"body: {_said(error)}") from error
    pending: list[tuple[str, Any]] = [("body", told)]
    while pending:
        where, value = pending.pop()
        if isinstance(value, dict):
            for name, each in value.items():
                _check(f"{where}: a name", name)
                pending.append((f"{where}.{name}"[:200], each))
        elif isinstance(value, list):
            pending += [(f"{where}.{at}"[:200], each) for at, each in enumerate(value)]
        else:
            _check(where, value)


def _check(where: str, value: Any) -> None:
    mend = None
    if isinstance(value, str) and UNSTORABLE.search(value):
        mend = "text may not hold NUL or half of a surrogate pair"
    elif isinstance(value, float) and not math.isfinite(value):
        mend = "a number must be finite"
    elif isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        mend = f"a number may not be larger than {LARGEST_NUMBER}"
    if mend is not None:
        field = UNSTORABLE.sub("\ufffd", where)
        raise Problem(422, "The request is not of the expected form.", f"{field}: {mend}",
                      errors=[{"field": field, "problem": mend}])  # fmt: skip


def _said(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else "it is not UTF-8 or holds no number"


def _too_large() -> Problem:
    return Problem(413, "The body is too large.", f"At most {LARGEST_BODY_BYTES} bytes are taken.")


def _route(scope: Scope) -> str:
    """The route's own pattern: addresses themselves may carry a signature."""
    return f"{scope['method']} {getattr(scope.get('route'), 'path', '?')}"
