"""The shapes of the outside world: what a mailbox, a sender and a clock must be able to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable
from uuid import UUID

from domain.imap_accounts import ImapAccount

DeliveryKind = Literal[
    "sent",
    "delivered",
    "delivery_delayed",
    "bounced",
    "complained",
    "failed",
    "suppressed",
    "opened",
    "clicked",
]


class ProviderError(Exception):
    """A provider did not do what was asked. The subclass says what the caller may do next."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class NothingHappened(ProviderError):
    """The provider certainly did nothing: the same request may be tried again later."""


class MaybeHappened(ProviderError):
    """The outcome is unknown: resolve it with the provider, never retry blindly."""


class NeverWill(ProviderError):
    """The provider refused for good: give up, and tell a person what to mend."""


class TokenExpired(NothingHappened):
    """The access token has expired and could not be refreshed just now."""


class TokenRevoked(NeverWill):
    """The grant was revoked (`invalid_grant`): stop polling and ask the tenant to connect again."""


class QuotaExceeded(NothingHappened):
    """The provider's quota is spent for now: back off for `retry_after_seconds`."""


class HistoryExpired(Exception):
    """The mailbox no longer knows the cursor: a full resync is due."""


@dataclass(frozen=True, slots=True)
class OutboundMail:
    """One rendered mail, frozen: exactly the bytes that may go out under `idempotency_key`."""

    card_id: UUID
    idempotency_key: str
    message_id: str
    """RFC 5322 Message-ID with angle brackets; ours, so that bounces can be tied to it."""
    sender: str
    """RFC 5322 mailbox, such as `Ana Diaz <ana@acme.example>`."""
    to: tuple[str, ...]
    subject: str
    text: str
    html: str | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """In-Reply-To, References, List-Unsubscribe, List-Unsubscribe-Post, Auto-Submitted …"""
    tags: Mapping[str, str] = field(default_factory=dict)
    """ASCII letters, digits, `_` and `-` only; always carries `card` and `tenant`."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the mail and named it."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class FoundMail:
    """A mail that the provider remembers having taken."""

    provider_id: str
    state: Literal["accepted", "delivered", "bounced", "failed"]
    at: datetime | None
    message_id: str | None = None
    """The Message-ID that the mail really carries: a provider may put its own in place of ours."""


@dataclass(frozen=True, slots=True)
class DeliveryEvent:
    """What a provider's webhook, already verified, says became of a mail."""

    event_id: str
    """The provider's id of this notification, the same for each repetition: deduplicate on it."""
    kind: DeliveryKind
    provider_id: str
    recipients: tuple[str, ...]
    at: datetime
    tags: Mapping[str, str]
    """Ours, given back: `card` and `tenant` (empty when the mail was not sent by us)."""
    message_id: str | None = None
    """The Message-ID that the mail really carries: replies and bounces refer to this one."""
    bounce_type: str | None = None
    """`Permanent`, `Transient` or `Undetermined`; only with `bounced`."""
    bounce_subtype: str | None = None
    """`General`, `NoEmail`, `MailboxFull`, `Suppressed` …; only with `bounced`."""
    detail: str | None = None
    """What the receiving server said, the reason of a failure, or the link that was clicked."""


class MailSender(Protocol):
    """A way out for mail. Lent by the executor for one card; nothing else may hold one."""

    name: str
    keeps_keys: bool
    """True when the provider remembers idempotency keys, so the same key and bytes may be tried again."""

    def send(self, mail: OutboundMail, *, deadline_seconds: float) -> Accepted:
        """Hand `mail` over, in at most `deadline_seconds` in all.

        Raises NothingHappened, MaybeHappened or NeverWill.
        """
        ...

    def find(self, mail: OutboundMail, *, deadline_seconds: float, since: datetime | None = None) -> FoundMail | None:
        """Look `mail` up in the provider's own listing (by our `card` tag or Message-ID).

        `since` is when the first try was made; without it the card's own birth (a UUIDv7) is taken.

        None says that the provider's listing, which must reach back past the first try, does not have it.
        Raises NothingHappened when the listing can't be read or does not reach back that far.
        """
        ...


