"""The transport: one total deadline, kept connections, and the truth about whether a request left."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from providers.deadlines import Deadline, DeadlinePassed, open_socket
from providers.wire import Unanswered, Unsent, Wire
from tests.providers.certificates import server_tls
from tests.providers.haste import AMPLE, SHORT, within

Talk = Callable[[socket.socket], object]
"""Says something; true goes on with the next request, else the connection ends."""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextlib.contextmanager
def talking(talk: Talk, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that says exactly what `talk` says after each request."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), tls.wrap_socket(sock, server_side=True) if tls else sock as spoken:
                while spoken.recv(65_536) and talk(spoken):
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{listener.getsockname()[1]}/path?query=1"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def get(url: str, *, seconds: float = AMPLE, wire: Wire | None = None, **headers: str) -> bytes:
    return (wire or Wire()).request("GET", url, headers=headers, deadline=Deadline(seconds)).body


def test_an_answer_comes_with_status_headers_and_body() -> None:
    with talking(lambda sock: sock.sendall(b"HTTP/1.1 418 T\r\nX-A: b\r\nContent-Length: 1\r\n\r\nx")) as url:
        answer = Wire().request("POST", url, headers={}, body=b"body", deadline=Deadline(AMPLE))
    assert (answer.status, answer.headers["x-a"], answer.body) == (418, "b", b"x")


@pytest.mark.parametrize(
    "whole",
    [
        OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.0 200 OK\r\n\r\nok",
    ],
)
def test_every_way_to_end_a_body_is_understood(whole: bytes) -> None:
    with talking(lambda sock: sock.sendall(whole)) as url:
        assert get(url) == b"ok"


@pytest.mark.parametrize("where", ["status", "headers", "body", "chunks"])
def test_a_drip_does_not_stretch_the_deadline(where: str) -> None:
    before = {
        "status": b"",
        "headers": b"HTTP/1.1 200 OK\r\nX-Long: ",
        "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    }[where]
    over = threading.Event()

    def drip(sock: socket.socket) -> None:
        sock.sendall(before)
        while not over.wait(0.02):
            sock.sendall(b"1\r\na\r\n" if where == "chunks" else b"H")

    with talking(drip) as url:
        with within(SHORT), pytest.raises(Unanswered):
            get(url, seconds=SHORT)
        over.set()


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 " + b"x" * 70_000,
    ],
    ids=lambda broken: repr(broken[:40]),
)
def test_a_broken_answer_is_no_answer(broken: bytes) -> None:
    with talking(lambda sock: sock.sendall(broken)) as url, pytest.raises(Unanswered):
        get(url)


def test_a_refused_connection_is_unsent() -> None:
    with pytest.raises(Unsent):
        get("http://127.0.0.1:1/")


def test_a_body_that_does_not_fit_through_in_time_is_unsent() -> None:
    over = threading.Event()

    def stall(sock: socket.socket) -> None:
        over.wait(5)

    with talking(stall) as url:
        with pytest.raises(Unsent):
            Wire().request("POST", url, headers={}, body=b"x" * (64 << 20), deadline=Deadline(0.3))
        over.set()


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "Снег"])
def test_a_header_can_not_smuggle_another_one_in(value: str) -> None:
    with talking(lambda sock: sock.sendall(OK)) as url, pytest.raises(Unsent):
        get(url, Subject=value)


def test_a_name_that_is_none_is_unsent() -> None:
    with pytest.raises(Unsent):
        get("http:///nothing")


def test_idle_connections_are_given_up_after_a_while() -> None:
    with talking(lambda sock: sock.sendall(OK)) as url:
        wire = Wire(idle_seconds=-1)
        assert [get(url, wire=wire) for _ in range(3)] == [b"ok"] * 3
        wire.close()


def test_a_black_hole_in_front_leaves_time_for_what_is_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = [socket.socket() for _ in range(4)]
    for sock in waiting:
        sock.setblocking(False)
        sock.connect_ex(full.getsockname())
    live = socket.create_server(("127.0.0.1", 0))
    answers = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in (full.getsockname(), live.getsockname())
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with open_socket("127.0.0.1", 80, Deadline(2)) as sock:
        assert sock.getpeername() == live.getsockname()
    for sock in [*waiting, full, live]:
        sock.close()


def test_a_resolver_that_hangs_does_not_stretch_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(5))
    with within(SHORT), pytest.raises(DeadlinePassed):
        open_socket("mail.example", 80, Deadline(SHORT))
    over.set()


def test_tls_is_spoken_and_kept_alive(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    conversations: list[object] = []

    def answer(sock: socket.socket) -> bool:
        conversations.append(sock)
        sock.sendall(OK)
        return True

    with talking(answer, server_tls(certificate)) as url:
        wire = Wire()
        assert [get(url, wire=wire) for _ in range(3)] == [b"ok"] * 3
        wire.close()
    assert len(set(map(id, conversations))) == 1


def test_a_server_that_nobody_vouches_for_gets_no_request(certificate: Path) -> None:
    heard: list[object] = []
    with talking(heard.append, server_tls(certificate)) as url, pytest.raises(Unsent, match="CERTIFICATE_VERIFY"):
        get(url)
    assert heard == []
