"""One total deadline for a whole conversation over a socket: a server that drips bytes can't stretch it."""

from __future__ import annotations

import io
import ipaddress
import queue
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, cast

Resolved = list[tuple[Any, ...]]


class DeadlinePassed(TimeoutError):
    """The time given for this call is over."""


class Deadline:
    """The moment at which a call must be over, however slowly the other side talks."""

    __slots__ = ("_ends", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = time.monotonic() + seconds

    def seconds_left(self) -> float:
        """Seconds until the end, never negative."""
        return max(0.0, self._ends - time.monotonic())

    def require(self) -> float:
        """Seconds until the end. Raises DeadlinePassed when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise DeadlinePassed(f"no answer within {self.seconds:g} s")
        return left


class PlainSocket(Protocol):
    """What a guarded socket needs of the socket below it (a TCP or a TLS one)."""

    def settimeout(self, value: float | None, /) -> None: ...
    def send(self, data: memoryview, /) -> int: ...
    def recv_into(self, buffer: Any, /) -> int: ...
    def close(self) -> None: ...
    def fileno(self) -> int: ...


class GuardedSocket:
    """A socket whose every operation gets only the time that is left.

    An ordinary time-out starts anew with each byte, so one byte every few seconds keeps a caller forever.
    """

    def __init__(self, plain: PlainSocket, deadline: Deadline) -> None:
        self.plain = plain
        self.deadline = deadline

    def sendall(self, data: bytes) -> None:
        """Hand all of `data` to the kernel. An error says that the last byte was not handed over."""
        view = memoryview(data)
        while view:
            self.plain.settimeout(self.deadline.require())
            view = view[self.plain.send(view) :]

    def makefile(self, mode: str = "rb", *_: object, **__: object) -> io.BufferedReader:
        """A buffered reader, as http.client and smtplib ask for it."""
        return io.BufferedReader(_GuardedReader(self), 1 << 16)

    def fileno(self) -> int:
        """The descriptor of the socket below."""
        return self.plain.fileno()

    def close(self) -> None:
        """Close the socket below."""
        self.plain.close()


class _GuardedReader(io.RawIOBase):
    def __init__(self, sock: GuardedSocket) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.plain.settimeout(self._sock.deadline.require())
        return self._sock.plain.recv_into(buffer)


def open_socket(
    host: str, port: int, deadline: Deadline, *, permits: Callable[[str], bool] = lambda _address: True
) -> socket.socket:
    """Connect to `host`, sharing the time that is left among its addresses, those alone that are permitted.

    Raises OSError (DeadlinePassed too) when none answers; nothing was sent then.
    """
    addresses = [each for each in _resolve(host, port, deadline) if permits(str(each[4][0]))]
    failure: OSError = OSError(f"{host} has no address that may be reached")
    for tried, (family, kind, protocol, _name, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            # A black hole in front must leave time for the addresses behind it.
            sock.settimeout(deadline.require() / (len(addresses) - tried))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


def _resolve(host: str, port: int, deadline: Deadline) -> Resolved:
    """Look `host` up. The resolver takes no time-out, so it works in a thread that may be left behind."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return cast("Resolved", socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    answers: queue.SimpleQueue[Resolved | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers.put(cast("Resolved", socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError(f"{host!r} is not a host name"))

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.require())
    except queue.Empty:
        raise DeadlinePassed(f"{host} could not be resolved within {deadline.seconds:g} s") from None
    if isinstance(answer, OSError):
        raise answer
    return answer