class HookPoster(Protocol):
    """A way out for notices to somebody's own address on the web. Held by the door of the notices alone."""

    def post(
        self, url: str, body: bytes, *, secret: str, message_id: str, at: datetime, deadline_seconds: float
    ) -> None:  # fmt: skip
        """Post a signed message; it returns once the other side has taken it.

        Raises NothingHappened or MaybeHappened where a later try may succeed, NeverWill where none can.
        """
        ...

    def ping(self, url: str, *, deadline_seconds: float) -> None:
        """Ask for an address, to be seen alive. Raises ProviderError."""
        ...


@dataclass(frozen=True, slots=True)
class RawMessage:
    """One message as a mailbox holds it."""

    provider_message_id: str
    provider_thread_id: str
    raw: bytes
    labels: tuple[str, ...]
    received_at: datetime
    history_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some messages, and the cursor that may be stored once all of them are."""

    messages: tuple[RawMessage, ...]
    next_cursor: str | None
    """None until the last page of one sync: the stored cursor must not move before then."""
    broken: tuple[tuple[str, str], ...] = ()
    """(provider_message_id, reason) of what could not be read at all."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What a person consented to: the mailbox that it opens, and the grant in clear, to be sealed at once."""

    address: str
    refresh_token: str
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return "Granted(…)"


class LogIn(Protocol):
    """How an IMAP account is tried before it is kept."""

    def __call__(self, account: ImapAccount) -> None:
        """Log in and out again. Raises NothingHappened when not reached, NeverWill when not trusted or refused."""
        ...


class AuthorizationServer(Protocol):
    """Who asks a person whether we may read their mailbox (RFC 6749), and takes that back again."""

    def page(self, state: str, challenge: str, *, redirect_uri: str, address: str) -> str:
        """Where to send the person. Raises NeverWill where no client is set."""
        ...

    def redeem(self, code: str, verifier: str, *, redirect_uri: str) -> Granted:
        """The grant for a code, found to cover what we need. Raises NothingHappened, NeverWill."""
        ...

    def revoke(self, refresh_token: str) -> None:
        """End a grant; one that had ended already is fine. Raises NothingHappened, NeverWill."""
        ...


class Mailbox(Protocol):
    """A place where a tenant's mail arrives."""

    name: str

    def changes(self, cursor: str | None, *, known: Sequence[str] = ()) -> Iterator[Page]:
        """Yield what is new since `cursor`, oldest page first; a None cursor means all of it.

        `known` holds the ids already stored after an interrupted full sync; they are not fetched again.
        Raises HistoryExpired, TokenExpired, TokenRevoked, QuotaExceeded, NothingHappened, NeverWill.
        """
        ...

    def recent_ids(self, days: int) -> frozenset[str]:
        """The ids of the messages of the last `days` days, for the hourly reconciliation."""
        ...

    def fetch(self, provider_message_id: str) -> RawMessage | None:
        """One message by its id; None when it was deleted meanwhile."""
        ...

    def address(self) -> str:
        """The mailbox's own address, as the provider states it."""
        ...


@dataclass(frozen=True, slots=True)
class SentMail:
    """A mail as the provider's own listing tells of it."""

    provider_id: str
    at: datetime
    recipients: tuple[str, ...]
    sender: str
    subject: str
    text: str
    html: str | None
    state: Literal["accepted", "delivered", "bounced", "failed"]
    tags: Mapping[str, str]
    message_id: str | None = None


@runtime_checkable
class SentList(Protocol):
    """A sender whose provider lists what it has taken."""

    def sent_since(
        self, since: datetime, *, after: str | None, deadline_seconds: float
    ) -> tuple[Sequence[str], str | None]:
        """Ids of mails taken since then, newest first, a page at a time; None beside the last page.

        Raises NothingHappened when the listing can't be read, or does not surely reach back that far.
        """
        ...

    def sent(self, provider_id: str, *, deadline_seconds: float) -> SentMail:
        """One mail with its tags. Raises NothingHappened."""
        ...
