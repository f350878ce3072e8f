"""An IMAP server that says what a test has it say: hostile, broken, or merely old."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Mapping
from typing import Self

HEADER = b"From: bo@client.example\r\nMessage-ID: <1@client.example>\r\n\r\n"
RAW = HEADER + b"Hello\r\n"
HEALTHY: Mapping[str, bytes] = {
    "GREETING": b"* OK ready\r\n",
    "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n%s OK done\r\n",
    "LOGIN": b"%s OK in\r\n",
    "LIST": b'* LIST () "/" INBOX\r\n%s OK done\r\n',
    "STATUS": b"* STATUS INBOX (UIDVALIDITY 7 UIDNEXT 2)\r\n%s OK done\r\n",
    "EXAMINE": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n%s OK [READ-ONLY] done\r\n",
    "SEARCH": b"* SEARCH 1\r\n%s OK done\r\n",
    "HEAD": b'* 1 FETCH (UID 1 FLAGS () INTERNALDATE "02-Mar-2026 08:00:00 +0000" RFC822.SIZE 70 '
    b"BODY[HEADER.FIELDS (MESSAGE-ID FROM)] {%d}\r\n%s)\r\n%%s OK done\r\n" % (len(HEADER), HEADER),
    "WHOLE": b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\n%%s OK done\r\n" % (len(RAW), RAW),
    "NOOP": b"%s OK done\r\n",
    "LOGOUT": b"* BYE\r\n%s OK done\r\n",
}


class StrangeImap:
    """`with StrangeImap(SEARCH=b"…") as server:` answers as HEALTHY does, but for what is named; %s is the tag.

    An answer of None never comes.
    """

    def __init__(self, **strange: bytes | None) -> None:
        self.answers: dict[str, bytes | None] = {**HEALTHY, **strange}
        self.asked: list[str] = []
        self.closing = threading.Event()

    def __enter__(self) -> Self:
        script = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                script.talk(self)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Talk)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def talk(self, line: socketserver.StreamRequestHandler) -> None:
        """Greet, then answer each command until the client leaves."""
        try:
            line.wfile.write(self.answers["GREETING"] or b"")
            for told in line.rfile:
                tag, _, command = told.strip().partition(b" ")
                verb = _verb(command.decode("latin-1").upper())
                self.asked.append(verb)
                answer = self.answers.get(verb, b"%s BAD what?\r\n")
                if answer is None:
                    self.closing.wait(30)
                    return
                line.wfile.write(answer.replace(b"%s", tag))
        except OSError:
            return


def _verb(command: str) -> str:
    words = command.split()
    if words[:2] == ["UID", "FETCH"]:
        return "HEAD" if "RFC822.SIZE" in command else "WHOLE"
    return (words[1] if words[:1] == ["UID"] and len(words) > 1 else words[0]) if words else ""
