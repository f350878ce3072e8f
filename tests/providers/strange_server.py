"""What answers in place of a vendor when a proxy or a captive portal stands in between."""

from __future__ import annotations

from domain.clock import Clock
from simulator.emulators.loopback import Asked, Loopback, Told


class StrangeServer(Loopback):
    """Answers everything alike."""

    def __init__(self, told: Told, *, clock: Clock) -> None:
        super().__init__(clock=clock)
        self._told = told

    def act(self, asked: Asked) -> Told:
        return self._told

    def error(self, status: int, name: str, message: str) -> object:
        return {"status": status, "name": name, "message": message}


STRANGE_ANSWERS = [
    Told(200, b"<html>Welcome</html>", content_type="text/html"),
    Told(200, b"{", content_type="application/json"),
    Told(200, b"[]", content_type="application/json"),
    Told(200, b"null", content_type="application/json"),
    Told(200, b'"id"', content_type="application/json"),
    Told(200, b'{"id": 7}', content_type="application/json"),
    Told(200, b'{"id": "\xff"}', content_type="application/json"),
]
