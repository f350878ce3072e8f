"""An SMTP server on loopback that keeps what it is given and can fail at each step of the conversation."""

from __future__ import annotations

import base64
import re
import socket
import socketserver
import ssl
import struct
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from domain.clock import Clock
from simulator.emulators import commandline
from simulator.emulators.faults import Fault, Plan
from simulator.emulators.witness import Witness


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail that the server said it took."""

    account: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    """Dots undone, CRLF as it came."""


class SmtpEmulator:
    """`with SmtpEmulator(clock=clock, users={"acme": "secret"}) as smtp:` listens at `smtp.port`.

    A Fault's `method` names the step: CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, or DOT, which ends the mail.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        port: int = 0,
        log: Path | None = None,
        users: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
    ) -> None:
        self.clock = clock
        self.users = users
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.taken: list[Taken] = []
        self.witness = Witness(log)
        self.faults = Plan()
        self.closing = threading.Event()
        self._wanted_port = port

    def break_next(self, fault: Fault) -> None:
        """Let `fault` befall the next steps that fit it."""
        self.faults.add(fault)

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", self._wanted_port), self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="smtp emulator", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
        self.witness.close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], owner: SmtpEmulator) -> None:
        self.owner = owner
        super().__init__(address, _Conversation)


class _Over(Exception):
    """The conversation is over."""


class _Conversation(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.owner = self.server.owner
        self.account = ""
        self.sender = ""
        self.recipients: list[str] = []
        self.offers_tls = self.owner.tls is not None
        try:
            if self.owner.implicit_tls:
                self._go_secure()
            self.lines = self.request.makefile("rb")
            self._reply("CONNECT", "220 emulator ESMTP")
            while True:
                self._step(self._read_line())
        except (_Over, OSError):
            self.request.close()

    def _step(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "EHLO":
                offers = ["emulator", "8BITMIME", "SIZE 52428800"]
                offers += ["STARTTLS"] if self.offers_tls else []
                offers += ["AUTH PLAIN LOGIN"] if self.owner.users is not None else []
                parts = [f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"]
                self._reply("EHLO", "\r\n".join(parts))
            case "HELO":
                self._reply("EHLO", "250 emulator")
            case "STARTTLS" if self.offers_tls:
                if self._reply("STARTTLS", "220 go ahead"):
                    self._go_secure()
                    self.lines = self.request.makefile("rb")
            case "AUTH":
                self._authenticate(rest)
            case "MAIL" if self.owner.users is not None and not self.account:
                self._reply("MAIL", "530 5.7.0 authentication required")
            case "MAIL":
                if self._reply("MAIL", "250 2.1.0 ok"):
                    self.sender, self.recipients = _between(rest), []
            case "RCPT":
                if self._reply("RCPT", "250 2.1.5 ok"):
                    self.recipients.append(_between(rest))
            case "DATA":
                if self._reply("DATA", "354 go on"):
                    self._take()
            case "RSET" | "NOOP":
                self._reply("RSET", "250 2.0.0 ok")
            case "QUIT":
                self._write("221 2.0.0 bye")
                raise _Over
            case _:
                self._reply("OTHER", "502 5.5.2 unknown")

    def _take(self) -> None:
        lines = []
        while (line := self.lines.readline()) != b".\r\n":
            if not line:
                raise _Over
            lines.append(line[1:] if line.startswith(b"..") else line)
        content = b"".join(lines)
        seen = self.owner.witness.note("DOT", self.sender, self.account, {}, content)
        fault = self.owner.faults.next_for("DOT", "", self.account)
        if fault is None or fault.acts or fault.kind in ("slow", "drip", "truncate"):
            seen.acted = True
            self.owner.taken.append(Taken(self.account, self.sender, tuple(self.recipients), content))
        if fault is None:
            self._write("250 2.0.0 queued")
        else:
            seen.fault = fault.kind
            self._misbehave(fault, "250 2.0.0 queued")

    def _authenticate(self, rest: str) -> None:
        kind, _, initial = rest.partition(" ")
        if kind.upper() == "PLAIN":
            _, name, password = base64.b64decode(initial or self._prompt("")).decode().split("\0")
        else:
            name = base64.b64decode(initial or self._prompt("VXNlcm5hbWU6")).decode()
            password = base64.b64decode(self._prompt("UGFzc3dvcmQ6")).decode()
        if (self.owner.users or {}).get(name) == password:
            self._reply("AUTH", "235 2.7.0 welcome")
            self.account = name
        else:
            self._reply("AUTH", "535 5.7.8 wrong name or password")

    def _prompt(self, text: str) -> str:
        self._write(f"334 {text}")
        return self._read_line()

    def _reply(self, step: str, text: str) -> bool:
        """Answer a step; False when it was refused in place of that."""
        fault = self.owner.faults.next_for(step, "", self.account)
        if fault is None:
            self._write(text)
            return True
        self._misbehave(fault, text)
        return fault.kind != "answer"

    def _misbehave(self, fault: Fault, text: str) -> None:
        match fault.kind:
            case "answer":
                self._write(f"{fault.status} {fault.message}")
            case "reset":
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise _Over
            case "hang":
                self.owner.closing.wait()
                raise _Over
            case "close":
                raise _Over
            case "truncate":
                self.request.sendall(text[: len(text) // 2].encode())
                raise _Over
            case "drip":
                for byte in f"{text}\r\n".encode():
                    if self.owner.closing.wait(fault.seconds):
                        raise _Over
                    self.request.sendall(bytes([byte]))
            case "slow":
                self.owner.closing.wait(fault.seconds)
                self._write(text)

    def _go_secure(self) -> None:
        assert self.owner.tls is not None
        self.request: Any = self.owner.tls.wrap_socket(self.request, server_side=True)
        self.offers_tls = False

    def _read_line(self) -> str:
        line: bytes = self.lines.readline(4096)
        if not line:
            raise _Over
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def _write(self, text: str) -> None:
        self.request.sendall(f"{text}\r\n".encode())


def _between(rest: str) -> str:
    found = re.search(r"<([^>]*)>", rest)
    return found[1] if found else rest


def main(arguments: list[str] | None = None) -> None:
    """Run as a process of its own: `python -m simulator.emulators.smtp --port 8027`; `--account` names users."""
    options = commandline.options("SMTP on loopback", arguments, ("--password", "of every account"))
    users = dict.fromkeys(options.accounts, options.password or "secret") or None
    with SmtpEmulator(clock=options.clock, port=options.port, log=options.log, users=users) as emulator:
        commandline.announce_and_wait({"host": "127.0.0.1", "port": emulator.port})


if __name__ == "__main__":
    main()
