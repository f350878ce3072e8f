"""The mailboxes of the Gmail emulator: messages, labels, threads and the history that changes leave."""

from __future__ import annotations

import base64
import re
import secrets
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from domain.clock import Clock

Change = Literal["messagesAdded", "messagesDeleted", "labelsAdded", "labelsRemoved"]
FIRST_HISTORY_ID = 2**53 + 1
"""Beyond what a float holds exactly: whoever keeps history ids as numbers loses mail here, as with real ones."""

IDS = re.compile(rb"<[^<>\s]{1,500}>")


@dataclass(slots=True)
class Message:
    """One message."""

    id: str
    thread_id: str
    raw: bytes
    labels: set[str]
    at: datetime
    history_id: int

    def header(self, name: str) -> bytes:
        """The unfolded value of a header, or nothing."""
        head = re.split(rb"\r?\n\r?\n|\r\r", self.raw, maxsplit=1)[0].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        found = re.search(rb"(?im)^" + name.encode() + rb":[ \t]*((?:.*)(?:\n[ \t].*)*)", head)
        return re.sub(rb"\n[ \t]+", b" ", found.group(1)).strip() if found else b""

    def short(self) -> dict[str, Any]:
        """As lists name it."""
        return {"id": self.id, "threadId": self.thread_id}

    def shown(self, form: str) -> dict[str, Any]:
        """As `messages.get` gives it in a format."""
        data = self.short() | {
            "labelIds": sorted(self.labels),
            "snippet": "",
            "historyId": str(self.history_id),
            "internalDate": str(int(self.at.timestamp() * 1000)),
            "sizeEstimate": len(self.raw),
        }
        if form == "raw":
            data["raw"] = base64.urlsafe_b64encode(self.raw).decode()
        elif form in ("metadata", "full"):
            names = ("From", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References")
            found = [(name, self.header(name).decode("utf-8", "replace")) for name in names]
            data["payload"] = {"headers": [{"name": name, "value": value} for name, value in found if value]}
        return data


@dataclass(slots=True)
class Record:
    """One line of a mailbox's history."""

    id: int
    change: Change
    message: dict[str, Any]
    labels: list[str]

    def shown(self) -> dict[str, Any]:
        """As `history.list` gives it."""
        detail: dict[str, Any] = {"message": self.message}
        if self.change.startswith("labels"):
            detail["labelIds"] = self.labels
        short = {"id": self.message["id"], "threadId": self.message["threadId"]}
        return {"id": str(self.id), "messages": [short], self.change: [detail]}


@dataclass(slots=True)
class GmailAccount:
    """One mailbox and its grant."""

    address: str
    clock: Clock
    refresh_token: str = ""
    scopes: str = "https://www.googleapis.com/auth/gmail.readonly"
    revoked: bool = False
    quota_per_minute: int | None = None
    """Quota units a minute before 403 userRateLimitExceeded; Google gives new projects 6,000."""
    empty_history_pages: int = 0
    """So many history pages come with a token and no history, as real ones sometimes do."""
    messages: dict[str, Message] = field(default_factory=dict)
    history: list[Record] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _oldest_history_id: int = FIRST_HISTORY_ID
    _history_id: int = FIRST_HISTORY_ID
    _made: int = 0
    _spent: tuple[datetime | None, int] = (None, 0)

    def __post_init__(self) -> None:
        self.refresh_token = self.refresh_token or f"1//{secrets.token_urlsafe(24)}"

    @property
    def history_id(self) -> str:
        """Where the mailbox stands."""
        return str(self._history_id)

    def deliver(self, raw: bytes, *, labels: Iterable[str] = ("INBOX", "UNREAD"), at: datetime | None = None) -> str:
        """Put a message in; its id. Threads form by References and In-Reply-To."""
        with self.lock:
            self._made += 1
            message_id = f"{0x18C0_0000_0000_0000 + self._made:016x}"
            message = Message(message_id, message_id, raw, set(labels), at or self.clock.now(), 0)
            message.thread_id = self._thread_of(message)
            self.messages[message_id] = message
            self._note("messagesAdded", message, [])
        return message_id

    def send(self, raw: bytes, *, at: datetime | None = None) -> str:
        """Put in a message that the owner of the mailbox sent."""
        return self.deliver(raw, labels=("SENT",), at=at)

    def delete(self, message_id: str) -> None:
        """Delete for good."""
        with self.lock:
            self._note("messagesDeleted", self.messages.pop(message_id), [])

    def relabel(self, message_id: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Add and take off labels."""
        with self.lock:
            message = self.messages[message_id]
            message.labels |= set(add)
            message.labels -= set(remove)
            if add:
                self._note("labelsAdded", message, list(add))
            if remove:
                self._note("labelsRemoved", message, list(remove))

    def expire_history(self) -> None:
        """Forget the past: any earlier cursor answers 404."""
        with self.lock:
            self._history_id += 1
            self._oldest_history_id = self._history_id
            self.history.clear()

    def since(self, cursor: int) -> list[Record] | None:
        """The history after a cursor; None when it has expired."""
        with self.lock:
            if cursor < self._oldest_history_id:
                return None
            return [record for record in self.history if record.id > cursor]

    def spend(self, units: int) -> bool:
        """Take quota units; False when this minute's are spent."""
        if self.quota_per_minute is None:
            return True
        with self.lock:
            now = self.clock.now()
            start, spent = self._spent
            if start is None or now - start >= timedelta(minutes=1):
                start, spent = now, 0
            if spent + units > self.quota_per_minute:
                return False
            self._spent = (start, spent + units)
            return True

    def new_access_token(self) -> str:
        """Grant access for an hour."""
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self.tokens.add(token)
        return token

    def _thread_of(self, message: Message) -> str:
        wanted = set(IDS.findall(message.header("References") + b" " + message.header("In-Reply-To")))
        if wanted:
            for other in self.messages.values():
                if wanted & set(IDS.findall(other.header("Message-ID"))):
                    return other.thread_id
        return message.id

    def _note(self, change: Change, message: Message, labels: list[str]) -> None:
        self._history_id += 1
        message.history_id = self._history_id
        shown = message.short() | {"labelIds": sorted(message.labels)}
        self.history.append(Record(self._history_id, change, shown, labels))
