"""Mail in from Gmail: incremental by history id, complete when that has expired, exact bytes, nothing skipped."""

from __future__ import annotations

import base64
import binascii
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from domain.ports import HistoryExpired, NothingHappened, Page, ProviderError, RawMessage
from providers.gmail_calls import GmailCalls, Refused

LEFT_OUT = frozenset({"DRAFT", "CHAT", "SPAM", "TRASH"})
LARGEST_LIST = 500


@dataclass(frozen=True, slots=True)
class _Gone:
    """Deleted meanwhile, or among what is left out."""


@dataclass(frozen=True, slots=True)
class _Broken:
    provider_message_id: str
    reason: str


Fetched = RawMessage | _Gone | _Broken | ProviderError


class GmailMailbox:
    """A Mailbox over the Gmail API."""

    name = "gmail"

    def __init__(
        self, calls: GmailCalls, *, page_size: int = 50, page_bytes: int = 32 << 20, in_flight: int = 4
    ) -> None:
        self._calls = calls
        self._page_size = page_size
        self._page_bytes = page_bytes
        # More than five at once earns 429 ("too many concurrent requests for user").
        self._in_flight = in_flight

    def changes(self, cursor: str | None, *, known: Sequence[str] = ()) -> Iterator[Page]:
        """Yield what is new since `cursor` (a history id, a string: it is an unsigned 64-bit number)."""
        if cursor is None:
            # Before the listing: what arrives while it runs is then in the history after this id.
            new_cursor = str(self._profile()["historyId"])
            # Gmail lists newest first; the oldest come first here, so that threads grow from their roots.
            ids: list[str] = list(reversed(list(self._list_ids())))
        else:
            ids, new_cursor = self._history(cursor)
        stored = frozenset(known)
        yield from self._pages([i for i in ids if i not in stored], new_cursor)

    def recent_ids(self, days: int) -> frozenset[str]:
        """The ids of the last `days` days, drafts, chats, spam and rubbish left out."""
        recent = f"newer_than:{days}d"
        # By label, because how the search language names drafts and chats has changed before.
        left_out = {i for label in ("DRAFT", "CHAT") for i in self._list_ids(recent, label)}
        return frozenset(self._list_ids(recent)) - left_out

    def fetch(self, provider_message_id: str) -> RawMessage | None:
        """One message by its id; None when it was deleted, or is among what is left out."""
        got = self._get(provider_message_id)
        if isinstance(got, ProviderError):
            raise got
        if isinstance(got, _Broken):
            raise NothingHappened(got.reason)
        return got if isinstance(got, RawMessage) else None

    def address(self) -> str:
        """The mailbox's own address."""
        return str(self._profile()["emailAddress"])

    def _profile(self) -> dict[str, Any]:
        profile = self._calls.ask(lambda users: users.getProfile(userId="me"))
        if not profile.get("historyId") or not profile.get("emailAddress"):
            raise NothingHappened("Gmail's profile lacks historyId or emailAddress.")
        return profile

    def _list_ids(self, query: str | None = None, label: str | None = None) -> Iterator[str]:
        token: str | None = None
        while True:
            page = self._calls.ask(_listing(query, label, token))
            for message in page.get("messages") or []:
                yield str(message["id"])
            token = page.get("nextPageToken")
            if not token:
                return

    def _history(self, cursor: str) -> tuple[list[str], str]:
        """The ids added since `cursor`, oldest first, and the cursor that stands for them."""
        ids: dict[str, None] = {}
        new_cursor: str | None = None
        token: str | None = None
        while True:
            try:
                page = self._calls.ask(_since(cursor, token))
            except Refused as error:
                if error.status == 404 or "starthistoryid" in error.message.lower():
                    raise HistoryExpired(f"Gmail no longer knows history id {cursor}.") from error
                raise
            # The first page's id: whatever a later page's id covers beyond it comes once more, and is recognised.
            new_cursor = new_cursor or page.get("historyId")
            if new_cursor is None:
                raise NothingHappened("Gmail's history lacks its historyId.")
            # A page may bring a token and no history at all.
            for record in page.get("history") or []:
                ids.update(dict.fromkeys(_arrived(record)))
            token = page.get("nextPageToken")
            if not token:
                return list(ids), str(new_cursor)

    def _pages(self, ids: Sequence[str], new_cursor: str) -> Iterator[Page]:
        messages: list[RawMessage] = []
        broken: list[tuple[str, str]] = []
        failure: ProviderError | None = None
        size = 0
        with closing(self._fetched(ids)) as fetched:
            for one in fetched:
                if isinstance(one, RawMessage):
                    messages.append(one)
                    size += len(one.raw)
                elif isinstance(one, _Broken):
                    broken.append((one.provider_message_id, one.reason))
                elif isinstance(one, ProviderError):
                    failure = one
                    break
                if len(messages) + len(broken) >= self._page_size or size >= self._page_bytes:
                    yield Page(tuple(messages), None, tuple(broken))
                    messages, broken, size = [], [], 0
        # With a failure too: what did arrive is kept, so that a big mailbox gets on despite its quota.
        yield Page(tuple(messages), None if failure else new_cursor, tuple(broken))
        if failure is not None:
            raise failure

    def _fetched(self, ids: Iterable[str]) -> Generator[Fetched, None, None]:
        """The messages in the order of `ids`, a few on their way at any time and no more than those in memory."""
        waiting: deque[Future[Fetched]] = deque()
        with ThreadPoolExecutor(self._in_flight, thread_name_prefix="gmail") as pool:
            for message_id in ids:
                waiting.append(pool.submit(self._get, message_id))
                if len(waiting) >= self._in_flight:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _get(self, message_id: str) -> Fetched:
        try:
            message = self._calls.ask(lambda users: users.messages().get(userId="me", id=message_id, format="raw"))
        except Refused as error:
            return _Gone() if error.status == 404 else _Broken(message_id, str(error))
        except ProviderError as error:
            return error
        labels = tuple(str(label) for label in message.get("labelIds") or ())
        if LEFT_OUT & set(labels):
            return _Gone()
        try:
            return RawMessage(
                provider_message_id=message_id,
                provider_thread_id=str(message["threadId"]),
                raw=_decoded(message["raw"]),
                labels=labels,
                received_at=datetime.fromtimestamp(int(message["internalDate"]) / 1000, tz=UTC),
                history_id=str(message["historyId"]) if "historyId" in message else None,
            )
        except (KeyError, TypeError, ValueError, OverflowError, OSError, binascii.Error) as error:
            return _Broken(message_id, f"Gmail's answer is malformed: {type(error).__name__}: {error}")


def _decoded(raw: str) -> bytes:
    """Base64url, with or without its padding."""
    return base64.b64decode(raw + "=" * (-len(raw) % 4), altchars=b"-_", validate=True)


def _listing(query: str | None, label: str | None, token: str | None) -> Any:
    return lambda users: users.messages().list(
        userId="me", q=query, labelIds=label, maxResults=LARGEST_LIST, pageToken=token
    )


def _since(cursor: str, token: str | None) -> Any:
    # labelRemoved too: a mail taken out of spam or rubbish arrives only by losing that label.
    return lambda users: users.history().list(
        userId="me",
        startHistoryId=cursor,
        maxResults=LARGEST_LIST,
        pageToken=token,
        historyTypes=["messageAdded", "labelRemoved"],
    )


def _arrived(record: dict[str, Any]) -> Iterator[str]:
    for added in record.get("messagesAdded") or []:
        yield str(added["message"]["id"])
    for freed in record.get("labelsRemoved") or []:
        if LEFT_OUT & set(freed.get("labelIds") or ()):
            yield str(freed["message"]["id"])
