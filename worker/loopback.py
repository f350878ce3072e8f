"""A listener on loopback that waits for a browser to come back from a consent page, and heeds nobody else."""

from __future__ import annotations

import contextlib
import hmac
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGE = b"<!doctype html><meta charset=utf-8><title>Hourhand</title><p>%s</p>"
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

Answer = dict[str, str]


class PortTaken(Exception):
    """The port on 127.0.0.1 can't be listened on: choose another, or 0 for a free one."""


class Loopback(ThreadingHTTPServer):
    """Hears one answer: the one that knows the state. Whatever else knocks is turned away, and waiting goes on."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Callback)
        self._state = ""
        self._heard: queue.Queue[Answer] = queue.Queue(maxsize=1)

    @property
    def url(self) -> str:
        """Where Google is to send the browser; for desktop clients it takes any port."""
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def expect(self, state: str) -> None:
        """From now on, only who knows `state` is heard."""
        self._state = state

    def hear(self, told: Answer) -> bool:
        """Take an answer in; whether it is the one that is waited for."""
        if not self._state or not hmac.compare_digest(told["state"].encode(), self._state.encode()):
            return False
        with contextlib.suppress(queue.Full):  # a browser may ask twice
            self._heard.put_nowait(told)
        return True

    def wait(self, seconds: float) -> Answer | None:
        """The answer, with its `state` and its `code` or `error`; None when there is none in time."""
        try:
            return self._heard.get(timeout=seconds)
        except queue.Empty:
            return None


class _Callback(BaseHTTPRequestHandler):
    server: Loopback
    timeout = 10.0

    def do_GET(self) -> None:
        told = parse_qs(urlsplit(self.path).query, errors="replace")
        answer = {name: told.get(name, [""])[0] for name in ("state", "code", "error")}
        ours = self.server.hear(answer)
        self.send_response(200 if ours else 400)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(PAGE % (b"Go back to the command line: it says how it went." if ours else b"Not expected."))

    def log_message(self, *_: object) -> None:
        """Nothing: the address holds a code."""


@contextlib.contextmanager
def listening(port: int) -> Iterator[Loopback]:
    """Listen for the length of a block. Raises PortTaken."""
    try:
        back = Loopback(port)
    except OSError as error:
        raise PortTaken(f"127.0.0.1:{port} can't be listened on ({error.strerror}): choose another --port") from error
    thread = threading.Thread(target=back.serve_forever, kwargs={"poll_interval": 0.05}, name="consent", daemon=True)
    thread.start()
    try:
        yield back
    finally:
        back.shutdown()
        back.server_close()
        thread.join(5)
