"""One conversation with an IMAP server: in TLS, read-only, every call within its deadline, every failure declared."""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

from domain.imap_accounts import ImapAccount
from domain.ports import NeverWill, NothingHappened, ProviderError, TokenRevoked
from providers import imap_answers, imap_folders
from providers.deadlines import Deadline, GuardedSocket, PlainSocket, open_socket
from providers.imap_answers import Token
from providers.imap_folders import Folder

LARGEST_ANSWER_BYTES = 16 << 20
"""What the answers to one command may come to beyond the message bytes that were asked for."""
SLOWEST_BYTES_PER_SECOND = 256 << 10
LONGEST_LINE = 1_000_000
# RFC 5530: the server's own trouble, not the password's.
FOR_NOW = re.compile(r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|CONTACTADMIN)\b", re.IGNORECASE)


class Refused(NothingHappened):
    """The server answered NO to one command; the conversation goes on."""


class ImapCalls:
    """The commands that reading takes. Each raises NothingHappened, NeverWill or TokenRevoked, and nothing else."""

    def __init__(self, server: _Server, seconds: float) -> None:
        self._server = server
        self._seconds = seconds

    def folders(self) -> tuple[list[Folder], list[str]]:
        """The folders that are read, and the names of those that can't be asked for."""
        with self._said():
            foreign: tuple[str, ...] = ()
            if "NAMESPACE" in self._server.capabilities:
                foreign = imap_folders.foreign(self._ask(self._server.namespace))
            return imap_folders.of(self._ask(lambda: self._server.list('""', '"*"')), foreign)

    def standing(self, folder: Folder) -> tuple[int, int]:
        """A folder's UIDVALIDITY and UIDNEXT."""
        with self._said():
            (answer, *_) = imap_answers.answers(self._ask(
                lambda: self._server.status(folder.quoted, "(UIDVALIDITY UIDNEXT)")))  # fmt: skip
            told = answer[-1]
            if not isinstance(told, list):
                raise imap_answers.Malformed("an answer to STATUS is no list")
            values = {imap_answers.word(name).upper(): value
                      for name, value in zip(told[::2], told[1::2], strict=True)}  # fmt: skip
            return imap_answers.number(values["UIDVALIDITY"]), imap_answers.number(values["UIDNEXT"])

    def enter(self, folder: Folder) -> int:
        """Open a folder for reading only; its UIDVALIDITY."""
        with self._said():
            self._ask(lambda: self._server.select(folder.quoted, readonly=True))
            (told,) = self._server.response("UIDVALIDITY")[1]
            return imap_answers.number(told)

    def search(self, criteria: str) -> list[int]:
        """The UIDs in the folder that answer to `criteria`, lowest first."""
        with self._said():
            return imap_answers.uids(self._ask(lambda: self._server.uid("SEARCH", criteria)))

    def has(self, uid: int) -> bool:
        """Whether a message is still there; the server is first let say what was deleted."""
        with self._said():
            self._ask(self._server.noop)
        return uid in self.search(f"UID {uid}")

    def fetch(self, uids: Sequence[int], items: str, *, expected_bytes: int = 0) -> dict[int, dict[str, Token]]:
        """Items of some messages; one that is gone, or that the server can't read, is missing."""
        asked = ",".join(map(str, uids))
        with self._said(expected_bytes):
            found = imap_answers.fetched(self._ask(lambda: self._server.uid("FETCH", asked, items)))
            return {uid: found[uid] for uid in uids if uid in found}

    def _ask(self, work: Callable[[], tuple[str, list[Any]]]) -> list[Any]:
        answered, data = work()
        if answered != "OK":
            raise Refused(f"The IMAP server refused: {_text(data)}")
        return data

    @contextmanager
    def _said(self, expected_bytes: int = 0) -> Iterator[None]:
        seconds = self._seconds + expected_bytes / SLOWEST_BYTES_PER_SECOND
        with _declared():
            self._server.allow(seconds, LARGEST_ANSWER_BYTES + 2 * expected_bytes)
            yield


@contextmanager
def conversation(account: ImapAccount, *, seconds: float, tls: ssl.SSLContext | None = None) -> Iterator[ImapCalls]:
    """Log in, lend the conversation, hang up. `seconds` is what each call may take.

    Raises NothingHappened when the server can't be reached, NeverWill when it can't be trusted or does not do what is
    set, TokenRevoked when it refuses the password.
    """
    with _declared():
        server = _Server(account, seconds, tls)
    try:
        with _declared():
            if account.security == "starttls":
                server.secure()
            _log_in(server, account)
            server.ask_capabilities()
        yield ImapCalls(server, seconds)
        with contextlib.suppress(ProviderError), _declared():
            server.allow(min(seconds, 5.0), LARGEST_ANSWER_BYTES)
            server.logout()
    finally:
        server.shutdown()


def try_out(account: ImapAccount, *, seconds: float) -> None:
    """Log in and out again. Raises as `conversation` does."""
    with conversation(account, seconds=seconds):
        pass


