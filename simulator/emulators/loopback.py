"""A small threaded HTTP/1.1 server on loopback that can break every rule of HTTP on demand."""

from __future__ import annotations

import abc
import json
import socket
import socketserver
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from domain.clock import Clock
from simulator.emulators.faults import Fault, Plan
from simulator.emulators.witness import Seen, Witness, as_data

_STATUSES = frozenset(HTTPStatus)


@dataclass(slots=True)
class Asked:
    """One request, taken apart."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    account: str
    seen: Seen

    def first(self, name: str, default: str = "") -> str:
        """The first value of a query parameter."""
        return self.query.get(name, [default])[0]


@dataclass(slots=True)
class Told:
    """One answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"


def tell(status: int, data: object, headers: Mapping[str, str] | None = None) -> Told:
    """An answer in JSON."""
    return Told(status, json.dumps(data).encode(), headers or {})


class Loopback(abc.ABC):
    """The common part of the emulators: a context manager that listens on 127.0.0.1 and counts what arrives.

    A subclass answers in `act`; `error` gives its dialect of a failure. Both are called in many threads.
    """

    def __init__(self, *, clock: Clock, port: int = 0, log: Path | None = None) -> None:
        self.clock = clock
        self.witness = Witness(log)
        self.faults = Plan()
        self.closing = threading.Event()
        self.connections = 0
        """How many have been opened so far."""
        self._wanted_port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @abc.abstractmethod
    def act(self, asked: Asked) -> Told:
        """Do what was asked and answer."""

    @abc.abstractmethod
    def error(self, status: int, name: str, message: str) -> object:
        """The body of a failure in this vendor's words."""

    def break_next(self, fault: Fault) -> None:
        """Let `fault` befall the next requests that fit it."""
        self.faults.add(fault)

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None, "the emulator is not running"
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", self._wanted_port), self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name=type(self).__name__, daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.hang_up()
            self._server.server_close()
            self._thread.join(5)
        self.witness.close()

    def hang_up(self) -> None:
        """Close every open connection, as a server does with idle ones."""
        if self._server is not None:
            self._server.hang_up()

    def control(self, asked: Asked) -> Told:
        """`/_emulator/…`: the same levers for other processes."""
        match asked.method, asked.path.removeprefix("/_emulator/"):
            case "POST", "faults":
                self.break_next(Fault.of(json.loads(asked.body)))
                return tell(200, {})
            case "DELETE", "faults":
                self.faults.clear()
                return tell(200, {})
            case "GET", "requests":
                return tell(200, [as_data(seen) for seen in list(self.witness.requests)])
            case _:
                return tell(404, self.error(404, "not_found", "no such lever"))


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: Loopback) -> None:
        self.owner = owner
        self._open: set[socket.socket] = set()
        super().__init__(address, _Conversation)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        self.owner.connections += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for sock in list(self._open):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                self._open.discard(sock)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not self.owner.closing.is_set():
            super().handle_error(request, client_address)


class _HangUp(Exception):
    """The conversation is over."""


class _Conversation(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    server: _Server

    def handle(self) -> None:
        try:
            while self._one():
                pass
        except (_HangUp, ConnectionError):
            return

    def _one(self) -> bool:
        owner = self.server.owner
        asked = self._read(owner)
        if asked is None:
            return False
        if asked.path.startswith("/_emulator/"):
            self._write(owner.control(asked))
            return True
        fault = owner.faults.next_for(asked.method, asked.seen.path, asked.account)
        if fault is None:
            self._write(owner.act(asked))
        else:
            self._misbehave(owner, asked, fault)
        return asked.headers.get("connection", "").lower() != "close"

    def _read(self, owner: Loopback) -> Asked | None:
        line = self.rfile.readline(65_537)
        if not line:
            return None
        method, target, _version = line.decode("latin-1").split(" ", 2)
        headers: dict[str, str] = {}
        while (header := self.rfile.readline(65_537)) not in (b"\r\n", b"\n", b""):
            name, _, value = header.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        wanted = int(headers.get("content-length", "0"))
        body = self.rfile.read(wanted)
        if len(body) < wanted:
            return None
        parts = urlsplit(target)
        account = headers.get("authorization", "").removeprefix("Bearer ")
        control = parts.path.startswith("/_emulator/")
        seen = (
            Seen(0, method, target, account, "", headers, body)
            if control
            else owner.witness.note(method, target, account, headers, body)
        )
        return Asked(method, unquote(parts.path), parse_qs(parts.query), headers, body, account, seen)

    def _misbehave(self, owner: Loopback, asked: Asked, fault: Fault) -> None:
        asked.seen.fault = fault.kind
        told = owner.act(asked) if fault.acts or fault.kind in ("slow", "truncate", "drip") else None
        match fault.kind:
            case "answer":
                self._write(tell(fault.status, owner.error(fault.status, fault.error, fault.message), fault.headers))
            case "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                raise _HangUp
            case "hang":
                owner.closing.wait()
                raise _HangUp
            case "close":
                raise _HangUp
            case "truncate":
                assert told is not None
                whole = self._bytes(told)
                self.wfile.write(whole[: len(whole) - max(1, len(told.body) // 2)])
                raise _HangUp
            case "drip":
                assert told is not None
                for byte in self._bytes(told):
                    if owner.closing.wait(fault.seconds):
                        break
                    self.wfile.write(bytes([byte]))
            case "slow":
                assert told is not None
                owner.closing.wait(fault.seconds)
                self._write(told)

    def _write(self, told: Told) -> None:
        self.wfile.write(self._bytes(told))

    def _bytes(self, told: Told) -> bytes:
        reason = HTTPStatus(told.status).phrase if told.status in _STATUSES else "Unassigned"
        head = [
            f"HTTP/1.1 {told.status} {reason}",
            f"Date: {format_datetime(self.server.owner.clock.now(), usegmt=True)}",
            f"Content-Type: {told.content_type}",
            f"Content-Length: {len(told.body)}",
            *(f"{name}: {value}" for name, value in told.headers.items()),
        ]
        return "\r\n".join([*head, "", ""]).encode("latin-1") + told.body
