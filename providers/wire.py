"""HTTP for all SDKs here: kept-alive connections, one total deadline, and errors that say whether a request left."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import cast
from urllib.parse import SplitResult, urlsplit

from providers.deadlines import Deadline, GuardedSocket, PlainSocket, open_socket

LARGEST_ANSWER_BYTES = 96 << 20
"""Gmail's largest message, 50 MB, grows by a third in base64url."""


class WireError(Exception):
    """An HTTP call brought no answer."""


class Unsent(WireError):
    """The request did not leave whole, so the server can't have acted on it."""


class Unanswered(WireError):
    """The request left, and its answer did not come (whole, or in time): the server may have acted."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: HTTPMessage
    body: bytes


class Wire:
    """Talks HTTP/1.1. Safe for threads: a connection belongs to one call at a time."""

    def __init__(
        self, *, idle_seconds: float = 15.0, most_idle_per_host: int = 8,
        permits: Callable[[str], bool] = lambda _address: True,
    ) -> None:  # fmt: skip
        """`permits` says of an IP address whether a connection to it may be opened."""
        self._permits = permits
        self._idle_seconds = idle_seconds
        self._most_idle = most_idle_per_host
        self._lock = threading.Lock()
        self._idle: dict[tuple[str, str], list[tuple[GuardedSocket, float]]] = {}

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", deadline: Deadline
    ) -> Answer:
        """One request, one answer, all within `deadline`. Redirects are answers, they are not followed.

        Raises Unsent or Unanswered.
        """
        target = urlsplit(url)
        message = _message(method, target, headers, body)
        sock = self._send(target, message, deadline)
        try:
            answer, reusable = _read_answer(sock, method)
        except (OSError, HTTPException, ValueError) as error:
            sock.close()
            raise Unanswered(_reason(error)) from error
        if reusable:
            self._put_back(target, sock)
        else:
            sock.close()
        return answer

    def close(self) -> None:
        """Close every idle connection."""
        with self._lock:
            kept, self._idle = self._idle, {}
        for connections in kept.values():
            for sock, _since in connections:
                sock.close()

    def _send(self, target: SplitResult, message: bytes, deadline: Deadline) -> GuardedSocket:
        kept = self._take_idle(target)
        if kept is not None:
            kept.deadline = deadline
            try:
                kept.sendall(message)
            except OSError:
                # The server had closed it meanwhile; it never saw the whole request, so a fresh one may try.
                kept.close()
            else:
                return kept
        try:
            sock = self._connect(target, deadline)
        except (OSError, UnicodeError) as error:
            raise Unsent(_reason(error)) from error
        try:
            sock.sendall(message)
        except OSError as error:
            sock.close()
            raise Unsent(_reason(error)) from error
        return sock

    def _connect(self, target: SplitResult, deadline: Deadline) -> GuardedSocket:
        host = target.hostname
        if host is None:
            raise OSError(f"{target.geturl()!r} names no host")
        secure = target.scheme == "https"
        plain = open_socket(host, target.port or (443 if secure else 80), deadline, permits=self._permits)
        if not secure:
            return GuardedSocket(cast("PlainSocket", plain), deadline)
        try:
            plain.settimeout(deadline.require())
            wrapped = self._tls.wrap_socket(plain, server_hostname=host)
        except OSError:
            plain.close()
            raise
        return GuardedSocket(cast("PlainSocket", wrapped), deadline)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        import certifi

        # The system's own store first (a company's private authority), Mozilla's list where there is none.
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context

    def _take_idle(self, target: SplitResult) -> GuardedSocket | None:
        while True:
            with self._lock:
                kept = self._idle.get((target.scheme, target.netloc))
                if not kept:
                    return None
                sock, since = kept.pop()
            if time.monotonic() - since <= self._idle_seconds and _is_quiet(sock):
                return sock
            sock.close()

    def _put_back(self, target: SplitResult, sock: GuardedSocket) -> None:
        with self._lock:
            kept = self._idle.setdefault((target.scheme, target.netloc), [])
            if len(kept) < self._most_idle:
                kept.append((sock, time.monotonic()))
                return
        sock.close()


def _message(method: str, target: SplitResult, headers: Mapping[str, str], body: bytes) -> bytes:
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    lines = [f"{method.upper()} {path} HTTP/1.1", f"Host: {target.netloc.rpartition('@')[2]}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() not in _OURS]
    if body or method.upper() in {"POST", "PUT", "PATCH"}:
        lines.append(f"Content-Length: {len(body)}")
    if any("\r" in line or "\n" in line for line in lines):
        raise Unsent("a header holds a line break")
    try:
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    except UnicodeEncodeError as error:
        raise Unsent("a header is not latin-1") from error
    # Head and body leave in one write: a second small one would wait for the first one's acknowledgement.
    return head + body


_OURS = frozenset({"host", "content-length", "connection", "accept-encoding", "transfer-encoding"})


def _read_answer(sock: GuardedSocket, method: str) -> tuple[Answer, bool]:
    with HTTPResponse(cast("socket.socket", sock), method=method.upper()) as response:
        response.begin()
        body = response.read(LARGEST_ANSWER_BYTES)
        if response.length:
            # read(n) hands over a truncated body in silence; only what is still owed tells.
            raise HTTPException(f"the answer broke off, {response.length} bytes short")
        if response.length is None and not response.chunked and not body and response.status not in (204, 304):
            # A body that lasts until the end of the connection, and is empty: the headers may have been cut.
            raise HTTPException("the answer broke off before its body")
        if response.chunked and not response.isclosed() and response.read(1):
            raise HTTPException("the answer is too large")
        return Answer(response.status, response.headers, body), not response.will_close


def _is_quiet(sock: GuardedSocket) -> bool:
    """Nothing to read on an idle connection; a readable one was closed by the server or is out of step."""
    poll = select.poll()
    poll.register(sock.fileno(), select.POLLIN)
    return not poll.poll(0)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
