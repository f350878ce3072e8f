"""Mail in over IMAP: each folder on from its last UID, all anew when UIDs changed; exact bytes, nothing marked."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.clock import Clock
from domain.imap_accounts import ImapAccount
from domain.ports import HistoryExpired, NothingHappened, Page, ProviderError, RawMessage
from providers import imap_answers
from providers.deadlines import Deadline
from providers.header_lines import conversation as conversation_of
from providers.header_lines import digest, first_values
from providers.imap_answers import Malformed, Token
from providers.imap_calls import ImapCalls, Refused, conversation
from providers.imap_folders import Folder

LARGEST_MESSAGE_BYTES = 50 << 20
UIDS_AT_ONCE = 50_000
"""So many UIDs a search is asked for: its answer is one line, and lines are bounded."""
HEADS_AT_ONCE = 200
HEAD_BYTES = 16 << 10
GROUP_BYTES = 8 << 20
REMEMBERED = 10_000
"""So many that the server could not give are found again; a mailbox with more is broken as a whole."""
FIELDS = "MESSAGE-ID FROM DATE SUBJECT REFERENCES IN-REPLY-TO"
HEAD = f"(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({FIELDS})])"
WHOLE = "(UID BODY.PEEK[])"

Found = RawMessage | tuple[str, str]
"""A message, or (id, reason) of what could not be read."""


@dataclass(frozen=True, slots=True)
class _Place:
    folder: Folder
    validity: int
    uid: int


@dataclass(frozen=True, slots=True)
class _Head:
    id: str
    thread: str
    place: _Place
    size: int
    flags: frozenset[str]
    received_at: datetime


@dataclass(slots=True)
class _Cursor:
    """What is covered. HIGHESTMODSEQ is not part of it: it tells of flags, and what arrives always has a new UID."""

    folders: dict[str, tuple[int, int]] = field(default_factory=dict)
    """UIDVALIDITY, and the first UID that is not covered."""
    aside: dict[str, _Place] = field(default_factory=dict)
    """Where those lie that the server could not give: an id alone would not find them."""
    closed: list[str] = field(default_factory=list)
    """The folders that can't be opened, once that is told."""

    @classmethod
    def read(cls, text: str | None) -> _Cursor:
        if text is None:
            return cls()
        try:
            data = json.loads(text)
            folders = {str(name): (int(validity), int(uid)) for name, (validity, uid) in data["folders"].items()}
            aside = {str(each): _Place(Folder(str(name), tuple(map(str, labels))), int(validity), int(uid))
                     for each, (name, labels, validity, uid) in data["aside"].items()}  # fmt: skip
            return cls(folders, aside, list(map(str, data["closed"])))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise HistoryExpired("The mailbox's cursor can't be read.") from error

    def write(self) -> str:
        kept = list(self.aside.items())[-REMEMBERED:]
        aside = {each: (at.folder.name, at.folder.labels, at.validity, at.uid) for each, at in kept}
        return json.dumps({"folders": self.folders, "aside": aside, "closed": sorted(self.closed)}, sort_keys=True)


