"""Mail in from a folder of message files, or an mbox (a takeout): the bytes as they lie there, new files as changes."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote_from_bytes

from domain.clock import Clock
from domain.ports import HistoryExpired, NothingHappened, Page, RawMessage
from providers import mbox
from providers.header_lines import conversation, digest, first_values

LARGEST_MESSAGE_BYTES = 50 << 20
MBOX_SUFFIXES = frozenset({".mbox", ".mbx"})
UNFINISHED_SUFFIXES = frozenset({".tmp", ".part", ".partial", ".crdownload"})
OVERLAP_NS = 2_000_000_000
"""File systems stamp files only every few milliseconds: what lies this close to the cursor is looked at again."""
TAIL_BYTES = 4096
TAKEOUT_LABELS = {
    "inbox": "INBOX",
    "sent": "SENT",
    "unread": "UNREAD",
    "drafts": "DRAFT",
    "spam": "SPAM",
    "trash": "TRASH",
    "chat": "CHAT",
}
LEFT_OUT = frozenset({"DRAFT", "CHAT", "SPAM", "TRASH"})

Found = RawMessage | tuple[str, str]
"""A message, or (id, reason) of what could not be read."""


@dataclass(frozen=True, slots=True)
class _File:
    changed_ns: int
    name: str
    """Its path below the root, percent-encoded, so that any bytes of it survive JSON."""
    path: Path
    size: int
    modified: float
    problem: str = ""
    is_mbox: bool = False


@dataclass(slots=True)
class _Cursor:
    changed_ns: int = -1
    listing: str = ""
    mboxes: dict[str, tuple[int, str]] = field(default_factory=dict)
    """How far each mbox was read, and the hash of the bytes before that point."""

    @classmethod
    def read(cls, text: str | None) -> _Cursor:
        if text is None:
            return cls()
        try:
            data = json.loads(text)
            mboxes = {str(name): (int(size), str(tail)) for name, (size, tail) in data["mboxes"].items()}
            return cls(int(data["changed_ns"]), str(data["listing"]), mboxes)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise HistoryExpired("The folder's cursor can't be read.") from error

    def write(self) -> str:
        data = {"changed_ns": self.changed_ns, "listing": self.listing, "mboxes": self.mboxes}
        return json.dumps(data, sort_keys=True)


class FolderMailbox:
    """A Mailbox over `path`: a folder (any names, any depth) or one mbox file."""

    name = "folder"

    def __init__(
        self, path: Path, *, address: str, clock: Clock, page_size: int = 200, page_bytes: int = 32 << 20
    ) -> None:
        self._path = path
        self._address = address
        self._clock = clock
        self._page_size = page_size
        self._page_bytes = page_bytes

    def changes(self, cursor: str | None, *, known: Sequence[str] = ()) -> Iterator[Page]:
        """Yield what came into the folder since `cursor`. Files near the cursor may come twice, under the same id."""
        since = _Cursor.read(cursor)
        files = self._files()
        listing = hashlib.sha256(repr([(f.changed_ns, f.name, f.size) for f in files]).encode()).hexdigest()
        if listing == since.listing:
            yield Page((), cursor)
            return
        reached = _Cursor(max([f.changed_ns for f in files], default=-1), listing, dict(since.mboxes))
        new = [f for f in files if f.changed_ns > since.changed_ns - OVERLAP_NS]
        yield from self._pages(self._found(new, reached.mboxes), frozenset(known), reached)

    def recent_ids(self, days: int) -> frozenset[str]:
        """The ids of the messages received in the last `days` days."""
        edge = self._clock.now() - timedelta(days=days)
        everything = self._found(self._files(), {})
        return frozenset(
            one.provider_message_id for one in everything if isinstance(one, RawMessage) and one.received_at >= edge
        )

    def fetch(self, provider_message_id: str) -> RawMessage | None:
        """One message by its id, found by reading on until it comes; None when it is gone."""
        for one in self._found(self._files(), {}):
            if isinstance(one, RawMessage) and one.provider_message_id == provider_message_id:
                return one
        return None

    def address(self) -> str:
        """The address whose mail this is, as told at import."""
        return self._address

    def _pages(self, found: Iterator[Found], known: frozenset[str], reached: _Cursor) -> Iterator[Page]:
        messages: list[RawMessage] = []
        broken: list[tuple[str, str]] = []
        size = 0
        for one in found:
            if isinstance(one, tuple):
                broken.append(one)
            elif one.provider_message_id not in known:
                messages.append(one)
                size += len(one.raw)
            if len(messages) + len(broken) >= self._page_size or size >= self._page_bytes:
                yield Page(tuple(messages), None, tuple(broken))
                messages, broken, size = [], [], 0
        # Only now: reading the last file is what completes the cursor.
        yield Page(tuple(messages), reached.write(), tuple(broken))

    def _files(self) -> list[_File]:
        """Every regular file, those that changed first in front."""
        try:
            root = self._path.stat()
        except OSError as error:
            raise NothingHappened(f"The mail folder {self._path} can't be read: {error.strerror}.") from error
        if stat.S_ISREG(root.st_mode):
            return [_file(self._path, self._path.parent, _starts_as_mbox(self._path))]
        problems: list[_File] = []

        def note(error: OSError) -> None:
            path = Path(os.fsdecode(error.filename))
            problems.append(_File(0, _name(path, self._path), path, 0, 0.0, f"{path.name}: {error.strerror}"))

        found = [
            _file(Path(folder) / name, self._path)
            for folder, _, names in os.walk(self._path, onerror=note)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() not in UNFINISHED_SUFFIXES
        ]
        return sorted(found, key=lambda f: (f.changed_ns, f.name)) + problems

    def _found(self, files: list[_File], mboxes: dict[str, tuple[int, str]]) -> Iterator[Found]:
        """The messages in `files`; notes in `mboxes` how far each mbox was read."""
        for file in files:
            if file.problem:
                yield digest(file.name.encode()), file.problem
                continue
            try:
                if file.is_mbox:
                    yield from self._in_mbox(file, mboxes)
                else:
                    yield from self._one(file, file.path.read_bytes())
            except FileNotFoundError:
                continue  # taken away since the listing, as a deleted mail is
            except OSError as error:
                yield digest(file.name.encode()), f"{file.name}: {error.strerror}"

    def _in_mbox(self, file: _File, mboxes: dict[str, tuple[int, str]]) -> Iterator[Found]:
        with file.path.open("rb") as stream:
            size, tail = mboxes.get(file.name, (0, ""))
            if not (0 < size <= file.size and _tail(stream, size) == tail):
                size = 0
            stream.seek(size)
            empty = size == 0
            for offset, raw in mbox.split(stream, largest_bytes=LARGEST_MESSAGE_BYTES):
                empty = False
                if raw is None:
                    yield digest(f"{file.name}@{offset}".encode()), f"{file.name}: the message at {offset} is too large"
                else:
                    yield from self._one(file, raw)
            if empty:
                yield digest(file.name.encode()), f"{file.name}: no `From ` line starts a message in this mbox"
            end = stream.tell()
            mboxes[file.name] = (end, _tail(stream, end))

    def _one(self, file: _File, raw: bytes) -> Iterator[Found]:
        own_id = digest(file.name.encode() + b"\0" + raw)
        if not raw.strip():
            yield own_id, f"{file.name}: the file is empty"
            return
        headers = first_values(raw)
        labels = _labels(headers, self._address)
        if LEFT_OUT & set(labels):
            return
        yield RawMessage(
            provider_message_id=own_id,
            provider_thread_id=conversation(headers) or own_id,
            raw=raw,
            labels=labels,
            received_at=_received(headers, datetime.fromtimestamp(file.modified, tz=UTC)),
        )


def _file(path: Path, root: Path, is_mbox: bool = False) -> _File:
    name = _name(path, root)
    try:
        seen = path.lstat()
    except OSError as error:
        return _File(0, name, path, 0, 0.0, f"{name}: {error.strerror}")
    is_mbox = is_mbox or path.suffix.lower() in MBOX_SUFFIXES or path.name == "mbox"
    problem = ""
    if not stat.S_ISREG(seen.st_mode):
        problem = f"{name}: not a regular file (links are not followed)"
    elif seen.st_size > LARGEST_MESSAGE_BYTES and not is_mbox:
        problem = f"{name}: larger than 50 MiB"
    return _File(seen.st_ctime_ns, name, path, seen.st_size, seen.st_mtime, problem, is_mbox)


def _starts_as_mbox(path: Path) -> bool:
    """A single file may be an mbox under any name, or just one message."""
    try:
        with path.open("rb") as stream:
            return bool(mbox.SEPARATOR.fullmatch(stream.readline(1000)))
    except OSError as error:
        raise NothingHappened(f"{path} can't be read: {error.strerror}.") from error


def _name(path: Path, root: Path) -> str:
    return quote_from_bytes(os.fsencode(os.path.relpath(path, root)))


def _tail(stream: BinaryIO, end: int) -> str:
    start = max(0, end - TAIL_BYTES)
    position = stream.tell()
    stream.seek(start)
    data = stream.read(end - start)
    stream.seek(position)
    return hashlib.sha256(data).hexdigest()


def _labels(headers: Mapping[str, str], address: str) -> tuple[str, ...]:
    named = [label.strip().lower() for label in headers.get("x-gmail-labels", "").split(",")]
    labels = {TAKEOUT_LABELS[label] for label in named if label in TAKEOUT_LABELS}
    senders = {sender.lower() for _, sender in getaddresses([headers.get("from", "")])}
    if address.lower() in senders:
        labels.add("SENT")
    return tuple(sorted(labels))


def _received(headers: Mapping[str, str], modified: datetime) -> datetime:
    """The Date header, unless it is missing, unreadable or later than the file itself."""
    try:
        dated = parsedate_to_datetime(headers["date"])
        dated = (dated if dated.tzinfo else dated.replace(tzinfo=UTC)).astimezone(UTC)
    except (KeyError, ValueError, TypeError, IndexError, OverflowError):
        return modified
    return dated if dated <= modified + timedelta(days=1) else modified