class _Server(imaplib.IMAP4):
    """imaplib's client on a socket that keeps to a deadline, with bounds to what a server may send."""

    def __init__(self, account: ImapAccount, seconds: float, tls: ssl.SSLContext | None) -> None:
        self._account = account
        self._tls = tls
        self.allow(seconds, LARGEST_ANSWER_BYTES)
        super().__init__(account.host, account.true_port)

    def allow(self, seconds: float, answer_bytes: int) -> None:
        """Give the next command its time and the bytes of its answer."""
        self._deadline = Deadline(seconds)
        self._bytes_left = answer_bytes
        if "sock" in self.__dict__:
            cast("GuardedSocket", self.sock).deadline = self._deadline

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect; imaplib calls this first of all."""
        self.host, self.port = host, port
        plain = open_socket(host, port, self._deadline)
        try:
            self._guard(self._wrapped(plain) if self._account.security == "tls" else plain)
        except BaseException:
            plain.close()
            raise

    def read(self, size: int) -> bytes:
        """A literal of `size` bytes."""
        self._spend(size)
        data = cast("bytes", self.file.read(size))
        if len(data) < size:
            raise self.abort("the answer broke off")
        return data

    def readline(self) -> bytes:
        """A line with its end."""
        line = cast("bytes", self.file.readline(LONGEST_LINE))
        self._spend(len(line))
        return line

    def shutdown(self) -> None:
        """Close the connection, however it stands."""
        for part in ("file", "sock"):
            if part in self.__dict__:
                with contextlib.suppress(OSError):
                    self.__dict__[part].close()

    def secure(self) -> None:
        """Go on in TLS. What was said in the clear is forgotten (RFC 9051, 6.2.1)."""
        if self.state != "NONAUTH" or "STARTTLS" not in self.capabilities:
            # going on in the clear would show the password to whoever removed the offer
            raise NeverWill("The IMAP server offers no STARTTLS: set its security to `tls`.")
        answered, data = self.xatom("STARTTLS")
        if answered != "OK":
            raise NeverWill(f"The IMAP server refused STARTTLS: {_text(data)}")
        self._guard(self._wrapped(cast("socket.socket", cast("GuardedSocket", self.sock).plain)))
        self.untagged_responses = {}
        self.ask_capabilities()

    def ask_capabilities(self) -> None:
        """What it can do: that may be another answer in TLS, and another once somebody is logged in."""
        _, (told, *_) = self.capability()
        self.capabilities = tuple(str(told, "ascii").upper().split())

    def _guard(self, sock: socket.socket) -> None:
        guarded = GuardedSocket(cast("PlainSocket", sock), self._deadline)
        self.sock = cast("socket.socket", guarded)
        self.file = guarded.makefile("rb")

    def _wrapped(self, plain: socket.socket) -> socket.socket:
        context = self._tls or ssl.create_default_context()
        plain.settimeout(self._deadline.require())
        return context.wrap_socket(plain, server_hostname=self._account.host)

    def _spend(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise self.abort("the answer is larger than what was asked for")


def _log_in(server: _Server, account: ImapAccount) -> None:
    if server.state == "AUTH":
        return
    try:
        if "AUTH=PLAIN" in server.capabilities:
            # LOGIN takes ASCII alone
            told = f"\0{account.user}\0{account.password}".encode()
            server.authenticate("PLAIN", lambda _: told)
        elif "LOGINDISABLED" in server.capabilities:
            raise NeverWill("The IMAP server takes no password on this connection: set its security to `tls`.")
        elif not f"{account.user}{account.password}".isascii():
            raise NeverWill("The IMAP server takes a user and a password of ASCII letters alone.")
        else:
            server.login(server._quote(account.user), account.password)  # imaplib itself quotes the password only
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        told_back = " ".join(str(error).split())[:200]
        if FOR_NOW.search(told_back):
            raise NothingHappened(f"The IMAP server can't log anybody in just now: {told_back}") from error
        raise TokenRevoked(f"The IMAP server refused user and password: {told_back}") from error


@contextmanager
def _declared() -> Iterator[None]:
    """Whatever breaks in here, reading changed nothing."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise NeverWill(f"The IMAP server's certificate can't be trusted: {error.verify_message}") from error
    except OSError as error:
        raise NothingHappened(f"The IMAP server can't be reached: {type(error).__name__}: {error}") from error
    except imap_answers.Malformed as error:
        raise NothingHappened(f"The IMAP server's answer is malformed: {error}.") from error
    except (imaplib.IMAP4.error, ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
        # its words may hold a line of somebody's mail
        raise NothingHappened(
            f"The IMAP server's answer broke off or is malformed ({type(error).__name__})."
        ) from error


def _text(data: Sequence[Any]) -> str:
    return b" ".join(part for part in data if isinstance(part, bytes)).decode("utf-8", "replace")[:200]