class ImapMailbox:
    """A Mailbox over IMAP4rev1. A message's id is made of its own Message-ID, so that it stays when it is moved."""

    name = "imap"

    def __init__(
        self, account: ImapAccount, *, address: str, clock: Clock, tls: ssl.SSLContext | None = None,
        page_size: int = 50, page_bytes: int = 32 << 20, call_seconds: float = 30.0, sync_seconds: float = 600.0,
    ) -> None:  # fmt: skip
        self._account = account
        self._address = address
        self._clock = clock
        self._tls = tls
        self._page_size = page_size
        self._page_bytes = page_bytes
        self._call_seconds = call_seconds
        self._sync_seconds = sync_seconds
        self._places: dict[str, _Place] = {}

    def changes(self, cursor: str | None, *, known: Sequence[str] = ()) -> Iterator[Page]:
        """Yield what arrived in any folder since `cursor`; after `sync_seconds` it stops, and the next call goes on."""
        since = _Cursor.read(cursor)
        self._places.update(since.aside)
        with conversation(self._account, seconds=self._call_seconds, tls=self._tls) as calls:
            sync = _Sync(calls, self._clock, since, set(known), Deadline(self._sync_seconds))
            yield from self._pages(sync)

    def recent_ids(self, days: int) -> frozenset[str]:
        """The ids of the messages that came in the last `days` days, by the server's own date of arrival."""
        edge = self._clock.now() - timedelta(days=days)
        # a search knows days alone, in the server's own zone
        since = f"SINCE {_day(edge - timedelta(days=1))}"
        found: set[str] = set()
        with conversation(self._account, seconds=self._call_seconds, tls=self._tls) as calls:
            for folder in calls.folders()[0]:
                try:
                    validity = calls.enter(folder)
                except Refused:
                    continue  # it is told at the sync
                for uids in _chunks(calls.search(since), HEADS_AT_ONCE):
                    for head in _heads(calls, folder, validity, uids, self._clock.now()):
                        if isinstance(head, _Head) and head.received_at >= edge and r"\draft" not in head.flags:
                            found.add(head.id)
                            self._places[head.id] = head.place
        return frozenset(found)

    def fetch(self, provider_message_id: str) -> RawMessage | None:
        """One message that `changes` set aside or `recent_ids` listed; None when it is gone, or not among them."""
        place = self._places.get(provider_message_id)
        if place is None:
            return None
        with conversation(self._account, seconds=self._call_seconds, tls=self._tls) as calls:
            if calls.enter(place.folder) != place.validity:
                return None
            for one in _read(calls, place.folder, place.validity, [place.uid], set(), self._clock.now(), {}):
                if isinstance(one, RawMessage):
                    return one
                raise NothingHappened(one[1])
        return None

    def address(self) -> str:
        """The mailbox's own address, as told when it was connected: IMAP does not state it."""
        return self._address

    def _pages(self, sync: _Sync) -> Iterator[Page]:
        messages: list[RawMessage] = []
        broken: list[tuple[str, str]] = []
        failure: ProviderError | None = None
        size = 0
        found = sync.found()
        while True:
            try:
                one = next(found, None)
            except ProviderError as error:
                # what did arrive is kept, so that a big mailbox gets on despite a bad line
                failure = error
                break
            if one is None:
                break
            if isinstance(one, RawMessage):
                messages.append(one)
                size += len(one.raw)
            else:
                broken.append(one)
            if len(messages) + len(broken) >= self._page_size or size >= self._page_bytes:
                yield Page(tuple(messages), None, tuple(broken))
                messages, broken, size = [], [], 0
        self._places.update(sync.reached.aside)
        yield Page(tuple(messages), None if failure else sync.reached.write(), tuple(broken))
        if failure is not None:
            raise failure


@dataclass(slots=True)
class _Sync:
    """One reading of all folders under way."""

    calls: ImapCalls
    clock: Clock
    since: _Cursor
    seen: set[str]
    budget: Deadline
    reached: _Cursor = field(default_factory=_Cursor)

    def found(self) -> Iterator[Found]:
        """What is new, folder by folder, oldest first; `reached` moves behind what was yielded."""
        self.reached.aside = dict(self.since.aside)
        self.reached.folders = dict(self.since.folders)
        folders, strange = self.calls.folders()
        for name in strange:
            yield from self._closed(name, "the server spells its name as no command can")
        due: list[tuple[Folder, int, int, int]] = []
        for folder in folders:
            try:
                validity, end = self.calls.standing(folder)
            except Refused as error:
                yield from self._closed(folder.name, str(error))
                continue
            due.append((folder, validity, self._start(folder, validity, end), end))
        kept = {folder.name for folder in folders}
        self.reached.folders = {name: at for name, at in self.reached.folders.items() if name in kept}
        for folder, validity, start, end in due:
            yield from self._in_folder(folder, validity, start, end)
            # past the budget each sync still gets on by some messages
            if start < end and not self.budget.seconds_left():
                return

    def _start(self, folder: Folder, validity: int, end: int) -> int:
        before = self.since.folders.get(folder.name)
        if before is None:
            return 1
        if before[0] != validity or before[1] > end:
            raise HistoryExpired(f"The server numbered the messages of {imap_answers.readable(folder.name)} anew.")
        return before[1]

    def _in_folder(self, folder: Folder, validity: int, start: int, end: int) -> Iterator[Found]:
        if start < end:
            try:
                entered = self.calls.enter(folder)
            except Refused as error:
                yield from self._closed(folder.name, str(error))
                return
            if entered != validity:
                raise NothingHappened("A folder was made anew just now.")
        for first in range(start, end, UIDS_AT_ONCE):
            last = min(first + UIDS_AT_ONCE, end) - 1
            for uids in _chunks(self.calls.search(f"UID {first}:{last}"), HEADS_AT_ONCE):
                yield from _read(self.calls, folder, validity, uids, self.seen, self.clock.now(), self.reached.aside)
                self.reached.folders[folder.name] = (validity, uids[-1] + 1)
                if not self.budget.seconds_left():
                    return
            self.reached.folders[folder.name] = (validity, last + 1)
            if not self.budget.seconds_left():
                return
        self.reached.folders[folder.name] = (validity, end)

    def _closed(self, name: str, reason: str) -> Iterator[Found]:
        self.reached.closed.append(name)
        if name not in self.since.closed:
            yield f"folder-{digest(name.encode())}", f"folder {imap_answers.readable(name)}: {reason}"


def _read(
    calls: ImapCalls, folder: Folder, validity: int, uids: Sequence[int], seen: set[str], now: datetime,
    aside: dict[str, _Place],
) -> Iterator[Found]:  # fmt: skip
    """The messages of some UIDs that were not seen before; notes in `aside` where those lie that can't be had."""
    wanted: list[_Head] = []
    for head in _heads(calls, folder, validity, uids, now):
        if isinstance(head, _Place):
            name = f"uid-{validity}-{head.uid}-{digest(folder.name.encode())[:12]}"
            aside[name] = head
            yield name, "the server can't read its header"
        elif head.id not in seen and r"\draft" not in head.flags:
            seen.add(head.id)
            if head.size > LARGEST_MESSAGE_BYTES:
                yield head.id, "larger than 50 MiB"
            else:
                wanted.append(head)
    for group in _groups(wanted):
        bodies = _each(calls, [head.place.uid for head in group], WHOLE, sum(head.size for head in group))
        for head in group:
            raw = bodies.get(head.place.uid, {}).get("BODY")
            if isinstance(raw, bytes) and raw and raw.upper() != b"NIL":
                yield _message(head, raw)
            elif calls.has(head.place.uid):
                aside[head.id] = head.place
                yield head.id, "the server does not give its bytes"


def _heads(
    calls: ImapCalls, folder: Folder, validity: int, uids: Sequence[int], now: datetime
) -> Iterator[_Head | _Place]:
    """What each message says of itself; the place of one that is there and says nothing. Deleted ones are left out."""
    found = _each(calls, uids, HEAD, len(uids) * HEAD_BYTES)
    for uid in uids:
        place = _Place(folder, validity, uid)
        items = found.get(uid, {})
        header = items.get("HEADER")
        if isinstance(header, bytes) and {"RFC822.SIZE", "FLAGS", "INTERNALDATE"} <= items.keys():
            yield _head(place, header, items, now)
        elif calls.has(uid):
            yield place


def _head(place: _Place, header: bytes, items: Mapping[str, Token], now: datetime) -> _Head:
    try:
        size, flags = imap_answers.size(items["RFC822.SIZE"]), imap_answers.words(items["FLAGS"])
        arrived = imap_answers.word(items["INTERNALDATE"])
    except Malformed as error:
        raise NothingHappened(f"The IMAP server's answer is malformed: {error}.") from error
    told = first_values(header)
    own = [told.get(name, "") for name in ("message-id", "from", "date", "subject")]
    if not own[0]:
        # without a Message-ID, what a copy keeps tells two messages apart
        own += [arrived, str(size)]
    name = digest("\0".join(own).encode("utf-8", "surrogatepass"))
    return _Head(name, conversation_of(told) or name, place, size, flags, _moment(arrived, now))


def _each(calls: ImapCalls, uids: Sequence[int], items: str, expected_bytes: int) -> dict[int, dict[str, Token]]:
    """Items of some messages; where the server refuses them together, one by one, so that one can't hide the others."""
    try:
        return calls.fetch(uids, items, expected_bytes=expected_bytes)
    except Refused:
        if len(uids) == 1:
            return {}
        found: dict[int, dict[str, Token]] = {}
        for uid in uids:
            found |= _each(calls, [uid], items, expected_bytes)
        return found


def _message(head: _Head, raw: bytes) -> RawMessage:
    unread = () if r"\seen" in head.flags else ("UNREAD",)
    return RawMessage(
        provider_message_id=head.id,
        provider_thread_id=head.thread,
        raw=raw,
        labels=(*head.place.folder.labels, *unread),
        received_at=head.received_at,
    )


def _groups(heads: Iterable[_Head]) -> Iterator[list[_Head]]:
    """A few messages at a time, by their bytes."""
    group: list[_Head] = []
    size = 0
    for head in heads:
        if group and size + head.size > GROUP_BYTES:
            yield group
            group, size = [], 0
        group.append(head)
        size += head.size
    if group:
        yield group


def _chunks(uids: Sequence[int], length: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(uids), length):
        yield uids[start : start + length]


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _day(moment: datetime) -> str:
    return f"{moment.day}-{MONTHS[moment.month - 1]}-{moment.year:04}"


def _moment(told: str, now: datetime) -> datetime:
    """INTERNALDATE, such as `02-Mar-2026 09:00:00 +0100`; now, when it is unreadable or still to come."""
    try:
        moment = datetime.strptime(told.strip(), "%d-%b-%Y %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return now
    return min(moment, now)
